# Relations between calls that hold, bit for bit, whatever the numbers are: on random configurations of cells, merge
# modes, masks, initial states, options and sizes, in both precisions (helper-property.R).
# Here: time, masks, rows, merges, directions. In test-metamorphic-states.R: states. In test-metamorphic-weights.R:
# symmetries of the weights. In test-metamorphic-gradients.R and test-metamorphic-training.R: gradients and training.

swap_halves <- function(x) {
  size <- dim(x)[[length(dim(x))]]
  order <- c(size / 2 + seq_len(size / 2), seq_len(size / 2))
  if (length(dim(x)) == 2) x[, order, drop = FALSE] else x[, , order, drop = FALSE]
}

swap_states <- function(states) {
  half <- length(states) / 2
  c(states[half + seq_len(half)], states[seq_len(half)])
}

# The same problem seen in a mirror: time runs backwards and the directions change places.
mirrored <- function(case) {
  new <- case
  new$x <- reverse_time(case$x)
  new["mask"] <- list(reverse_time(case$mask))
  new[c("forward_state", "backward_state")] <- case[c("backward_state", "forward_state")]
  new[c("forward", "backward")] <- case[c("backward", "forward")]
  new
}

# What the result of the mirrored case must be, as a result of the case.
mirror_back <- function(result, case, sequences) {
  outputs <- outputs_of(result, case)
  if (sequences) outputs <- lapply(outputs, reverse_time)
  if (case$merge == "concat") outputs <- lapply(outputs, swap_halves)
  if (case$merge == "none") outputs <- rev(outputs)
  c(outputs, swap_states(states_of(result, case)))
}

test_that("mirroring time and directions mirrors the result, for every merge mode", {
  for_random_cases(function(case) {
    for (sequences in c(TRUE, FALSE)) {
      mirror <- run_bidirectional(mirrored(case), return_sequences = sequences)
      result <- run_bidirectional(case, return_sequences = sequences)
      expect_same_bits(mirror_back(mirror, case, sequences), result, paste("sequences", sequences))
    }
  })
})

# --- masks --------------------------------------------------------------------------------------------------------

test_that("masked steps added on the right or on the left change nothing and give zeros", {
  for_random_cases(function(case) {
    whole <- run_bidirectional(case)
    last <- run_bidirectional(case, return_sequences = FALSE)
    for (side in list(c(0, 3), c(4, 0), c(2, 1))) {
      padded <- pad_case(case, side[[1]], side[[2]])
      result <- run_bidirectional(padded)
      real <- side[[1]] + seq_len(dim(case$x)[[2]])
      expect_same_bits(states_of(result, case), states_of(whole, case), "states")
      for (k in seq_len(n_outputs(case))) {
        expect_same_bits(take_steps(result[[k]], real), whole[[k]], "steps")
        expect_identical(unique(as.vector(take_steps(result[[k]], -real))), 0)
      }
      expect_same_bits(run_bidirectional(padded, return_sequences = FALSE), last, "last output")
    }
  })
})

test_that("one direction alone repeats its last output on padded steps, or gives zeros if asked", {
  for_random_cases(merges = "concat", code = function(case) {
    case <- with_any_mask(case)
    steps <- dim(case$x)[[2]]
    padded <- pad_case(case, 0, 2)
    whole <- run_recurrent(case)
    expect_same_bits(take_steps(run_recurrent(padded)[[1]], -seq_len(steps)),
                     take_steps(whole[[1]], c(steps, steps)), "repeated")
    zeroed <- run_recurrent(padded, zero_output_for_mask = TRUE)[[1]]
    expect_identical(unique(zeroed[array(!padded$mask, dim(zeroed))]), 0)
    valid <- array(padded$mask, dim(zeroed))
    expect_same_bits(zeroed[valid], run_recurrent(padded)[[1]][valid], "valid steps")
    # In front of everything: zeros until the first valid step.
    front <- run_recurrent(pad_case(case, 2, 0))
    expect_identical(unique(as.vector(take_steps(front[[1]], 1:2))), 0)
    expect_same_bits(take_steps(front[[1]], 2 + seq_len(steps)), whole[[1]], "after the padding")
    expect_same_bits(front[-1], whole[-1], "states")
  })
})

