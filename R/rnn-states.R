# States of cells and recurrent layers: their sizes, where they start, how given ones are checked (level 5).
#
# `state_size` of a cell is a number, or a vector or list with one size a state; lists in it are states that belong
# together, and a shape() is the shape of a state that is more than a vector. Inside it is always a list, with whole
# numbers at its leaves: a leaf `size` stands for a tensor (batch, size).

state_sizes <- function(cell) {
  sizes <- as_state_sizes(layer_object(cell)$state_size)
  if (is_plain_list(sizes)) sizes else list(sizes)
}

as_state_sizes <- function(x) {
  if (inherits(x, "keras_shape")) return(as_shape(x))
  if (is_plain_list(x)) return(lapply(unname(x), as_state_sizes))
  if (length(x) == 1L) as.integer(x) else as.list(as.integer(x))
}

# The size of the output of one step: `output_size`, or else the size of the first state.
output_size <- function(cell) {
  size <- layer_object(cell)$output_size
  if (is.null(size)) size <- first_leaf(state_sizes(cell))
  as_shape(size)
}

first_leaf <- function(x) if (is_plain_list(x)) first_leaf(x[[1L]]) else x

# --- where they start ---------------------------------------------------------------------------------------------

# Zeros for `batch_size` rows, nested as the states are.
zero_states <- function(cell, batch_size) {
  batch_size <- check_whole(batch_size, min = 0, arg = "batch_size", call = NULL)
  map_structure(state_sizes(cell), function(size) op_zeros(c(batch_size, size), layer_object(cell)$dtype))
}

# What a cell says it starts from, checked; zeros if it does not say.
initial_states <- function(cell, batch_size) {
  self <- layer_object(cell)
  if (!is.function(self$get_initial_state)) return(zero_states(self, batch_size))
  as_states(
    self$get_initial_state(batch_size = batch_size), state_sizes(self), batch_size, self$dtype,
    cli::format_inline("the result of {.code get_initial_state()} of {.val {self$name}}")
  )
}

# The states that a layer starts from, for the rows of `sequences`. While the batch size is not known those of one row
# are repeated.
first_states <- function(layer, sequences) {
  batch_size <- tensor_shape(sequences)[[1L]]
  if (!is.na(batch_size)) return(initial_states(layer, batch_size))
  map_structure(initial_states(layer, 1L), function(state) repeat_row(state, sequences))
}

# `row` (1, ...) for each row of `x`.
repeat_row <- function(row, x) {
  rank <- tensor_rank(x)
  corner <- list(begin = c(NaN, rep(0, rank - 1L)), end = c(NaN, rep(1, rank - 1L)), stride = rep(1, rank))
  zeros <- apply_op("full_like", list(apply_op("slice", list(x), corner)), list(value = 0, dtype = tensor_dtype(row)))
  op_add(reshape_coded(zeros, c(same_size_as(0), rep(1, tensor_rank(row) - 1L))), row)
}

# Whether the states start from zeros, which the compiled core makes itself.
starts_at_zero <- function(layer) {
  self <- layer_object(layer)
  remembered(self, "starts_at_zero", has_zero_start(self))
}

has_zero_start <- function(self) {
  own <- c("RNN", "StackedRNNCells", "RecurrentCell")
  generator <- switch(intersect(own, class(self))[1L], RNN = RNN, StackedRNNCells = StackedRNNCells, RecurrentCell)
  if (!inherits(self, own)) return(is.null(self$get_initial_state))
  has_method_of(self, "get_initial_state", generator) && all(vapply(self$sublayers(), starts_at_zero, NA))
}

new_state_variables <- function(layer, batch_size) {
  path <- paste(c(running$layer_path, "rnn_state"), collapse = "/")
  map_structure(initial_states(layer, batch_size), function(value) {
    new_variable(value, dtype = layer$dtype, trainable = FALSE, name = "rnn_state", path = path)
  })
}

# --- checks -------------------------------------------------------------------------------------------------------

as_initial_state <- function(layer, initial_state, sequences) {
  cell <- layer_object(layer$cell)
  as_states(
    initial_state, state_sizes(cell), tensor_shape(sequences)[[1L]], layer$dtype,
    cli::format_inline("{.arg initial_state} of layer {.val {layer$name}}"), cell$state_names
  )
}

as_cell_states <- function(cell, states, inputs) {
  as_states(
    states, state_sizes(cell), tensor_shape(inputs)[[1L]], cell$dtype,
    cli::format_inline("{.arg states} of cell {.val {cell$name}}"), cell$state_names
  )
}

# Given states as tensors of type `dtype`, nested as `sizes` is; a single tensor may stand for a list of one. `where`
# (evaluated in errors only): what they were given as. `path`: place in the outer lists.
as_states <- function(states, sizes, batch, dtype, where, names = NULL, path = integer()) {
  if (!is_plain_list(sizes)) return(as_state(states, sizes, batch, dtype, where, path))
  if (!is_plain_list(states)) states <- list(states)
  if (length(states) != length(sizes)) abort_state_count(states, sizes, where, names, path)
  Map(
    function(state, size, k) as_states(state, size, batch, dtype, where, path = c(path, k)),
    unname(states), sizes, seq_along(sizes)
  )
}

as_state <- function(state, size, batch, dtype, where, path) {
  expected <- c(batch, size)
  if (is_plain_list(state)) {
    birnn_abort(
      "State {paste(path, collapse = '.')} of {where} must be one tensor of shape {format_shape(expected)}, not
       a list of {length(state)}.",
      kind = "state", call = NULL
    )
  }
  state <- as_operand(state, dtype)
  shape <- tensor_shape(state)
  if (length(shape) == length(expected) && !any(shape != expected, na.rm = TRUE)) return(state)
  birnn_abort(
    "State {paste(path, collapse = '.')} of {where} must have shape {format_shape(expected)}, not
     {format_shape(shape)}.",
    kind = "state", call = NULL
  )
}

abort_state_count <- function(states, sizes, where, names, path) {
  if (length(path) > 0L) {
    birnn_abort(
      "State {paste(path, collapse = '.')} of {where} must be a list of {length(sizes)}, not {length(states)}.",
      kind = "state", call = NULL
    )
  }
  named <- if (length(names) > 1L) paste0(" (", paste(names, collapse = ", "), ")") else ""
  is_nested <- any(vapply(sizes, is_plain_list, NA))
  hint <- if (is_nested) c(i = "They are nested: {.code {outline(sizes)}}.")
  where <- sub("^([a-z])", "\\U\\1", where, perl = TRUE)
  birnn_abort(
    c("{where} must have {length(sizes)} state{?s}{named}, not {length(states)}.", hint),
    kind = "state", call = NULL
  )
}

# "list(list(state, state), state)"
outline <- function(sizes) {
  if (!is_plain_list(sizes)) return("state")
  paste0("list(", paste(vapply(sizes, outline, ""), collapse = ", "), ")")
}
