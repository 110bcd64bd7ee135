# Calls: inputs, arguments, masks, training, losses.

forget_warnings <- function() rm(list = ls(warned), envir = warned)

masked_input <- function(rows = 2) {
  x <- array(1, c(rows, 4, 3))
  x[, 3:4, ] <- 0
  layer_masking()(x)
}

test_that("inputs of other types are cast to the layer's", {
  layer <- layer_dense(units = 2)
  for (x in list(matrix(1L, 2, 3), matrix(TRUE, 2, 3), as_tensor(matrix(1, 2, 3), "float64"))) {
    expect_equal(tensor_dtype(layer(x)), "float32")
  }
  expect_same_bits(layer(list(matrix(1, 2, 3))), layer(matrix(1, 2, 3)))
})

test_that("lists of inputs are refused by layers with one input", {
  state <- matrix(0, 1, 2)
  layer <- layer_lstm(units = 2)
  expect_error(layer(list(array(0, c(1, 2, 3)), state, state)), "expects 1 input", class = "birnn_error_shape")
})

test_that("arguments of a call may be positional; unknown ones are refused", {
  layer <- layer_gru(units = 2)
  x <- array(1, c(1, 2, 3))
  state <- matrix(0.5, 1, 2)
  expect_same_bits(layer(x, list(state)), layer(x, initial_state = state))
  expect_error(layer(x, intial_state = state), "Did you mean", class = "ValueError")
  expect_error(layer(x, state, NULL, FALSE, 1), "at most", class = "ValueError")
  expect_error(layer(x, training = "yes"), class = "ValueError")
  expect_no_error(layer_dense(units = 2)(matrix(1, 1, 2), training = TRUE))
})

test_that("masks travel through layers that keep time steps, and end at others", {
  x <- masked_input()
  expected <- cbind(TRUE, TRUE, FALSE, FALSE)[c(1, 1), ]
  for (layer in list(
    layer_dense(units = 2), layer_dropout(rate = 0.5), layer_activation(activation = "relu"),
    layer_activation_softmax(), layer_lstm(units = 2, return_sequences = TRUE), layer_identity(),
    layer_bidirectional(layer = layer_gru(units = 2, return_sequences = TRUE))
  )) {
    expect_equal(as.array(tensor_mask(layer(x))), expected)
  }
  expect_null(tensor_mask(layer_lstm(units = 2)(x)))
  outputs <- layer_bidirectional(layer = layer_gru(units = 2, return_sequences = TRUE), merge_mode = NULL)(x)
  for (output in outputs) expect_equal(as.array(tensor_mask(output)), expected)
})

test_that("an explicit mask is used but does not travel on, as in Keras", {
  layer <- layer_lstm(units = 2, return_sequences = TRUE)
  x <- array(1, c(2, 4, 3))
  mask <- cbind(TRUE, TRUE, FALSE, FALSE)[c(1, 1), ]
  y <- layer(x, mask = mask)
  expect_null(tensor_mask(y))
  expect_equal(as.array(y)[, 4, ], as.array(y)[, 2, ])
  expect_same_bits(layer(x, mask = mask * 1), y)
})

test_that("a layer that knows nothing of masks ends them, with one warning", {
  forget_warnings()
  Forgetful <- R6::R6Class("Forgetful", inherit = BaseLayer, lock_objects = FALSE)
  layer <- Forgetful$new()$handle
  expect_warning(layer(masked_input()), "does not support masks")
  expect_no_warning(layer(masked_input()))
  forget_warnings()
})

test_that("the mask of the input is dropped when states are given, with one warning that names `mask =`", {
  forget_warnings()
  layer <- layer_gru(units = 2)
  x <- masked_input()
  state <- list(matrix(0, 2, 2))
  expect_warning(unmasked <- layer(x, initial_state = state), "mask =")
  expect_no_warning(layer(x, initial_state = state))
  expect_same_bits(unmasked, layer(as.array(x)))
  expect_same_bits(layer(x, initial_state = state, mask = tensor_mask(x)), layer(x))
  forget_warnings()
  expect_warning(layer_bidirectional(layer = layer_gru(units = 2))(x, initial_state = c(state, state)), "mask =")
  forget_warnings()
})

test_that("training is what is said, else what the enclosing call says, else FALSE", {
  Outer <- R6::R6Class("Outer", inherit = BaseLayer, lock_objects = FALSE, public = list(
    sublayers = function() list(self$inner),
    call = function(inputs) self$inner(inputs)
  ))
  outer <- Outer$new()
  outer$inner <- layer_dropout(rate = 1)
  x <- matrix(1, 2, 2)
  dropped <- function(y) all(as.array(y) == 0)
  expect_false(dropped(outer$handle(x)))
  expect_true(dropped(outer$handle(x, training = TRUE)))
  expect_true(dropped(in_call_context(outer$handle(x), training = TRUE)))
  expect_false(dropped(in_call_context(outer$handle(x, training = FALSE), training = TRUE)))
})

test_that("activity regularizers count every output, divided by its rows", {
  x <- array(stats::rnorm(24), c(4, 2, 3))
  layer <- layer_gru(units = 2, return_state = TRUE, activity_regularizer = regularizer_l1(0.1))
  outputs <- layer(x)
  expected <- vapply(outputs, function(output) 0.1 * sum(abs(as.array(output))) / 4, 0)
  expect_equal(vapply(layer$losses, as.numeric, 0), expected, tolerance = 1e-6)
  layer(x)
  expect_length(layer$losses, 2)
})

test_that("a wrapper's own activity regularizer sees the merged output, the inner ones each direction", {
  x <- array(stats::rnorm(24), c(4, 2, 3))
  outer <- layer_bidirectional(layer = layer_gru(units = 2), merge_mode = "sum", activity_regularizer = "l2")
  y <- as.array(outer(x))
  expect_equal(vapply(outer$losses, as.numeric, 0), 0.01 * sum(y^2) / 4, tolerance = 1e-5)
  inner <- layer_bidirectional(layer = layer_gru(units = 2, activity_regularizer = "l2"), merge_mode = "sum")
  inner(x)
  expect_length(inner$losses, 2)
  set_weights(outer, get_weights(inner))
  expect_equal(as.array(outer(x)), as.array(inner(x)), tolerance = 1e-6)
})

test_that("masks hold TRUE and FALSE only", {
  layer <- layer_lstm(units = 2)
  x <- array(1, c(2, 4, 3))
  expect_error(layer(x, mask = matrix(2, 2, 4)), class = "birnn_error_mask")
  expect_error(layer(x, mask = matrix(NA, 2, 4)), class = "birnn_error_mask")
  expect_error(layer(x, mask = rep(TRUE, 8)), class = "birnn_error_mask")
})
