# Adam and its relatives: which numbers and slots their rules need (level 3).

own_betas <- list(beta_1 = own_rate, beta_2 = own_rate, epsilon = own_number)

adam_slots <- function(config) list(c("momentum", "velocity"), if (config$amsgrad) "velocity_hat")

#' Adam
#'
#' Moving averages \eqn{m} of the gradients and \eqn{v} of their squares decide each step:
#' \eqn{w \leftarrow w - \eta \sqrt{1 - \beta_2^t} / (1 - \beta_1^t) \cdot m / (\sqrt{v} + \epsilon)} at update \eqn{t}.
#' `optimizer_adam_w()` has weight decay built in.
#'
#' @inheritParams optimizer_sgd
#' @param beta_1,beta_2 How much of the moving averages of the gradients and of their squares is kept at each step.
#' @param epsilon A small number; outside the root, not bias-corrected.
#' @param amsgrad Whether the largest \eqn{v} so far is used.
#' @inherit optimizer_sgd return
#' @references Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization. *ICLR*.
#'   <https://arxiv.org/abs/1412.6980>
#' @source <https://keras.io/api/optimizers/adam/>
#' @family optimizers
#' @export
#' @examples
#' optimizer_adam(learning_rate = 0.002, clipnorm = 1)
optimizer_adam <- function(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-07, amsgrad = FALSE,
                           weight_decay = NULL, clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL,
                           use_ema = FALSE, ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "adam", ...,
                           loss_scale_factor = NULL, gradient_accumulation_steps = NULL) {
  args <- as.list(environment())
  own <- c(own_betas, list(amsgrad = own_flag))
  new_optimizer("Adam", "adam", args, list(...), own, adam_slots)
}

#' @rdname optimizer_adam
#' @export
optimizer_adam_w <- function(learning_rate = 0.001, weight_decay = 0.004, beta_1 = 0.9, beta_2 = 0.999,
                             epsilon = 1e-07, amsgrad = FALSE, clipnorm = NULL, clipvalue = NULL,
                             global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99,
                             ema_overwrite_frequency = NULL, name = "adamw", ..., loss_scale_factor = NULL,
                             gradient_accumulation_steps = NULL) {
  args <- as.list(environment())
  if (is.null(weight_decay)) birnn_abort("{.arg weight_decay} of {.fn optimizer_adam_w} must be a number, not NULL.")
  own <- c(own_betas, list(amsgrad = own_flag))
  new_optimizer("AdamW", "adam", args, list(...), own, adam_slots)
}

#' Relatives of Adam
#'
#' `optimizer_adamax()` uses the largest gradient instead of the second moment, `optimizer_nadam()` adds Nesterov
#' momentum to Adam, `optimizer_lion()` goes by the sign of the momentum only.
#'
#' @inheritParams optimizer_adam
#' @inherit optimizer_sgd return
#' @source <https://keras.io/api/optimizers/adamax/>
#' @family optimizers
#' @export
#' @examples
#' optimizer_nadam(0.002)
optimizer_adamax <- function(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-07, weight_decay = NULL,
                             clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE,
                             ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "adamax", ...,
                             loss_scale_factor = NULL, gradient_accumulation_steps = NULL) {
  args <- as.list(environment())
  slots <- function(config) list(c("momentum", "norm"))
  new_optimizer("Adamax", "adamax", args, list(...), own_betas, slots)
}

#' @rdname optimizer_adamax
#' @export
optimizer_nadam <- function(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-07, weight_decay = NULL,
                            clipnorm = NULL, clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE,
                            ema_momentum = 0.99, ema_overwrite_frequency = NULL, name = "nadam", ...,
                            loss_scale_factor = NULL, gradient_accumulation_steps = NULL) {
  args <- as.list(environment())
  slots <- function(config) list(c("momentum", "velocity"))
  product <- new_variable(1, dtype = floatx(), trainable = FALSE, name = "u_product", path = "nadam/u_product")
  new_optimizer("Nadam", "nadam", args, list(...), own_betas, slots, extra = list(u_product = product))
}

#' @rdname optimizer_adamax
#' @export
optimizer_lion <- function(learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.99, weight_decay = NULL, clipnorm = NULL,
                           clipvalue = NULL, global_clipnorm = NULL, use_ema = FALSE, ema_momentum = 0.99,
                           ema_overwrite_frequency = NULL, name = "lion", ..., loss_scale_factor = NULL,
                           gradient_accumulation_steps = NULL) {
  args <- as.list(environment())
  if (identical(check_number(beta_1), 0)) stop_not("a number above 0 and up to 1", 0, "beta_1", rlang::current_env())
  own <- list(beta_1 = own_rate, beta_2 = own_rate)
  new_optimizer("Lion", "lion", args, list(...), own, function(config) list("momentum"))
}

register_optimizer("Adam", optimizer_adam)
register_optimizer("AdamW", optimizer_adam_w, "adam_w")
register_optimizer("Adamax", optimizer_adamax)
register_optimizer("Nadam", optimizer_nadam)
register_optimizer("Lion", optimizer_lion)
