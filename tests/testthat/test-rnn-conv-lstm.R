# ConvLSTM: golden values, relations to other layers, masks, states, dropout, refusals. Random cases computed by Keras
# are in test-fixtures-conv-lstm.R.

# 0, 1, 2, ... / by, in row-major order.
counted <- function(sizes, by) from_row_major((seq_len(prod(sizes)) - 1) / by, sizes)

# A layer with constant weights, as Keras' own tests have it.
constant_conv_lstm <- function(layer_fn, ..., bias = 0.03) {
  layer_fn(
    ..., kernel_initializer = initializer_constant(0.01), recurrent_initializer = initializer_constant(0.02),
    bias_initializer = initializer_constant(bias)
  )
}

test_that("Keras' own examples come out", {
  y <- constant_conv_lstm(layer_conv_lstm_1d, filters = 2, kernel_size = 3)(counted(c(2, 3, 4, 5), 10))
  expect_close(
    to_row_major(as.array(y)), rep(c(0.40807986, 0.46421072, 0.80933154, 0.8233646), each = 2), 1e-6
  )
  y <- constant_conv_lstm(layer_conv_lstm_2d, filters = 2, kernel_size = 3)(counted(c(2, 3, 4, 4, 5), 100))
  wanted <- c(0.48694518, 0.50237733, 0.5461202, 0.5598283, 0.8661607, 0.86909103, 0.8774414, 0.8800861)
  expect_close(to_row_major(as.array(y)), rep(wanted, each = 2), 1e-6)
  y <- constant_conv_lstm(layer_conv_lstm_3d, filters = 2, kernel_size = 3)(counted(c(2, 3, 4, 4, 4, 5), 100))
  wanted <- c(0.99149036, 0.99180907, 0.99258363, 0.9927925, 0.99413764, 0.99420583, 0.9943788, 0.9944278,
              rep(0.9950547, 8))
  expect_close(to_row_major(as.array(y)), rep(wanted, each = 2), 1e-6)
})

test_that("a cell called by hand gives Keras' sums", {
  layer <- constant_conv_lstm(layer_conv_lstm_2d, filters = 4, kernel_size = 3, padding = "same", bias = 0)
  states <- rep(list(counted(c(2, 5, 5, 4), 10)), 2)
  result <- layer$cell(as_tensor(counted(c(2, 5, 5, 3), 10)), lapply(states, as_tensor))
  sums <- vapply(list(result[[1]], result[[2]][[1]], result[[2]][[2]]), function(t) sum(as.array(t)), numeric(1))
  expect_close(sums, c(188.89502, 188.89502, 2170.444), 1e-6)
  states <- rep(list(counted(c(2, 5, 5, 4), 100)), 2)
  y <- layer(counted(c(2, 3, 5, 5, 3), 100), initial_state = states)
  expect_close(sum(as.array(y)), 119.812454, 1e-6)
})

# A layer for images of any number of axes, small, with random weights that are the same whatever the options.
small_conv_lstm <- function(rank = 1, ..., filters = 2, kernel_size = 2, x = films(rank)) {
  fn <- list(layer_conv_lstm_1d, layer_conv_lstm_2d, layer_conv_lstm_3d)[[rank]]
  layer <- fn(filters = filters, kernel_size = kernel_size, ...)
  layer(x)
  withr::with_seed(5, set_weights(layer, lapply(get_weights(layer), function(w) random_array(dim(w) %||% length(w)))))
  layer
}

films <- function(rank = 1, batch = 2, time = 4) {
  withr::with_seed(7, random_array(batch, time, rep(3, rank), 2))
}

test_that("a window of one place over an image of one place is an LSTM", {
  x <- withr::with_seed(1, random_array(2, 5, 1, 3))
  conv <- small_conv_lstm(1, kernel_size = 1, return_sequences = TRUE, return_state = TRUE, x = x)
  weights <- get_weights(conv)
  lstm <- layer_lstm(units = 2, return_sequences = TRUE, return_state = TRUE)
  with_weights(lstm, list(weights[[1]][1, , ], weights[[2]][1, , ], weights[[3]]), x[, , 1, ])
  mask <- rbind(c(TRUE, FALSE, TRUE, TRUE, FALSE), TRUE)
  for (given in list(NULL, mask)) {
    got <- lapply(conv(x, mask = given), function(t) drop(as.array(t)))
    want <- lapply(lstm(x[, , 1, ], mask = given), function(t) drop(as.array(t)))
    for (k in 1:3) expect_close(got[[k]], want[[k]], rounding())
  }
})

