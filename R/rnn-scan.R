# Recurrence over time: by the compiled core (op_recurrent), or step by step for any cell (rnn_scan) (level 5).

# The only caller of the op `recurrent`. `x` (batch, time, features); `mask` (batch, time) or NULL; `directions`: one or
# two lists as RecurrentCell$direction() gives them; `merge`: a merge mode, or "none" for every output by itself. The
# second direction's sequence comes in the order of the input.
# Returns list(outputs = one or two tensors, states = for each direction its final states).
op_recurrent <- function(x, mask, directions, return_sequences, merge = "none") {
  inputs <- c(list(x, mask), do.call(c, lapply(directions, direction_inputs)))
  attrs <- directions[[1L]][direction_attrs]
  for (direction in directions[-1L]) attrs <- Map(c, attrs, direction[direction_attrs])
  names(attrs) <- names(direction_attrs)
  results <- apply_op("recurrent", inputs, c(attrs, list(return_sequences = return_sequences, merge = merge)))
  n_outputs <- if (merge == "none") length(directions) else 1L
  counts <- vapply(directions, function(direction) state_counts[[direction$cell]], integer(1))
  ends <- n_outputs + cumsum(counts)
  list(
    outputs = results[seq_len(n_outputs)],
    states = Map(function(end, count) results[seq.int(to = end, length.out = count)], ends, counts)
  )
}

# What the op calls the constants of a direction, one value a direction.
direction_attrs <- c(
  cells = "cell", activations = "activation", recurrent_activations = "recurrent_activation", units = "units",
  go_backwards = "go_backwards", zero_output_for_mask = "zero_output_for_mask", reset_after = "reset_after"
)

state_counts <- c(simple_rnn = 1L, lstm = 2L, gru = 1L)

# The seven inputs of a direction; what is absent stays NULL.
direction_inputs <- function(direction) {
  state <- function(k) if (k <= length(direction$states)) direction$states[[k]]
  list(direction$kernel, direction$recurrent_kernel, direction$bias, state(1L), state(2L), direction$x_dropout,
       direction$h_dropout)
}

# One direction with any cell: a loop over time. A masked step repeats the previous output (zeros before the first)
# or gives zeros, and leaves the states alone. `states` is nested as the cell wants it.
# Returns the output, (batch, ...) or (batch, time, ...), and the final states.
rnn_scan <- function(cell, x, mask, states, training, go_backwards, zero_output_for_mask, return_sequences) {
  # What stands in masked steps, perhaps NaN, must not reach gradients either.
  if (!is.null(mask)) x <- where_valid(mask, x, op_zeros_like(x))
  steps <- time_steps(x, go_backwards)
  masks <- if (!is.null(mask)) time_steps(mask, go_backwards)
  outputs <- vector("list", length(steps))
  output <- NULL
  for (k in seq_along(steps)) {
    step <- step_cell(cell, steps[[k]], states, training)
    if (k == 1L) check_new_states(cell, step$states, states)
    if (is.null(masks)) {
      output <- step$output
      states <- step$states
    } else {
      previous <- if (is.null(output) || zero_output_for_mask) op_zeros_like(step$output) else output
      output <- where_valid(masks[[k]], step$output, previous)
      states <- map_structures(function(new, old) where_valid(masks[[k]], new, old), step$states, states)
    }
    outputs[[k]] <- output
  }
  list(output = if (return_sequences) op_stack(outputs, axis = 2L) else output, states = states)
}

time_steps <- function(x, go_backwards) {
  steps <- op_unstack(x, axis = 2L)
  if (go_backwards) rev(steps) else steps
}

step_cell <- function(cell, x, states, training) {
  if (is_graph_tensor(x) && declares_shapes(cell)) return(declared_step(cell, x))
  result <- cell(x, states, training = training)
  check_step(cell, result)
  new_states <- result[[2L]]
  list(output = result[[1L]], states = if (is_plain_list(new_states)) new_states else list(new_states))
}

# A class of a user's that tells its shapes by itself, because its call() cannot run on symbolic tensors.
declares_shapes <- function(cell) {
  any(c("compute_output_shape", "compute_output_spec") %in% layer_object(cell)$definition$methods)
}

declared_step <- function(cell, x) {
  batch <- tensor_shape(x)[[1L]]
  list(
    output = new_symbolic(c(batch, output_size(cell)), tensor_dtype(x), name = "step"),
    states = symbolic_states(cell, batch)
  )
}

symbolic_states <- function(cell, batch) {
  dtype <- layer_object(cell)$dtype
  map_structure(state_sizes(cell), function(size) new_symbolic(c(batch, size), dtype, name = "state"))
}

# TRUE in `mask`, (batch) or (batch, time), takes that part of `x`.
where_valid <- function(mask, x, otherwise) {
  for (axis in seq_len(tensor_rank(x) - tensor_rank(mask))) mask <- op_expand_dims(mask, -1L)
  op_where(mask, x, otherwise)
}

# Applies `fn` to the leaves of structures of the same form.
map_structures <- function(fn, x, y) {
  if (is_plain_list(x)) Map(function(a, b) map_structures(fn, a, b), x, y) else fn(x, y)
}

# Layers one above the other in the compiled core: the same as all cells step by step, because a masked step changes
# neither states nor what valid steps see. `states`: for each cell, or NULL for zeros.
stack_in_core <- function(cells, x, mask, states, training, go_backwards, zero_output_for_mask, return_sequences) {
  if (go_backwards) {
    x <- op_flip(x, axis = 2L)
    if (!is.null(mask)) mask <- op_flip(mask, axis = 2L)
  }
  last <- length(cells)
  final <- vector("list", last)
  for (k in seq_len(last)) {
    direction <- cells[[k]]$direction(x, states[[k]], training, FALSE, zero_output_for_mask && k == last)
    result <- op_recurrent(x, mask, list(direction), return_sequences || k < last)
    x <- result$outputs[[1L]]
    final[[k]] <- result$states[[1L]]
  }
  list(output = x, states = final)
}
