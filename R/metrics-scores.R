# Scores of classes and of regressions: F scores, R squared (level 3). State has one value a column of the targets.

# Targets, predictions and weights as matrices (n, columns), in double precision.
score_data <- function(y_true, y_pred, sample_weight, dtype) {
  y_pred <- as_prediction(y_pred, dtype)
  mask <- value_mask(y_pred)
  pair <- paired(mask_targets(y_true, mask), with_mask(y_pred, NULL))
  check_same_sizes(pair$true, pair$pred, "metric")
  if (!is.null(mask)) pair$pred <- clear_masked(pair$pred, with_mask_axes(pair$pred, mask)[[2]])
  weight <- prediction_weights(pair$pred, sample_weight, mask)
  columns <- if (tensor_rank(pair$pred) < 2) 1L else known_size(pair$pred, tensor_rank(pair$pred) - 1)
  data <- list(true = op_cast(pair$true, "float64"), pred = pair$pred, weight = weight)
  lapply(data, op_reshape, c(-1, columns))
}

# A metric whose variables have one value a column, and are made when the first batch comes.
ColumnMetric <- R6::R6Class("ColumnMetric",
  inherit = BaseMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    sums = NULL,
    # Adds to each of the named sums.
    add_sums = function(parts) {
      if (is.null(self$sums)) {
        self$sums <- Map(function(part, name) self$add_variable(tensor_shape(part), name = name), parts, names(parts))
      }
      for (name in names(parts)) add_to_variable(self$sums[[name]], parts[[name]])
      invisible()
    },
    totals = function() lapply(self$sums, variable_value)
  )
)

# --- F scores -----------------------------------------------------------------------------------------------------

FScoreMetric <- R6::R6Class("FScoreMetric",
  inherit = ColumnMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    beta = 1,
    initialize = function(class_name, config, name, dtype, beta = 1) {
      super$initialize(class_name, name, dtype, config)
      self$beta <- beta
    },
    update_state = function(y_true, y_pred, sample_weight = NULL) {
      data <- score_data(y_true, y_pred, sample_weight, self$dtype)
      decided <- op_cast(decided_classes(data$pred, self$config$threshold), "float64")
      axis <- if (identical(self$config$average, "micro")) NULL else 1
      total <- function(a, b) op_sum(op_multiply(op_multiply(a, b), data$weight), axis = axis)
      self$add_sums(list(
        true_positives = total(decided, data$true), false_positives = total(decided, op_subtract(1, data$true)),
        false_negatives = total(op_subtract(1, decided), data$true),
        intermediate_weights = op_sum(op_multiply(data$true, data$weight), axis = axis)
      ))
    },
    result = function() {
      if (is.null(self$sums)) return(op_zeros(integer(), "float64"))
      scores <- f_scores(self$totals(), self$beta)
      switch(self$config$average %||% "none",
        none = , micro = scores,
        macro = op_mean(scores),
        weighted = weighted_scores(scores, variable_value(self$sums$intermediate_weights))
      )
    }
  )
)

# The largest prediction, or all above the threshold; what is 0 is never decided for.
decided_classes <- function(pred, threshold) {
  if (!is.null(threshold)) return(op_greater(pred, threshold))
  largest <- op_max(pred, axis = -1, keepdims = TRUE)
  op_logical_and(op_equal(pred, largest), op_greater(op_abs(pred), 1e-12))
}

# (1 + beta^2) precision recall / (beta^2 precision + recall)
f_scores <- function(sums, beta) {
  epsilon <- config_epsilon()
  share <- function(other) op_divide(sums$true_positives, op_add(op_add(sums$true_positives, other), epsilon))
  precision <- share(sums$false_positives)
  recall <- share(sums$false_negatives)
  both <- op_add(op_add(op_multiply(precision, beta^2), recall), epsilon)
  op_divide(op_multiply(op_multiply(precision, recall), 1 + beta^2), both)
}

weighted_scores <- function(scores, weights) {
  op_sum(op_multiply(scores, op_divide(weights, op_add(op_sum(weights), config_epsilon()))))
}

#' F scores
#'
#' The harmonic mean of precision and recall of each class, `f1`, or with recall weighted by `beta`:
#' \eqn{(1 + \beta^2) \cdot precision \cdot recall / (\beta^2 precision + recall)}. Targets are one-hot codes, or 0 and
#' 1 for several labels.
#'
#' @inheritSection metric_accuracy Masks and weights
#' @inheritParams metric_precision
#' @param average `NULL`: one value a class; `"micro"`: all classes counted together; `"macro"`: their mean;
#'   `"weighted"`: their mean weighted by the number of samples of each class.
#' @param beta How much more recall counts than precision.
#' @param threshold Predictions above it are decisions for the class; `NULL`: the largest one is.
#' @inherit metric_precision return
#' @source <https://keras.io/api/metrics/classification_metrics/#f1score-class>
#' @family metrics
#' @export
#' @examples
#' metric <- metric_f1_score(average = "macro", threshold = 0.5)
#' metric(rbind(c(1, 1), c(1, 0), c(1, 1)), rbind(c(0.2, 0.6), c(0.2, 0.4), c(0.6, 0.9)))
metric_f1_score <- function(..., average = NULL, threshold = NULL, name = "f1_score", dtype = NULL) {
  check_no_dots(list(...), metric_f1_score, "metric_f1_score()", rlang::current_env())
  new_metric_handle(FScoreMetric$new("F1Score", f_config(average, threshold), name, dtype))
}

