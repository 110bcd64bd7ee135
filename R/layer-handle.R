# What users hold of a layer: a function to call on inputs, with `$` into the layer behind it (level 4).

# `self`: an R6 object that inherits from BaseLayer. Models put their own classes in front.
new_layer_handle <- function(self, class = character()) {
  force(self)
  handle <- structure(
    function(object, ...) compose_layer(object, self$handle, ..., .is_call = TRUE),
    class = c(class, "birnn_layer"), object = self
  )
  self$handle <- handle
  handle
}

is_layer <- function(x) inherits(x, "birnn_layer")

# The R6 object of a handle; an R6 object stays what it is.
layer_object <- function(x) if (is_layer(x)) handle_object(x) else x

layer_class_name <- function(x) class(layer_object(x))[[1L]]

#' @export
`$.birnn_layer` <- function(x, name) {
  self <- handle_object(x)
  if (identical(name, "build")) return(function(input_shape) build_layer(self, as_shape_structure(input_shape)))
  get0(name, envir = self, inherits = FALSE)
}

#' @export
`[[.birnn_layer` <- function(x, name) `$.birnn_layer`(x, name)

#' @export
`$<-.birnn_layer` <- function(x, name, value) {
  assign_field(handle_object(x), name, value)
  x
}

#' @export
`[[<-.birnn_layer` <- function(x, name, value) `$<-.birnn_layer`(x, name, value)

# What `$` finds but completion does not offer: the inner life of a layer.
hidden_fields <- c(
  "initialize", "handle", "handle_class", "arguments", "is_trainable", "call_losses", "sublayers", "own_weights",
  "build_shape", "casts_inputs", "batch_input_shape", "input_dtype", "seed_variables",
  "seed_generator", "cell_class", "direction", "loop", "starting_states", "keep_states", "state_count",
  "prepare_directions"
)

#' @export
names.birnn_layer <- function(x) {
  fields <- ls(handle_object(x))
  fields[!fields %in% hidden_fields]
}

#' @importFrom utils .DollarNames
#' @exportS3Method utils::.DollarNames
.DollarNames.birnn_layer <- function(x, pattern = "") grep(pattern, names.birnn_layer(x), value = TRUE)

#' @export
format.birnn_layer <- function(x, ...) {
  self <- handle_object(x)
  paste0("<", class(self)[[1L]], " name=", self$name, ", built=", self$built, ">")
}

#' @export
print.birnn_layer <- function(x, ...) {
  cat(format.birnn_layer(x), "\n signature: ", call_signature(handle_object(x)), "\n", sep = "")
  invisible(x)
}

# The arguments of a layer's call as one line: "(sequences, initial_state = NULL, mask = NULL, training = FALSE)".
call_signature <- function(self) {
  arguments <- formals(self$call)
  words <- vapply(names(arguments), function(name) {
    default <- paste(deparse(arguments[[name]]), collapse = " ")
    if (nzchar(default)) paste(name, "=", default) else name
  }, character(1))
  paste0("(", paste(words, collapse = ", "), ")")
}

#' @export
str.birnn_layer <- function(object, ...) cat(" ", format(object), "\n", sep = "")

#' @export
length.birnn_layer <- function(x) 1L