test_that("deleting masked steps is the same as masking them, in all rows alike", {
  for_random_cases(masks = partial_masks, code = function(case) {
    holes <- case$mask[1, ]
    case$mask <- matrix(holes, nrow(case$mask), length(holes), byrow = TRUE)
    deleted <- case
    deleted$x <- take_steps(case$x, holes)
    deleted["mask"] <- list(NULL)
    masked <- run_bidirectional(case)
    short <- run_bidirectional(deleted)
    for (k in seq_len(n_outputs(case))) expect_same_bits(take_steps(masked[[k]], holes), short[[k]], "outputs")
    expect_same_bits(states_of(masked, case), states_of(short, case), "states")
    expect_same_bits(
      run_bidirectional(case, return_sequences = FALSE), run_bidirectional(deleted, return_sequences = FALSE), "last"
    )
  })
})

test_that("deleting masked steps is the same as masking them, row by row", {
  for_random_cases(masks = partial_masks, code = function(case) {
    whole <- run_bidirectional(case)
    last <- run_bidirectional(case, return_sequences = FALSE)
    for (row in seq_len(nrow(case$x))) {
      one <- rows_of_case(case, row)
      valid <- one$mask[1, ]
      one$x <- take_steps(one$x, valid)
      one["mask"] <- list(NULL)
      short <- run_bidirectional(one)
      for (k in seq_len(n_outputs(case))) {
        expect_same_bits(take_steps(take_rows(whole[[k]], row), valid), short[[k]], "outputs")
      }
      expect_same_bits(take_rows(states_of(whole, case), row), states_of(short, case), "states")
      expect_same_bits(take_rows(last, row), run_bidirectional(one, return_sequences = FALSE), "last")
    }
  })
})

test_that("values at masked steps are irrelevant, NaN and Inf included", {
  for_random_cases(masks = holey_masks, code = function(case) {
    masked <- array(!case$mask, dim(case$x))
    for (sequences in c(TRUE, FALSE)) {
      whole <- run_bidirectional(case, return_sequences = sequences)
      for (value in c(NaN, NA, Inf, -Inf, 1e308)) {
        other <- run_bidirectional(case, x = replace(case$x, masked, value), return_sequences = sequences)
        expect_same_bits(other, whole, paste(value, "sequences", sequences))
      }
    }
  })
})

test_that("a mask of TRUE is no mask, and 0 and 1 are FALSE and TRUE", {
  for_random_cases(masks = "full", code = function(case) {
    for (sequences in c(TRUE, FALSE)) {
      whole <- run_bidirectional(case, return_sequences = sequences)
      expect_same_bits(run_bidirectional(case, mask = NULL, return_sequences = sequences), whole, "none")
    }
  })
  for_random_cases(masks = "gaps", code = function(case) {
    expect_same_bits(run_bidirectional(case, mask = case$mask + 0), run_bidirectional(case), "double")
    expect_same_bits(run_bidirectional(case, mask = case$mask + 0L), run_bidirectional(case), "integer")
  })
})

# --- rows ---------------------------------------------------------------------------------------------------------

test_that("rows are independent: permuted, alone, split, repeated", {
  for_random_cases(function(case) {
    batch <- nrow(case$x)
    orders <- list(sample.int(batch), 1, seq_len(batch %/% 2), seq_len(batch)[-seq_len(batch %/% 2)],
                   rep(seq_len(batch), 3))
    for (sequences in c(TRUE, FALSE)) {
      whole <- run_bidirectional(case, return_sequences = sequences)
      for (rows in Filter(length, orders)) {
        some <- run_bidirectional(rows_of_case(case, rows), return_sequences = sequences)
        expect_same_bits(some, take_rows(whole, rows), paste("rows", toString(rows)))
      }
    }
  })
})

test_that("a row of NaN or Inf stays alone", {
  for_random_cases(function(case) {
    batch <- nrow(case$x)
    row <- sample.int(batch, 1)
    whole <- run_bidirectional(case)
    for (value in c(NaN, Inf)) {
      poisoned <- case
      poisoned$x[row, , ] <- value
      result <- run_bidirectional(poisoned)
      others <- setdiff(seq_len(batch), row)
      expect_same_bits(take_rows(result, others), take_rows(whole, others), "other rows")
      reached <- is.null(case$mask) || any(case$mask[row, ])
      if (is.nan(value)) expect_identical(anyNA(unlist(take_rows(result, row))), reached)
    }
  })
})

# --- merges and directions ----------------------------------------------------------------------------------------

# A sum, half or product of two single precision numbers is exact in double precision, then rounded once.
round_to <- function(x, single) {
  if (!single) return(x)
  array(readBin(writeBin(as.vector(x), raw(), size = 4), "numeric", length(x), size = 4), dim(x))
}

