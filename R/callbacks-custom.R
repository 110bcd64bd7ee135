# Callback(): callback classes written by users (level 7). The parts of a class definition are those of Layer().

#' Define a callback class
#'
#' Makes a new kind of callback from R functions, the hooks, which [fit()][fit.birnn_model],
#' [evaluate()][evaluate.birnn_model] and [predict()][predict.birnn_model] call. `new_callback_class()` is the same
#' function.
#'
#' @section In hooks:
#' * `self$model` is the model, `self$params` a list with `epochs`, `steps` (batches of an epoch, `NA` if not known) and
#'   `verbose`. `self$name <- value` keeps a value in the callback.
#' * `self$model$stop_training <- TRUE` ends the training after the running batch;
#'   `self$model$optimizer$learning_rate` can be read and set; the model can be evaluated, applied, and given weights.
#' * Epochs and batches count from 1. `logs` is a named list of numbers, sorted by name: the loss and the metrics so
#'   far, at the end of an epoch also those of the validation.
#' * A hook that returns a named list changes the logs that the callbacks after it and the history see.
#' * `super$method()` calls the method of the class that this one inherits from; `private` has what is in `private`.
#'
#' A leading argument `self` of a hook is ignored.
#'
#' @param classname The name of the class.
#' @param on_epoch_begin,on_epoch_end `function(epoch, logs)`.
#' @param on_train_begin,on_train_end,on_test_begin,on_test_end,on_predict_begin,on_predict_end `function(logs)`: at the
#'   start and end of `fit()`, of `evaluate()` and each validation, and of `predict()`.
#' @param on_train_batch_begin,on_train_batch_end,on_test_batch_begin,on_test_batch_end,on_predict_batch_begin
#'   `function(batch, logs)`.
#' @param on_predict_batch_end `function(batch, logs)`.
#' @param ...,public Further methods and fields, by name: `initialize` takes the arguments of the class;
#'   `on_batch_begin` and `on_batch_end` stand for `on_train_batch_begin` and `on_train_batch_end`.
#' @param private A named list of functions and values that methods find in `private`.
#' @param inherit What another `Callback()` returned, a function such as [callback_early_stopping()], or `NULL`. Of
#'   such a function, `super$initialize()` takes the arguments.
#' @param parent_env The environment in which methods look for what is not theirs.
#' @return A function with the arguments of `initialize`, which makes a callback.
#' @source <https://keras.io/guides/writing_your_own_callbacks/>
#' @family callbacks
#' @export
#' @examples
#' callback_loss_below <- Callback("LossBelow",
#'   initialize = function(bound) self$bound <- bound,
#'   on_epoch_end = function(epoch, logs) {
#'     if (logs$loss < self$bound) self$model$stop_training <- TRUE
#'     list(distance = logs$loss - self$bound)
#'   }
#' )
#' set.seed(1)
#' model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
#' model |> compile(optimizer_sgd(0.05), loss = "mse")
#' history <- model |> fit(
#'   matrix(1:4), 1:4, epochs = 50, verbose = 0, callbacks = callback_loss_below(0.1)
#' )
#' history
Callback <- function(classname, on_epoch_begin = NULL, on_epoch_end = NULL, on_train_begin = NULL, on_train_end = NULL,
                     on_train_batch_begin = NULL, on_train_batch_end = NULL, on_test_begin = NULL, on_test_end = NULL,
                     on_test_batch_begin = NULL, on_test_batch_end = NULL, on_predict_begin = NULL,
                     on_predict_end = NULL, on_predict_batch_begin = NULL, on_predict_batch_end = NULL, ...,
                     public = list(), private = list(), inherit = NULL, parent_env = parent.frame()) {
  frame <- rlang::current_env()
  hooks <- mget(callback_hooks, envir = frame)
  define_own_class(callback_kind, hooks, rlang::dots_list(..., .ignore_empty = "all", .homonyms = "keep"), frame)
}

#' @rdname Callback
#' @export
new_callback_class <- Callback

callback_kind <- list(
  noun = "callback", root = CallbackBase, base = CallbackBase, builder = function() Callback, methods = callback_hooks,
  taken = c("model", "params", "set_model", "set_params"), finish = identity
)

# --- objects that are not of these classes ------------------------------------------------------------------------

# Any R6 object with hooks can be a callback: it is called as it is.
is_hook_object <- function(x) {
  if (!is.environment(x) || !is.object(x)) return(FALSE)
  any(vapply(mget(known_hooks, x, ifnotfound = FALSE), is.function, logical(1)))
}

AdoptedCallback <- R6::R6Class(
  "AdoptedCallback",
  inherit = CallbackBase,
  cloneable = FALSE,
  lock_objects = FALSE,
  public = list(
    object = NULL,
    initialize = function(object) {
      self$object <- object
      hooks <- Filter(is.function, mget(known_hooks, object, ifnotfound = FALSE))
      list2env(hooks, envir = self)
    },
    set_model = function(model) self$hand_over("model", model),
    set_params = function(params) self$hand_over("params", params),
    # If the object has a place for it.
    hand_over = function(name, value) {
      if (exists(name, self$object, inherits = FALSE)) assign(name, value, envir = self$object)
    }
  )
)
