# Extreme inputs: what is not finite, huge, tiny or empty behaves as listed here, for every cell, in both directions.
# Very long sequences: test-long-sequences.R. Masks and rows of NaN in random configurations: test-metamorphic.R.

for_cells <- function(code, merge = "none", ..., floats = both_floatx) {
  for (floatx in floats) for (cell in names(recurrent_cells)) {
    withr::with_seed(11, with_floatx(floatx, code(random_case(cell, merge = merge, ...), paste(cell, floatx))))
  }
}

# Gradients of the sum of all outputs and states: of x, the initial states and the weights.
gradients_of <- function(case, x = case$x, mask = case$mask) {
  layer <- bidirectional_of(case)
  f <- function(inputs) {
    Reduce(op_add, lapply(call_with(layer, inputs[[1]], mask, if (length(inputs) > 1) inputs[-1]), op_sum))
  }
  inputs <- lapply(c(list(x), case$forward_state, case$backward_state), as_tensor)
  value_and_gradients(f, inputs, layer$trainable_weights)
}

# --- not finite ---------------------------------------------------------------------------------------------------

test_that("NaN, NA and Inf in a valid step reach its own row only, and in it the steps that see it", {
  for_cells(mask = "none", time = 6, code = function(case, label) {
    clean <- run_bidirectional(case)
    for (value in c(NaN, NA)) {
      case$x[2, 4, 1] <- value
      result <- run_bidirectional(case)
      expect_same_bits(take_rows(result, -2), take_rows(clean, -2), paste(label, "other rows"))
      seen <- list(forward = 4:6, backward = 1:4)
      for (half in 1:2) {
        expect_true(all(is.na(result[[half]][2, seen[[half]], ])), info = label)
        expect_same_bits(result[[half]][2, -seen[[half]], ], clean[[half]][2, -seen[[half]], ], paste(label, "unseen"))
      }
    }
    case$x[2, 4, 1] <- Inf
    result <- run_bidirectional(case)
    expect_same_bits(take_rows(result, -2), take_rows(clean, -2), paste(label, "Inf, other rows"))
    expect_same_bits(result[[1]][2, 1:3, ], clean[[1]][2, 1:3, ], paste(label, "Inf, before"))
  })
})

test_that("the gradients at other rows do not know of a row of NaN", {
  for_cells(mask = "gaps", code = function(case, label) {
    clean <- gradients_of(case)$inputs
    case$x[2, , ] <- NaN
    poisoned <- gradients_of(case)$inputs
    expect_same_bits(take_rows(poisoned, -2), take_rows(clean, -2), label)
    expect_true(anyNA(poisoned[[1]][2, , ]), info = label)
  })
})

# A model of a masking layer, a recurrent layer and a unit, from given weights.
masking_model <- function(case, mask_value) {
  input <- keras_input(c(NA, dim(case$x)[[3]]))
  masked <- layer_masking(input, mask_value = mask_value)
  layer <- bidirectional_of(replace(case, "merge", "concat"), return_sequences = FALSE, return_state = FALSE)
  model <- keras_model(input, layer_dense(layer(masked), 1, kernel_initializer = "ones"))
  compile(model, optimizer = optimizer_sgd(learning_rate = 0.1), loss = "mse")
  model
}

test_that("missing values in masked steps change neither predictions nor training", {
  for_cells(mask = "right", code = function(case, label) {
    masked <- array(!case$mask, dim(case$x))
    y <- seq_len(nrow(case$x)) / 4
    train <- function(mask_value) {
      case$x[masked] <- mask_value
      model <- masking_model(case, mask_value)
      set_weights(model, c(case$forward, case$backward, list(matrix(1, 2 * case$units, 1), 0)))
      prediction <- predict(model, case$x, verbose = 0)
      fit(model, case$x, y, epochs = 2, batch_size = 2, shuffle = FALSE, verbose = 0)
      list(prediction, get_weights(model))
    }
    expect_same_bits(train(NA), train(-7), label)
  })
})

