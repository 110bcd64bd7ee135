# What the fixtures do not show of arithmetic, elementwise functions and products.

test_that("whole numbers stay whole where the result is", {
  x <- as_tensor(c(-2L, 0L, 3L))
  for (fn in list(op_abs, op_negative, op_sign, op_square, op_floor, op_ceil, op_round)) {
    expect_identical(tensor_dtype(fn(x)), "int32")
  }
  expect_identical(as.array(op_square(x)), array(c(4L, 0L, 9L)))
  expect_identical(as.array(op_mod(c(-7L, 7L), 3L)), array(c(2L, 1L)))
  expect_identical(as.array(op_floor_divide(c(-7L, 7L), 2L)), array(c(-4L, 3L)))
  expect_identical(as.array(op_clip(x, -1, 1)), array(c(-1L, 0L, 1L)))
})

test_that("division and powers of whole numbers give fractions", {
  expect_equal(as.numeric(op_divide(1L, 4L)), 0.25)
  expect_equal(as.numeric(op_power(2L, -1L)), 0.5)
})

test_that("divide_no_nan() is 0 where the divisor is, with finite gradients", {
  with_floatx("float64", {
    found <- value_and_gradients(function(x) op_sum(divide_no_nan(x[[1]], x[[2]])),
                                 list(as_tensor(c(1, 2)), as_tensor(c(0, 4))))
    expect_identical(found$value, 0.5)
    expect_equal(found$inputs, list(array(c(0, 0.25)), array(c(0, -0.125))))
  })
})

test_that("op_dot() and op_tensordot() are sums over the axes they name", {
  a <- array(1:24, c(2, 3, 4))
  b <- array(1:40, c(2, 4, 5))
  expected <- array(0, c(2, 3, 2, 5))
  for (i in 1:2) for (j in 1:3) for (k in 1:2) for (l in 1:5) expected[i, j, k, l] <- sum(a[i, j, ] * b[k, , l])
  expect_identical(as.array(op_dot(a, b)), expected)
  expect_identical(as.array(op_tensordot(a, b, axes = list(3, 2))), expected)
  expect_identical(as.array(op_tensordot(a, b, axes = 1)), expected)
  expect_equal(as.numeric(op_dot(2, 3)), 6)
  expect_identical(dim(op_tensordot(a, array(1, c(4, 3, 7)), axes = list(c(3, 2), c(1, 2)))), c(2L, 7L))
  expect_identical(dim(op_tensordot(array(1, c(2, 3, 4)), array(1, c(3, 4, 5)))), c(2L, 5L))
  expect_identical(dim(op_tensordot(matrix(1, 2, 3), matrix(1, 3, 4), axes = 2)), c(2L, 4L))
  expect_refused(op_tensordot(a, b, axes = list(c(2, 3), 2)), "value")
})
