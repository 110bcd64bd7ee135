# Seeded random recurrent cases: cells, weights, inputs, masks, initial states, and calls that return plain R arrays.

recurrent_cells <- list(
  simple_rnn = list(layer = function(...) layer_simple_rnn(...), gates = 1, states = 1),
  lstm = list(layer = function(...) layer_lstm(...), gates = 4, states = 2),
  gru = list(layer = function(...) layer_gru(...), gates = 3, states = 1),
  gru_reset_before = list(layer = function(...) layer_gru(..., reset_after = FALSE), gates = 3, states = 1)
)

# Others for the relations between calls: cells written in R (helper-own-cells.R), and stacks. `weights`: shapes of the
# arrays of one direction; `last`: which of the states is the output.
other_cells <- list(
  own_simple_rnn = list(cell = function(units) own_simple_rnn_cell(units = units), states = 1,
                        weights = function(f, u) list(c(f, u), c(u, u), u)),
  own_lstm = list(cell = function(units) own_lstm_cell(units = units), states = 2,
                  weights = function(f, u) list(c(f, 4 * u), c(u, 4 * u), 4 * u)),
  own_gru = list(cell = function(units) own_gru_cell(units = units), states = 1,
                 weights = function(f, u) list(c(f, 3 * u), c(u, 3 * u), c(2, 3 * u))),
  peephole_lstm = list(cell = function(units) peephole_lstm_cell(units = units), states = 2,
                       weights = function(f, u) list(c(f, 4 * u), c(u, 4 * u), c(3, u), 4 * u)),
  minimal_gated = list(cell = function(units) minimal_gated_cell(units = units), states = 1,
                       weights = function(f, u) list(c(f, 2 * u), c(u, 2 * u))),
  stack = list(cell = function(units) list(rnn_cell_lstm(units = units), rnn_cell_gru(units = units)), states = 3, last = 3,
               weights = function(f, u) list(c(f, 4 * u), c(u, 4 * u), 4 * u, c(u, 3 * u), c(u, 3 * u), c(2, 3 * u))),
  own_stack = list(cell = function(units) list(minimal_gated_cell(units = units), rnn_cell_simple(units = units)),
                   states = 2, last = 2,
                   weights = function(f, u) list(c(f, 2 * u), c(u, 2 * u), c(u, u), c(u, u), u))
)

cell_entry <- function(cell) recurrent_cells[[cell]] %||% other_cells[[cell]]

merge_modes <- list(concat = "concat", sum = "sum", mul = "mul", ave = "ave", none = NULL)

random_array <- function(..., scale = 1) {
  sizes <- c(...)
  array(scale * stats::rnorm(prod(sizes)), sizes)
}

# kernel, recurrent_kernel, bias of one direction.
random_weights <- function(cell, features, units, use_bias = TRUE) {
  if (cell %in% names(other_cells)) {
    return(lapply(other_cells[[cell]]$weights(features, units), random_array, scale = 0.7 / sqrt(units)))
  }
  width <- units * recurrent_cells[[cell]]$gates
  bias_sizes <- if (cell == "gru") c(2, width) else width
  weights <- list(
    random_array(features, width, scale = 0.7),
    random_array(units, width, scale = 0.7 / sqrt(units)),
    random_array(bias_sizes, scale = 0.3)
  )
  if (use_bias) weights else weights[1:2]
}

random_states <- function(cell, batch, units) {
  lapply(seq_len(cell_entry(cell)$states), function(k) random_array(batch, units, scale = 0.5))
}

mask_kinds <- c("none", "full", "right", "left", "gaps", "empty_row")

# Those with masked steps, and of these those with a valid step in every row.
holey_masks <- setdiff(mask_kinds, c("none", "full"))
partial_masks <- setdiff(holey_masks, "empty_row")

# (batch, time) logicals; at least one row has a masked step, except for "full".
random_mask <- function(kind, batch, time) {
  if (kind == "none") return(NULL)
  mask <- matrix(TRUE, batch, time)
  if (kind == "full") return(mask)
  lengths <- sample.int(time - 1, batch, replace = TRUE)
  steps <- col(mask)
  switch(kind,
    right = steps <= lengths,
    left = steps > time - lengths,
    gaps = random_gaps(batch, time),
    empty_row = steps <= c(0L, lengths[-1])
  )
}

