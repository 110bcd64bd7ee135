# Models as configs in Keras' schema, and back (level 6). Reading a graph is in model-serialize-graph.R.

BaseModel$set("public", "get_build_config", function() NULL)

# --- chains -------------------------------------------------------------------------------------------------------

Sequential$set("public", "module", "keras")

Sequential$set("public", "get_build_config", function() {
  if (!is.null(self$input_layer)) list(input_shape = config_shape(tensor_shape(self$input_layer$output)))
})

# An input that was not declared but taken from data is no layer of the config: its sizes bind nobody.
Sequential$set("public", "get_config", function() {
  layers <- c(if (self$declared) list(self$input_layer), self$chain)
  config <- list(name = self$name, trainable = self$is_trainable, dtype = dtype_policy_config(self$dtype),
                 layers = lapply(layers, serialize_keras_object))
  if (!is.null(self$input_layer)) config$build_input_shape <- config_shape(tensor_shape(self$input_layer$output))
  config
})

sequential_from_config <- function(config) {
  config <- checked_config(config, "Sequential", "layers")
  self <- Sequential$new(name = check_layer_name(config$name, "name", NULL), trainable = isTRUE(config$trainable %||% TRUE))
  model <- new_layer_handle(self, c("birnn_sequential", "birnn_model"))
  for (entry in config$layers) self$add(layer_from_entry(entry))
  shape <- config$build_input_shape
  if (is.null(self$input_layer) && !is.null(shape)) build_layer(self, checked_sizes(shape, self$name))
  model
}

# --- graphs -------------------------------------------------------------------------------------------------------

Functional$set("public", "module", "keras.src.models.functional")
Functional$set("public", "registered_name", "Functional")
# Keras writes the key without a value: the layers of the graph are built by being called.
Functional$set("public", "get_build_config", function() list(input_shape = NULL))

Functional$set("public", "get_config", function() {
  inputs <- flatten_structure(self$input_structure)
  names <- graph_names(self$graph, inputs)
  owned <- lapply(self$graph$layers, function(layer) graph_entry(self$graph, layer, names))
  added <- lapply(Filter(function(x) !is_input_tensor(x), inputs), function(x) start_entry(x, names))
  list(
    name = self$name, trainable = self$is_trainable, layers = c(added, owned),
    input_layers = map_structure(self$input_structure, function(x) names$place(x)),
    output_layers = map_structure(self$output_structure, function(x) names$place(x))
  )
})

is_input_tensor <- function(tensor) inherits(layer_object(tensor[["history"]]$layer), "InputLayer")

# How tensors are named in a config: list(layer, node, tensor), counted from 0, nodes of this graph only. A model may
# start at a tensor within another one: in its config an input layer stands there.
graph_names <- function(graph, inputs) {
  starts <- Filter(function(x) !is_input_tensor(x), inputs)
  start_keys <- vapply(starts, tensor_key, "")
  nodes <- list()
  for (node in graph$nodes) {
    address <- rlang::obj_address(layer_object(node$layer))
    nodes[[address]] <- sort(c(nodes[[address]], node$index))
  }
  place <- function(tensor) {
    history <- tensor[["history"]]
    if (tensor_key(tensor) %in% start_keys) return(list(start_name(tensor), 0L, 0L))
    own <- nodes[[rlang::obj_address(layer_object(history$layer))]]
    list(history$layer$name, match(history$node, own) - 1L, as.integer(history$tensor) - 1L)
  }
  list(place = place, nodes = nodes)
}

start_name <- function(tensor) {
  history <- tensor[["history"]]
  paste(c(history$layer$name, "input", if (history$tensor > 1L) history$tensor), collapse = "_")
}

start_entry <- function(tensor, names) {
  layer <- new_input_layer(tensor_shape(tensor), tensor_dtype(tensor), start_name(tensor))
  c(serialize_keras_object(layer), list(name = start_name(tensor), inbound_nodes = list()))
}

# A layer with its calls in the graph.
graph_entry <- function(graph, layer, names) {
  self <- layer_object(layer)
  entry <- if (inherits(self, "OpLayer")) operation_config(self) else serialize_keras_object(layer)
  calls <- Filter(function(node) identical(layer_object(node$layer), self) && !node$is_start, graph$nodes)
  calls <- calls[order(vapply(calls, `[[`, 1L, "index"))]
  # A key without a value must stay: `registered_name`.
  c(entry, list(name = self$name, inbound_nodes = lapply(unname(calls), function(call) call_config(self, call$node, names))))
}

