# fit(): epochs and their means, validation, steps, seeds, losses that are not finite.

regression <- function(..., optimizer = "sgd") {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(3, activation = "tanh") |> layer_dense(1)
  model |> compile(optimizer, loss = "mse", ...)
  model
}

x <- matrix(sin(1:20), 10, 2)
y <- cos(1:10)

test_that("the history is returned invisibly, with one number an epoch, sorted by name", {
  result <- withVisible(fit(regression(metrics = "mae"), x, y, epochs = 3, batch_size = 4))
  expect_false(result$visible)
  history <- result$value
  expect_s3_class(history, "keras_training_history")
  expect_named(history$metrics, c("loss", "mae"))
  expect_equal(lengths(history$metrics), c(loss = 3, mae = 3))
  expect_equal(history$params, list(verbose = 0L, epochs = 3L, steps = 3L))
  expect_equal(history$epoch, 0:2)
})

test_that("the loss of an epoch weighs its batches by their sizes, metrics use predictions before the update", {
  config_set_floatx("float64")
  withr::defer(config_set_floatx("float32"))
  set.seed(1)
  model <- regression(metrics = "mae", optimizer = "sgd")
  model$optimizer$learning_rate <- 0
  errors <- y - as.vector(predict(model, x))
  history <- fit(model, x, y, batch_size = 4)
  expect_equal(history$metrics$loss, mean(errors^2))
  expect_equal(history$metrics$mae, mean(abs(errors)))
})

test_that("one epoch of gradient descent by hand gives the same weights", {
  config_set_floatx("float64")
  withr::defer(config_set_floatx("float32"))
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, use_bias = FALSE)
  model |> compile(optimizer_sgd(0.1), loss = "mse")
  w <- get_weights(model)[[1]]
  fit(model, x, y, batch_size = 5, shuffle = FALSE)
  for (rows in list(1:5, 6:10)) {
    w <- w - 0.1 * 2 * crossprod(x[rows, ], x[rows, ] %*% w - y[rows]) / 5
  }
  expect_equal(get_weights(model)[[1]], w)
})

test_that("set.seed() alone decides", {
  run <- function() {
    set.seed(3)
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(4) |> layer_dropout(0.5) |> layer_dense(1)
    model |> compile("adam", loss = "mse")
    history <- fit(model, x, y, epochs = 2, batch_size = 3)
    list(history$metrics, get_weights(model))
  }
  expect_identical(run(), run())
})

test_that("plan and eager training give the same bits", {
  train <- function(eager) {
    set.seed(3)
    model <- keras_model_sequential(input_shape = c(NA, 1)) |>
      layer_masking() |>
      layer_bidirectional(layer_lstm(units = 3)) |>
      layer_dropout(0.3) |>
      layer_dense(1)
    model |> compile(optimizer_adam(0.01), loss = "mse", metrics = "mae", run_eagerly = eager)
    history <- fit(model, array(round(x, 1), c(10, 2, 1)), y, epochs = 2, batch_size = 4, validation_split = 0.2)
    list(history$metrics, get_weights(model))
  }
  expect_identical(train(TRUE), train(FALSE))
})

test_that("validation takes the last part, or data of its own, after the epochs asked for", {
  model <- regression()
  history <- fit(model, x, y, epochs = 4, validation_split = 0.3, validation_freq = 2)
  expect_length(history$metrics$val_loss, 2)
  expect_equal(utils::tail(history$metrics$val_loss, 1), evaluate(model, x[8:10, ], y[8:10])$loss)
  history <- fit(model, x, y, epochs = 3, validation_data = list(x[1:4, ], y[1:4]), validation_freq = c(1, 3))
  expect_length(history$metrics$val_loss, 2)
  expect_equal(utils::tail(history$metrics$val_loss, 1), evaluate(model, x[1:4, ], y[1:4])$loss)
  weighted <- fit(model, x, y, validation_data = list(x, y, rep(2, 10)))
  expect_equal(weighted$metrics$val_loss, 2 * evaluate(model, x, y)$loss, tolerance = 1e-6)
  expect_error(fit(model, x, y, validation_data = list(x)), class = "birnn_error_type")
  expect_error(fit(model, x, y, validation_data = list(x, y[1:3])), class = "birnn_error_shape")
  expect_error(fit(model, x, y, validation_data = list(x, y), validation_freq = 0), class = "birnn_error_value")
})

