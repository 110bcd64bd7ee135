# Eager tensors: immutable row-major numbers behind an external pointer, and the running float type (level 1).

#' Default float type and fuzz factor
#'
#' Layers, weights and converted R numbers have the type `config_floatx()`: `"float32"` unless
#' `config_set_floatx("float64")` asks for double precision throughout. `config_epsilon()` is the small number that
#' losses add or clip by.
#'
#' @param value A string, `"float32"` or `"float64"`; for `config_set_epsilon()` a positive number.
#' @return The getters return the current value, the setters return `NULL`, invisibly.
#' @family session
#' @export
#' @examples
#' config_floatx()
#' config_set_floatx("float64")
#' as_tensor(1:2 / 3)
#' config_set_floatx("float32")
config_floatx <- function() session$floatx

#' @rdname config_floatx
#' @export
config_set_floatx <- function(value) {
  session$floatx <- check_choice(value, c("float32", "float64"))
  note_change()
  invisible(NULL)
}

#' @rdname config_floatx
#' @export
config_epsilon <- function() session$epsilon

#' @rdname config_floatx
#' @export
config_set_epsilon <- function(value) {
  session$epsilon <- check_number(value, min = 0)
  invisible(NULL)
}

session$floatx <- "float32"
session$epsilon <- 1e-7

floatx <- function() session$floatx

dtype_names <- c("float32", "float64", "int32", "bool")

is_tensor <- function(x) inherits(x, "birnn_tensor")

is_tensor_like <- function(x) inherits(x, c("birnn_tensor", "birnn_symbolic", "birnn_variable"))

#' Make a tensor
#'
#' Numbers become a tensor of the running float type (see [config_floatx()]), integers `int32`, logicals `bool`.
#' Tensors keep their numbers in row-major order; [as.array()] turns them back into an R array.
#'
#' @param x An R vector, matrix or array (a vector of length one becomes a scalar), a tensor or a variable.
#' @param dtype `"float32"`, `"float64"`, `"int32"` or `"bool"`; `NULL` chooses as described above.
#' @param shape The sizes to give it, filled row by row; a single number is repeated. `NULL`: those of `x`.
#' @return A tensor.
#' @family tensors
#' @export
#' @examples
#' as_tensor(matrix(1:6, 2))
#' as.array(as_tensor(c(1.5, 2)))
#' as_tensor(1:6, shape = c(2, 3))
as_tensor <- function(x, dtype = NULL, shape = NULL) {
  if (!is.null(shape)) return(tensor_of_shape(x, dtype, as_shape(shape)))
  if (is_tensor_like(x)) {
    if (is_variable(x)) x <- variable_value(x)
    return(if (is.null(dtype) || dtype == tensor_dtype(x)) x else apply_op("cast", list(x), list(dtype = dtype)))
  }
  tensor_from_r(x, if (is.null(dtype)) natural_dtype(x) else check_choice(dtype, dtype_names))
}

tensor_of_shape <- function(x, dtype, shape) {
  if (!is_tensor_like(x) && length(x) == 1L && length(shape) > 0L) x <- array(x, shape)
  apply_op("reshape", list(as_tensor(x, dtype)), list(shape = as.numeric(shape)))
}

natural_dtype <- function(x) {
  if (is.logical(x)) return("bool")
  if (is.integer(x)) return("int32")
  floatx()
}

tensor_from_r <- function(x, dtype, call = rlang::caller_env()) {
  if (is.list(x) && !is.object(x)) x <- tryCatch(simplify2array(x), error = function(e) x)
  is_plain <- (is.numeric(x) || is.logical(x)) && (!is.object(x) || inherits(x, c("matrix", "array", "table")))
  if (!is_plain) {
    birnn_abort(
      c("A tensor is made of numbers or logicals, not of {.cls {class(x)}}.", i = conversion_hint(x)),
      kind = "type", call = call
    )
  }
  sizes <- dim(x)
  if (is.null(sizes)) sizes <- if (length(x) == 1) integer() else length(x)
  r_tensor_from_r(x, as.integer(sizes), dtype)
}

# One long series is not yet a batch of sequences, whatever its dim() says.
time_series_classes <- c("ts", "zoo", "xts")

conversion_hint <- function(x) {
  if (is.data.frame(x)) return("Use {.code data.matrix(x)}, and {.fn array} for a third axis.")
  if (is.factor(x)) return("Use {.code as.integer(x) - 1L}, the codes counted from 0.")
  if (inherits(x, time_series_classes)) {
    return("For windows of a series see {.fn timeseries_dataset_from_array}; its numbers are {.code as.numeric(x)}.")
  }
  if (inherits(x, "Matrix")) return("Use {.code as.matrix(x)}.")
  if (is.character(x)) return("Text must be turned into numbers first.")
  "Use {.fn as.numeric} or {.fn array} first."
}

