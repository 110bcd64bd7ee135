# Relations between trainings and between ways to compute the same. See test-metamorphic.R.

# --- weights of samples -------------------------------------------------------------------------------------------

# The weights of a small model of the case after one step of gradient descent with a loss that is summed over the rows.
weights_after_step <- function(case, y, ..., rows = seq_len(nrow(case$x)), loss = "mean_squared_error", outputs = 1) {
  model <- kept_model(case, outputs, loss)
  train_on_batch(model, take_rows(case$x, rows), y[rows, , drop = FALSE], ...)
  get_weights(model)
}

kept_models <- new.env(parent = emptyenv())

kept_model <- function(case, outputs, loss) {
  id <- rlang::hash(list(case_key(case), case$merge, outputs, loss, config_floatx()))
  if (is.null(kept_models[[id]])) {
    input <- keras_input(c(NA, dim(case$x)[[3]]))
    hidden <- bidirectional_of(case, return_sequences = FALSE, return_state = FALSE)(input)
    if (is.list(hidden)) hidden <- op_concatenate(hidden, axis = -1L)
    activation <- if (outputs > 1) "softmax"
    kept_models[[id]] <- keras_model(input, layer_dense(hidden, outputs, activation = activation))
  }
  model <- kept_models[[id]]
  set_weights(model, c(case$forward, case$backward, lapply(utils::tail(get_weights(model), 2), `*`, 0)))
  compile(model, optimizer = optimizer_sgd(learning_rate = 0.1), loss = summed_losses[[loss]]())
  model
}

summed_losses <- list(
  mean_squared_error = function() loss_mean_squared_error(reduction = "sum"),
  sparse_categorical_crossentropy = function() loss_sparse_categorical_crossentropy(reduction = "sum")
)

training_cases <- function(code) for_random_cases(masks = "none", states = FALSE, code = code)

test_that("a weight of 0 takes a sample away, a weight of k counts it k times", {
  training_cases(function(case) {
    batch <- nrow(case$x)
    y <- random_array(batch, 1)
    without <- weights_after_step(case, y, sample_weight = c(0, rep(1, batch - 1)))
    expect_all_close(without, weights_after_step(case, y, rows = seq_len(batch)[-1]), "weight 0")
    repeats <- rep_len(c(3, 1, 2), batch)
    weighted <- weights_after_step(case, y, sample_weight = repeats)
    expect_all_close(weighted, weights_after_step(case, y, rows = rep(seq_len(batch), repeats)), "weight k")
    expect_same_bits(weights_after_step(case, y, sample_weight = rep(1, batch)), weights_after_step(case, y), "ones")
  })
})

test_that("weights of classes are weights of the samples of these classes", {
  training_cases(function(case) {
    y <- matrix(rep_len(c(2, 0, 1), nrow(case$x)))
    run <- function(...) weights_after_step(case, y, ..., loss = "sparse_categorical_crossentropy", outputs = 3)
    by_class <- run(class_weight = list("0" = 2, "2" = 0.5))
    expect_same_bits(by_class, run(sample_weight = c(2, 1, 0.5)[y + 1]), "classes")
    expect_false(same_bits(by_class, run()))
  })
})

# --- the same in another way --------------------------------------------------------------------------------------

test_that("unroll, implementation, use_cudnn and the number of threads change no bit", {
  for_random_cases(function(case) {
    for (sequences in c(TRUE, FALSE)) {
      whole <- run_bidirectional(case, return_sequences = sequences)
      expect_same_bits(run_bidirectional(case, return_sequences = sequences, unroll = TRUE), whole, "unroll")
      if (case$cell %in% c("lstm", "gru", "gru_reset_before")) {
        other <- run_bidirectional(case, return_sequences = sequences, implementation = 1, use_cudnn = FALSE)
        expect_same_bits(other, whole, "implementation")
      }
      for (threads in c(1, 2, 4)) {
        found <- with_threads(threads, run_bidirectional(case, return_sequences = sequences))
        expect_same_bits(found, whole, paste(threads, "threads"))
      }
    }
  })
})

test_that("single precision is double precision, rounded", {
  for_random_cases(function(case) {
    results <- lapply(both_floatx, function(floatx) with_floatx(floatx, run_bidirectional(case)))
    for (k in seq_along(results[[1]])) expect_close(results[[2]][[k]], results[[1]][[k]], 1e-5, paste("part", k))
  })
})

test_that("one call of the compiled core, two calls of the layers and a loop over the steps give the same", {
  for_random_cases(others = FALSE, code = function(case) {
    states <- c(case$forward_state, case$backward_state)
    run <- function(layer) arrays_of(call_with(layer, case$x, case$mask, states))
    together <- run(bidirectional_of(case))
    separate <- bidirectional_of(case)
    # An activity regularizer of 0 asks for separate calls.
    for (layer in separate$sublayers()) layer$activity_regularizer <- regularizer_l2(0)
    expect_same_bits(run(separate), together, "two calls")
    stepwise <- bidirectional_of(case)
    # A function that is not known by name is called step by step.
    for (layer in stepwise$sublayers()) {
      activation <- layer$cell$activation
      layer$cell$activation <- function(x) activation(x)
    }
    expect_all_close(run(stepwise), together, "step by step")
  })
})
