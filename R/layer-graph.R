# Calls on symbolic tensors: the nodes that functional models are made of (level 4).

is_graph_call <- function(inputs, args) {
  if (inside_layer()) return(FALSE)
  for (x in flatten_structure(list(inputs, args))) if (is_graph_tensor(x)) return(TRUE)
  FALSE
}

# Remembers a call on symbolic tensors in the layer. Each output tensor knows where it comes from, by
# history = list(layer, node, tensor): output `tensor` of layer$inbound_nodes[[node]], counted from 1.
record_node <- function(self, inputs, args, outputs) {
  node <- length(self$inbound_nodes) + 1L
  position <- 0L
  outputs <- map_structure(outputs, function(x) {
    position <<- position + 1L
    new_symbolic(tensor_shape(x), tensor_dtype(x), mask = tensor_mask(x),
                 history = list(layer = self$handle, node = node, tensor = position))
  })
  self$inbound_nodes[[node]] <- list(
    layer = self$handle, args = list(inputs), kwargs = args,
    inputs = Filter(is_graph_tensor, flatten_structure(list(inputs, args))), outputs = flatten_structure(outputs),
    output_structure = outputs
  )
  outputs
}

# Symbolic inputs or outputs of a layer that was called exactly once in a model.
node_structure <- function(self, what) {
  nodes <- self$inbound_nodes
  if (length(nodes) != 1L) {
    reason <- if (length(nodes) == 0L) "it has not been called on a symbolic input" else "it was called several times"
    birnn_abort("Layer {.val {self$name}} has no single {what}: {reason}.", kind = "state", call = NULL)
  }
  if (what == "outputs") nodes[[1L]]$output_structure else nodes[[1L]]$args[[1L]]
}

# --- single ops in a functional model -----------------------------------------------------------------------------

# An op_*() on symbolic tensors outside any layer stands in the model as a layer of this class.
OpLayer <- R6::R6Class("OpLayer",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    casts_inputs = FALSE,
    op = NULL,
    attrs = NULL,
    initialize = function(op, attrs, name = unique_name(op)) {
      super$initialize(name = name)
      self$op <- op
      self$attrs <- attrs
      self$built <- TRUE
    },
    call = function(inputs) apply_op(self$op, inputs, self$attrs)
  )
)

# `outputs`: the symbolic results of the op. The same, with a place in the model.
record_op_layer <- function(name, inputs, attrs, outputs) {
  outputs <- record_node(OpLayer$new(name, attrs), inputs, list(), outputs)
  if (is_plain_list(outputs)) outputs else list(outputs)
}

running$record_graph_op <- record_op_layer
