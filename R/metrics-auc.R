# Metrics of curves over many thresholds: area under ROC and precision-recall curves, one rate at another (level 3).
#
# Counts of decisions are kept for each threshold. With evenly spaced thresholds every prediction falls into one bucket,
# and the counts are sums over buckets: a batch of n predictions costs n + (number of thresholds), not their product.

# Thresholds 0, 1 / (n - 1), ..., 1, the outer ones moved out a little so that 0 and 1 lie inside.
even_thresholds <- function(n, epsilon = config_epsilon()) {
  inner <- seq_len(max(0, n - 2)) / (n - 1)
  c(-epsilon, inner, 1 + epsilon)
}

# For predictions (n, labels) from 0 to 1, the weights of each bucket and label: (thresholds, labels).
bucket_sums <- function(pred, weight, n) {
  labels <- tensor_shape(pred)[[2]]
  bucket <- op_maximum(op_cast(op_subtract(op_ceil(op_multiply(pred, n - 1)), 1), "int32"), 0L)
  place <- op_add(op_multiply(bucket, labels), array(seq_len(labels) - 1L, c(1, labels)))
  sums <- apply_op("index_add", list(op_zeros(n * labels, "float64"), op_reshape(place, -1), op_reshape(weight, -1)),
                   list(axis = 0))
  op_reshape(sums, c(n, labels))
}

# What lies above each threshold: sums over this bucket and those after it.
sums_from_here <- function(x) op_flip(op_cumsum(op_flip(x, 1), axis = 1), 1)

# list(tp, fp, tn, fn), each (thresholds, labels).
bucket_counts <- function(data, n) {
  pred <- op_clip(data$pred, 0, 1)
  is_true <- op_cast(data$true, "float64")
  positives <- sums_from_here(bucket_sums(pred, op_multiply(data$weight, is_true), n))
  others <- sums_from_here(bucket_sums(pred, op_multiply(data$weight, op_subtract(1, is_true)), n))
  counts_of(positives, others, op_sum(op_multiply(data$weight, is_true), axis = 1),
            op_sum(op_multiply(data$weight, op_subtract(1, is_true)), axis = 1))
}

counts_of <- function(tp, fp, all_true, all_false) {
  list(tp = tp, fp = fp, tn = op_subtract(all_false, fp), fn = op_subtract(all_true, tp))
}

# The same for any thresholds: each prediction is compared with each.
compared_counts <- function(data, thresholds) {
  limits <- as_operand(array(thresholds, c(length(thresholds), 1, 1)), tensor_dtype(data$pred))
  positive <- op_cast(op_greater(insert_axis(data$pred, 0), limits), "float64")
  is_true <- op_cast(data$true, "float64")
  weight_true <- op_multiply(data$weight, is_true)
  weight_false <- op_multiply(data$weight, op_subtract(1, is_true))
  counts_of(op_sum(op_multiply(positive, weight_true), axis = 2), op_sum(op_multiply(positive, weight_false), axis = 2),
            op_sum(weight_true, axis = 1), op_sum(weight_false, axis = 1))
}

# Counts for many thresholds, (thresholds, labels) each; without multi_label there is one column. The variables are made
# when the number of labels is known.
CurveMetric <- R6::R6Class("CurveMetric",
  inherit = BaseMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    counts = NULL,
    thresholds = NULL,
    is_even = TRUE,
    initialize = function(class_name, config, name = NULL, dtype = NULL, labels = 1L) {
      super$initialize(class_name, name, dtype, config)
      given <- config$thresholds
      self$thresholds <- if (is.null(given)) even_thresholds(config$num_thresholds) else {
        c(-config_epsilon(), sort(given), 1 + config_epsilon())
      }
      self$is_even <- is.null(given)
      if (!is.null(labels)) self$add_counts(labels)
    },
    add_counts = function(labels) {
      names <- c(tp = "true_positives", fp = "false_positives", tn = "true_negatives", fn = "false_negatives")
      self$counts <- lapply(names, function(name) {
        self$add_variable(c(length(self$thresholds), as.integer(labels)), name = name)
      })
    },
    update_state = function(y_true, y_pred, sample_weight = NULL) {
      data <- decision_data(y_true, y_pred, sample_weight, self$dtype)
      if (isTRUE(self$config$from_logits)) data$pred <- op_sigmoid(data$pred)
      data <- self$in_columns(one_class(data, self$config$class_id))
      found <- if (self$is_even) bucket_counts(data, length(self$thresholds)) else {
        compared_counts(data, self$thresholds)
      }
      for (count in names(self$counts)) add_to_variable(self$counts[[count]], found[[count]])
      invisible()
    },
    # Predictions as (n, labels); (n, 1) if labels do not matter.
    in_columns = function(data) {
      if (!isTRUE(self$config$multi_label)) return(lapply(data, op_reshape, c(-1, 1)))
      labels <- known_size(data$pred, tensor_rank(data$pred) - 1)
      if (is.null(self$counts)) self$add_counts(labels)
      lapply(data, op_reshape, c(-1, labels))
    },
    totals = function() lapply(self$counts, variable_value)
  )
)

