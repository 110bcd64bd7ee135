# The graph of a functional model: which calls of layers lead from its inputs to its outputs, in Keras' order (level 6).

# A tensor of a functional model is output `tensor` of node `node` of a layer.
node_key <- function(tensor) {
  history <- tensor[["history"]]
  paste(rlang::obj_address(layer_object(history$layer)), history$node)
}

tensor_key <- function(tensor) paste(node_key(tensor), tensor[["history"]]$tensor)

# The graph between `inputs` and `outputs` (flat lists of symbolic tensors):
#   nodes:  in an order in which they can run: list(key, layer, index, node, depth, is_input)
#   layers: handles in Keras' order: by depth, then by the order in which a walk back from the outputs meets them.
# Follows map_graph() of keras/src/ops/function.py, since the order of layers is the order of weights.
map_graph <- function(inputs, outputs, call = rlang::caller_env()) {
  for (x in c(inputs, outputs)) check_graph_tensor(x, call)
  walk <- walk_back(inputs, outputs)
  check_inputs_known(inputs, walk$nodes, call)
  depths <- graph_depths(walk)
  graph <- add_unused_inputs(list(nodes = walk$nodes, order = walk$order, depths = depths), inputs)
  node_depths <- unname(graph$depths$node[names(graph$nodes)])
  graph$nodes <- Map(function(node, depth) c(node, depth = depth), graph$nodes, node_depths)
  graph$layers <- ordered_layers(graph)
  check_layer_names(graph$layers, call)
  graph[c("nodes", "layers")]
}

check_graph_tensor <- function(x, call, args = c("inputs", "outputs")) {
  if (is_symbolic(x) && is_graph_tensor(x) && !is.null(x[["history"]])) return(invisible())
  birnn_abort(
    c("{.arg {args}} must be symbolic tensors, not {describe_value(x)}.",
      i = "Start with {.fn keras_input} and call layers on it."),
    kind = "type", call = call
  )
}

graph_node <- function(tensor, inputs) {
  history <- tensor[["history"]]
  self <- layer_object(history$layer)
  node <- self$inbound_nodes[[history$node]]
  is_start <- inherits(self, "InputLayer") || tensor_key(tensor) %in% inputs
  list(
    key = node_key(tensor), layer = history$layer, index = history$node, node = node, is_start = is_start,
    parents = if (is_start) list() else node$inputs
  )
}

# Depth first from the outputs, with a stack of its own: models may have thousands of nodes in a row. `nodes`: finished
# ones, each after its parents; `order`: layer addresses in the order in which they were first met.
walk_back <- function(inputs, outputs) {
  input_keys <- vapply(inputs, tensor_key, "")
  nodes <- order <- list()
  finished <- new.env(parent = emptyenv())
  met <- new.env(parent = emptyenv())
  for (output in outputs) {
    stack <- list()
    pending <- list(output)
    repeat {
      if (length(pending) > 0) {
        tensor <- pending[[1]]
        pending <- pending[-1]
        if (exists(node_key(tensor), envir = finished, inherits = FALSE)) next
        frame <- graph_node(tensor, input_keys)
        address <- rlang::obj_address(layer_object(frame$layer))
        if (is.null(met[[address]])) order[[length(order) + 1L]] <- met[[address]] <- address
        stack[[length(stack) + 1L]] <- list(frame = frame, pending = pending)
        pending <- frame$parents
        next
      }
      if (length(stack) == 0) break
      top <- stack[[length(stack)]]
      stack[[length(stack)]] <- NULL
      if (!exists(top$frame$key, envir = finished, inherits = FALSE)) {
        assign(top$frame$key, TRUE, envir = finished)
        nodes[[length(nodes) + 1L]] <- top$frame
      }
      pending <- top$pending
    }
  }
  list(nodes = rlang::set_names(nodes, vapply(nodes, `[[`, "", "key")), order = as.character(order))
}

# Every start of the walk must be an input of the model.
check_inputs_known <- function(inputs, nodes, call) {
  known <- vapply(inputs, node_key, "")
  for (node in nodes) {
    if (!node$is_start || node$key %in% known) next
    birnn_abort(
      c("The outputs depend on the input {.val {node$layer$name}}, which is not among {.arg inputs}."),
      kind = "config", call = call
    )
  }
}

