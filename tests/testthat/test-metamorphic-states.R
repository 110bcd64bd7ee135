# Relations of states: their order, pieces of a sequence, stateful layers, shut gates. See test-metamorphic.R.

test_that("states come as forward h (c), backward h (c), h is the last output, and merging does not touch them", {
  # An empty row keeps its initial states and gives an output of zeros.
  for_random_cases(masks = setdiff(mask_kinds, "empty_row"), code = function(case) {
    states <- state_count(case)
    halves <- run_bidirectional(case, merge_mode = NULL, return_sequences = FALSE)
    expect_length(halves, 2 + 2 * states)
    last <- cell_entry(case$cell)$last %||% 1
    expect_same_bits(halves[[2 + last]], halves[[1]], "forward h")
    expect_same_bits(halves[[2 + states + last]], halves[[2]], "backward h")
    for (sequences in c(TRUE, FALSE)) {
      result <- run_bidirectional(case, return_sequences = sequences)
      expect_same_bits(states_of(result, case), halves[-(1:2)], paste("sequences", sequences))
    }
  })
})

test_that("a row without a valid step gives zeros and keeps its states", {
  for_random_cases(masks = "empty_row", code = function(case) {
    given <- lapply(c(case$forward_state, case$backward_state), function(state) as.array(as_tensor(state)))
    for (sequences in c(TRUE, FALSE)) {
      result <- lapply(run_bidirectional(case, return_sequences = sequences), take_rows, 1)
      for (k in seq_len(n_outputs(case))) expect_identical(unique(as.vector(result[[k]])), 0)
      kept <- if (length(given)) take_rows(given, 1) else rep(list(matrix(0, 1, case$units)), 2 * state_count(case))
      expect_same_bits(states_of(result, case), kept, "states")
    }
  })
})

# --- pieces of a sequence -----------------------------------------------------------------------------------------

steps_of_case <- function(case, steps, forward_state = NULL, backward_state = NULL) {
  case$x <- take_steps(case$x, steps)
  case["mask"] <- list(take_steps(case$mask, steps))
  case["forward_state"] <- list(forward_state)
  case["backward_state"] <- list(backward_state)
  case
}

zeros_like_states <- function(case) rep(list(matrix(0, nrow(case$x), case$units)), state_count(case))

join_steps <- function(x, y) {
  array(c(aperm(x, c(1, 3, 2)), aperm(y, c(1, 3, 2))), c(dim(x)[c(1, 3)], dim(x)[[2]] + dim(y)[[2]])) |>
    aperm(c(1, 3, 2))
}

test_that("two pieces are the whole, if forward states go to the right and backward states to the left", {
  for_random_cases(function(case) {
    forward <- case$forward_state %||% zeros_like_states(case)
    backward <- case$backward_state %||% zeros_like_states(case)
    steps <- seq_len(dim(case$x)[[2]])
    cut <- sample.int(length(steps) - 1, 1)
    whole <- run_bidirectional(case)
    count <- state_count(case)
    of_direction <- function(result, k) states_of(result, case)[(k - 1) * count + seq_len(count)]
    right <- steps_of_case(case, steps > cut, zeros_like_states(case), backward)
    left <- steps_of_case(case, steps <= cut, forward, of_direction(run_bidirectional(right), 2))
    left_result <- run_bidirectional(left)
    right$forward_state <- of_direction(left_result, 1)
    right_result <- run_bidirectional(right)
    for (k in seq_len(n_outputs(case))) {
      expect_same_bits(join_steps(left_result[[k]], right_result[[k]]), whole[[k]], "outputs")
    }
    states <- c(of_direction(right_result, 1), of_direction(left_result, 2))
    expect_same_bits(states, states_of(whole, case), "states")
  })
})

test_that("two pieces are the whole for one direction, if masked steps give zeros or the second piece begins valid", {
  for_random_cases(merges = "concat", code = function(case) {
    steps <- seq_len(dim(case$x)[[2]])
    cut <- sample.int(length(steps) - 1, 1)
    for (zero in c(TRUE, FALSE)) for (backwards in c(TRUE, FALSE)) {
      if (!zero && !is.null(case$mask)) case$mask[, if (backwards) cut else cut + 1] <- TRUE
      run <- function(case) run_recurrent(case, zero_output_for_mask = zero, go_backwards = backwards)
      pieces <- list(steps <= cut, steps > cut)
      if (backwards) pieces <- rev(pieces)
      one <- run(steps_of_case(case, pieces[[1]], case$forward_state))
      other <- run(steps_of_case(case, pieces[[2]], one[-1]))
      whole <- run(case)
      expect_same_bits(join_steps(one[[1]], other[[1]]), whole[[1]], paste("zeros", zero, "backwards", backwards))
      expect_same_bits(other[-1], whole[-1], "states")
    }
  })
})

