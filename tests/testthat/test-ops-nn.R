# Activation functions as ops: parameters and extremes. Their values are in test-activations.R.

test_that("parameters change the function", {
  expect_equal(as.numeric(op_leaky_relu(-1, negative_slope = 0.5)), -0.5)
  expect_equal(as.numeric(op_elu(-1, alpha = 2)), 2 * expm1(-1), tolerance = 1e-6)
  expect_equal(as.numeric(op_celu(-1, alpha = 2)), 2 * expm1(-0.5), tolerance = 1e-6)
  expect_equal(as.numeric(op_threshold(c(0.5, 2), 1, -3)), c(-3, 2))
  expect_equal(as.numeric(op_soft_shrink(c(1, -1, 0.1), 0.2)), c(0.8, -0.8, 0), tolerance = 1e-6)
  expect_equal(as.numeric(op_hard_shrink(c(1, 0.1), 0.2)), c(1, 0))
  expect_equal(as.numeric(op_squareplus(0, 9)), 1.5)
})

test_that("saturation is exact and NaN stays NaN", {
  for (floatx in both_floatx) {
    with_floatx(floatx, {
      expect_identical(as.numeric(op_sigmoid(c(-1e4, 1e4))), c(0, 1))
      expect_identical(as.numeric(op_tanh(c(-1e4, 1e4))), c(-1, 1))
      expect_identical(as.numeric(op_softplus(c(-1e4, 1e4))), c(0, 1e4))
      expect_identical(as.numeric(op_softmax(c(-1e4, 0, 1e4))), c(0, 0, 1))
      expect_true(all(is.nan(as.numeric(op_sigmoid(NaN))), is.nan(as.numeric(op_relu(NaN)))))
    })
  }
})

test_that("whole numbers become floating point numbers", {
  expect_identical(tensor_dtype(op_relu(-1:1)), "float32")
})
