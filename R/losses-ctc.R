# The loss of labels without alignment (level 3).

# Labels of a row end where the class 0 begins; all steps of the predictions count.
ctc_values <- function(y_true, y_pred) {
  y_pred <- as_float_operand(y_pred)
  y_true <- as_operand(as_batch(y_true), "int32")
  if (tensor_rank(y_true) != 2L || tensor_rank(y_pred) != 3L) {
    birnn_abort(
      "The CTC loss needs labels (batch, length) and logits (batch, time, classes), not
       {format_shape(tensor_shape(y_true))} and {format_shape(tensor_shape(y_pred))}.",
      kind = "shape", call = NULL
    )
  }
  labels <- op_sum(op_cast(op_not_equal(y_true, 0L), "int32"), axis = 2)
  steps <- op_cast(op_sum(op_ones_like(op_max(y_pred, axis = 3)), axis = 2), "int32")
  op_ctc_loss(y_true, y_pred, labels, steps)
}

#' Loss of labels without alignment
#'
#' For sequences whose labels come in order but without times (connectionist temporal classification): minus the
#' logarithm of the probability of the labels, over all ways to align them with the time steps. See [op_ctc_loss()] for
#' sequences of different lengths and [op_ctc_decode()] for the way back.
#'
#' @param y_true Labels, (batch, length), counted from 1 and filled up with 0 at the end.
#' @param y_pred Logits, (batch, time, classes); class 0 stands for "no label here".
#' @inheritParams loss_mean_squared_error
#' @inherit loss_mean_squared_error return
#' @source <https://keras.io/api/losses/probabilistic_losses/#ctc-class>
#' @family losses
#' @export
#' @examples
#' logits <- array(c(1, 0, 0, 2, 0, 1, 0, 0, 3, 0, 2, 0), c(1, 4, 3))
#' loss_ctc(matrix(c(1, 2), 1), logits)
loss_ctc <- function(y_true, y_pred, ..., reduction = "sum_over_batch_size", name = "ctc", dtype = NULL) {
  loss_or_values("CTC", ctc_values, y_true, y_pred, list(), list(reduction = reduction, name = name, dtype = dtype),
                 list(...))
}

register_loss("CTC", loss_ctc, "ctc")