test_that("a long sequence in pieces, with the states handed on, is the whole sequence", {
  withr::local_seed(1)
  for (floatx in both_floatx) with_floatx(floatx, {
    for (cell in names(recurrent_cells)) for (batch in c(1, 3, 20)) {
      case <- random_case(cell, "none", batch = batch, time = 400)
      whole <- run_recurrent(case)
      state <- case$forward_state
      for (steps in list(1:7, 8:150, 151:400)) {
        piece <- run_recurrent(case, x = take_steps(case$x, steps), states = state)
        expect_same_bits(piece[[1]], take_steps(whole[[1]], steps), paste(cell, floatx, batch))
        state <- piece[-1]
      }
      expect_same_bits(state, whole[-1], paste(cell, floatx, batch, "states"))
    }
  })
})

# --- stateful layers ----------------------------------------------------------------------------------------------

# Calls on batches that follow each other: `by_hand` is given the states that its call before returned.
expect_stateful <- function(stateful, by_hand, case, batches) {
  reset_state(stateful)
  states <- NULL
  first <- NULL
  for (batch in batches) {
    kept <- arrays_of(call_with(stateful, batch, case$mask))
    handed <- arrays_of(call_with(by_hand, batch, case$mask, states))
    expect_same_bits(kept, handed, "a batch")
    states <- utils::tail(handed, length(arrays_of(stateful$states)))
    expect_same_bits(arrays_of(stateful$states), states, "layer$states")
    if (is.null(first)) first <- kept
  }
  reset_state(stateful)
  expect_identical(max(abs(unlist(arrays_of(stateful$states)))), 0)
  expect_same_bits(arrays_of(call_with(stateful, batches[[1]], case$mask)), first, "after a reset")
}

test_that("a stateful layer is a layer whose states are handed on by hand, and a reset is a new start", {
  for_random_cases(states = FALSE, code = function(case) {
    batches <- lapply(1:3, function(k) random_array(dim(case$x)))
    sequences <- sample(c(TRUE, FALSE), 1)
    expect_stateful(
      bidirectional_of(case, return_sequences = sequences, stateful = TRUE),
      bidirectional_of(case, return_sequences = sequences), case, batches
    )
    expect_stateful(
      recurrent_of(case, return_sequences = sequences, stateful = TRUE), recurrent_of(case, sequences), case, batches
    )
  })
})

test_that("given states win over kept ones, and the call's final states are kept then", {
  for_random_cases(states = TRUE, code = function(case) {
    layer <- bidirectional_of(case, stateful = TRUE)
    call_with(layer, case$x, case$mask)
    given <- call_with(layer, case$x, case$mask, c(case$forward_state, case$backward_state))
    expect_same_bits(arrays_of(given), run_bidirectional(case), "outputs")
    expect_same_bits(arrays_of(layer$states), states_of(run_bidirectional(case), case), "kept")
  })
})

# --- shut gates ---------------------------------------------------------------------------------------------------

# Weights under which a state cannot change: the gates are shut by biases of +-1000.
saturated <- function(weights, case) {
  units <- case$units
  bias <- weights[[3]]
  if (case$cell == "lstm") bias <- rep(c(-1e3, 1e3, 0, 0), each = units)
  if (case$cell == "gru") bias[1, seq_len(units)] <- 1e3
  if (case$cell == "gru_reset_before") bias[seq_len(units)] <- 1e3
  list(weights[[1]], weights[[2]], bias)
}

test_that("shut gates keep the state, bit for bit", {
  cells <- c("lstm", "gru", "gru_reset_before")
  for_random_cases(cells = cells, states = TRUE, variants = c("usual", "other_activations"), code = function(case) {
    case$forward <- saturated(case$forward, case)
    case$backward <- saturated(case$backward, case)
    kept <- state_count(case)
    states <- states_of(run_bidirectional(case), case)[c(kept, 2 * kept)]
    given <- list(case$forward_state[[kept]], case$backward_state[[kept]])
    expect_same_bits(states, lapply(given, function(state) as.array(as_tensor(state))), "c or h")
  })
})

test_that("without recurrent weights the steps of a simple RNN are independent", {
  for_random_cases(cells = "simple_rnn", masks = "none", count = 12, code = function(case) {
    case$forward[[2]][] <- 0
    case$backward[[2]][] <- 0
    order <- sample.int(dim(case$x)[[2]])
    whole <- run_bidirectional(case)
    shuffled <- run_bidirectional(case, x = take_steps(case$x, order))
    for (k in seq_len(n_outputs(case))) expect_same_bits(shuffled[[k]], take_steps(whole[[k]], order), "steps")
  })
})
