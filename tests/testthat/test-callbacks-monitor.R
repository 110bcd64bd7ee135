# callback_early_stopping(): what Keras does when it is fed given values, and what it does with the weights.

# A model whose only weight is the number of epochs it has been trained for: loss -w, rate 1.
counting_model <- function(rate = 1) {
  model <- keras_model_sequential(input_shape = 1) |>
    layer_dense(1, use_bias = FALSE, kernel_initializer = "zeros")
  model |> compile(optimizer_sgd(rate), loss = function(y_true, y_pred) op_negative(y_pred))
  model
}

# Puts `values`, one an epoch, into the logs for the callbacks that come after.
feeder <- function(name, values) {
  callback_lambda(on_epoch_end = function(epoch, logs) rlang::set_names(list(values[[epoch]]), name))
}

train_with_values <- function(model, callback, name, values, ...) {
  fit(model, matrix(1), 1, epochs = length(values), callbacks = list(feeder(name, values), callback), verbose = 0, ...)
}

fixture_callback <- function(case) do.call(getExportedValue("birnn", case$fn), as.list(case$args))

for (case in Filter(function(case) case$fn == "callback_early_stopping", load_fixture("callbacks"))) {
  test_that(paste(case$name, "stops and restores as Keras does"), {
    model <- counting_model()
    history <- train_with_values(model, fixture_callback(case), case$args$monitor, case$monitored)
    expect_length(history$metrics$loss, case$stopped_after_epoch)
    expect_equal(get_weights(model)[[1]][[1]], case$weights_of_epoch_at_end)
  })
}

test_that("the best weights come back also if training was not stopped", {
  model <- counting_model()
  callback <- callback_early_stopping("val_loss", patience = 9, restore_best_weights = TRUE)
  train_with_values(model, callback, "val_loss", c(3, 1, 2))
  expect_equal(get_weights(model)[[1]][[1]], 2)
  expect_length(fit(model, matrix(1), 1, verbose = 0)$metrics$loss, 1)
})

test_that("a callback can be used again", {
  callback <- callback_early_stopping("val_loss", patience = 1)
  expect_length(train_with_values(counting_model(), callback, "val_loss", c(1, 2, 3))$metrics$loss, 2)
  expect_length(train_with_values(counting_model(), callback, "val_loss", c(9, 8, 7))$metrics$loss, 3)
})

test_that("min_delta is taken as it is, also below 1", {
  callback <- callback_early_stopping("val_loss", min_delta = 0.01, patience = 1)
  expect_length(train_with_values(counting_model(), callback, "val_loss", c(1, 0.995, 0.9, 0.8))$metrics$loss, 2)
})

test_that("NaN is never an improvement", {
  callback <- callback_early_stopping("val_loss", patience = 2, restore_best_weights = TRUE)
  model <- counting_model()
  expect_length(train_with_values(model, callback, "val_loss", c(1, NaN, NaN, 0))$metrics$loss, 3)
  expect_equal(get_weights(model)[[1]][[1]], 1)
})

test_that("metrics rise or fall as their class says", {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile("sgd", loss = "mse", metrics = list("mae", "accuracy", up = function(y_true, y_pred) y_pred))
  evaluate(model, matrix(1), 1)
  direction <- function(monitor) {
    callback <- callback_early_stopping(monitor)
    callback$set_model(model)
    monitor_direction(callback)
  }
  expect_equal(c(direction("mae"), direction("val_accuracy"), direction("val_loss")), c(-1, 1, -1))
  expect_refused(direction("up"), "value")
  expect_refused(direction("val_f1"), "value")
})

test_that("the class names of all metrics of Keras say where they should go", {
  rising <- c("BinaryAccuracy", "TopKCategoricalAccuracy", "AUC", "Precision", "Recall", "F1Score", "R2Score",
              "CosineSimilarity", "PearsonCorrelation", "MeanIoU", "PrecisionAtRecall", "SensitivityAtSpecificity")
  falling <- c("MeanSquaredError", "BinaryCrossentropy", "Hinge", "KLDivergence", "Poisson", "LogCoshError")
  directions <- function(names) vapply(names, function(name) metric_direction(list(class_name = name)), 1)
  expect_true(all(directions(rising) == 1))
  expect_true(all(directions(falling) == -1))
  expect_null(metric_direction(list(class_name = "Mean")))
  expect_equal(metric_direction(list(class_name = "Mine", direction = "up")), 1)
})

test_that("a number that is not in the logs gives a warning, and nothing else", {
  model <- counting_model()
  expect_warning(
    history <- fit(model, matrix(1), 1, epochs = 2, callbacks = callback_early_stopping(), verbose = 0),
    "val_loss.*not in the logs", class = "birnn_warning_callback"
  ) |> expect_warning("not in the logs")
  expect_length(history$metrics$loss, 2)
})

test_that("verbose = 1 says what was done", {
  callback <- callback_early_stopping("val_loss", verbose = 1, restore_best_weights = TRUE)
  expect_output(train_with_values(counting_model(), callback, "val_loss", c(1, 2, 3)),
                "Epoch 2: early stopping.*best epoch, 1")
})

test_that("wrong arguments are refused", {
  expect_refused(callback_early_stopping(patience = -1), "value")
  expect_refused(callback_early_stopping(mode = "lowest"), "value")
  expect_refused(callback_early_stopping(monitor = 1), "value")
})
