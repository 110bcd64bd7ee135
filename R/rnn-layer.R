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

arg_cell <- argument(
  function(x, arg, call) as_cell(x, arg, call), load = as_layer_argument,
  hint = "It is the second argument: {.code layer_rnn(cell = rnn_cell_lstm(units = 32))}."
)

# Subclasses with a cell of their own say by `cell_class` which.
RNN <- R6::R6Class("RNN",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = c(rnn_arguments, list(cell = arg_cell)),
    supports_masking = TRUE,
    input_spec = list(ndim = 3L, hint = sequence_hint),
    cell = NULL,
    # Variables with the states at the end of the last call, nested as they are, for stateful layers once they are
    # built.
    states = NULL,
    cell_class = function() NULL,

    initialize = function(..., .call = rlang::caller_env()) {
      super$initialize(..., .call = .call)
      if (!is.null(self$cell_class())) self$cell <- new_builtin_cell(self)
      if (!takes_vectors(self$cell)) self$input_spec <- list(min_ndim = 3L, hint = sequence_hint)
      if (self$go_backwards) seed_backwards(layer_object(self$cell))
    },

    build = function(input_shape) {
      check_steps(self, input_shape)
      if (self$stateful && is.na(input_shape[[1L]])) abort_no_batch_size(self, input_shape)
      if (takes_vectors(self$cell)) self$input_spec$axes <- c("-1" = known_features(self, input_shape))
      build_cell(self$cell, input_shape[-2L])
      if (self$stateful) self$states <- new_state_variables(self, input_shape[[1L]])
    },

    call = function(sequences, initial_state = NULL, mask = NULL, training = FALSE) {
      check_steps(self, tensor_shape(sequences))
      mask <- as_sequence_mask(self, mask, tensor_shape(sequences)[1:2])
      states <- self$starting_states(sequences, initial_state)
      result <- self$loop(sequences, mask, states, training)
      self$keep_states(result$states)
      if (self$return_state) c(list(result$output), result$states) else result$output
    },

    # The states a call starts from: those given, those kept, those of the cell, or NULL for zeros.
    starting_states = function(sequences, initial_state) {
      if (!is.null(initial_state)) return(as_initial_state(self, initial_state, sequences))
      if (is.null(self$states)) return(if (!starts_at_zero(self)) first_states(self, sequences))
      check_batch_size(self, sequences)
      map_structure(self$states, variable_value)
    },

    keep_states = function(states) {
      if (!self$stateful || any(vapply(flatten_structure(states), is_graph_tensor, logical(1)))) return(invisible())
      map_structures(assign_variable, self$states, states)
    },

    # All steps of one direction: list(output, states).
    loop = function(sequences, mask, states, training) {
      cells <- compiled_cells(self)
      if (is.null(cells)) return(scan_layer(self, sequences, mask, states, training))
      core_layer(self, cells, sequences, mask, states, training)
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
      output <- c(shape[[1L]], if (self$return_sequences) shape[[2L]], output_size(self$cell))
      if (!self$return_state) return(output)
      c(list(output), map_structure(state_sizes(self$cell), function(size) c(shape[[1L]], size)))
    },

    get_initial_state = function(batch_size = NULL) initial_states(self$cell, batch_size),
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
  do.call(generator$new, values, quote = TRUE)$handle
}

# The built-in cells of a cell, itself or those stacked in it; NULL stands for one that is not built in.
stacked_cells <- function(cell) {
  self <- layer_object(cell)
  if (inherits(self, "StackedRNNCells")) lapply(self$cells, layer_object) else list(self)
}

# Whether each step is a vector: (batch, features). Cells that are not built in may take more axes.
takes_vectors <- function(cell) inherits(stacked_cells(cell)[[1L]], "RecurrentCell")

# The backward layer of a bidirectional one has the same seed in its config, but draws differently.
seed_backwards <- function(self) {
  if (inherits(self, "RecurrentCell") && !is.null(self$seed)) return(self$seed_from(self$seed, backwards = TRUE))
  for (layer in self$sublayers()) seed_backwards(layer_object(layer))
}

