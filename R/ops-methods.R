# R's own operators and functions for tensors, symbolic tensors and variables (level 2).

# One function object for the three classes: R only dispatches `tensor + symbolic` if both have the same method.
#' @rawNamespace S3method(Ops, birnn_tensor, ops_of_tensors)
#' @rawNamespace S3method(Ops, birnn_symbolic, ops_of_tensors)
#' @rawNamespace S3method(Ops, birnn_variable, ops_of_tensors)
ops_of_tensors <- function(e1, e2) {
  if (nargs() == 1) return(unary_operator(.Generic, e1))
  op <- switch(.Generic,
    `+` = op_add, `-` = op_subtract, `*` = op_multiply, `/` = op_divide, `^` = op_power,
    `%%` = op_mod, `%/%` = op_floor_divide,
    `==` = op_equal, `!=` = op_not_equal, `<` = op_less, `<=` = op_less_equal,
    `>` = op_greater, `>=` = op_greater_equal,
    `&` = op_logical_and, `|` = op_logical_or
  )
  op(e1, e2)
}

unary_operator <- function(operator, x) {
  switch(operator, `+` = as_operand(x), `-` = op_negative(x), `!` = op_logical_not(x))
}

#' @rawNamespace S3method(Math, birnn_tensor, math_of_tensors)
#' @rawNamespace S3method(Math, birnn_symbolic, math_of_tensors)
#' @rawNamespace S3method(Math, birnn_variable, math_of_tensors)
math_of_tensors <- function(x, ...) {
  op <- switch(.Generic,
    abs = op_abs, sign = op_sign, sqrt = op_sqrt, floor = op_floor, ceiling = op_ceil, exp = op_exp, expm1 = op_expm1,
    log1p = op_log1p, log2 = op_log2, log10 = op_log10, sin = op_sin, cos = op_cos, tanh = op_tanh,
    cumsum = op_cumsum, cumprod = op_cumprod, log = log_of_tensor, round = round_tensor, trunc = trunc_tensor,
    tan = function(x) op_sin(x) / op_cos(x), sinh = function(x) (op_exp(x) - op_exp(-x)) / 2,
    cosh = function(x) (op_exp(x) + op_exp(-x)) / 2
  )
  if (is.null(op)) {
    birnn_abort(
      c("{.fn {(.Generic)}} is not defined for tensors.", i = "Use {.fn as.array} first if no gradient is needed."),
      kind = "type", call = rlang::caller_env()
    )
  }
  op(x, ...)
}

log_of_tensor <- function(x, base = NULL) if (is.null(base)) op_log(x) else op_divide(op_log(x), op_log(base))

trunc_tensor <- function(x) op_where(op_less(x, 0), op_ceil(x), op_floor(x))

round_tensor <- function(x, digits = 0) {
  if (digits == 0) return(op_round(x))
  op_divide(op_round(op_multiply(x, 10^digits)), 10^digits)
}

#' @rawNamespace S3method(Summary, birnn_tensor, summary_of_tensors)
#' @rawNamespace S3method(Summary, birnn_symbolic, summary_of_tensors)
#' @rawNamespace S3method(Summary, birnn_variable, summary_of_tensors)
summary_of_tensors <- function(..., na.rm = FALSE) {
  if (na.rm) birnn_abort("{.code na.rm = TRUE} is not possible for tensors.", call = rlang::caller_env())
  ops <- list(
    sum = list(op_sum, op_add), prod = list(op_prod, op_multiply), max = list(op_max, op_maximum),
    min = list(op_min, op_minimum), any = list(op_any, op_logical_or), all = list(op_all, op_logical_and)
  )[[.Generic]]
  if (.Generic == "range") return(op_stack(list(min(...), max(...))))
  Reduce(ops[[2]], lapply(list(...), ops[[1]]))
}

#' @export
rev.birnn_tensor <- function(x) op_flip(x, 1)

#' @export
rev.birnn_symbolic <- function(x) op_flip(x, 1)

#' @export
rev.birnn_variable <- function(x) op_flip(x, 1)

#' @export
mean.birnn_tensor <- function(x, ...) op_mean(x)

#' @export
mean.birnn_symbolic <- function(x, ...) op_mean(x)

#' @export
mean.birnn_variable <- function(x, ...) op_mean(x)

#' @export
t.birnn_tensor <- function(x) op_transpose(x)

#' @export
t.birnn_symbolic <- function(x) op_transpose(x)

#' @export
t.birnn_variable <- function(x) op_transpose(x)

#' @export
aperm.birnn_tensor <- function(a, perm = NULL, ...) op_transpose(a, perm)

