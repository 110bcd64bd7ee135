# Dropout inside recurrent layers, by Keras' rules: what is dropped, by how many draws, when, and what stays the same.
# Outputs show the draws: activations are linear and all weights but one block are 0.

rate <- 0.4
kept <- 1 / (1 - rate)

# Weights of a linear cell with `value` in a block: `array` is "kernel", "recurrent" or "bias" (row 2 of the bias of
# GRU is "recurrent_bias"), `gate` counts from 1; matrices get value * identity.
linear_weights <- function(cell, units, ...) {
  gates <- recurrent_cells[[cell]]$gates
  rows <- if (cell == "gru") 2 else 1
  weights <- list(kernel = matrix(0, units, gates * units), recurrent = matrix(0, units, gates * units),
                  bias = matrix(0, rows, gates * units))
  for (block in list(...)) {
    columns <- (block$gate - 1) * units + seq_len(units)
    switch(block$array,
      kernel = weights$kernel[, columns] <- diag(block$value, units),
      recurrent = weights$recurrent[, columns] <- diag(block$value, units),
      bias = weights$bias[1, columns] <- block$value,
      recurrent_bias = weights$bias[2, columns] <- block$value
    )
  }
  if (rows == 1) weights$bias <- array(weights$bias)
  unname(weights)
}

block <- function(array, gate, value = 1) list(array = array, gate = gate, value = value)

# Outputs (batch, time, units) in training of a linear layer, from inputs and states that are all `x` and `state`.
linear_output <- function(cell, weights, x = 0, state = 0, ..., batch = 50, time = 3, units = 8, seed = 5) {
  linear <- list(activation = "linear", recurrent_activation = if (cell != "simple_rnn") "linear")
  layer <- do.call(make_recurrent, c(
    list(cell, units, seed = seed, return_sequences = TRUE, ...), Filter(Negate(is.null), linear)
  ))
  layer <- with_weights(layer, weights, array(0, c(1, 1, units)))
  states <- rep(list(matrix(state, batch, units)), recurrent_cells[[cell]]$states)
  as.array(call_with(layer, array(x, c(batch, time, units)), states = states, training = TRUE))
}

# Weights under which an output shows the mask that one gate puts on the inputs, or on the state.
gate_shows_inputs <- list(
  simple_rnn = list(list(block("kernel", 1))),
  lstm = list(
    list(block("kernel", 1), block("bias", 3), block("bias", 4)),
    # The forget gate lets the first state c = 1 through.
    list(block("kernel", 2), block("bias", 4)),
    list(block("kernel", 3), block("bias", 1), block("bias", 4)),
    list(block("kernel", 4), block("bias", 1), block("bias", 3))
  ),
  gru = list(
    list(block("kernel", 1)),
    list(block("kernel", 2), block("recurrent_bias", 3)),
    list(block("kernel", 3), block("bias", 2))
  )
)

as_recurrent <- function(blocks) {
  lapply(blocks, function(block) if (block$array == "kernel") replace(block, "array", "recurrent") else block)
}

# The masks of the gates: (batch, units) each, seen at the first step. `of`: "inputs" or "state".
gate_masks <- function(cell, of, ...) {
  lapply(gate_shows_inputs[[cell]], function(blocks) {
    if (of == "state") blocks <- as_recurrent(blocks)
    weights <- do.call(linear_weights, c(list(cell, 8), blocks))
    shown <- linear_output(cell, weights, x = if (of == "inputs") 1 else 0, state = 1, ..., time = 1)
    shown[, 1, ]
  })
}

expect_masks <- function(masks, label) {
  for (mask in masks) {
    expect_true(all(abs(mask) < 1e-6 | abs(mask - kept) < 1e-6), info = label)
    # 400 draws: four standard deviations of the share of zeros are 0.098.
    expect_lt(abs(mean(abs(mask) < 1e-6) - rate), 0.098)
    # Rows draw by themselves.
    expect_gt(nrow(unique(mask)), 25)
  }
}

count_different <- function(masks) length(unique(lapply(masks, round, 6)))

for (cell in names(gate_shows_inputs)) {
  gates <- recurrent_cells[[cell]]$gates
  test_that(paste("without recurrent dropout the gates of", cell, "share one mask of the inputs"), {
    for (floatx in both_floatx) with_floatx(floatx, {
      masks <- gate_masks(cell, "inputs", dropout = rate)
      expect_masks(masks, paste(cell, floatx))
      expect_equal(count_different(masks), 1)
    })
  })

  test_that(paste("with recurrent dropout each gate of", cell, "has masks of its own"), {
    for (floatx in both_floatx) with_floatx(floatx, {
      of_state <- gate_masks(cell, "state", recurrent_dropout = rate)
      expect_masks(of_state, paste(cell, floatx))
      expect_equal(count_different(of_state), gates)
      both <- list(dropout = rate, recurrent_dropout = rate)
      of_inputs <- do.call(gate_masks, c(list(cell, "inputs"), both))
      of_state <- do.call(gate_masks, c(list(cell, "state"), both))
      expect_masks(c(of_inputs, of_state), paste(cell, floatx))
      expect_equal(count_different(c(of_inputs, of_state)), 2 * gates)
    })
  })
}

