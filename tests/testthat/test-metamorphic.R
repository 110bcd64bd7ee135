# Relations between calls that hold, bit for bit, whatever the numbers are: on seeded random cases.

seeds <- if (all_tests()) 1:25 else 1:2

swap_halves <- function(x) {
  size <- dim(x)[[length(dim(x))]]
  order <- c(size / 2 + seq_len(size / 2), seq_len(size / 2))
  if (length(dim(x)) == 2) x[, order, drop = FALSE] else x[, , order, drop = FALSE]
}

# The same problem seen in a mirror: time runs backwards and the directions change places.
mirrored <- function(case) {
  new <- case
  new$x <- reverse_time(case$x)
  new$mask <- reverse_time(case$mask)
  new[c("forward_state", "backward_state")] <- case[c("backward_state", "forward_state")]
  new[c("forward", "backward")] <- case[c("backward", "forward")]
  new
}

swap_states <- function(states) {
  half <- length(states) / 2
  c(states[half + seq_len(half)], states[seq_len(half)])
}

# A sum, half or product of two single precision numbers is exact in double precision, then rounded once.
round_to <- function(x, single) {
  if (!single) return(x)
  array(readBin(writeBin(as.vector(x), raw(), size = 4), "numeric", length(x), size = 4), dim(x))
}

test_that("mirroring time and directions mirrors the result, for every merge mode", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    for (merge in c("concat", "sum", "mul", "ave")) {
      sequences <- merge %in% c("concat", "mul")
      result <- run_bidirectional(case, merge_mode = merge, return_sequences = sequences)
      mirror <- run_bidirectional(mirrored(case), merge_mode = merge, return_sequences = sequences)
      output <- mirror[[1]]
      if (sequences) output <- reverse_time(output)
      if (merge == "concat") output <- swap_halves(output)
      expect_same_bits(output, result[[1]], paste(label, merge, "output"))
      expect_same_bits(swap_states(mirror[-1]), result[-1], paste(label, merge, "states"))
    }
    last <- run_bidirectional(case, return_sequences = FALSE)
    mirror <- run_bidirectional(mirrored(case), return_sequences = FALSE)
    expect_same_bits(swap_halves(mirror[[1]]), last[[1]], paste(label, "last output"))
  })
})

test_that("masked steps added on the right or on the left change nothing and give zeros", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    steps <- dim(case$x)[[2]]
    whole <- run_bidirectional(case)
    last <- run_bidirectional(case, return_sequences = FALSE)
    for (side in list(c(0, 3), c(4, 0), c(2, 1))) {
      padded <- case
      padded$x <- pad_steps(case$x, side[[1]], side[[2]])
      padded$mask <- pad_steps(case$mask, side[[1]], side[[2]])
      result <- run_bidirectional(padded)
      real <- side[[1]] + seq_len(steps)
      expect_same_bits(take_steps(result[[1]], real), whole[[1]], paste(label, "steps"))
      expect_same_bits(result[-1], whole[-1], paste(label, "states"))
      expect_identical(unique(as.vector(take_steps(result[[1]], -real))), 0)
      expect_same_bits(run_bidirectional(padded, return_sequences = FALSE), last, paste(label, "last output"))
    }
  })
})

test_that("one direction alone repeats its last output on padded steps, or gives zeros if asked", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    case$mask[, ncol(case$mask)] <- TRUE
    steps <- dim(case$x)[[2]]
    padded <- case
    padded$x <- pad_steps(case$x, after = 2)
    padded$mask <- pad_steps(case$mask, after = 2)
    last <- take_steps(run_recurrent(case)[[1]], c(steps, steps))
    expect_same_bits(take_steps(run_recurrent(padded)[[1]], -seq_len(steps)), last, label)
    zeroed <- run_recurrent(padded, zero_output_for_mask = TRUE)[[1]]
    expect_identical(unique(zeroed[array(!padded$mask, dim(zeroed))]), 0)
  })
})