tensor_dtype <- function(x) {
  if (typeof(x) == "externalptr") r_tensor_dtype(x) else get("dtype", envir = x, inherits = FALSE)
}

tensor_shape <- function(x) {
  if (typeof(x) == "externalptr") r_tensor_shape(x) else get("shape", envir = x, inherits = FALSE)
}

tensor_rank <- function(x) length(tensor_shape(x))

# The implicit mask of a tensor: a bool tensor (batch, time), or NULL.
tensor_mask <- function(x) {
  if (is_tensor(x)) return(r_tensor_mask(x))
  if (is_symbolic(x)) get("mask", envir = x, inherits = FALSE)
}

# The same numbers with another mask (NULL: none); a new handle.
with_mask <- function(x, mask) {
  if (is.null(mask) && is.null(tensor_mask(x))) return(x)
  if (is_tensor(x)) r_tensor_with_mask(x, mask) else symbolic_with_mask(x, mask)
}

#' @export
as.array.birnn_tensor <- function(x, ...) r_tensor_to_r(x)

#' @export
as.double.birnn_tensor <- function(x, ...) as.numeric(r_tensor_to_r(x))

#' @export
as.integer.birnn_tensor <- function(x, ...) as.integer(r_tensor_to_r(x))

#' @export
as.logical.birnn_tensor <- function(x, ...) as.logical(r_tensor_to_r(x))

#' @export
as.vector.birnn_tensor <- function(x, mode = "any") as.vector(r_tensor_to_r(x), mode)

#' @export
as.matrix.birnn_tensor <- function(x, ...) as.matrix(r_tensor_to_r(x))

#' @export
dim.birnn_tensor <- function(x) {
  sizes <- r_tensor_shape(x)
  if (length(sizes) > 0) sizes
}

#' @export
length.birnn_tensor <- function(x) as.integer(prod(r_tensor_shape(x)))

tensor_fields <- c("shape", "dtype", "name", "numpy", "ndim", "_keras_mask")

tensor_field <- function(x, name) {
  switch(name,
    shape = as.list(new_shape(tensor_shape(x))),
    ndim = tensor_rank(x),
    dtype = tensor_dtype(x),
    `_keras_mask` = tensor_mask(x),
    numpy = function() as.array(x),
    name = NULL
  )
}

#' @export
`$.birnn_tensor` <- function(x, name) tensor_field(x, name)

#' @export
names.birnn_tensor <- function(x) NULL

#' @export
.DollarNames.birnn_tensor <- function(x, pattern = "") grep(pattern, tensor_fields, value = TRUE)

#' @export
all.equal.birnn_tensor <- function(target, current, ..., tolerance = same_number[[tensor_dtype(target)]]) {
  if (inherits(current, c("birnn_variable", "birnn_symbolic"))) current <- as_tensor(current)
  if (is_tensor(current)) {
    if (tensor_dtype(target) != tensor_dtype(current)) return("dtypes differ")
    return(all.equal(as.array(target), as.array(current), ..., tolerance = tolerance))
  }
  if (!is.numeric(current) && !is.logical(current)) return("current is neither a tensor nor an array of numbers")
  all.equal(as.array(target), as.array(current), ..., tolerance = tolerance)
}

# Numbers of R and what a type makes of them.
same_number <- c(float32 = 1e-6, float64 = 1.5e-8, int32 = 1.5e-8, bool = 1.5e-8)

#' @export
all.equal.birnn_variable <- function(target, current, ...) all.equal(as_tensor(target), current, ...)

# testthat compares tensors by their numbers: the address of a handle says nothing.
compare_proxy_tensor <- function(x, path = "x") {
  proxy <- list(dtype = tensor_dtype(x), shape = tensor_shape(x), bytes = r_tensor_bytes(x))
  if (utils::packageVersion("waldo") >= "0.3.0") list(object = proxy, path = paste0("tensor(", path, ")")) else proxy
}

#' @export
format.birnn_tensor <- function(x, ...) {
  paste0("<tensor ", format_shape(tensor_shape(x)), " ", tensor_dtype(x), ">")
}

#' @export
print.birnn_tensor <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  print(as.array(x), ...)
  invisible(x)
}

#' @export
str.birnn_tensor <- function(object, ...) cat(" ", format(object), "\n", sep = "")
