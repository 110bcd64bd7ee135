# Data sets and iterators.

windows <- function(...) timeseries_dataset_from_array(1:7, 1:7, 2, ...)

test_that("an iterator gives every batch once, then NULL or what is asked for", {
  iterator <- as_iterator(windows(batch_size = 4))
  expect_s3_class(iter_next(iterator)[[1]], "birnn_tensor")
  expect_equal(as.array(iter_next(iterator)[[2]]), as.array(as_tensor(5:6)))
  expect_null(iter_next(iterator))
  expect_equal(iter_next(iterator, completed = "done"), "done")
  expect_identical(as_iterator(iterator), iterator)
})

test_that("iterate() collects results, as a vector if they are single values", {
  sizes <- iterate(windows(batch_size = 4), function(batch) dim(batch[[1]])[[1]])
  expect_equal(sizes, c(4L, 2L))
  expect_type(iterate(windows(batch_size = 4), function(batch) 1, simplify = FALSE), "list")
  expect_length(iterate(windows(batch_size = 4)), 2)
})

test_that("every iterator starts at the beginning", {
  dataset <- windows(batch_size = 4)
  first <- as_array_iterator(dataset)
  iter_next(first)
  second <- as_array_iterator(dataset)
  expect_equal(as.vector(iter_next(second)[[2]]), 1:4)
  expect_equal(as.vector(iter_next(first)[[2]]), 5:6)
})

test_that("data sets and iterators are shown", {
  expect_output(print(windows(batch_size = 4)), "<dataset: 6 samples in 2 batches of 4>", fixed = TRUE)
  expect_output(print(windows(batch_size = NULL)), "<dataset: 6 samples>", fixed = TRUE)
  expect_output(print(as_iterator(windows())), "<iterator>")
  expect_output(str(windows()), "<dataset")
  expect_equal(windows(batch_size = 4)$cardinality(), 2)
})

test_that("other things are refused", {
  expect_refused(as_iterator(1:3), "value")
  expect_refused(iter_next(windows()), "value")
})
