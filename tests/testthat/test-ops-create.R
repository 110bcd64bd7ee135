# Making, converting and looking at tensors.

test_that("constants have the shape and type asked for", {
  expect_identical(as.array(op_zeros(c(2, 3))), matrix(0, 2, 3))
  expect_identical(as.array(op_ones(list(2L), dtype = "int32")), array(c(1L, 1L)))
  expect_identical(as.array(op_full(shape(), 3)), 3)
  expect_identical(as.array(op_eye(2, 3, k = 1)), rbind(c(0, 1, 0), c(0, 0, 1)))
  expect_identical(tensor_dtype(op_zeros_like(1:3)), "int32")
  expect_identical(tensor_dtype(op_ones_like(1:3, dtype = "float64")), "float64")
})

test_that("op_arange() includes its end, unless told otherwise", {
  expect_identical(as.array(op_arange(1, 4)), array(1:4))
  expect_identical(as.array(op_arange(3)), array(1:3))
  expect_identical(as.array(op_arange(0, 1, 0.25)), array(c(0, 0.25, 0.5, 0.75, 1)))
  expect_identical(as.array(op_arange(0, 4, 2, include_end = FALSE)), array(c(0L, 2L)))
  expect_identical(as.array(op_arange(3, 1, -1)), array(3:1))
  expect_identical(dim(op_arange(2, 1)), 0L)
  expect_identical(dim(op_arange(5, 5)), 1L)
  expect_refused(op_arange(1, 2, 0), "value")
})

test_that("op_cast() cuts towards zero", {
  expect_identical(as.array(op_cast(c(1.7, -1.7), "int32")), array(c(1L, -1L)))
  expect_identical(as.array(op_cast(c(0, 2), "bool")), array(c(FALSE, TRUE)))
  expect_refused(op_cast(1, "int64"), "value")
})

test_that("tensors are told from arrays, and shapes are R lists", {
  x <- op_convert_to_tensor(matrix(1, 2, 3))
  expect_true(op_is_tensor(x))
  expect_false(op_is_tensor(matrix(1)))
  expect_identical(as.integer(op_shape(x)), c(2L, 3L))
  expect_identical(op_ndim(x), 2L)
  expect_identical(op_convert_to_array(x), matrix(1, 2, 3))
  expect_refused(op_convert_to_tensor(1, sparse = TRUE), "value")
})

test_that("op_stop_gradient() passes values but no gradients", {
  with_floatx("float64", {
    held <- function(x) op_sum(op_multiply(op_stop_gradient(x[[1]]), x[[1]]))
    found <- value_and_gradients(held, list(as_tensor(c(2, 3))))
    expect_identical(found$value, 13)
    expect_equal(found$inputs[[1]], array(c(2, 3)))
  })
})
