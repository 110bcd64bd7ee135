# SGD and RMSprop: which numbers and slots their rules need (level 3).

#' Gradient descent
#'
#' Weights go against the gradient: \eqn{w \leftarrow w - \eta g}; with momentum \eqn{m \leftarrow \mu m - \eta g},
#' \eqn{w \leftarrow w + m}, or with `nesterov` \eqn{w \leftarrow w + \mu m - \eta g}.
#'
#' At each step: gradients are clipped; with `weight_decay` all weights shrink by `weight_decay * learning_rate`; the
#' rule is applied; the moving average is updated; constraints act.
#'
#' @param learning_rate A positive number, which can be changed later: `optimizer$learning_rate <- 0.01`. Or a schedule
#'   such as [learning_rate_schedule_cosine_decay()], or a function: of no argument, or of the number of steps done.
#' @param momentum A number from 0 to 1.
#' @param nesterov Whether to look ahead along the momentum.
#' @param weight_decay A number, or `NULL` for none.
#' @param clipnorm Each gradient array longer than this (in the Euclidean norm) is shortened to it.
#' @param clipvalue Each number of the gradients is limited to this size.
#' @param global_clipnorm All gradients together are shortened to this norm. Only one of the three can be given.
#' @param use_ema Whether to keep moving averages of the weights, which the weights become when training ends.
#' @param ema_momentum How much of the average is kept at each step.
#' @param ema_overwrite_frequency Every so many steps the weights become their averages; `NULL`: only at the end.
#' @param name A name.
#' @param ... `lr`, an earlier name of `learning_rate`.
#' @param loss_scale_factor Accepted for compatibility: scaling the loss has no effect on the weights.
#' @param gradient_accumulation_steps Weights change only every so many steps (at least 2), by the mean of the
#'   gradients.
#' @return An optimizer for [compile()][compile.birnn_model], with the fields `$learning_rate`, `$iterations` and
#'   `$variables`.
#' @source <https://keras.io/api/optimizers/sgd/>
#' @family optimizers
#' @export
#' @examples
#' optimizer <- optimizer_sgd(learning_rate = 0.1, momentum = 0.9)
#' optimizer$learning_rate <- 0.05
#' as.numeric(optimizer$learning_rate)
optimizer_sgd <- function(learning_rate = 0.01, momentum = 0, nesterov = FALSE, weight_decay = NULL, clipnorm = NULL,
                          clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99,
                          ema_overwrite_frequency = NULL, name = "SGD", ..., loss_scale_factor = NULL,
                          gradient_accumulation_steps = NULL) {
  args <- as.list(environment())
  own <- list(momentum = own_rate, nesterov = own_flag)
  slots <- function(config) list(if (config$momentum > 0) "momentum")
  new_optimizer("SGD", "sgd", args, list(...), own, slots)
}

#' RMSprop
#'
#' Gradients are divided by the root of a moving average of their squares: \eqn{v \leftarrow \rho v + (1 - \rho) g^2},
#' \eqn{w \leftarrow w - \eta g / \sqrt{v + \epsilon}}. With `centered` the squared moving average of \eqn{g} is taken
#' off \eqn{v}.
#'
#' @inheritParams optimizer_sgd
#' @param rho How much of the moving average is kept at each step.
#' @param epsilon A small number; inside the root.
#' @param centered Whether the variance of the gradients is used instead of their second moment.
#' @inherit optimizer_sgd return
#' @source <https://keras.io/api/optimizers/rmsprop/>
#' @family optimizers
#' @export
#' @examples
#' optimizer_rmsprop(0.01)
optimizer_rmsprop <- function(learning_rate = 0.001, rho = 0.9, momentum = 0, epsilon = 1e-07, centered = FALSE,
                              weight_decay = NULL, clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL,
                              use_ema = FALSE, ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "rmsprop",
                              ..., loss_scale_factor = NULL, gradient_accumulation_steps = NULL) {
  args <- as.list(environment())
  own <- list(rho = own_rate, momentum = own_rate, epsilon = own_number, centered = own_flag)
  slots <- function(config) {
    list("velocity", if (config$momentum > 0) "momentum", if (config$centered) "average_gradient")
  }
  new_optimizer("RMSprop", "rmsprop", args, list(...), own, slots)
}

register_optimizer("SGD", optimizer_sgd)
register_optimizer("RMSprop", optimizer_rmsprop)
