# Comparisons and choices beyond the fixtures.

test_that("numbers count as TRUE unless they are 0", {
  expect_identical(as.array(op_logical_and(c(0, 2), c(TRUE, TRUE))), array(c(FALSE, TRUE)))
  expect_identical(as.array(op_logical_xor(c(TRUE, TRUE), c(TRUE, FALSE))), array(c(FALSE, TRUE)))
  expect_identical(as.array(op_equal(c(TRUE, FALSE), c(1L, 1L))), array(c(TRUE, FALSE)))
})

test_that("what op_where() does not choose has no influence on values and gradients", {
  with_floatx("float64", {
    found <- value_and_gradients(
      function(x) op_sum(op_where(op_greater(x[[1]], 0), op_sqrt(x[[1]]), 0)), list(as_tensor(c(4, -1)))
    )
    expect_identical(found$value, 2)
  })
  expect_identical(as.array(op_where(c(TRUE, FALSE), c(1, NaN), c(NaN, 2))), array(c(1, 2)))
})

test_that("comparisons with NaN are false, but for op_not_equal()", {
  expect_identical(as.array(op_equal(NaN, c(NaN, 1))), array(c(FALSE, FALSE)))
  expect_identical(as.array(op_not_equal(NaN, c(NaN, 1))), array(c(TRUE, TRUE)))
  expect_identical(as.array(op_isnan(c(1, NaN, Inf))), array(c(FALSE, TRUE, FALSE)))
  expect_identical(as.array(op_isfinite(c(1, NaN, Inf))), array(c(TRUE, FALSE, FALSE)))
})