# Holes anywhere, but one valid step in every row.
random_gaps <- function(batch, time) {
  mask <- matrix(stats::runif(batch * time) < 0.6, batch, time)
  mask[cbind(seq_len(batch), sample.int(time, batch, replace = TRUE))] <- TRUE
  if (all(mask[1, ])) mask[1, sample.int(time, 1)] <- FALSE
  mask
}

# Options besides the usual ones: the layers' other arguments for a cell.
case_variants <- list(
  usual = function(cell) list(),
  no_bias = function(cell) list(use_bias = FALSE),
  other_activations = function(cell) {
    c(list(activation = "softsign"), if (recurrent_cells[[cell]]$gates > 1) list(recurrent_activation = "hard_sigmoid"))
  }
)

# One random case: everything that a bidirectional layer is given, as R arrays.
random_case <- function(cell, mask = "gaps", states = TRUE, batch = 4, time = 6, features = 3, units = 3,
                        merge = "concat", variant = "usual") {
  use_bias <- variant != "no_bias"
  list(
    cell = cell, units = units, merge = merge, options = case_variants[[variant]](cell),
    x = random_array(batch, time, features),
    mask = random_mask(mask, batch, time),
    forward_state = if (states) random_states(cell, batch, units),
    backward_state = if (states) random_states(cell, batch, units),
    forward = random_weights(cell, features, units, use_bias),
    backward = random_weights(cell, features, units, use_bias)
  )
}

make_recurrent <- function(cell, units, ...) {
  if (cell %in% names(other_cells)) return(layer_rnn(cell = other_cells[[cell]]$cell(units), ...))
  recurrent_cells[[cell]]$layer(units = units, ...)
}

# The layer of a case in one direction, not built.
make_direction <- function(case, return_sequences, return_state, ...) {
  do.call(make_recurrent, c(
    list(case$cell, case$units, return_sequences = return_sequences, return_state = return_state, ...), case$options
  ))
}

# The bidirectional layer of a case, built, with its weights.
bidirectional_of <- function(case, merge_mode = merge_modes[[case$merge]], return_sequences = TRUE, return_state = TRUE,
                             ...) {
  layer <- layer_bidirectional(
    layer = make_direction(case, return_sequences, return_state, ...), merge_mode = merge_mode
  )
  with_weights(layer, c(case$forward, case$backward), case$x)
}

# One direction alone.
recurrent_of <- function(case, return_sequences = TRUE, return_state = TRUE, ..., weights = case$forward) {
  with_weights(make_direction(case, return_sequences, return_state, ...), weights, case$x)
}

# Making and building a layer costs ten times what a small call does: a layer made before is taken again, and given
# `weights`. `key`: everything that `make()` depends on.
kept_layers <- new.env(parent = emptyenv())

kept_layer <- function(key, make, weights) {
  id <- rlang::hash(list(key, config_floatx()))
  if (is.null(kept_layers[[id]])) kept_layers[[id]] <- make()
  set_weights(kept_layers[[id]], weights)
  kept_layers[[id]]
}

case_key <- function(case) list(case[c("cell", "units", "options")], dim(case$x)[[3]])

with_weights <- function(layer, weights, x) {
  layer(as_tensor(x))
  set_weights(layer, weights)
  layer
}

call_with <- function(layer, x, mask = NULL, states = NULL, ...) {
  arguments <- list(as_tensor(x), ...)
  if (!is.null(mask)) arguments$mask <- as_tensor(mask)
  if (!is.null(states)) arguments$initial_state <- nest_states(layer, lapply(states, as_tensor))
  do.call(layer, arguments)
}

# A flat list of states in the lists that the layer, or its two directions, want.
nest_states <- function(layer, states) {
  directions <- if (is.null(layer$cell)) list(layer$forward_layer, layer$backward_layer) else list(layer)
  sizes <- do.call(c, lapply(directions, function(direction) state_sizes(direction$cell)))
  if (any(vapply(sizes, is_plain_list, NA))) pack_structure(sizes, states) else states
}

