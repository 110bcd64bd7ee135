# Numbers of Keras' own tests, and golden cases computed with it (SimpleRNN, LSTM, GRU, stacks, Bidirectional,
# TimeDistributed).
#
# One row a case. In the tests of Keras kernels are 0.01, recurrent kernels 0.02, biases 0.03 and inputs 0, 1, 2, ...
# (row-major), so that all units of a row have the same number: one is listed.

counting <- function(...) from_row_major(seq_len(prod(...)) - 1, c(...))

constant_weights <- function(fn, units, ..., kernel = 0.01, recurrent = 0.02, bias = 0.03) {
  fn(units = units, kernel_initializer = initializer_constant(kernel),
     recurrent_initializer = initializer_constant(recurrent), bias_initializer = initializer_constant(bias), ...)
}

simple <- function(units, ...) constant_weights(layer_simple_rnn, units, ...)
lstm <- function(units, ...) constant_weights(layer_lstm, units, ...)
gru <- function(units, ...) constant_weights(layer_gru, units, ...)
both <- function(layer, ...) layer_bidirectional(layer = layer, ...)

mask_rows <- function(...) do.call(rbind, lapply(strsplit(c(...), ""), function(row) row == "T"))

in_floats <- function(code) for (type in both_floatx) with_floatx(type, code(type))


# --- Keras' tests of the recurrent layers -------------------------------------------------------------------------

# `wanted`: a number for each row of the batch.
last_outputs <- list(
  list("SimpleRNN", quote(simple(4)), c(2, 3, 4), c(.405432, .73605347)),
  list("SimpleRNN unrolled", quote(simple(4, unroll = TRUE)), c(2, 3, 4), c(.405432, .73605347)),
  list("SimpleRNN backwards", quote(simple(4, go_backwards = TRUE)), c(2, 3, 4), c(.11144729, .5528889)),
  list("SimpleRNN backwards, unrolled", quote(simple(4, go_backwards = TRUE, unroll = TRUE)), c(2, 3, 4),
       c(.11144729, .5528889)),
  list("SimpleRNN from a state", quote(simple(4)), c(2, 4, 3), c(.33621645, .6262637), state = c(2, 4)),
  list("SimpleRNN from a state, backwards", quote(simple(4, go_backwards = TRUE)), c(2, 4, 3), c(.07344437, .43043602),
       state = c(2, 4)),
  list("SimpleRNN masked", quote(simple(4, unroll = TRUE)), c(2, 4, 3), c(.32951632, .61799484),
       mask = c("TTFT", "TFFT")),
  list("SimpleRNN masked, backwards", quote(simple(4, go_backwards = TRUE)), c(2, 4, 3), c(.07376196, .43645123),
       mask = c("TTFT", "TFFT")),
  list("LSTM", quote(lstm(3)), c(3, 6, 4), c(.6288687, .86899155, .9460773)),
  list("LSTM, implementation 1", quote(lstm(3, implementation = 1)), c(3, 6, 4), c(.6288687, .86899155, .9460773)),
  list("LSTM unrolled", quote(lstm(3, unroll = TRUE)), c(3, 6, 4), c(.6288687, .86899155, .9460773)),
  list("LSTM backwards", quote(lstm(3, go_backwards = TRUE)), c(3, 6, 4), c(.35622165, .74789524, .8872726)),
  list("LSTM without forget bias", quote(lstm(3, unit_forget_bias = FALSE)), c(3, 6, 4),
       c(.57019705, .8661914, .9459622)),
  list("LSTM without bias", quote(lstm(3, use_bias = FALSE)), c(3, 6, 4), c(.54986924, .86226785, .9443936)),
  list("LSTM masked", quote(lstm(2, unroll = TRUE)), c(2, 4, 3), c(.11755939, .28556206), mask = c("TTTF", "TTFF")),
  list("LSTM masked, backwards", quote(lstm(2, go_backwards = TRUE)), c(2, 4, 3), c(.15341201, .3844719),
       mask = c("FTTT", "FFTT")),
  list("GRU", quote(gru(3)), c(3, 6, 4), c(.5217289, .6371659, .39384964)),
  list("GRU unrolled", quote(gru(3, unroll = TRUE)), c(3, 6, 4), c(.5217289, .6371659, .39384964)),
  list("GRU backwards", quote(gru(3, go_backwards = TRUE)), c(3, 6, 4), c(.24406259, .611516, .3928808)),
  list("GRU, reset before", quote(gru(3, reset_after = FALSE)), c(3, 6, 4), c(.51447755, .6426879, .40208298)),
  list("GRU without bias", quote(gru(3, use_bias = FALSE)), c(3, 6, 4), c(.49988455, .64701194, .4103359)),
  list("GRU masked", quote(gru(2, unroll = TRUE)), c(2, 4, 3), c(.19393763, .30818558), mask = c("TTFT", "TFFT")),
  list("GRU masked, backwards", quote(gru(2, go_backwards = TRUE)), c(2, 4, 3), c(.11669192, .28380975),
       mask = c("TTFT", "TFFT"))
)

