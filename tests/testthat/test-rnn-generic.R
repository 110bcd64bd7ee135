# layer_rnn(): built-in cells give what their layers give; cells of users with all kinds of states; training with them.

x <- array(sin(1:40), c(2, 5, 4))

built_in <- list(
  simple_rnn = list(layer_simple_rnn, rnn_cell_simple), lstm = list(layer_lstm, rnn_cell_lstm),
  gru = list(layer_gru, rnn_cell_gru)
)

test_that("a built-in cell is its layer, in the same bits: outputs, gradients, masks, directions, dropout", {
  withr::local_seed(1)
  for (pair in built_in) for (mask in c("none", "gaps", "empty_row")) for (backwards in c(FALSE, TRUE)) {
    of_cell <- list(units = 3, dropout = 0.3, recurrent_dropout = if (backwards) 0.2 else 0, seed = 11)
    options <- list(return_sequences = TRUE, return_state = TRUE, go_backwards = backwards)
    whole <- do.call(pair[[1]], c(of_cell, options))
    whole(x)
    around <- with_weights(do.call(layer_rnn, c(list(cell = do.call(pair[[2]], of_cell)), options)),
                           get_weights(whole), x)
    expect_true(is_compiled_rnn(layer_object(around)))
    steps <- random_mask(mask, 2, 5)
    found <- lapply(list(whole, around), function(layer) {
      loss <- function(inputs) fixture_loss(flatten_structure(layer(inputs[[1]], mask = steps)))
      list(arrays_of(layer(x, mask = steps, training = TRUE)),
           value_and_gradients(loss, list(as_tensor(x)), layer$trainable_weights))
    })
    expect_same_bits(found[[2]], found[[1]], paste(mask, backwards))
  }
})

test_that("in both directions, too: one call of the compiled core", {
  for (pair in built_in) {
    whole <- layer_bidirectional(layer = pair[[1]](units = 3, return_state = TRUE))
    whole(x)
    around <- layer_bidirectional(layer = layer_rnn(cell = pair[[2]](units = 3), return_state = TRUE))
    with_weights(around, get_weights(whole), x)
    expect_true(run_together(layer_object(around$forward_layer), layer_object(around$backward_layer)))
    expect_same_bits(around(x), whole(x))
  }
})

test_that("a subclass that computes something else is not run by the compiled core", {
  doubled <- Layer("DoubledGRUCell", inherit = rnn_cell_gru, call = function(inputs, states, training = FALSE) {
    result <- super$call(inputs, states, training)
    list(result[[1]] * 2, result[[2]])
  })
  starting <- Layer("StartingGRUCell", inherit = rnn_cell_gru, get_initial_state = function(batch_size) {
    list(op_ones(c(batch_size, self$units)))
  })
  plain <- layer_gru(units = 3)
  y <- as.array(plain(x))
  layer <- with_weights(layer_rnn(cell = doubled(units = 3)), get_weights(plain), x)
  expect_null(compiled_cells(layer_object(layer)))
  expect_equal(as.array(layer(x)), 2 * y, tolerance = 1e-6)
  layer <- with_weights(layer_rnn(cell = starting(units = 3)), get_weights(plain), x)
  expect_length(compiled_cells(layer_object(layer)), 1)
  expect_same_bits(layer(x), plain(x, initial_state = list(matrix(1, 2, 3))))
  stack <- layer_rnn(cell = list(starting(units = 3)))
  expect_same_bits(with_weights(stack, get_weights(plain), x)(x), layer(x))
  input <- keras_input(c(5, 4))
  expect_same_bits(predict(keras_model(input, layer(input)), x, verbose = 0), layer(x))
  penalized <- layer_rnn(cell = rnn_cell_gru(units = 3, activity_regularizer = "l2"))
  penalized(x)
  expect_length(penalized$losses, 10) # the output and the new state of each step
})