# Builds a cell for steps of a shape. One that leaves the layers inside it to its call is run once on symbolic tensors.
build_cell <- function(cell, step_shape) {
  self <- layer_object(cell)
  with_running(list(built_by_call = self), build_layer(self, step_shape))
  if (all(vapply(self$sublayers(), function(layer) layer$built, NA))) return(invisible())
  x <- new_symbolic(step_shape, self$dtype, name = "step")
  in_layer_call(step_cell(cell, x, symbolic_states(cell, step_shape[[1L]]), training = FALSE))
}

# --- the loop over time -------------------------------------------------------------------------------------------

# The cells that the compiled core can run all steps of, the lowest first; NULL if it cannot: it knows built-in cells
# and stacks of them, with nothing redefined by subclasses.
compiled_cells <- function(layer) remembered(layer, "compiled_cells", find_compiled_cells(layer))

find_compiled_cells <- function(layer) {
  cell <- layer_object(layer$cell)
  if (inherits(cell, "StackedRNNCells") && !has_method_of(cell, "call", StackedRNNCells)) return(NULL)
  cells <- stacked_cells(cell)
  is_compiled <- function(cell) {
    inherits(cell, "RecurrentCell") && cell$is_compiled() && cell$dtype == layer$dtype
  }
  if (all(vapply(cells, is_compiled, NA))) cells
}

# Whether one direction of the compiled core is the whole layer.
is_compiled_rnn <- function(layer) {
  inherits(layer_object(layer$cell), "RecurrentCell") && !is.null(compiled_cells(layer))
}

core_layer <- function(layer, cells, sequences, mask, states, training) {
  if (inherits(layer_object(layer$cell), "StackedRNNCells")) {
    return(stack_in_core(cells, sequences, mask, states, training, layer$go_backwards, layer$zero_output_for_mask,
                         layer$return_sequences))
  }
  result <- op_recurrent(
    sequences, mask, list(layer$direction(sequences, states, training)), layer$return_sequences
  )
  list(output = result$outputs[[1L]], states = result$states[[1L]])
}

scan_layer <- function(layer, sequences, mask, states, training) {
  if (is_graph_tensor(sequences)) return(symbolic_scan(layer, sequences, training))
  reset_all_masks(layer$cell)
  on.exit(reset_all_masks(layer$cell))
  states <- states %||% first_states(layer, sequences)
  rnn_scan(layer$cell, sequences, mask, states, training, layer$go_backwards, layer$zero_output_for_mask,
           layer$return_sequences)
}

# Each call draws its dropout masks anew.
reset_all_masks <- function(cell) {
  for (method in c("reset_dropout_mask", "reset_recurrent_dropout_mask")) reset_masks(list(cell), method)
}

# In a functional model only types and shapes are told: those of one step, however many there will be.
symbolic_scan <- function(layer, sequences, training) {
  shape <- tensor_shape(sequences)
  states <- symbolic_states(layer$cell, shape[[1L]])
  step <- step_cell(layer$cell, new_symbolic(shape[-2L], layer$dtype, name = "step"), states, training)
  check_new_states(layer$cell, step$states, states)
  sizes <- tensor_shape(step$output)
  sizes <- c(sizes[[1L]], if (layer$return_sequences) shape[[2L]], sizes[-1L])
  list(output = new_symbolic(sizes, tensor_dtype(step$output), name = "scan"), states = step$states)
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

# A mask as a bool tensor of the sizes `expected`: (batch, time).
as_sequence_mask <- function(layer, mask, expected) {
  if (is.null(mask)) return(NULL)
  if (!is_tensor_like(mask)) mask <- as_tensor(mask)
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

# Arguments of LSTM and GRU that change nothing here: there is one way to compute.
gpu_arguments <- list(
  use_cudnn = not_saved(argument(function(x, arg, call) {
    if (identical(x, "auto")) x else check_flag(x, arg = arg, call = call)
  })),
  implementation = extra(not_saved(arg_whole(min = 0)), 2L)
)
