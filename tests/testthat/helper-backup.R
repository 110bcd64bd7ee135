# A training with everything that has state, which can be ended at any batch.

training_data <- function() {
  set.seed(5)
  list(x = array(rnorm(22 * 4 * 3), c(22, 4, 3)), y = rnorm(22))
}

backup_model <- function(optimizer = optimizer_adam(0.01), ...) {
  set.seed(7)
  model <- keras_model_sequential(input_shape = c(4, 3)) |>
    layer_bidirectional(layer_lstm(units = 3, dropout = 0.3)) |>
    layer_batch_normalization() |>
    layer_dropout(0.2) |>
    layer_dense(1)
  compile(model, optimizer = optimizer, loss = "mse", metrics = list("mae", metric_r2_score()), ...)
  model
}

# Ends the training after `batches` of them.
callback_crash <- function(batches) {
  seen <- 0
  callback_lambda(on_train_batch_end = function(batch, logs) {
    seen <<- seen + 1
    if (seen == batches) stop("crash")
  })
}

# Everything that a training leaves behind.
training_result <- function(model, history) {
  list(weights = get_weights(model), optimizer = lapply(model$optimizer$variables, as.array),
       metrics = history$metrics, epoch = history$epoch, random = get(".Random.seed", globalenv()))
}

# Trains in one go, or with crashes after so many batches each, always with `make()` and `train()` anew.
train_with_crashes <- function(make, train, crashes = integer(), folder = NULL, save_freq = 2, ...) {
  for (batches in c(crashes, Inf)) {
    model <- make()
    callbacks <- list(...)
    if (is.finite(batches)) callbacks <- c(callbacks, callback_crash(batches))
    if (!is.null(folder)) callbacks <- c(callback_backup_and_restore(folder, save_freq), callbacks)
    history <- tryCatch(train(model, callbacks), error = function(error) {
      if (is.infinite(batches)) stop(error)
      NULL
    })
  }
  training_result(model, history)
}
