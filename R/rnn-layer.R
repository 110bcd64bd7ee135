# The base of all recurrent layers: options, states, masks and shapes around a cell (level 5).

# Options of every recurrent layer, in the order of Keras' configs.
rnn_arguments <- list(
  return_sequences = arg_flag, return_state = arg_flag, go_backwards = arg_flag, stateful = arg_flag,
  unroll = arg_flag, zero_output_for_mask = extra(arg_flag, FALSE)
)

sequence_hint <- paste(
  "Sequences are arrays (batch, time, features). A recurrent layer that feeds another one needs",
  "{.code return_sequences = TRUE}."
)

# Subclasses with a cell of their own say by `cell_class` which.
RNN <- R6::R6Class("RNN",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    supports_masking = TRUE,
    input_spec = list(ndim = 3L, hint = sequence_hint),
    cell = NULL,
    # Variables with the states at the end of the last call, for stateful layers once they are built.
    states = NULL,
    cell_class = function() NULL,

    initialize = function(...) {
      super$initialize(...)
      if (!is.null(self$cell_class())) self$cell <- new_builtin_cell(self)
    },

    build = function(input_shape) {
      check_steps(self, input_shape)
      features <- known_features(self, input_shape)
      if (self$stateful && is.na(input_shape[[1L]])) abort_no_batch_size(self, input_shape)
      build_layer(layer_object(self$cell), input_shape[-2L])
      if (self$stateful) self$states <- new_state_variables(self, input_shape[[1L]])
      if (!is.null(self$input_spec)) self$input_spec$axes <- c("-1" = features)
    },

    call = function(sequences, initial_state = NULL, mask = NULL, training = FALSE) {
      check_steps(self, tensor_shape(sequences))
      mask <- as_sequence_mask(self, mask, sequences)
      states <- self$starting_states(sequences, initial_state)
      result <- self$loop(sequences, mask, states, training)
      self$keep_states(result$states)
      if (self$return_state) c(list(result$output), result$states) else result$output
    },

    # The states a call starts from: those given, those kept, or NULL for zeros.
    starting_states = function(sequences, initial_state) {
      if (!is.null(initial_state)) return(as_initial_state(self, initial_state, sequences))
      if (is.null(self$states)) return(NULL)
      check_batch_size(self, sequences)
      map_structure(self$states, variable_value)
    },

    keep_states = function(states) {
      if (!self$stateful || any(vapply(flatten_structure(states), is_graph_tensor, logical(1)))) return(invisible())
      map_structures(assign_variable, self$states, states)
    },

    # All steps of one direction: list(output, states).
    loop = function(sequences, mask, states, training) {
      if (!is_compiled_rnn(self)) return(scan_layer(self, sequences, mask, states, training))
      result <- op_recurrent(
        sequences, mask, list(self$direction(sequences, states, training)), self$return_sequences
      )
      list(output = result$outputs[[1L]], states = result$states[[1L]])
    },

    direction = function(sequences, states, training) {
      self$cell$direction(sequences, states, training, self$go_backwards, self$zero_output_for_mask)
    },

    compute_mask = function(inputs, mask = NULL) {
      if (is_plain_list(mask)) mask <- mask[[1L]]
      output_mask <- if (self$return_sequences) mask
      if (self$return_state) c(list(output_mask), rep(list(NULL), self$state_count())) else output_mask
    },

    compute_output_shape = function(input_shape) {
      shape <- as_shape(input_shape)
      output <- c(shape[[1L]], if (self$return_sequences) shape[[2L]], self$cell$output_size)
      if (!self$return_state) return(output)
      c(list(output), map_structure(state_sizes(self$cell), function(size) c(shape[[1L]], size)))
    },

    get_initial_state = function(batch_size = NULL) self$cell$get_initial_state(batch_size),
    state_count = function() length(state_sizes(self$cell)),
    sublayers = function() list(self$cell),

    reset_state = function() {
      zero <- function(state) set_variable(state, array(0, variable_field(state, "shape")))
      map_structure(self$states, zero)
      invisible(self$handle)
    }
  ),

  active = list(
    state_size = function() self$cell$state_size
  )
)

# A cell with the layer's own arguments, named as Keras names it.
new_builtin_cell <- function(layer) {
  generator <- layer$cell_class()
  arguments <- intersect(names(generator$public_fields$arguments), names(layer$arguments))
  values <- lapply(rlang::set_names(arguments), function(name) layer[[name]])
  values <- c(values, list(name = snake_case(generator$classname), dtype = layer$dtype, trainable = layer$is_trainable))
  cell <- do.call(generator$new, values, quote = TRUE)
  if (layer$go_backwards) cell$seed_from(layer$seed, backwards = TRUE)
  cell$handle
}

# Whether the compiled core can run all steps of a layer: a built-in cell, and nothing redefined by a subclass of it.
is_compiled_rnn <- function(layer) {
  cell <- layer_object(layer$cell)
  inherits(cell, "RecurrentCell") && has_method_of(cell, "call", RecurrentCell) && cell$is_compiled()
}

scan_layer <- function(layer, sequences, mask, states, training) {
  if (anyNA(tensor_shape(sequences)[[2L]])) return(symbolic_scan(layer, sequences))
  cell <- layer_object(layer$cell)
  if (is.null(states)) states <- zero_states(cell, sequences)
  if (is.function(cell$reset_dropout_mask)) {
    cell$reset_dropout_mask()
    on.exit(cell$reset_dropout_mask())
  }
  rnn_scan(layer$cell, sequences, mask, states, training, layer$go_backwards, layer$zero_output_for_mask,
           layer$return_sequences)
}