# --- parts of results and cases -----------------------------------------------------------------------------------

n_outputs <- function(case) if (case$merge == "none") 2 else 1
outputs_of <- function(result, case) result[seq_len(n_outputs(case))]
states_of <- function(result, case) result[-seq_len(n_outputs(case))]

# The number of states of one direction.
state_count <- function(case) cell_entry(case$cell)$states

# Outputs and states as a flat list of R arrays.
arrays_of <- function(result) lapply(flatten_structure(result), as.array)

run_bidirectional <- function(case, merge_mode = merge_modes[[case$merge]], ..., x = case$x, mask = case$mask) {
  layer <- kept_layer(
    list("bidirectional", case_key(case), merge_mode, ...), function() bidirectional_of(case, merge_mode, ...),
    c(case$forward, case$backward)
  )
  arrays_of(call_with(layer, x, mask, c(case$forward_state, case$backward_state)))
}

run_recurrent <- function(case, ..., x = case$x, mask = case$mask, states = case$forward_state,
                          weights = case$forward) {
  layer <- kept_layer(
    list("recurrent", case_key(case), ...), function() recurrent_of(case, ..., weights = weights), weights
  )
  arrays_of(call_with(layer, x, mask, states))
}

reverse_time <- function(x) {
  if (is.null(x)) return(NULL)
  steps <- rev(seq_len(dim(x)[[2]]))
  if (length(dim(x)) == 2) x[, steps, drop = FALSE] else x[, steps, , drop = FALSE]
}

take_rows <- function(x, rows) {
  if (is.null(x)) return(NULL)
  if (is.list(x)) return(lapply(x, take_rows, rows))
  if (length(dim(x)) == 2) x[rows, , drop = FALSE] else x[rows, , , drop = FALSE]
}

take_steps <- function(x, steps) {
  if (is.null(x)) return(NULL)
  if (length(dim(x)) == 2) x[, steps, drop = FALSE] else x[, steps, , drop = FALSE]
}

rows_of_case <- function(case, rows) {
  for (field in c("x", "mask", "forward_state", "backward_state")) case[field] <- list(take_rows(case[[field]], rows))
  case
}

# What "equal up to rounding" means for outputs of a case in the running float type.
rounding <- function() if (config_floatx() == "float64") 1e-12 else 5e-6

expect_all_close <- function(got, want, label = "part") {
  for (k in seq_along(want)) expect_close(got[[k]], want[[k]], 20 * rounding(), paste(label, k))
}

# Bits for compiled cells. Of cells written in R a state's gradient is a sum over the operations that read it, in their
# order, and a masked step is an operation more.
expect_same_unless_own <- function(case, got, want, label) {
  if (case$cell %in% names(other_cells)) expect_all_close(got, want, label) else expect_same_bits(got, want, label)
}

# The counters of a layer's random streams, its sublayers' included.
seed_variables <- function(layer) {
  setdiff_variables(layer$variables, layer$weights)
}

# `x` with time steps put in front and behind: garbage in arrays, FALSE in masks.
pad_steps <- function(x, before = 0, after = 0, value = if (is.logical(x)) FALSE else 777) {
  sizes <- dim(x)
  sizes[[2]] <- sizes[[2]] + before + after
  padded <- array(value, sizes)
  steps <- before + seq_len(dim(x)[[2]])
  if (length(sizes) == 2) padded[, steps] <- x else padded[, steps, ] <- x
  padded
}

# The case with a mask, one of TRUE if it had none.
with_any_mask <- function(case) {
  if (is.null(case$mask)) case$mask <- matrix(TRUE, nrow(case$x), dim(case$x)[[2]])
  case
}

# The case with masked steps put in front and behind.
pad_case <- function(case, before = 0, after = 0) {
  case <- with_any_mask(case)
  case$x <- pad_steps(case$x, before, after)
  case$mask <- pad_steps(case$mask, before, after)
  case
}
