# Losses for classes of unequal sizes: focal cross-entropies, Dice, Tversky (level 3).

# Probabilities away from 0 and 1.
inner_probabilities <- function(p) op_clip(p, config_epsilon(), 1 - config_epsilon())

# Labels moved towards a number (or tensor) that all of them share.
smoothed_labels <- function(y, smoothing, towards) {
  if (smoothing == 0) y else op_add(op_multiply(y, 1 - smoothing), op_multiply(towards, smoothing))
}

# (1 - p_t)^gamma * cross-entropy, with p_t the probability of the true label.
binary_focal_values <- function(y_true, y_pred, apply_class_balancing = FALSE, alpha = 0.25, gamma = 2,
                                from_logits = FALSE, label_smoothing = 0, axis = -1L) {
  pair <- paired(y_true, y_pred)
  check_same_sizes(pair$true, pair$pred, "binary_focal_crossentropy")
  y <- smoothed_labels(pair$true, label_smoothing, 0.5)
  p <- if (from_logits) op_sigmoid(pair$pred) else pair$pred
  by_label <- function(if_one, if_zero) op_add(op_multiply(y, if_one), op_multiply(op_subtract(1, y), if_zero))
  inner <- inner_probabilities(p)
  entropy <- op_negative(by_label(op_log(inner), op_log(op_subtract(1, inner))))
  values <- op_multiply(op_power(op_subtract(1, by_label(p, op_subtract(1, p))), gamma), entropy)
  if (apply_class_balancing) values <- op_multiply(values, by_label(alpha, 1 - alpha))
  op_mean(values, axis = axis)
}

# sum over classes of alpha (1 - p)^gamma * (-y log p)
categorical_focal_values <- function(y_true, y_pred, alpha = 0.25, gamma = 2, from_logits = FALSE, label_smoothing = 0,
                                     axis = -1L) {
  pair <- paired(y_true, y_pred)
  check_same_sizes(pair$true, pair$pred, "categorical_focal_crossentropy")
  classes <- op_sum(op_ones_like(pair$true), axis = axis, keepdims = TRUE)
  y <- smoothed_labels(pair$true, label_smoothing, op_reciprocal(classes))
  p <- if (from_logits) op_softmax(pair$pred, axis) else {
    op_divide(pair$pred, op_sum(pair$pred, axis = axis, keepdims = TRUE))
  }
  p <- inner_probabilities(p)
  entropy <- op_negative(op_multiply(y, op_log(p)))
  op_sum(op_multiply(op_multiply(op_power(op_subtract(1, p), gamma), alpha), entropy), axis = axis)
}

# 1 - 2 sum(y p) / (sum(y) + sum(p))
dice_values <- function(y_true, y_pred, axis = NULL) {
  pair <- paired(y_true, y_pred)
  common <- op_sum(op_multiply(pair$true, pair$pred), axis = axis)
  sizes <- op_add(op_sum(pair$true, axis = axis), op_sum(pair$pred, axis = axis))
  op_subtract(1, op_divide(op_multiply(common, 2), op_add(sizes, config_epsilon())))
}

# 1 - sum(y p) / (sum(y p) + alpha sum(y (1 - p)) + beta sum((1 - y) p))
tversky_values <- function(y_true, y_pred, alpha = 0.5, beta = 0.5, axis = NULL) {
  pair <- paired(y_true, y_pred)
  total <- function(a, b) op_sum(op_multiply(a, b), axis = axis)
  common <- total(pair$true, pair$pred)
  missed <- total(pair$true, op_subtract(1, pair$pred))
  wrong <- total(op_subtract(1, pair$true), pair$pred)
  weighed <- op_add(op_add(common, op_multiply(missed, alpha)), op_multiply(wrong, beta))
  op_subtract(1, op_divide(common, op_add(weighed, config_epsilon())))
}

