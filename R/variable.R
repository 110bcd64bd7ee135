# Variables: named numbers that change (weights, optimizer slots, states, counters) (level 1).
#
# The numbers sit in a raw vector that C++ updates in place. `shared` says that a tensor handle sees the same bytes:
# the next assignment then copies once. `version` counts the assignments: the tape refuses to go back through a
# variable that has changed since.

new_variable <- function(value, dtype = NULL, trainable = TRUE, name = "variable", path = name,
                         regularizer = NULL, constraint = NULL) {
  value <- as_tensor(value, dtype)
  v <- new.env(parent = emptyenv())
  v$name <- name
  v$path <- path
  v$dtype <- tensor_dtype(value)
  v$shape <- tensor_shape(value)
  v$bytes <- r_tensor_copy_bytes(value)
  v$version <- 0
  v$shared <- FALSE
  v$trainable <- trainable
  v$regularizer <- regularizer
  v$constraint <- constraint
  class(v) <- "birnn_variable"
  note_change()
  v
}

is_variable <- function(x) inherits(x, "birnn_variable")

variable_field <- function(v, name) get0(name, envir = v, inherits = FALSE)

# The current value as a tensor. Inside a step a value assigned earlier in the same step is seen.
variable_value <- function(v) {
  pending <- pending_value(v)
  if (!is.null(pending)) return(pending)
  if (is_tracing()) return(trace_variable(current_trace(), v))
  assign("shared", TRUE, envir = v)
  r_tensor_from_bytes(variable_field(v, "bytes"), variable_field(v, "shape"), variable_field(v, "dtype"))
}

# Inside a step the assignment is recorded and done when the step commits; otherwise it is done at once.
assign_variable <- function(v, value) {
  value <- as_tensor(value, variable_field(v, "dtype"))
  if (in_step()) record_effect(v, value) else set_variable(v, value)
  invisible(v)
}

# What users call. In a symbolic call of a functional model there is nothing to assign yet.
change_variable <- function(v, value) {
  if (is_symbolic(value) && is_graph_tensor(value)) return(invisible(v))
  if (!in_step()) return(set_variable(v, value, call = NULL))
  value <- as_tensor(value, variable_field(v, "dtype"))
  check_variable_shape(v, value, call = NULL)
  assign_variable(v, value)
}

# Writes the numbers now. A shape that does not fit is an error and changes nothing.
set_variable <- function(v, value, call = rlang::caller_env()) {
  value <- as_tensor(value, variable_field(v, "dtype"))
  check_variable_shape(v, value, call)
  r_variable_set(v, value)
  invisible(v)
}

# Sizes that are not known while a plan is traced are checked when it runs.
check_variable_shape <- function(v, value, call) {
  wanted <- variable_field(v, "shape")
  shape <- tensor_shape(value)
  if (length(shape) == length(wanted) && !any(shape != wanted, na.rm = TRUE)) return(invisible())
  birnn_abort(
    "The value for {.field {variable_field(v, 'path')}} must have shape {format_shape(wanted)}, not
     {format_shape(shape)}.",
    kind = "weights", call = call
  )
}

variable_methods <- c(
  "assign", "assign_add", "assign_sub", "value", "numpy", "shape", "dtype", "name", "path", "trainable"
)

#' @export
`$.birnn_variable` <- function(x, name) {
  switch(name,
    assign = function(value) change_variable(x, value),
    assign_add = function(value) change_variable(x, apply_op("add", list(x, as_tensor(value, tensor_dtype(x))))),
    assign_sub = function(value) change_variable(x, apply_op("subtract", list(x, as_tensor(value, tensor_dtype(x))))),
    value = variable_value(x),
    numpy = function() as.array(variable_value(x)),
    shape = as.list(new_shape(variable_field(x, "shape"))),
    variable_field(x, name)
  )
}

#' @export
`$<-.birnn_variable` <- function(x, name, value) {
  if (name == "value") return(set_variable(x, value))
  if (!name %in% c("trainable", "name", "path", "regularizer", "constraint")) {
    birnn_abort("{.field {name}} of a variable cannot be set.", call = NULL)
  }
  assign(name, value, envir = x)
  note_change()
  x
}

#' @export
.DollarNames.birnn_variable <- function(x, pattern = "") grep(pattern, variable_methods, value = TRUE)

#' @export
as.array.birnn_variable <- function(x, ...) as.array(variable_value(x))

#' @export
as.double.birnn_variable <- function(x, ...) as.numeric(variable_value(x))

#' @export
as.integer.birnn_variable <- function(x, ...) as.integer(variable_value(x))

#' @export
as.matrix.birnn_variable <- function(x, ...) as.matrix(variable_value(x))

#' @export
dim.birnn_variable <- function(x) {
  sizes <- variable_field(x, "shape")
  if (length(sizes) > 0) sizes
}

#' @export
format.birnn_variable <- function(x, ...) {
  sizes <- variable_field(x, "shape")
  paste0("<Variable path=", variable_field(x, "path"), ", shape=(", paste(sizes, collapse = ", "),
         if (length(sizes) == 1) ",", "), dtype=", variable_field(x, "dtype"), ">")
}

#' @export
print.birnn_variable <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  print(as.array(x), ...)
  invisible(x)
}

#' @export
str.birnn_variable <- function(object, ...) cat(" ", format(object), "\n", sep = "")