# The layer of a case on 0, 1, 2, ..., as R arrays.
run_golden <- function(case, layer = eval(case[[2]])) {
  x <- as_tensor(counting(case[[3]]))
  arguments <- list(x)
  if (!is.null(case$mask)) arguments$mask <- mask_rows(case$mask)
  if (!is.null(case$state)) arguments$initial_state <- list(counting(case$state))
  arrays_of(do.call(layer, arguments))
}

each_unit <- function(wanted, units) matrix(wanted, length(wanted), units)

for (case in last_outputs) {
  test_that(paste(case[[1]], "gives the numbers of Keras' test"), {
    in_floats(function(type) {
      output <- run_golden(case)[[1]]
      expect_close(output, each_unit(case[[4]], ncol(output)), 1e-5, paste(case[[1]], type))
    })
  })
}

# Rows: per unit a number for LSTM and GRU states that differ by unit.
test_that("states to start from give the numbers of Keras' tests", {
  cases <- list(
    list(quote(lstm(2)), c(.20574439, .64930826, .3558822, .66276), 2),
    list(quote(lstm(2, go_backwards = TRUE)), c(.13281618, .5839337, .2790356, .5992567), 2),
    list(quote(gru(2)), c(.23774096, .83659905, .33508456, 1.0227708), 1),
    list(quote(gru(2, go_backwards = TRUE)), c(.13486053, .78257304, .23261218, .9691353), 1)
  )
  in_floats(function(type) for (case in cases) {
    states <- rep(list(counting(2, 2)), case[[3]])
    output <- eval(case[[1]])(as_tensor(counting(2, 4, 3)), initial_state = states)
    expect_close(output, matrix(case[[2]], 2), 1e-5, paste(deparse(case[[1]]), type))
  })
})

test_that("masked sequences give the numbers of Keras' tests, also with zeros for masked steps", {
  cases <- list(
    list(simple, c("TTFT", "TFFT"), c(.0599281, .15122814, .15122814, .32394567),
         c(.3969304, .3969304, .3969304, .608085)),
    list(lstm, c("TTTF", "TTFF"), c(.0158891, .05552048, .11755939, .11755939),
         c(.14185596, .28556206, .28556206, .28556206)),
    list(gru, c("TTFT", "TFFT"), c(.03606692, .09497581, .09497581, .19393763),
         c(.16051409, .16051409, .16051409, .30818558))
  )
  in_floats(function(type) for (case in cases) for (zero in c(FALSE, TRUE)) {
    mask <- mask_rows(case[[2]])
    wanted <- rbind(case[[3]], case[[4]]) * if (zero) mask else 1
    layer <- case[[1]](2, return_sequences = TRUE, zero_output_for_mask = zero)
    expect_close(layer(as_tensor(counting(2, 4, 3)), mask = mask), array(wanted, c(2, 4, 2)), 1e-5, type)
  })
})

