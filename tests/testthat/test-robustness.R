# Models survive saveRDS(), interrupts, forks and errors in callbacks.

small_model <- function(...) {
  model <- keras_model_sequential(input_shape = c(NA, 3)) |>
    layer_masking() |>
    layer_bidirectional(layer_lstm(units = 6, recurrent_dropout = 0.1)) |>
    layer_dropout(0.2) |>
    layer_dense(2, activation = "softmax")
  model |> compile(optimizer = optimizer_adam(learning_rate = 0.01), loss = "sparse_categorical_crossentropy", ...)
  model
}

small_data <- function() {
  list(x = random_array(30, 5, 3), y = rep(0:1, 15))
}

# Weights and history of two more epochs, from a given seed.
train_on <- function(model, data) {
  set.seed(11)
  history <- fit(model, data$x, data$y, epochs = 2, batch_size = 8, verbose = 0)
  list(weights = get_weights(model), loss = history$metrics$loss)
}
environment(train_on) <- globalenv()

test_that("a compiled, trained model predicts and trains on after readRDS() in a new R process", {
  withr::local_seed(1)
  data <- small_data()
  model <- small_model()
  fit(model, data$x, data$y, epochs = 2, verbose = 0)
  path <- withr::local_tempfile(fileext = ".rds")
  saveRDS(model, path)
  elsewhere <- in_fresh_r(function(path, data, train_on) {
    model <- readRDS(path)
    list(prediction = predict(model, data$x, verbose = 0), evaluate = evaluate(model, data$x, data$y, verbose = 0),
         trained = train_on(model, data), iterations = as.numeric(model$optimizer$iterations))
  }, path, data, train_on)
  expect_same_bits(elsewhere$prediction, predict(model, data$x, verbose = 0))
  expect_same_bits(elsewhere$evaluate, evaluate(model, data$x, data$y, verbose = 0))
  expect_same_bits(elsewhere$trained, train_on(model, data))
  expect_equal(elsewhere$iterations, 2 * 1 + 2 * 4)
})

test_that("a copy by readRDS() is independent of the original", {
  withr::local_seed(2)
  data <- small_data()
  model <- small_model()
  path <- withr::local_tempfile(fileext = ".rds")
  saveRDS(model, path)
  copy <- readRDS(path)
  before <- get_weights(model)
  train_on(copy, data)
  expect_same_bits(get_weights(model), before)
  expect_false(same_bits(get_weights(copy), before))
})

test_that("tensors, variables and layers go through serialize()", {
  x <- as_tensor(matrix(1:6 / 7, 2))
  layer <- layer_bidirectional(layer = layer_gru(units = 2, return_sequences = TRUE))
  y <- layer(array(1, c(1, 3, 2)))
  copies <- unserialize(serialize(list(x = x, layer = layer, v = keras_variable(1:3)), NULL))
  expect_same_bits(copies$x, x)
  expect_same_bits(copies$v, keras_variable(1:3))
  expect_same_bits(copies$layer(array(1, c(1, 3, 2))), y)
})

# Runs in a child: trains for ever until it is interrupted, tells `paths$ready` when it has begun, then reports the
# weights, the number of steps, and that the next fit works.
train_until_interrupted <- function(paths, data, batch_size) {
  set.seed(1)
  model <- keras_model_sequential(input_shape = c(NA, 3)) |>
    layer_bidirectional(layer_lstm(units = 48)) |>
    layer_dense(1)
  model |> compile(optimizer = "sgd", loss = "mse")
  start <- get_weights(model)
  begun <- callback_lambda(on_train_batch_begin = function(batch, logs) {
    if (batch == 1) file.create(paths$ready)
  })
  outcome <- tryCatch(
    {
      fit(model, data$x, data$y, epochs = 1e6, batch_size = batch_size, shuffle = FALSE, verbose = 0, callbacks = begun)
      "finished"
    },
    interrupt = function(condition) class(condition),
    birnn_error_interrupt = function(condition) class(condition)
  )
  file.create(paths$stopped)
  report <- list(outcome = outcome, start = start, weights = get_weights(model),
                 steps = as.numeric(model$optimizer$iterations))
  rows <- seq_len(batch_size)
  again <- fit(model, data$x[rows, 1:5, , drop = FALSE], data$y[rows], epochs = 2, verbose = 0)
  report$next_loss <- again$metrics$loss
  saveRDS(report, paths$report)
}

# Interrupts a child after `pause` seconds of training; the limit (seconds) only guards against hangs.
interrupt_training <- function(data, batch_size, pause, limit) {
  paths <- lapply(c(ready = "ready", stopped = "stopped", report = "report"), tempfile)
  child <- start_fresh_r(train_until_interrupted, paths, data, batch_size)
  on.exit(child$kill())
  if (!wait_for_file(paths$ready)) return(NULL)
  Sys.sleep(pause)
  child$interrupt()
  if (!wait_for_file(paths$stopped, limit)) return(list(outcome = "did not stop"))
  child$wait(60000)
  if (file.exists(paths$report)) readRDS(paths$report)
}