# Trains a model with a layer by plan and op by op: the same bits, and other weights than before.
expect_plan_is_eager <- function(make, data = x, floatx = "float32", ...) {
  withr::local_seed(3)
  y <- random_array(dim(data)[[1]], 1)
  start <- NULL
  results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
    model <- keras_model_sequential(input_shape = dim(data)[-1]) |> (\(m) make()(m))() |> layer_dense(1)
    if (is.null(start)) start <<- get_weights(model)
    set_weights(model, start)
    model |> compile(optimizer = optimizer_adam(0.01), loss = "mse", run_eagerly = run_eagerly)
    history <- fit(model, data, y, batch_size = 1, epochs = 2, shuffle = FALSE, verbose = 0)
    list(history$metrics$loss, get_weights(model), predict(model, data, verbose = 0))
  })
  expect_same_bits(results[[2]], results[[1]], "trained eagerly")
  expect_false(same_bits(results[[1]][[2]], start))
}

# Which of two marks came first: more steps back than a cell without memory can see.
expect_learns <- function(cell) {
  withr::local_seed(6)
  first <- sample(0:1, 64, replace = TRUE)
  data <- array(stats::rnorm(64 * 6 * 2, sd = 0.1), c(64, 6, 2))
  data[cbind(1:64, 2, 1 + first)] <- 1
  data[cbind(1:64, 5, 2 - first)] <- 1
  model <- keras_model_sequential(input_shape = c(6, 2)) |>
    layer_bidirectional(layer_rnn(cell = cell(units = 4))) |>
    layer_dense(1, activation = "sigmoid")
  model |> compile(optimizer = optimizer_adam(0.05), loss = "binary_crossentropy", metrics = "accuracy")
  fit(model, data, first, epochs = 15, batch_size = 16, verbose = 0)
  expect_gt(evaluate(model, data, first, verbose = 0)$accuracy, 0.95)
}

# --- states of all kinds ------------------------------------------------------------------------------------------

# A running sum of the inputs, and in a nested list their running product and the last input.
nested_cell <- Layer("NestedCell",
  initialize = function(units, ...) {
    super$initialize(...)
    self$units <- units
    self$state_size <- list(units, list(units, units))
    self$output_size <- 2 * units
  },
  call = function(inputs, states) {
    total <- states[[1]] + inputs
    product <- (states[[2]][[1]] + 1) * inputs
    list(op_concatenate(list(total, product), axis = 2), list(total, list(product, inputs)))
  },
  get_config = function() c(super$get_config(), list(units = self$units))
)

test_that("nested states are kept, masked, given and returned as they are", {
  layer <- layer_rnn(cell = nested_cell(units = 4), return_state = TRUE, return_sequences = TRUE)
  mask <- rbind(c(TRUE, FALSE, TRUE, TRUE, FALSE), TRUE)
  outputs <- layer(x, mask = mask)
  expect_equal(map_structure(outputs, dim), list(c(2L, 5L, 8L), c(2L, 4L), list(c(2L, 4L), c(2L, 4L))))
  expect_equal(as.array(outputs[[2]])[1, ], colSums(x[1, c(1, 3, 4), ]), tolerance = 1e-6)
  expect_equal(as.array(outputs[[3]][[2]]), rbind(x[1, 4, ], x[2, 5, ]), tolerance = 1e-6)
  expect_equal(layer$compute_output_shape(c(NA, 5, 4)), list(c(NA, 5L, 8L), c(NA, 4L), list(c(NA, 4L), c(NA, 4L))))
  first <- layer(x[, 1:2, ])
  expect_same_bits(layer(x[, 3:5, ], initial_state = first[-1])[-1], layer(x)[-1])
  stateful <- layer_rnn(cell = nested_cell(units = 4), stateful = TRUE, return_state = TRUE)
  stateful(x[, 1:2, ])
  expect_same_bits(stateful(x[, 3:5, ])[-1], layer(x)[-1])
  expect_length(stateful$states[[2]], 2)
  wrapped <- layer_bidirectional(layer = layer_rnn(cell = nested_cell(units = 4), return_state = TRUE))
  both <- wrapped(x, mask = mask)
  expect_equal(lengths(both[c(3, 5)]), c(2L, 2L))
  expect_same_bits(both[2:3], layer(x, mask = mask)[-1])
  expect_same_bits(wrapped(x, initial_state = both[-1])[2:3], layer(x, initial_state = both[2:3])[-1])
})

