# Losses of numbers: squared, absolute, logarithmic and robust errors, cosine, Poisson (level 3).

# Values are means over the last axis; e is the error, y the target, p the prediction.

mean_last <- function(x) op_mean(x, axis = -1)

squared_error_values <- function(y_true, y_pred) {
  pair <- paired(y_true, y_pred)
  mean_last(op_square(op_subtract(pair$pred, pair$true)))
}

absolute_error_values <- function(y_true, y_pred) {
  pair <- paired(y_true, y_pred)
  mean_last(op_abs(op_subtract(pair$pred, pair$true)))
}

percentage_error_values <- function(y_true, y_pred) {
  pair <- paired(y_true, y_pred)
  share <- op_divide(op_subtract(pair$true, pair$pred), op_maximum(op_abs(pair$true), config_epsilon()))
  op_multiply(mean_last(op_abs(share)), 100)
}

squared_logarithmic_error_values <- function(y_true, y_pred) {
  logs <- lapply(paired(y_true, y_pred), function(x) op_log(op_add(op_maximum(x, config_epsilon()), 1)))
  mean_last(op_square(op_subtract(logs$pred, logs$true)))
}

huber_values <- function(y_true, y_pred, delta = 1) {
  pair <- paired(y_true, y_pred)
  size <- op_abs(op_subtract(pair$pred, pair$true))
  outer <- op_subtract(op_multiply(size, delta), delta^2 / 2)
  mean_last(op_where(op_less_equal(size, delta), op_multiply(op_square(size), 0.5), outer))
}

# log(cosh(e)) = e + log(1 + exp(-2e)) - log(2), without overflow.
log_cosh_values <- function(y_true, y_pred) {
  pair <- paired(y_true, y_pred)
  e <- op_subtract(pair$pred, pair$true)
  mean_last(op_subtract(op_add(e, op_softplus(op_multiply(e, -2))), log(2)))
}

cosine_similarity_values <- function(y_true, y_pred, axis = -1L) {
  pair <- paired(y_true, y_pred)
  product <- op_multiply(unit_vectors(pair$true, axis), unit_vectors(pair$pred, axis))
  op_negative(op_sum(product, axis = axis))
}

poisson_values <- function(y_true, y_pred) {
  pair <- paired(y_true, y_pred)
  mean_last(op_subtract(pair$pred, op_multiply(pair$true, op_log(op_add(pair$pred, config_epsilon())))))
}

#' Losses for numbers
#'
#' With data, `loss_*()` returns one value for each prediction (the last axis is reduced). Without data it returns a
#' loss object for [compile()][compile.birnn_model], which also takes the bare function and its name, such as
#' `"mean_squared_error"` or `"mse"`.
#'
#' With \eqn{y} the target, \eqn{p} the prediction, \eqn{e = p - y}, and means over the last axis:
#'
#' | loss | value |
#' |---|---|
#' | `mean_squared_error` | mean of \eqn{e^2} |
#' | `mean_absolute_error` | mean of \eqn{\mathrm{abs}(e)} |
#' | `mean_absolute_percentage_error` | 100 times the mean of \eqn{\mathrm{abs}(e) / \mathrm{abs}(y)} |
#' | `mean_squared_logarithmic_error` | mean of \eqn{(\log(p + 1) - \log(y + 1))^2} |
#' | `huber` | mean of \eqn{e^2 / 2} up to \eqn{\delta}, then \eqn{\delta \mathrm{abs}(e) - \delta^2 / 2} |
#' | `log_cosh` | mean of \eqn{\log \cosh e} |
#' | `cosine_similarity` | minus the cosine of the angle between \eqn{y} and \eqn{p} |
#' | `poisson` | mean of \eqn{p - y \log p} |
#'
#' @section Masks and weights:
#' The object reduces the values to one number. Time steps that a mask on the prediction leaves out do not count,
#' whatever the target holds there. With `reduction = "sum_over_batch_size"` (or `"mean"`) the weighted sum is divided
#' by the number of values that count, with `"mean_with_sample_weight"` by the sum of their weights. `"sum"` and
#' `"none"` do not divide.
#'
#' @param y_true,y_pred Targets and predictions: tensors or arrays. Without them a loss object is returned.
#' @param delta Where the Huber loss turns from square to linear.
#' @param axis The axis that holds the vectors, counted from 1; negative ones count from the end.
#' @param ... Not used; for compatibility.
#' @param reduction `"sum_over_batch_size"`, `"mean"`, `"mean_with_sample_weight"`, `"sum"` or `"none"`.
#' @param name A name.
#' @param dtype The type to compute in; `NULL`: that of the predictions.
#' @return A tensor of values, or a loss object: a function of `y_true`, `y_pred` and `sample_weight`.
#' @source <https://keras.io/api/losses/regression_losses/>
#' @family losses
#' @export
#' @examples
#' y <- rbind(c(0, 1), c(0, 0))
#' p <- rbind(c(1, 1), c(1, 0))
#' loss_mean_squared_error(y, p)
#' loss_mean_squared_error()(y, p)
loss_mean_squared_error <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size",
                                    name = "mean_squared_error", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  loss_or_values("MeanSquaredError", squared_error_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname loss_mean_squared_error
#' @export
loss_mean_absolute_error <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size",
                                     name = "mean_absolute_error", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  loss_or_values("MeanAbsoluteError", absolute_error_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname loss_mean_squared_error
#' @export
loss_mean_absolute_percentage_error <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size",
                                                name = "mean_absolute_percentage_error", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  loss_or_values("MeanAbsolutePercentageError", percentage_error_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname loss_mean_squared_error
#' @export
loss_mean_squared_logarithmic_error <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size",
                                                name = "mean_squared_logarithmic_error", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  loss_or_values("MeanSquaredLogarithmicError", squared_logarithmic_error_values, y_true, y_pred, list(), settings,
                 list(...))
}

#' @rdname loss_mean_squared_error
#' @export
loss_huber <- function(y_true, y_pred, delta = 1, ..., reduction = "sum_over_batch_size", name = "huber_loss",
                       dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  config <- list(delta = check_number(delta, min = 0))
  loss_or_values("Huber", huber_values, y_true, y_pred, config, settings, list(...))
}

#' @rdname loss_mean_squared_error
#' @export
loss_log_cosh <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size", name = "log_cosh", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  loss_or_values("LogCosh", log_cosh_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname loss_mean_squared_error
#' @export
loss_cosine_similarity <- function(y_true, y_pred, axis = -1L, ..., reduction = "sum_over_batch_size",
                                   name = "cosine_similarity", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  config <- list(axis = check_axes(axis))
  loss_or_values("CosineSimilarity", cosine_similarity_values, y_true, y_pred, config, settings, list(...))
}

#' @rdname loss_mean_squared_error
#' @export
loss_poisson <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size", name = "poisson", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  loss_or_values("Poisson", poisson_values, y_true, y_pred, list(), settings, list(...))
}

register_loss("MeanSquaredError", loss_mean_squared_error, "mse", "MSE")
register_loss("MeanAbsoluteError", loss_mean_absolute_error, "mae", "MAE")
register_loss("MeanAbsolutePercentageError", loss_mean_absolute_percentage_error, "mape", "MAPE")
register_loss("MeanSquaredLogarithmicError", loss_mean_squared_logarithmic_error, "msle", "MSLE")
register_loss("Huber", loss_huber)
register_loss("LogCosh", loss_log_cosh, "logcosh")
register_loss("CosineSimilarity", loss_cosine_similarity)
register_loss("Poisson", loss_poisson)