test_that("stateful layers give the numbers of Keras' tests in the second call, also after a reset", {
  cases <- list(
    list(simple, c(2, 3, 4), c(.40559256, .7361247)), list(lstm, c(2, 3, 4), c(.3124785, .6863672)),
    list(gru, c(2, 3, 4), c(.29542392, .5885018))
  )
  in_floats(function(type) for (case in cases) {
    layer <- case[[1]](4, stateful = TRUE)
    x <- as_tensor(counting(case[[2]]))
    for (time in 1:2) {
      layer(x)
      expect_close(layer(x), each_unit(case[[3]], 4), 1e-5, type)
      reset_state(layer)
    }
  })
})

# --- Keras' tests of RNN and StackedRNNCells ----------------------------------------------------------------------

one_state_cell <- Layer("OneStateCell",
  initialize = function(units, ...) {
    super$initialize(...)
    self$units <- units
    self$state_size <- units
  },
  build = function(input_shape) {
    self$kernel <- self$add_weight(shape(tail(input_shape, 1), self$units), "ones", name = "kernel")
    self$recurrent_kernel <- self$add_weight(shape(self$units, self$units), "ones", name = "recurrent_kernel")
  },
  call = function(inputs, states) {
    output <- op_matmul(inputs, self$kernel) + op_matmul(states[[1]], self$recurrent_kernel)
    list(output, list(output))
  },
  get_config = function() c(super$get_config(), list(units = self$units))
)

two_state_cell <- Layer("TwoStateCell",
  initialize = function(units, ...) {
    super$initialize(...)
    self$units <- units
    self$state_size <- list(units, units)
    self$output_size <- units
  },
  build = function(input_shape) {
    add <- function(rows, name) self$add_weight(shape(rows, self$units), "ones", name = name)
    self$kernel <- add(tail(input_shape, 1)[[1]], "kernel")
    self$recurrent_kernel_1 <- add(self$units, "recurrent_kernel_1")
    self$recurrent_kernel_2 <- add(self$units, "recurrent_kernel_2")
  },
  call = function(inputs, states) {
    inputs <- op_matmul(inputs, self$kernel)
    one <- inputs + op_matmul(states[[1]], self$recurrent_kernel_1)
    two <- inputs + op_matmul(states[[2]], self$recurrent_kernel_2)
    list(one + two, list(one, two))
  },
  get_config = function() c(super$get_config(), list(units = self$units))
)

ones <- function(...) array(1, c(...))

test_that("custom cells of one and two states give the numbers of Keras' tests", {
  in_floats(function(type) {
    one <- function(...) layer_rnn(cell = one_state_cell(units = 2), ...)
    two <- function(...) layer_rnn(cell = two_state_cell(units = 2), ...)
    x <- ones(1, 2, 3)
    expect_equal(as.array(one()(x)), each_unit(9, 2))
    expect_equal(as.array(one(return_sequences = TRUE)(x))[1, , ], cbind(c(3, 9), c(3, 9)))
    expect_equal(arrays_of(two(return_state = TRUE)(x)), list(each_unit(18, 2), each_unit(9, 2), each_unit(9, 2)))
    state <- ones(2, 2)
    expect_equal(as.array(one()(ones(2, 3, 2), initial_state = list(state))), each_unit(c(22, 22), 2))
    expect_equal(arrays_of(two(return_state = TRUE)(ones(2, 3, 2), initial_state = list(state, state))),
                 list(each_unit(c(44, 44), 2), each_unit(c(22, 22), 2), each_unit(c(22, 22), 2)))
    backwards <- one(go_backwards = TRUE)(as_tensor(counting(2, 3, 4)))
    expect_equal(as.array(backwards), each_unit(c(202, 538), 2))
  })
})

test_that("custom cells in stateful layers give the numbers of Keras' tests", {
  in_floats(function(type) {
    one <- layer_rnn(cell = one_state_cell(units = 2), stateful = TRUE)
    two <- layer_rnn(cell = two_state_cell(units = 2), stateful = TRUE, return_state = TRUE)
    for (time in 1:2) {
      one(ones(1, 2, 3))
      two(ones(1, 2, 3))
      expect_equal(as.array(one(ones(1, 2, 3))), each_unit(45, 2))
      expect_equal(arrays_of(two(ones(1, 2, 3))), list(each_unit(90, 2), each_unit(45, 2), each_unit(45, 2)))
      reset_state(one)
      reset_state(two)
    }
    x <- as_tensor(counting(2, 3, 4))
    longer <- layer_rnn(cell = one_state_cell(units = 2), stateful = TRUE)
    longer(x)
    expect_equal(as.array(longer(x)), each_unit(c(954, 3978), 2))
  })
})

