# Callbacks that watch one number of the logs: is it better than before? (level 7)

# Base of callbacks with `monitor`, `mode` and `min_delta`.
MonitorCallback <- R6::R6Class(
  "MonitorCallback",
  inherit = CallbackBase,
  cloneable = FALSE,
  lock_objects = FALSE,
  public = list(
    monitor = NULL,
    mode = NULL,
    min_delta = 0,
    verbose = 0L,
    # +1: higher is better, -1: lower is better; known from the first epoch end on.
    direction = NULL,
    initialize = function(monitor, mode, min_delta, verbose) {
      call <- rlang::caller_env(2)
      self$monitor <- check_string(monitor, call = call)
      self$mode <- check_choice(mode, c("auto", "min", "max"), call = call)
      self$min_delta <- abs(check_number(min_delta, call = call))
      self$verbose <- check_whole(verbose, min = 0, call = call)
    },
    # What is watched in these logs; NULL, with a warning, if it is not there.
    watched = function(logs) {
      if (is.null(self$direction)) self$direction <- monitor_direction(self)
      value <- logs[[self$monitor]]
      if (is.null(value)) {
        birnn_warn(
          c("<{class(self)[[1]]}> watches {.val {self$monitor}}, which is not in the logs.",
            i = "There {?is/are} {.val {names(logs)}}."), kind = "callback", call = NULL
        )
      }
      value
    },
    worst = function() -self$direction * Inf,
    # Better by more than min_delta; never for NaN.
    improves = function(value, reference) {
      isTRUE(self$direction * value - self$min_delta > self$direction * reference)
    },
    tell = function(...) if (self$verbose > 0L) cat(paste0("\n", ..., "\n"))
  )
)

# "auto": a loss falls; a metric goes the way its class says.
monitor_direction <- function(callback) {
  if (callback$mode != "auto") return(if (callback$mode == "max") 1 else -1)
  name <- sub("^val_", "", callback$monitor)
  if (name == "loss") return(-1)
  entries <- layer_object(callback$model)$setup$metrics
  keys <- vapply(entries, `[[`, "", "key")
  direction <- if (name %in% keys) metric_direction(entries[[match(name, keys)]]$metric)
  if (!is.null(direction)) return(direction)
  birnn_abort(
    c("<{class(callback)[[1]]}> cannot tell whether {.val {callback$monitor}} should rise or fall.",
      i = "Say so with {.code mode = \"max\"} or {.code mode = \"min\"}."), call = NULL
  )
}

# +1 for metrics that should rise, -1 for those that should fall, NULL if nothing is known. A class of the user's says
# it in a field `direction`, "up" or "down".
metric_direction <- function(metric) {
  if (is.character(metric$direction)) return(if (metric$direction == "up") 1 else -1)
  word <- metric$class_name %||% ""
  if (grepl("Accuracy|AUC|Precision|Recall|Sensitivity|Specificity|Score|IoU|Similarity|Correlation", word)) return(1)
  if (grepl("Error|entropy|Hinge|Poisson|Divergence|FalsePositives|FalseNegatives", word)) return(-1)
}

#' Stop training when a number does not improve any more
#'
#' @param monitor The name of a number in the logs, such as `"val_loss"`, `"loss"` or `"val_accuracy"`. If it is not
#'   there, there is a warning and nothing happens.
#' @param min_delta By how much a value must be better than the best one to count.
#' @param patience After how many epochs in a row without improvement to stop; 0 stops at the first one. The first epoch
#'   never stops.
#' @param verbose 1 prints a line when something is done.
#' @param mode `"min"`: lower is better, `"max"`: higher is better, `"auto"`: what fits the loss or the metric.
#' @param baseline A value that must be beaten too before the waiting starts anew.
#' @param restore_best_weights Whether training ends with the weights of the best epoch, also if it was not stopped.
#' @param start_from_epoch How many epochs to let pass before looking.
#' @return A callback for [fit()][fit.birnn_model].
#' @source Behaves as [keras.callbacks.EarlyStopping](https://keras.io/api/callbacks/early_stopping/).
#' @family callbacks
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
#' model |> compile(optimizer_sgd(1e-9), loss = "mse")
#' history <- model |> fit(
#'   matrix(1:4), 1:4, epochs = 10, verbose = 0,
#'   callbacks = callback_early_stopping("loss", min_delta = 0.01, patience = 2)
#' )
#' length(history$metrics$loss)
callback_early_stopping <- function(monitor = "val_loss", min_delta = 0, patience = 0L, verbose = 0L, mode = "auto",
                                    baseline = NULL, restore_best_weights = FALSE, start_from_epoch = 0L) {
  EarlyStopping$new(
    monitor = monitor, mode = mode, min_delta = min_delta, verbose = verbose,
    patience = check_whole(patience, min = 0), baseline = check_number(baseline, allow_null = TRUE),
    restore_best_weights = check_flag(restore_best_weights), start_from_epoch = check_whole(start_from_epoch, min = 0)
  )
}

EarlyStopping <- R6::R6Class(
  "EarlyStopping",
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
      self$best_weights <- NULL
      self$best_epoch <- 0L
      self$stopped_epoch <- 0L
      self$wait <- 0L
    },
    on_epoch_end = function(epoch, logs) {
      value <- self$watched(logs)
      if (is.null(value) || epoch <= self$start_from_epoch) return(NULL)
      if (is.null(self$best)) self$best <- self$worst()
      if (is.null(self$best_weights)) self$keep_weights(epoch)
      self$wait <- self$wait + 1L
      if (self$improves(value, self$best)) {
        self$best <- value
        self$keep_weights(epoch)
        if (is.null(self$baseline) || self$improves(value, self$baseline)) self$wait <- 0L
        return(NULL)
      }
      if (self$wait >= self$patience && epoch > 1) {
        self$stopped_epoch <- epoch
        self$model$stop_training <- TRUE
      }
      NULL
    },
    on_train_end = function(logs) {
      if (self$stopped_epoch > 0L) self$tell("Epoch ", self$stopped_epoch, ": early stopping")
      if (is.null(self$best_weights)) return(NULL)
      self$tell("Restoring the weights of the best epoch, ", self$best_epoch, ".")
      Map(set_variable, layer_variables(self$model), self$best_weights)
      self$best_weights <- NULL
    },
    # Tensors of the weights as they are: the next update makes a copy of its own.
    keep_weights = function(epoch) {
      if (!self$restore_best_weights) return(invisible())
      self$best_epoch <- epoch
      self$best_weights <- lapply(layer_variables(self$model), variable_value)
    }
  )
)