test_that("states and steps may have more axes than one", {
  averaging <- Layer("AveragingCell",
    initialize = function(...) {
      super$initialize(...)
      self$state_size <- list(shape(2, 3))
      self$output_size <- shape(2, 3)
    },
    call = function(inputs, states) {
      new <- 0.5 * (states[[1]] + inputs)
      list(new, list(new))
    }
  )
  frames <- array(cos(1:48), c(2, 4, 2, 3))
  layer <- layer_rnn(cell = averaging(), return_state = TRUE)
  mask <- rbind(TRUE, c(TRUE, TRUE, FALSE, FALSE))
  outputs <- arrays_of(layer(frames, mask = mask))
  expect_equal(outputs[[1]][2, , ], 0.5 * (0.5 * frames[2, 1, , ] + frames[2, 2, , ]), tolerance = 1e-6)
  expect_equal(layer$compute_output_shape(c(NA, 4, 2, 3)), list(c(NA, 2L, 3L), c(NA, 2L, 3L)))
  input <- keras_input(c(4, 2, 3))
  expect_equal(dim(layer(input)[[1]]), c(NA, 2L, 3L))
  wrapped <- layer_bidirectional(layer = layer_rnn(cell = averaging(), return_sequences = TRUE))
  expect_equal(dim(wrapped(frames)), c(2L, 4L, 2L, 6L))
})

# Starts from weights that are learned.
learned_start <- Layer("LearnedStartCell",
  initialize = function(units, ...) {
    super$initialize(...)
    self$units <- units
    self$state_size <- units
  },
  build = function(input_shape) {
    self$kernel <- self$add_weight(shape(tail(input_shape, 1), self$units), "ones", name = "kernel")
    self$start <- self$add_weight(shape(1, self$units), "ones", name = "start")
  },
  get_initial_state = function(batch_size) list(op_tile(self$start, c(batch_size, 1))),
  call = function(inputs, states) {
    h <- op_tanh(op_matmul(inputs, self$kernel) + 0.5 * states[[1]])
    list(h, list(h))
  },
  get_config = function() c(super$get_config(), list(units = self$units))
)

test_that("a cell says what it starts from; that may be learned, with any batch size", {
  with_floatx("float64", {
    layer <- layer_rnn(cell = learned_start(units = 3))
    layer(x)
    given <- layer_rnn(cell = layer$cell)
    expect_same_bits(layer(x), given(x, initial_state = list(matrix(1, 2, 3))))
    expect_gradients(function(inputs) fixture_loss(list(layer(inputs[[1]]))), list(x), layer$trainable_weights)
    expect_same_bits(layer$get_initial_state(batch_size = 4), list(matrix(1, 4, 3)))
  })
  expect_plan_is_eager(function() layer_rnn(cell = learned_start(units = 3)))
  expect_plan_is_eager(function() layer_bidirectional(layer = layer_rnn(cell = list(learned_start(units = 3)))))
})

# --- training -----------------------------------------------------------------------------------------------------

test_that("models with layer_rnn() train in a plan and op by op with the same bits", {
  expect_plan_is_eager(function() layer_rnn(cell = rnn_cell_lstm(units = 3)))
  expect_plan_is_eager(function() layer_rnn(cell = list(rnn_cell_gru(units = 3), rnn_cell_lstm(units = 2))))
  expect_plan_is_eager(function() {
    layer_bidirectional(layer = layer_rnn(cell = list(peephole_lstm_cell(units = 2), rnn_cell_gru(units = 2))))
  })
  with_dropout <- function() rnn_cell_gru(units = 3, activation = function(x) op_tanh(x), dropout = 0.5, seed = 1,
                                          recurrent_dropout = 0.5)
  expect_plan_is_eager(function() layer_rnn(cell = with_dropout()))
  expect_plan_is_eager(function() layer_bidirectional(layer = layer_rnn(cell = list(with_dropout(), with_dropout()))))
})

