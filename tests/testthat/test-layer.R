# The base class: names, weights of its own, building, freezing.

# A layer with a weight of each kind, as a user would write one.
Scale <- R6::R6Class("Scale",
  inherit = BaseLayer, lock_objects = FALSE,
  public = list(
    fails = FALSE,
    build = function(input_shape) {
      self$scale <- self$add_weight(input_shape[[length(input_shape)]], "ones", name = "scale", regularizer = "l2")
      self$offset <- self$add_weight(c(), "zeros", name = "offset", trainable = FALSE)
      if (self$fails) stop("no")
    },
    call = function(inputs) {
      self$add_loss(op_sum(inputs))
      op_add(op_multiply(inputs, self$scale), self$offset)
    }
  )
)

test_that("automatic names count up, given names do not", {
  clear_session(free_memory = FALSE)
  expect_equal(layer_lstm(units = 1)$name, "lstm")
  expect_equal(layer_lstm(units = 1, name = "memory")$name, "memory")
  expect_equal(layer_lstm(units = 1)$name, "lstm_1")
  expect_equal(layer_simple_rnn(units = 1)$name, "simple_rnn")
  wrapper <- layer_bidirectional(layer = layer_lstm(units = 1))
  expect_equal(c(wrapper$name, wrapper$forward_layer$name), c("bidirectional", "forward_lstm_2"))
  expect_equal(layer_lstm(units = 1)$name, "lstm_3")
})

test_that("a layer that could not be made uses up no name", {
  clear_session(free_memory = FALSE)
  try(layer_lstm(units = 0), silent = TRUE)
  expect_equal(layer_lstm(units = 1)$name, "lstm")
  lstm <- layer_lstm(units = 1, go_backwards = TRUE)
  try(layer_bidirectional(layer = lstm), silent = TRUE)
  expect_equal(layer_bidirectional(layer = layer_lstm(units = 1))$name, "bidirectional")
})

test_that("weights have paths, an order, and belong to training or not", {
  layer <- Scale$new(name = "scale_layer")$handle
  expect_false(layer$built)
  y <- layer(matrix(1:6, 2))
  expect_equal(as.array(y), matrix(1:6, 2))
  expect_equal(vapply(layer$weights, function(v) v$path, ""), c("scale_layer/scale", "scale_layer/offset"))
  expect_length(layer$trainable_weights, 1)
  expect_length(layer$non_trainable_weights, 1)
  expect_equal(count_params(layer), 4L)
  expect_equal(vapply(layer$losses, as.numeric, 0), c(21, 0.03), tolerance = 1e-6)
  layer(matrix(1, 1, 3))
  expect_equal(as.numeric(layer$losses[[1]]), 3)
})

test_that("a frozen layer trains nothing, and thaws only what was trainable", {
  layer <- Scale$new()$handle
  layer(matrix(1, 1, 3))
  layer$trainable <- FALSE
  expect_length(layer$trainable_weights, 0)
  expect_length(layer$non_trainable_weights, 2)
  expect_length(regularization_losses(layer), 0)
  layer$trainable <- TRUE
  expect_length(layer$trainable_weights, 1)
  expect_error(layer$trainable <- "yes", class = "ValueError")

  wrapper <- layer_bidirectional(layer = layer_gru(units = 2), trainable = FALSE)
  wrapper(array(0, c(1, 2, 3)))
  expect_length(wrapper$trainable_weights, 0)
  expect_true(wrapper$forward_layer$trainable)
  wrapper$trainable <- TRUE
  expect_length(wrapper$trainable_weights, 6)
  wrapper$trainable <- FALSE
  expect_false(wrapper$backward_layer$cell$trainable)
})

test_that("layers made untrainable stay so when they are built later", {
  layer <- layer_dense(units = 2, trainable = FALSE)
  layer(matrix(1, 1, 3))
  expect_length(layer$trainable_weights, 0)
  inner <- layer_bidirectional(layer = layer_lstm(units = 2, trainable = FALSE))
  inner(array(0, c(1, 2, 3)))
  expect_true(inner$trainable)
  expect_length(inner$trainable_weights, 0)
})

test_that("if building fails, nothing is left of it", {
  layer <- Scale$new()
  layer$fails <- TRUE
  expect_error(layer$handle(matrix(1, 1, 3)), "no")
  expect_false(layer$built)
  expect_length(layer$handle$weights, 0)
  layer$fails <- FALSE
  layer$handle(matrix(1, 1, 3))
  expect_length(layer$handle$weights, 2)
})

test_that("build() may be called by hand, once", {
  layer <- layer_lstm(units = 2)
  layer$build(c(NA, 5, 3))
  expect_true(layer$built)
  before <- get_weights(layer)
  layer$build(list(NULL, 5, 3))
  expect_identical(get_weights(layer), before)
})

test_that("an initializer must give the shape of the weight", {
  layer <- layer_dense(units = 2, kernel_initializer = function(shape, dtype = NULL) op_zeros(c(1, 1), dtype))
  expect_error(layer(matrix(1, 1, 3)), class = "birnn_error_shape")
  expect_false(layer$built)
})

test_that("output shapes are known without data", {
  expect_equal(layer_dense(units = 2)$compute_output_shape(c(NA, 7, 3)), c(NA, 7L, 2L))
  expect_equal(layer_lstm(units = 2, return_state = TRUE)$compute_output_shape(c(4, 7, 3)),
               list(c(4L, 2L), c(4L, 2L), c(4L, 2L)))
  expect_equal(Scale$new()$handle$compute_output_shape(shape(NULL, 3)), c(NA, 3L))
})

test_that("a layer counts in double precision if it is told to", {
  layer <- layer_dense(units = 2, dtype = "float64")
  expect_equal(tensor_dtype(layer(matrix(1, 1, 3))), "float64")
  expect_equal(layer$dtype, "float64")
  expect_equal(layer$get_config()$dtype$config$name, "float64")
  expect_error(layer_dense(units = 2, dtype = "float16"), class = "ValueError")
})
