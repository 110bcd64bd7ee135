# Activations as layers.

test_that("activations are strings, functions of the package or of your own", {
  x <- matrix(c(-1, 0, 2), 1)
  expected <- pmax(x, 0)
  for (activation in list("relu", activation_relu, function(x) op_maximum(x, 0))) {
    expect_equal(as.array(layer_activation(x, activation)), expected)
  }
  expect_equal(layer_activation(activation = activation_relu)$get_config()$activation, "relu")
  expect_error(layer_activation(activation = "relou"), class = "ValueError")
})

test_that("softmax sums to one along its axis, and leaves out what a mask of its size leaves out", {
  x <- matrix(c(0, 1, 2, 3, 4, 5), 2)
  expect_equal(rowSums(as.array(layer_activation_softmax(x))), c(1, 1), tolerance = 1e-6)
  expect_equal(colSums(as.array(layer_activation_softmax(x, axis = 1))), c(1, 1, 1), tolerance = 1e-6)
  mask <- matrix(c(TRUE, TRUE, TRUE, FALSE, FALSE, TRUE), 2)
  y <- as.array(layer_activation_softmax()(x, mask = mask))
  expect_equal(y[!mask], c(0, 0))
  expect_equal(rowSums(y), c(1, 1), tolerance = 1e-6)
})

test_that("the rectifier has a slope, a threshold and a ceiling", {
  x <- c(-2, 0.5, 3, 9)
  y <- layer_activation_relu(x, max_value = 6, negative_slope = 0.5, threshold = 1)
  expect_equal(as.numeric(y), c(-1.5, -0.25, 3, 6))
  expect_error(layer_activation_relu(negative_slope = -1), class = "ValueError")
})

test_that("the identity keeps types", {
  expect_equal(tensor_dtype(layer_identity(1:3)), "int32")
})
