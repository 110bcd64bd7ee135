# Masking.

test_that("a step is masked if all its features have the value, and set to 0", {
  x <- array(c(-9, 1, -9, 3, 2, -9), c(1, 3, 2))
  y <- layer_masking(mask_value = -9)(x)
  expect_equal(as.array(tensor_mask(y)), matrix(c(TRUE, TRUE, FALSE), 1))
  expect_equal(as.array(y), array(c(-9, 1, 0, 3, 2, 0), c(1, 3, 2)))
})

test_that("missing values can mark padding, and do not leak", {
  x <- array(as.numeric(1:6), c(1, 3, 2))
  x[, 3, ] <- NA
  x[, 1, 1] <- NA
  y <- layer_masking(mask_value = NA)(x)
  expect_equal(as.array(tensor_mask(y)), matrix(c(TRUE, TRUE, FALSE), 1))
  expect_equal(as.array(y)[1, 3, ], c(0, 0))
  expect_true(is.na(as.array(y)[1, 1, 1]))
  expect_error(layer_masking(mask_value = "x"), class = "ValueError")
})

test_that("masked gradients are zero", {
  with_floatx("float64", {
    x <- array(c(1, 5, 1, 5), c(1, 2, 2))
    layer <- layer_masking(mask_value = 5)
    found <- value_and_gradients(function(inputs) op_sum(op_square(layer(inputs[[1]]))), list(as_tensor(x)))
    expect_equal(found$inputs[[1]], array(c(2, 0, 2, 0), c(1, 2, 2)))
  })
})
