# The two directions of a bidirectional layer at work: calls, states, masks, merging (level 5).

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

# One direction after the other, by calls of the two layers; the same merge as an op. The layers get the mask as an
# argument: the one that comes with the sequences says the same.
call_separately <- function(self, forward, backward, sequences, initial_state, mask, training) {
  sequences <- with_mask(sequences, NULL)
  directions <- Map(function(layer, states) {
    result <- call_direction(layer, sequences, states, mask, training)
    check_direction_output(self, layer, result$output, sequences)
    result
  }, list(forward, backward), initial_state)
  outputs <- lapply(directions, `[[`, "output")
  if (self$return_sequences) {
    outputs[[2L]] <- op_flip(outputs[[2L]], axis = 2L)
    outputs <- Map(zero_masked_steps, list(forward, backward), outputs, list(mask))
  }
  if (!is.null(self$merge_mode)) {
    check_mergeable(self, outputs)
    outputs <- list(apply_op("merge_directions", outputs, list(merge = self$merge_mode)))
  }
  list(outputs = outputs, states = lapply(directions, `[[`, "states"))
}

# Calls one layer with those of the arguments that its call() knows.
call_direction <- function(layer, sequences, initial_state, mask, training) {
  args <- list(training = training)
  if ("mask" %in% names(formals(layer$call))) args$mask <- mask
  if (!is.null(mask) && !inherits(layer, "RNN")) sequences <- clean_masked_steps(sequences, mask)
  if (!is.null(initial_state)) args$initial_state <- unname(initial_state)
  result <- do.call(call_layer, c(list(layer, sequences), args), quote = TRUE)
  if (is_plain_list(result) && layer$return_state) return(list(output = result[[1L]], states = result[-1L]))
  if (!is_plain_list(result) && !layer$return_state) return(list(output = result, states = list()))
  what <- if (layer$return_state) "a list of the output and the states" else "one tensor"
  birnn_abort(
    "Layer {.val {layer$name}} with {.code return_state = {layer$return_state}} must return {what}, not
     {describe_value(result)}.", kind = "config", call = NULL
  )
}

# What is missing in masked steps has no effect, but NaN and Inf survive being multiplied by 0, as layers of one's own
# may do with such steps. They become 0; all other numbers stay.
clean_masked_steps <- function(sequences, mask) {
  is_used <- op_logical_or(expand_mask(mask, sequences), op_isfinite(sequences))
  op_where(is_used, sequences, op_zeros_like(sequences))
}

# (batch, time) with further axes of size 1, as many as `x` has.
expand_mask <- function(mask, x) {
  for (axis in seq_len(tensor_rank(x) - 2L)) mask <- op_expand_dims(mask, -1L)
  mask
}

# (batch, time, ...) with return_sequences, (batch, ...) without.
check_direction_output <- function(self, layer, output, sequences) {
  shape <- tensor_shape(output)
  steps <- tensor_shape(sequences)[2L]
  if (length(shape) >= 2L && !self$return_sequences) return(invisible())
  if (length(shape) >= 3L && isTRUE(shape[[2L]] == steps || is.na(shape[[2L]]) || is.na(steps))) return(invisible())
  wanted <- if (self$return_sequences) paste0("(batch, ", steps, ", units)") else "(batch, units)"
  birnn_abort(
    c("Layer {.val {layer$name}} with {.code return_sequences = {self$return_sequences}} must return shape {wanted}, not
       {format_shape(shape)}."), kind = "shape", call = NULL
  )
}

# Elementwise merges need outputs of one shape, "concat" of one up to the last axis.
check_mergeable <- function(self, outputs) {
  shapes <- lapply(outputs, tensor_shape)
  merge_mode <- self$merge_mode
  compared <- if (merge_mode == "concat") lapply(shapes, function(shape) shape[-length(shape)]) else shapes
  same <- lengths(compared)[[1L]] == lengths(compared)[[2L]] && !any(compared[[1L]] != compared[[2L]], na.rm = TRUE)
  if (same) return(invisible())
  birnn_abort(
    "The outputs of {.val {self$sublayers()[[1]]$name}} and {.val {self$sublayers()[[2]]$name}} cannot be merged by
     {.val {merge_mode}}: their shapes are {format_shape(shapes[[1]])} and {format_shape(shapes[[2]])}.",
    kind = "config", call = NULL
  )
}

# Layers of one's own need not know `zero_output_for_mask`: then it is done for them.
zero_masked_steps <- function(layer, output, mask) {
  does_it <- exists("zero_output_for_mask", envir = layer, inherits = FALSE) && "mask" %in% names(formals(layer$call))
  if (is.null(mask) || does_it) return(output)
  op_where(expand_mask(mask, output), output, op_zeros_like(output))
}

# Initial states: first those of the forward layer, then those of the backward layer.
split_initial_state <- function(self, forward, backward, initial_state) {
  if (is.null(initial_state)) return(list(NULL, NULL))
  counts <- lapply(list(forward, backward), direction_state_count)
  if (!is_plain_list(initial_state)) {
    birnn_abort(
      c("{.arg initial_state} of layer {.val {self$name}} must be a list, not a single tensor.",
        i = "First come the states of the forward layer, then those of the backward layer."),
      kind = "state", call = NULL
    )
  }
  received <- length(initial_state)
  unknown <- all(lengths(counts) == 0L)
  counts <- known_halves(counts, received)
  if (sum(counts) != received || received == 0L) {
    expected <- if (unknown) "an even number of states" else paste(max(sum(counts), 2L), "states")
    birnn_abort(
      c("{.arg initial_state} of layer {.val {self$name}} must have {expected}, not {received}.",
        i = "First come those of the forward layer, then those of the backward layer."),
      kind = "state", call = NULL
    )
  }
  split(initial_state, rep(1:2, counts))
}

# What is not known of the numbers of states of the two directions: the rest, or half of all.
known_halves <- function(counts, received) {
  known <- lengths(counts) == 1L
  if (all(known)) return(unlist(counts))
  if (!any(known)) return(rep(received %/% 2L, 2L))
  counts[!known] <- max(1L, received - counts[known][[1L]])
  as.integer(unlist(counts))
}

# NULL if a layer of one's own does not say.
direction_state_count <- function(self) {
  if (inherits(self, "RNN")) return(self$state_count())
  if (is.null(self$state_size)) NULL else length(state_sizes(self))
}
