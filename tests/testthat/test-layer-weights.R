# Weights: order, reading, writing, counting.

test_that("weights come in Keras' order", {
  layer <- layer_bidirectional(layer = layer_gru(units = 2), name = "both")
  layer(array(0, c(1, 2, 3)))
  roles <- c("kernel", "recurrent_kernel", "bias")
  expect_equal(
    vapply(layer$weights, function(v) v$path, ""),
    c(paste0("both/forward_", sub("forward_", "", layer$forward_layer$name), "/gru_cell/", roles),
      paste0("both/", layer$backward_layer$name, "/gru_cell/", roles))
  )
  expect_equal(lapply(get_weights(layer), dim), rep(list(c(3L, 6L), c(2L, 6L), c(2L, 6L)), 2))
})

test_that("the shapes of weights are those of Keras", {
  sizes <- function(layer) {
    layer(array(0, c(1, 2, 3)))
    lapply(layer$weights, tensor_shape)
  }
  expect_equal(sizes(layer_simple_rnn(units = 4)), list(c(3L, 4L), c(4L, 4L), 4L))
  expect_equal(sizes(layer_lstm(units = 4)), list(c(3L, 16L), c(4L, 16L), 16L))
  expect_equal(sizes(layer_gru(units = 4)), list(c(3L, 12L), c(4L, 12L), c(2L, 12L)))
  expect_equal(sizes(layer_gru(units = 4, reset_after = FALSE)), list(c(3L, 12L), c(4L, 12L), 12L))
  expect_equal(sizes(layer_lstm(units = 4, use_bias = FALSE)), list(c(3L, 16L), c(4L, 16L)))
})

test_that("initializers see whole arrays; the forget gate starts open", {
  layer <- layer_lstm(units = 4, recurrent_initializer = "orthogonal", bias_initializer = initializer_constant(0.5))
  layer(array(0, c(1, 2, 3)))
  weights <- get_weights(layer)
  expect_equal(weights[[2]] %*% t(weights[[2]]), diag(4), tolerance = 1e-5)
  expect_lte(max(abs(weights[[1]])), sqrt(6 / (3 + 16)) + 1e-6)
  expect_equal(as.vector(weights[[3]]), c(rep(0.5, 4), rep(1, 4), rep(0.5, 8)))
  closed <- layer_lstm(units = 4, unit_forget_bias = FALSE)
  closed(array(0, c(1, 2, 3)))
  expect_equal(as.vector(get_weights(closed)[[3]]), rep(0, 16))
})

test_that("weights can be written as arrays, tensors or variables", {
  layer <- layer_dense(units = 2)
  layer(matrix(0, 1, 3))
  set_weights(layer, list(matrix(1:6, 3), as_tensor(c(1, 2))))
  expect_equal(get_weights(layer)[[1]], matrix(1:6, 3))
  twin <- layer_dense(units = 2)
  twin(matrix(0, 1, 3))
  twin$set_weights(layer$weights)
  expect_equal(twin$get_weights(), layer$get_weights())
  one <- layer_dense(units = 1)
  one(matrix(0, 1, 1))
  expect_no_error(set_weights(one, list(matrix(3), 2)))
})

test_that("get_weights() filters by training, and wants a built layer", {
  model <- keras_model_sequential(input_shape = c(2, 3)) |> layer_lstm(units = 2) |> layer_dense(1)
  model$layers[[1]]$trainable <- FALSE
  expect_length(get_weights(model, trainable = TRUE), 2)
  expect_length(get_weights(model, trainable = FALSE), 3)
  expect_error(get_weights(layer_dense(units = 1)), class = "birnn_error_state")
  expect_error(set_weights(layer_dense(units = 1), list()), class = "birnn_error_state")
  expect_error(get_weights("layer"), class = "ValueError")
  expect_length(get_weights(layer_dropout(rate = 0.5)), 0)
})

test_that("parameters are counted as in Keras", {
  count <- function(layer) {
    layer(array(0, c(1, 2, 5)))
    count_params(layer)
  }
  expect_identical(count(layer_bidirectional(layer = layer_lstm(units = 3))), as.integer(2 * 4 * 3 * (5 + 3 + 1)))
  expect_identical(count(layer_gru(units = 3)), as.integer(3 * 3 * (5 + 3 + 2)))
  expect_identical(count(layer_simple_rnn(units = 3)), as.integer(3 * (5 + 3 + 1)))
})

test_that("a layer used twice has its weights once", {
  shared <- layer_dense(units = 3)
  input <- keras_input(3)
  model <- keras_model(input, shared(shared(input)))
  expect_length(model$weights, 2)
})