test_that("merge_mode = NULL gives the halves that the other modes merge", {
  for_random_cases(merges = "none", code = function(case) {
    for (sequences in c(TRUE, FALSE)) {
      run <- function(mode) run_bidirectional(case, merge_mode = mode, return_sequences = sequences)
      halves <- run(NULL)
      merged <- lapply(list(concat = "concat", sum = "sum", ave = "ave", mul = "mul"), run)
      one <- halves[[1]]
      other <- halves[[2]]
      concatenated <- array(c(one, other), c(dim(one)[-length(dim(one))], 2 * case$units))
      expect_same_bits(merged$concat[[1]], concatenated, "concat")
      single <- config_floatx() == "float32"
      expect_same_bits(merged$sum[[1]], round_to(one + other, single), "sum")
      expect_same_bits(merged$ave[[1]], round_to(round_to(one + other, single) / 2, single), "ave")
      expect_same_bits(merged$mul[[1]], round_to(one * other, single), "mul")
      for (mode in names(merged)) expect_same_bits(merged[[mode]][-1], halves[-(1:2)], mode)
    }
  })
})

test_that("without sequences come the last valid step forwards and the first valid step backwards", {
  for_random_cases(merges = "none", masks = setdiff(mask_kinds, "empty_row"), code = function(case) {
    sequences <- run_bidirectional(case)
    last <- run_bidirectional(case, return_sequences = FALSE)
    mask <- with_any_mask(case)$mask
    for (row in seq_len(nrow(case$x))) {
      valid <- which(mask[row, ])
      expect_same_bits(last[[1]][row, ], sequences[[1]][row, max(valid), ], "forwards")
      expect_same_bits(last[[2]][row, ], sequences[[2]][row, min(valid), ], "backwards")
    }
  })
})

test_that("going backwards is going forwards through reversed time", {
  for_random_cases(merges = "concat", code = function(case) {
    for (sequences in c(TRUE, FALSE)) for (zero in c(TRUE, FALSE)) {
      run <- function(...) run_recurrent(case, return_sequences = sequences, zero_output_for_mask = zero, ...)
      mirror <- run(x = reverse_time(case$x), mask = reverse_time(case$mask))
      expect_same_bits(run(go_backwards = TRUE), mirror, paste("sequences", sequences, "zeros", zero))
    }
  })
})

test_that("the halves of a bidirectional layer are its layers on their own", {
  for_random_cases(merges = "none", code = function(case) {
    for (sequences in c(TRUE, FALSE)) {
      run <- function(...) run_recurrent(case, return_sequences = sequences, zero_output_for_mask = sequences, ...)
      halves <- run_bidirectional(case, return_sequences = sequences)
      forward <- run()
      backward <- run(go_backwards = TRUE, weights = case$backward, states = case$backward_state)
      if (sequences) backward[[1]] <- reverse_time(backward[[1]])
      expect_same_bits(halves[1:2], c(forward[1], backward[1]), "outputs")
      expect_same_bits(halves[-(1:2)], c(forward[-1], backward[-1]), "states")
    }
  })
})

test_that("the forward half does not see the future, nor the backward half the past", {
  for_random_cases(merges = "none", code = function(case) {
    steps <- dim(case$x)[[2]]
    at <- sample.int(steps - 1, 1)
    whole <- run_bidirectional(case)
    change <- function(part) {
      case$x[, part, ] <- case$x[, part, , drop = FALSE] * 2 + 1
      run_bidirectional(case)
    }
    expect_same_bits(take_steps(change((at + 1):steps)[[1]], 1:at), take_steps(whole[[1]], 1:at), "forward")
    expect_same_bits(take_steps(change(1:at)[[2]], -(1:at)), take_steps(whole[[2]], -(1:at)), "backward")
  })
})

test_that("a palindrome read by two equal directions gives palindromes", {
  for_random_cases(masks = c("none", "gaps", "empty_row"), code = function(case) {
    steps <- dim(case$x)[[2]]
    turned <- pmin(seq_len(steps), rev(seq_len(steps)))
    case$x <- take_steps(case$x, turned)
    case["mask"] <- list(take_steps(case$mask, turned))
    case[c("backward", "backward_state")] <- case[c("forward", "forward_state")]
    result <- run_bidirectional(case)
    expect_same_bits(mirror_back(result, case, TRUE), result, "mirrored")
    if (!case$merge %in% c("concat", "none")) expect_same_bits(reverse_time(result[[1]]), result[[1]], "palindrome")
  })
})