call_config <- function(self, node, names) {
  value <- function(x) map_nulls(x, function(leaf) argument_config(self, leaf, names))
  args <- node$args
  kwargs <- compact(node$kwargs)
  if (inherits(self, "Operation")) {
    args <- c(args, kwargs["other"][!is.null(kwargs$other)])
    kwargs$other <- NULL
  } else if (inherits(self, "OpLayer") && !identical(operation_config(self)$module, own_operation_module)) {
    args <- if (is_plain_list(args[[1]])) args[[1]] else args
  }
  list(args = unname(value(args)), kwargs = rlang::set_names(value(kwargs), rlang::names2(kwargs)))
}

# As map_structure(), but NULL stays in its place.
map_nulls <- function(x, fn) {
  if (is.null(x)) return(NULL)
  if (is_plain_list(x)) return(lapply(x, map_nulls, fn = fn))
  fn(x)
}

# An argument of a call: a tensor of the graph, numbers, flags, words.
argument_config <- function(self, x, names) {
  if (is_symbolic(x)) {
    return(list(class_name = "__keras_tensor__", config = list(
      shape = config_shape(tensor_shape(x)), dtype = tensor_dtype(x), keras_history = names$place(x)
    )))
  }
  if (is_tensor(x) && tensor_rank(x) == 0L) return(as.vector(as.array(x)))
  if (is_tensor(x) || is.atomic(x)) return(serialize_keras_object(x))
  birnn_abort(
    c("Layer {.val {self$name}} is called with {describe_value(x)}, which cannot be part of a config.",
      i = "Only tensors of the model, numbers, flags and strings can."),
    kind = "config", call = NULL
  )
}

# --- entries ------------------------------------------------------------------------------------------------------

most_layers <- 10000L

# The config of a model with what it cannot be without.
checked_config <- function(config, class_name, needed) {
  if (!is_plain_list(config) || !all(needed %in% names(config)) || !is_plain_list(config$layers)) {
    birnn_abort("The config of class {.val {class_name}} must have the element{?s} {.field {needed}}.", kind = "config",
                call = NULL)
  }
  if (length(config$layers) > most_layers) {
    birnn_abort("A model in a config can have at most {most_layers} layers, not {length(config$layers)}.", kind = "config",
                call = NULL)
  }
  config
}

layer_from_entry <- function(entry) {
  if (!is_object_config(entry)) {
    birnn_abort("Each layer in a config must have a {.field class_name}.", kind = "config", call = NULL)
  }
  layer <- object_from_config(entry, call = NULL)
  if (is_layer(layer)) return(layer)
  birnn_abort("Class {.val {entry$class_name}} in a config is no layer.", kind = "config", call = NULL)
}

checked_sizes <- function(shape, name) {
  sizes <- as_shape(shape, arg = "build_input_shape", call = NULL)
  if (length(sizes) >= 2L && all(is.na(sizes) | sizes > 0L)) return(sizes)
  birnn_abort("The input of model {.val {name}} cannot have the shape {format_shape(sizes)}.", kind = "config", call = NULL)
}

input_layer_from_config <- function(config) {
  shape <- as_shape(config$batch_shape, arg = "batch_shape", call = NULL)
  dtype <- config$dtype
  if (is_plain_list(dtype)) dtype <- dtype$config$name
  if (isTRUE(config$sparse) || isTRUE(config$ragged)) {
    birnn_abort("Input {.val {config$name}} is sparse or ragged: such inputs are not supported.", kind = "config", call = NULL)
  }
  if (!is.null(dtype)) dtype <- input_dtype(dtype, call = NULL)
  name <- check_layer_name(config$name, "name", NULL)
  new_input_layer(check_sizes(shape, NULL), dtype, name, optional = isTRUE(config$optional))
}

# Models and inputs are classes of configs like layers, but have no layer_*() of their own.
register_config_class <- function(class_name, generator, what, from_config) {
  register_object("layer", class_name, list(
    generator = substitute(generator), constructor = quote(no_constructor), what = what, from_config = from_config
  ))
}

no_constructor <- function() NULL

register_config_class("InputLayer", InputLayer, "keras_input", function(config) input_layer_from_config(config))
register_config_class("Sequential", Sequential, "keras_model_sequential", function(config) sequential_from_config(config))
register_config_class("Functional", Functional, "keras_model", function(config) functional_from_config(config))