test_that("a masked custom cell gives the numbers of Keras' test, unrolled or not", {
  in_floats(function(type) for (unroll in c(FALSE, TRUE)) {
    mask <- mask_rows(c("TTTF", "TTFF"))
    layer <- layer_rnn(cell = one_state_cell(units = 2), unroll = unroll, return_sequences = TRUE)
    wanted <- rbind(c(3, 18, 57, 57), c(39, 126, 126, 126))
    expect_equal(as.array(layer(as_tensor(counting(2, 4, 3)), mask = mask)), array(wanted, c(2, 4, 2)))
  })
})

test_that("stacks of custom cells give the numbers of Keras' tests", {
  in_floats(function(type) {
    x <- as_tensor(counting(2, 3, 4))
    stack <- function(cell, ...) layer_rnn(cell = list(cell(units = 3), cell(units = 2)), ...)
    nested <- stack(one_state_cell, return_state = TRUE)(x)
    expect_equal(arrays_of(nested), list(each_unit(c(786, 4386), 2), each_unit(c(158, 782), 3),
                                         each_unit(c(786, 4386), 2)))
    expect_true(is_plain_list(nested[[2]]))
    sequences <- stack(one_state_cell, return_sequences = TRUE)(x)
    expect_equal(as.array(sequences)[, , 1], rbind(c(18, 156, 786), c(162, 1020, 4386)))
    two <- stack(two_state_cell, return_state = TRUE)(x)
    expect_equal(lengths(two[-1]), c(2L, 2L))
    expect_equal(arrays_of(two)[c(1, 2, 4)], list(each_unit(c(3144, 17544), 2), each_unit(c(158, 782), 3),
                                                  each_unit(c(1572, 8772), 2)))
    for (case in list(list(one_state_cell, c(34092, 173196)), list(two_state_cell, c(136368, 692784)))) {
      layer <- stack(case[[1]], stateful = TRUE)
      for (time in 1:2) {
        layer(x)
        expect_equal(as.array(layer(x)), each_unit(case[[2]], 2))
        reset_state(layer)
      }
    }
  })
})

test_that("a masked stack of LSTM cells gives the numbers of Keras' test", {
  in_floats(function(type) {
    cell <- function() rnn_cell_lstm(units = 1, kernel_initializer = "ones", recurrent_initializer = "ones")
    layer <- layer_rnn(cell = list(cell(), cell()))
    output <- layer(ones(2, 3, 4), mask = mask_rows(c("TTT", "TTF")))
    expect_close(output, each_unit(c(.7793, .5998), 1), 1e-4, type)
  })
})

# --- Keras' tests of Bidirectional --------------------------------------------------------------------------------

test_that("merged directions give the numbers of Keras' tests", {
  in_floats(function(type) {
    x <- as_tensor(counting(2, 3, 4))
    near <- function(got, wanted) expect_close(got, wanted, 1e-5, type)
    forward <- c(.39687276, .7237238)
    backward <- c(.10004295, .53391594)
    near(both(simple(2))(x), cbind(forward, forward, backward, backward))
    near(both(simple(2), merge_mode = "ave")(x), each_unit(c(.24845785, .6288199), 2))
    separate <- both(simple(2), merge_mode = NULL)(x)
    near(separate[[1]], each_unit(forward, 2))
    near(separate[[2]], each_unit(backward, 2))
    other <- simple(2, kernel = 0.03, bias = 0.01, go_backwards = TRUE)
    near(both(simple(2), backward_layer = other, merge_mode = "mul")(x), each_unit(c(.08374989, .6740834), 2))
    sums <- rbind(c(.20937867, .34462988, .40290534), c(.59829646, .6734641, .6479671))
    near(both(gru(2, return_sequences = TRUE), merge_mode = "sum")(x), array(sums, c(2, 3, 2)))
  })
})