# The depth of a node: the longest way to an output. A layer that is used several times has the depth of its deepest
# node seen so far, as in Keras.
graph_depths <- function(walk) {
  node_depth <- new.env(parent = emptyenv())
  layer_depth <- new.env(parent = emptyenv())
  for (node in rev(walk$nodes)) {
    address <- rlang::obj_address(layer_object(node$layer))
    depth <- max(known_depth(node_depth, node$key), known_depth(layer_depth, address))
    node_depth[[node$key]] <- depth
    layer_depth[[address]] <- depth
    for (parent in node$parents) {
      key <- node_key(parent)
      node_depth[[key]] <- max(depth + 1, known_depth(node_depth, key))
    }
  }
  lapply(list(node = node_depth, layer = layer_depth), function(depths) unlist(as.list(depths)))
}

known_depth <- function(depths, key) depths[[key]] %||% 0

# Inputs that no output needs belong to the model as well.
add_unused_inputs <- function(graph, inputs) {
  for (input in inputs) {
    node <- graph_node(input, tensor_key(input))
    address <- rlang::obj_address(layer_object(node$layer))
    if (node$key %in% names(graph$nodes)) next
    graph$nodes[[node$key]] <- node
    graph$depths$node[[node$key]] <- 0
    graph$depths$layer[[address]] <- 0
    graph$order <- c(address, graph$order)
  }
  graph
}

# A model that starts at a tensor in the middle of another one does not own the layer the tensor comes from.
ordered_layers <- function(graph) {
  owned <- Filter(function(node) !node$is_start || inherits(layer_object(node$layer), "InputLayer"), graph$nodes)
  layers <- lapply(owned, `[[`, "layer")
  addresses <- vapply(layers, function(layer) rlang::obj_address(layer_object(layer)), "")
  layers <- unname(layers[!duplicated(addresses)])
  addresses <- unique(unname(addresses))
  layers[order(-graph$depths$layer[addresses], match(addresses, graph$order))]
}

check_layer_names <- function(layers, call) {
  names <- vapply(layers, function(layer) layer$name, "")
  twice <- names[duplicated(names)]
  if (length(twice)) {
    birnn_abort("All layers of a model must have different names, but {.val {twice[[1]]}} is there
                 {sum(names == twice[[1]])} times.", kind = "config", call = call)
  }
}

# --- running ------------------------------------------------------------------------------------------------------

# The graph as a straight program: tensors are numbered slots; each step calls a layer on slots.
graph_program <- function(graph, inputs, outputs) {
  slots <- new.env(parent = emptyenv())
  count <- 0L
  slot_of <- function(tensor) {
    key <- tensor_key(tensor)
    if (!exists(key, envir = slots, inherits = FALSE)) {
      count <<- count + 1L
      assign(key, count, envir = slots)
    }
    get(key, envir = slots)
  }
  with_slots <- function(x) {
    map_structure(x, function(leaf) if (is_symbolic(leaf)) structure(slot_of(leaf), class = "graph_slot") else leaf)
  }
  input_slots <- vapply(inputs, slot_of, integer(1))
  starts <- vapply(inputs, node_key, "")
  steps <- lapply(Filter(function(node) !node$key %in% starts, unname(graph$nodes)), function(node) {
    list(
      layer = node$layer, args = with_slots(c(node$node$args, node$node$kwargs)),
      outputs = vapply(node$node$outputs, slot_of, integer(1))
    )
  })
  list(inputs = input_slots, steps = steps, outputs = vapply(outputs, slot_of, integer(1)), size = count)
}

# `tensors`: a flat list in the order of the inputs; returns the flat list of outputs.
run_program <- function(program, tensors) {
  values <- vector("list", program$size)
  values[program$inputs] <- tensors
  for (step in program$steps) {
    args <- map_structure(step$args, function(leaf) if (inherits(leaf, "graph_slot")) values[[leaf]] else leaf)
    outputs <- do.call(call_layer, c(list(layer_object(step$layer)), args), quote = TRUE)
    values[step$outputs] <- flatten_structure(outputs)
  }
  values[program$outputs]
}
