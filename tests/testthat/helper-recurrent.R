# Seeded random recurrent cases: cells, weights, inputs, masks, initial states, and calls that return plain R arrays.

recurrent_cells <- list(
  simple_rnn = list(layer = function(...) layer_simple_rnn(...), gates = 1, states = 1),
  lstm = list(layer = function(...) layer_lstm(...), gates = 4, states = 2),
  gru = list(layer = function(...) layer_gru(...), gates = 3, states = 1),
  gru_reset_before = list(layer = function(...) layer_gru(..., reset_after = FALSE), gates = 3, states = 1)
)

merge_modes <- list(concat = "concat", sum = "sum", mul = "mul", ave = "ave", none = NULL)

random_array <- function(..., scale = 1) {
  sizes <- c(...)
  array(scale * stats::rnorm(prod(sizes)), sizes)
}

# kernel, recurrent_kernel, bias of one direction.
random_weights <- function(cell, features, units) {
  width <- units * recurrent_cells[[cell]]$gates
  bias_sizes <- if (cell == "gru") c(2, width) else width
  list(
    random_array(features, width, scale = 0.7),
    random_array(units, width, scale = 0.7 / sqrt(units)),
    random_array(bias_sizes, scale = 0.3)
  )
}

random_states <- function(cell, batch, units) {
  lapply(seq_len(recurrent_cells[[cell]]$states), function(k) random_array(batch, units, scale = 0.5))
}

mask_kinds <- c("none", "full", "right", "left", "gaps", "empty_row")

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

# One random case: everything that a bidirectional layer is given, as R arrays.
random_case <- function(cell, mask = "gaps", states = TRUE, batch = 4, time = 6, features = 3, units = 3) {
  list(
    cell = cell, units = units,
    x = random_array(batch, time, features),
    mask = random_mask(mask, batch, time),
    forward_state = if (states) random_states(cell, batch, units),
    backward_state = if (states) random_states(cell, batch, units),
    forward = random_weights(cell, features, units),
    backward = random_weights(cell, features, units)
  )
}

make_recurrent <- function(cell, units, ...) recurrent_cells[[cell]]$layer(units = units, ...)

# The bidirectional layer of a case, built, with its weights.
bidirectional_of <- function(case, merge_mode = "concat", return_sequences = TRUE, return_state = TRUE, ...) {
  forward <- make_recurrent(
    case$cell, case$units, return_sequences = return_sequences, return_state = return_state, ...
  )
  layer <- layer_bidirectional(layer = forward, merge_mode = merge_mode)
  with_weights(layer, c(case$forward, case$backward), case$x)
}

# One direction alone.
recurrent_of <- function(case, return_sequences = TRUE, return_state = TRUE, ..., weights = case$forward) {
  layer <- make_recurrent(case$cell, case$units, return_sequences = return_sequences, return_state = return_state, ...)
  with_weights(layer, weights, case$x)
}

with_weights <- function(layer, weights, x) {
  layer(as_tensor(x))
  set_weights(layer, weights)
  layer
}

call_with <- function(layer, x, mask = NULL, states = NULL, ...) {
  arguments <- list(as_tensor(x), ...)
  if (!is.null(mask)) arguments$mask <- as_tensor(mask)
  if (!is.null(states)) arguments$initial_state <- lapply(states, as_tensor)
  do.call(layer, arguments)
}

# Outputs and states as a flat list of R arrays.
arrays_of <- function(result) lapply(flatten_structure(result), as.array)

run_bidirectional <- function(case, ..., x = case$x, mask = case$mask) {
  arrays_of(call_with(bidirectional_of(case, ...), x, mask, c(case$forward_state, case$backward_state)))
}

run_recurrent <- function(case, ..., x = case$x, mask = case$mask, states = case$forward_state) {
  arrays_of(call_with(recurrent_of(case, ...), x, mask, states))
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

# A case for every cell and seed, in both float types: `code(case, floatx)`.
for_random_cases <- function(code, seeds = 1:3, cells = names(recurrent_cells), ...) {
  for (floatx in both_floatx) for (cell in cells) for (seed in seeds) {
    withr::with_seed(seed, {
      case <- random_case(cell, ..., batch = 2 + seed %% 4, time = 4 + seed %% 3, units = 2 + seed %% 3)
      with_floatx(floatx, code(case, paste(cell, floatx, "seed", seed)))
    })
  }
}

# What "equal up to rounding" means for outputs of a case in the running float type.
rounding <- function() if (config_floatx() == "float64") 1e-12 else 5e-6

# The counters of a layer's random streams, its sublayers' included.
seed_variables <- function(layer) {
  Filter(function(v) tensor_dtype(v) == "int32", layer$variables)
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