test_that("dropout stays the same over the steps of a sequence also in a plan", {
  withr::local_seed(1)
  cell <- rnn_cell_simple(units = 30, activation = function(x) x, dropout = 0.5, seed = 1, use_bias = FALSE)
  layer <- layer_rnn(cell = cell, return_sequences = TRUE)
  ones <- array(1, c(1, 3, 30))
  with_weights(layer, list(diag(30), diag(0, 30)), ones)
  input <- keras_input(c(3, 30))
  model <- keras_model(input, layer(input))
  step <- new_step(function(tensors) list(outputs = list(call_layer(model, tensors[[1]], training = TRUE))))
  drawn <- lapply(1:2, function(k) as.array(run_step(step, list(ones))$outputs[[1]]))
  expect_false(step$eager)
  for (numbers in drawn) {
    expect_setequal(numbers, c(0, 2))
    expect_same_bits(numbers[1, 2, ], numbers[1, 1, ])
    expect_same_bits(numbers[1, 3, ], numbers[1, 1, ])
  }
  expect_false(same_bits(drawn[[1]], drawn[[2]]))
})

own_units <- list(peephole = peephole_lstm_cell, minimal = minimal_gated_cell)

for (name in names(own_units)) {
  test_that(paste("a cell written in R trains inside layer_bidirectional():", name), {
    cell <- own_units[[name]]
    with_floatx("float64", {
      withr::local_seed(5)
      for (merge_mode in list("concat", "mul", NULL)) {
        layer <- layer_bidirectional(
          layer = layer_rnn(cell = cell(units = 2), return_sequences = TRUE, return_state = TRUE),
          merge_mode = merge_mode
        )
        sequences <- random_array(2, 3, 2)
        mask <- random_mask("gaps", 2, 3)
        layer(sequences)
        states <- layer$forward_layer$state_count()
        initial <- lapply(seq_len(2 * states), function(k) random_array(2, 2, scale = 0.5))
        loss <- function(inputs) {
          fixture_loss(flatten_structure(layer(inputs[[1]], mask = mask, initial_state = inputs[-1])))
        }
        directions <- if (!is.null(merge_mode)) 3
        expect_gradients(loss, c(list(sequences), initial), layer$trainable_weights, directions)
      }
    })
    expect_plan_is_eager(function() layer_bidirectional(layer = layer_rnn(cell = cell(units = 3))))
    expect_learns(cell)
  })
}

test_that("cells may hold layers, which a build of their own need not build", {
  dense_cell <- Layer("DenseCell",
    initialize = function(units, ...) {
      super$initialize(...)
      self$units <- units
      self$state_size <- units
      self$inner <- list(layer_dense(units = units), layer_dense(units = units, use_bias = FALSE))
    },
    call = function(inputs, states) {
      h <- op_tanh(self$inner[[1]](inputs) + self$inner[[2]](states[[1]]))
      list(h, h)
    },
    get_config = function() c(super$get_config(), list(units = self$units))
  )
  layer <- layer_rnn(cell = dense_cell(units = 3))
  y <- layer(x)
  kernels <- get_weights(layer)
  plain <- with_weights(layer_simple_rnn(units = 3), kernels[c(1, 3, 2)], x)
  expect_equal(as.array(y), as.array(plain(x)), tolerance = 1e-6)
  expect_match(layer$weights[[1]]$path, "rnn.*/dense_cell.*/dense.*/kernel")
  expect_plan_is_eager(function() layer_bidirectional(layer = layer_rnn(cell = list(dense_cell(units = 3)))))
})

