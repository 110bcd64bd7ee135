# A training that was ended goes on from its backup as if nothing had happened.

fit_arrays <- function(...) {
  data <- training_data()
  function(model, callbacks) {
    force(model)
    set.seed(11)
    fit(model, data$x, data$y, batch_size = 4, epochs = 5, verbose = 0, callbacks = callbacks, ...)
  }
}

expect_same_training <- function(make, train, crashes, save_freq, ...) {
  folder <- withr::local_tempdir()
  whole <- train_with_crashes(make, train, ...)
  resumed <- train_with_crashes(make, train, crashes, folder, save_freq, ...)
  expect_identical(resumed, whole)
  expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), character())
}

test_that("crashes within and between epochs change no bit of weights, optimizer, history and random numbers", {
  expect_same_training(backup_model, fit_arrays(), crashes = c(3, 11), save_freq = 2)
  expect_same_training(backup_model, fit_arrays(), crashes = 14, save_freq = "epoch")
  skip_unless_all()
  expect_same_training(backup_model, fit_arrays(), crashes = c(3, 8, 5, 13), save_freq = 2)
  expect_same_training(backup_model, fit_arrays(shuffle = "batch", validation_split = 0.2), crashes = c(1, 2, 9), 1)
})

test_that("optimizers with averages and accumulators, and schedules, go on as they were", {
  skip_unless_all()
  optimizers <- list(
    optimizer_adam(0.01, use_ema = TRUE, ema_overwrite_frequency = 3),
    optimizer_sgd(0.01, momentum = 0.9, gradient_accumulation_steps = 3),
    optimizer_rmsprop(learning_rate_schedule_exponential_decay(0.01, 5, 0.5), momentum = 0.5, centered = TRUE),
    optimizer_nadam(0.01)
  )
  for (optimizer in optimizers) {
    config <- serialize_keras_object(optimizer)
    make <- function() backup_model(deserialize_keras_object(config))
    expect_same_training(make, fit_arrays(), crashes = c(4, 9), save_freq = 3)
  }
})

test_that("callbacks go on with what they know", {
  for (make_callback in list(
    function() callback_early_stopping("val_loss", patience = 1, restore_best_weights = TRUE),
    function() callback_reduce_lr_on_plateau("loss", factor = 0.5, patience = 1, min_delta = 0.5),
    function() callback_learning_rate_scheduler(function(epoch, rate) rate * 0.7)
  )) {
    train <- function(model, callbacks) fit_arrays(validation_split = 0.3)(model, c(callbacks, make_callback()))
    expect_same_training(backup_model, train, crashes = 7, save_freq = 1)
    if (all_tests()) expect_same_training(backup_model, train, crashes = c(5, 9), save_freq = "epoch")
  }
})

test_that("private and public fields of callback classes come back", {
  Counter <- Callback("Counter",
    count = 0L, private = list(log = NULL),
    on_train_batch_end = function(batch, logs) {
      self$count <- self$count + 1L
      private$log <- c(private$log, batch)
    },
    on_epoch_end = function(epoch, logs) list(count = self$count, logged = length(private$log))
  )
  train <- function(model, callbacks) fit_arrays()(model, c(callbacks, Counter()))
  expect_same_training(backup_model, train, crashes = c(4, 11), save_freq = 3)
})

test_that("epochs of a number of steps, data sets and functions go on at their batch", {
  expect_same_training(backup_model, fit_arrays(steps_per_epoch = 4), crashes = 7, save_freq = 1)
  skip_unless_all()
  expect_same_training(backup_model, fit_arrays(steps_per_epoch = 4), crashes = c(6, 9), save_freq = "epoch")
  data <- training_data()
  by_dataset <- function(model, callbacks) {
    set.seed(3)
    dataset <- timeseries_dataset_from_array(
      matrix(rnorm(66), 22), data$y, sequence_length = 4, batch_size = 5, shuffle = TRUE
    )
    fit(model, dataset, epochs = 3, verbose = 0, callbacks = callbacks)
  }
  expect_same_training(backup_model, by_dataset, crashes = c(3, 5), save_freq = 1)
  by_function <- function(model, callbacks) {
    set.seed(3)
    k <- 0
    batches <- function() {
      k <<- k + 1
      if (k %% 5 == 0) NULL else list(data$x[k %% 7 + 1:6, , ], data$y[k %% 7 + 1:6] + rnorm(6))
    }
    fit(model, batches, epochs = 3, verbose = 0, callbacks = callbacks)
  }
  expect_same_training(backup_model, by_function, crashes = c(2, 4, 3), save_freq = 1)
})

test_that("states of stateful layers go on", {
  make <- function() {
    set.seed(2)
    model <- keras_model_sequential(input_shape = c(4, 3), input_batch_size = 11) |>
      layer_gru(3, stateful = TRUE) |>
      layer_dense(1)
    compile(model, "sgd", loss = "mse")
  }
  data <- training_data()
  train <- function(model, callbacks) {
    set.seed(1)
    fit(model, data$x, data$y, batch_size = 11, epochs = 3, shuffle = FALSE, verbose = 0, callbacks = callbacks)
  }
  expect_same_training(make, train, crashes = c(2, 2), save_freq = 1)
})

