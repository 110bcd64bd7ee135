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
    cumsum = op_cumsum, cumprod = op_cumprod, log = log_of_tensor, round = round_tensor
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

# R dispatches `%*%` on S3 classes from 4.3 on; before, op_matmul() is the way.
#' @rawNamespace
#' if (getRversion() >= "4.3.0") {
#'   S3method(matrixOps, birnn_tensor, matrix_ops_of_tensors)
#'   S3method(matrixOps, birnn_symbolic, matrix_ops_of_tensors)
#'   S3method(matrixOps, birnn_variable, matrix_ops_of_tensors)
#' }
matrix_ops_of_tensors <- function(x, y) {
  switch(.Generic,
    `%*%` = op_matmul(x, y),
    birnn_abort("{.code {(.Generic)}} is not defined for tensors; use {.fn op_matmul} and {.fn op_transpose}.",
                kind = "type")
  )
}

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
