# Regularizers: penalties of weights or outputs, added to the loss (level 3).

# `penalty(x)` makes a scalar tensor, by ops.
Regularizer <- R6::R6Class("Regularizer",
  inherit = ConfigObject, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    penalty = NULL,
    fn = NULL,
    initialize = function(class_name, config, penalty, fn = NULL) {
      super$initialize(class_name, config)
      self$penalty <- penalty
      self$fn <- fn
    },
    `__call__` = function(x) {
      x <- as_float_operand(x)
      if (is.null(self$fn)) self$penalty(x) else call_own_code(self$penalty, list(x))
    }
  )
)

new_regularizer <- function(class_name, config, penalty, fn = NULL) {
  new_handle(Regularizer$new(class_name, config, penalty, fn), "birnn_regularizer")
}

check_penalty <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  check_number(x, min = 0, arg = arg, call = call)
}

absolute_penalty <- function(x, factor) op_multiply(op_sum(op_abs(x)), factor)

squared_penalty <- function(x, factor) op_multiply(op_sum(op_square(x)), factor)

#' Penalties of large weights
#'
#' `regularizer_l1()` adds \eqn{l_1 \sum |w|} to the loss, `regularizer_l2()` \eqn{l_2 \sum w^2} (without a factor one
#' half), `regularizer_l1_l2()` both. Any R function of a tensor that returns a scalar tensor works as a regularizer,
#' too.
#'
#' @param l1,l2 Factors; numbers of at least 0.
#' @return A regularizer: a function of a tensor that returns a scalar tensor.
#' @source <https://keras.io/api/layers/regularizers/>
#' @family regularizers
#' @export
#' @examples
#' regularizer_l2(0.1)(c(1, 2))
#' layer_dense(units = 2, kernel_regularizer = regularizer_l1_l2(l1 = 0.01, l2 = 0.01))
regularizer_l1 <- function(l1 = 0.01) {
  l1 <- check_penalty(l1)
  new_regularizer("L1", list(l1 = l1), function(x) absolute_penalty(x, l1))
}

#' @rdname regularizer_l1
#' @export
regularizer_l2 <- function(l2 = 0.01) {
  l2 <- check_penalty(l2)
  new_regularizer("L2", list(l2 = l2), function(x) squared_penalty(x, l2))
}

#' @rdname regularizer_l1
#' @export
regularizer_l1_l2 <- function(l1 = 0, l2 = 0) {
  config <- list(l1 = check_penalty(l1), l2 = check_penalty(l2))
  new_regularizer("L1L2", config, function(x) {
    op_add(absolute_penalty(x, config$l1), squared_penalty(x, config$l2))
  })
}

#' Penalty of vectors that are not orthogonal
#'
#' The mean absolute cosine of the angles between all pairs of rows (or columns) of a matrix, times `factor`.
#'
#' @param factor A number of at least 0.
#' @param mode `"rows"` or `"columns"`.
#' @inherit regularizer_l1 return source
#' @family regularizers
#' @export
#' @examples
#' regularizer_orthogonal(1)(diag(3))
regularizer_orthogonal <- function(factor = 0.01, mode = "rows") {
  config <- list(factor = check_penalty(factor), mode = check_choice(mode, c("rows", "columns")))
  new_regularizer("OrthogonalRegularizer", config, function(x) orthogonal_penalty(x, config$factor, config$mode))
}

orthogonal_penalty <- function(x, factor, mode) {
  if (tensor_rank(x) != 2) abort_rank("regularizer_orthogonal()", "exactly 2", tensor_shape(x))
  if (mode == "columns") x <- op_transpose(x)
  count <- tensor_shape(x)[[1]]
  unit <- unit_vectors(x, axis = 2)
  cosines <- op_matmul(unit, op_transpose(unit))
  others <- op_subtract(1, op_eye(count, dtype = tensor_dtype(x)))
  pairs <- count * (count - 1) / 2
  op_multiply(op_sum(op_abs(op_multiply(cosines, others))), factor / 2 / max(1, pairs))
}

# x divided by its Euclidean norm along `axis`; vectors shorter than epsilon are divided by epsilon.
unit_vectors <- function(x, axis = -1) {
  squares <- op_sum(op_square(x), axis = axis, keepdims = TRUE)
  op_multiply(x, op_rsqrt(op_maximum(squares, config_epsilon()^2)))
}

# A string, a regularizer, regularizer_*, an R function of a tensor, or a config.
get_regularizer <- function(x, call = rlang::caller_env()) {
  wrap <- function(fn) new_regularizer(NULL, list(), fn, fn = fn)
  resolve_object(x, "regularizer", wrap, call = call)
}

register_object("regularizer", "L1", quote(regularizer_l1), "l1")
register_object("regularizer", "L2", quote(regularizer_l2), "l2")
register_object("regularizer", "L1L2", quote(regularizer_l1_l2), "l1_l2")
register_object("regularizer", "OrthogonalRegularizer", quote(regularizer_orthogonal),
                c("orthogonal", "orthogonal_regularizer"))
