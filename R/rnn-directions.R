# The two directions of a bidirectional layer: what they must be, how they are made, split and merged (level 5).

# The ways to combine the outputs of two directions; besides these NULL, which keeps both. The op merge_directions and
# the recurrent op know the same names.
merge_modes <- c("sum", "mul", "ave", "concat")

# What a layer must have to be one direction of a bidirectional layer.
direction_fields <- c("go_backwards", "return_sequences", "return_state", "input_spec")

# All checks of the arguments, in the order of Keras', before anything is made. `args`: those that were given.
check_directions <- function(args, call) {
  check_direction(args[["layer"]], "layer", call, missing = !"layer" %in% names(args))
  if (!is.null(args$backward_layer)) check_direction(args$backward_layer, "backward_layer", call)
  if ("merge_mode" %in% names(args)) {
    check_choice(args$merge_mode, merge_modes, allow_null = TRUE, arg = "merge_mode", call = call)
  }
  forward <- layer_object(args[["layer"]])
  backward <- layer_object(args$backward_layer)
  check_opposite(forward, backward, call)
  if (!is.null(backward)) {
    for (name in c("stateful", "return_sequences", "return_state")) check_agreement(name, forward, backward, call)
    merge_mode <- if ("merge_mode" %in% names(args)) args$merge_mode else "concat"
    check_equal_units(forward, backward, merge_mode, call)
  }
  check_weight_halves(args$weights, call)
}

check_direction <- function(layer, arg, call, missing = FALSE) {
  if (missing) {
    birnn_abort(
      c("{.fn layer_bidirectional} needs the argument {.arg layer}, a recurrent layer.",
        i = "It is the second argument: {.code layer_bidirectional(layer = layer_lstm(units = 32))}."),
      call = call
    )
  }
  if (!is_layer(layer)) {
    hint <- if (is.function(layer)) {
      "Call the function that makes the layer, with parentheses: {.code {arg} = layer_lstm(units = 32)}."
    } else {
      "For example {.code {arg} = layer_lstm(units = 32)}."
    }
    birnn_abort(c("{.arg {arg}} must be a layer, not {describe_value(layer)}.", i = hint), call = call)
  }
  self <- layer_object(layer)
  lacking <- Filter(function(field) !exists(field, envir = self, inherits = FALSE), direction_fields)
  if (length(lacking) == 0L) return(invisible())
  birnn_abort(
    c("{.arg {arg}} must be a recurrent layer: {.val {self$name}} ({layer_class_name(self)}) has no {.field {lacking}}.",
      i = "Recurrent layers are {.fn layer_lstm}, {.fn layer_gru} and {.fn layer_simple_rnn}."),
    kind = "config", call = call
  )
}

