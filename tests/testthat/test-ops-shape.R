# Shapes, joins and cuts beyond the fixtures.

test_that("op_reshape() reads rows first, unlike dim<-", {
  expect_identical(as.array(op_reshape(rbind(c(1, 2, 3), c(4, 5, 6)), c(3, NA))), rbind(c(1, 2), c(3, 4), c(5, 6)))
  expect_identical(as.array(op_reshape(7, shape())), 7)
  expect_refused(op_reshape(1:6, c(NA, NA)), "shape")
  expect_refused(op_reshape(1:6, c(4, 2)), "shape")
})

test_that("several axes are inserted and removed at once", {
  x <- op_expand_dims(matrix(1:6, 2), c(1, 3))
  expect_identical(dim(x), c(1L, 2L, 1L, 3L))
  expect_identical(dim(op_squeeze(x)), c(2L, 3L))
  expect_identical(dim(op_squeeze(x, 3)), c(1L, 2L, 3L))
  expect_refused(op_squeeze(x, 2), "shape")
})

test_that("axes are moved as in Keras", {
  x <- op_zeros(c(2, 3, 4, 5))
  expect_identical(dim(op_moveaxis(x, 1, -1)), c(3L, 4L, 5L, 2L))
  expect_identical(dim(op_moveaxis(x, c(1, 2), c(3, 1))), c(3L, 4L, 2L, 5L))
  expect_identical(dim(op_swapaxes(x, 2, -1)), c(2L, 5L, 4L, 3L))
  expect_refused(op_transpose(x, c(1, 2, 3, 3)), "value")
})

test_that("tensors of different types are joined in the wider one", {
  expect_identical(tensor_dtype(op_concatenate(list(1:2, c(0.5, 1)))), "float32")
  expect_identical(as.array(op_stack(list(1:2, 3:4), axis = -1)), rbind(c(1L, 3L), c(2L, 4L)))
  expect_refused(op_concatenate(op_zeros(2)), "value")
  expect_refused(op_concatenate(list()), "value")
})

test_that("op_split() cuts into equal pieces or at given places", {
  expect_identical(lapply(op_split(1:6, c(1, 3)), as.numeric), list(1, c(2, 3), c(4, 5, 6)))
  expect_length(op_split(matrix(1:6, 2), 3, axis = 2), 3L)
  expect_identical(lapply(op_unstack(rbind(1:2, 3:4)), as.integer), list(1:2, 3:4))
  expect_refused(op_split(1:6, 4), "shape")
})

test_that("repeating and tiling go beyond the axes that are there", {
  expect_identical(as.array(op_repeat(rbind(1:2, 3:4), 2)), array(c(1L, 1L, 2L, 2L, 3L, 3L, 4L, 4L)))
  expect_identical(dim(op_tile(1:3, c(2, 2))), c(2L, 6L))
  expect_identical(dim(op_tile(matrix(1, 2, 3), 2)), c(2L, 6L))
})

test_that("op_pad() takes one number, a pair, a matrix or a list", {
  x <- matrix(1, 2, 2)
  expect_identical(dim(op_pad(x, 1)), c(4L, 4L))
  expect_identical(dim(op_pad(x, c(1, 2))), c(5L, 5L))
  expect_identical(dim(op_pad(x, rbind(c(0, 1), c(2, 0)))), c(3L, 4L))
  expect_identical(as.array(op_pad(1, list(), constant_values = 7)), 1)
  expect_identical(as.array(op_pad(c(1, 1), 1, constant_values = 7)), array(c(7, 1, 1, 7)))
  expect_refused(op_pad(x, list(c(1, 1))), "value")
})

test_that("op_roll() without an axis goes around the whole tensor", {
  expect_identical(as.array(op_roll(rbind(1:2, 3:4), 1)), rbind(c(4L, 1L), c(2L, 3L)))
  expect_identical(as.array(op_flip(1:3)), array(3:1))
})