test_that("epochs of a given number of steps go on where the last one ended", {
  rows <- list()
  model <- regression()
  batches <- function(steps, epochs) {
    history <- fit(model, x, y, batch_size = 4, epochs = epochs, steps_per_epoch = steps, shuffle = FALSE)
    as.numeric(model$optimizer$iterations)
  }
  expect_equal(batches(2, 3), 6)
  expect_equal(batches(5, 1), 11)
  expect_equal(fit(model, x, y, steps_per_epoch = 2)$params$steps, 2)
})

test_that("training can start at a later epoch, and end by stop_training", {
  expect_equal(fit(regression(), x, y, epochs = 5, initial_epoch = 4)$epoch, 3:4)
  expect_length(fit(regression(), x, y, epochs = 2, initial_epoch = 3)$metrics, 0)
  model <- regression()
  stop_at <- callback_lambda(on_train_batch_end = function(batch, logs) if (batch == 2) model$stop_training <- TRUE)
  history <- fit(model, x, y, epochs = 5, batch_size = 2, callbacks = stop_at)
  expect_length(history$metrics$loss, 1)
  expect_equal(as.numeric(model$optimizer$iterations), 2)
  expect_length(fit(model, x, y, epochs = 2)$metrics$loss, 2)
})

test_that("a loss that is not finite stops before the update and names epoch and batch", {
  model <- regression()
  bad <- replace(y, 7, Inf)
  before <- get_weights(model)
  expect_error(fit(model, x[6:10, ], bad[6:10]), "epoch 1, batch 1", class = "birnn_error_numeric")
  expect_equal(get_weights(model), before)
  expect_error(fit(model, x, bad, batch_size = 5, shuffle = FALSE), "batch 2", class = "birnn_error_numeric")
  expect_equal(as.numeric(model$optimizer$iterations), 1)
  expect_error(train_on_batch(model, x, bad), class = "birnn_error_numeric")
  expect_length(fit(model, x, y)$metrics$loss, 1)
})

test_that("a finite loss with gradients that are not stops before the update as well", {
  for (run_eagerly in c(FALSE, TRUE)) {
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1, kernel_initializer = "zeros")
    # The square root of 0 has an infinite slope.
    root <- function(y_true, y_pred) op_sqrt(op_square(op_subtract(y_pred, y_true)))
    compile(model, optimizer = "adam", loss = root, run_eagerly = run_eagerly)
    before <- get_weights(model)
    zeros <- rep(0, 4)
    expect_error(fit(model, matrix(1, 4, 2), zeros, verbose = 0), "gradients of the loss 0 are not finite in epoch 1",
                 class = "birnn_error_numeric")
    expect_error(train_on_batch(model, matrix(1, 4, 2), zeros), "gradients", class = "birnn_error_numeric")
    expect_same_bits(get_weights(model), before)
    expect_equal(as.numeric(model$optimizer$iterations), 0)
    expect_length(fit(model, matrix(1, 4, 2), zeros + 1, verbose = 0)$metrics$loss, 1)
  }
})

test_that("options(birnn.nonfinite = 'warn') goes on, warning once", {
  withr::local_options(birnn.nonfinite = "warn")
  bad <- replace(y, 7, Inf)
  expect_warning(history <- fit(regression(), x, bad, epochs = 2, batch_size = 5), class = "birnn_warning")
  expect_length(history$metrics$loss, 2)
})

