# Callbacks that change the learning rate (level 7).

learning_rate_of <- function(model) as.numeric(model$optimizer$learning_rate)

set_learning_rate_of <- function(model, rate) model$optimizer$learning_rate <- rate

#' Lower the learning rate when a number does not improve any more
#'
#' The history of the training gets the series `learning_rate`: the rate with which each epoch was trained.
#'
#' @inheritParams callback_early_stopping
#' @param factor By what the learning rate is multiplied, below 1.
#' @param patience After how many epochs without improvement to do so.
#' @param cooldown How many epochs after a reduction are not counted.
#' @param min_lr A bound that the rate does not fall below.
#' @param ... Not used; for compatibility.
#' @return A callback for [fit()][fit.birnn_model].
#' @source Behaves as [keras.callbacks.ReduceLROnPlateau](https://keras.io/api/callbacks/reduce_lr_on_plateau/).
#' @family callbacks
#' @export
#' @examples
#' callback_reduce_lr_on_plateau("loss", factor = 0.5, patience = 2)
callback_reduce_lr_on_plateau <- function(monitor = "val_loss", factor = 0.1, patience = 10L, verbose = 0L,
                                          mode = "auto", min_delta = 1e-04, cooldown = 0L, min_lr = 0, ...) {
  check_no_dots(list(...), callback_reduce_lr_on_plateau, "callback_reduce_lr_on_plateau()", rlang::current_env())
  if (check_number(factor, min = 0) >= 1) stop_not("a number below 1", factor, "factor", rlang::current_env())
  ReduceLROnPlateau$new(
    monitor = monitor, mode = mode, min_delta = min_delta, verbose = verbose, factor = factor,
    patience = check_whole(patience, min = 0), cooldown = check_whole(cooldown, min = 0),
    min_lr = check_number(min_lr, min = 0)
  )
}

ReduceLROnPlateau <- R6::R6Class(
  "ReduceLROnPlateau",
  inherit = MonitorCallback,
  cloneable = FALSE,
  lock_objects = FALSE,
  public = list(
    initialize = function(monitor, mode, min_delta, verbose, ...) {
      super$initialize(monitor, mode, min_delta, verbose)
      list2env(list(...), envir = self)
    },
    on_train_begin = function(logs) {
      self$direction <- NULL
      self$best <- NULL
      self$wait <- 0L
      self$cooling <- 0L
    },
    on_epoch_end = function(epoch, logs) {
      rate <- learning_rate_of(self$model)
      value <- self$watched(logs)
      if (!is.null(value)) self$judge(value, rate, epoch)
      list(learning_rate = rate)
    },
    judge = function(value, rate, epoch) {
      if (is.null(self$best)) self$best <- self$worst()
      if (self$cooling > 0L) {
        self$cooling <- self$cooling - 1L
        self$wait <- 0L
      }
      if (self$improves(value, self$best)) {
        self$best <- value
        self$wait <- 0L
      } else if (self$cooling == 0L) {
        self$wait <- self$wait + 1L
        if (self$wait >= self$patience && rate > self$min_lr) self$reduce(rate, epoch)
      }
    },
    reduce = function(rate, epoch) {
      reduced <- max(rate * self$factor, self$min_lr)
      set_learning_rate_of(self$model, reduced)
      self$tell("Epoch ", epoch, ": reducing the learning rate to ", format(reduced), ".")
      self$cooling <- self$cooldown
      self$wait <- 0L
    }
  )
)

#' Set the learning rate before every epoch
#'
#' The history of the training gets the series `learning_rate`.
#'
#' @param schedule A function of the epoch, or of the epoch and the present learning rate, that returns the new one.
#'   Epochs count from 0 here, as in Keras and unlike in other callbacks.
#' @param verbose 1 prints a line in every epoch.
#' @return A callback for [fit()][fit.birnn_model].
#' @source Behaves as [keras.callbacks.LearningRateScheduler](https://keras.io/api/callbacks/learning_rate_scheduler/).
#' @family callbacks
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
#' model |> compile(optimizer_sgd(0.1), loss = "mse")
#' halve <- callback_learning_rate_scheduler(function(epoch, rate) if (epoch < 2) rate else rate / 2)
#' history <- model |> fit(matrix(1:4), 1:4, epochs = 4, verbose = 0, callbacks = halve)
#' history$metrics$learning_rate
callback_learning_rate_scheduler <- function(schedule, verbose = 0L) {
  if (!is.function(schedule)) stop_not("a function of the epoch", schedule, "schedule", rlang::current_env())
  LearningRateScheduler$new(schedule, check_whole(verbose, min = 0))
}

LearningRateScheduler <- R6::R6Class(
  "LearningRateScheduler",
  inherit = CallbackBase,
  cloneable = FALSE,
  public = list(
    schedule = NULL,
    verbose = 0L,
    initialize = function(schedule, verbose) {
      self$schedule <- schedule
      self$verbose <- verbose
    },
    on_epoch_begin = function(epoch, logs) {
      rate <- scheduled_rate(self$schedule, epoch - 1L, learning_rate_of(self$model))
      set_learning_rate_of(self$model, rate)
      if (self$verbose > 0L) cat("\nEpoch ", epoch, ": setting the learning rate to ", format(rate), ".\n", sep = "")
      NULL
    },
    on_epoch_end = function(epoch, logs) list(learning_rate = learning_rate_of(self$model))
  )
)

# Functions of one argument get the epoch alone.
scheduled_rate <- function(schedule, epoch, rate) {
  takes_rate <- !is_handle(schedule) && accepts_two(schedule)
  value <- if (takes_rate) schedule(epoch, rate) else schedule(epoch)
  if (is_tensor_like(value)) value <- as.numeric(value)
  if (is_single_number(value) && is.finite(value) && value >= 0) return(as.numeric(value))
  birnn_abort(
    "{.arg schedule} must return a learning rate, a number of at least 0, not {describe_value(value)}.", call = NULL
  )
}

accepts_two <- function(fn) {
  arguments <- names(formals(args(fn)))
  length(arguments) >= 2 || "..." %in% arguments
}
