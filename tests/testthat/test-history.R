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