test_that("channels may come first", {
  for (rank in 1:3) {
    x <- films(rank)
    last <- small_conv_lstm(rank, padding = "same", return_sequences = TRUE, return_state = TRUE)
    axes <- seq_len(rank)
    first_x <- aperm(x, c(1, 2, rank + 3, 2 + axes))
    first <- small_conv_lstm(
      rank, padding = "same", return_sequences = TRUE, return_state = TRUE, data_format = "channels_first", x = first_x
    )
    states <- withr::with_seed(3, list(random_array(2, rep(3, rank), 2), random_array(2, rep(3, rank), 2)))
    got <- first(first_x, initial_state = lapply(states, aperm, c(1, rank + 2, 1 + axes)))
    want <- last(x, initial_state = states)
    expect_same_bits(aperm(as.array(got[[1]]), c(1, 2, 3 + axes, 3)), want[[1]])
    for (k in 2:3) expect_same_bits(aperm(as.array(got[[k]]), c(1, 2 + axes, 2)), want[[k]])
    expect_equal(lapply(got, dim), lapply(first$compute_output_shape(dim(first_x)), as_shape))
  }
})

test_that("masked steps are as good as deleted, whatever they hold", {
  x <- films(2)
  mask <- rbind(c(TRUE, FALSE, TRUE, FALSE), c(FALSE, TRUE, TRUE, TRUE))
  layer <- small_conv_lstm(2, return_sequences = TRUE, return_state = TRUE)
  result <- layer(x, mask = mask)
  for (row in 1:2) {
    alone <- layer(x[row, mask[row, ], , , , drop = FALSE])
    expect_same_bits(as.array(result[[1]])[row, mask[row, ], , , ], as.array(alone[[1]])[1, , , , ])
    for (k in 2:3) expect_same_bits(as.array(result[[k]])[row, , , ], as.array(alone[[k]])[1, , , ])
  }
  outputs <- as.array(result[[1]])
  expect_same_bits(outputs[1, 2, , , ], outputs[1, 1, , , ])
  expect_true(all(outputs[2, 1, , , ] == 0))
  garbage <- x
  garbage[1, c(2, 4), , , ] <- 1e30
  expect_same_bits(layer(garbage, mask = mask), result)
  masked <- layer(with_mask(as_tensor(x), as_tensor(mask)))
  expect_same_bits(masked, result)
  expect_equal(as.array(tensor_mask(masked[[1]])), mask)
  zeroed <- small_conv_lstm(2, return_sequences = TRUE, zero_output_for_mask = TRUE)(x, mask = mask)
  expect_true(all(as.array(zeroed)[1, c(2, 4), , , ] == 0))
})

test_that("missing numbers in masked steps reach neither outputs nor gradients", {
  x <- films()
  mask <- rbind(c(TRUE, TRUE, FALSE, FALSE), c(FALSE, TRUE, TRUE, TRUE))
  layer <- small_conv_lstm()
  run <- function(x) {
    value_and_gradients(
      function(inputs) fixture_loss(list(layer(inputs[[1]], mask = mask))), list(as_tensor(x)), layer$weights
    )
  }
  want <- run(x)
  x[1, 3:4, , ] <- NA
  x[2, 1, , ] <- Inf
  got <- run(x)
  expect_same_bits(got, want)
  expect_true(all(got$inputs[[1]][1, 3:4, , ] == 0))
})

test_that("gradients of weights, inputs and states are right, also with masks, strides and inside a wrapper", {
  with_floatx("float64", {
    mask <- rbind(c(TRUE, FALSE, TRUE, TRUE), c(FALSE, TRUE, TRUE, FALSE))
    states <- withr::with_seed(2, list(random_array(2, 2, 2), random_array(2, 2, 2)))
    layer <- small_conv_lstm(1, strides = 2, padding = "same", return_sequences = TRUE, return_state = TRUE)
    f <- function(inputs) fixture_loss(layer(inputs[[1]], initial_state = inputs[-1], mask = mask))
    withr::with_seed(4, expect_gradients(f, c(list(films()), states), layer$weights, directions = 4))
    wrapper <- layer_bidirectional(layer = layer_conv_lstm_2d(filters = 2, kernel_size = 2, return_sequences = TRUE))
    wrapper(films(2))
    g <- function(inputs) fixture_loss(list(wrapper(inputs[[1]], mask = mask)))
    withr::with_seed(6, expect_gradients(g, list(films(2)), wrapper$weights, directions = 4))
  })
})