# --- areas --------------------------------------------------------------------------------------------------------

upper_rows <- function(x) slice_axis(x, 1, end = -1)
lower_rows <- function(x) slice_axis(x, 1, begin = 1)

# Riemann sums of the curve y(x), for each column: x falls from row to row.
riemann_area <- function(x, y, summation_method) {
  heights <- switch(summation_method,
    interpolation = op_divide(op_add(upper_rows(y), lower_rows(y)), 2),
    minoring = op_minimum(upper_rows(y), lower_rows(y)),
    majoring = op_maximum(upper_rows(y), lower_rows(y))
  )
  op_sum(op_multiply(op_subtract(upper_rows(x), lower_rows(x)), heights), axis = 1)
}

roc_area <- function(counts, summation_method) {
  recall <- divide_no_nan(counts$tp, op_add(counts$tp, counts$fn))
  fallout <- divide_no_nan(counts$fp, op_add(counts$fp, counts$tn))
  riemann_area(fallout, recall, summation_method)
}

pr_area <- function(counts, summation_method) {
  if (summation_method == "interpolation") return(interpolated_pr_area(counts))
  precision <- divide_no_nan(counts$tp, op_add(counts$tp, counts$fp))
  recall <- divide_no_nan(counts$tp, op_add(counts$tp, counts$fn))
  riemann_area(recall, precision, summation_method)
}

# Between two thresholds true positives are taken as linear in all positives, tp = slope p + start, so that precision is
# slope + start / p, which integrates to a logarithm (Davis and Goadrich 2006).
interpolated_pr_area <- function(counts) {
  positives <- op_add(counts$tp, counts$fp)
  dtp <- op_subtract(upper_rows(counts$tp), lower_rows(counts$tp))
  dp <- op_subtract(upper_rows(positives), lower_rows(positives))
  slope <- divide_no_nan(dtp, op_maximum(dp, 0))
  start <- op_subtract(lower_rows(counts$tp), op_multiply(slope, lower_rows(positives)))
  both <- op_logical_and(op_greater(upper_rows(positives), 0), op_greater(lower_rows(positives), 0))
  ratio <- op_where(both, divide_no_nan(upper_rows(positives), op_maximum(lower_rows(positives), 0)), 1)
  gain <- op_multiply(slope, op_add(dtp, op_multiply(start, op_log(ratio))))
  found <- op_maximum(op_add(lower_rows(counts$tp), lower_rows(counts$fn)), 0)
  op_sum(divide_no_nan(gain, found), axis = 1)
}

AreaMetric <- R6::R6Class("AreaMetric",
  inherit = CurveMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    result = function() {
      if (is.null(self$counts)) return(op_zeros(integer(), "float64"))
      area <- if (self$config$curve == "ROC") roc_area else pr_area
      areas <- area(self$totals(), self$config$summation_method)
      weights <- self$config$label_weights
      if (is.null(weights)) return(op_mean(areas))
      divide_no_nan(op_sum(op_multiply(areas, weights)), op_sum(as_operand(weights, "float64")))
    },
    get_config = function() {
      config <- super$get_config()
      config$num_labels <- NULL
      config
    }
  )
)

#' Area under a curve
#'
#' The area under the ROC curve (the probability that a positive sample gets a higher prediction than a negative one) or
#' under the precision-recall curve, from counts of decisions at many thresholds.
#'
#' @inheritSection metric_accuracy Masks and weights
#' @inheritParams metric_precision
#' @param num_thresholds How many evenly spaced thresholds; more are more exact.
#' @param curve `"ROC"` or `"PR"`.
#' @param summation_method `"interpolation"`, `"minoring"` (from below) or `"majoring"` (from above).
#' @param thresholds Thresholds from 0 to 1 instead of evenly spaced ones, or `NULL`.
#' @param multi_label Whether the last axis holds several labels, whose areas are averaged.
#' @param num_labels The number of labels; found out from the first batch if `NULL`.
#' @param label_weights Weights of the labels in the average, or `NULL`.
#' @param from_logits Whether the predictions are logits instead of probabilities.
#' @inherit metric_precision return
#' @source <https://keras.io/api/metrics/classification_metrics/#auc-class>
#' @references Davis, J. and Goadrich, M. (2006). The relationship between precision-recall and ROC curves. *ICML*.
#'   \doi{10.1145/1143844.1143874}
#' @family metrics
#' @export
#' @examples
#' metric <- metric_auc()
#' metric(c(0, 0, 1, 1), c(0.1, 0.5, 0.3, 0.9))
metric_auc <- function(..., num_thresholds = 200L, curve = "ROC", summation_method = "interpolation", name = NULL,
                       dtype = NULL, thresholds = NULL, multi_label = FALSE, num_labels = NULL, label_weights = NULL,
                       from_logits = FALSE) {
  check_no_dots(list(...), metric_auc, "metric_auc()", rlang::current_env())
  labels <- check_whole(num_labels, min = 1, allow_null = TRUE)
  config <- list(
    num_thresholds = check_whole(num_thresholds, min = 2), curve = check_choice(curve, c("ROC", "PR")),
    summation_method = check_choice(summation_method, c("interpolation", "minoring", "majoring")),
    multi_label = check_flag(multi_label), num_labels = labels,
    label_weights = if (!is.null(label_weights)) as.numeric(unlist(label_weights)),
    thresholds = check_thresholds(thresholds), from_logits = check_flag(from_logits)
  )
  new_metric_handle(AreaMetric$new("AUC", config, name, dtype, if (config$multi_label) labels else 1L))
}

