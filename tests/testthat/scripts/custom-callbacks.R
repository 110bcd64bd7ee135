# The hooks of a callback, one that stops at the minimum and takes the best weights back, and one that sets the rate.
library(birnn)
set_random_seed(1)

get_model <- function() {
  model <- keras_model_sequential(input_shape = c(6, 3)) |> layer_gru(4) |> layer_dense(1)
  model |> compile(optimizer = optimizer_rmsprop(learning_rate = 0.05), loss = "mean_squared_error",
                   metrics = "mean_absolute_error")
  model
}
x <- array(rnorm(200 * 18), c(200, 6, 3))
y <- x[, 6, 1] - x[, 5, 2]

# 1. Every hook, with the names of the logs it is given.
seen <- character()
show <- function(format, ...) seen <<- c(seen, sprintf(format, ...))
log_names <- function(logs) paste(sort(names(logs)), collapse = ", ")
callback_custom <- Callback(
  "CustomCallback",
  on_train_begin = function(logs = NULL) show("training starts: %s", log_names(logs)),
  on_train_end = function(logs = NULL) show("training ends: %s", log_names(logs)),
  on_epoch_begin = function(epoch, logs = NULL) show("epoch %i starts: %s", epoch, log_names(logs)),
  on_epoch_end = function(epoch, logs = NULL) show("epoch %i ends: %s", epoch, log_names(logs)),
  on_test_begin = function(logs = NULL) show("testing starts: %s", log_names(logs)),
  on_test_end = function(logs = NULL) show("testing ends: %s", log_names(logs)),
  on_predict_begin = function(logs = NULL) show("predicting starts: %s", log_names(logs)),
  on_predict_end = function(logs = NULL) show("predicting ends: %s", log_names(logs)),
  on_train_batch_begin = function(batch, logs = NULL) show("... training: batch %i starts: %s", batch, log_names(logs)),
  on_train_batch_end = function(batch, logs = NULL) show("... training: batch %i ends: %s", batch, log_names(logs)),
  on_test_batch_begin = function(batch, logs = NULL) show("... testing: batch %i starts: %s", batch, log_names(logs)),
  on_test_batch_end = function(batch, logs = NULL) show("... testing: batch %i ends: %s", batch, log_names(logs)),
  on_predict_batch_begin = function(batch, logs = NULL) {
    show("... predicting: batch %i starts: %s", batch, log_names(logs))
  },
  on_predict_batch_end = function(batch, logs = NULL) show("... predicting: batch %i ends: %s", batch, log_names(logs))
)
model <- get_model()
model |> fit(
  x, y, batch_size = 80, epochs = 1, verbose = 0, validation_split = 0.5,
  callbacks = list(callback_custom())
)
res <- model |> evaluate(x, y, batch_size = 128, verbose = 0, callbacks = list(callback_custom()))
res <- model |> predict(x, batch_size = 128, verbose = 0, callbacks = list(callback_custom()))

# 2. The loss of each epoch.
losses <- c()
callback_print_loss <- Callback(
  "LossAndErrorPrintingCallback",
  on_epoch_end = function(epoch, logs = NULL) {
    losses[epoch] <<- logs$loss
    cat(sprintf("The average loss for epoch %2i is %9.2f and mean absolute error is %7.2f\n",
                epoch, logs$loss, logs$mean_absolute_error))
  }
)
model <- get_model()
history <- model |> fit(x, y, batch_size = 32, epochs = 2, verbose = 0, callbacks = list(callback_print_loss()))

# 3. Stop when the loss has not fallen for `patience` epochs, and go back to the best weights.
callback_early_stopping_at_min_loss <- Callback(
  "EarlyStoppingAtMinLoss",
  initialize = function(patience = 0) {
    super$initialize()
    self$patience <- patience
    self$best_weights <- NULL
  },
  on_train_begin = function(logs = NULL) {
    self$wait <- 0
    self$stopped_epoch <- 0
    self$best <- Inf
  },
  on_epoch_end = function(epoch, logs = NULL) {
    if (logs$loss < self$best) {
      self$best <- logs$loss
      self$wait <- 0
      self$best_weights <- get_weights(self$model)
    } else {
      self$wait <- self$wait + 1
      if (self$wait >= self$patience) {
        self$stopped_epoch <- epoch
        self$model$stop_training <- TRUE
        set_weights(self$model, self$best_weights)
      }
    }
  },
  on_train_end = function(logs = NULL) {
    if (self$stopped_epoch > 0) cat("Epoch", self$stopped_epoch, ": early stopping\n")
  }
)
model <- get_model()
stopper <- callback_early_stopping_at_min_loss(patience = 2)
stopped <- model |> fit(
  x, y, batch_size = 64, epochs = 60, verbose = 0, callbacks = list(callback_print_loss(), stopper)
)
best_kept <- identical(get_weights(model), stopper$best_weights)

# 4. A learning rate by epoch.
schedule <- list(c(3, 0.03), c(5, 0.02), c(7, 0.005))
callback_custom_learning_rate_scheduler <- Callback(
  "CustomLearningRateScheduler",
  initialize = function(schedule) {
    super$initialize()
    self$schedule <- schedule
  },
  on_epoch_begin = function(epoch, logs = NULL) {
    lr <- as.numeric(self$model$optimizer$learning_rate)
    self$model$optimizer$learning_rate <- self$schedule(epoch, lr)
  }
)
rates <- c()
model <- get_model()
scheduled <- model |> fit(
  x, y, batch_size = 64, epochs = 8, verbose = 0,
  callbacks = list(
    callback_custom_learning_rate_scheduler(function(epoch, lr) {
      for (entry in schedule) if (epoch == entry[1]) return(entry[2])
      lr
    }),
    callback_lambda(on_epoch_end = \(epoch, logs) rates[epoch] <<- as.numeric(model$optimizer$learning_rate))
  )
)
