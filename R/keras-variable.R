# Variables made by users (level 3).

#' A variable
#'
#' A named tensor whose value can be replaced. Layers create theirs with `self$add_weight()`.
#'
#' @param initializer An R array or tensor, or an initializer (then `shape` is needed).
#' @param shape The shape, if `initializer` is an initializer.
#' @param dtype The type of its numbers; `NULL` is the running float type.
#' @param trainable Whether optimizers may change it.
#' @param autocast,aggregation,... Accepted for compatibility, without effect.
#' @param name Its name.
#' @return A variable with the fields `$value`, `$shape`, `$dtype`, `$name`, `$path`, `$trainable` and the functions
#'   `$assign(value)` and `$numpy()`.
#' @family tensors
#' @export
#' @examples
#' v <- keras_variable(matrix(0, 2, 2))
#' v$assign(diag(2))
#' as.array(v)
keras_variable <- function(initializer, shape = NULL, dtype = NULL, trainable = TRUE, autocast = TRUE,
                           aggregation = "none", name = NULL, ...) {
  check_known_names(rlang::names2(list(...)), names(formals(keras_variable)), "keras_variable()")
  name <- name %||% unique_name("variable")
  if (is.null(shape)) {
    return(new_variable(initializer, dtype = dtype, trainable = check_flag(trainable), name = name))
  }
  value <- get_initializer(initializer)(as_shape(shape), dtype = dtype %||% floatx())
  new_variable(value, dtype = dtype, trainable = check_flag(trainable), name = name)
}
