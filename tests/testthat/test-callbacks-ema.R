# callback_swap_ema_weights(): which weights are seen when.

ema_model <- function() {
  model <- keras_model_sequential(input_shape = 1) |>
    layer_dense(1, use_bias = FALSE, kernel_initializer = "zeros")
  optimizer <- optimizer_sgd(1, use_ema = TRUE, ema_momentum = 0.5)
  model |> compile(optimizer, loss = function(y_true, y_pred) op_negative(y_pred))
  model
}

weight_of <- function(model) get_weights(model)[[1]][[1]]

average_of <- function(model) as.numeric(model$optimizer$slots[[1]]$average)

test_that("validation sees the averages, training goes on with the weights", {
  model <- ema_model()
  seen <- list(test = numeric(), begin = numeric())
  history <- fit(
    model, matrix(1), 1, epochs = 3, validation_data = list(matrix(1), 1), verbose = 0,
    callbacks = list(
      callback_swap_ema_weights(),
      callback_lambda(
        on_test_begin = function(logs) seen$test <<- c(seen$test, weight_of(model)),
        on_epoch_begin = function(epoch, logs) {
          seen$begin <<- c(seen$begin, weight_of(model))
          NULL
        }
      )
    )
  )
  # The weight is 1, 2, 3 after the epochs; the average starts with the first: 1, 1.5, 2.25.
  expect_equal(seen$begin, c(0, 1, 2))
  expect_equal(seen$test, c(1, 1.5, 2.25))
  expect_equal(history$metrics$val_loss, -c(1, 1.5, 2.25))
  expect_equal(weight_of(model), 2.25)
})

test_that("with swap_on_epoch the averages are in place between epochs", {
  model <- ema_model()
  seen <- numeric()
  fit(
    model, matrix(1), 1, epochs = 3, verbose = 0,
    callbacks = list(
      callback_swap_ema_weights(swap_on_epoch = TRUE),
      callback_lambda(on_epoch_end = function(epoch, logs) {
        seen <<- c(seen, weight_of(model))
        NULL
      })
    )
  )
  expect_equal(seen, c(1, 1.5, 2.25))
  expect_equal(weight_of(model), 2.25)
})

test_that("predict() and evaluate() see the averages and put the weights back", {
  model <- ema_model()
  train_on_batch(model, matrix(1), 1)
  train_on_batch(model, matrix(1), 1)
  expect_equal(c(weight_of(model), average_of(model)), c(2, 1.5))
  callback <- callback_swap_ema_weights()
  expect_equal(predict(model, matrix(1), callbacks = callback)[[1]], 1.5)
  expect_equal(evaluate(model, matrix(1), 1, callbacks = callback)$loss, -1.5)
  expect_equal(c(weight_of(model), average_of(model)), c(2, 1.5))
})

test_that("an optimizer without averages is refused", {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile("sgd", loss = "mse")
  expect_refused(averaged_weights(model), "state")
})