test_that("backwards is forwards over the reversed film, and both together are a bidirectional layer", {
  x <- films(2)
  reversed <- x[, 4:1, , , ]
  forward <- small_conv_lstm(2, return_sequences = TRUE)
  backward <- small_conv_lstm(2, return_sequences = TRUE, go_backwards = TRUE)
  expect_same_bits(backward(x), forward(reversed))
  both <- layer_bidirectional(layer = forward, merge_mode = NULL)
  both(x)
  set_weights(both, c(get_weights(forward), get_weights(backward)))
  outputs <- both(x)
  expect_same_bits(outputs[[1]], forward(x))
  expect_same_bits(outputs[[2]], as.array(backward(x))[, 4:1, , , ])
  expect_identical(both$forward_layer$name, paste0("forward_", forward$name))
  shapes <- lapply(both$compute_output_shape(c(NA, 4, 3, 3, 2)), as_shape)
  expect_identical(shapes, rep(list(c(NA, 4L, 2L, 2L, 2L)), 2))
  other <- layer_conv_lstm_2d(filters = 3, kernel_size = 2, go_backwards = TRUE)
  expect_error(layer_bidirectional(layer = layer_conv_lstm_2d(filters = 2, kernel_size = 2), merge_mode = "sum",
                                   backward_layer = other), "number of units", class = "ValueError")
})

test_that("a stateful layer goes on where it stopped", {
  x <- films(2, time = 6)
  layer <- small_conv_lstm(2, stateful = TRUE, x = x)
  plain <- small_conv_lstm(2, return_state = TRUE)
  reset_state(layer)
  layer(x[, 1:2, , , ])
  expect_same_bits(layer(x[, 3:6, , , ]), plain(x)[[1]])
  expect_same_bits(layer$states, plain(x)[-1])
  reset_state(layer)
  expect_true(all(as.array(layer$states[[2]]) == 0))
  expect_equal(lapply(plain$get_initial_state(3), dim), rep(list(c(3L, 2L, 2L, 2L)), 2))
})

test_that("each gate drops by itself, and the same at all steps", {
  # Inputs of 1 and kernels of 1: what a gate sees is the number of places that were kept, doubled.
  x <- array(1, c(1, 3, 50, 1))
  layer <- layer_conv_lstm_1d(filters = 1, kernel_size = 1, dropout = 0.5, seed = 3)
  layer(x)
  masks <- as.array(layer_object(layer$cell)$dropout_masks(as_tensor(array(1, c(1, 50, 1))))$x)
  expect_identical(dim(masks), c(4L, 1L, 50L, 1L))
  expect_setequal(unique(as.vector(masks)), c(0, 2))
  expect_length(unique(apply(masks, 1, paste, collapse = "")), 4)
  set_weights(layer, list(array(c(0, 0, 1, 0), c(1, 1, 4)), array(0, c(1, 1, 4)), c(1e3, 1e3, 0, 1e3)))
  # i = f = o = 1 and U = 0: c sums up tanh(x) over the steps.
  y <- as.array(layer(x, training = TRUE))
  expect_close(sort(unique(as.vector(y))), c(0, tanh(3 * tanh(2))), rounding())
})