test_that("states, masks and kept states of both directions give the numbers of Keras' tests", {
  in_floats(function(type) {
    x <- as_tensor(counting(2, 4, 3))
    near <- function(got, wanted) expect_close(got, wanted, 1e-5, type)
    layer <- both(lstm(2, stateful = TRUE))
    for (time in 1:2) {
      layer(x)
      near(layer(x), rbind(c(.26234663, .26234663, .16959146, .16959146), c(.6137073, .6137073, .5381646, .5381646)))
      reset_state(layer)
    }
    states <- lapply(1:4, function(k) k * counting(2, 2))
    near(both(lstm(2))(x, initial_state = states),
         rbind(c(.20794602, .4577124, .14046375, .48191673), c(.6682636, .6711909, .60943645, .60950446)))
    masked <- both(gru(2))(x, mask = mask_rows(c("TTFT", "TFFT")))
    near(masked, rbind(rep(c(.19393763, .11669192), each = 2), rep(c(.30818558, .28380975), each = 2)))
    parts <- both(lstm(2, return_state = TRUE))(x)
    numbers <- list(c(.1990008, .52335435), c(.35567185, 1.0492687), c(.12659755, .44717982), c(.2501858, .941473))
    expect_length(parts, 5)
    near(parts[[1]], cbind(each_unit(numbers[[1]], 2), each_unit(numbers[[3]], 2)))
    for (k in 1:4) near(parts[[k + 1]], each_unit(numbers[[k]], 2))
  })
})

# --- golden cases -------------------------------------------------------------------------------------------------

