# Relations between gradients that hold whatever the numbers are, on random configurations. See test-metamorphic.R.

# Gradients of sum(output * cotangent$output) + sum(state * its cotangent): of x, the initial states (both directions)
# and the weights, as R arrays. The two outputs of merge_mode = NULL count as one, side by side.
gradients_of_case <- function(case, cotangent) {
  layer <- kept_layer(
    list("gradients", case_key(case), case$merge), function() bidirectional_of(case), c(case$forward, case$backward)
  )
  inputs <- lapply(c(list(case$x), case$forward_state, case$backward_state), as_tensor)
  f <- function(inputs) {
    result <- flatten_structure(call_with(layer, inputs[[1]], case$mask, if (length(inputs) > 1) inputs[-1]))
    output <- op_concatenate(outputs_of(result, case), axis = -1L)
    parts <- Map(function(x, factors) op_sum(op_multiply(x, as_tensor(factors))),
                 c(list(output), states_of(result, case)), c(list(cotangent$output), cotangent$states))
    Reduce(op_add, parts)
  }
  found <- value_and_gradients(f, inputs, layer_variables(layer, trainable = TRUE))
  list(x = found$inputs[[1]], states = found$inputs[-1], weights = found$variables)
}

random_cotangent <- function(case) {
  halves <- if (case$merge %in% c("concat", "none")) 2 else 1
  list(
    output = random_array(nrow(case$x), dim(case$x)[[2]], halves * case$units),
    states = lapply(seq_len(2 * state_count(case)), function(k) random_array(nrow(case$x), case$units))
  )
}

test_that("the gradient of a batch is the sum over its rows", {
  for_random_cases(function(case) {
    cotangent <- random_cotangent(case)
    whole <- gradients_of_case(case, cotangent)
    rows <- lapply(seq_len(nrow(case$x)), function(row) {
      gradients_of_case(rows_of_case(case, row), take_rows(cotangent, row))
    })
    for (row in seq_along(rows)) {
      expect_same_bits(rows[[row]]$x, take_rows(whole$x, row), "x")
      expect_same_bits(rows[[row]]$states, take_rows(whole$states, row), "states")
    }
    sums <- lapply(seq_along(whole$weights), function(k) Reduce(`+`, lapply(rows, function(row) row$weights[[k]])))
    expect_all_close(whole$weights, sums, "weights")
  })
})

test_that("padding on either side does not change gradients, and gets none", {
  for_random_cases(function(case) {
    real <- 2 + seq_len(dim(case$x)[[2]])
    cotangent <- random_cotangent(case)
    whole <- gradients_of_case(case, cotangent)
    cotangent$output <- pad_steps(cotangent$output, 2, 3)
    result <- gradients_of_case(pad_case(case, 2, 3), cotangent)
    expect_same_unless_own(case, list(take_steps(result$x, real)), list(whole$x), "x")
    expect_identical(unique(as.vector(take_steps(result$x, -real))), 0)
    expect_same_unless_own(case, result$states, whole$states, "states")
    expect_all_close(result$weights, whole$weights, "weights")
  })
})

test_that("deleting masked steps does not change gradients", {
  for_random_cases(masks = partial_masks, code = function(case) {
    holes <- case$mask[1, ]
    case$mask <- matrix(holes, nrow(case$mask), length(holes), byrow = TRUE)
    cotangent <- random_cotangent(case)
    whole <- gradients_of_case(case, cotangent)
    case$x <- take_steps(case$x, holes)
    case["mask"] <- list(NULL)
    cotangent$output <- take_steps(cotangent$output, holes)
    result <- gradients_of_case(case, cotangent)
    expect_same_unless_own(case, list(result$x), list(take_steps(whole$x, holes)), "x")
    expect_same_unless_own(case, result$states, whole$states, "states")
    expect_all_close(result$weights, whole$weights, "weights")
  })
})

test_that("values at masked steps do not change gradients, and have none", {
  for_random_cases(masks = holey_masks, code = function(case) {
    cotangent <- random_cotangent(case)
    whole <- gradients_of_case(case, cotangent)
    masked <- array(!case$mask, dim(case$x))
    expect_identical(unique(whole$x[masked]), 0)
    for (value in c(NaN, Inf, 1e308)) {
      case$x[masked] <- value
      expect_same_bits(gradients_of_case(case, cotangent), whole, paste(value))
    }
  })
})

test_that("gradients are linear in what comes from above", {
  for_random_cases(function(case) {
    one <- random_cotangent(case)
    other <- random_cotangent(case)
    sum <- list(output = one$output + 2 * other$output,
                states = Map(function(a, b) a + 2 * b, one$states, other$states))
    together <- unlist(gradients_of_case(case, sum))
    apart <- unlist(gradients_of_case(case, one)) + 2 * unlist(gradients_of_case(case, other))
    expect_close(together, apart, 20 * rounding(), "gradients")
  })
})

test_that("the gradient at a step that cannot be seen is exactly zero", {
  for_random_cases(merges = "concat", code = function(case) {
    steps <- dim(case$x)[[2]]
    at <- sample.int(steps - 1, 1)
    cotangent <- lapply(random_cotangent(case), function(x) if (is.list(x)) lapply(x, `*`, 0) else x * 0)
    forward <- cotangent
    forward$output[, at, seq_len(case$units)] <- 1
    future <- gradients_of_case(case, forward)$x[, (at + 1):steps, ]
    expect_identical(unique(as.vector(future)), 0)
    backward <- cotangent
    backward$output[, at + 1, case$units + seq_len(case$units)] <- 1
    past <- gradients_of_case(case, backward)$x[, 1:at, ]
    expect_identical(unique(as.vector(past)), 0)
  })
})
