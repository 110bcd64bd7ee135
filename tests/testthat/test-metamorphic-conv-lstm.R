# The relations of test-metamorphic.R for ConvLSTM in both directions, whose inputs and states are films and images: on
# random configurations of axes, padding, strides, masks and initial states, bit for bit.

# `positions` of one axis of an array with any number of axes.
part_of <- function(x, axis, positions) {
  if (is.null(x)) return(NULL)
  at <- replace(rep(list(TRUE), length(dim(x))), axis, list(positions))
  do.call(`[`, c(list(x), at, drop = FALSE))
}

flip_time <- function(x) part_of(x, 2, rev(seq_len(dim(x)[[2]])))

# Steps of another film in front and behind.
join_time <- function(...) as.array(op_concatenate(list(...), axis = 2))

conv_cases <- function(code) {
  for (floatx in both_floatx) for (k in if (all_tests()) 1:12 else match(floatx, both_floatx)) {
    withr::with_seed(k, with_floatx(floatx, {
      axes <- 1 + k %% 2
      options <- list(filters = 2, kernel_size = sample(1:3, 1), padding = sample(c("same", "valid"), 1),
                      strides = if (k %% 3 == 0) 2 else 1)
      code(conv_case(axes, options, random_mask(sample(partial_masks, 1), 3, 5)), paste(floatx, "case", k))
    }))
  }
}

conv_case <- function(axes, options, mask) {
  make <- function(...) {
    do.call(if (axes == 1) layer_conv_lstm_1d else layer_conv_lstm_2d, c(options, list(...)))
  }
  case <- list(make = make, x = random_array(3, 5, rep(4, axes), 2), mask = mask)
  layer <- layer_bidirectional(layer = make(return_sequences = TRUE, return_state = TRUE))
  outputs <- layer(case$x)
  case$weights <- lapply(get_weights(layer), function(w) random_array(dim(w) %||% length(w), scale = 0.4))
  case$states <- lapply(outputs[-1], function(state) random_array(dim(state), scale = 0.5))
  case
}

# Outputs (one, or two with `merge_mode = NULL`) and the four states as arrays.
run_conv <- function(case, merge_mode = "concat", return_sequences = TRUE, training = FALSE, ...) {
  layer <- layer_bidirectional(
    layer = case$make(return_sequences = return_sequences, return_state = TRUE, ...), merge_mode = merge_mode
  )
  layer(case$x)
  set_weights(layer, case$weights)
  arrays_of(layer(case$x, mask = case$mask, initial_state = case$states, training = training))
}

halves_of <- function(x) list(x[seq_len(length(x) / 2)], x[length(x) / 2 + seq_len(length(x) / 2)])
swapped <- function(x) do.call(c, rev(halves_of(x)))

change <- function(case, ...) {
  case[...names()] <- list(...)
  case
}

test_that("mirroring time and directions mirrors the result", {
  conv_cases(function(case, label) {
    whole <- run_conv(case, NULL)
    mirror <- run_conv(
      change(case, x = flip_time(case$x), mask = flip_time(case$mask), weights = swapped(case$weights),
             states = swapped(case$states)), NULL
    )
    expect_same_bits(mirror, c(lapply(rev(whole[1:2]), flip_time), swapped(whole[-(1:2)])), label)
  })
})

test_that("masked steps on either side change nothing and give zeros, a mask of TRUE is none", {
  conv_cases(function(case, label) {
    whole <- run_conv(case)
    garbage <- part_of(case$x, 2, 1:2) * 1e3
    false <- matrix(FALSE, 3, 2)
    right <- run_conv(change(case, x = join_time(case$x, garbage), mask = cbind(case$mask, false)))
    left <- run_conv(change(case, x = join_time(garbage, case$x), mask = cbind(false, case$mask)))
    expect_same_bits(part_of(right[[1]], 2, 1:5), whole[[1]], label)
    expect_same_bits(part_of(left[[1]], 2, 3:7), whole[[1]], label)
    expect_identical(unique(c(part_of(right[[1]], 2, 6:7), part_of(left[[1]], 2, 1:2))), 0)
    expect_same_bits(right[-1], whole[-1], label)
    expect_same_bits(left[-1], whole[-1], label)
    expect_same_bits(run_conv(change(case, mask = matrix(TRUE, 3, 5))), run_conv(change(case, mask = NULL)), label)
  })
})

test_that("masked steps are as good as deleted, and what they hold does not matter", {
  conv_cases(function(case, label) {
    holes <- case$mask[1, ]
    case$mask <- matrix(holes, 3, 5, byrow = TRUE)
    whole <- run_conv(case)
    short <- run_conv(change(case, x = part_of(case$x, 2, holes), mask = NULL))
    expect_same_bits(part_of(whole[[1]], 2, holes), short[[1]], label)
    expect_same_bits(whole[-1], short[-1], label)
    for (value in c(NaN, Inf)) {
      case$x[slice.index(case$x, 2) %in% which(!holes)] <- value
      expect_same_bits(run_conv(case), whole, paste(label, value))
    }
  })
})