#' @export
aperm.birnn_symbolic <- function(a, perm = NULL, ...) op_transpose(a, perm)

#' @export
aperm.birnn_variable <- function(a, perm = NULL, ...) op_transpose(a, perm)

# R dispatches `%*%` on S3 classes from 4.3 on. Before, the package's own `%*%` stands in front of R's, which it calls
# for everything but tensors.
#' Matrix product
#'
#' R's own `%*%`, which for tensors is [op_matmul()]. It is exported in versions of R before 4.3 only; later ones find
#' it by themselves.
#'
#' @param x,y Matrices; tensors, of which one may be an array.
#' @return The matrix product; for tensors a tensor.
#' @name matrix-product
#' @rdname matrix-product
#' @keywords internal
#' @usage x \%*\% y
#' @aliases %*%
#' @examples
#' as_tensor(diag(2)) %*% matrix(1:4, 2)
#' @rawNamespace
#' if (getRversion() < "4.3.0") {
#'   export("%*%")
#' } else {
#'   S3method(matrixOps, birnn_tensor, matrix_ops_of_tensors)
#'   S3method(matrixOps, birnn_symbolic, matrix_ops_of_tensors)
#'   S3method(matrixOps, birnn_variable, matrix_ops_of_tensors)
#' }
`%*%` <- function(x, y) {
  if (is_tensor_like(x) || is_tensor_like(y)) op_matmul(x, y) else base::`%*%`(x, y)
}

matrix_ops_of_tensors <- function(x, y) {
  switch(.Generic,
    `%*%` = op_matmul(x, y),
    birnn_abort("{.code {(.Generic)}} is not defined for tensors; use {.fn op_matmul} and {.fn op_transpose}.",
                kind = "type")
  )
}

# What is missing or not finite, element by element.
#' @rawNamespace
#' S3method(is.na, birnn_tensor, is_nan_tensor)
#' S3method(is.nan, birnn_tensor, is_nan_tensor)
#' S3method(is.finite, birnn_tensor, is_finite_tensor)
#' S3method(is.infinite, birnn_tensor, is_infinite_tensor)
#' S3method(is.na, birnn_symbolic, is_nan_tensor)
#' S3method(is.nan, birnn_symbolic, is_nan_tensor)
#' S3method(is.finite, birnn_symbolic, is_finite_tensor)
#' S3method(is.infinite, birnn_symbolic, is_infinite_tensor)
#' S3method(is.na, birnn_variable, is_nan_tensor)
#' S3method(is.nan, birnn_variable, is_nan_tensor)
#' S3method(is.finite, birnn_variable, is_finite_tensor)
#' S3method(is.infinite, birnn_variable, is_infinite_tensor)
is_nan_tensor <- function(x) op_isnan(x)

is_finite_tensor <- function(x) op_isfinite(x)

is_infinite_tensor <- function(x) op_logical_not(op_logical_or(op_isfinite(x), op_isnan(x)))

#' @export
length.birnn_variable <- function(x) as.integer(prod(tensor_shape(x)))

#' @export
length.birnn_symbolic <- function(x) as.integer(prod(tensor_shape(x)))

#' @export
as.logical.birnn_variable <- function(x, ...) as.logical(variable_value(x))

#' @export
as.vector.birnn_variable <- function(x, mode = "any") as.vector(as.array(x), mode)

# Code that looks at the numbers cannot be traced, see call_own_code().
abort_without_values <- function(call) {
  birnn_abort(
    c("A symbolic tensor has a type and a shape, but no numbers yet.",
      i = "Compute with {.fn op_add} and its family; the numbers come when the model is called on data."),
    kind = "symbolic", call = call
  )
}

#' @export
as.array.birnn_symbolic <- function(x, ...) abort_without_values(rlang::caller_env())

#' @export
as.double.birnn_symbolic <- function(x, ...) abort_without_values(rlang::caller_env())

#' @export
as.integer.birnn_symbolic <- function(x, ...) abort_without_values(rlang::caller_env())

#' @export
as.logical.birnn_symbolic <- function(x, ...) abort_without_values(rlang::caller_env())

#' @export
as.matrix.birnn_symbolic <- function(x, ...) abort_without_values(rlang::caller_env())

# c(a, b) %<-% tensor, along its first axis.
#' @exportS3Method zeallot::destructure birnn_tensor
destructure.birnn_tensor <- function(x) op_unstack(x)

#' @exportS3Method zeallot::destructure birnn_symbolic
destructure.birnn_symbolic <- function(x) op_unstack(x)
