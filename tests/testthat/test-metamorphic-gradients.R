# Relations between gradients that hold whatever the numbers are, on seeded random cases.

seeds <- if (all_tests()) 1:25 else 1:2

# Gradients of sum(output * cotangent): of x, initial states (both directions) and weights, as R arrays.
gradients_of_case <- function(case, cotangent, ...) {
  layer <- bidirectional_of(case, ...)
  inputs <- lapply(c(list(case$x), case$forward_state, case$backward_state), as_tensor)
  f <- function(inputs) {
    output <- call_with(layer, inputs[[1]], case$mask, inputs[-1])[[1]]
    op_sum(op_multiply(output, as_tensor(cotangent)))
  }
  found <- value_and_gradients(f, inputs, layer_variables(layer, trainable = TRUE))
  list(x = found$inputs[[1]], states = found$inputs[-1], weights = found$variables)
}

random_cotangent <- function(case) {
  random_array(nrow(case$x), dim(case$x)[[2]], 2 * case$units)
}

expect_close_lists <- function(got, want, label) {
  for (k in seq_along(want)) expect_close(got[[k]], want[[k]], 20 * rounding(), paste(label, k))
}

test_that("the gradient of a batch is the sum over its rows", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    cotangent <- random_cotangent(case)
    whole <- gradients_of_case(case, cotangent)
    rows <- lapply(seq_len(nrow(case$x)), function(row) {
      gradients_of_case(rows_of_case(case, row), take_rows(cotangent, row))
    })
    for (row in seq_along(rows)) {
      expect_same_bits(rows[[row]]$x, take_rows(whole$x, row), paste(label, "x"))
      expect_same_bits(rows[[row]]$states, take_rows(whole$states, row), paste(label, "states"))
    }
    sums <- lapply(seq_along(whole$weights), function(k) Reduce(`+`, lapply(rows, function(row) row$weights[[k]])))
    expect_close_lists(whole$weights, sums, paste(label, "weights"))
  })
})

test_that("padding on either side does not change gradients, and gets none", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    steps <- dim(case$x)[[2]]
    cotangent <- random_cotangent(case)
    whole <- gradients_of_case(case, cotangent)
    padded <- case
    padded$x <- pad_steps(case$x, 2, 3)
    padded$mask <- pad_steps(case$mask, 2, 3)
    result <- gradients_of_case(padded, pad_steps(cotangent, 2, 3))
    expect_same_bits(take_steps(result$x, 2 + seq_len(steps)), whole$x, paste(label, "x"))
    expect_identical(unique(as.vector(take_steps(result$x, -(2 + seq_len(steps))))), 0)
    expect_same_bits(result$states, whole$states, paste(label, "states"))
    expect_close_lists(result$weights, whole$weights, paste(label, "weights"))
  })
})

test_that("deleting masked steps does not change gradients", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    holes <- case$mask[1, ]
    case$mask <- matrix(holes, nrow(case$mask), length(holes), byrow = TRUE)
    cotangent <- random_cotangent(case)
    whole <- gradients_of_case(case, cotangent)
    deleted <- case
    deleted$x <- take_steps(case$x, holes)
    deleted["mask"] <- list(NULL)
    result <- gradients_of_case(deleted, take_steps(cotangent, holes))
    expect_same_bits(result$x, take_steps(whole$x, holes), paste(label, "x"))
    expect_same_bits(result$states, whole$states, paste(label, "states"))
    expect_close_lists(result$weights, whole$weights, paste(label, "weights"))
  })
})

test_that("values at masked steps do not change gradients", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    cotangent <- random_cotangent(case)
    whole <- gradients_of_case(case, cotangent)
    masked <- array(!case$mask, dim(case$x))
    expect_identical(unique(whole$x[masked]), 0)
    case$x[masked] <- NaN
    expect_same_bits(gradients_of_case(case, cotangent), whole, label)
  })
})

test_that("gradients are linear in what comes from above", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    one <- random_cotangent(case)
    other <- random_cotangent(case)
    together <- unlist(gradients_of_case(case, one + 2 * other))
    apart <- unlist(gradients_of_case(case, one)) + 2 * unlist(gradients_of_case(case, other))
    expect_close(together, apart, 20 * rounding(), label)
  })
})

test_that("the gradient at a step that cannot be seen is exactly zero", {
  for_random_cases(seeds = seeds, code = function(case, label) {
    steps <- dim(case$x)[[2]]
    at <- sample.int(steps - 1, 1)
    cotangent <- array(0, c(nrow(case$x), steps, 2 * case$units))
    cotangent[, at, seq_len(case$units)] <- 1
    future <- gradients_of_case(case, cotangent)$x[, (at + 1):steps, ]
    expect_identical(unique(as.vector(future)), 0)
  })
})
