# Metrics of right and wrong classes (level 3).

equal_share <- function(a, b, dtype) op_cast(op_equal(a, b), dtype)

accuracy_values <- function(y_true, y_pred) {
  pair <- paired(y_true, y_pred)
  equal_share(pair$true, pair$pred, tensor_dtype(pair$pred))
}

binary_accuracy_values <- function(y_true, y_pred, threshold = 0.5) {
  pair <- paired(y_true, y_pred)
  dtype <- tensor_dtype(pair$pred)
  equal_share(pair$true, op_cast(op_greater(pair$pred, threshold), dtype), dtype)
}

largest_class <- function(x) op_argmax(x, axis = -1, zero_indexed = TRUE)

categorical_accuracy_values <- function(y_true, y_pred) {
  y_pred <- as_float_operand(as_batch(y_pred))
  equal_share(largest_class(y_true), largest_class(y_pred), tensor_dtype(y_pred))
}

sparse_categorical_accuracy_values <- function(y_true, y_pred) {
  y_pred <- as_float_operand(as_batch(y_pred))
  y_true <- as_batch(y_true)
  has_axis <- tensor_rank(y_true) == tensor_rank(y_pred) && identical(utils::tail(tensor_shape(y_true), 1), 1L)
  if (has_axis) y_true <- drop_axes(y_true, tensor_rank(y_true) - 1)
  equal_share(y_true, largest_class(y_pred), tensor_dtype(y_pred))
}

# Whether fewer than k classes are predicted higher than the true one: classes with equal predictions are all in.
top_k_values <- function(classes, y_pred, k) {
  own <- op_take_along_axis(y_pred, insert_axis(classes, tensor_rank(classes)), axis = -1, zero_indexed = TRUE)
  higher <- op_sum(op_cast(op_greater(y_pred, own), "int32"), axis = -1)
  op_cast(op_less(higher, k), tensor_dtype(y_pred))
}

top_k_categorical_values <- function(y_true, y_pred, k = 5L) {
  pair <- paired(y_true, y_pred)
  top_k_values(largest_class(pair$true), pair$pred, k)
}

sparse_top_k_categorical_values <- function(y_true, y_pred, k = 5L, from_sorted_ids = FALSE) {
  y_pred <- as_operand(as_batch(y_pred))
  if (from_sorted_ids) return(among_sorted_ids(y_true, y_pred, k))
  y_pred <- as_float_operand(y_pred)
  top_k_values(class_numbers(y_true, y_pred, -1L), y_pred, k)
}

# Predictions that are class numbers, the most likely ones first.
among_sorted_ids <- function(y_true, ids, k) {
  ids <- slice_axis(op_cast(ids, "int32"), tensor_rank(ids), begin = 0, end = k)
  classes <- class_numbers(y_true, ids, -1L)
  op_cast(op_any(op_equal(ids, insert_axis(classes, tensor_rank(classes))), axis = -1), floatx())
}

#' Accuracies
#'
#' The share of right predictions. In `metrics = ` of [compile()][compile.birnn_model], `"accuracy"` (or `"acc"`)
#' chooses among the binary, the categorical and the sparse categorical one by the shapes of targets and predictions.
#'
#' * `binary_accuracy`: predictions above `threshold` count as 1, and are compared with targets 0 and 1.
#' * `categorical_accuracy`: the largest prediction along the last axis against the one-hot target.
#' * `sparse_categorical_accuracy`: the same against class numbers, counted from 0.
#' * `top_k_categorical_accuracy`, `sparse_top_k_categorical_accuracy`: whether the true class is among the `k` largest
#'   predictions.
#' * `accuracy`: predictions that equal their targets.
#'
#' @section Masks and weights:
#' Time steps that a mask on the prediction leaves out do not count. The result after several batches is the weighted
#' mean of all values.
#'
#' @param y_true,y_pred Targets and predictions: tensors or arrays. Without them a metric is returned.
#' @param threshold A number.
#' @param k How many predictions count.
#' @param from_sorted_ids Whether `y_pred` holds class numbers, the most likely ones first, instead of scores.
#' @param ... Not used; for compatibility.
#' @param name A name.
#' @param dtype The type to compute in; `NULL`: that of the predictions. The state is always kept in double precision.
#' @return A tensor with one value for each prediction (0 or 1), or a metric: `$update_state(y_true, y_pred,
#'   sample_weight = NULL)`, `$result()`, `$reset_state()`. Calling it updates it and returns the result.
#' @source <https://keras.io/api/metrics/accuracy_metrics/>
#' @family metrics
#' @export
#' @examples
#' metric <- metric_sparse_categorical_accuracy()
#' metric(c(0, 1), rbind(c(0.8, 0.2), c(0.6, 0.4)))
metric_accuracy <- function(y_true, y_pred, ..., name = "accuracy", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("Accuracy", accuracy_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_accuracy
#' @export
metric_binary_accuracy <- function(y_true, y_pred, threshold = 0.5, ..., name = "binary_accuracy", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  config <- list(threshold = check_number(threshold))
  metric_or_values("BinaryAccuracy", binary_accuracy_values, y_true, y_pred, config, settings, list(...))
}

#' @rdname metric_accuracy
#' @export
metric_categorical_accuracy <- function(y_true, y_pred, ..., name = "categorical_accuracy", dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("CategoricalAccuracy", categorical_accuracy_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname metric_accuracy
#' @export
metric_sparse_categorical_accuracy <- function(y_true, y_pred, ..., name = "sparse_categorical_accuracy",
                                               dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  metric_or_values("SparseCategoricalAccuracy", sparse_categorical_accuracy_values, y_true, y_pred, list(), settings,
                   list(...))
}

#' @rdname metric_accuracy
#' @export
metric_top_k_categorical_accuracy <- function(y_true, y_pred, k = 5L, ..., name = "top_k_categorical_accuracy",
                                              dtype = NULL) {
  settings <- list(name = name, dtype = dtype)
  config <- list(k = check_whole(k, min = 1))
  metric_or_values("TopKCategoricalAccuracy", top_k_categorical_values, y_true, y_pred, config, settings, list(...))
}

#' @rdname metric_accuracy
#' @export
metric_sparse_top_k_categorical_accuracy <- function(y_true, y_pred, k = 5L, ...,
                                                     name = "sparse_top_k_categorical_accuracy", dtype = NULL,
                                                     from_sorted_ids = FALSE) {
  settings <- list(name = name, dtype = dtype)
  config <- list(k = check_whole(k, min = 1), from_sorted_ids = check_flag(from_sorted_ids))
  metric_or_values("SparseTopKCategoricalAccuracy", sparse_top_k_categorical_values, y_true, y_pred, config, settings,
                   list(...))
}

register_metric("Accuracy", metric_accuracy)
register_metric("BinaryAccuracy", metric_binary_accuracy)
register_metric("CategoricalAccuracy", metric_categorical_accuracy)
register_metric("SparseCategoricalAccuracy", metric_sparse_categorical_accuracy)
register_metric("TopKCategoricalAccuracy", metric_top_k_categorical_accuracy, "top_k_categorical_accuracy")
register_metric("SparseTopKCategoricalAccuracy", metric_sparse_top_k_categorical_accuracy,
                "sparse_top_k_categorical_accuracy")
