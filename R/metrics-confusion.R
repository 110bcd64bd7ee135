# Metrics that count right and wrong decisions: true and false positives and negatives, precision, recall (level 3).

# --- what is counted ----------------------------------------------------------------------------------------------

# Weights of single predictions in their shape, in double precision: sample weights times the mask; 1 without both.
prediction_weights <- function(y_pred, sample_weight, mask) {
  ones <- op_ones_like(y_pred, dtype = "float64")
  weight <- if (!is.null(sample_weight)) as_operand(as_batch(sample_weight), "float64")
  if (!is.null(mask)) {
    weight <- masked_weight(weight, op_cast(with_mask_axes(y_pred, mask)[[2]], "float64"))
  }
  if (is.null(weight)) return(ones)
  weight <- with_trailing_axes(match_ranks(y_pred, weight)[[2]], tensor_rank(y_pred))
  check_weight_shape(weight, y_pred)
  op_multiply(ones, weight)
}

# list(true, pred, weight) of equal shape: labels as bool, predictions as they are but 0 where masked or NaN.
decision_data <- function(y_true, y_pred, sample_weight, dtype) {
  y_pred <- as_prediction(y_pred, dtype)
  mask <- value_mask(y_pred)
  pair <- paired(mask_targets(y_true, mask), with_mask(y_pred, NULL))
  check_same_sizes(pair$true, pair$pred, "metric")
  weight <- prediction_weights(pair$pred, sample_weight, mask)
  usable <- op_where(op_isnan(pair$pred), op_zeros_like(pair$pred), pair$pred)
  list(true = op_not_equal(pair$true, 0), pred = usable, weight = weight)
}

one_class <- function(data, class_id) {
  if (is.null(class_id)) return(data)
  lapply(data, function(x) slice_axis(x, tensor_rank(x), begin = class_id, end = class_id + 1))
}

# Predictions that are not among the k largest of the last axis become too small for any threshold.
keep_top_k <- function(data, k) {
  if (is.null(k)) return(data)
  smallest <- slice_axis(op_top_k(data$pred, k)$values, tensor_rank(data$pred), begin = -1)
  data$pred <- op_where(op_greater_equal(data$pred, smallest), data$pred, never_positive)
  data
}

never_positive <- -1e10

# Weighted counts for each threshold: list(tp, fp, tn, fn), vectors in double precision.
confusion_counts <- function(data, thresholds) {
  flat <- lapply(data, op_reshape, -1)
  limits <- as_operand(array(thresholds, c(length(thresholds), 1)), tensor_dtype(flat$pred))
  positive <- op_cast(op_greater(insert_axis(flat$pred, 0), limits), "float64")
  is_true <- op_cast(flat$true, "float64")
  weight_true <- op_multiply(flat$weight, is_true)
  weight_false <- op_multiply(flat$weight, op_subtract(1, is_true))
  tp <- op_matmul(positive, weight_true)
  fp <- op_matmul(positive, weight_false)
  list(tp = tp, fp = fp, tn = op_subtract(op_sum(weight_false), fp), fn = op_subtract(op_sum(weight_true), tp))
}

# --- metrics ------------------------------------------------------------------------------------------------------

check_thresholds <- function(thresholds, call = rlang::caller_env()) {
  if (is.null(thresholds)) return(NULL)
  values <- unlist(thresholds)
  is_fine <- is.numeric(values) && length(values) > 0 && !anyNA(values) && all(values >= 0 & values <= 1)
  if (!is_fine) stop_not("numbers from 0 to 1 or NULL", thresholds, "thresholds", call)
  as.numeric(values)
}

# Keeps the counts that `kept` names, for each threshold.
ConfusionMetric <- R6::R6Class("ConfusionMetric",
  inherit = BaseMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    counts = list(),
    thresholds = NULL,
    initialize = function(class_name, kept, config, name = NULL, dtype = NULL) {
      super$initialize(class_name, name, dtype, config)
      self$thresholds <- config$thresholds %||% if (is.null(config$top_k)) 0.5 else never_positive
      for (count in names(kept)) {
        self$counts[[count]] <- self$add_variable(length(self$thresholds), name = kept[[count]])
      }
    },
    update_state = function(y_true, y_pred, sample_weight = NULL) {
      data <- decision_data(y_true, y_pred, sample_weight, self$dtype)
      data <- one_class(keep_top_k(data, self$config$top_k), self$config$class_id)
      found <- confusion_counts(data, self$thresholds)
      for (count in names(self$counts)) add_to_variable(self$counts[[count]], found[[count]])
      invisible()
    },
    # With a single threshold a number.
    of_threshold = function(values) {
      if (length(self$thresholds) == 1) op_squeeze(values, 1) else values
    },
    result = function() self$of_threshold(variable_value(self$counts[[1]]))
  )
)

