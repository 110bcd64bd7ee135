# Shapes in R: integer vectors inside (NA = not known), the list class `keras_shape` for users (level 1).

#' Shape of a tensor, or a shape written down
#'
#' Unknown sizes are `NULL` or `NA` (or -1). `shape(NULL, 28)`, `shape(NA, 28)`, `c(NA, 28)` and `list(NULL, 28)` mean
#' the same wherever a shape is expected. Given one tensor or array, `shape()` returns its sizes.
#'
#' @param ... Sizes, vectors or lists of sizes, or a tensor or array.
#' @return A list of class `keras_shape` with one element an axis, `NULL` for an unknown size.
#' @family tensors
#' @export
#' @examples
#' shape(NULL, 28)
#' shape(array(0, c(2, 3)))
shape <- function(...) {
  given <- list(...)
  if (length(given) == 1 && (is_tensor_like(given[[1]]) || length(dim(given[[1]])) > 0)) {
    return(new_shape(sizes_of(given[[1]])))
  }
  new_shape(as_shape(given))
}

sizes_of <- function(x) if (is_tensor_like(x)) tensor_shape(x) else dim(x)

new_shape <- function(sizes) {
  structure(lapply(sizes, function(size) if (is.na(size)) NULL else size), class = "keras_shape")
}

# Any spelling of a shape as an integer vector, NA = unknown.
as_shape <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (is.null(x)) return(NA_integer_)
  if (is_tensor_like(x)) return(tensor_shape(x))
  if (is.list(x)) {
    x <- unlist(lapply(unclass(x), function(size) if (is.null(size)) NA else as_shape(size, arg = arg, call = call)))
    if (is.null(x)) return(integer())
  }
  if (is.logical(x) && all(is.na(x))) return(rep(NA_integer_, length(x)))
  if (!is.numeric(x)) stop_not("a shape such as {.code c(NA, 8)} or {.code shape(NULL, 8)}", x, arg, call)
  x[!is.na(x) & x == -1] <- NA
  bad <- !is.na(x) & (x < 0 | x != round(x) | x > .Machine$integer.max)
  if (any(bad)) {
    birnn_abort("{.arg {arg}} must hold whole sizes of at least 0, not {.val {x[bad][[1]]}}.",
                kind = "shape", call = call)
  }
  as.integer(x)
}

#' @export
format.keras_shape <- function(x, ...) {
  paste0("shape(", paste(vapply(unclass(x), function(size) if (is.null(size)) "NA" else format(size), ""),
                         collapse = ", "), ")")
}

#' @export
print.keras_shape <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @export
`[.keras_shape` <- function(x, ...) structure(unclass(x)[...], class = "keras_shape")

#' @export
as.integer.keras_shape <- function(x, ...) as_shape(unclass(x))

#' @export
as.double.keras_shape <- function(x, ...) as.double(as_shape(unclass(x)))

#' @export
as.list.keras_shape <- function(x, ...) unclass(x)

#' @export
c.keras_shape <- function(...) shape(...)

#' @export
Ops.keras_shape <- function(e1, e2) {
  if (!.Generic %in% c("==", "!=")) birnn_abort("{.code {(.Generic)}} is not defined for shapes.", kind = "type")
  same <- identical(as_shape(e1), as_shape(e2))
  if (.Generic == "==") same else !same
}

#' @export
Summary.keras_shape <- function(..., na.rm = FALSE) {
  do.call(.Generic, c(lapply(list(...), as_shape), na.rm = na.rm))
}

# c(batch, time, .) %<-% shape(x)
#' @exportS3Method zeallot::destructure keras_shape
destructure.keras_shape <- function(x) unclass(x)