#' Losses for classes of unequal sizes
#'
#' The focal cross-entropies give well predicted samples less weight: each term of the cross-entropy is multiplied by
#' \eqn{(1 - p)^\gamma}, where \eqn{p} is the probability of the true class. `dice` is
#' \eqn{1 - 2 \sum y p / (\sum y + \sum p)}. `tversky` is
#' \eqn{1 - \sum y p / (\sum y p + \alpha \sum y (1 - p) + \beta \sum (1 - y) p)}.
#'
#' @inheritSection loss_mean_squared_error Masks and weights
#' @inheritParams loss_binary_crossentropy
#' @param apply_class_balancing Whether samples of class 1 are multiplied by `alpha`, those of class 0 by `1 - alpha`.
#' @param alpha For the focal losses the weight of class 1, or of all classes; for `tversky` that of what was missed.
#' @param gamma How much less well predicted samples count; 0: not at all.
#' @param beta The weight of what was wrongly predicted.
#' @param axis The axis of the classes; for `dice` and `tversky` the axes to sum over, `NULL`: all of them, so that the
#'   whole batch has one value. Counted from 1; negative ones count from the end.
#' @inherit loss_binary_crossentropy return
#' @source <https://keras.io/api/losses/probabilistic_losses/>
#' @references Lin, T.-Y. et al. (2017). Focal loss for dense object detection. *ICCV*.
#'   <https://arxiv.org/abs/1708.02002>
#' @family losses
#' @export
#' @examples
#' loss_binary_focal_crossentropy(rbind(c(0, 1)), rbind(c(0.6, 0.9)))
#' loss_dice(rbind(c(0, 1)), rbind(c(0.6, 0.9)))
loss_binary_focal_crossentropy <- function(y_true, y_pred, apply_class_balancing = FALSE, alpha = 0.25, gamma = 2,
                                           from_logits = FALSE, label_smoothing = 0, axis = -1L, ...,
                                           reduction = "sum_over_batch_size", name = "binary_focal_crossentropy",
                                           dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  config <- list(from_logits = check_flag(from_logits), label_smoothing = check_smoothing(label_smoothing),
                 axis = check_axes(axis), apply_class_balancing = check_flag(apply_class_balancing),
                 alpha = check_number(alpha), gamma = check_number(gamma, min = 0))
  loss_or_values("BinaryFocalCrossentropy", binary_focal_values, y_true, y_pred, config, settings, list(...))
}

#' @rdname loss_binary_focal_crossentropy
#' @export
loss_categorical_focal_crossentropy <- function(y_true, y_pred, alpha = 0.25, gamma = 2, from_logits = FALSE,
                                                label_smoothing = 0, axis = -1L, ...,
                                                reduction = "sum_over_batch_size",
                                                name = "categorical_focal_crossentropy", dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  config <- list(from_logits = check_flag(from_logits), label_smoothing = check_smoothing(label_smoothing),
                 axis = check_axes(axis), alpha = check_number(alpha), gamma = check_number(gamma, min = 0))
  loss_or_values("CategoricalFocalCrossentropy", categorical_focal_values, y_true, y_pred, config, settings,
                 list(...))
}

#' @rdname loss_binary_focal_crossentropy
#' @export
loss_dice <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size", name = "dice", axis = NULL,
                      dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  config <- list(axis = if (!is.null(axis)) check_axes(axis))
  loss_or_values("Dice", dice_values, y_true, y_pred, config, settings, list(...))
}

#' @rdname loss_binary_focal_crossentropy
#' @export
loss_tversky <- function(y_true, y_pred, alpha = 0.5, beta = 0.5, ..., reduction = "sum_over_batch_size",
                         name = "tversky", axis = NULL, dtype = NULL) {
  settings <- list(reduction = reduction, name = name, dtype = dtype)
  config <- list(alpha = check_number(alpha, min = 0), beta = check_number(beta, min = 0),
                 axis = if (!is.null(axis)) check_axes(axis))
  loss_or_values("Tversky", tversky_values, y_true, y_pred, config, settings, list(...))
}

register_loss("BinaryFocalCrossentropy", loss_binary_focal_crossentropy)
register_loss("CategoricalFocalCrossentropy", loss_categorical_focal_crossentropy)
register_loss("Dice", loss_dice)
register_loss("Tversky", loss_tversky)
