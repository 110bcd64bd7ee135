# Gradients of every cell by central differences in double precision: inputs, initial states and all weights.

# A scalar that weights every element of every output differently.
weighted_sum <- function(result) {
  outputs <- flatten_structure(result)
  Reduce(op_add, lapply(seq_along(outputs), function(k) {
    shape <- tensor_shape(outputs[[k]])
    op_sum(op_multiply(outputs[[k]], as_tensor(from_row_major(cos(0.7 * seq_len(prod(shape)) + k), shape))))
  }))
}

expect_layer_gradients <- function(layer, case, states, directions, label) {
  force(layer)  # making it is no part of what is recorded
  mask <- if (!is.null(case$mask)) as_tensor(case$mask)
  f <- function(inputs) {
    arguments <- list(inputs[[1]])
    if (!is.null(mask)) arguments$mask <- mask
    if (length(inputs) > 1) arguments$initial_state <- inputs[-1]
    weighted_sum(do.call(layer, arguments))
  }
  expect_gradients(f, c(list(case$x), states), layer_variables(layer, trainable = TRUE), directions, label = label)
}

expect_bidirectional_gradients <- function(cell, merge, mask, states, sequences = TRUE, return_state = TRUE,
                                           directions = NULL) {
  case <- random_case(cell, mask, states, batch = 3, time = 4, features = 2, units = 2)
  layer <- bidirectional_of(case, merge_modes[[merge]], sequences, return_state)
  label <- paste(cell, merge, mask, if (states) "with states", if (sequences) "sequences")
  expect_layer_gradients(layer, case, c(case$forward_state, case$backward_state), directions, label)
}

for (cell in names(recurrent_cells)) {
  test_that(paste("every element of the gradients of", cell, "is right, with holes in the mask and initial states"), {
    withr::local_seed(1)
    with_floatx("float64", {
      expect_bidirectional_gradients(cell, "concat", "gaps", states = TRUE)
      expect_bidirectional_gradients(cell, "mul", "empty_row", states = TRUE, sequences = FALSE)
    })
  })

  test_that(paste("the gradients of", cell, "are right for every merge mode, mask and initial state"), {
    withr::local_seed(2)
    with_floatx("float64", {
      for (merge in names(merge_modes)) for (mask in mask_kinds) for (states in c(FALSE, TRUE)) {
        expect_bidirectional_gradients(cell, merge, mask, states, sequences = (nchar(mask) + states) %% 2 == 0,
                                       directions = 2)
      }
    })
  })

  test_that(paste("the gradients of", cell, "are right for one direction, forwards and backwards"), {
    withr::local_seed(3)
    with_floatx("float64", {
      for (backwards in c(FALSE, TRUE)) for (zero in c(FALSE, TRUE)) for (mask in mask_kinds) {
        case <- random_case(cell, mask, batch = 3, time = 4, features = 2, units = 2)
        layer <- recurrent_of(case, go_backwards = backwards, zero_output_for_mask = zero)
        expect_layer_gradients(layer, case, case$forward_state, 2, paste(cell, mask, "alone"))
      }
    })
  })

  test_that(paste("the gradients of", cell, "are right with activations other than the usual ones"), {
    withr::local_seed(4)
    with_floatx("float64", {
      for (activation in c("linear", "softsign", "gelu", "softplus", "mish")) {
        case <- random_case(cell, "gaps", batch = 2, time = 3, features = 2, units = 2)
        extra <- if (cell != "simple_rnn") list(recurrent_activation = "softsign")
        layer <- do.call(bidirectional_of, c(list(case, activation = activation), extra))
        states <- c(case$forward_state, case$backward_state)
        expect_layer_gradients(layer, case, states, 2, paste(cell, activation))
      }
    })
  })

  test_that(paste("every combination of options of", cell, "has the right gradients"), {
    skip_unless_all()
    withr::local_seed(5)
    with_floatx("float64", {
      for (merge in names(merge_modes)) for (mask in mask_kinds) for (states in c(FALSE, TRUE)) {
        for (sequences in c(FALSE, TRUE)) for (return_state in c(FALSE, TRUE)) {
          expect_bidirectional_gradients(cell, merge, mask, states, sequences, return_state)
        }
      }
    })
  })
}

test_that("gradients are right over many steps, in large batches and in wide layers", {
  withr::local_seed(9)
  sizes <- list(c(batch = 1, time = 700, features = 2, units = 3), c(batch = 5, time = 150, features = 3, units = 2),
                c(batch = 70, time = 20, features = 2, units = 3), c(batch = 3, time = 3, features = 300, units = 70))
  with_floatx("float64", {
    for (cell in names(recurrent_cells)) for (size in sizes) for (mask in c("none", "gaps")) {
      case <- do.call(random_case, c(list(cell, mask), size))
      for (k in 1:2) case[["forward"]][[k]] <- case[["forward"]][[k]] / sqrt(size[["features"]])
      expect_layer_gradients(bidirectional_of(case), case, c(case$forward_state, case$backward_state), 1,
                             paste(cell, mask, toString(size)))
    }
  })
})

test_that("gradients pass through dropout masks that are drawn again from the same seed", {
  withr::local_seed(6)
  with_floatx("float64", {
    for (cell in names(recurrent_cells)) {
      case <- random_case(cell, "right", states = FALSE, batch = 3, time = 4, features = 3, units = 3)
      layer <- bidirectional_of(case, dropout = 0.4, recurrent_dropout = 0.3, seed = 11)
      seeds <- lapply(seed_variables(layer), function(v) list(variable = v, value = as.array(v)))
      f <- function(inputs) {
        for (seed in seeds) seed$variable$assign(seed$value)
        weighted_sum(layer(inputs[[1]], mask = as_tensor(case$mask), training = TRUE))
      }
      expect_gradients(f, list(case$x), layer_variables(layer, trainable = TRUE), directions = 2,
                       label = paste(cell, "dropout"))
    }
  })
})

test_that("gradients of inputs at masked steps are exactly zero, whatever stands there", {
  withr::local_seed(7)
  with_floatx("float64", {
    for (cell in names(recurrent_cells)) {
      case <- random_case(cell, "gaps")
      layer <- bidirectional_of(case)
      masked <- array(!case$mask, dim(case$x))
      gradient_at <- function(x) {
        f <- function(inputs) weighted_sum(layer(inputs[[1]], mask = as_tensor(case$mask)))
        value_and_gradients(f, list(as_tensor(x)), layer_variables(layer, trainable = TRUE))
      }
      clean <- gradient_at(case$x)
      expect_identical(unique(clean$inputs[[1]][masked]), 0)
      for (value in c(NaN, Inf, -1e300)) {
        expect_same_bits(gradient_at(replace(case$x, masked, value)), clean, paste(cell, value))
      }
    }
  })
})

test_that("dense, embedding and dropout layers have the right gradients", {
  withr::local_seed(8)
  with_floatx("float64", {
    x <- random_array(3, 4, 2)
    for (activation in c("linear", "softmax", "tanh", "silu")) {
      weights <- list(random_array(2, 3), random_array(3))
      layer <- with_weights(layer_dense(units = 3, activation = activation), weights, x)
      expect_gradients(function(inputs) weighted_sum(layer(inputs[[1]])), list(x), layer_variables(layer),
                       label = activation)
    }
    ids <- matrix(c(0L, 2L, 2L, 1L), 2)
    embedding <- with_weights(layer_embedding(input_dim = 4, output_dim = 2), list(random_array(4, 2)), ids)
    expect_gradients(function(inputs) weighted_sum(embedding(ids)), variables = layer_variables(embedding))
  })
})
