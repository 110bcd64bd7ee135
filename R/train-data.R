# What users give to fit(), evaluate() and predict(), as tensors: converted once, checked against the model (level 7).

# One input as a tensor. `spec`: list(name, shape with the batch axis, dtype); shape NULL: not known yet.
input_tensor <- function(x, spec, arg = "x", call = rlang::caller_env()) {
  if (is.factor(x) && length(spec$shape) > 2) {
    birnn_abort("{.arg {arg}} must be an array of numbers, not a factor with {nlevels(x)} level{?s}.", kind = "type",
                call = call)
  }
  x <- plain_numbers(x, arg, call)
  tensor <- if (is_tensor_like(x)) as_tensor(x, spec$dtype) else numbers_to_tensor(x, spec$dtype, arg, call)
  if (is.null(spec$shape)) return(check_has_axes(tensor, arg, call))
  tensor <- adjust_rank(tensor, spec$shape)
  check_input_shape(tensor_shape(tensor), spec, arg, call)
  tensor
}

# Data frames of numbers, factors and logicals as plain numbers.
plain_numbers <- function(x, arg, call) {
  if (is_tensor_like(x)) return(x)
  if (is.factor(x)) return(as.integer(x) - 1L)
  if (is.data.frame(x)) {
    bad <- names(x)[!vapply(x, function(column) is.numeric(column) || is.logical(column), logical(1))]
    if (length(bad)) {
      birnn_abort(
        c("{.arg {arg}} is a data frame whose column{?s} {.field {bad}} {?is/are} not numbers.",
          i = "For one row a time step see {.fn sequences_from_data_frame}."),
        kind = "type", call = call
      )
    }
    return(as.matrix(x))
  }
  if (is.object(x) && !inherits(x, c("matrix", "array", "table")) || !(is.numeric(x) || is.logical(x))) {
    birnn_abort(
      c("{.arg {arg}} must be an array of numbers, not {.cls {if (is.object(x)) class(x) else typeof(x)}}.",
        i = conversion_hint(x)),
      kind = "type", call = call
    )
  }
  x
}

numbers_to_tensor <- function(x, dtype, arg, call) {
  if (identical(dtype, "int32") && is.double(x)) {
    bad <- which(is.na(x) | x != trunc(x))
    if (length(bad)) {
      birnn_abort("{.arg {arg}} must hold whole numbers, but element {bad[[1]]} is {.val {x[[bad[[1]]]]}}.",
                  call = call)
    }
  }
  if (!is.double(x) && (dtype %||% "") %in% c("float32", "float64")) storage.mode(x) <- "double"
  if (length(x) == 1 && is.null(dim(x))) dim(x) <- 1L
  as_tensor(x, dtype)
}

check_has_axes <- function(tensor, arg, call) {
  if (tensor_rank(tensor) >= 2) return(tensor)
  birnn_abort(
    c("{.arg {arg}} must be an array with a row for each sample, but it has no {.fn dim}.",
      i = "Use {.fn matrix} or {.fn array}."),
    kind = "shape", call = call
  )
}
