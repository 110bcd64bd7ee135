# The comparisons of the tests can fail: on numbers, sizes, missing values, tensors, and on a perturbed fixture.

test_that("expect_close() fails on other numbers, sizes and missing values", {
  expect_success(expect_close(c(1, 2), c(1, 2 + 1e-9), 1e-8))
  expect_failure(expect_close(c(1, 2), c(1, 2 + 1e-6), 1e-8))
  expect_failure(expect_close(matrix(1:4, 2), 1:4, 1e-8))
  expect_failure(expect_close(matrix(1:6, 2), matrix(1:6, 3), 1e-8))
  expect_failure(expect_close(c(1, NaN), c(1, 2), 1e-8))
  expect_failure(expect_close(c(1, 2), c(1, NA), 1e-8))
  expect_failure(expect_close(Inf, 1, 1e-8))
  expect_failure(expect_close(c(1, 2, 3), c(1, 2), 1e-8))
})

test_that("small numbers are compared absolutely, large ones relatively", {
  expect_success(expect_close(1e-9, 0, 1e-8))
  expect_success(expect_close(1e6 + 1e-3, 1e6, 1e-8))
  expect_failure(expect_close(1e-7, 0, 1e-8))
})

test_that("tensors are compared by their numbers", {
  one <- as_tensor(matrix(1:6 / 7, 2))
  other <- as_tensor(matrix(c(1:5, 6.001) / 7, 2))
  expect_success(expect_close(one, as.array(one), 1e-8))
  expect_failure(expect_close(one, other, 1e-8))
  expect_success(expect_same_bits(one, as_tensor(matrix(1:6 / 7, 2))))
  expect_failure(expect_same_bits(one, other))
  expect_success(expect_equal(one, as_tensor(matrix(1:6 / 7, 2))))
  expect_failure(expect_equal(one, other))
  expect_failure(expect_identical(one, other))
  expect_false(isTRUE(all.equal(one, other)))
})

test_that("expect_same_bits() sees the last bit, the sign of zero, sizes and the number of leaves", {
  expect_success(expect_same_bits(list(1, c(2, NaN)), list(1, c(2, NaN))))
  expect_failure(expect_same_bits(1, 1 + .Machine$double.eps))
  expect_failure(expect_same_bits(0, -0))
  expect_failure(expect_same_bits(1:2, matrix(1:2, 1)))
  expect_failure(expect_same_bits(list(1, 2), list(1)))
})

test_that("a perturbed fixture is not accepted", {
  case <- load_fixture("layers-bidirectional")[["LSTM-concat-sequences-state"]]
  case$weights[[1]]$data[[1]] <- case$weights[[1]]$data[[1]] + 1e-4
  with_floatx("float64", {
    result <- run_layer_case(case)
    expect_failure(expect_close(result$outputs[[1]], fixture_array(case$outputs[[1]]), layer_tolerance("float64")))
    expect_failure(expect_close(result$loss, case$loss, layer_tolerance("float64")))
    expect_failure(
      expect_close(result$inputs[[1]], fixture_array(case$gradients$inputs[[1]]), layer_tolerance("float64"))
    )
  })
})

test_that("a wrong gradient is found by central differences", {
  with_floatx("float64", {
    x <- array(c(0.3, -0.2), 2)
    right <- function(inputs) op_sum(op_square(inputs[[1]]))
    halved <- function(inputs) op_sum(op_multiply(inputs[[1]], op_stop_gradient(inputs[[1]])))
    expect_success(expect_gradients(right, list(x)))
    expect_failure(expect_gradients(halved, list(x)))
  })
})

test_that("configs are compared after dropping only what the fixtures name", {
  config <- list(units = 3L, seed = 1, dtype = "float32", kernel_regularizer = NULL, cell = list(a = 1, b = list(2)))
  expect_equal(comparable_config(config), list(units = 3, cell = list(a = 1, b = list(2))))
})
