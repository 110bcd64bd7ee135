# Training that goes on in another R process, and objects that travel there.

# fit(a + b epochs) here; fit(a), save, and in a new process load, fit(b).
expect_goes_on <- function(save, load) {
  data <- training_data()
  make <- function() {
    set.seed(7)
    model <- keras_model_sequential(input_shape = c(4, 3)) |>
      layer_bidirectional(layer_gru(units = 3)) |>
      layer_batch_normalization() |>
      layer_dense(1)
    compile(model, optimizer_adam(0.01), loss = "mse")
  }
  train <- function(model, seed) {
    force(model)
    set.seed(seed)
    fit(model, data$x, data$y, batch_size = 5, epochs = 2, verbose = 0)
    model
  }
  whole <- train(train(make(), 1), 2)
  path <- withr::local_tempfile(fileext = ".keras")
  save(train(make(), 1), path)
  there <- in_fresh_r(function(path, load, data) {
    model <- load(path)
    set.seed(2)
    fit(model, data$x, data$y, batch_size = 5, epochs = 2, verbose = 0)
    list(get_weights(model), lapply(model$optimizer$variables, as.array))
  }, path, load, data)
  expect_identical(there, list(get_weights(whole), lapply(whole$optimizer$variables, as.array)))
}

test_that("a training goes on in a new process bit for bit", {
  expect_goes_on(function(model, path) save_model(model, path), function(path) birnn::load_model(path))
  expect_goes_on(function(model, path) saveRDS(model, path), function(path) readRDS(path))
})

test_that("a training that was killed goes on from its backup bit for bit", {
  skip_on_os("windows")
  folder <- withr::local_tempdir()
  marker <- file.path(folder, "marker")
  train <- function(folder, marker, slow) {
    set.seed(7)
    model <- keras_model_sequential(input_shape = c(4, 3)) |>
      layer_lstm(units = 3, dropout = 0.2) |>
      layer_dense(1)
    compile(model, "adam", loss = "mse", metrics = "mae")
    x <- array(stats::rnorm(20 * 4 * 3), c(20, 4, 3))
    mark <- callback_lambda(on_train_batch_end = function(batch, logs) {
      if (slow) Sys.sleep(0.05)
      writeLines("", marker)
    })
    history <- fit(model, x, stats::rnorm(20), batch_size = 4, epochs = 4, verbose = 0,
                   callbacks = list(callback_backup_and_restore(folder, save_freq = 1), mark))
    list(get_weights(model), history$metrics)
  }
  whole <- in_fresh_r(train, file.path(folder, "whole"), marker, FALSE)
  for (k in seq_len(if (all_tests()) 20 else 2)) {
    unlink(marker)
    child <- start_fresh_r(train, file.path(folder, "backup"), marker, TRUE)
    # A training that was complete but for its last lines ends without a batch.
    expect_true(wait_for_file(marker) || !child$is_alive())
    Sys.sleep(stats::runif(1, 0, 0.2))
    tools::pskill(child$get_pid(), tools::SIGKILL)
    child$wait()
  }
  expect_identical(in_fresh_r(train, file.path(folder, "backup"), marker, FALSE), whole)
})

test_that("models, layers, tensors, optimizers and histories travel to other processes and back", {
  set.seed(3)
  model <- keras_model_sequential(input_shape = c(4, 3)) |> layer_gru(2, stateful = FALSE) |> layer_dense(1)
  compile(model, optimizer_adam(0.1), loss = "mse")
  data <- training_data()
  history <- fit(model, data$x, data$y, epochs = 1, verbose = 0)
  objects <- list(model = model, layer = model$layers[[1]], tensor = op_ones(c(2, 3)), optimizer = model$optimizer,
                  history = history, loss = loss_huber(), metric = metric_mean())
  back <- in_fresh_r(function(objects, x) {
    objects$prediction <- stats::predict(objects$model, x, verbose = 0)
    objects
  }, objects, data$x)
  expect_identical(back$prediction, predict(model, data$x, verbose = 0))
  for (each in list(back, unserialize(serialize(objects, NULL)))) {
    expect_identical(get_weights(each$model), get_weights(model))
    expect_identical(predict(each$model, data$x, verbose = 0), predict(model, data$x, verbose = 0))
    expect_identical(get_weights(each$layer), get_weights(model$layers[[1]]))
    expect_identical(as.array(each$tensor), as.array(objects$tensor))
    expect_identical(lapply(each$optimizer$variables, as.array), lapply(model$optimizer$variables, as.array))
    expect_identical(each$history$metrics, history$metrics)
    expect_identical(as.numeric(each$loss(1, 3)), as.numeric(objects$loss(1, 3)))
  }
  # The parts of one object stay parts of it.
  copy <- unserialize(serialize(model, NULL))
  fit(copy, data$x, data$y, epochs = 1, verbose = 0)
  expect_identical(get_weights(copy$layers[[1]]), get_weights(copy)[1:3])
})

test_that("save.image() and parallel keep models", {
  path <- withr::local_tempfile(fileext = ".RData")
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  x <- matrix(1:4, 2)
  here <- new.env()
  here$model <- model
  save(list = "model", envir = here, file = path)
  there <- in_fresh_r(function(path, x) {
    base::load(path)
    stats::predict(model, x, verbose = 0)
  }, path, x)
  expect_identical(there, predict(model, x, verbose = 0))
  skip_on_os("windows")
  each <- parallel::mclapply(1:2, function(k) predict(model, x * k, verbose = 0), mc.cores = 2)
  expect_identical(each[[2]], predict(model, x * 2, verbose = 0))
})
