# Sums, means and other reductions, running sums, positions of extremes, norms (level 2).

# `apply`: float_op(), number_op(), or what else turns operands into the right type.
reduce_op <- function(name, x, axis, keepdims, apply, call = rlang::caller_env()) {
  x <- as_operand(x)
  attrs <- list(axis = if (!is.null(axis)) zero_based_axis(unlist(axis), tensor_rank(x), call = call),
                keepdims = check_flag(keepdims, arg = "keepdims", call = call))
  apply(name, x, attrs)
}

logical_op <- function(name, x, attrs = NULL) apply_op(name, list(as_bool_operand(x)), attrs)

#' Reduce tensors along axes
#'
#' Sum, mean, product, largest and smallest value, variance and standard deviation (with divisor n),
#' `log(sum(exp(x)))`, and for logicals whether any or all hold. R's `sum()`, `mean()`, `max()`, ... reduce a tensor
#' over all its axes. Equal extremes share the gradient.
#'
#' @param x A tensor, variable, symbolic tensor, or R numbers.
#' @param axis The axes to reduce, counted from 1 (the batch); negative ones count from the end. `NULL`: all of them.
#' @param keepdims Whether the reduced axes stay, with size 1.
#' @return A tensor; a scalar if all axes are reduced.
#' @source <https://keras.io/api/ops/numpy/>
#' @family ops
#' @export
#' @examples
#' x <- array(1:24, c(2, 3, 4))
#' op_sum(x, axis = -1)
#' op_mean(x, axis = c(1, 3), keepdims = TRUE)
op_sum <- function(x, axis = NULL, keepdims = FALSE) reduce_op("sum", x, axis, keepdims, number_op)

#' @rdname op_sum
#' @export
op_mean <- function(x, axis = NULL, keepdims = FALSE) reduce_op("mean", x, axis, keepdims, float_op)

#' @rdname op_sum
#' @export
op_prod <- function(x, axis = NULL, keepdims = FALSE) reduce_op("prod", x, axis, keepdims, number_op)

#' @rdname op_sum
#' @export
op_max <- function(x, axis = NULL, keepdims = FALSE) reduce_op("max", x, axis, keepdims, number_op)

#' @rdname op_sum
#' @export
op_min <- function(x, axis = NULL, keepdims = FALSE) reduce_op("min", x, axis, keepdims, number_op)

#' @rdname op_sum
#' @export
op_var <- function(x, axis = NULL, keepdims = FALSE) reduce_op("var", x, axis, keepdims, float_op)

#' @rdname op_sum
#' @export
op_std <- function(x, axis = NULL, keepdims = FALSE) reduce_op("std", x, axis, keepdims, float_op)

#' @rdname op_sum
#' @export
op_logsumexp <- function(x, axis = NULL, keepdims = FALSE) reduce_op("logsumexp", x, axis, keepdims, float_op)

#' @rdname op_sum
#' @export
op_any <- function(x, axis = NULL, keepdims = FALSE) reduce_op("any", x, axis, keepdims, logical_op)

#' @rdname op_sum
#' @export
op_all <- function(x, axis = NULL, keepdims = FALSE) reduce_op("all", x, axis, keepdims, logical_op)

#' Running sums and products, and differences
#'
#' @inheritParams op_sum
#' @param axis The axis, counted from 1; negative ones count from the end. For `op_cumsum()` and `op_cumprod()`,
#'   `NULL` takes the tensor as one vector, in row-major order.
#' @param dtype The type to compute in; `NULL`: that of `x`, at least int32.
#' @param n How often differences are taken.
#' @return A tensor; `op_diff()` shortens the axis by `n`.
#' @source <https://keras.io/api/ops/numpy/#cumsum-function>
#' @family ops
#' @export
#' @examples
#' op_cumsum(c(1, 2, 3))
#' op_diff(c(1, 4, 9, 16))
op_cumsum <- function(x, axis = NULL, dtype = NULL) cumulative_op("cumsum", x, axis, dtype)

