# split_dataset(): sizes, order, parts of arrays and of data sets.

samples <- function(dataset) iterate(dataset, function(sample) as.numeric(flatten_structure(sample)[[1]])[[1]])

test_that("sizes are numbers or fractions, and complete each other", {
  sizes <- function(...) unlist(lapply(split_dataset(1:10, ...), length))
  expect_equal(sizes(left_size = 0.8), c(8, 2))
  expect_equal(sizes(right_size = 3), c(7, 3))
  expect_equal(sizes(left_size = 0.25, right_size = 4), c(2, 4))
  expect_equal(sizes(left_size = 2, right_size = 0.3), c(2, 3))
})

test_that("the left part is the first one, the right part the last one", {
  expect_equal(lapply(split_dataset(1:10, 3, 2), samples), list(1:3, 9:10))
})

test_that("several arrays are split together", {
  c(left, right) %<-% split_dataset(list(matrix(1:20, 10), factor(rep(c("a", "b"), 5))), left_size = 0.5)
  sample <- iter_next(as_array_iterator(right))
  expect_equal(as.vector(sample[[1]]), c(6, 16))
  expect_equal(as.vector(sample[[2]]), 1)
  expect_length(left, 5)
})

test_that("shuffled parts have all samples; a seed decides which", {
  split <- function(seed) lapply(split_dataset(1:20, 12, shuffle = TRUE, seed = seed), samples)
  expect_setequal(unlist(split(1)), 1:20)
  expect_identical(split(1), split(1))
  expect_false(identical(split(1), split(2)))
})

test_that("parts of a data set with batches have batches of the same size", {
  c(left, right) %<-% split_dataset(timeseries_dataset_from_array(1:9, NULL, 2, batch_size = 3), right_size = 0.5)
  expect_equal(iterate(left, function(batch) dim(batch)[[1]]), c(3, 1))
  expect_equal(as.array(iter_next(as_iterator(right))), cbind(5:7, 6:8))
})

test_that("fit(), evaluate() and predict() take the parts in batches", {
  x <- matrix(sin(1:40), 20)
  y <- x[, 1]
  c(left, right) %<-% split_dataset(list(x, y), left_size = 0.75)
  train <- function(...) {
    set.seed(1)
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
    model |> compile("sgd", loss = "mse")
    fit(model, ...)
    list(get_weights(model), evaluate(model, right, batch_size = 3), predict(model, right, batch_size = 3))
  }
  expect_identical(train(left, batch_size = 4, validation_data = right),
                   train(x[1:15, ], y[1:15], batch_size = 4, shuffle = FALSE))
})

test_that("sizes that do not fit are refused", {
  expect_refused(split_dataset(1:10), "value")
  expect_refused(split_dataset(1:10, left_size = 10), "value")
  expect_refused(split_dataset(1:10, left_size = 0.7, right_size = 0.5), "value")
  expect_refused(split_dataset(1:10, left_size = 2.5), "value")
  expect_refused(split_dataset(list(1:10, 1:9), 0.5), "shape")
})
