# The callback that evaluates with averaged weights (level 7).

#' Evaluate and predict with the moving averages of the weights
#'
#' For optimizers with `use_ema = TRUE`. Weights and their averages change places while the model is validated,
#' evaluated or applied, and change back afterwards.
#'
#' @param swap_on_epoch Whether the averages also stay in place from the end of an epoch to the start of the next one,
#'   for callbacks that look at the weights then; they must come after this one.
#' @return A callback.
#' @source Behaves as [keras.callbacks.SwapEMAWeights](https://keras.io/api/callbacks/swap_ema_weights/).
#' @family callbacks
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
#' model |> compile(optimizer_sgd(0.01, use_ema = TRUE), loss = "mse")
#' model |> fit(
#'   matrix(1:4), 1:4, epochs = 2, verbose = 0, validation_split = 0.5,
#'   callbacks = callback_swap_ema_weights()
#' )
callback_swap_ema_weights <- function(swap_on_epoch = FALSE) SwapEMAWeights$new(check_flag(swap_on_epoch))

SwapEMAWeights <- R6::R6Class(
  "SwapEMAWeights",
  inherit = CallbackBase,
  cloneable = FALSE,
  public = list(
    swap_on_epoch = FALSE,
    swapped = FALSE,
    initialize = function(swap_on_epoch) self$swap_on_epoch <- swap_on_epoch,
    on_epoch_begin = function(epoch, logs) {
      if (self$swap_on_epoch) self$put_back()
    },
    on_epoch_end = function(epoch, logs) {
      if (!self$swap_on_epoch) return(NULL)
      self$put_in()
      # fit() ends by writing the averages into the weights: they are there already.
      is_last <- epoch == self$params$epochs || isTRUE(self$model$stop_training)
      if (is_last) for (pair in averaged_weights(self$model)) set_variable(pair$average, variable_value(pair$weight))
      NULL
    },
    on_train_end = function(logs) {
      self$swapped <- FALSE
      NULL
    },
    on_test_begin = function(logs) self$put_in(),
    on_test_end = function(logs) self$put_back(),
    on_predict_begin = function(logs) self$put_in(),
    on_predict_end = function(logs) self$put_back(),
    put_in = function() if (!self$swapped) self$swap(),
    put_back = function() if (self$swapped) self$swap(),
    swap = function() {
      for (pair in averaged_weights(self$model)) {
        weight <- variable_value(pair$weight)
        set_variable(pair$weight, variable_value(pair$average))
        set_variable(pair$average, weight)
      }
      self$swapped <- !self$swapped
      NULL
    }
  )
)

# The weights that the optimizer knows, each with its moving average.
averaged_weights <- function(model) {
  optimizer <- model$optimizer
  if (is.null(optimizer) || !isTRUE(optimizer$config$use_ema)) {
    birnn_abort(
      c("{.fn callback_swap_ema_weights} needs an optimizer with {.code use_ema = TRUE}.",
        i = "For example {.code optimizer_adam(use_ema = TRUE)}."), kind = "state", call = NULL
    )
  }
  Map(function(weight, slots) list(weight = weight, average = slots$average), optimizer$tracked, optimizer$slots)
}
