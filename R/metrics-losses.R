# Losses as metrics: their running means (level 3).

#' Losses as metrics
#'
#' Running means of the values that [loss_mean_squared_error()], [loss_binary_crossentropy()] and [loss_hinge()]
#' describe. `metric_root_mean_squared_error()` is the root of the mean of all squared errors;
#' `metric_cosine_similarity()` is the cosine itself (the loss is its negative).
#'
#' @inheritSection metric_accuracy Masks and weights
#' @inheritParams metric_accuracy
#' @inheritParams loss_binary_crossentropy
#' @return A tensor with one value for each prediction, or a metric: `$update_state(y_true, y_pred,
#'   sample_weight = NULL)`, `$result()`, `$reset_state()`. Calling it updates it and returns the result.
#' @source <https://keras.io/api/metrics/regression_metrics/>
#' @family metrics
#' @export
#' @examples
#' metric <- metric_mean_absolute_error()
#' metric$update_state(c(1, 2), c(1.5, 4))
#' metric$result()
metric_mean_squared_error <- function(y_true, y_pred, ..., name = "mean_squared_error", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("MeanSquaredError", squared_error_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_mean_absolute_error <- function(y_true, y_pred, ..., name = "mean_absolute_error", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("MeanAbsoluteError", absolute_error_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_mean_absolute_percentage_error <- function(y_true, y_pred, ..., name = "mean_absolute_percentage_error",
                                                  dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("MeanAbsolutePercentageError", percentage_error_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_mean_squared_logarithmic_error <- function(y_true, y_pred, ..., name = "mean_squared_logarithmic_error",
                                                  dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("MeanSquaredLogarithmicError", squared_logarithmic_error_values, y_true, y_pred, list(), settings,
                   list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_root_mean_squared_error <- function(..., name = "root_mean_squared_error", dtype = NULL) {
  check_no_dots(list(...), metric_root_mean_squared_error, "metric_root_mean_squared_error()", rlang::current_env())
  new_metric_handle(RootMeanSquaredError$new("RootMeanSquaredError", pairwise_squares, name = name, dtype = dtype))
}

pairwise_squares <- function(y_true, y_pred) {
  pair <- paired(y_true, y_pred)
  op_square(op_subtract(pair$pred, pair$true))
}

RootMeanSquaredError <- R6::R6Class("RootMeanSquaredError",
  inherit = FunctionMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    result = function() op_sqrt(super$result())
  )
)

cosine_values <- function(y_true, y_pred, axis = -1L) op_negative(cosine_similarity_values(y_true, y_pred, axis))

#' @rdname metric_mean_squared_error
#' @export
metric_cosine_similarity <- function(y_true, y_pred, ..., axis = -1L, name = "cosine_similarity", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  config <- list(axis = check_axes(axis))
  metric_or_values("CosineSimilarity", cosine_values, y_true, y_pred, config, settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_log_cosh_error <- function(y_true, y_pred, ..., name = "logcosh", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("LogCoshError", log_cosh_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_poisson <- function(y_true, y_pred, ..., name = "poisson", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("Poisson", poisson_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_kl_divergence <- function(y_true, y_pred, ..., name = "kl_divergence", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("KLDivergence", kl_divergence_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_hinge <- function(y_true, y_pred, ..., name = "hinge", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("Hinge", hinge_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_squared_hinge <- function(y_true, y_pred, ..., name = "squared_hinge", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("SquaredHinge", squared_hinge_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_categorical_hinge <- function(y_true, y_pred, ..., name = "categorical_hinge", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("CategoricalHinge", categorical_hinge_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_binary_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1L, ...,
                                       name = "binary_crossentropy", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  config <- list(from_logits = check_flag(from_logits), label_smoothing = check_smoothing(label_smoothing),
                 axis = check_axes(axis))
  metric_or_values("BinaryCrossentropy", binary_crossentropy_values, y_true, y_pred, config, settings, list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1L, ...,
                                            name = "categorical_crossentropy", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  config <- list(from_logits = check_flag(from_logits), label_smoothing = check_smoothing(label_smoothing),
                 axis = check_axes(axis))
  metric_or_values("CategoricalCrossentropy", categorical_crossentropy_values, y_true, y_pred, config, settings,
                   list(...))
}

#' @rdname metric_mean_squared_error
#' @export
metric_sparse_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, ignore_class = NULL,
                                                   axis = -1L, ..., name = "sparse_categorical_crossentropy",
                                                   dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  config <- list(from_logits = check_flag(from_logits), ignore_class = check_whole(ignore_class, allow_null = TRUE),
                 axis = check_axes(axis))
  metric_or_values("SparseCategoricalCrossentropy", sparse_categorical_crossentropy_values, y_true, y_pred, config,
                   settings, list(...))
}

register_metric("MeanSquaredError", metric_mean_squared_error, "mse", "MSE")
register_metric("MeanAbsoluteError", metric_mean_absolute_error, "mae", "MAE")
register_metric("MeanAbsolutePercentageError", metric_mean_absolute_percentage_error, "mape", "MAPE")
register_metric("MeanSquaredLogarithmicError", metric_mean_squared_logarithmic_error, "msle", "MSLE")
register_metric("RootMeanSquaredError", metric_root_mean_squared_error, "rmse", "RMSE")
register_metric("CosineSimilarity", metric_cosine_similarity)
register_metric("LogCoshError", metric_log_cosh_error, "logcosh", "log_cosh")
register_metric("Poisson", metric_poisson)
register_metric("KLDivergence", metric_kl_divergence, "kld", "KLD")
register_metric("Hinge", metric_hinge)
register_metric("SquaredHinge", metric_squared_hinge)
register_metric("CategoricalHinge", metric_categorical_hinge)
register_metric("BinaryCrossentropy", metric_binary_crossentropy, "bce", "BCE")
register_metric("CategoricalCrossentropy", metric_categorical_crossentropy)
register_metric("SparseCategoricalCrossentropy", metric_sparse_categorical_crossentropy)
