# Indices count from 1, unless zero_indexed = TRUE.

test_that("op_take() counts from 1, negative indices from the end", {
  x <- rbind(c(1, 2, 3), c(4, 5, 6))
  expect_identical(as.array(op_take(x, c(3, 1), axis = 2)), rbind(c(3, 1), c(6, 4)))
  expect_identical(as.array(op_take(x, c(-1, 1), axis = 1)), rbind(c(4, 5, 6), c(1, 2, 3)))
  expect_identical(as.array(op_take(x, c(0, -1), axis = 2, zero_indexed = TRUE)), rbind(c(1, 3), c(4, 6)))
  expect_identical(as.array(op_take(x, 4)), 4)
  tensor_index <- op_take(x, as_tensor(c(3L, -1L)), axis = 2)
  expect_identical(as.array(tensor_index), rbind(c(3, 3), c(6, 6)))
})

test_that("indices outside are refused", {
  x <- matrix(1:6, 2)
  expect_refused(op_take(x, 0, axis = 2), "value")
  expect_refused(op_take(x, 1.5, axis = 2), "value")
  expect_refused(op_take(x, 4, axis = 2), "value")
  expect_refused(op_take(x, -4, axis = 2), "value")
})

test_that("op_take_along_axis() picks single elements", {
  x <- rbind(c(1, 2, 3), c(4, 5, 6))
  expect_identical(as.array(op_take_along_axis(x, matrix(c(3, 1), 2), axis = 2)), matrix(c(3, 4), 2))
  expect_identical(as.array(op_take_along_axis(x, c(6, 1))), array(c(6, 1)))
})

test_that("op_slice() cuts out a block", {
  x <- rbind(c(1, 2, 3), c(4, 5, 6))
  expect_identical(as.array(op_slice(x, c(1, 2), c(2, 2))), rbind(c(2, 3), c(5, 6)))
  expect_identical(as.array(op_slice(x, c(2, 1), c(NA, 1))), matrix(4))
  expect_refused(op_slice(x, 1, 1), "shape")
})

test_that("one-hot codes count classes from 1 and put them where asked", {
  expect_identical(as.array(op_one_hot(c(1, 3), 3)), rbind(c(1, 0, 0), c(0, 0, 1)))
  expect_identical(as.array(op_one_hot(c(0, 2), 3, axis = 1, zero_indexed = TRUE)), t(rbind(c(1, 0, 0), c(0, 0, 1))))
  expect_identical(tensor_dtype(op_one_hot(1:2, 2, dtype = "int32")), "int32")
})

test_that("triangles keep what lies on their side of the diagonal", {
  x <- matrix(1, 3, 3)
  expect_identical(as.array(op_tril(x, -1)), x * (row(x) - col(x) >= 1))
  expect_identical(as.array(op_triu(x, 1)), x * (col(x) - row(x) >= 1))
  expect_refused(op_tril(1:3), "shape")
})