# --- the file -----------------------------------------------------------------------------------------------------

# A folder with the backup of a training that crashed.
crashed_training <- function(folder, ..., freq = 2) {
  callbacks <- list(callback_backup_and_restore(folder, freq, ...), callback_crash(8))
  try(fit_arrays()(backup_model(), callbacks), silent = TRUE)
  expect_true(file.exists(file.path(folder, "training.backup")))
}

test_that("a damaged backup is an error, or the one before it is used", {
  folder <- withr::local_tempdir()
  crashed_training(folder, double_checkpoint = TRUE)
  path <- file.path(folder, "training.backup")
  good <- r_read_file(path)
  bad <- good
  bad[[length(bad) %/% 2]] <- xor(bad[[length(bad) %/% 2]], as.raw(1))
  r_replace_file(path, bad)
  whole <- train_with_crashes(backup_model, fit_arrays())
  model <- backup_model()
  expect_warning(
    history <- fit_arrays()(
      model, callback_backup_and_restore(folder, double_checkpoint = TRUE, delete_checkpoint = FALSE)
    ),
    class = "birnn_warning_file"
  )
  expect_identical(training_result(model, history), whole)
  unlink(file.path(folder, "training.backup.old"))
  for (damage in list(bad, good[1:500], raw(), charToRaw("something else"), serialize(1, NULL))) {
    r_replace_file(path, damage)
    expect_error(fit_arrays()(backup_model(), callback_backup_and_restore(folder)), class = "birnn_error_file")
  }
})

test_that("other data, another model and a newer version are errors that say so", {
  folder <- withr::local_tempdir()
  crashed_training(folder)
  path <- file.path(folder, "training.backup")
  backup <- callback_backup_and_restore(folder)
  data <- training_data()
  expect_error(
    fit(backup_model(), data$x + 1, data$y, batch_size = 4, epochs = 5, verbose = 0, callbacks = backup),
    "was not made with these data", class = "birnn_error_file"
  )
  other <- keras_model_sequential(input_shape = c(4, 3)) |> layer_gru(3) |> layer_dense(1) |> compile("adam", "mse")
  before <- get_weights(other)
  expect_error(fit_arrays()(other, backup), "another model", class = "birnn_error_weights")
  expect_identical(get_weights(other), before)
  members <- r_zip_read(r_read_file(path), c("training.json", "tensors.h5"))
  newer <- sub("\"version\": 1", "\"version\": 2", rawToChar(members$training.json))
  r_replace_file(path, r_zip_write(names(members), list(charToRaw(newer), members$tensors.h5)))
  expect_error(fit_arrays()(backup_model(), backup), "newer version", class = "birnn_error_file")
})

test_that("a finished training with a kept backup gives its history again and can be trained longer", {
  folder <- withr::local_tempdir()
  data <- training_data()
  train <- function(epochs, ...) {
    model <- backup_model()
    set.seed(4)
    history <- fit(model, data$x, data$y, epochs = epochs, verbose = 0, callbacks = list(...))
    training_result(model, history)
  }
  keep <- function() callback_backup_and_restore(folder, delete_checkpoint = FALSE)
  expect_identical(train(2, keep()), train(2))
  expect_identical(train(2, keep()), train(2))
  expect_identical(train(5, keep()), train(5))
})

test_that("wrong arguments are named, and a folder that cannot be made stops fit() before it trains", {
  expect_error(callback_backup_and_restore(1), class = "ValueError")
  expect_error(callback_backup_and_restore("x", save_freq = "batch"), class = "ValueError")
  expect_error(callback_backup_and_restore("x", save_freq = 0), class = "ValueError")
  file <- withr::local_tempfile(lines = "")
  model <- backup_model()
  before <- get_weights(model)
  expect_error(fit_arrays()(model, callback_backup_and_restore(file.path(file, "below"))), class = "birnn_error_file")
  expect_identical(get_weights(model), before)
})

test_that("values survive as they are", {
  values <- list(
    a = NULL, b = c(1.5, NA, NaN, Inf, -Inf, -0), c = c(x = 1L, y = NA), d = c(TRUE, NA), e = c("\u00e4\n", NA, ""),
    f = list(), g = factor(c("u", "v")), h = matrix(1:6, 2), i = as.Date("2020-02-29"),
    j = seq(0, 1, length.out = 2000),
    k = c(NA, seq_len(1500)), l = data.frame(a = 1:2, b = c("x", "y")), m = character(), n = list(1, list(NULL, "z"))
  )
  tensors <- new.env()
  coded <- encode_value(values, tensors)
  back <- decode_value(r_json_read(charToRaw(write_json(coded))), function(k) tensors$all[[k]])
  expect_identical(back, values)
  expect_identical(1 / back$b[[6]], -Inf)
  expect_false(is_plain_value(list(1, sum)))
  expect_false(is_plain_value(new.env()))
})
