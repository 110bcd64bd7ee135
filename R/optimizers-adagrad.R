# Adagrad and Adadelta: which numbers and slots their rules need (level 3).

#' Adagrad and Adadelta
#'
#' `optimizer_adagrad()` divides each gradient by the root of the sum of its squares so far:
#' \eqn{w \leftarrow w - \eta g / \sqrt{a + \epsilon}}. `optimizer_adadelta()` takes moving averages instead of sums,
#' and steps as large as the recent changes of the weights.
#'
#' @inheritParams optimizer_sgd
#' @param initial_accumulator_value What the sums start with.
#' @param rho How much of the moving averages is kept at each step.
#' @param epsilon A small number.
#' @inherit optimizer_sgd return
#' @source <https://keras.io/api/optimizers/adagrad/>
#' @family optimizers
#' @export
#' @examples
#' optimizer_adagrad(0.1)
optimizer_adagrad <- function(learning_rate = 0.001, initial_accumulator_value = 0.1, epsilon = 1e-07,
                              weight_decay = NULL, clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL,
                              use_ema = FALSE, ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "adagrad",
                              ..., loss_scale_factor = NULL, gradient_accumulation_steps = NULL) {
  args <- as.list(environment())
  own <- list(initial_accumulator_value = own_number, epsilon = own_number)
  slots <- function(config) list("accumulator")
  new_optimizer("Adagrad", "adagrad", args, list(...), own, slots, slot_start = initial_accumulator_value)
}

#' @rdname optimizer_adagrad
#' @export
optimizer_adadelta <- function(learning_rate = 0.001, rho = 0.95, epsilon = 1e-07, weight_decay = NULL,
                               clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE,
                               ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "adadelta", ...,
                               loss_scale_factor = NULL, gradient_accumulation_steps = NULL) {
  args <- as.list(environment())
  own <- list(rho = own_rate, epsilon = own_number)
  slots <- function(config) list(c("accumulated_grad", "accumulated_delta_var"))
  new_optimizer("Adadelta", "adadelta", args, list(...), own, slots)
}

register_optimizer("Adagrad", optimizer_adagrad)
register_optimizer("Adadelta", optimizer_adadelta)