test_that("a mask stays the same over the steps of a call, and is drawn anew for the next call", {
  for (cell in names(recurrent_cells)) {
    blocks <- list(simple_rnn = list(block("kernel", 1)), lstm = gate_shows_inputs$lstm[[3]],
                   gru = list(block("kernel", 3)), gru_reset_before = list(block("kernel", 3)))[[cell]]
    weights <- do.call(linear_weights, c(list(cell, 8), blocks))
    shown <- linear_output(cell, weights, x = 1, dropout = rate, time = 4)
    for (step in 2:4) expect_same_bits(shown[, step, ], shown[, 1, ], cell)
    layer <- make_recurrent(cell, 8, dropout = rate, recurrent_dropout = rate, seed = 2)
    x <- array(1, c(5, 3, 8))
    expect_false(same_bits(layer(x, training = TRUE), layer(x, training = TRUE)))
  }
})

test_that("what is carried along is not dropped: c of LSTM, and h where GRU mixes it in", {
  rates <- list(dropout = rate, recurrent_dropout = rate)
  run <- function(cell, ...) {
    weights <- linear_weights(cell, 8, ...)
    do.call(linear_output, c(list(cell, weights, state = 1), rates))
  }
  expect_identical(unique(as.vector(run("lstm", block("bias", 2), block("bias", 4)))), 1)
  expect_identical(unique(as.vector(run("gru", block("bias", 1)))), 1)
  expect_identical(unique(as.vector(run("gru_reset_before", block("bias", 1)))), 1)
  # The candidate of GRU sees the dropped state, behind the reset gate.
  candidate <- run("gru_reset_before", block("bias", 2), block("recurrent", 3))[, 1, ]
  expect_masks(list(candidate), "candidate")
})

test_that("rates beyond 0 and 1 are the nearer of the two, 0 is no dropout, 1 sets everything to 0", {
  # With this activation one path computes all: with the default one only layers without recurrent dropout are fast.
  make <- function(cell, ...) make_recurrent(cell, 3, activation = "softsign", ...)
  x <- array(1, c(2, 3, 8))
  for (cell in names(recurrent_cells)) {
    layer <- make(cell, dropout = 1.7, recurrent_dropout = -0.2)
    expect_equal(c(layer$dropout, layer$recurrent_dropout), c(1, 0))
    plain <- make(cell)
    plain(x)
    weights <- get_weights(plain)
    run <- function(...) {
      with_weights(make(cell, ..., return_state = TRUE), weights, x)
    }
    expected <- arrays_of(run()(x))
    expect_same_bits(arrays_of(run(dropout = 0, recurrent_dropout = 0)(x, training = TRUE)), expected, cell)
    # Without training there is no dropout.
    dropped <- run(dropout = rate, recurrent_dropout = rate)
    expect_same_bits(arrays_of(dropped(x)), expected, cell)
    expect_same_bits(arrays_of(dropped(x, training = FALSE)), expected, cell)
    expect_same_bits(arrays_of(run(dropout = 1)(x, training = TRUE)), arrays_of(run()(0 * x)), cell)
    cut <- Map(function(w, k) if (k == 2) 0 * w else w, weights, seq_along(weights))
    everything <- with_weights(make(cell, recurrent_dropout = 1, return_state = TRUE), weights, x)
    alone <- with_weights(make(cell, return_state = TRUE), cut, x)
    expect_same_bits(arrays_of(everything(x, training = TRUE)), arrays_of(alone(x)), cell)
  }
})

