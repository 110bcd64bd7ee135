# Axes, dtypes and shapes as op_*() functions read them.

test_that("axes count from 1, and 0 is an error that says so", {
  x <- op_zeros(c(2, 3))
  expect_identical(dim(op_sum(x, axis = 1)), 3L)
  expect_identical(dim(op_sum(x, axis = -1)), 2L)
  expect_refused(op_sum(x, axis = 0), "value")
  expect_refused(op_softmax(x, axis = 0), "value")
  expect_refused(op_concatenate(list(x, x), axis = 0), "value")
  expect_refused(op_sum(x, axis = 3), "value")
  expect_refused(op_sum(x, axis = 1.5), "value")
  expect_refused(op_cumsum(x, axis = c(1, 2)), "value")
})

test_that("tensors of different types meet in the wider one", {
  dtypes <- c("bool", "int32", "float32", "float64")
  for (a in dtypes) {
    for (b in dtypes) {
      sum <- op_add(op_ones(2, dtype = a), op_ones(2, dtype = b))
      expect_identical(tensor_dtype(sum), dtypes[max(2, match(a, dtypes), match(b, dtypes))], info = paste(a, b))
      expect_identical(as.numeric(sum), c(2, 2), info = paste(a, b))
    }
  }
})

test_that("R numbers take the type of the tensor beside them, unless they would lose a fraction", {
  expect_identical(tensor_dtype(op_add(op_ones(1, "float64"), 1)), "float64")
  expect_identical(tensor_dtype(op_multiply(op_ones(1, "int32"), 2)), "int32")
  expect_identical(tensor_dtype(op_multiply(op_ones(1, "int32"), 0.5)), "float32")
  expect_identical(tensor_dtype(op_add(op_ones(1, "bool"), TRUE)), "int32")
  expect_identical(tensor_dtype(op_divide(op_ones(1, "int32"), 2L)), "float32")
  expect_identical(tensor_dtype(op_maximum(op_ones(1, "int32"), 3e9)), "float32")
  expect_identical(tensor_dtype(op_where(TRUE, op_ones(1, "float64"), 0.5)), "float64")
  with_floatx("float64", expect_identical(tensor_dtype(op_exp(1L)), "float64"))
})

test_that("shapes that must be known say what to do where the batch size is not", {
  expect_refused(op_zeros(c(NA, 3)), "shape")
})
