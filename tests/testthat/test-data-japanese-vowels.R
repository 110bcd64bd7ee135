# The data set: sizes as published, in the order of the recordings.

test_that("the data have the published sizes", {
  data <- dataset_japanese_vowels()
  expect_named(data, c("train", "test"))
  expect_length(data$train$x, 270)
  expect_length(data$test$x, 370)
  expect_equal(as.vector(table(data$train$y)), rep(30, 9))
  expect_equal(as.vector(table(data$test$y)), c(31, 35, 88, 44, 29, 24, 40, 50, 29))
  steps <- vapply(c(data$train$x, data$test$x), nrow, 0L)
  expect_equal(range(steps), c(7, 29))
  expect_true(all(vapply(c(data$train$x, data$test$x), ncol, 0L) == 12))
})

test_that("the first recording is the first of the file", {
  first <- dataset_japanese_vowels()$train$x[[1]]
  expect_equal(unname(first[1, 1:3]), c(1.860936, -0.207383, 0.261557))
})

test_that("the data can be taken apart into four objects", {
  c(c(x_train, y_train), c(x_test, y_test)) %<-% dataset_japanese_vowels()
  expect_equal(levels(y_train), as.character(1:9))
  expect_equal(length(x_test), length(y_test))
})
