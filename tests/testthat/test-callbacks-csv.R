# callback_csv_logger(): the table on disk.

logged_model <- function() {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile(optimizer_sgd(0.01), loss = "mse", metrics = "mae")
  model
}

train_logged <- function(file, ..., epochs = 2) {
  fit(logged_model(), matrix(1:4), 1:4, epochs = epochs, verbose = 0, ..., callbacks = callback_csv_logger(file))
}

test_that("there is a line an epoch, counted from 0, with the numbers of the history", {
  file <- withr::local_tempfile()
  history <- train_logged(file, validation_split = 0.5)
  table <- read.csv(file)
  expect_named(table, c("epoch", "loss", "mae", "val_loss", "val_mae"))
  expect_equal(table$epoch, 0:1)
  for (name in names(history$metrics)) expect_identical(table[[name]], history$metrics[[name]])
})

test_that("lines end with carriage return and line feed", {
  file <- withr::local_tempfile()
  train_logged(file)
  text <- rawToChar(readBin(file, "raw", file.size(file)))
  expect_equal(lengths(gregexpr("\r\n", text, fixed = TRUE)), 3)
  expect_match(text, "^epoch,loss,mae,val_loss,val_mae\r\n0,[^\r]*,NA,NA\r\n")
})

test_that("a rarer validation leaves NA", {
  file <- withr::local_tempfile()
  train_logged(file, validation_split = 0.5, validation_freq = 2)
  expect_equal(is.na(read.csv(file)$val_loss), c(TRUE, FALSE))
})

test_that("append adds lines without a second header, and other separators work", {
  file <- withr::local_tempfile()
  for (k in 1:2) {
    fit(logged_model(), matrix(1:4), 1:4, epochs = 2, verbose = 0, callbacks = callback_csv_logger(file, ";", TRUE))
  }
  expect_equal(read.csv2(file, dec = ".")$epoch, c(0, 1, 0, 1))
})

test_that("numbers are written as short as they can be read back", {
  expect_equal(csv_number(0.1), "0.1")
  expect_identical(as.numeric(csv_number(1 / 3)), 1 / 3)
  expect_equal(c(csv_number(NaN), csv_number(Inf), csv_number(NA)), c("NaN", "Inf", "NA"))
})

test_that("a folder that does not exist is refused before training", {
  model <- logged_model()
  withr::local_dir(withr::local_tempdir())
  expect_error(
    fit(model, matrix(1:4), 1:4, verbose = 0, callbacks = callback_csv_logger("nowhere/log.csv")),
    class = "birnn_error_file"
  )
  expect_refused(check_folder("nowhere/log.csv"), "file")
  expect_equal(as.numeric(model$optimizer$iterations), 0)
})
