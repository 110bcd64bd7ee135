# Callbacks: hooks, their arguments, changed logs, errors inside.

tiny <- function(...) {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  model |> compile(optimizer_sgd(0.01), loss = "mse", ...)
  model
}

x <- matrix(c(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), 4)
y <- c(1, 0, 1, 0)

test_that("every hook of fit() is called in order, with epochs and batches counted from 1", {
  calls <- character()
  note <- function(hook) function(...) {
    calls <<- c(calls, paste0(hook, paste0(":", Filter(is.numeric, list(...)[1]), recycle0 = TRUE)))
    NULL
  }
  hooks <- c("on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_test_begin",
             "on_test_batch_begin", "on_test_batch_end", "on_test_end", "on_epoch_end", "on_train_end")
  callback <- do.call(callback_lambda, lapply(rlang::set_names(hooks), note))
  fit(tiny(), x, y, batch_size = 2, epochs = 2, initial_epoch = 2, validation_data = list(x, y), callbacks = callback)
  batches <- c("on_train_batch_begin:1", "on_train_batch_end:1", "on_train_batch_begin:2", "on_train_batch_end:2")
  expect_equal(calls, c("on_train_begin", "on_epoch_begin:2", batches, "on_test_begin",
                        sub("train", "test", batches), "on_test_end", "on_epoch_end:2", "on_train_end"))
})

test_that("predict() and evaluate() have their hooks", {
  count <- 0
  add <- function(...) count <<- count + 1
  model <- tiny()
  predict(model, x, batch_size = 2, callbacks = callback_lambda(on_predict_begin = add, on_predict_batch_end = add,
                                                                on_predict_end = add))
  expect_equal(count, 4)
  evaluate(model, x, y, batch_size = 2, callbacks = list(callback_lambda(on_test_batch_end = add, on_test_end = add)))
  expect_equal(count, 7)
})

test_that("logs are sorted by name, capitals first, validation after training", {
  seen <- NULL
  callback <- callback_lambda(on_epoch_end = function(epoch, logs) seen <<- names(logs))
  fit(tiny(metrics = list("mae", Z = "mse")), x, y, validation_data = list(x, y), callbacks = callback)
  expect_equal(seen, c("Z", "loss", "mae", "val_Z", "val_loss", "val_mae"))
})

test_that("logs of a batch are the running means", {
  losses <- numeric()
  callback <- callback_lambda(on_train_batch_end = function(batch, logs) losses <<- c(losses, logs$loss))
  history <- fit(tiny(), x, y, batch_size = 2, callbacks = callback)
  expect_length(losses, 2)
  expect_equal(losses[[2]], history$metrics$loss)
})

test_that("a named list that an epoch hook returns changes the logs that follow", {
  history <- fit(tiny(), x, y, callbacks = list(
    callback_lambda(on_epoch_end = function(epoch, logs) list(learning_rate = 0.5)),
    callback_lambda(on_epoch_end = function(epoch, logs) list(twice = 2 * logs$learning_rate))
  ))
  expect_equal(history$metrics$learning_rate, 0.5)
  expect_equal(history$metrics$twice, 1)
})

test_that("a callback knows its model, can stop it, and can look at its weights and predictions", {
  model <- tiny()
  stopper <- callback_lambda(on_epoch_end = function(epoch, logs) {
    predictions <<- predict(model, x)
    if (epoch == 2) model$stop_training <- TRUE
    NULL
  })
  predictions <- NULL
  history <- fit(model, x, y, epochs = 10, callbacks = stopper)
  expect_length(history$metrics$loss, 2)
  expect_equal(dim(predictions), c(4, 1))
  expect_identical(stopper$model, model)
  expect_equal(stopper$params$epochs, 10)
})

test_that("an error in a callback names the callback and the hook", {
  failing <- callback_lambda(on_epoch_end = function(epoch, logs) stop("no more"))
  error <- expect_error(fit(tiny(), x, y, callbacks = failing), "on_epoch_end", class = "birnn_error_internal")
  expect_match(conditionMessage(error$parent), "no more")
})

test_that("what is not a callback is refused", {
  expect_error(fit(tiny(), x, y, callbacks = list(1)), "callbacks[[1]]", fixed = TRUE, class = "birnn_error_value")
  expect_error(callback_lambda(on_epoch_ends = identity), "on_epoch_end", class = "birnn_error_value")
  expect_error(callback_lambda(on_epoch_end = 1), class = "birnn_error_value")
})

test_that("callback_terminate_on_nan() ends training without an error and without the bad update", {
  model <- tiny()
  weights <- get_weights(model)
  expect_message(
    history <- fit(model, x, c(NaN, 1, 1, 1), epochs = 3, callbacks = callback_terminate_on_nan()), "not finite"
  )
  expect_equal(history$metrics$loss, NaN)
  expect_equal(get_weights(model), weights)
  expect_error(fit(model, x, c(NaN, 1, 1, 1), callbacks = callback_terminate_on_nan(raise_error = TRUE)),
               class = "birnn_error_numeric")
})

test_that("callbacks of the fixtures are all tested", {
  expect_setequal(vapply(load_fixture("callbacks"), `[[`, "", "fn"),
                  c("callback_early_stopping", "callback_reduce_lr_on_plateau"))
})