# Without a backward layer it will be the clone of `forward` that goes backwards.
check_opposite <- function(forward, backward, call) {
  goes_back <- c(isTRUE(forward$go_backwards), is.null(backward) || isTRUE(backward$go_backwards))
  if (goes_back[[1L]] != goes_back[[2L]]) return(invisible())
  hint <- if (is.null(backward)) {
    "Without {.arg backward_layer} the {.arg layer} must go forwards."
  } else {
    "Make one of them with {.code go_backwards = TRUE}."
  }
  birnn_abort(
    c("{.arg layer} and {.arg backward_layer} must have different values of {.arg go_backwards}, both are
       {goes_back[[1L]]}.", i = hint),
    kind = "config", call = call
  )
}

check_agreement <- function(name, forward, backward, call) {
  values <- c(isTRUE(forward[[name]]), isTRUE(backward[[name]]))
  if (values[[1L]] == values[[2L]]) return(invisible())
  birnn_abort(
    "{.arg layer} and {.arg backward_layer} must have the same value of {.arg {name}}, not {values[[1L]]} and
     {values[[2L]]}.",
    kind = "config", call = call
  )
}

check_equal_units <- function(forward, backward, merge_mode, call) {
  if (is.null(merge_mode) || merge_mode == "concat") return(invisible())
  units <- list(direction_units(forward), direction_units(backward))
  if (any(lengths(units) == 0L) || identical(as.integer(units[[1L]]), as.integer(units[[2L]]))) return(invisible())
  birnn_abort(
    c("{.arg layer} and {.arg backward_layer} must have the same number of units for {.code merge_mode =
       \"{merge_mode}\"}, not {units[[1L]]} and {units[[2L]]}.",
      i = "{.val concat} and NULL work with different numbers of units."),
    kind = "config", call = call
  )
}

direction_units <- function(self) {
  if (inherits(self, "RNN")) self$cell$units %||% output_size(self$cell) else self$units
}

check_weight_halves <- function(weights, call) {
  if (is.null(weights)) return(invisible())
  if (!is_plain_list(weights)) {
    birnn_abort("{.arg weights} must be a list of arrays or NULL, not {describe_value(weights)}.",
                kind = "weights", call = call)
  }
  if (length(weights) %% 2L == 0L) return(invisible())
  birnn_abort(
    c("{.arg weights} must have an even number of arrays, not {length(weights)}.",
      i = "The first half is for the forward layer, the second for the backward layer."),
    kind = "weights", call = call
  )
}

# --- making -------------------------------------------------------------------------------------------------------

# A new layer from the config of `layer`, with fresh weights, and with some values of the config changed.
clone_direction <- function(layer, prefix, changes = list()) {
  self <- layer_object(layer)
  config <- self$get_config()
  config$name <- paste0(prefix, sub(paste0("^", prefix), "", self$name))
  config[names(changes)] <- changes
  clone <- self$from_config(config)
  set_if_present(clone, "use_cudnn", self$use_cudnn)
  clone
}

set_if_present <- function(layer, field, value) {
  self <- layer_object(layer)
  if (exists(field, envir = self, inherits = FALSE)) assign(field, value, envir = self)
}

# --- calling ------------------------------------------------------------------------------------------------------

# Whether both directions can run in one call of the compiled core.
run_together <- function(forward, backward) {
  needs_no_call(forward) && needs_no_call(backward) && forward$dtype == backward$dtype
}

# A recurrent layer whose call does nothing but run the compiled core. Activity regularizers need the call.
needs_no_call <- function(self) {
  inherits(self, "RNN") && is_compiled_rnn(self) && is.null(self$activity_regularizer) &&
    has_method_of(self, "call", RNN) && has_method_of(self, "loop", RNN)
}

# Both directions at once: list(outputs (one merged, or two), states of forward, states of backward).
call_together <- function(self, forward, backward, sequences, initial_state, mask, training) {
  check_steps(self, tensor_shape(sequences))
  mask <- as_sequence_mask(self, mask, sequences)
  sequences <- op_cast(sequences, forward$dtype)
  result <- op_recurrent(
    sequences, mask,
    list(
      forward$direction(sequences, forward$starting_states(sequences, initial_state[[1L]]), training),
      backward$direction(sequences, backward$starting_states(sequences, initial_state[[2L]]), training)
    ),
    self$return_sequences, self$merge_mode %||% "none"
  )
  forward$keep_states(result$states[[1L]])
  backward$keep_states(result$states[[2L]])
  list(outputs = result$outputs, states = result$states)
}

# One direction after the other, by calls of the two layers; the same merge as an op.
call_separately <- function(self, forward, backward, sequences, initial_state, mask, training) {
  one <- call_direction(forward, sequences, initial_state[[1L]], mask, training)
  other <- call_direction(backward, sequences, initial_state[[2L]], mask, training)
  if (self$return_sequences) {
    other$output <- op_flip(other$output, axis = 2L)
    one$output <- zero_masked_steps(forward, one$output, mask)
    other$output <- zero_masked_steps(backward, other$output, mask)
  }
  outputs <- list(one$output, other$output)
  if (!is.null(self$merge_mode)) {
    outputs <- list(apply_op("merge_directions", outputs, list(merge = self$merge_mode)))
  }
  list(outputs = outputs, states = list(one$states, other$states))
}

# Calls one layer with those of the arguments that its call() knows.
call_direction <- function(layer, sequences, initial_state, mask, training) {
  args <- list(training = training)
  if ("mask" %in% names(formals(layer$call))) args$mask <- mask
  if (!is.null(initial_state)) args$initial_state <- initial_state
  result <- do.call(call_layer, c(list(layer, sequences), args), quote = TRUE)
  if (layer$return_state) list(output = result[[1L]], states = result[-1L]) else list(output = result, states = list())
}

# Layers of your own need not know `zero_output_for_mask`: then it is done for them.
zero_masked_steps <- function(layer, output, mask) {
  if (is.null(mask) || exists("zero_output_for_mask", envir = layer, inherits = FALSE)) return(output)
  for (axis in seq_len(tensor_rank(output) - 2L)) mask <- op_expand_dims(mask, -1L)
  op_where(op_cast(mask, "bool"), output, op_zeros_like(output))
}

# Initial states: first those of the forward layer, then those of the backward layer.
split_initial_state <- function(self, forward, backward, initial_state) {
  if (is.null(initial_state)) return(list(NULL, NULL))
  counts <- c(direction_state_count(forward), direction_state_count(backward))
  if (!is_plain_list(initial_state)) {
    birnn_abort(
      c("{.arg initial_state} of layer {.val {self$name}} must be a list, not a single tensor.",
        i = "First come the states of the forward layer, then those of the backward layer."),
      kind = "state", call = NULL
    )
  }
  received <- length(initial_state)
  if (length(counts) < 2L) counts <- rep(received %/% 2L, 2L)
  if (sum(counts) != received || received == 0L) {
    birnn_abort(
      c("{.arg initial_state} of layer {.val {self$name}} must have {max(sum(counts), 2L)} states, not {received}.",
        i = "First come those of the forward layer, then those of the backward layer."),
      kind = "state", call = NULL
    )
  }
  split(initial_state, rep(1:2, counts))
}

# NULL if a layer of your own does not say.
direction_state_count <- function(self) {
  if (inherits(self, "RNN")) return(self$state_count())
  if (is.null(self$state_size)) NULL else length(state_sizes(self))
}
