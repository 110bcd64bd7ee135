# A functional model from its config: layers are made, then called in the order in which their inputs come (level 6).

functional_from_config <- function(config) do.call(Functional$new, graph_from_config(config))$handle

# What a functional model with this config is made with.
graph_from_config <- function(config) {
  config <- checked_config(config, "Functional", c("layers", "input_layers", "output_layers"))
  names <- vapply(config$layers, entry_name, "")
  if (anyDuplicated(names)) {
    birnn_abort("Two layers of a model in a config have the same name, {.val {names[duplicated(names)][[1]]}}.",
                kind = "config", call = NULL)
  }
  layers <- rlang::set_names(lapply(config$layers, graph_layer), names)
  calls <- rlang::set_names(lapply(config$layers, entry_calls), names)
  outputs <- call_graph(layers, calls)
  find <- function(place) graph_tensor(outputs, place)
  list(
    inputs = graph_ends(config$input_layers, find), outputs = graph_ends(config$output_layers, find),
    name = check_layer_name(config$name, "name", NULL), trainable = isTRUE(config$trainable %||% TRUE)
  )
}

entry_name <- function(entry) {
  name <- check_layer_name(entry$name %||% entry$config$name, "name", NULL)
  name %||% birnn_abort("Each layer of a graph in a config must have a {.field name}.", kind = "config", call = NULL)
}

graph_layer <- function(entry) {
  operation_from_entry(entry) %||% own_operation_from_entry(entry) %||% layer_from_entry(entry)
}

# --- calls --------------------------------------------------------------------------------------------------------

# The calls of a layer: list(args, kwargs). Keras 2 wrote one list of places for a call, each with further arguments.
entry_calls <- function(entry) {
  lapply(entry$inbound_nodes, function(node) {
    if (!is_plain_list(node)) abort_bad_graph(entry_name(entry))
    if ("args" %in% names(node)) return(list(args = node$args, kwargs = call_settings(node$kwargs)))
    old_call(node, entry)
  })
}

# Layers that Keras 2 called on a list of sequences and initial states.
called_with_states <- c("SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")

# Keras fills in settings that say nothing: no mask, not training. `training = TRUE` was asked for.
call_settings <- function(kwargs) {
  kwargs <- compact(as.list(kwargs))
  kwargs[!(names(kwargs) == "training" & vapply(kwargs, isFALSE, NA))]
}

# list(list("dense", 0, 0, list()), ...), or for a single input the innermost list.
old_call <- function(node, entry) {
  name <- entry_name(entry)
  if (length(node) > 0 && is.character(node[[1]])) node <- list(node)
  bad <- length(node) == 0 || !all(vapply(node, function(place) is_plain_list(place) && length(place) >= 3, NA))
  if (bad) abort_bad_graph(name)
  inputs <- lapply(node, old_place)
  settings <- if (length(node[[1]]) >= 4) lapply(node[[1]][[4]], old_argument)
  if (length(inputs) > 1 && entry$class_name %in% called_with_states) {
    settings$initial_state <- inputs[-1]
    inputs <- inputs[1]
  }
  list(args = list(if (length(inputs) == 1) inputs[[1]] else inputs), kwargs = call_settings(settings))
}

old_place <- function(place) list(class_name = "__keras_tensor__", config = list(keras_history = place[1:3]))

# Further tensors among the settings of a call: list("encoder", 0, 1), also in lists.
old_argument <- function(x) {
  if (!is_plain_list(x) || length(x) == 0) return(x)
  is_place <- length(x) %in% 3:4 && is.character(x[[1]]) && is.numeric(x[[2]]) && is.numeric(x[[3]])
  if (is_place) old_place(x) else lapply(x, old_argument)
}

abort_bad_graph <- function(name) {
  birnn_abort("The config does not say in a known form how layer {.val {name}} is called.", kind = "config", call = NULL)
}

# --- running through the graph ------------------------------------------------------------------------------------