# Inputs cos(0.37 k), weights 0.5 sin(1.7 k + 0.3 + j) for the j-th array, states 0.3 cos(k + i) for the i-th; B = 3,
# T = 5, F = 4, k counting row-major from 0. A row: layer; with mask, with states; sum of the first output, its last
# three numbers, the loss of the fixtures, norms of the gradients of the weights, losses after five steps of SGD(0.1)
# and of Adam(0.01).
golden_cases <- list(
  S1 = list(quote(layer_simple_rnn(units = 3)), "", -0.718959, c(0.806217, -0.238850, -0.783111), 0.960704,
            c(0.429011, 0.731921, 0.753605), 0.696852, 0.808336),
  S2 = list(quote(layer_simple_rnn(units = 3, return_sequences = TRUE, go_backwards = TRUE)), "", -4.903340,
            c(0.894942, -0.665144, -0.845328), 0.814122, c(0.094030, 0.296832, 0.542504), 0.648128, 0.727611),
  S3 = list(quote(layer_simple_rnn(units = 3, return_sequences = TRUE)), "mask", -5.887347,
            c(0.703965, -0.393495, -0.645729), 0.881103, c(0.117470, 0.265263, 0.414367), 0.762638, 0.790943),
  L1 = list(quote(layer_lstm(units = 3)), "", 0.474585, c(-0.103098, 0.241772, 0.034938), 0.472249,
            c(0.054348, 0.014545, 0.071876), 0.468198, 0.451189),
  L2 = list(quote(layer_lstm(units = 3, return_sequences = TRUE, return_state = TRUE)), "", 1.545428,
            c(-0.103098, 0.241772, 0.034938), 1.560556, c(0.186979, 0.082847, 0.453654), 1.477541, 1.480503),
  L3 = list(quote(layer_lstm(units = 3, return_state = TRUE)), c("mask", "states"), 0.337404,
            c(-0.038396, 0.194320, 0.003085), 1.470385, c(0.430681, 0.149721, 0.380904), 1.329620, 1.333133),
  L4 = list(quote(layer_lstm(units = 3, activation = "relu", recurrent_activation = "hard_sigmoid", use_bias = FALSE)),
            "", 0.551449, c(0.025225, 0.048315, 0.116246), 0.463064, c(0.048003, 0.008041), 0.462222, 0.456128),
  G1 = list(quote(layer_gru(units = 3)), "", 0.777606, c(0.190720, 0.173027, -0.162581), 0.517083,
            c(0.208525, 0.053198, 0.390160), 0.453314, 0.443956),
  G2 = list(quote(layer_gru(units = 3, reset_after = FALSE)), "", 1.028150, c(0.095891, 0.312164, -0.154340), 0.524283,
            c(0.180630, 0.078595, 0.353749), 0.465753, 0.462541),
  G3 = list(quote(layer_gru(units = 3, return_sequences = TRUE, zero_output_for_mask = TRUE)), "mask", 2.513912,
            c(0.223032, 0.211761, -0.192424), 0.516429, c(0.074767, 0.009261, 0.133571), 0.506154, 0.494626),
  G4 = list(quote(layer_gru(units = 3, use_bias = FALSE, go_backwards = TRUE)), "states", -0.003292,
            c(0.157993, -0.055722, -0.095625), 0.483771, c(0.190957, 0.033023), 0.465938, 0.443655),
  `B-concat` = list(quote(both(layer_lstm(units = 2, return_sequences = TRUE))), "", 0.489455,
                    c(0.021618, 0.013703, -0.068004), 0.508872,
                    c(0.026964, 0.003348, 0.026302, 0.013466, 0.003401, 0.023495), 0.507805, 0.497580),
  `B-sum` = list(quote(both(layer_lstm(units = 2, return_sequences = TRUE), merge_mode = "sum")), "", 0.489455,
                 c(-0.195251, 0.150479, -0.046386), 0.521824,
                 c(0.056525, 0.007741, 0.025312, 0.066401, 0.006385, 0.033887), 0.517289, 0.494761),
  `B-mul` = list(quote(both(layer_lstm(units = 2, return_sequences = TRUE), merge_mode = "mul")), "", -0.289789,
                 c(-0.012619, 0.001874, -0.001470), 0.499154,
                 c(0.004503, 0.000793, 0.006898, 0.004767, 0.001031, 0.003684), 0.499101, 0.495757),
  `B-ave` = list(quote(both(layer_lstm(units = 2, return_sequences = TRUE), merge_mode = "ave")), "", 0.244727,
                 c(-0.097626, 0.075240, -0.023193), 0.504625,
                 c(0.027346, 0.003499, 0.010600, 0.025580, 0.002485, 0.013069), 0.503783, 0.492067),
  `B-NULL` = list(quote(both(layer_lstm(units = 2, return_sequences = TRUE), merge_mode = NULL)), "", -0.555687,
                  c(-0.246452, 0.136776, 0.021618), 1.043914,
                  c(0.062297, 0.007580, 0.057349, 0.017555, 0.005699, 0.032775), 1.039812, 1.020795),
  B6 = list(quote(both(layer_gru(units = 2))), "", -0.139380, c(-0.399813, -0.169234, 0.319462), 0.614371,
            c(0.102171, 0.044017, 0.299583, 0.151198, 0.024459, 0.173114), 0.545938, 0.531541),
  B7 = list(quote(both(layer_gru(units = 2, return_sequences = TRUE, return_state = TRUE))), "mask", -1.640198,
            c(-0.349192, -0.152064, 0.239063), 1.651775, c(0.320583, 0.066277, 0.449254, 0.429890, 0.043763, 0.296123),
            1.411434, 1.462840),
  B8 = list(quote(both(layer_simple_rnn(units = 2), backward_layer = layer_gru(units = 3, go_backwards = TRUE))), "",
            1.267797, c(-0.075665, -0.189892, 0.153702), 0.608120,
            c(0.384951, 0.207306, 0.266420, 0.193102, 0.019677, 0.180354), 0.427943, 0.465932),
  B9 = list(quote(both(layer_lstm(units = 2, return_state = TRUE), merge_mode = "ave")), c("mask", "states"), 0.015358,
            c(-0.006200, 0.055299, 0.119881), 2.612138, c(0.358747, 0.048970, 0.267165, 0.269173, 0.040115, 0.313310),
            2.442332, 2.429774),
  K1 = list(quote(layer_rnn(cell = list(rnn_cell_lstm(units = 2), rnn_cell_gru(units = 3)), return_sequences = TRUE)),
            "", -1.779177, c(0.073059, -0.210689, -0.014525), 0.521807,
            c(0.013940, 0.001299, 0.007906, 0.020233, 0.011243, 0.170038), 0.511001, 0.503989),
  K2 = list(quote(layer_rnn(cell = list(rnn_cell_lstm(units = 2), rnn_cell_gru(units = 3)), return_sequences = TRUE)),
            "mask", -1.601599, c(0.022826, -0.194210, 0.037084), 0.512376,
            c(0.009186, 0.000725, 0.005679, 0.012063, 0.006856, 0.142333), 0.504335, 0.497419),
  K3 = list(quote(both(layer_rnn(cell = list(rnn_cell_gru(units = 2), rnn_cell_simple(units = 2))))), "", -1.640252,
            c(0.076362, -0.333718, -0.049753), 0.544759,
            c(0.033472, 0.014450, 0.111381, 0.085292, 0.057764, 0.176502, 0.029267, 0.007367, 0.061342, 0.075053,
              0.062475, 0.180234), 0.505296, 0.486008),
  T1 = list(quote(layer_time_distributed(layer = layer_dense(units = 2, activation = "tanh"))), "", 8.110853,
            c(0.312324, 0.618444, 0.100475), 0.645150, c(0.275819, 0.309057), 0.565378, 0.597102)
)