# The weights after `steps` batches, in the order of fit(shuffle = FALSE).
weights_after <- function(report, data, batch_size) {
  model <- keras_model_sequential(input_shape = c(NA, 3)) |>
    layer_bidirectional(layer_lstm(units = 48)) |>
    layer_dense(1)
  set_weights(model, report$start)
  model |> compile(optimizer = "sgd", loss = "mse")
  batches <- nrow(data$x) / batch_size
  for (step in seq_len(report$steps)) {
    rows <- ((step - 1) %% batches) * batch_size + seq_len(batch_size)
    train_on_batch(model, data$x[rows, , , drop = FALSE], data$y[rows])
  }
  get_weights(model)
}

expect_clean_interrupt <- function(report, data, batch_size) {
  expect_true(any(c("interrupt", "birnn_error_interrupt") %in% report$outcome), info = toString(report$outcome))
  expect_same_bits(report$weights, weights_after(report, data, batch_size), paste(report$steps, "steps"))
  expect_true(all(is.finite(report$next_loss)))
}

test_that("Ctrl-C between short batches stops fit() after a whole number of steps", {
  skip_on_os("windows")
  withr::local_seed(3)
  data <- list(x = random_array(32, 40, 3), y = stats::rnorm(32))
  for (pause in c(0.05, 0.21)) expect_clean_interrupt(interrupt_training(data, 8, pause, limit = 10), data, 8)
})

test_that("Ctrl-C inside one long batch stops fit() before the update", {
  skip_on_os("windows")
  withr::local_seed(4)
  data <- list(x = random_array(16, 20000, 3), y = stats::rnorm(16))
  report <- interrupt_training(data, 16, pause = 0.4, limit = 5)
  expect_equal(report$steps, 0)
  expect_clean_interrupt(report, data, 16)
})

test_that("a forked process computes after its parent used threads, and does not hang", {
  skip_on_os("windows")
  withr::local_seed(5)
  # The limit is a guard: a fork that waits for threads it has not got waits for ever.
  results <- in_fresh_r(function(x) {
    options(birnn.threads = 2)
    set.seed(6)
    model <- keras_model_sequential(input_shape = c(NA, 3)) |>
      layer_bidirectional(layer_lstm(units = 24)) |>
      layer_dense(1)
    model |> compile(optimizer = "sgd", loss = "mse")
    train <- function() fit(model, x, rep(0, nrow(x)), epochs = 1, shuffle = FALSE, verbose = 0)$metrics$loss
    here <- predict(model, x, verbose = 0)
    # Every job in a fork of its own.
    forked <- parallel::mclapply(
      1:4, function(k) list(predict(model, x, verbose = 0), train()), mc.cores = 2, mc.preschedule = FALSE
    )
    list(here = here, forked = forked, after = list(predict(model, x, verbose = 0), train()))
  }, random_array(40, 30, 3), limit = 60)
  expect_same_bits(results$after[[1]], results$here)
  for (forked in results$forked) expect_same_bits(forked, results$after)
})

test_that("an error in a callback leaves a whole number of steps and a usable model", {
  withr::local_seed(7)
  data <- small_data()
  model <- small_model()
  failing <- callback_lambda(on_train_batch_end = function(batch, logs) if (batch == 2) stop("enough"))
  expect_error(fit(model, data$x, data$y, batch_size = 8, verbose = 0, callbacks = failing), class = "birnn_error")
  expect_equal(as.numeric(model$optimizer$iterations), 2)
  expect_true(all(is.finite(fit(model, data$x, data$y, verbose = 0)$metrics$loss)))
})

test_that("fit() inside a callback of the same model is refused, and training can go on", {
  withr::local_seed(8)
  data <- small_data()
  model <- small_model()
  nested <- NULL
  again <- callback_lambda(on_epoch_end = function(epoch, logs) {
    nested <<- tryCatch(fit(model, data$x, data$y, verbose = 0), error = identity)
  })
  fit(model, data$x, data$y, verbose = 0, callbacks = again)
  expect_s3_class(nested, "birnn_error_busy")
  expect_s3_class(fit(model, data$x, data$y, verbose = 0), "keras_training_history")
})

test_that("calls change none of their arguments", {
  withr::local_seed(9)
  data <- small_data()
  weights <- get_weights(small_model())
  before <- serialize(list(data, weights), NULL)
  model <- small_model()
  set_weights(model, weights)
  fit(model, data$x, data$y, verbose = 0)
  predict(model, data$x, verbose = 0)
  expect_identical(serialize(list(data, weights), NULL), before)
})
