# The work space that is told is the one that is taken.

sequence_model <- function() {
  keras_model_sequential(input_shape = c(NA, 6)) |>
    layer_bidirectional(layer_lstm(units = 20, return_sequences = TRUE)) |>
    layer_dropout(0.2) |>
    layer_gru(units = 10) |>
    layer_dense(3, activation = "softmax")
}

taken_by <- function(code) {
  gc()   # what earlier models hold is not to be freed in between
  before <- r_counts()[["work_bytes"]]
  force(code)
  r_counts()[["work_bytes"]] - before
}

test_that("work_space() tells what a batch takes, within a tenth", {
  model <- sequence_model()
  x <- array(rnorm(16 * 30 * 6), c(16, 30, 6))
  y <- rep_len(0:2, 16)
  taken <- taken_by(predict(model, x, batch_size = 16, verbose = 0))
  expect_equal(work_space(model, 16, 30)[["predict"]] / taken, 1, tolerance = 0.1)
  compile(model, "adam", loss = "sparse_categorical_crossentropy", metrics = "accuracy")
  taken <- taken_by(fit(model, x, y, batch_size = 16, verbose = 0))
  expect_equal(work_space(model, 16, 30)[["train"]] / taken, 1, tolerance = 0.1)
})

test_that("work_space() grows with the batch, and with the length of sequences", {
  model <- sequence_model()
  model |> compile("sgd", loss = "sparse_categorical_crossentropy")
  sizes <- vapply(list(c(8, 10), c(16, 10), c(8, 20)), function(size) work_space(model, size[[1]], size[[2]]), numeric(2))
  expect_identical(rownames(sizes), c("predict", "train"))
  expect_true(all(sizes[, 2] > 1.3 * sizes[, 1]), all(sizes[, 3] > 1.3 * sizes[, 1]))
})

test_that("work_space() says what it needs to know", {
  expect_error(work_space(sequence_model()), "steps", class = "ValueError")
  expect_error(work_space(keras_model_sequential() |> layer_dense(1)), "call the model on data", class = "ValueError")
  eager <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  eager |> compile("sgd", loss = "mse", run_eagerly = TRUE)
  expect_identical(is.na(work_space(eager)), c(predict = TRUE, train = TRUE))
})
