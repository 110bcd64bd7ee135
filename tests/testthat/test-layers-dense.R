# The fully connected layer.

test_that("the last axis is transformed, whatever the rank", {
  withr::local_seed(1)
  layer <- layer_dense(units = 2, activation = "relu")
  x <- array(stats::rnorm(24), c(2, 4, 3))
  y <- as.array(layer(x))
  weights <- get_weights(layer)
  expected <- pmax(0, x[2, 3, ] %*% weights[[1]] + as.vector(weights[[2]]))
  expect_equal(y[2, 3, ], as.vector(expected), tolerance = 1e-5)
  expect_equal(dim(layer(x[, 1, ])), c(2L, 2L))
})

test_that("the number of features is fixed by the first call", {
  layer <- layer_dense(units = 2)
  layer(matrix(0, 1, 3))
  expect_error(layer(matrix(0, 1, 4)), "axis -1 to have value 3", class = "birnn_error_shape")
  expect_error(layer_dense(units = 2)(1:3), "at least 2 axes", class = "birnn_error_shape")
  expect_error(layer_dense(units = 2)(keras_input(c(3, NA))), "must be known", class = "birnn_error_shape")
})

test_that("constraints and regularizers stand on the variables", {
  layer <- layer_dense(units = 2, kernel_constraint = "nonneg", bias_regularizer = "l1")
  layer(matrix(0, 1, 3))
  expect_false(is.null(layer$kernel$constraint))
  expect_null(layer$kernel$regularizer)
  set_weights(layer, list(matrix(0, 3, 2), c(2, -3)))
  expect_equal(as.numeric(layer$losses[[1]]), 0.05, tolerance = 1e-6)
})