test_that("the expectation over the draws is the output without dropout, for linear layers", {
  # Shut and open gates (biases of +-1000) leave a linear layer: h' = x K + h U (LSTM: c' = x K + h U, h' = c').
  open <- list(
    simple_rnn = list(),
    lstm = list(block("bias", 1, 1e3), block("bias", 2, -1e3), block("bias", 4, 1e3)),
    gru = list(block("bias", 1, -1e3), block("bias", 2, 1e3)),
    gru_reset_before = list(block("bias", 1, -1e3), block("bias", 2, 1e3))
  )
  rows <- 4000
  units <- 4
  withr::local_seed(1)
  for (cell in names(recurrent_cells)) with_floatx("float64", {
    candidate <- (if (cell == "simple_rnn") 0 else 2) * units + seq_len(units)
    weights <- do.call(linear_weights, c(list(cell, units), open[[cell]]))
    weights[[1]][, candidate] <- random_array(units, units)
    weights[[2]][, candidate] <- random_array(units, units)
    one <- random_array(1, 3, units)
    # A mask of the state is the same at all steps, so its square appears from the third step on: two steps only.
    for (case in list(list(steps = 3, rates = c(0.3, 0)), list(steps = 2, rates = c(0, 0.3)),
                      list(steps = 2, rates = c(0.3, 0.3)))) {
      make <- function(...) {
        with_weights(make_recurrent(cell, units, activation = "linear", seed = 8, ...), weights, one)
      }
      x <- one[, seq_len(case$steps), , drop = FALSE]
      plain <- as.array(make()(x))
      layer <- make(dropout = case$rates[[1]], recurrent_dropout = case$rates[[2]])
      draws <- as.array(layer(x[rep(1, rows), , , drop = FALSE], training = TRUE))
      error <- abs(colMeans(draws) - plain[1, ])
      # Four standard deviations of the mean.
      bound <- 4 * apply(draws, 2, stats::sd) / sqrt(rows)
      expect_true(all(error < bound), info = paste(cell, toString(case$rates)))
      expect_true(all(bound > 0), info = cell)
    }
  })
})

test_that("the same seed gives the same bits, outputs and gradients, on any number of threads", {
  withr::local_seed(2)
  for (floatx in both_floatx) for (cell in names(recurrent_cells)) with_floatx(floatx, {
    case <- random_case(cell, "gaps", batch = 20, units = 9)
    results <- lapply(c(1, 2, 4), function(threads) with_threads(threads, {
      layer <- bidirectional_of(case, dropout = 0.3, recurrent_dropout = 0.2, seed = 4)
      f <- function(inputs) {
        Reduce(op_add, lapply(call_with(layer, inputs[[1]], case$mask, training = TRUE), op_sum))
      }
      value_and_gradients(f, list(as_tensor(case$x)), layer$trainable_weights)
    }))
    expect_same_bits(results[[2]], results[[1]], paste(cell, floatx, "2 threads"))
    expect_same_bits(results[[3]], results[[1]], paste(cell, floatx, "4 threads"))
  })
})

test_that("configs keep the seed: a layer from a config draws the same", {
  x <- array(1, c(4, 3, 6))
  for (cell in names(recurrent_cells)) {
    layer <- make_recurrent(cell, 5, dropout = 0.5, recurrent_dropout = 0.5, seed = 77)
    expect_equal(layer$get_config()$seed, 77L)
    y <- as.array(layer(x, training = TRUE))
    copy <- layer$from_config(layer$get_config())
    expect_same_bits(with_weights(copy, get_weights(layer), x)(x, training = TRUE), y, cell)
    wrapper <- layer_bidirectional(layer = layer)
    z <- as.array(wrapper(x, training = TRUE))
    again <- wrapper$from_config(wrapper$get_config())
    expect_same_bits(with_weights(again, get_weights(wrapper), x)(x, training = TRUE), z, paste(cell, "wrapped"))
  }
  # No seed is no seed, and R's random numbers decide.
  expect_null(layer_lstm(units = 2, dropout = 0.5)$get_config()$seed)
  draw <- function() {
    set.seed(3)
    layer_gru(units = 5, dropout = 0.5)(x, training = TRUE)
  }
  expect_same_bits(draw(), draw())
})

test_that("fit() draws anew for every batch, predict() and evaluate() draw nothing", {
  set.seed(4)
  model <- keras_model_sequential(input_shape = c(3, 6)) |>
    layer_bidirectional(layer_gru(units = 5, dropout = 0.5, recurrent_dropout = 0.5)) |>
    layer_dense(1)
  compile(model, optimizer = optimizer_sgd(learning_rate = 0.1), loss = "mse")
  x <- random_array(4, 3, 6)
  counters <- function() unlist(lapply(seed_variables(model), function(v) as.array(v)[[2]]))
  start <- counters()
  expect_length(start, 2)
  expect_same_bits(predict(model, x, verbose = 0), predict(model, x, verbose = 0))
  evaluate(model, x, rep(0, 4), verbose = 0)
  expect_equal(counters(), start)
  fit(model, x, rep(0, 4), batch_size = 2, epochs = 2, verbose = 0)
  # Two draws (inputs, state) a direction and batch.
  expect_equal(counters(), start + 8)
})
