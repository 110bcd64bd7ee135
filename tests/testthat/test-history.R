# Histories: table, print, plots.

early <- function() {
  metrics <- list(accuracy = c(0.5, 0.7), loss = c(2, 1), val_loss = c(3, 2.5))
  new_history(list(verbose = 0L, epochs = 4L, steps = 2L), metrics, 0:1)
}

test_that("the table has a row for each epoch and metric, NA after an early stop", {
  table <- as.data.frame(early())
  expect_named(table, c("epoch", "value", "metric", "data"))
  expect_equal(nrow(table), 12)
  expect_equal(levels(table$metric), c("accuracy", "loss"))
  expect_equal(levels(table$data), c("training", "validation"))
  expect_equal(table$value[table$metric == "loss" & table$data == "training"], c(2, 1, NA, NA))
  expect_equal(table$value[table$data == "validation"], c(3, 2.5, NA, NA))
})

test_that("epochs stand where they belong after a later start", {
  table <- as.data.frame(new_history(list(epochs = 4L), list(loss = c(2, 1)), 2:3))
  expect_equal(table$value, c(NA, NA, 2, 1))
})

test_that("print() shows the last epoch", {
  expect_output(print(early()), "Final epoch \\(plot to see history\\):\naccuracy: 0.7\n +loss: 1\nval_loss: 2.5")
  expect_output(print(new_history(list(epochs = 2L), list(), integer())), "No epoch")
  expect_output(expect_invisible(print(early())))
})

test_that("plots show training and validation, with or without ggplot2", {
  withr::local_pdf(NULL)
  expect_null(plot(early(), method = "base"))
  expect_error(plot(early(), metrics = "acuracy"), "accuracy", class = "birnn_error_value")
  skip_if_not_installed("ggplot2")
  p <- plot(early())
  expect_s3_class(p, "ggplot")
  expect_named(p$data, c("epoch", "value", "metric", "data"))
  expect_silent(ggplot2::ggplot_build(p))
  expect_equal(levels(plot(early(), metrics = "loss")$data$metric), "loss")
})

test_that("numbers of a rarer validation stand at their epochs", {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile(optimizer_sgd(0.01), loss = "mse")
  history <- fit(model, matrix(1:4), 1:4, epochs = 6, validation_split = 0.5, validation_freq = 2, verbose = 0)
  table <- as.data.frame(history)
  validation <- table$value[table$data == "validation"]
  expect_equal(which(!is.na(validation)), c(2, 4, 6))
  expect_equal(validation[c(2, 4, 6)], history$metrics$val_loss)
  history <- fit(model, matrix(1:4), 1:4, epochs = 6, initial_epoch = 3, validation_split = 0.5, verbose = 0,
                 validation_freq = c(4, 5))
  table <- as.data.frame(history)
  expect_equal(which(!is.na(table$value[table$data == "validation"])), c(4, 5))
  expect_equal(which(!is.na(table$value[table$data == "training"])), 3:6)
})

test_that("the history is drawn after each epoch where a device is open, else nothing happens", {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile(optimizer_sgd(0.01), loss = "mse")
  train <- function() fit(model, matrix(1:4), 1:4, epochs = 2, view_metrics = TRUE, verbose = 0)
  grDevices::graphics.off()
  file <- withr::local_tempfile(fileext = ".pdf")
  withr::with_dir(withr::local_tempdir(), {
    if (!interactive()) {
      expect_output(train(), NA)
      expect_false(file.exists("Rplots.pdf"))
    }
    withr::with_pdf(file, expect_output(train(), NA))
  })
  expect_gt(file.size(file), 0)
})

test_that("whole numbers of callbacks stay whole numbers", {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile("sgd", loss = "mse")
  counter <- Callback("Counter", on_epoch_end = function(epoch, logs = NULL) list(number = epoch))
  expect_identical(fit(model, matrix(1:4), 1:4, epochs = 2, callbacks = counter())$metrics$number, 1:2)
})

test_that("a metric with one value a class is kept whole in logs and history, and shown by its mean", {
  set.seed(1)
  x <- matrix(rnorm(24), 12)
  y <- diag(3)[rep(1:3, 4), ]
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(3, activation = "softmax")
  model |> compile("sgd", loss = "categorical_crossentropy", metrics = list(metric_f1_score()))
  path <- withr::local_tempfile(fileext = ".csv")
  seen <- list()
  callbacks <- list(callback_csv_logger(path), callback_lambda(on_epoch_end = function(epoch, logs) seen <<- logs))
  lines <- capture.output(history <- fit(model, x, y, epochs = 2, validation_data = list(x, y), callbacks = callbacks,
                                         verbose = 2))
  result <- evaluate(model, x, y)
  expect_length(result$f1_score, 3)
  expect_equal(dim(history$metrics$f1_score), c(2L, 3L))
  expect_equal(history$metrics$val_f1_score[2, ], result$f1_score)
  expect_equal(seen$val_f1_score, result$f1_score)
  table <- as.data.frame(history)
  expect_equal(table$value[table$metric == "f1_score" & table$data == "validation"],
               rowMeans(history$metrics$val_f1_score))
  expect_match(lines[[4]], sprintf("val_f1_score: %.4f", mean(result$f1_score)), fixed = TRUE)
  expect_output(print(history), "val_f1_score")
  expect_match(readLines(path)[[3]], "\"\\[[0-9.]+, [0-9.]+, [0-9.]+\\]\"")
})