test_that("predict() passes missing values through their own row", {
  for_cells(mask = "none", code = function(case, label) {
    model <- masking_model(case, -9)
    clean <- predict(model, case$x, verbose = 0)
    case$x[3, 2, 1] <- NA
    poisoned <- predict(model, case$x, verbose = 0)
    expect_true(is.na(poisoned[3, ]), info = label)
    expect_same_bits(poisoned[-3, ], clean[-3, ], label)
  })
})

# --- huge ---------------------------------------------------------------------------------------------------------

# Every gate of every unit gets +-size times the one feature.
huge_case <- function(case, size) {
  for (side in c("forward", "backward")) {
    kernel <- case[[side]][[1]]
    case[[side]][[1]] <- array(sample(c(-1, 1), length(kernel), replace = TRUE), dim(kernel))
  }
  case$x[] <- size * sample(c(-1, 1), length(case$x), replace = TRUE)
  case
}

test_that("huge numbers shut or open the gates: finite outputs, and gradients of exactly zero", {
  for_cells(mask = "gaps", features = 1, code = function(case, label) {
    sizes <- c(750, if (config_floatx() == "float64") 1e308 else 3e38)
    for (size in sizes) {
      huge <- huge_case(case, size)
      result <- run_bidirectional(huge)
      expect_true(all(is.finite(unlist(result))), info = paste(label, size))
      if (case$cell == "simple_rnn") {
        valid <- array(case$mask, dim(result[[1]]))
        expect_true(all(abs(result[[1]][valid]) == 1), info = paste(label, size))
      }
      found <- gradients_of(huge)
      expect_true(all(is.finite(unlist(found))), info = paste(label, size))
      expect_identical(unique(as.vector(found$inputs[[1]])), 0)
    }
  })
})

test_that("activations and losses of huge numbers are exact limits, not NaN", {
  for (floatx in both_floatx) with_floatx(floatx, {
    for (size in c(750, if (floatx == "float64") 1e308 else 3e38)) {
      x <- as_tensor(c(-size, size))
      expect_equal(as.numeric(op_sigmoid(x)), c(0, 1), tolerance = 0)
      expect_equal(as.numeric(op_tanh(x)), c(-1, 1), tolerance = 0)
      expect_equal(as.numeric(op_softplus(x)), c(0, as.numeric(x)[[2]]), tolerance = 0)
      expect_equal(as.numeric(op_softmax(op_reshape(x, c(1, 2)))), c(0, 1), tolerance = 0)
      for (activation in list(op_sigmoid, op_tanh)) {
        slopes <- value_and_gradients(function(inputs) op_sum(activation(inputs[[1]])), list(x))$inputs[[1]]
        expect_identical(unique(as.vector(slopes)), 0)
      }
    }
    logits <- rbind(c(750, -750, 0), c(-750, 750, 0))
    binary <- loss_binary_crossentropy(from_logits = TRUE)
    categorical <- loss_categorical_crossentropy(from_logits = TRUE)
    sparse <- loss_sparse_categorical_crossentropy(from_logits = TRUE)
    y <- rbind(c(1, 0, 0), c(1, 0, 0))
    expect_equal(as.numeric(categorical(y, logits)), (0 + 1500) / 2)
    expect_equal(as.numeric(sparse(matrix(c(0, 0)), logits)), (0 + 1500) / 2)
    expect_equal(as.numeric(binary(matrix(c(1, 1)), matrix(c(750, -750)))), 750 / 2)
    slopes <- value_and_gradients(function(inputs) categorical(y, inputs[[1]]), list(as_tensor(logits)))$inputs[[1]]
    expect_equal(slopes, rbind(c(0, 0, 0), c(-0.5, 0.5, 0)))
  })
})