golden_mask <- mask_rows(c("TTTTT", "TTTFF", "FTTFT"))

wave <- function(fn, sizes) from_row_major(fn(seq_len(prod(sizes)) - 1), sizes)

# The layer of a golden case with its weights, and its loss as a function of no arguments; `outputs`: those of the call.
golden_layer <- function(case) {
  layer <- eval(case[[1]])
  x <- as_tensor(wave(function(k) cos(0.37 * k), c(3, 5, 4)))
  arguments <- list(x)
  if ("mask" %in% case[[2]]) arguments$mask <- golden_mask
  layer(x)
  sizes <- lapply(layer$weights, tensor_shape)
  set_weights(layer, Map(function(size, j) wave(function(k) 0.5 * sin(1.7 * k + 0.3 + j), size), sizes,
                         seq_along(sizes) - 1))
  if ("states" %in% case[[2]]) {
    count <- if (is.null(layer$forward_layer)) layer$state_count() else 2 * layer$forward_layer$state_count()
    units <- dim(flatten_structure(layer(x))[[1]])[[2]]
    arguments$initial_state <- lapply(seq_len(count) - 1, function(i) wave(function(k) 0.3 * cos(k + i), c(3, units)))
  }
  call <- function() flatten_structure(do.call(layer, arguments))
  list(layer = layer, call = call, loss = function(...) fixture_loss(call()))
}

loss_after <- function(case, optimizer) {
  golden <- golden_layer(case)
  variables <- golden$layer$trainable_weights
  step <- new_step(function(tensors) list(outputs = list(), loss = golden$loss()), list(), variables,
                   optimizer = get_optimizer(optimizer), eager = TRUE)
  for (k in 1:5) run_step(step, list())
  as.numeric(golden$loss())
}

for (name in names(golden_cases)) {
  test_that(paste("golden case", name, "has Keras' outputs, loss, gradients and trained losses"), {
    case <- golden_cases[[name]]
    in_floats(function(type) {
      near <- function(got, wanted, what) expect_close(got, wanted, 1e-5, paste(name, type, what))
      golden <- golden_layer(case)
      output <- to_row_major(as.array(golden$call()[[1]]))
      near(sum(output), case[[3]], "sum")
      near(utils::tail(output, 3), case[[4]], "last three")
      found <- value_and_gradients(golden$loss, list(), golden$layer$trainable_weights)
      near(found$value, case[[5]], "loss")
      near(vapply(found$variables, function(g) sqrt(sum(g^2)), 0), case[[6]], "gradients")
      near(loss_after(case, optimizer_sgd(0.1)), case[[7]], "SGD")
      near(loss_after(case, optimizer_adam(0.01)), case[[8]], "Adam")
    })
  })
}

# --- masks in both directions -------------------------------------------------------------------------------------