test_that("dropout keeps the expectation, and its bits do not depend on threads", {
  x <- films(2)
  draw <- function(threads) {
    layer <- small_conv_lstm(2, dropout = 0.4, recurrent_dropout = 0.3, seed = 11)
    with_threads(threads, list(layer(x, training = TRUE), layer(x, training = TRUE), layer(x)))
  }
  first <- draw(1)
  expect_same_bits(draw(2), first)
  expect_false(same_bits(first[[1]], first[[2]]))
  expect_same_bits(first[[3]], small_conv_lstm(2)(x))
  layer <- small_conv_lstm(1, dropout = 0.2, recurrent_dropout = 0.2, activation = "linear", seed = 1)
  # Gates that do not see the input leave c linear in it.
  weights <- lapply(get_weights(layer), function(w) if (length(dim(w)) == 3) replace(w, TRUE, 0) else rep(0, 8))
  weights[[1]][, , 5:6] <- 0.3
  weights[[2]][, , 5:6] <- 0.2
  set_weights(layer, weights)
  many <- films(1)[rep(1, 4000), , , ]
  dropped <- apply(as.array(layer(many, training = TRUE)), 2:3, mean)
  expect_close(dropped, as.array(layer(many[1, , , , drop = FALSE]))[1, , ], 0.02)
})

test_that("sequences of unknown length have a shape, and train in plan and eagerly alike", {
  input <- keras_input(c(NA, 4, 4, 1))
  outputs <- layer_conv_lstm_2d(input, filters = 2, kernel_size = 3, return_sequences = TRUE, return_state = TRUE)
  expect_identical(lapply(outputs, tensor_shape), list(c(NA, NA, 2L, 2L, 2L), c(NA, 2L, 2L, 2L), c(NA, 2L, 2L, 2L)))
  model <- keras_model(input, outputs[[1]])
  expect_identical(dim(predict(model, array(0, c(3, 5, 4, 4, 1)), verbose = 0)), c(3L, 5L, 2L, 2L, 2L))
})

test_that("a config says everything", {
  layer <- layer_conv_lstm_2d(filters = 2, kernel_size = c(1, 3), strides = 2, padding = "SAME", seed = 4)
  config <- layer$get_config()
  expect_equal(as.integer(config$kernel_size), c(1L, 3L))
  expect_equal(as.integer(config$strides), c(2L, 2L))
  expect_identical(config$padding, "same")
  expect_identical(config$unroll, FALSE)
  expect_identical(config$seed, 4L)
  expect_null(config$rank)
  one <- jsonlite::toJSON(layer_conv_lstm_1d(filters = 2, kernel_size = 3)$get_config()$kernel_size, auto_unbox = TRUE)
  expect_identical(as.character(one), "[3]")
  expect_identical(layer$cell$name, "conv_lstm_cell")
})

test_that("wrong arguments and inputs are refused", {
  clear_session(FALSE)
  conv <- function(...) layer_conv_lstm_2d(filters = 2, kernel_size = 3, ...)
  expect_refused(layer_conv_lstm_1d(filters = 0, kernel_size = 3), "value")
  expect_refused(layer_conv_lstm_2d(filters = 2), "value")
  expect_refused(layer_conv_lstm_2d(filters = 2, kernel_size = c(3, 3, 3)), "value")
  expect_refused(conv(padding = "causal"), "value")
  expect_refused(conv(strides = 2, dilation_rate = c(1, 2)), "value")
  expect_refused(conv(data_format = "first"), "value")
  expect_refused(conv(unrol = TRUE), "value")
  expect_refused(conv()(array(0, c(2, 3, 5, 1))), "shape")
  expect_refused(conv()(array(0, c(2, 3, 5, 2, 1))), "shape")
  expect_refused(conv()(array(0, c(2, 0, 5, 5, 1))), "shape")
  expect_refused(conv()(keras_input(c(3, NA, 5, 1))), "shape")
  expect_refused(conv()(keras_input(c(3, 5, 5, NA))), "shape")
  expect_refused(conv()$compute_output_shape(c(NA, 3, 2, 5, 1)), "shape")
  expect_refused(conv(stateful = TRUE)(keras_input(c(3, 5, 5, 1))), "state")
  built <- conv()
  x <- array(0, c(2, 3, 5, 5, 1))
  built(x)
  expect_refused(built(array(0, c(2, 3, 6, 5, 1))), "shape", unchanged = list(built))
  expect_refused(built(x, initial_state = list(array(0, c(2, 3, 3, 2)))), "state", unchanged = list(built))
  expect_refused(
    built(x, initial_state = rep(list(array(0, c(2, 5, 5, 2))), 2)), "state", unchanged = list(built)
  )
  expect_refused(built(x, mask = matrix(TRUE, 2, 4)), "mask", unchanged = list(built))
})