test_that("clipping by norm scales gradients whose squares overflow", {
  for (clip in list(list(clipnorm = 1), list(global_clipnorm = 1), list(clipvalue = 0.5))) {
    for (floatx in both_floatx) with_floatx(floatx, {
      model <- keras_model_sequential(input_shape = c(NA, 2)) |>
        layer_bidirectional(layer_lstm(units = 2)) |>
        layer_dense(1, kernel_initializer = "ones")
      compile(model, optimizer = do.call(optimizer_sgd, c(list(learning_rate = 1), clip)), loss = "mae",
              loss_weights = list(if (floatx == "float64") 1e300 else 1e30))
      before <- get_weights(model)
      train_on_batch(model, array(0.1, c(3, 4, 2)), matrix(-9, 3))
      change <- unlist(Map(`-`, before, get_weights(model)))
      expect_true(all(is.finite(change)), info = paste(names(clip), floatx))
      expect_true(max(abs(change)) > 0.1 && max(abs(change)) < 1.001, info = paste(names(clip), floatx))
    })
  }
})

# --- tiny ---------------------------------------------------------------------------------------------------------

test_that("recurrent layers count subnormal numbers as zero, and arithmetic is what it was after every call", {
  tiny <- c(float64 = 5e-324, float32 = 1e-40)
  for_cells(mask = "none", units = 1, features = 1, code = function(case, label) {
    case$x[] <- tiny[[config_floatx()]]
    result <- run_bidirectional(case)
    expect_true(all(is.finite(unlist(result))), info = label)
    expect_true(.Machine$double.xmin / 4 > 0 && 2^-1060 * 2^-10 > 0, info = label)
    if (case$cell != "simple_rnn") return(invisible())
    # Steps without a memory that hand on their input; and an op that does.
    weights <- list(matrix(1), matrix(0), array(0))
    layer <- layer_simple_rnn(units = 1, activation = "linear", return_sequences = TRUE)
    layer <- with_weights(layer, weights, case$x)
    expect_same_bits(layer(case$x), as_tensor(0 * case$x), label)
    expect_same_bits(layer(case$x * 0 + 0.5), as_tensor(case$x * 0 + 0.5), label)
    expect_same_bits(op_multiply(as_tensor(case$x), 1), as_tensor(case$x), label)
  })
})

# --- empty and single ---------------------------------------------------------------------------------------------

# All shapes that a bidirectional layer gives, and those it is called with.
expect_result_shapes <- function(batch, time, features, units) {
  for_cells(mask = "none", states = FALSE, batch = batch, time = time, features = features, units = units,
            floats = "float32", code = function(case, label) {
    states <- rep(list(as.integer(c(batch, units))), 2 * state_count(case))
    for (merge in names(merge_modes)) for (sequences in c(TRUE, FALSE)) {
      case$merge <- merge
      width <- if (merge == "concat") 2L * units else units
      output <- as.integer(c(batch, if (sequences) time, width))
      result <- lapply(run_bidirectional(case, return_sequences = sequences), dim)
      expect_identical(result, c(rep(list(output), n_outputs(case)), states), info = paste(label, merge, sequences))
    }
  })
}

test_that("a single row, step, feature or unit keeps its axis", {
  expect_result_shapes(1, 1, 1, 1)
  expect_result_shapes(1, 3, 2, 1)
  expect_result_shapes(3, 1, 2, 2)
})

test_that("no rows give results without rows, of the right shapes and type, and gradients of zero", {
  expect_result_shapes(0, 3, 2, 2)
  for_cells(mask = "none", states = TRUE, batch = 0, code = function(case, label) {
    layer <- bidirectional_of(case)
    outputs <- call_with(layer, case$x, matrix(logical(), 0, dim(case$x)[[2]]),
                         c(case$forward_state, case$backward_state))
    for (output in outputs) expect_identical(tensor_dtype(output), config_floatx())
    found <- gradients_of(case)
    expect_identical(dim(found$inputs[[1]]), dim(case$x))
    expect_identical(unique(unlist(found$variables)), 0)
    expect_equal(tensor_shape(layer(keras_input(c(NA, 3)))[[1]]), c(NA, NA, case$units))
  })
})