# tp / (tp + other); 0 if there are none.
ShareMetric <- R6::R6Class("ShareMetric",
  inherit = ConfusionMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    result = function() {
      values <- lapply(self$counts, variable_value)
      self$of_threshold(divide_no_nan(values[[1]], op_add(values[[1]], values[[2]])))
    }
  )
)

new_confusion_metric <- function(generator, class_name, kept, config, name, dtype, dots, call = rlang::caller_env()) {
  check_no_dots(dots, sys.function(sys.parent()), paste0("metric_", snake_case(class_name), "()"), call)
  new_metric_handle(generator$new(class_name, kept, config, name, dtype))
}

#' Counts of right and wrong decisions
#'
#' Predictions above a threshold are decisions for 1, the others for 0; labels are 0 or 1. `metric_precision()` is the
#' share of decisions for 1 that are right, `metric_recall()` the share of labels 1 that are found; 0 if there are none.
#'
#' @inheritSection metric_accuracy Masks and weights
#' @param ... Not used; for compatibility.
#' @param thresholds Numbers from 0 to 1; for several the result has one value each. `NULL` is 0.5.
#' @param top_k Only the `top_k` largest predictions of the last axis count as decisions for 1, whatever their size.
#' @param class_id The number of a class, counted from 0 as in Keras: only this entry of the last axis counts.
#' @inheritParams metric_accuracy
#' @return A metric: `$update_state(y_true, y_pred, sample_weight = NULL)`, `$result()`, `$reset_state()`. Calling it
#'   updates it and returns the result.
#' @source <https://keras.io/api/metrics/classification_metrics/>
#' @family metrics
#' @export
#' @examples
#' metric <- metric_precision()
#' metric(c(0, 1, 1, 1), c(0.9, 0.8, 0.3, 0.7))
metric_precision <- function(..., thresholds = NULL, top_k = NULL, class_id = NULL, name = NULL, dtype = NULL) {
  config <- decision_config(thresholds, top_k, class_id)
  kept <- c(tp = "true_positives", fp = "false_positives")
  new_confusion_metric(ShareMetric, "Precision", kept, config, name, dtype, list(...))
}

decision_config <- function(thresholds, top_k, class_id, call = rlang::caller_env()) {
  list(thresholds = check_thresholds(thresholds, call),
       top_k = check_whole(top_k, min = 1, allow_null = TRUE, arg = "top_k", call = call),
       class_id = check_whole(class_id, min = 0, allow_null = TRUE, arg = "class_id", call = call))
}

#' @rdname metric_precision
#' @export
metric_recall <- function(..., thresholds = NULL, top_k = NULL, class_id = NULL, name = NULL, dtype = NULL) {
  config <- decision_config(thresholds, top_k, class_id)
  kept <- c(tp = "true_positives", fn = "false_negatives")
  new_confusion_metric(ShareMetric, "Recall", kept, config, name, dtype, list(...))
}

#' @rdname metric_precision
#' @export
metric_true_positives <- function(..., thresholds = NULL, name = NULL, dtype = NULL) {
  config <- list(thresholds = check_thresholds(thresholds))
  new_confusion_metric(ConfusionMetric, "TruePositives", c(tp = "accumulator"), config, name, dtype, list(...))
}

#' @rdname metric_precision
#' @export
metric_true_negatives <- function(..., thresholds = NULL, name = NULL, dtype = NULL) {
  config <- list(thresholds = check_thresholds(thresholds))
  new_confusion_metric(ConfusionMetric, "TrueNegatives", c(tn = "accumulator"), config, name, dtype, list(...))
}

#' @rdname metric_precision
#' @export
metric_false_positives <- function(..., thresholds = NULL, name = NULL, dtype = NULL) {
  config <- list(thresholds = check_thresholds(thresholds))
  new_confusion_metric(ConfusionMetric, "FalsePositives", c(fp = "accumulator"), config, name, dtype, list(...))
}

#' @rdname metric_precision
#' @export
metric_false_negatives <- function(..., thresholds = NULL, name = NULL, dtype = NULL) {
  config <- list(thresholds = check_thresholds(thresholds))
  new_confusion_metric(ConfusionMetric, "FalseNegatives", c(fn = "accumulator"), config, name, dtype, list(...))
}

register_metric("Precision", metric_precision)
register_metric("Recall", metric_recall)
register_metric("TruePositives", metric_true_positives)
register_metric("TrueNegatives", metric_true_negatives)
register_metric("FalsePositives", metric_false_positives)
register_metric("FalseNegatives", metric_false_negatives)
