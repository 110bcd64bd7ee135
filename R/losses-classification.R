# Losses of classes: cross-entropies, divergence and hinges (level 3). The cross-entropies are fused ops of the core.

# The vectors of classes along the last axis, where the core expects them.
class_axis_last <- function(x, axis) {
  axis <- one_axis(axis, tensor_rank(x))
  if (axis == tensor_rank(x) - 1) x else move_axis_last(x, axis)
}

check_same_sizes <- function(y_true, y_pred, loss, call = NULL) {
  if (sizes_agree(tensor_shape(y_true), tensor_shape(y_pred))) return(invisible())
  birnn_abort(
    "{.arg y_true} and {.arg y_pred} of {.val {loss}} must have the same shape, not {format_shape(tensor_shape(y_true))}
     and {format_shape(tensor_shape(y_pred))}.",
    kind = "shape", call = call
  )
}

# Binary and categorical cross-entropy: op `name` over vectors of classes.
crossentropy_values <- function(name, y_true, y_pred, from_logits, label_smoothing, axis) {
  pair <- lapply(paired(y_true, y_pred), class_axis_last, axis = axis)
  check_same_sizes(pair$true, pair$pred, name)
  attrs <- list(from_logits = from_logits, label_smoothing = label_smoothing, epsilon = config_epsilon())
  apply_op(name, unname(pair), attrs)
}

binary_crossentropy_values <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1L) {
  crossentropy_values("binary_crossentropy", y_true, y_pred, from_logits, label_smoothing, axis)
}

categorical_crossentropy_values <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1L) {
  crossentropy_values("categorical_crossentropy", y_true, y_pred, from_logits, label_smoothing, axis)
}

# Class numbers count from 0 and have the shape of the predictions without the classes, or with an axis of size 1 there.
class_numbers <- function(y_true, y_pred, axis) {
  classes <- as_operand(as_batch(y_true), "int32")
  if (tensor_rank(classes) < tensor_rank(y_pred)) return(classes)
  classes <- class_axis_last(classes, axis)
  if (identical(utils::tail(tensor_shape(classes), 1), 1L)) drop_axes(classes, tensor_rank(classes) - 1) else classes
}

# Where the class is `ignore_class`, the value is 0 and the mask of the values is FALSE.
sparse_categorical_crossentropy_values <- function(y_true, y_pred, from_logits = FALSE, ignore_class = NULL,
                                                   axis = -1L) {
  y_pred <- as_float_operand(as_batch(y_pred))
  classes <- class_numbers(y_true, y_pred, axis)
  y_pred <- class_axis_last(y_pred, axis)
  check_class_shape(classes, y_pred)
  attrs <- list(from_logits = from_logits, ignore_class = ignore_class, epsilon = config_epsilon())
  values <- apply_op("sparse_categorical_crossentropy", list(classes, y_pred), attrs)
  if (is.null(ignore_class)) values else with_mask(values, op_not_equal(classes, ignore_class))
}

check_class_shape <- function(classes, y_pred, call = NULL) {
  wanted <- utils::head(tensor_shape(y_pred), -1)
  if (sizes_agree(tensor_shape(classes), wanted)) return(invisible())
  birnn_abort(
    "The class numbers in {.arg y_true} must have shape {format_shape(wanted)} for predictions of shape
     {format_shape(tensor_shape(y_pred))}, not {format_shape(tensor_shape(classes))}.",
    kind = "shape", call = call
  )
}

kl_divergence_values <- function(y_true, y_pred) {
  pair <- lapply(paired(y_true, y_pred), op_clip, x_min = config_epsilon(), x_max = 1)
  op_sum(op_multiply(pair$true, op_log(op_divide(pair$true, pair$pred))), axis = -1)
}

# Labels 0 and 1 become -1 and 1; labels that are not all 0 or 1 stay.
hinge_labels <- function(y_true) {
  is_binary <- op_all(op_logical_or(op_equal(y_true, 0), op_equal(y_true, 1)))
  op_where(is_binary, op_subtract(op_multiply(y_true, 2), 1), y_true)
}

hinge_margins <- function(y_true, y_pred) {
  pair <- paired(y_true, y_pred)
  op_maximum(op_subtract(1, op_multiply(hinge_labels(pair$true), pair$pred)), 0)
}

hinge_values <- function(y_true, y_pred) mean_last(hinge_margins(y_true, y_pred))

squared_hinge_values <- function(y_true, y_pred) mean_last(op_square(hinge_margins(y_true, y_pred)))

categorical_hinge_values <- function(y_true, y_pred) {
  pair <- paired(y_true, y_pred)
  right <- op_sum(op_multiply(pair$true, pair$pred), axis = -1)
  wrong <- op_max(op_multiply(op_subtract(1, pair$true), pair$pred), axis = -1)
  op_maximum(op_add(op_subtract(wrong, right), 1), 0)
}

check_smoothing <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  check_number(x, min = 0, max = 1, arg = arg, call = call)
}