test_that("deleting masked steps is the same as masking them", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    holes <- case$mask[1, ]
    case$mask <- matrix(holes, nrow(case$mask), length(holes), byrow = TRUE)
    deleted <- case
    deleted$x <- take_steps(case$x, holes)
    deleted["mask"] <- list(NULL)
    masked <- run_bidirectional(case)
    short <- run_bidirectional(deleted)
    expect_same_bits(take_steps(masked[[1]], holes), short[[1]], label)
    expect_same_bits(masked[-1], short[-1], paste(label, "states"))
    expect_same_bits(
      run_bidirectional(case, return_sequences = FALSE), run_bidirectional(deleted, return_sequences = FALSE), label
    )
  })
})

test_that("values at masked steps are irrelevant, NaN and Inf included", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    masked <- array(!case$mask, dim(case$x))
    whole <- run_bidirectional(case)
    for (value in c(NaN, NA, Inf, -Inf, 1e30)) {
      expect_same_bits(run_bidirectional(case, x = replace(case$x, masked, value)), whole, paste(label, value))
    }
  })
})

test_that("a mask of TRUE is no mask", {
  for_random_cases(seeds = seeds, mask = "full", code = function(case, label) {
    for (sequences in c(TRUE, FALSE)) {
      expect_same_bits(
        run_bidirectional(case, return_sequences = sequences),
        run_bidirectional(case, mask = NULL, return_sequences = sequences), label
      )
    }
  })
})

test_that("rows are independent: permuted, alone, split, repeated", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    whole <- run_bidirectional(case)
    batch <- nrow(case$x)
    orders <- list(sample.int(batch), 1, seq_len(batch - 1), batch, rep(seq_len(batch), 3))
    for (rows in orders) {
      expect_same_bits(run_bidirectional(rows_of_case(case, rows)), take_rows(whole, rows), paste(label, "rows"))
    }
  })
})

test_that("merge_mode = NULL gives the halves that the other modes merge", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    for (sequences in c(TRUE, FALSE)) {
      run <- function(mode) run_bidirectional(case, merge_mode = mode, return_sequences = sequences)
      halves <- run(NULL)
      merged <- lapply(list(concat = "concat", sum = "sum", ave = "ave", mul = "mul"), run)
      one <- halves[[1]]
      other <- halves[[2]]
      last_axis <- length(dim(one))
      concatenated <- array(c(one, other), c(dim(one)[-last_axis], 2 * case$units))
      expect_same_bits(merged$concat[[1]], concatenated, paste(label, "concat"))
      single <- config_floatx() == "float32"
      expect_same_bits(merged$sum[[1]], round_to(one + other, single), paste(label, "sum"))
      expect_same_bits(merged$ave[[1]], round_to(round_to(one + other, single) / 2, single), paste(label, "ave"))
      expect_same_bits(merged$mul[[1]], round_to(one * other, single), paste(label, "mul"))
      for (mode in names(merged)) expect_same_bits(merged[[mode]][-1], halves[-(1:2)], paste(label, mode))
    }
  })
})

test_that("without sequences come the last valid step forwards and the first valid step backwards", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    sequences <- run_bidirectional(case, merge_mode = NULL)
    last <- run_bidirectional(case, merge_mode = NULL, return_sequences = FALSE)
    for (row in seq_len(nrow(case$x))) {
      valid <- which(case$mask[row, ])
      expect_same_bits(last[[1]][row, ], sequences[[1]][row, max(valid), ], paste(label, "forwards"))
      expect_same_bits(last[[2]][row, ], sequences[[2]][row, min(valid), ], paste(label, "backwards"))
    }
  })
})

