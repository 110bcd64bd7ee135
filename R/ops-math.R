# Arithmetic, elementwise functions and matrix products of tensors (level 2).

# --- two operands -------------------------------------------------------------------------------------------------

binary_op <- function(name, x1, x2) apply_to_numbers(name, list(x1, x2), promote_numbers)

float_binary_op <- function(name, x1, x2) apply_to_floats(name, list(x1, x2), promote_floats)

promote_numbers <- function(operands) promote_operands(operands, "int32")

promote_floats <- function(operands) lapply(promote_numbers(operands), as_float_operand)

float_operands <- function(x1, x2) promote_floats(list(x1, x2))

#' Arithmetic of tensors
#'
#' Elementwise, with broadcasting: sizes are aligned from the last axis, and an axis of size 1 (or a missing one) is
#' repeated. R's operators `+ - * / ^ %% %/%` do the same for tensors.
#'
#' Tensors of different types meet in the wider one (`bool < int32 < float32 < float64`). R numbers take the type of
#' the tensor beside them, unless they would lose a fraction. `op_divide()` and `op_power()` always give floating
#' point numbers; `op_mod()` has the sign of the divisor, as `%%` has.
#'
#' @param x1,x2 Tensors, variables, symbolic tensors, or R numbers and arrays.
#' @return A tensor.
#' @source <https://keras.io/api/ops/numpy/>
#' @family ops
#' @export
#' @examples
#' x <- as_tensor(matrix(1:6 / 2, 2))
#' op_add(x, 1)
#' op_multiply(x, c(1, 0, 2))
op_add <- function(x1, x2) binary_op("add", x1, x2)

#' @rdname op_add
#' @export
op_subtract <- function(x1, x2) binary_op("subtract", x1, x2)

#' @rdname op_add
#' @export
op_multiply <- function(x1, x2) binary_op("multiply", x1, x2)

#' @rdname op_add
#' @export
op_divide <- function(x1, x2) float_binary_op("divide", x1, x2)

#' @rdname op_add
#' @export
op_power <- function(x1, x2) float_binary_op("power", x1, x2)

#' @rdname op_add
#' @export
op_maximum <- function(x1, x2) binary_op("maximum", x1, x2)

#' @rdname op_add
#' @export
op_minimum <- function(x1, x2) binary_op("minimum", x1, x2)

#' @rdname op_add
#' @export
op_floor_divide <- function(x1, x2) binary_op("floor_divide", x1, x2)

#' @rdname op_add
#' @export
op_mod <- function(x1, x2) binary_op("mod", x1, x2)

# x1 / x2, and 0 where x2 is 0.
divide_no_nan <- function(x1, x2) {
  is_zero <- op_equal(x2, 0)
  op_where(is_zero, op_zeros_like(x1), op_divide(x1, op_where(is_zero, op_ones_like(x2), x2)))
}

# --- one operand --------------------------------------------------------------------------------------------------

float_op <- function(name, x, attrs = NULL) apply_to_floats(name, list(x), as_float_operands, attrs)

as_float_operands <- function(operands) lapply(operands, as_float_operand)

number_op <- function(name, x, attrs = NULL) apply_to_numbers(name, list(x), promote_numbers, attrs)

# Whole numbers need no rounding.
rounding_op <- function(name, x) {
  x <- as_wide_operand(x, "int32")
  if (is_float_dtype(tensor_dtype(x))) apply_op(name, list(x)) else x
}

#' Elementwise functions
#'
#' R's own functions of the same name (`exp()`, `sqrt()`, `abs()`, ...) work on tensors as well. `op_rsqrt(x)` is
#' `1 / sqrt(x)`, `op_round()` rounds halves to the even number, `op_erf()` is the error function.
#'
#' @param x A tensor, variable, symbolic tensor, or R numbers. Integers stay integers where the result is whole.
#' @return A tensor of the same shape.
#' @source <https://keras.io/api/ops/numpy/>
#' @family ops
#' @export
#' @examples
#' op_exp(c(0, 1))
#' op_abs(-2:2)
op_exp <- function(x) float_op("exp", x)

#' @rdname op_exp
#' @export
op_expm1 <- function(x) float_op("expm1", x)

#' @rdname op_exp
#' @export
op_log <- function(x) float_op("log", x)

#' @rdname op_exp
#' @export
op_log1p <- function(x) float_op("log1p", x)

#' @rdname op_exp
#' @export
op_log2 <- function(x) float_op("log2", x)

#' @rdname op_exp
#' @export
op_log10 <- function(x) float_op("log10", x)

#' @rdname op_exp
#' @export
op_sqrt <- function(x) float_op("sqrt", x)

#' @rdname op_exp
#' @export
op_rsqrt <- function(x) float_op("rsqrt", x)

#' @rdname op_exp
#' @export
op_reciprocal <- function(x) float_op("reciprocal", x)

#' @rdname op_exp
#' @export
op_sin <- function(x) float_op("sin", x)

#' @rdname op_exp
#' @export
op_cos <- function(x) float_op("cos", x)

#' @rdname op_exp
#' @export
op_erf <- function(x) float_op("erf", x)

#' @rdname op_exp
#' @export
op_negative <- function(x) number_op("negative", x)

#' @rdname op_exp
#' @export
op_abs <- function(x) number_op("abs", x)

