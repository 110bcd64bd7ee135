# Relations between layers whose weights differ by a symmetry: units and features in another order, other signs,
# blocks, a bias as a weight. See test-metamorphic.R.

gates_of <- function(case) recurrent_cells[[case$cell]]$gates

# The gate of the candidate, counted from 1.
candidate_gate <- c(simple_rnn = 1, lstm = 3, gru = 3, gru_reset_before = 3)

# Columns of the weights for some units of some gates.
gate_columns <- function(case, units, gates = seq_len(gates_of(case))) {
  as.vector(outer(units, (gates - 1) * case$units, `+`))
}

# `change(values, role)` for every array of both directions. A bias is seen as a matrix with one row or two.
change_weights <- function(case, change) {
  roles <- c("kernel", "recurrent_kernel", "bias")
  one <- function(values, role) {
    changed <- change(if (is.matrix(values)) values else matrix(values, 1), role)
    if (is.matrix(values)) changed else array(changed)
  }
  for (side in c("forward", "backward")) case[[side]] <- Map(one, case[[side]], roles[seq_along(case[[side]])])
  case
}

change_states <- function(case, change) {
  for (side in c("forward_state", "backward_state")) {
    if (!is.null(case[[side]])) case[[side]] <- Map(change, case[[side]], seq_along(case[[side]]))
  }
  case
}

last_axis <- function(x, positions) {
  if (length(dim(x)) == 2) x[, positions, drop = FALSE] else x[, , positions, drop = FALSE]
}

test_that("with its units in another order a layer gives its outputs in that order", {
  for_random_cases(others = FALSE, code = function(case) {
    order <- sample.int(case$units)
    turned <- change_weights(case, function(values, role) {
      values <- values[, gate_columns(case, order), drop = FALSE]
      if (role == "recurrent_kernel") values[order, , drop = FALSE] else values
    })
    turned <- change_states(turned, function(state, k) state[, order, drop = FALSE])
    expected <- lapply(run_bidirectional(case), function(result) {
      width <- dim(result)[[length(dim(result))]]
      last_axis(result, if (width > case$units) c(order, case$units + order) else order)
    })
    expect_all_close(run_bidirectional(turned), expected)
  })
})

test_that("the order of the features does not matter if the rows of the kernel follow", {
  for_random_cases(others = FALSE, code = function(case) {
    order <- sample.int(dim(case$x)[[3]])
    turned <- change_weights(case, function(values, role) {
      if (role == "kernel") values[order, , drop = FALSE] else values
    })
    turned$x <- case$x[, , order, drop = FALSE]
    expect_all_close(run_bidirectional(turned), run_bidirectional(case))
  })
})

# Units whose output changes its sign: their column of the candidate and their row of the recurrent weights.
flip_signs <- function(case, signs) {
  candidate <- gate_columns(case, seq_len(case$units), candidate_gate[[case$cell]])
  flipped <- change_weights(case, function(values, role) {
    values[, candidate] <- values[, candidate] * rep(signs, each = nrow(values))
    if (role == "recurrent_kernel") values * signs else values
  })
  change_states(flipped, function(state, k) state * rep(signs, each = nrow(state)))
}

test_that("flipped signs of units flip their outputs and states, bit for bit", {
  plus_zero <- function(x) lapply(x, function(part) part + 0)
  for_random_cases(others = FALSE, code = function(case) {
    signs <- sample(c(-1, 1), case$units, replace = TRUE)
    of_output <- if (case$merge == "mul") signs^2 else signs
    expected <- run_bidirectional(case)
    outputs <- if (case$merge == "none") 1:2 else 1
    expected <- Map(function(part, k) {
      factors <- if (k %in% outputs) of_output else signs
      part * rep(rep_len(factors, dim(part)[[length(dim(part))]]), each = prod(dim(part)[-length(dim(part))]))
    }, expected, seq_along(expected))
    expect_same_bits(plus_zero(run_bidirectional(flip_signs(case, signs))), plus_zero(expected), "signs")
  })
})