test_that("states come as forward h (c), backward h (c), and h is the last output of its direction", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    result <- run_bidirectional(case, merge_mode = NULL, return_sequences = FALSE)
    states <- recurrent_cells[[case$cell]]$states
    expect_length(result, 2 + 2 * states)
    expect_same_bits(result[[3]], result[[1]], paste(label, "forward h"))
    expect_same_bits(result[[3 + states]], result[[2]], paste(label, "backward h"))
  })
})

test_that("going backwards is going forwards through reversed time", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    backwards <- run_recurrent(case, go_backwards = TRUE)
    expect_same_bits(backwards, run_recurrent(case, x = reverse_time(case$x), mask = reverse_time(case$mask)), label)
  })
})

test_that("the halves of a bidirectional layer are its layers on their own", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    halves <- run_bidirectional(case, merge_mode = NULL)
    forward <- run_recurrent(case, zero_output_for_mask = TRUE)
    backward <- run_recurrent(
      case, go_backwards = TRUE, zero_output_for_mask = TRUE, weights = case$backward, states = case$backward_state
    )
    expect_same_bits(halves[[1]], forward[[1]], paste(label, "forward"))
    expect_same_bits(halves[[2]], reverse_time(backward[[1]]), paste(label, "backward"))
    expect_same_bits(halves[-(1:2)], c(forward[-1], backward[-1]), paste(label, "states"))
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

# Weights under which a state cannot change: the gates are shut by biases of +-1000.
saturated_weights <- function(case) {
  units <- case$units
  bias <- case$forward[[3]]
  if (case$cell == "lstm") bias <- rep(c(-1e3, 1e3, 0, 0), each = units)
  if (case$cell == "gru") bias[1, seq_len(units)] <- 1e3
  if (case$cell == "gru_reset_before") bias[seq_len(units)] <- 1e3
  list(case$forward[[1]], case$forward[[2]], bias)
}

test_that("shut gates keep the state, bit for bit", {
  for_random_cases(seeds = seeds, cells = c("lstm", "gru", "gru_reset_before"), code = function(case, label) {
    result <- run_recurrent(case, weights = saturated_weights(case))
    kept <- if (case$cell == "lstm") 2 else 1
    expect_same_bits(result[[1 + kept]], as.array(as_tensor(case$forward_state[[kept]])), label)
  })
})

test_that("without recurrent weights the steps of a simple RNN are independent", {
  for_random_cases(seeds = seeds, cells = "simple_rnn", mask = "none", code = function(case, label) {
    case$forward[[2]][] <- 0
    order <- sample.int(dim(case$x)[[2]])
    whole <- run_recurrent(case)[[1]]
    expect_same_bits(run_recurrent(case, x = take_steps(case$x, order))[[1]], take_steps(whole, order), label)
  })
})

test_that("the forward half does not see the future, nor the backward half the past", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    steps <- dim(case$x)[[2]]
    at <- sample.int(steps - 1, 1)
    changed <- case
    changed$x[, (at + 1):steps, ] <- changed$x[, (at + 1):steps, , drop = FALSE] * 2 + 1
    whole <- run_bidirectional(case, merge_mode = NULL)
    other <- run_bidirectional(changed, merge_mode = NULL)
    expect_same_bits(take_steps(other[[1]], 1:at), take_steps(whole[[1]], 1:at), paste(label, "forward"))
    changed <- case
    changed$x[, 1:at, ] <- changed$x[, 1:at, , drop = FALSE] * 2 + 1
    other <- run_bidirectional(changed, merge_mode = NULL)
    expect_same_bits(take_steps(other[[2]], -(1:at)), take_steps(whole[[2]], -(1:at)), paste(label, "backward"))
  })
})

test_that("a row of NaN stays alone", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    poisoned <- case
    poisoned$x[2, , ] <- NaN
    others <- setdiff(seq_len(nrow(case$x)), 2)
    result <- run_bidirectional(poisoned)
    expect_same_bits(take_rows(result, others), take_rows(run_bidirectional(case), others), label)
    expect_true(anyNA(result[[1]][2, , ]))
  })
})
