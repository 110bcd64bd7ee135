# Symbolic tensors: type and shape without numbers, in functional models and in traces (level 1).

# `history`: list(layer, node, tensor) in a functional model. `trace`, `slot`: the place in the trace of a plan.
new_symbolic <- function(shape, dtype, name = NULL, mask = NULL, history = NULL, trace = NULL, slot = NULL) {
  x <- new.env(parent = emptyenv())
  x$shape <- as.integer(shape)
  x$dtype <- dtype
  x$name <- name %||% (if (is.null(trace)) unique_name("keras_tensor") else "traced")
  x$mask <- mask
  x$history <- history
  x$trace <- trace
  x$slot <- slot
  class(x) <- "birnn_symbolic"
  x
}

is_symbolic <- function(x) inherits(x, "birnn_symbolic")

# A symbolic tensor of a functional model (not of a trace).
is_graph_tensor <- function(x) is_symbolic(x) && is.null(get("trace", envir = x, inherits = FALSE))

symbolic_with_mask <- function(x, mask) {
  copy <- list2env(as.list.environment(x, all.names = TRUE), parent = emptyenv())
  copy$mask <- mask
  class(copy) <- "birnn_symbolic"
  copy
}

#' @export
`$.birnn_symbolic` <- function(x, name) {
  if (name %in% setdiff(tensor_fields, "name")) return(tensor_field(x, name))
  get0(name, envir = x, inherits = FALSE)
}

#' @export
`[[.birnn_symbolic` <- function(x, name) get0(name, envir = x, inherits = FALSE)

#' @export
dim.birnn_symbolic <- function(x) tensor_shape(x)

#' @export
.DollarNames.birnn_symbolic <- function(x, pattern = "") grep(pattern, tensor_fields, value = TRUE)

#' @export
format.birnn_symbolic <- function(x, ...) {
  sizes <- ifelse(is.na(tensor_shape(x)), "None", as.character(tensor_shape(x)))
  shape <- paste0("(", paste(sizes, collapse = ", "), if (length(sizes) == 1) ",", ")")
  paste0("<KerasTensor shape=", shape, ", dtype=", tensor_dtype(x), ", sparse=False, ragged=False, name=", x[["name"]],
         ">")
}

#' @export
print.birnn_symbolic <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @export
str.birnn_symbolic <- function(object, ...) cat(" ", format(object), "\n", sep = "")

# Texts at the input of a model: only layers that read them know what to do.
is_text_tensor <- function(x) is_symbolic(x) && identical(get("dtype", envir = x, inherits = FALSE), "string")

abort_text_input <- function(what) {
  birnn_abort(c("{what} works on numbers, but its input is text ({.code dtype = \"string\"}).",
                i = "Call a {.fn layer_text_vectorization} on it first."), kind = "type", call = NULL)
}