test_that("no steps, features or units are errors of the layer, before anything is built", {
  clear_session(free_memory = FALSE)
  layer <- layer_bidirectional(layer = layer_gru(units = 2))
  expect_refused(layer(array(0, c(2, 0, 3))), "shape", list(layer))
  expect_refused(layer(array(0, c(2, 3, 0))), "shape", list(layer))
  expect_refused(layer_gru(units = 2)(array(0, c(2, 0, 3))), "shape")
  for (make in list(layer_simple_rnn, layer_lstm, layer_gru)) {
    expect_error(make(units = 0), class = "birnn_error_value")
    expect_error(make(units = 2)(array(0, c(2, 0, 3))), class = "birnn_error_shape")
    expect_error(make(units = 2)(array(0, c(2, 3, 0))), class = "birnn_error_shape")
  }
  # A built layer as well.
  layer(array(0, c(2, 3, 3)))
  expect_refused(layer(array(0, c(2, 0, 3))), "shape", list(layer))
})

# --- masks --------------------------------------------------------------------------------------------------------

# Masks that are hard for a schedule of living rows: (batch, time).
hard_masks <- list(
  alternating = function(batch, time) matrix(rep_len(c(TRUE, FALSE), batch * time), batch, time, byrow = TRUE),
  only_first = function(batch, time) col(matrix(0, batch, time)) == 1,
  only_last = function(batch, time) col(matrix(0, batch, time)) == time,
  one_each = function(batch, time) col(matrix(0, batch, time)) == row(matrix(0, batch, time)) %% time + 1,
  stairs = function(batch, time) col(matrix(0, batch, time)) <= row(matrix(0, batch, time)),
  runs_of_one = function(batch, time) (col(matrix(0, batch, time)) + row(matrix(0, batch, time))) %% 3 != 0
)

for (kind in names(hard_masks)) {
  test_that(paste("masked steps are as if they were deleted with the mask", kind), {
    for_cells(mask = "none", batch = 5, time = 7, code = function(case, label) {
      mask <- hard_masks[[kind]](5, 7)
      result <- run_bidirectional(case, mask = mask)
      for (row in 1:5) {
        one <- rows_of_case(case, row)
        short <- run_bidirectional(one, x = take_steps(one$x, mask[row, ]))
        for (half in 1:2) {
          expect_same_bits(result[[half]][row, mask[row, ], ], short[[half]][1, , ], paste(label, "row", row))
          expect_true(all(result[[half]][row, !mask[row, ], ] == 0), info = label)
        }
        expect_same_bits(take_rows(result[-(1:2)], row), short[-(1:2)], paste(label, "states"))
      }
    })
  })
}

test_that("rows without a valid step have no gradient, nor have their inputs", {
  for_cells(mask = "empty_row", code = function(case, label) {
    case$x[1, , ] <- NaN
    found <- gradients_of(case)
    expect_identical(unique(as.vector(found$inputs[[1]][1, , ])), 0)
    # The states pass through unchanged, and so does what comes back to them.
    for (state in found$inputs[-1]) expect_identical(unique(state[1, ]), 1)
    expect_true(all(is.finite(unlist(found))), info = label)
  })
})

# --- shut for long ------------------------------------------------------------------------------------------------

test_that("shut gates keep a state over 100,000 steps, bit for bit", {
  bias <- list(lstm = c(-1e3, -1e3, 1e3, 1e3, 0, 0, 0, 0), gru = rbind(c(1e3, 1e3, 0, 0, 0, 0), 0),
               gru_reset_before = c(1e3, 1e3, 0, 0, 0, 0))
  x <- array(sin(1:1e5), c(1, 1e5, 1))
  for (cell in names(bias)) {
    case <- withr::with_seed(3, random_case(cell, "none", batch = 1, features = 1, units = 2))
    weights <- replace(case$forward, 3, list(bias[[cell]]))
    kept <- state_count(case)
    state <- run_recurrent(case, return_sequences = FALSE, x = x, weights = weights)[[1 + kept]]
    expect_same_bits(state, as.array(as_tensor(case$forward_state[[kept]])), cell)
  }
})
