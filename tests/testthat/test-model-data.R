# Matching what comes in with the declared inputs.

test_that("parts are matched by order or by name", {
  expect_equal(match_parts(1, "a", "x"), list(1))
  expect_equal(match_parts(list(1, 2), c("a", "b"), "x"), list(1, 2))
  expect_equal(match_parts(list(b = 2, a = 1), c("a", "b"), "x"), list(1, 2))
  expect_equal(match_parts(list(b = 2), c("a", "b"), "y"), list(NULL, 2))
  expect_equal(match_parts(data.frame(b = 2, a = 1), c("a", "b"), "x"), list(1, 2))
  expect_error(match_parts(list(a = 1, c = 2), c("a", "b"), "x"), class = "birnn_error_value")
})

test_that("a list of sequences is pointed to pad_sequences()", {
  sequences <- list(matrix(0, 2, 3), matrix(0, 4, 3))
  expect_error(match_parts(sequences, "a", "x"), "pad_sequences", class = "birnn_error_shape")
})

test_that("a missing last axis of size 1 is added, one too many dropped for rows only", {
  x <- as_tensor(matrix(1:6 / 2, 2))
  expect_equal(tensor_shape(adjust_rank(x, c(NA, 3L, 1L))), c(2L, 3L, 1L))
  expect_equal(tensor_shape(adjust_rank(x, c(NA, NA, 2L))), c(2L, 3L))
  column <- as_tensor(array(1:6 / 2, c(2, 3, 1)))
  expect_equal(tensor_shape(adjust_rank(column, c(NA, 3L))), c(2L, 3L))
  expect_equal(tensor_shape(adjust_rank(as_tensor(array(0, c(2, 3, 4, 1))), c(NA, 3L, 4L))), c(2L, 3L, 4L, 1L))
})