test_that("padded rows of a bidirectional layer give the numbers of Keras, in every merge mode", {
  mask <- mask_rows(c("TTFF", "TTTF"))
  numbers <- list(
    list(simple, rbind(c(.059928, .150057, 0, 0), c(.396930, .476107, .543791, 0)),
         rbind(c(.062895, .148885, 0, 0), c(.404958, .478272, .537050, 0)),
         list(c(.150057, .543791), c(.062895, .404958))),
    list(lstm, rbind(c(.015889, .055416, 0, 0), c(.141856, .284369, .413420, 0)),
         rbind(c(.046394, .042911, 0, 0), c(.368546, .326579, .215320, 0)),
         list(c(.055416, .413420), c(.103466, .756519), c(.046394, .368546), c(.090294, .707525))),
    list(gru, rbind(c(.036067, .094823, 0, 0), c(.160514, .280166, .374773, 0)),
         rbind(c(.075639, .075017, 0, 0), c(.344608, .299785, .191420, 0)), NULL)
  )
  in_floats(function(type) {
    x <- as_tensor(counting(2, 4, 3))
    for (case in numbers) {
      near <- function(got, wanted, what) expect_close(got, wanted, 2e-6, paste(type, what))
      layer <- both(case[[1]](1, return_sequences = TRUE, return_state = TRUE))
      parts <- arrays_of(layer(x, mask = mask))
      near(parts[[1]], array(c(case[[2]], case[[3]]), c(2, 4, 2)), "sequences")
      for (k in seq_along(case[[4]])) near(parts[[k + 1]], each_unit(case[[4]][[k]], 1), "states")
    }
    merged <- function(mode) as.array(both(gru(1, return_sequences = TRUE), merge_mode = mode)(x, mask = mask))[2, , 1]
    expect_close(merged("mul"), c(.055314, .083990, .071739, 0), 2e-6, "mul")
    expect_close(merged("ave"), c(.252561, .289976, .283096, 0), 2e-6, "ave")
  })
})

test_that("empty rows, leading masks and gaps give the numbers of Keras", {
  mask <- mask_rows(c("FFFF", "FTTT", "TFTF"))
  numbers <- list(
    list(simple, rbind(0, c(.604922, .478402), c(.750043, .661168)), 3,
         rbind(c(.652707, .661168), 0, c(.750043, .744277), 0)),
    list(lstm, rbind(0, c(.478149, .433863), c(.529830, .495683)), 2,
         rbind(0, c(.178362, .433863), c(.343507, .382440), c(.478149, .252028))),
    list(gru, rbind(0, c(.407644, .382909), c(.353299, .346023)), 3,
         rbind(c(.204582, .346023), 0, c(.353299, .204234), 0))
  )
  in_floats(function(type) {
    x <- as_tensor(counting(3, 4, 3))
    for (case in numbers) {
      near <- function(got, wanted, what) expect_close(got, wanted, 2e-6, paste(type, what))
      near(both(case[[1]](1))(x, mask = mask), case[[2]], "last")
      sequences <- as.array(both(case[[1]](1, return_sequences = TRUE))(x, mask = mask))
      near(sequences[case[[3]], , ], case[[4]], "sequence")
    }
  })
})

test_that("a leading mask with a state to start from gives zeros first, as in Keras", {
  cases <- list(
    list(quote(simple(1, return_sequences = TRUE, return_state = TRUE)), c(0, .24492, .24492, .32292), .32292),
    list(quote(simple(1, return_sequences = TRUE, return_state = TRUE, zero_output_for_mask = TRUE)),
         c(0, .24492, 0, .32292), .32292),
    list(quote(simple(1, return_sequences = TRUE, return_state = TRUE, go_backwards = TRUE)),
         c(.40532, .40532, .1568, .1568), .1568)
  )
  in_floats(function(type) for (case in cases) {
    parts <- eval(case[[1]])(as_tensor(counting(1, 4, 3)), mask = mask_rows("FTFT"), initial_state = list(matrix(5)))
    expect_close(parts[[1]], array(case[[2]], c(1, 4, 1)), 2e-5, type)
    expect_close(parts[[2]], matrix(case[[3]]), 2e-5, type)
  })
})
