# Callbacks: what runs between the steps of fit(), evaluate() and predict() (level 7).
#
# The protocol: an R6 object of class `birnn_callback` with any of the methods in `callback_hooks`. on_epoch_* get
# (epoch, logs), on_*_batch_* get (batch, logs), the others (logs); epochs and batches count from 1. `self$model` is the
# model, `self$params` a list with epochs, steps, verbose. A hook that returns a named list changes the logs that the
# next callbacks and the history see. `logs` of batch hooks is a promise: it costs nothing unless it is looked at.

callback_hooks <- c(
  "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end",
  "on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end",
  "on_predict_begin", "on_predict_end", "on_predict_batch_begin", "on_predict_batch_end"
)

# Names that are as good, where the callback has no hook of the name itself.
older_hooks <- c(on_train_batch_begin = "on_batch_begin", on_train_batch_end = "on_batch_end")
known_hooks <- c(callback_hooks, unname(older_hooks))

CallbackBase <- R6::R6Class(
  "birnn_callback",
  cloneable = FALSE,
  lock_objects = FALSE,
  public = list(
    model = NULL,
    params = NULL,
    initialize = function() invisible(),
    set_model = function(model) self$model <- model,
    set_params = function(params) self$params <- params
  )
)

is_callback <- function(x) inherits(x, "birnn_callback")

#' @export
print.birnn_callback <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @export
format.birnn_callback <- function(x, ...) paste0("<", class(x)[[1]], ">")

#' @export
str.birnn_callback <- function(object, ...) cat(" ", format(object), "\n", sep = "")

#' A callback from functions
#'
#' Calls your functions at the given moments of [fit()][fit.birnn_model], [evaluate()][evaluate.birnn_model] and
#' [predict()][predict.birnn_model].
#'
#' @param on_epoch_begin,on_epoch_end `function(epoch, logs)`; epochs count from 1.
#' @param on_train_begin,on_train_end `function(logs)`.
#' @param on_train_batch_begin,on_train_batch_end `function(batch, logs)`; batches count from 1 in every epoch.
#' @param ... The other hooks by name: `on_test_begin`, `on_test_end`, `on_predict_begin`, `on_predict_end`
#'   (`function(logs)`), `on_test_batch_begin`, `on_test_batch_end`, `on_predict_batch_begin`, `on_predict_batch_end`
#'   (`function(batch, logs)`). `on_batch_begin` and `on_batch_end` are those of a training batch.
#' @return A callback. `logs` is a named list of numbers, sorted by name. A function of an epoch that returns a named
#'   list changes the logs for the callbacks after it and for the history.
#' @family callbacks
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
#' model |> compile(optimizer_sgd(), loss = "mse")
#' shout <- callback_lambda(
#'   on_epoch_end = function(epoch, logs) cat("epoch", epoch, "loss", logs$loss, "\n")
#' )
#' model |> fit(matrix(0, 4, 2), rep(1, 4), epochs = 2, verbose = 0, callbacks = shout)
callback_lambda <- function(on_epoch_begin = NULL, on_epoch_end = NULL, on_train_begin = NULL, on_train_end = NULL,
                            on_train_batch_begin = NULL, on_train_batch_end = NULL, ...) {
  hooks <- compact(list(
    on_epoch_begin = on_epoch_begin, on_epoch_end = on_epoch_end, on_train_begin = on_train_begin,
    on_train_end = on_train_end, on_train_batch_begin = on_train_batch_begin,
    on_train_batch_end = on_train_batch_end
  ))
  others <- list(...)
  check_named(others)
  check_known_names(names(others), known_hooks, "callback_lambda()")
  hooks <- c(hooks, compact(others))
  for (name in names(hooks)) check_hook(hooks[[name]], name)
  LambdaCallback$new(hooks)
}

check_hook <- function(hook, name, call = rlang::caller_env()) {
  if (!is.function(hook)) stop_not("a function", hook, name, call)
}

LambdaCallback <- R6::R6Class(
  "LambdaCallback",
  inherit = CallbackBase,
  cloneable = FALSE,
  lock_objects = FALSE,
  public = list(
    initialize = function(hooks) for (name in names(hooks)) assign(name, hooks[[name]], envir = self)
  )
)

#' Stop training when the loss is not finite
#'
#' Without this callback, [fit()][fit.birnn_model] raises an error when the loss of a batch is `NaN` or infinite. With
#' it, `fit()` ends after that batch, with a message, and returns the history up to there.
#'
#' @param raise_error Whether to raise the error nevertheless.
#' @return A callback.
#' @source Behaves as [keras.callbacks.TerminateOnNaN](https://keras.io/api/callbacks/terminate_on_nan/); the update
#'   with the bad loss is not made.
#' @family callbacks
#' @export
#' @examples
#' callback_terminate_on_nan()
callback_terminate_on_nan <- function(raise_error = FALSE) TerminateOnNaN$new(check_flag(raise_error))

TerminateOnNaN <- R6::R6Class(
  "TerminateOnNaN",
  inherit = CallbackBase,
  cloneable = FALSE,
  public = list(
    raise_error = FALSE,
    initialize = function(raise_error) self$raise_error <- raise_error,
    # Asked by fit() before it raises its error; TRUE: taken care of.
    on_nonfinite_loss = function(batch) {
      if (self$raise_error) return(FALSE)
      cli::cli_inform("Batch {batch}: the loss is not finite, training stops.")
      self$model$stop_training <- TRUE
      TRUE
    }
  )
)