test_that("`training` reaches the calls that have it, and only them", {
  told <- Layer("ToldCell",
    initialize = function(...) {
      super$initialize(...)
      self$state_size <- 4
    },
    call = function(inputs, states, training = NULL) {
      output <- if (isTRUE(training)) inputs else 0 * inputs
      list(output, states)
    }
  )
  layer <- layer_rnn(cell = list(told(), nested_cell(units = 4)))
  expect_equal(as.array(layer(x, training = TRUE))[, 1:4], apply(x, c(1, 3), sum), tolerance = 1e-6)
  expect_true(all(as.array(layer(x)) == 0))
})

test_that("what stands in masked steps has no effect, not even NaN: values and gradients", {
  withr::local_seed(7)
  mask <- random_mask("gaps", 2, 5)
  spoilt <- x
  for (k in 1:4) spoilt[, , k][!mask] <- NaN
  for (cell in c(own_units, built_in$lstm[[2]])) {
    layer <- layer_rnn(cell = list(cell(units = 3)), return_sequences = TRUE)
    layer(x)
    found <- lapply(list(x, spoilt), function(data) {
      loss <- function(inputs) fixture_loss(list(layer(as_tensor(data), mask = mask)))
      list(as.array(layer(data, mask = mask)), value_and_gradients(loss, list(), layer$trainable_weights))
    })
    expect_same_bits(found[[2]], found[[1]])
  }
})

test_that("functional models: states of an encoder start a decoder, also nested ones", {
  withr::local_seed(8)
  cells <- function() list(peephole_lstm_cell(units = 3), rnn_cell_gru(units = 2))
  encoder_input <- keras_input(c(NA, 4))
  decoder_input <- keras_input(c(NA, 4))
  encoded <- layer_rnn(cell = cells(), return_state = TRUE)(encoder_input)
  decoder <- layer_rnn(cell = cells(), return_sequences = TRUE)
  output <- layer_dense(decoder(decoder_input, initial_state = encoded[-1]), 1)
  expect_equal(dim(output), c(NA, NA, 1L))
  model <- keras_model(list(encoder_input, decoder_input), output)
  model |> compile(optimizer = "adam", loss = "mse")
  before <- get_weights(model)
  fit(model, list(x, x[, 1:3, ]), random_array(2, 3, 1), epochs = 2, verbose = 0)
  expect_true(all(mapply(function(a, b) any(a != b), get_weights(model), before)))
})

test_that("layers around cells of users are made again from their configs", {
  layer <- layer_bidirectional(layer = layer_rnn(cell = list(peephole_lstm_cell(units = 2), rnn_cell_gru(units = 3))))
  y <- layer(x)
  copy <- layer$from_config(layer$get_config())
  expect_equal(comparable_config(copy$get_config()), comparable_config(layer$get_config()))
  expect_same_bits(with_weights(copy, get_weights(layer), x)(x), y)
  json <- jsonlite::toJSON(serialize_keras_object(layer), auto_unbox = TRUE, null = "null", digits = NA)
  again <- deserialize_keras_object(jsonlite::parse_json(json), custom_objects = list(peephole_lstm_cell))
  expect_same_bits(with_weights(again, get_weights(layer), x)(x), y)
})

test_that("`unroll` changes nothing, `trainable` and `dtype` reach the cell's weights", {
  layer <- layer_rnn(cell = minimal_gated_cell(units = 2))
  layer(x)
  unrolled <- with_weights(layer_rnn(cell = minimal_gated_cell(units = 2), unroll = TRUE), get_weights(layer), x)
  expect_same_bits(unrolled(x), layer(x))
  frozen <- layer_rnn(cell = rnn_cell_lstm(units = 2), trainable = FALSE)
  frozen(x)
  expect_length(frozen$trainable_weights, 0)
  expect_length(frozen$non_trainable_weights, 3)
  double <- layer_rnn(cell = rnn_cell_lstm(units = 2, dtype = "float64"))
  expect_equal(tensor_dtype(double(x)), "float64")
  wide <- layer_lstm(units = 2, dtype = "float64")
  expect_equal(as.array(with_weights(wide, get_weights(double), x)(x)), as.array(double(x)), tolerance = 1e-6)
})
