# Accuracies beyond the fixtures.

test_that("accuracies of single predictions are 0 or 1", {
  p <- rbind(c(0.1, 0.9), c(0.8, 0.2))
  expect_identical(as.array(metric_sparse_categorical_accuracy(c(1, 1), p)), array(c(1, 0)))
  expect_identical(as.array(metric_sparse_categorical_accuracy(matrix(c(1L, 1L), 2), p)), array(c(1, 0)))
  expect_identical(as.array(metric_categorical_accuracy(rbind(c(0, 1), c(0, 1)), p)), array(c(1, 0)))
  expect_identical(as.array(metric_binary_accuracy(c(1, 0, 1), matrix(c(0.6, 0.4, 0.4), 3))), matrix(c(1, 1, 0)))
  expect_identical(as.array(metric_accuracy(c(1, 2), c(1, 3))), array(c(1, 0)))
})

test_that("the threshold decides", {
  expect_identical(as.array(metric_binary_accuracy(c(1, 1), c(0.5, 0.51))), array(c(0, 1)))
  expect_identical(as.array(metric_binary_accuracy(c(1, 1), c(0.5, 0.51), threshold = 0.3)), array(c(1, 1)))
})