# Collects the logs of every epoch.
HistoryCallback <- R6::R6Class(
  "History",
  inherit = CallbackBase,
  cloneable = FALSE,
  public = list(
    epoch = integer(),
    metrics = list(),
    # The epochs in which each metric was computed.
    metric_epochs = list(),
    on_epoch_end = function(epoch, logs) {
      epoch <- as.integer(epoch) - 1L
      self$epoch <- c(self$epoch, epoch)
      for (name in names(logs)) {
        value <- logs[[name]]
        if (!is.integer(value)) value <- as.numeric(value)
        known <- self$metrics[[name]]
        # Of a metric with several values a matrix, one row an epoch.
        self$metrics[[name]] <- if (length(value) > 1L) rbind(known, value, deparse.level = 0) else c(known, value)
        self$metric_epochs[[name]] <- c(self$metric_epochs[[name]], epoch)
      }
      NULL
    },
    as_history = function() new_history(self$params, self$metrics, self$epoch, self$metric_epochs)
  )
)

# Draws the history anew after each epoch, where someone can see it.
MetricsViewer <- R6::R6Class(
  "MetricsViewer",
  inherit = CallbackBase,
  cloneable = FALSE,
  public = list(
    history = NULL,
    initialize = function(history) self$history <- history,
    on_epoch_end = function(epoch, logs) {
      if (!interactive() && grDevices::dev.cur() == 1L) return(NULL)
      drawing <- plot(self$history$as_history())
      if (!is.null(drawing)) print(drawing)
      NULL
    }
  )
)

# --- calling them -------------------------------------------------------------------------------------------------

# `callbacks`: NULL, one callback, or a list of them.
as_callbacks <- function(callbacks, call = rlang::caller_env()) {
  if (is.null(callbacks)) return(list())
  if (!is_plain_list(callbacks)) return(list(as_callback(callbacks, "callbacks", call)))
  unname(Map(function(callback, k) as_callback(callback, sprintf("callbacks[[%d]]", k), call),
             callbacks, seq_along(callbacks)))
}

as_callback <- function(x, arg, call) {
  if (is_callback(x)) return(x)
  if (is_hook_object(x)) return(AdoptedCallback$new(x))
  hint <- if (inherits(x, "birnn_own_class")) {
    "It is a class: make a callback of it with parentheses, as in {.code Class()}."
  }
  stop_not(if (arg == "callbacks") "a callback or a list of callbacks" else "a callback", x, arg, call, hint)
}

# The callbacks of one run by the hooks they have: a hook that nobody has costs nothing.
new_callback_list <- function(callbacks, model, params) {
  if (length(callbacks) == 0L) return(list())
  for (callback in callbacks) {
    callback$set_model(model)
    callback$set_params(params)
    take_older_hooks(callback)
  }
  lapply(rlang::set_names(c(callback_hooks, "on_nonfinite_loss", "on_safe_point")), function(hook) {
    Filter(function(callback) is.function(field(callback, hook)), callbacks)
  })
}

take_older_hooks <- function(callback) {
  for (hook in names(older_hooks)) {
    older <- callback[[older_hooks[[hook]]]]
    if (is.function(older) && is.null(callback[[hook]])) assign(hook, older, envir = callback)
  }
}

# Calls `hook(logs)` of every callback that has it. Returns the logs, with the changes that hooks returned.
run_hooks <- function(callbacks, hook, logs = list()) {
  for (callback in callbacks[[hook]]) logs <- changed_logs(logs, call_hook(callback, hook, logs))
  logs
}

# The same for `hook(epoch, logs)`.
run_epoch_hooks <- function(callbacks, hook, epoch, logs = list()) {
  for (callback in callbacks[[hook]]) logs <- changed_logs(logs, call_hook(callback, hook, epoch, logs))
  logs
}

# Calls `hook(batch, logs)`; `logs` stays a promise as long as no hook changes it.
run_batch_hooks <- function(callbacks, hook, batch, logs = list()) {
  for (callback in callbacks[[hook]]) {
    changes <- call_hook(callback, hook, batch, logs)
    if (is.list(changes)) logs <- changed_logs(logs, changes)
  }
}

changed_logs <- function(logs, changes) {
  if (is.list(changes) && !is.object(changes) && !is.null(names(changes))) utils::modifyList(logs, changes) else logs
}

# Whether a callback took care of a loss that is not finite.
nonfinite_is_handled <- function(callbacks, batch) {
  handled <- vapply(callbacks$on_nonfinite_loss, function(callback) {
    isTRUE(call_hook(callback, "on_nonfinite_loss", batch))
  }, logical(1))
  any(handled)
}

# An error inside a callback comes with the callback's name and the hook; errors of this package keep their kind.
call_hook <- function(callback, hook, ...) {
  tryCatch(callback[[hook]](...), error = function(error) {
    kind <- sub("^birnn_error_", "", grep("^birnn_error_", class(error), value = TRUE))
    birnn_abort(
      "{.fn {hook}} of the callback {.cls {class(callback)[[1]]}} failed.",
      kind = if (length(kind)) kind[[1]] else "internal", call = NULL, parent = error
    )
  })
}