# One case out of two with the same masks: their features and units side by side, and no weights between them.
side_by_side <- function(one, other) {
  both <- one
  both$units <- one$units + other$units
  features <- c(dim(one$x)[[3]], dim(other$x)[[3]])
  both$x <- array(c(one$x, other$x), c(dim(one$x)[1:2], sum(features)))
  for (side in c("forward", "backward")) {
    both[[side]] <- Map(function(a, b, role) block_weights(a, b, role, both, one$units), one[[side]], other[[side]],
                        c("kernel", "recurrent_kernel", "bias")[seq_along(one[[side]])])
  }
  for (side in c("forward_state", "backward_state")) {
    both[side] <- list(if (!is.null(one[[side]])) Map(cbind, one[[side]], other[[side]]))
  }
  both
}

block_weights <- function(a, b, role, both, units) {
  first <- gate_columns(both, seq_len(units))
  second <- gate_columns(both, units + seq_len(both$units - units))
  if (role == "bias") {
    if (!is.matrix(a)) return(replace(replace(array(0, length(a) + length(b)), first, a), second, b))
    joined <- matrix(0, nrow(a), ncol(a) + ncol(b))
    joined[, first] <- a
    joined[, second] <- b
    return(joined)
  }
  joined <- matrix(0, nrow(a) + nrow(b), ncol(a) + ncol(b))
  joined[seq_len(nrow(a)), first] <- a
  joined[nrow(a) + seq_len(nrow(b)), second] <- b
  joined
}

test_that("two layers side by side are one layer with weights in blocks, bit for bit", {
  # On one instruction set: the wider layer would take wider vectors, whose instructions may round otherwise.
  best <- r_isa("")
  r_isa("base")
  withr::defer(r_isa(best))
  for_random_cases(others = FALSE, merges = setdiff(names(merge_modes), "concat"), code = function(case) {
    other <- random_case(case$cell, "none", !is.null(case$forward_state), nrow(case$x), dim(case$x)[[2]], 2,
                         case$units, case$merge)
    other["mask"] <- list(case$mask)
    other$options <- case$options
    weights <- length(case$forward)
    other[c("forward", "backward")] <- list(other$forward[seq_len(weights)], other$backward[seq_len(weights)])
    together <- run_bidirectional(side_by_side(case, other))
    apart <- Map(function(a, b) array(c(a, b), c(dim(a)[-length(dim(a))], 2 * case$units)),
                 run_bidirectional(case), run_bidirectional(other))
    expect_same_bits(together, apart, "blocks")
  })
})

test_that("a bias is the weight of a feature that is always 1", {
  for_random_cases(others = FALSE, variants = c("usual", "other_activations"), code = function(case) {
    extended <- case
    extended$x <- array(c(case$x, rep(1, prod(dim(case$x)[1:2]))), dim(case$x) + c(0, 0, 1))
    for (side in c("forward", "backward")) {
      bias <- case[[side]][[3]]
      extended[[side]][[1]] <- rbind(case[[side]][[1]], if (is.matrix(bias)) bias[1, ] else as.vector(bias))
      if (is.matrix(bias)) bias[1, ] <- 0 else bias[] <- 0
      extended[[side]][[3]] <- bias
    }
    expect_all_close(run_bidirectional(extended), run_bidirectional(case))
  })
})

test_that("with an open reset gate it does not matter where a GRU resets", {
  for_random_cases(cells = "gru", count = 8, variants = c("usual", "other_activations"), code = function(case) {
    units <- case$units
    before <- replace(case, "cell", "gru_reset_before")
    for (side in c("forward", "backward")) {
      bias <- case[[side]][[3]]
      bias[1, units + seq_len(units)] <- 1e3
      bias[2, 2 * units + seq_len(units)] <- 0
      case[[side]][[3]] <- bias
      before[[side]][[3]] <- array(colSums(bias))
    }
    expect_all_close(run_bidirectional(before), run_bidirectional(case))
  })
})
