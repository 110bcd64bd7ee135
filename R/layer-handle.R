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

# The name of its class; users' classes have a definition (layer-custom.R).
layer_class_name <- function(x) {
  self <- layer_object(x)
  self$definition$name %||% class(self)[[1L]]
}

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
  self <- handle_object(x)
  if (name %in% internal_names) {
    birnn_abort("{.field {name}} of layer {.val {self$name}} cannot be set: birnn uses that name itself.", call = NULL)
  }
  assign_field(self, name, value)
  note_change()
  if (!is.null(self$definition)) track_assignment(self, name)
  x
}

#' @export
`[[<-.birnn_layer` <- function(x, name, value) `$<-.birnn_layer`(x, name, value)

# Fields of every layer that are birnn's own business.
internal_names <- c(
  "arguments", "build_shape", "inbound_nodes", "own_weights", "call_losses", "handle", "handle_class", "sublayers",
  "seed_variables", "is_trainable", "casts_inputs", "batch_input_shape", "input_dtype", "definition", "given",
  "pending", "tracked", "tracked_fields", "unsaved_arguments"
)

# What `$` finds but completion does not offer: the inner life of a layer.
hidden_fields <- c(
  setdiff(internal_names, "inbound_nodes"), "initialize", "seed_generator", "cell_class", "direction", "loop",
  "starting_states", "keep_states", "state_count", "prepare_directions", "kind", "gates", "state_names", "step",
  "activate", "open_gate", "seed_from", "bias_shape", "bias_start", "kept_masks", "is_compiled", "dropout_masks",
  "reset_after_product", "reset_before_product", "input_names", "sets_masks", "reads_text"
)

#' @export
names.birnn_layer <- function(x) {
  fields <- ls(handle_object(x))
  fields[!fields %in% hidden_fields]
}

#' @importFrom utils .DollarNames
#' @export
.DollarNames.birnn_layer <- function(x, pattern = "") grep(pattern, names.birnn_layer(x), value = TRUE)

#' @export
format.birnn_layer <- function(x, ...) {
  self <- handle_object(x)
  paste0("<", layer_class_name(self), " name=", self$name, ", built=", self$built, ">")
}

#' @export
print.birnn_layer <- function(x, ...) {
  cat(format.birnn_layer(x), "\n signature: ", call_signature(handle_object(x)), "\n", sep = "")
  invisible(x)
}

# The arguments of a layer's call as one line: "(sequences, initial_state = NULL, mask = NULL, training = FALSE)".
call_signature <- function(self) signature_text(formals(self$call))

#' @export
str.birnn_layer <- function(object, ...) cat(" ", format(object), "\n", sep = "")

#' @export
length.birnn_layer <- function(x) 1L