#' @rdname op_cumsum
#' @export
op_cumprod <- function(x, axis = NULL, dtype = NULL) cumulative_op("cumprod", x, axis, dtype)

cumulative_op <- function(name, x, axis, dtype = NULL, call = rlang::caller_env()) {
  x <- if (is.null(dtype)) as_wide_operand(x, "int32") else as_operand(x, dtype)
  if (is.null(axis)) {
    x <- op_reshape(x, -1)
    axis <- 1
  }
  apply_op(name, list(x), list(axis = one_axis(axis, tensor_rank(x), call = call)))
}

#' @rdname op_cumsum
#' @export
op_diff <- function(x, n = 1L, axis = -1L) {
  x <- as_wide_operand(x, "int32")
  position <- one_axis(axis, tensor_rank(x)) + 1
  for (k in seq_len(check_whole(n, min = 0))) {
    x <- op_subtract(slice_axis(x, position, begin = 1), slice_axis(x, position, end = -1))
  }
  x
}

#' Positions of the largest or smallest values
#'
#' @inheritParams op_sum
#' @param axis The axis, counted from 1; `NULL` takes the tensor as one vector, in row-major order.
#' @param zero_indexed Whether positions count from 0, as in Python, instead of from 1.
#' @return An `int32` tensor: of equal values the first one's position.
#' @source <https://keras.io/api/ops/numpy/#argmax-function>
#' @family ops
#' @export
#' @examples
#' op_argmax(matrix(c(1, 5, 3, 2), 2), axis = 2)
op_argmax <- function(x, axis = NULL, keepdims = FALSE, zero_indexed = FALSE) {
  position_op("argmax", x, axis, keepdims, zero_indexed)
}

#' @rdname op_argmax
#' @export
op_argmin <- function(x, axis = NULL, keepdims = FALSE, zero_indexed = FALSE) {
  position_op("argmin", x, axis, keepdims, zero_indexed)
}

position_op <- function(name, x, axis, keepdims, zero_indexed, call = rlang::caller_env()) {
  x <- as_float_operand(x)
  axis <- if (!is.null(axis)) one_axis(axis, tensor_rank(x), call = call)
  positions <- apply_op(name, list(x), list(axis = axis))
  if (check_flag(keepdims, arg = "keepdims", call = call)) {
    positions <- if (is.null(axis)) op_reshape(positions, rep(1, tensor_rank(x))) else insert_axis(positions, axis)
  }
  if (check_flag(zero_indexed, arg = "zero_indexed", call = call)) positions else op_add(positions, 1L)
}

#' Norm of vectors
#'
#' The Euclidean norm by default; the sum of absolute values for `ord = 1`, the largest one for `ord = Inf`.
#'
#' @inheritParams op_sum
#' @param ord `NULL`, `2`, `"euclidean"` or `"fro"`; `1`; `Inf`.
#' @return A tensor of floating point numbers.
#' @source <https://keras.io/api/ops/linalg/#norm-function>
#' @family ops
#' @export
#' @examples
#' op_norm(matrix(c(3, 4, 6, 8), 2, byrow = TRUE), axis = 2)
op_norm <- function(x, ord = NULL, axis = NULL, keepdims = FALSE) {
  x <- as_float_operand(x)
  ord <- norm_order(ord)
  if (ord == 1) return(op_sum(op_abs(x), axis, keepdims))
  if (ord == Inf) return(op_max(op_abs(x), axis, keepdims))
  op_sqrt(op_sum(op_square(x), axis, keepdims))
}

norm_order <- function(ord, call = rlang::caller_env()) {
  if (is.null(ord) || identical(ord, "euclidean") || identical(ord, "fro")) return(2)
  is_known <- is.numeric(ord) && length(ord) == 1 && ord %in% c(1, 2, Inf)
  if (!is_known) stop_not('NULL, 1, 2, Inf, "euclidean" or "fro"', ord, "ord", call)
  ord
}