#' Cross-entropies
#'
#' With data, `loss_*()` returns one value for each prediction. Without data it returns a loss object for
#' [compile()][compile.birnn_model], which also takes the bare function and its name; `"crossentropy"` chooses one of
#' the three by the shapes of targets and predictions.
#'
#' * `binary_crossentropy`: each number of the prediction is the probability of its own class, targets are 0 or 1.
#' * `categorical_crossentropy`: the last axis holds the probabilities of classes that exclude each other, targets are
#'   one-hot codes, see [to_categorical()].
#' * `sparse_categorical_crossentropy`: the same, but targets are the numbers of the classes, counted from 0 as in
#'   Keras; also a factor in [fit()][fit.birnn_model].
#'
#' Probabilities are kept away from 0 and 1 by [config_epsilon()]. `from_logits = TRUE` takes the numbers before the
#' sigmoid or softmax, which is more exact.
#'
#' @inheritSection loss_mean_squared_error Masks and weights
#' @inheritParams loss_mean_squared_error
#' @param from_logits Whether the predictions are logits instead of probabilities.
#' @param label_smoothing A number from 0 to 1: how much of each target is spread evenly over the classes.
#' @param ignore_class The number of a class that does not count, or `NULL`.
#' @param axis The axis of the classes, counted from 1; negative ones count from the end.
#' @return A tensor of values, or a loss object: a function of `y_true`, `y_pred` and `sample_weight`.
#' @source <https://keras.io/api/losses/probabilistic_losses/>
#' @family losses
#' @export
#' @examples
#' p <- rbind(c(0.7, 0.2, 0.1), c(0.1, 0.3, 0.6))
#' loss_sparse_categorical_crossentropy(c(0, 2), p)
#' loss_categorical_crossentropy(rbind(c(1, 0, 0), c(0, 0, 1)), p)
loss_binary_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1L, ...,
                                     reduction = "sum_over_batch_size", name = "binary_crossentropy", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  config <- list(from_logits = check_flag(from_logits), label_smoothing = check_smoothing(label_smoothing),
                 axis = check_axes(axis))
  loss_or_values("BinaryCrossentropy", binary_crossentropy_values, y_true, y_pred, config, settings, list(...))
}

#' @rdname loss_binary_crossentropy
#' @export
loss_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, label_smoothing = 0, axis = -1L, ...,
                                          reduction = "sum_over_batch_size", name = "categorical_crossentropy",
                                          dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  config <- list(from_logits = check_flag(from_logits), label_smoothing = check_smoothing(label_smoothing),
                 axis = check_axes(axis))
  loss_or_values("CategoricalCrossentropy", categorical_crossentropy_values, y_true, y_pred, config, settings,
                 list(...))
}

#' @rdname loss_binary_crossentropy
#' @export
loss_sparse_categorical_crossentropy <- function(y_true, y_pred, from_logits = FALSE, ignore_class = NULL, axis = -1L,
                                                 ..., reduction = "sum_over_batch_size",
                                                 name = "sparse_categorical_crossentropy", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  config <- list(from_logits = check_flag(from_logits), ignore_class = check_whole(ignore_class, allow_null = TRUE),
                 axis = check_axes(axis))
  loss_or_values("SparseCategoricalCrossentropy", sparse_categorical_crossentropy_values, y_true, y_pred, config,
                 settings, list(...))
}

#' Divergence and hinge losses
#'
#' `kl_divergence` is \eqn{\sum y \log(y / p)} for distributions along the last axis. `hinge` is the mean of
#' \eqn{\max(1 - y p, 0)} for labels -1 and 1 (0 and 1 are translated), `squared_hinge` the mean of its squares.
#' `categorical_hinge` is \eqn{\max(1 + \max((1 - y) p) - \sum y p, 0)} for one-hot codes.
#'
#' @inheritSection loss_mean_squared_error Masks and weights
#' @inheritParams loss_mean_squared_error
#' @inherit loss_binary_crossentropy return
#' @source <https://keras.io/api/losses/hinge_losses/>
#' @family losses
#' @export
#' @examples
#' loss_hinge(rbind(c(-1, 1)), rbind(c(0.3, 0.5)))
loss_hinge <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size", name = "hinge", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  loss_or_values("Hinge", hinge_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname loss_hinge
#' @export
loss_squared_hinge <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size", name = "squared_hinge",
                               dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  loss_or_values("SquaredHinge", squared_hinge_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname loss_hinge
#' @export
loss_categorical_hinge <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size", name = "categorical_hinge",
                                   dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  loss_or_values("CategoricalHinge", categorical_hinge_values, y_true, y_pred, list(), settings, list(...))
}

#' @rdname loss_hinge
#' @export
loss_kl_divergence <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size", name = "kl_divergence",
                               dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  loss_or_values("KLDivergence", kl_divergence_values, y_true, y_pred, list(), settings, list(...))
}

register_loss("BinaryCrossentropy", loss_binary_crossentropy, "bce", "BCE")
register_loss("CategoricalCrossentropy", loss_categorical_crossentropy)
register_loss("SparseCategoricalCrossentropy", loss_sparse_categorical_crossentropy)
register_loss("Hinge", loss_hinge)
register_loss("SquaredHinge", loss_squared_hinge)
register_loss("CategoricalHinge", loss_categorical_hinge)
register_loss("KLDivergence", loss_kl_divergence, "kl_divergence", "kld", "KLD", "kullback_leibler_divergence")