# Calls everything whose inputs are there, until nothing is left. The calls of one layer keep their order. Returns for
# each layer the list of the outputs of its calls.
call_graph <- function(layers, calls) {
  outputs <- lapply(layers, function(layer) {
    if (inherits(layer_object(layer), "InputLayer")) list(list(layer$output)) else list()
  })
  done <- rlang::set_names(integer(length(layers)), names(layers))
  repeat {
    before <- sum(done)
    for (name in names(layers)[done < lengths(calls)]) {
      while (done[[name]] < length(calls[[name]])) {
        call <- calls[[name]][[done[[name]] + 1L]]
        if (!all(vapply(call_places(call), function(place) is_known(outputs, place, names(layers), name), NA))) break
        outputs[[name]] <- c(outputs[[name]], list(flatten_structure(run_call(layers[[name]], call, outputs))))
        done[[name]] <- done[[name]] + 1L
      }
    }
    if (all(done >= lengths(calls))) return(outputs)
    if (sum(done) == before) abort_circular(names(layers)[done < lengths(calls)])
  }
}

abort_circular <- function(names) {
  birnn_abort(
    "The layers of a model in a config must not depend on each other in a circle: {.val {names}}.", kind = "config",
    call = NULL
  )
}

is_place_config <- function(x) is_plain_list(x) && identical(x$class_name, "__keras_tensor__")

# All tensors that a call needs, as list(layer, node, tensor).
call_places <- function(x) {
  if (is_place_config(x)) return(list(x$config$keras_history))
  if (!is_plain_list(x)) return(list())
  do.call(c, c(list(list()), lapply(unname(x), call_places)))
}

is_known <- function(outputs, place, names, user) {
  check_place(place, user)
  if (!place[[1]] %in% names) {
    birnn_abort("Layer {.val {user}} in a config needs the output of {.val {place[[1]]}}, which is not there.",
                kind = "config", call = NULL)
  }
  length(outputs[[place[[1]]]]) > place[[2]]
}

check_place <- function(place, user) {
  is_count <- function(x) is.numeric(x) && length(x) == 1 && !is.na(x) && x >= 0 && x == round(x)
  valid <- is_plain_list(place) && length(place) >= 3 && is.character(place[[1]]) && is_count(place[[2]]) &&
    is_count(place[[3]])
  if (!valid) abort_bad_graph(user)
}

graph_tensor <- function(outputs, place) {
  check_place(place, "?")
  calls <- outputs[[place[[1]]]]
  found <- if (length(calls) > place[[2]]) calls[[place[[2]] + 1]]
  if (length(found) <= place[[3]]) {
    birnn_abort("A config names output {place[[3]]} of call {place[[2]]} of layer {.val {place[[1]]}}, which is not there.",
                kind = "config", call = NULL)
  }
  found[[place[[3]] + 1]]
}

run_call <- function(layer, call, outputs) {
  value <- function(x) {
    if (is_place_config(x)) return(graph_tensor(outputs, x$config$keras_history))
    if (is_object_config(x)) return(deserialize_keras_object(x))
    if (is_plain_list(x)) lapply(x, value) else x
  }
  args <- c(lapply(unname(call$args), value), lapply(call$kwargs, value))
  if (length(args) == 0) abort_bad_graph(layer$name)
  # Keras gives the first argument by name at times.
  first <- match(TRUE, names(args) %in% c("inputs", "sequences"))
  if (!is.na(first)) args <- c(unname(args[first]), args[-first])
  with_running(list(layer_depth = 0L), do.call(call_layer, c(list(layer_object(layer)), args), quote = TRUE))
}

# The ends of a graph: list("x", 0, 0) for a single tensor, a list of them, or a named list.
graph_ends <- function(ends, find) {
  if (length(ends) > 0 && is.character(ends[[1]])) return(find(ends))
  if (is_plain_list(ends) && length(ends) > 0) return(lapply(ends, graph_ends, find = find))
  birnn_abort("A graph in a config must have inputs and outputs.", kind = "config", call = NULL)
}
