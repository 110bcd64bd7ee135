# Batches: order, sizes, splits, states.

drawn_rows <- function(source) {
  source$restart()
  rows <- list()
  while (!is.null(batch <- source$next_batch())) rows <- c(rows, list(batch$rows))
  rows
}

test_that("batches are consecutive rows, the last one smaller", {
  source <- array_batches(new_dataset(list(), 7), 3)
  expect_equal(source$steps, 3)
  expect_equal(drawn_rows(source), list(1:3, 4:6, 7L))
  expect_equal(drawn_rows(source), list(1:3, 4:6, 7L))
  expect_equal(array_batches(new_dataset(list(), 0), 3)$steps, 0)
})

test_that("shuffling takes one permutation of R's random numbers for each pass", {
  source <- array_batches(new_dataset(list(), 7), 3, shuffle = TRUE)
  set.seed(5)
  first <- drawn_rows(source)
  second <- drawn_rows(source)
  set.seed(5)
  expect_equal(unlist(first), sample.int(7))
  expect_equal(unlist(second), sample.int(7))
})

test_that("shuffle = 'batch' keeps the batches", {
  set.seed(1)
  rows <- drawn_rows(array_batches(new_dataset(list(), 8), 3, shuffle = "batch"))
  expect_equal(lapply(rows, sort), list(1:3, 4:6, 7:8))
  expect_error(check_shuffle("epoch"), class = "birnn_error_value")
})

test_that("the validation split is the last part", {
  parts <- split_dataset_rows(new_dataset(list(), 10), 0.25)
  expect_equal(lapply(parts, `[[`, "rows"), list(1:7, 8:10))
  expect_error(split_dataset_rows(new_dataset(list(), 10), 0.95), class = "birnn_error_value")
  expect_error(split_dataset_rows(new_dataset(list(), 10), 1), class = "birnn_error_value")
})

test_that("everything must have the same number of samples", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  model |> compile("sgd", loss = "mse")
  expect_error(fit(model, matrix(0, 4, 2), 1:3), "x: 4 and y: 3", class = "birnn_error_shape")
})

test_that("a fixed batch size is kept, and stateful models take whole batches only", {
  model <- keras_model_sequential(input_batch_shape = c(2, 4, 3)) |> layer_lstm(units = 2, stateful = TRUE)
  model |> compile("sgd", loss = "mse")
  x <- array(sin(1:48), c(4, 4, 3))
  expect_equal(dim(predict(model, x)), c(4, 2))
  expect_error(predict(model, x, batch_size = 4), "batch_size", class = "birnn_error_state")
  expect_error(predict(model, x[1:3, , ]), "multiple", class = "birnn_error_state")
  expect_error(fit(model, x[1:3, , ], matrix(0, 3, 2)), class = "birnn_error_state")
  expect_error(train_on_batch(model, x, matrix(0, 4, 2)), class = "birnn_error_state")
  reset_state(model)
  first <- predict(model, x[1:2, , ])
  expect_false(isTRUE(all.equal(predict(model, x[1:2, , ]), first)))
  reset_state(model)
  expect_equal(predict(model, x[1:2, , ]), first)
})