test_that("frozen layers stay as they are, also if they are frozen after the first training", {
  model <- regression(optimizer = "adam")
  fit(model, x, y)
  first <- get_weights(model)
  model$layers[[1]]$trainable <- FALSE
  fit(model, x, y)
  second <- get_weights(model)
  expect_equal(second[1:2], first[1:2])
  expect_false(isTRUE(all.equal(second[3:4], first[3:4])))
  model$layers[[1]]$trainable <- TRUE
  fit(model, x, y)
  expect_false(isTRUE(all.equal(get_weights(model)[1:2], second[1:2])))
})

test_that("a layer added after a training takes part in the next one", {
  model <- regression()
  fit(model, x, y)
  model |> layer_dense(1, kernel_initializer = "ones")
  before <- get_weights(model)
  fit(model, x, y)
  expect_length(get_weights(model), 6)
  expect_false(isTRUE(all.equal(get_weights(model)[[5]], before[[5]])))
})

test_that("the running float type may change between trainings", {
  model <- regression()
  fit(model, x, y)
  config_set_floatx("float64")
  withr::defer(config_set_floatx("float32"))
  expect_length(fit(regression(), x, y)$metrics$loss, 1)
})

test_that("wrong arguments are refused before anything happens", {
  model <- regression()
  before <- get_weights(model)
  expect_error(fit(model, x, y, batch_size = 0), class = "birnn_error_value")
  expect_error(fit(model, x, y, epochs = 0), class = "birnn_error_value")
  expect_error(fit(model, x, y, batchsize = 3), "batch_size", class = "birnn_error_value")
  expect_error(fit(model, x, y, 3), "named", class = "birnn_error_value")
  expect_error(fit(model, x[0, ], y[0]), "no samples", class = "birnn_error_value")
  expect_error(fit(model, x), "needs it", class = "birnn_error_value")
  expect_equal(get_weights(model), before)
})

test_that("the validation split is cut off the end, with its weights, before any shuffling", {
  weights <- seq_len(10)
  history <- fit(model <- regression(), x, y, sample_weight = weights, validation_split = 0.05)
  last <- evaluate(model, x[10, , drop = FALSE], y[10], sample_weight = weights[10])
  expect_equal(history$metrics$val_loss, last$loss, tolerance = 1e-6)
  before <- regression()
  expect_error(fit(before, x, y, validation_split = 0.95), "validation_split", class = "birnn_error_value")
  set.seed(5)
  both <- fit(regression(), x, y, validation_split = 0.5, validation_data = list(x, y), shuffle = FALSE, batch_size = 5)
  set.seed(5)
  alone <- fit(regression(), x, y, validation_data = list(x, y), shuffle = FALSE, batch_size = 5)
  expect_identical(both$metrics, alone$metrics)
})

test_that("steps_per_epoch and validation_steps mean the same for arrays, data sets and functions", {
  set <- function() timeseries_dataset_from_array(x, y, sequence_length = 1, batch_size = 2)
  draw <- function() {
    batches <- as_iterator(set())
    function() iter_next(batches) %||% iter_next(batches <<- as_iterator(set()))
  }
  windows <- array(x, c(10, 1, 2))
  trained <- function(data, ...) {
    set.seed(4)
    model <- keras_model_sequential(input_shape = c(1, 2)) |> layer_flatten() |> layer_dense(1)
    model |> compile(optimizer_sgd(0.1), loss = "mse")
    history <- fit(model, data, ..., epochs = 4, initial_epoch = 2, steps_per_epoch = 3, validation_steps = 2,
                   validation_freq = 3)
    table <- as.data.frame(history)
    expect_identical(history$epoch, 1:3)
    expect_identical(which(!is.na(table$value[table$data == "validation"])), 3L)
    expect_identical(which(!is.na(table$value[table$data == "training"])), 2:4)
    list(history$metrics, get_weights(model))
  }
  want <- trained(windows, y, batch_size = 2, shuffle = FALSE, validation_data = list(windows, y))
  expect_equal(trained(set(), validation_data = set()), want, tolerance = 1e-6)
  expect_equal(trained(draw(), validation_data = draw()), want, tolerance = 1e-6)
})
