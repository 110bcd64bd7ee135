# Rectifiers with slopes: values, weights and shared axes, errors.

test_that("negative inputs get a slope or a curve", {
  x <- matrix(c(-2, -1, 0, 3), 1)
  expect_equal(as.array(layer_activation_leaky_relu(x, negative_slope = 0.25)), matrix(c(-0.5, -0.25, 0, 3), 1))
  expect_equal(as.array(layer_activation_elu(x, alpha = 2)), matrix(c(2 * expm1(c(-2, -1)), 0, 3), 1), tolerance = 1e-6)
  expect_equal(as.array(layer_activation_parametric_relu(x)), pmax(x, 0))
  expect_equal(as.array(layer_activation_parametric_relu(x, alpha_initializer = "ones")), x)
})

test_that("slopes may be shared along axes", {
  x <- array(-1, c(2, 3, 4))
  shape_of <- function(...) {
    layer <- layer_activation_parametric_relu(...)
    layer(x)
    dim(layer$alpha)
  }
  expect_equal(shape_of(), c(3, 4))
  expect_equal(shape_of(shared_axes = 2), c(1, 4))
  expect_equal(shape_of(shared_axes = c(2, 3)), c(1, 1))
  expect_equal(shape_of(shared_axes = -1), c(3, 1))
  input <- keras_input(c(NA, 4))
  expect_equal(tensor_shape(layer_activation_parametric_relu(input, shared_axes = 2)), c(NA, NA, 4))
})

test_that("scale and offset are numbers, or one for each feature", {
  x <- matrix(1:6, 2)
  expect_equal(as.array(layer_rescaling(x, scale = 2, offset = -1)), 2 * x - 1)
  expect_equal(as.array(layer_rescaling(x, scale = c(1, 10, 100))), x * rep(c(1, 10, 100), each = 2))
})

test_that("arguments of rectifiers and rescaling are checked", {
  clear_session(free_memory = FALSE)
  x <- array(0, c(2, 3, 4))
  expect_refused(layer_activation_leaky_relu(negative_slope = -0.1), "value")
  expect_refused(layer_activation_leaky_relu(negative_slope = NULL), "value")
  expect_refused(layer_activation_elu(alpha = "one"), "value")
  expect_refused(layer_activation_parametric_relu(x, shared_axes = 0), "value")
  expect_refused(layer_activation_parametric_relu(x, shared_axes = 4), "value")
  expect_refused(layer_activation_parametric_relu(keras_input(c(NA, 4))), "shape")
  expect_refused(layer_rescaling(x), "value")
  expect_refused(layer_rescaling(x, scale = "small"), "value")
  expect_refused(layer_rescaling(x, scale = 1:3), "shape")
})