# With an unknown number of steps, in a functional model, only shapes can be told.
symbolic_scan <- function(layer, sequences) {
  shape <- tensor_shape(sequences)
  tensor <- function(sizes) new_symbolic(sizes, layer$dtype, name = "scan")
  list(
    output = tensor(c(shape[[1L]], if (layer$return_sequences) shape[[2L]], layer$cell$output_size)),
    states = map_structure(state_sizes(layer$cell), function(size) tensor(c(shape[[1L]], size)))
  )
}

# The sizes of a cell's states as a list, one element a state.
state_sizes <- function(cell) {
  sizes <- cell$state_size
  if (is_plain_list(sizes)) sizes else as.list(sizes)
}

# Zeros with the rows of `sequences`, also where the batch size is not known.
zero_states <- function(cell, sequences) {
  first <- op_sum(op_zeros_like(sequences), axis = c(2L, 3L))
  map_structure(state_sizes(cell), function(size) {
    apply_op("add", list(op_expand_dims(first, -1L), op_zeros(c(1L, size), cell$dtype)))
  })
}

new_state_variables <- function(layer, batch_size) {
  map_structure(state_sizes(layer$cell), function(size) {
    new_variable(array(0, c(batch_size, size)), dtype = layer$dtype, trainable = FALSE, name = "rnn_state",
                 path = paste(c(running$layer_path, "rnn_state"), collapse = "/"))
  })
}

# --- checks -------------------------------------------------------------------------------------------------------

check_steps <- function(layer, shape) {
  if (!isTRUE(shape[[2L]] == 0L)) return(invisible())
  birnn_abort(
    c("The input of layer {.val {layer$name}} must have at least one time step.",
      x = "Full shape received: {format_shape(shape)}."),
    kind = "shape", call = NULL
  )
}

abort_no_batch_size <- function(layer, shape) {
  birnn_abort(
    c("Layer {.val {layer$name}} is stateful: it must know the batch size when it is built.",
      x = "Full shape received: {format_shape(shape)}.",
      i = "Give the model {.code input_batch_size = }, or {.fn keras_input} a {.arg batch_size}."),
    kind = "state", call = NULL
  )
}

check_batch_size <- function(layer, sequences) {
  expected <- variable_field(flatten_structure(layer$states)[[1L]], "shape")[[1L]]
  received <- tensor_shape(sequences)[[1L]]
  if (is.na(received) || received == expected) return(invisible())
  birnn_abort(
    c("Layer {.val {layer$name}} is stateful with a batch size of {expected}, it received a batch size of {received}.",
      i = "All batches of a stateful layer have the same number of rows."),
    kind = "state", call = NULL
  )
}

# A mask as a bool tensor (batch, time) that fits the sequences.
as_sequence_mask <- function(layer, mask, sequences) {
  if (is.null(mask)) return(NULL)
  if (!is_tensor_like(mask)) mask <- as_tensor(mask)
  expected <- tensor_shape(sequences)[1:2]
  shape <- tensor_shape(mask)
  fits <- length(shape) == 2L && !any(shape != expected, na.rm = TRUE)
  if (!fits) {
    birnn_abort(
      "{.arg mask} of layer {.val {layer$name}} must have shape {format_shape(expected)} (batch, time), not
       {format_shape(shape)}.",
      kind = "mask", call = NULL
    )
  }
  op_cast(mask, "bool")
}

# Initial states as a list of tensors of the layer's dtype, nested as the cell's states are.
as_initial_state <- function(layer, initial_state, sequences) {
  sizes <- state_sizes(layer$cell)
  if (!is_plain_list(initial_state)) initial_state <- list(initial_state)
  if (length(initial_state) != length(sizes)) {
    names <- if (length(sizes) == 2L) " (h, c)" else ""
    birnn_abort(
      c("{.arg initial_state} of layer {.val {layer$name}} must have {length(sizes)} state{?s}{names}, not
         {length(initial_state)}."),
      kind = "state", call = NULL
    )
  }
  batch <- tensor_shape(sequences)[[1L]]
  Map(function(state, size, k) as_state(layer, state, size, batch, k), initial_state, sizes, seq_along(sizes))
}

as_state <- function(layer, state, size, batch, k) {
  if (is_plain_list(size)) return(as_nested_state(layer, state, size, batch, k))
  state <- as_operand(state, layer$dtype)
  expected <- c(batch, size)
  shape <- tensor_shape(state)
  if (length(shape) == length(expected) && !any(shape != expected, na.rm = TRUE)) return(state)
  birnn_abort(
    "State {k} of {.arg initial_state} of layer {.val {layer$name}} must have shape {format_shape(expected)}, not
     {format_shape(shape)}.",
    kind = "state", call = NULL
  )
}

as_nested_state <- function(layer, state, sizes, batch, k) {
  if (!is_plain_list(state)) state <- list(state)
  if (length(state) == length(sizes)) return(Map(function(s, n) as_state(layer, s, n, batch, k), state, sizes))
  birnn_abort(
    "State {k} of {.arg initial_state} of layer {.val {layer$name}} must be a list of {length(sizes)}, not
     {length(state)}.",
    kind = "state", call = NULL
  )
}

# Arguments of LSTM and GRU that change nothing here: there is one way to compute.
gpu_arguments <- list(
  use_cudnn = not_saved(argument(function(x, arg, call) {
    if (identical(x, "auto")) x else check_flag(x, arg = arg, call = call)
  })),
  implementation = extra(not_saved(arg_whole(min = 0)), 2L)
)