#' @rdname metric_f1_score
#' @export
metric_fbeta_score <- function(..., average = NULL, beta = 1, threshold = NULL, name = "fbeta_score", dtype = NULL) {
  check_no_dots(list(...), metric_fbeta_score, "metric_fbeta_score()", rlang::current_env())
  config <- c(f_config(average, threshold), list(beta = check_number(beta)))
  if (config$beta <= 0) stop_not("a positive number", beta, "beta", rlang::current_env())
  new_metric_handle(FScoreMetric$new("FBetaScore", config, name, dtype, config$beta))
}

f_config <- function(average, threshold, call = rlang::caller_env()) {
  list(average = check_choice(average, c("micro", "macro", "weighted"), allow_null = TRUE, arg = "average", call = call),
       threshold = check_number(threshold, min = 0, max = 1, allow_null = TRUE, arg = "threshold", call = call))
}

# --- R squared ----------------------------------------------------------------------------------------------------

R2Metric <- R6::R6Class("R2Metric",
  inherit = ColumnMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    update_state = function(y_true, y_pred, sample_weight = NULL) {
      data <- score_data(y_true, y_pred, sample_weight, self$dtype)
      weighted <- op_multiply(data$true, data$weight)
      errors <- op_subtract(data$true, op_cast(data$pred, "float64"))
      self$add_sums(list(
        squared_sum = op_sum(op_multiply(weighted, data$true), axis = 1), sum = op_sum(weighted, axis = 1),
        residual = op_sum(op_multiply(op_square(errors), data$weight), axis = 1),
        count = op_sum(data$weight, axis = 1),
        num_samples = op_sum(op_ones_like(slice_axis(weighted, 2, begin = 0, end = 1)))
      ))
    },
    result = function() {
      if (is.null(self$sums)) return(op_zeros(integer(), "float64"))
      sums <- self$totals()
      total <- op_subtract(sums$squared_sum, op_multiply(sums$sum, divide_no_nan(sums$sum, sums$count)))
      scores <- op_subtract(1, op_divide(sums$residual, total))
      scores <- op_where(op_isfinite(scores), scores, 0)
      adjusted_r2(aggregated_r2(scores, total, self$config$class_aggregation), sums$num_samples,
                  self$config$num_regressors)
    }
  )
)

aggregated_r2 <- function(scores, total, aggregation) {
  switch(aggregation %||% "none",
    none = scores,
    uniform_average = op_mean(scores),
    variance_weighted_average = divide_no_nan(op_sum(op_multiply(scores, total)), op_sum(total))
  )
}

# 1 - (1 - r2) (n - 1) / (n - p - 1), where that means something.
adjusted_r2 <- function(r2, n, regressors) {
  if (regressors == 0) return(r2)
  freedom <- op_subtract(n, regressors + 1)
  adjusted <- op_subtract(1, op_multiply(op_subtract(1, r2), divide_no_nan(op_subtract(n, 1), freedom)))
  op_where(op_greater(freedom, 0), adjusted, r2)
}

#' R squared
#'
#' The share of the variance of the targets that the predictions explain: 1 minus the sum of squared errors over the sum
#' of squared deviations from the mean.
#'
#' @inheritSection metric_accuracy Masks and weights
#' @inheritParams metric_precision
#' @param class_aggregation `"uniform_average"` of the columns of the targets, `"variance_weighted_average"`, or `NULL`:
#'   one value a column.
#' @param num_regressors The number of explaining variables, for the adjusted value; 0: not adjusted.
#' @inherit metric_precision return
#' @source <https://keras.io/api/metrics/regression_metrics/#r2score-class>
#' @family metrics
#' @export
#' @examples
#' metric <- metric_r2_score()
#' metric(c(1, 4, 3), c(2, 4, 4))
metric_r2_score <- function(..., class_aggregation = "uniform_average", num_regressors = 0L, name = "r2_score",
                            dtype = NULL) {
  check_no_dots(list(...), metric_r2_score, "metric_r2_score()", rlang::current_env())
  aggregations <- c("uniform_average", "variance_weighted_average")
  config <- list(class_aggregation = check_choice(class_aggregation, aggregations, allow_null = TRUE),
                 num_regressors = check_whole(num_regressors, min = 0))
  new_metric_handle(R2Metric$new("R2Score", name, dtype, config))
}

register_metric("F1Score", metric_f1_score)
register_metric("FBetaScore", metric_fbeta_score)
register_metric("R2Score", metric_r2_score)