#' @rdname op_exp
#' @export
op_absolute <- op_abs

#' @rdname op_exp
#' @export
op_sign <- function(x) number_op("sign", x)

#' @rdname op_exp
#' @export
op_square <- function(x) number_op("square", x)

#' @rdname op_exp
#' @export
op_floor <- function(x) rounding_op("floor", x)

#' @rdname op_exp
#' @export
op_ceil <- function(x) rounding_op("ceil", x)

#' @rdname op_exp
#' @export
op_round <- function(x) rounding_op("round", x)

#' Limit values to a range
#'
#' @param x A tensor, variable, symbolic tensor, or R numbers.
#' @param x_min,x_max The smallest and the largest value; single numbers, or tensors that are broadcast.
#' @return A tensor of the shape of `x`. Where `x` lies outside, the gradient is zero.
#' @source <https://keras.io/api/ops/numpy/#clip-function>
#' @family ops
#' @export
#' @examples
#' op_clip(c(-2, 0.5, 2), -1, 1)
op_clip <- function(x, x_min, x_max) {
  x <- as_wide_operand(x, "int32")
  is_constant <- is.numeric(x_min) && is.numeric(x_max) && length(x_min) == 1 && length(x_max) == 1
  if (!is_constant) return(op_minimum(op_maximum(x, x_min), x_max))
  apply_op("clip", list(x), list(min = as.numeric(x_min), max = as.numeric(x_max)))
}

# --- products -----------------------------------------------------------------------------------------------------

#' Products of matrices and tensors
#'
#' `op_matmul()` multiplies matrices: `(..., m, k)` by `(..., k, n)` gives `(..., m, n)`, leading axes are broadcast,
#' vectors lose their axis. `op_dot()` sums over the last axis of `x1` and the last but one of `x2`.
#' `op_tensordot()` sums over pairs of axes. `op_outer()` multiplies every element of one by every one of the other.
#'
#' @param x1,x2 Tensors, variables, symbolic tensors, or R arrays.
#' @param axes A list of two vectors of axes (counted from 1), those of `x1` and the matching ones of `x2`; two
#'   numbers stand for one axis of each. A single number `n` counts from 1 as axes do, as in keras3: the last `n - 1`
#'   axes of `x1` and the first `n - 1` of `x2`; 1, which would name no axis, is the product of `op_dot()`.
#' @return A tensor of floating point numbers.
#' @source <https://keras.io/api/ops/numpy/#matmul-function>
#' @family ops
#' @export
#' @examples
#' op_matmul(matrix(1:6, 2), matrix(1:6, 3))
#' op_tensordot(array(1, c(2, 3, 4)), array(1, c(4, 3)), axes = list(c(2, 3), c(2, 1)))
op_matmul <- function(x1, x2) float_binary_op("matmul", x1, x2)

#' @rdname op_matmul
#' @export
op_dot <- function(x1, x2) {
  x1 <- as_operand(x1)
  x2 <- as_operand(x2)
  ranks <- c(tensor_rank(x1), tensor_rank(x2))
  if (any(ranks == 0)) return(op_multiply(x1, x2))
  if (ranks[[1]] == 1 || ranks[[2]] <= 2) return(op_matmul(x1, x2))
  op_tensordot(x1, x2, axes = list(ranks[[1]], ranks[[2]] - 1))
}

#' @rdname op_matmul
#' @export
op_tensordot <- function(x1, x2, axes = 3L) {
  x1 <- as_operand(x1)
  x2 <- as_operand(x2)
  if (identical(as.numeric(unlist(axes)), 1)) return(op_dot(x1, x2))
  summed <- tensordot_axes(axes, tensor_rank(x1), tensor_rank(x2))
  free1 <- setdiff(seq_len(tensor_rank(x1)) - 1, summed[[1]])
  free2 <- setdiff(seq_len(tensor_rank(x2)) - 1, summed[[2]])
  inner <- prod(tensor_shape(x1)[summed[[1]] + 1])
  left <- op_reshape(permute_axes(x1, c(free1, summed[[1]])), c(-1, inner))
  right <- op_reshape(permute_axes(x2, c(summed[[2]], free2)), c(inner, -1))
  op_reshape(op_matmul(left, right), c(tensor_shape(x1)[free1 + 1], tensor_shape(x2)[free2 + 1]))
}

tensordot_axes <- function(axes, rank1, rank2, call = rlang::caller_env()) {
  if (length(axes) == 1) {
    count <- check_whole(axes[[1]], min = 2, max = min(rank1, rank2) + 1, arg = "axes", call = call) - 1L
    return(list(rank1 - count + seq_len(count) - 1, seq_len(count) - 1))
  }
  axes <- list(
    zero_based_axis(unlist(axes[[1]]), rank1, "axes", call), zero_based_axis(unlist(axes[[2]]), rank2, "axes", call)
  )
  if (length(axes[[1]]) != length(axes[[2]])) {
    birnn_abort("{.arg axes} must name as many axes of {.arg x1} as of {.arg x2}.", call = call)
  }
  axes
}

#' @rdname op_matmul
#' @export
op_outer <- function(x1, x2) op_multiply(op_reshape(x1, c(-1, 1)), op_reshape(x2, c(1, -1)))
