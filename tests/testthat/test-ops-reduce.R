# Reductions beyond the fixtures.

test_that("logicals are counted and whole numbers averaged", {
  expect_identical(as.array(op_sum(c(TRUE, FALSE, TRUE))), 2L)
  expect_equal(as.array(op_mean(c(1L, 2L))), 1.5)
  expect_identical(as.array(op_max(c(1L, 7L))), 7L)
})

test_that("positions count from 1, or from 0 if asked", {
  x <- rbind(c(1, 5, 5), c(7, 2, 3))
  expect_identical(as.array(op_argmax(x, axis = 2)), array(c(2L, 1L)))
  expect_identical(as.array(op_argmax(x, axis = 2, zero_indexed = TRUE)), array(c(1L, 0L)))
  expect_identical(as.array(op_argmin(x)), 1L)
  expect_identical(dim(op_argmax(x, axis = 1, keepdims = TRUE)), c(1L, 3L))
  expect_identical(dim(op_argmax(x, keepdims = TRUE)), c(1L, 1L))
})

test_that("running sums without an axis go row by row", {
  expect_identical(as.array(op_cumsum(rbind(c(1, 2), c(3, 4)))), array(c(1, 3, 6, 10)))
})

test_that("norms of order 1, 2 and Inf", {
  x <- rbind(c(3, -4), c(0, 2))
  expect_equal(as.array(op_norm(x, axis = 2)), array(c(5, 2)))
  expect_equal(as.array(op_norm(x, ord = 1, axis = 2)), array(c(7, 2)))
  expect_equal(as.array(op_norm(x, ord = Inf, axis = 2)), array(c(4, 2)))
  expect_refused(op_norm(x, ord = 3), "value")
})

test_that("repeated differences", {
  expect_identical(as.array(op_diff(c(1, 4, 9, 16), n = 2)), array(c(2, 2)))
})