test_that("rows are independent: permuted, alone, next to NaN", {
  conv_cases(function(case, label) {
    whole <- run_conv(case)
    of_rows <- function(case, rows) {
      change(case, x = part_of(case$x, 1, rows), mask = part_of(case$mask, 1, rows),
             states = lapply(case$states, part_of, 1, rows))
    }
    for (rows in list(c(3, 1, 2), 2, c(1, 1, 3))) {
      expect_same_bits(run_conv(of_rows(case, rows)), lapply(whole, part_of, 1, rows), label)
    }
    case$x[slice.index(case$x, 1) == 2] <- NaN
    expect_same_bits(lapply(run_conv(case), part_of, 1, -2), lapply(whole, part_of, 1, -2), label)
  })
})

test_that("two pieces are the whole, if forward states go to the right and backward states to the left", {
  conv_cases(function(case, label) {
    piece <- function(steps, states) {
      run_conv(change(case, x = part_of(case$x, 2, steps), mask = part_of(case$mask, 2, steps), states = states))
    }
    zeros <- lapply(case$states, `*`, 0)
    right <- piece(3:5, c(zeros[1:2], case$states[3:4]))
    left <- piece(1:2, c(case$states[1:2], right[4:5]))
    right <- piece(3:5, c(left[2:3], case$states[3:4]))
    whole <- run_conv(case)
    expect_same_bits(join_time(left[[1]], right[[1]]), as.array(as_tensor(whole[[1]])), label)
    expect_same_bits(c(right[2:3], left[4:5]), whole[-1], label)
  })
})

test_that("merges combine the two halves, last outputs are steps of the sequence, and no half sees what it cannot", {
  conv_cases(function(case, label) {
    halves <- run_conv(case, NULL)
    expect_same_bits(run_conv(case)[[1]], as.array(op_concatenate(halves[1:2], axis = -1)), label)
    expect_same_bits(run_conv(case, "sum")[[1]], as.array(op_add(halves[[1]], halves[[2]])), label)
    expect_same_bits(run_conv(case, "mul")[[1]], as.array(op_multiply(halves[[1]], halves[[2]])), label)
    last <- run_conv(case, NULL, return_sequences = FALSE)
    for (row in 1:3) {
      valid <- range(which(case$mask[row, ]))
      at <- function(half, step) as.vector(part_of(part_of(halves[[half]], 1, row), 2, step))
      expect_identical(as.vector(part_of(last[[1]], 1, row)), at(1, valid[[2]]), info = label)
      expect_identical(as.vector(part_of(last[[2]], 1, row)), at(2, valid[[1]]), info = label)
    }
    later <- case$x
    later[slice.index(later, 2) > 3] <- 7
    other <- run_conv(change(case, x = later), NULL)
    expect_same_bits(part_of(other[[1]], 2, 1:3), part_of(halves[[1]], 2, 1:3), label)
    earlier <- case$x
    earlier[slice.index(earlier, 2) < 3] <- 7
    other <- run_conv(change(case, x = earlier), NULL)
    expect_same_bits(part_of(other[[2]], 2, 3:5), part_of(halves[[2]], 2, 3:5), label)
  })
})

test_that("a palindrome read by two equal directions gives a palindrome", {
  conv_cases(function(case, label) {
    turned <- c(1, 2, 3, 2, 1)
    case <- change(case, x = part_of(case$x, 2, turned), mask = part_of(case$mask, 2, turned),
                   weights = rep(halves_of(case$weights)[[1]], 2), states = rep(halves_of(case$states)[[1]], 2))
    for (merge_mode in c("sum", "ave", "mul")) {
      output <- run_conv(case, merge_mode)[[1]]
      expect_same_bits(flip_time(output), output, paste(label, merge_mode))
    }
  })
})

test_that("no dropout is dropout of 0 and dropout without training, on any number of threads", {
  conv_cases(function(case, label) {
    whole <- run_conv(case)
    expect_same_bits(run_conv(case, dropout = 0, recurrent_dropout = 0, training = TRUE), whole, label)
    expect_same_bits(run_conv(case, dropout = 0.4, recurrent_dropout = 0.3), whole, label)
    for (threads in c(1, 2, 4)) expect_same_bits(with_threads(threads, run_conv(case)), whole, label)
    dropped <- run_conv(case, dropout = 0.4, recurrent_dropout = 0.3, seed = 5, training = TRUE)
    expect_same_bits(run_conv(case, dropout = 0.4, recurrent_dropout = 0.3, seed = 5, training = TRUE), dropped, label)
    expect_false(same_bits(dropped, whole))
  })
})
