# normalize(): arrays whose vectors have length 1 (level 7).

#' Scale vectors to length 1
#'
#' @param x An array, a vector or a tensor.
#' @param axis The axis along which the vectors lie, counted from 1; negative axes count from the end.
#' @param order Which length: 1 (sum of absolute values), 2 (Euclidean), `Inf` (largest absolute value), or any other
#'   positive number.
#' @return `x`, divided by the lengths; vectors of zeros stay zeros.
#' @source Behaves as [keras.utils.normalize](https://keras.io/api/utils/numerical_utils/#normalize-function).
#' @family data preparation
#' @export
#' @examples
#' normalize(rbind(c(3, 4), c(0, 0)))
normalize <- function(x, axis = -1L, order = 2L) {
  if (is_tensor_like(x)) return(as_tensor(normalize(as.array(x), axis, order), tensor_dtype(x)))
  if (!is.numeric(x)) stop_not("an array of numbers", x, "x", rlang::current_env())
  sizes <- dim(x) %||% length(x)
  rank <- length(sizes)
  axis <- check_whole(axis)
  if (axis == 0L || abs(axis) > rank) {
    birnn_abort("{.arg axis} must be from 1 to {rank} or from -{rank} to -1, not {axis}.")
  }
  if (axis < 0L) axis <- rank + 1L + axis
  is_order <- is_single_number(order) && !is.na(order) && order > 0
  if (!is_order) stop_not("a positive number", order, "order", rlang::current_env())
  values <- array(abs(x), sizes)
  others <- setdiff(seq_len(rank), axis)
  length_of <- if (is.infinite(order)) max else function(v) sum(v^order)^(1 / order)
  norms <- if (rank == 1L) length_of(values) else apply(values, others, length_of)
  norms[norms == 0] <- 1
  if (rank == 1L) x / norms else sweep(x, others, norms, "/")
}
