# callback_model_checkpoint(): which models are saved, when, and under which names.

checkpoint_fit <- function(callback, epochs = 3, ...) {
  data <- training_data()
  set.seed(1)
  model <- keras_model_sequential(input_shape = c(4, 3)) |> layer_simple_rnn(2) |> layer_dense(1)
  compile(model, optimizer_sgd(0.01), loss = "mse", metrics = "mae")
  fit(model, data$x, data$y, batch_size = 8, epochs = epochs, verbose = 0, callbacks = callback, ...)
  model
}

# Logs with the given values of `score`.
callback_scores <- function(scores) {
  callback_lambda(on_epoch_end = function(epoch, logs) list(score = scores[[epoch]]))
}

test_that("every epoch is saved under its name, and the last file is the model", {
  folder <- file.path(withr::local_tempdir(), "new", "folder")
  model <- checkpoint_fit(callback_model_checkpoint(file.path(folder, "m-{epoch:02d}-{loss:.1e}-{mae}.keras")))
  files <- list.files(folder)
  expect_length(files, 3)
  expect_match(files, "^m-0[123]-[0-9][.][0-9]e[-+][0-9]{2}-[0-9.]+[.]keras$")
  saved <- load_model(file.path(folder, files[[3]]))
  expect_identical(model_state(saved), model_state(model))
})

test_that("only better models are saved, as the mode says", {
  scores <- c(3, 2, 2.5, NaN, 4, 1)
  saved <- function(...) {
    folder <- withr::local_tempdir()
    path <- file.path(folder, "{epoch}.weights.h5")
    keep <- callback_model_checkpoint(path, "score", save_best_only = TRUE, save_weights_only = TRUE, ...)
    checkpoint_fit(list(callback_scores(scores), keep), epochs = 6)
    sub("[.].*", "", list.files(folder))
  }
  expect_identical(saved(mode = "min"), c("1", "2", "6"))
  expect_identical(saved(mode = "max"), c("1", "5"))
  expect_identical(saved(mode = "min", initial_value_threshold = 2), "6")
  expect_identical(saved(mode = "max", initial_value_threshold = 10), character())
})

test_that("the best value outlives a training", {
  path <- withr::local_tempfile(fileext = ".keras")
  keep <- callback_model_checkpoint(path, "score", save_best_only = TRUE, mode = "max")
  checkpoint_fit(list(callback_scores(c(5, 6)), keep), epochs = 2)
  before <- r_read_file(path)
  checkpoint_fit(list(callback_scores(c(1, 2)), keep), epochs = 2)
  expect_identical(r_read_file(path), before)
})

test_that("a number of batches counts on over epochs", {
  folder <- withr::local_tempdir()
  checkpoint_fit(callback_model_checkpoint(file.path(folder, "{epoch}-{batch}.keras"), save_freq = 2))   # 3 batches
  expect_identical(list.files(folder), c("1-2.keras", "2-1.keras", "2-3.keras", "3-2.keras"))
})

test_that("lines tell what happens", {
  path <- "best.keras"
  withr::local_dir(withr::local_tempdir())
  keep <- callback_model_checkpoint(path, "score", verbose = 1, save_best_only = TRUE, mode = "min")
  expect_output(checkpoint_fit(list(callback_scores(c(3, 2)), keep), epochs = 2),
                "Epoch 2: score improved from 3.00000 to 2.00000, saving model to best.keras")
  keep <- callback_model_checkpoint(path, "score", verbose = 1, save_best_only = TRUE, mode = "max")
  expect_output(checkpoint_fit(list(callback_scores(c(3, 2)), keep), epochs = 2),
                "Epoch 2: score did not improve from 3.0")
  expect_output(checkpoint_fit(callback_model_checkpoint(path, verbose = 1), epochs = 1),
                "Epoch 1: saving model to best")
})

test_that("a number that is not there is a warning, a name in the path an error", {
  path <- withr::local_tempfile(fileext = ".keras")
  expect_warning(
    checkpoint_fit(callback_model_checkpoint(path, save_best_only = TRUE), epochs = 1), "val_loss",
    class = "birnn_warning_callback"
  )
  expect_false(file.exists(path))
  expect_error(checkpoint_fit(callback_model_checkpoint("m-{val_loss:.2f}.keras"), epochs = 1), "on_epoch_end")
  expect_error(fill_template("m-{val_loss:.2f}.keras", list(epoch = 1)), "asks for", class = "ValueError")
  expect_error(fill_template("m-{epoch:%s}.keras", list(epoch = 1)), "unknown format", class = "ValueError")
  expect_error(fill_template("m-{loss:02d}.keras", list(loss = 1.5)), "unknown format", class = "ValueError")
  expect_identical(fill_template("{a:5.2f}{a:04d}{b}{b:.3}", list(a = 7, b = 0.1)), " 7.0000070.10.1")
})

test_that("wrong arguments are named", {
  expect_error(callback_model_checkpoint("m.weights.h5x"), ".keras", class = "ValueError")
  expect_error(callback_model_checkpoint("m.keras", save_weights_only = TRUE), "weights.h5", class = "ValueError")
  expect_error(callback_model_checkpoint("m.keras", save_freq = 1.5), "save_freq", class = "ValueError")
  expect_error(callback_model_checkpoint("m.keras", mode = "best"), "mode", class = "ValueError")
})

test_that("a folder that cannot be written to is found out before the first epoch", {
  file <- withr::local_tempfile(lines = "")
  epochs <- 0
  count <- callback_lambda(on_epoch_begin = function(epoch, logs) epochs <<- epochs + 1)
  keep <- callback_model_checkpoint(file.path(file, "m.keras"))
  expect_error(checkpoint_fit(list(count, keep)), class = "birnn_error_file")
  expect_identical(epochs, 0)
})

test_that("the user's callbacks may save, too", {
  path <- withr::local_tempfile(fileext = ".keras")
  save <- callback_lambda(on_epoch_end = function(epoch, logs) save_model(save$model, path, overwrite = TRUE))
  model <- checkpoint_fit(save)
  expect_identical(model_state(load_model(path)), model_state(model))
})
