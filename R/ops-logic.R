# Comparisons, logic and choice by a condition (level 2).

#' Compare tensors
#'
#' Elementwise, with broadcasting; R's operators `== != < <= > >=` do the same for tensors. Comparisons with NaN are
#' false, but for `op_not_equal()`.
#'
#' @inheritParams op_add
#' @return A tensor of type `bool`.
#' @source <https://keras.io/api/ops/numpy/>
#' @family ops
#' @export
#' @examples
#' op_greater(c(1, 2, 3), 2)
op_equal <- function(x1, x2) binary_op("equal", x1, x2)

#' @rdname op_equal
#' @export
op_not_equal <- function(x1, x2) binary_op("not_equal", x1, x2)

#' @rdname op_equal
#' @export
op_less <- function(x1, x2) binary_op("less", x1, x2)

#' @rdname op_equal
#' @export
op_less_equal <- function(x1, x2) binary_op("less_equal", x1, x2)

#' @rdname op_equal
#' @export
op_greater <- function(x1, x2) binary_op("greater", x1, x2)

#' @rdname op_equal
#' @export
op_greater_equal <- function(x1, x2) binary_op("greater_equal", x1, x2)

as_bool_operand <- function(x) {
  x <- as_operand(x)
  if (tensor_dtype(x) == "bool") x else op_not_equal(x, 0L)
}

#' Logical operations on tensors
#'
#' Numbers count as `TRUE` unless they are 0. R's operators `& | !` do the same for tensors.
#'
#' @inheritParams op_add
#' @param x A tensor, variable, symbolic tensor, or R logicals or numbers.
#' @return A tensor of type `bool`.
#' @source <https://keras.io/api/ops/numpy/>
#' @family ops
#' @export
#' @examples
#' op_logical_and(c(TRUE, TRUE, FALSE), c(TRUE, FALSE, FALSE))
#' op_isnan(c(1, NaN))
op_logical_and <- function(x1, x2) apply_op("logical_and", list(as_bool_operand(x1), as_bool_operand(x2)))

#' @rdname op_logical_and
#' @export
op_logical_or <- function(x1, x2) apply_op("logical_or", list(as_bool_operand(x1), as_bool_operand(x2)))

#' @rdname op_logical_and
#' @export
op_logical_xor <- function(x1, x2) apply_op("logical_xor", list(as_bool_operand(x1), as_bool_operand(x2)))

#' @rdname op_logical_and
#' @export
op_logical_not <- function(x) apply_op("logical_not", list(as_bool_operand(x)))

#' @rdname op_logical_and
#' @export
op_isfinite <- function(x) float_op("is_finite", x)

#' @rdname op_logical_and
#' @export
op_isnan <- function(x) float_op("is_nan", x)

#' Choose between two tensors
#'
#' Element by element `x1` where `condition` holds, `x2` elsewhere, with broadcasting of all three. What is not
#' chosen has no influence, be it NaN: neither on the values nor on the gradients.
#'
#' @param condition A tensor or R values, true where `x1` is taken.
#' @param x1,x2 Tensors, variables, symbolic tensors, or R numbers and arrays. Without both, the positions are asked
#'   for.
#' @return A tensor; of a condition alone a list with, for each axis, the positions (counted from 1) where it holds.
#' @source <https://keras.io/api/ops/numpy/#where-function>
#' @family ops
#' @export
#' @examples
#' x <- c(-1, 4)
#' op_where(op_greater(x, 0), op_sqrt(x), 0)
op_where <- function(condition, x1 = NULL, x2 = NULL) {
  if (is.null(x1) && is.null(x2)) return(positions_where(condition))
  apply_op("where", c(list(as_bool_operand(condition)), promote_operands(list(x1, x2))))
}

# How many there are depends on the numbers: this looks at them.
positions_where <- function(condition, call = rlang::caller_env()) {
  condition <- as.array(as_bool_operand(condition))
  if (is.null(dim(condition))) dim(condition) <- length(condition)
  found <- which(condition, arr.ind = TRUE)
  found <- found[do.call(order, unname(as.data.frame(found))), , drop = FALSE]
  lapply(seq_len(ncol(found)), function(axis) as_tensor(array(as.integer(found[, axis]), nrow(found))))
}
