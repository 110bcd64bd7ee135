test_that("all spellings of a shape are the same", {
  for (spelling in list(c(NA, 28), shape(NULL, 28), shape(NA, 28), list(NULL, 28), shape(-1, 28), c(-1, 28))) {
    expect_identical(as_shape(spelling), c(NA, 28L))
  }
  expect_identical(as_shape(28), 28L)
  expect_identical(as_shape(list()), integer())
  expect_error(as_shape(c(2, 1.5)), class = "birnn_error_shape")
  expect_error(as_shape("2"), class = "ValueError")
})

test_that("shapes print, compare, subset and sum up", {
  expect_output(print(shape(NULL, 28)), "shape(NA, 28)", fixed = TRUE)
  expect_true(shape(2, 3) == c(2, 3))
  expect_true(shape(2, 3) != shape(2, NA))
  expect_identical(as.integer(shape(NULL, 3)[2]), 3L)
  expect_identical(as.list(shape(NULL, 3)), list(NULL, 3L))
  expect_identical(prod(shape(2, 3)), 6)
})

test_that("shape() of an array or tensor gives its sizes", {
  expect_identical(as.integer(shape(array(0, c(2, 3, 4)))), 2:4)
  expect_identical(as.integer(shape(as_tensor(matrix(0, 2, 3)))), 2:3)
})

test_that("shapes and tensors are taken apart by %<-%", {
  c(batch, time, .) %<-% shape(NULL, 3, 4)
  expect_null(batch)
  expect_equal(time, 3)
  c(first, ...others) %<-% shape(as_tensor(array(0, c(2, 3, 4))))
  expect_equal(others, list(3L, 4L))
  c(a, b) %<-% as_tensor(matrix(1:4, 2))
  expect_equal(as.vector(b), c(2, 4))
  c(a, b) %<-% keras_input(batch_shape = c(2, 3))
  expect_equal(dim(b), 3L)
})
