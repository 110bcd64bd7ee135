# Losses as metrics beyond the fixtures.

test_that("metrics of losses are the values of the losses", {
  y <- rbind(c(0, 1), c(1, 0))
  p <- rbind(c(0.2, 0.7), c(0.6, 0.4))
  expect_identical(as.array(metric_mean_squared_logarithmic_error(y, p)),
                   as.array(loss_mean_squared_logarithmic_error(y, p)))
  expect_identical(as.array(metric_hinge(y, p)), as.array(loss_hinge(y, p)))
  expect_identical(as.array(metric_squared_hinge(y, p)), as.array(loss_squared_hinge(y, p)))
  expect_identical(as.array(metric_categorical_hinge(y, p)), as.array(loss_categorical_hinge(y, p)))
  expect_identical(as.array(metric_poisson(y, p)), as.array(loss_poisson(y, p)))
  expect_identical(as.array(metric_cosine_similarity(y, p)), -as.array(loss_cosine_similarity(y, p)))
})

test_that("the root of the mean squared error is taken at the end, not batch by batch", {
  metric <- metric_root_mean_squared_error()
  metric$update_state(matrix(0, 1, 1), matrix(1))
  metric$update_state(matrix(0, 1, 1), matrix(7))
  expect_equal(as.numeric(metric$result()), 5)
})

test_that("a class can be left out of a sparse cross-entropy", {
  metric <- metric_sparse_categorical_crossentropy(ignore_class = 1L)
  metric$update_state(c(0, 1), matrix(0.5, 2, 2))
  expect_equal(as.numeric(metric$result()), log(2), tolerance = 1e-6)
})