# --- one rate at another ------------------------------------------------------------------------------------------

# The largest value of one rate where another one reaches a given number; 0 if it nowhere does.
RateAtMetric <- R6::R6Class("RateAtMetric",
  inherit = CurveMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    wanted = NULL,
    condition = NULL,
    initialize = function(class_name, config, name, dtype, wanted, condition) {
      super$initialize(class_name, config, name, dtype)
      self$wanted <- wanted
      self$condition <- condition
    },
    result = function() {
      counts <- self$totals()
      rates <- list(
        precision = divide_no_nan(counts$tp, op_add(counts$tp, counts$fp)),
        recall = divide_no_nan(counts$tp, op_add(counts$tp, counts$fn)),
        specificity = divide_no_nan(counts$tn, op_add(counts$tn, counts$fp))
      )
      reached <- op_greater_equal(rates[[self$condition]], self$config[[1]])
      op_max(op_where(reached, rates[[self$wanted]], 0))
    }
  )
)

new_rate_at <- function(class_name, wanted, condition, limit, num_thresholds, class_id, name, dtype, dots,
                        call = rlang::caller_env()) {
  check_no_dots(dots, sys.function(sys.parent()), paste0("metric_", snake_case(class_name), "()"), call)
  config <- list(check_number(limit, min = 0, max = 1, arg = condition, call = call),
                 num_thresholds = check_whole(num_thresholds, min = 2, arg = "num_thresholds", call = call),
                 class_id = check_whole(class_id, min = 0, allow_null = TRUE, arg = "class_id", call = call))
  names(config)[[1]] <- sub("^.*_", "", snake_case(class_name))
  new_metric_handle(RateAtMetric$new(class_name, config, name, dtype, wanted, condition))
}

#' One rate of decisions at another
#'
#' The largest precision (recall, ...) at any threshold where the recall (precision, ...) reaches a given value.
#' Sensitivity is another name of recall; specificity is the share of labels 0 that are decided as 0.
#'
#' @inheritSection metric_accuracy Masks and weights
#' @inheritParams metric_precision
#' @inheritParams metric_auc
#' @param recall,precision,specificity,sensitivity The value to reach, from 0 to 1.
#' @inherit metric_precision return source
#' @family metrics
#' @export
#' @examples
#' metric <- metric_precision_at_recall(recall = 0.5)
#' metric(c(0, 0, 0, 1, 1), c(0, 0.3, 0.8, 0.3, 0.8))
metric_precision_at_recall <- function(..., recall, num_thresholds = 200L, class_id = NULL, name = NULL,
                                       dtype = NULL) {
  new_rate_at("PrecisionAtRecall", "precision", "recall", recall, num_thresholds, class_id, name, dtype, list(...))
}

#' @rdname metric_precision_at_recall
#' @export
metric_recall_at_precision <- function(..., precision, num_thresholds = 200L, class_id = NULL, name = NULL,
                                       dtype = NULL) {
  new_rate_at("RecallAtPrecision", "recall", "precision", precision, num_thresholds, class_id, name, dtype, list(...))
}

#' @rdname metric_precision_at_recall
#' @export
metric_sensitivity_at_specificity <- function(..., specificity, num_thresholds = 200L, class_id = NULL, name = NULL,
                                              dtype = NULL) {
  new_rate_at("SensitivityAtSpecificity", "recall", "specificity", specificity, num_thresholds, class_id, name, dtype,
              list(...))
}

#' @rdname metric_precision_at_recall
#' @export
metric_specificity_at_sensitivity <- function(..., sensitivity, num_thresholds = 200L, class_id = NULL, name = NULL,
                                              dtype = NULL) {
  new_rate_at("SpecificityAtSensitivity", "specificity", "recall", sensitivity, num_thresholds, class_id, name, dtype,
              list(...))
}

register_metric("AUC", metric_auc)
register_metric("PrecisionAtRecall", metric_precision_at_recall)
register_metric("RecallAtPrecision", metric_recall_at_precision)
register_metric("SensitivityAtSpecificity", metric_sensitivity_at_specificity)
register_metric("SpecificityAtSensitivity", metric_specificity_at_sensitivity)
