# Callbacks that change the learning rate.

rate_model <- function(rate) {
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile(optimizer_sgd(rate), loss = "mse")
  model
}

fit_with_values <- function(model, callback, name, values) {
  rates <- numeric()
  callbacks <- list(
    callback_lambda(on_epoch_end = function(epoch, logs) rlang::set_names(list(values[[epoch]]), name)),
    callback,
    callback_lambda(on_epoch_end = function(epoch, logs) {
      rates[[epoch]] <<- as.numeric(model$optimizer$learning_rate)
      NULL
    })
  )
  history <- fit(model, matrix(1), 1, epochs = length(values), callbacks = callbacks, verbose = 0)
  list(rates = rates, history = history)
}

for (case in Filter(function(case) case$fn == "callback_reduce_lr_on_plateau", load_fixture("callbacks"))) {
  test_that(paste(case$name, "lowers the rate as Keras does"), {
    callback <- do.call(callback_reduce_lr_on_plateau, as.list(case$args))
    found <- fit_with_values(rate_model(case$start), callback, case$args$monitor, case$monitored)
    expect_equal(found$rates, case$learning_rate_after_epoch, tolerance = 1e-6)
    before <- c(case$start, found$rates[-length(found$rates)])
    expect_equal(found$history$metrics$learning_rate, before, tolerance = 1e-6)
  })
}

test_that("the plateau is told, or missing, in words", {
  callback <- callback_reduce_lr_on_plateau("val_loss", patience = 1, verbose = 1)
  expect_output(fit_with_values(rate_model(0.1), callback, "val_loss", c(1, 1)), "Epoch 2: reducing .* 0.01")
  expect_warning(
    fit(rate_model(0.1), matrix(1), 1, callbacks = callback_reduce_lr_on_plateau(), verbose = 0), "val_loss"
  )
})

test_that("the scheduler sets the rate before each epoch, counting from 0", {
  seen <- list()
  callback <- callback_learning_rate_scheduler(function(epoch, rate) {
    seen[[length(seen) + 1]] <<- c(epoch, rate)
    rate / 2
  })
  history <- fit(rate_model(0.5), matrix(1), 1, epochs = 3, callbacks = callback, verbose = 0)
  expect_equal(history$metrics$learning_rate, c(0.25, 0.125, 0.0625))
  expect_equal(seen, list(c(0, 0.5), c(1, 0.25), c(2, 0.125)))
})

test_that("a schedule of the epoch alone works, and later starts count on", {
  callback <- callback_learning_rate_scheduler(function(epoch) 0.1 + epoch, verbose = 1)
  expect_output(
    history <- fit(rate_model(0.5), matrix(1), 1, epochs = 4, initial_epoch = 3, callbacks = callback, verbose = 0),
    "Epoch 3: setting the learning rate to 2.1"
  )
  expect_equal(history$metrics$learning_rate, c(2.1, 3.1), tolerance = 1e-6)
})

test_that("wrong arguments and rates are refused", {
  expect_refused(callback_reduce_lr_on_plateau(factor = 1), "value")
  expect_refused(callback_reduce_lr_on_plateau(epsilon = 1), "value")
  expect_refused(callback_learning_rate_scheduler(0.1), "value")
  expect_refused(scheduled_rate(function(epoch) "low", 0, 0.1), "value")
})
