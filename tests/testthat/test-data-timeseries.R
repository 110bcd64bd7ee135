# Windows of a time series.

for (case in load_fixture("windows")) {
  test_that(paste(case$name, "gives the batches of Keras"), {
    targets <- if (!is.null(case[["targets"]])) fixture_array(case[["targets"]])
    windows <- do.call(timeseries_dataset_from_array, c(list(fixture_array(case$data), targets), case$args))
    batches <- iterate(as_array_iterator(windows))
    expect_length(batches, length(case$batches))
    expect_length(windows, length(case$batches))
    for (k in seq_along(batches)) {
      want <- case$batches[[k]]
      got <- if (is.null(targets)) list(batches[[k]]) else batches[[k]]
      expect_close(got[[1]], fixture_array(want$x), 1e-6, paste("windows of batch", k))
      if (!is.null(targets)) expect_close(got[[2]], fixture_array(want$y), 1e-6, paste("targets of batch", k))
    }
  })
}

test_that("the types of data and targets are kept, vectors and data frames work", {
  windows <- timeseries_dataset_from_array(1:6, c(TRUE, FALSE, TRUE, FALSE, TRUE, FALSE), 2)
  batch <- iter_next(as_iterator(windows))
  expect_equal(tensor_dtype(batch[[1]]), "int32")
  expect_equal(as.array(batch[[1]]), cbind(1:5, 2:6))
  frame <- data.frame(a = 1:4, b = 5:8 / 2)
  windows <- timeseries_dataset_from_array(frame, NULL, 2, batch_size = 2)
  expect_equal(dim(iter_next(as_array_iterator(windows))), c(2, 2, 2))
})

test_that("shuffling keeps windows and targets together, and is drawn anew in every pass", {
  windows <- function(seed) timeseries_dataset_from_array(1:20, 1:20, 2, batch_size = 4, shuffle = TRUE, seed = seed)
  starts <- function(dataset) {
    unlist(iterate(as_array_iterator(dataset), function(batch) {
      expect_equal(batch[[1]][, 1], as.vector(batch[[2]]))
      list(batch[[2]])
    }))
  }
  shuffled <- windows(3)
  first <- starts(shuffled)
  second <- starts(shuffled)
  expect_equal(sort(first), 1:19)
  expect_false(identical(first, second))
  again <- windows(3)
  expect_equal(list(starts(again), starts(again)), list(first, second))
  set.seed(8)
  before <- .Random.seed
  starts(windows(3))
  expect_identical(.Random.seed, before)
  free <- windows(NULL)
  set.seed(8)
  third <- starts(free)
  set.seed(8)
  expect_equal(starts(free), third)
})

test_that("single windows have no batch axis", {
  windows <- timeseries_dataset_from_array(matrix(1:8, 4), 1:4, 2, batch_size = NULL)
  expect_equal(lapply(iter_next(as_array_iterator(windows)), dim), list(c(2L, 2L), NULL))
  expect_length(windows, 3)
})

test_that("training on windows is training on the array of all windows", {
  series <- sin(seq(0, 8, by = 0.1))
  windows <- timeseries_dataset_from_array(matrix(head(series, -5)), tail(series, -5), 5, batch_size = 8)
  batches <- iterate(as_array_iterator(windows))
  x <- do.call(rbind, lapply(batches, function(batch) matrix(batch[[1]], ncol = 5)))
  y <- unlist(lapply(batches, `[[`, 2))
  train <- function(...) {
    set.seed(1)
    model <- keras_model_sequential(input_shape = c(NA, 1)) |> layer_gru(3) |> layer_dense(1)
    model |> compile(optimizer_adam(0.01), loss = "mse", metrics = "mae")
    history <- fit(model, ..., epochs = 2)
    list(history$metrics, get_weights(model), predict(model, array(x, c(dim(x), 1))))
  }
  expect_identical(train(windows), train(array(x, c(dim(x), 1)), y, batch_size = 8, shuffle = FALSE))
})

test_that("wrong sizes are refused", {
  expect_refused(timeseries_dataset_from_array(1:5, NULL, 6), "value")
  expect_refused(timeseries_dataset_from_array(1:5, NULL, 2, sampling_rate = 0), "value")
  expect_refused(timeseries_dataset_from_array(1:5, NULL, 2, start_index = 3, end_index = 3), "value")
  expect_refused(timeseries_dataset_from_array(letters, NULL, 2), "type")
})
