# Layers of one's own at work in both directions: arguments, states, masks, mixed layers, states kept.

x <- array(cos(1:30), c(2, 5, 3))
mask <- rbind(c(TRUE, TRUE, TRUE, FALSE, FALSE), c(FALSE, TRUE, TRUE, FALSE, TRUE))

# What a direction was called with. `call`: its arguments matter.
layer_noting <- function(call) {
  Layer("Noting",
    initialize = function(return_sequences = TRUE, return_state = FALSE, go_backwards = FALSE, ...) {
      super$initialize(...)
      self$return_sequences <- return_sequences
      self$return_state <- return_state
      self$go_backwards <- go_backwards
    },
    call = call, parent_env = environment(call)
  )
}

test_that("mask and training are forwarded only to a call() that has them", {
  seen <- list()
  plain <- layer_noting(function(sequences) if (self$go_backwards) op_flip(sequences, axis = 2) else sequences)
  layer <- layer_bidirectional(layer = plain(), merge_mode = "ave")
  expect_equal(as.array(layer(x, training = TRUE)), x, tolerance = 1e-6)
  y <- as.array(layer(x, mask = mask))
  expect_true(all(y[1, 4:5, ] == 0) && all(y[2, c(1, 4), ] == 0))
  expect_equal(y[1, 1:3, ], x[1, 1:3, ], tolerance = 1e-6)
  noting <- layer_noting(function(sequences, mask = NULL, training = NULL) {
    seen <<- c(seen, list(list(mask = mask, training = training)))
    sequences
  })
  both <- layer_bidirectional(layer = noting())
  both(with_mask(as_tensor(x), as_tensor(mask)), training = TRUE)
  expect_length(seen, 2)
  expect_equal(as.array(seen[[2]]$mask), mask)
  expect_true(seen[[1]]$training && seen[[2]]$training)
  both(x)
  expect_equal(seen[[3]], list(mask = NULL, training = FALSE))
})

test_that("NaN in masked steps has no effect on layers of one's own", {
  dirty <- x
  dirty[1, 4:5, ] <- NaN
  with_floatx("float64", {
    layer <- layer_bidirectional(layer = layer_own_gru(units = 2, return_sequences = TRUE))
    clean <- layer(x, mask = mask)
    expect_same_bits(layer(dirty, mask = mask), clean)
    tape <- with_gradient_tape(op_sum(layer(dirty, mask = mask)))
    gradients <- tape_gradients(tape$tape, tape$value, layer$trainable_weights)
    expect_true(all(is.finite(unlist(lapply(gradients, as.array)))))
  })
})

test_that("a layer of one's own stands beside a built-in one, with other units", {
  pairs <- list(
    list(layer_own_lstm(units = 2, return_state = TRUE), layer_gru(units = 3, return_state = TRUE, go_backwards = TRUE)),
    list(layer_gru(units = 3, return_state = TRUE), layer_own_lstm(units = 2, return_state = TRUE, go_backwards = TRUE))
  )
  for (pair in pairs) {
    layer <- layer_bidirectional(layer = pair[[1]], backward_layer = pair[[2]])
    outputs <- layer(x)
    expect_equal(lapply(outputs, function(y) dim(y)[[2]]), as.list(c(5L, lapply(outputs[-1], function(y) dim(y)[[2]]))))
    expect_length(outputs, 4)
    expect_identical(layer$backward_layer, pair[[2]])
    again <- layer(x, initial_state = outputs[-1])
    expect_false(same_bits(again, outputs))
    expect_error(layer(x, initial_state = outputs[2]), class = "birnn_error_state")
    computed <- layer$compute_output_shape(c(2, 5, 3))
    expect_equal(lapply(computed, as_shape), lapply(outputs, dim))
  }
  same <- layer_bidirectional(
    layer = layer_own_gru(units = 2), backward_layer = layer_gru(units = 2, go_backwards = TRUE), merge_mode = "mul"
  )
  expect_equal(dim(same(x)), c(2L, 2L))
})

test_that("states go to a layer of one's own by halves", {
  with_floatx("float64", {
    layer <- layer_bidirectional(layer = layer_own_lstm(units = 2, return_state = TRUE), name = "both")
    layer(x)
    set.seed(4)
    states <- replicate(4, random_array(2, 2), simplify = FALSE)
    outputs <- layer(x, initial_state = states)
    twin <- layer_bidirectional(layer = layer_lstm(units = 2, return_state = TRUE))
    twin(x)
    set_weights(twin, get_weights(layer))
    wanted <- twin(x, initial_state = states)
    for (k in seq_along(wanted)) expect_close(outputs[[k]], as.array(wanted[[k]]), 1e-12)
    expect_refused(layer(x, initial_state = states[[1]]), "state")
    expect_refused(layer(x, initial_state = states[1:3]), "state")
  })
})

test_that("an absent `stateful` means FALSE, one that is TRUE keeps states", {
  layer <- layer_bidirectional(layer = layer_own_gru(units = 2, name = "gru"), name = "both")
  expect_false(layer$stateful)
  expect_null(layer$states)
  expect_refused(reset_state(layer), "state")
  layer_counter <- Layer("Counter",
    initialize = function(stateful = FALSE, return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE, ...) {
      super$initialize(...)
      for (field in c("stateful", "return_sequences", "return_state", "go_backwards")) self[[field]] <- get(field)
    },
    build = function(input_shape) self$states <- list(keras_variable(matrix(0, 2, 3), trainable = FALSE)),
    call = function(sequences) {
      total <- self$states[[1]] + op_sum(sequences, axis = 2)
      if (self$stateful) self$states[[1]]$assign(total)
      total
    },
    reset_state = function() self$states[[1]]$assign(matrix(0, 2, 3))
  )
  layer <- layer_bidirectional(layer = layer_counter(stateful = TRUE), merge_mode = "sum")
  expect_true(layer$stateful)
  once <- as.array(layer(x))
  expect_equal(as.array(layer(x)), 2 * once, tolerance = 1e-6)
  expect_length(layer$states, 2)
  reset_state(layer)
  expect_equal(as.array(layer(x)), once, tolerance = 1e-6)
  disagreeing <- quote(layer_bidirectional(
    layer = layer_counter(stateful = TRUE), backward_layer = layer_counter(go_backwards = TRUE)
  ))
  expect_error(eval(disagreeing), "stateful", class = "birnn_error_config")
})

test_that("wrapping leaves a layer of one's own as it is", {
  layer <- layer_own_gru(units = 2, name = "mine")
  layer(x)
  before <- get_weights(layer)
  wrapper <- layer_bidirectional(layer = layer)
  wrapper(x)
  expect_same_bits(get_weights(layer), before)
  expect_equal(c(wrapper$forward_layer$name, wrapper$backward_layer$name), c("forward_mine", "backward_mine"))
  expect_equal(wrapper$weights[[4]]$path, paste0(wrapper$name, "/backward_mine/kernel"))
  expect_false(layer$go_backwards)
})

test_that("bidirectional layers of one's own stack, and stand in other wrappers", {
  model <- keras_model_sequential(input_shape = c(5, 3)) |>
    layer_bidirectional(layer_own_gru(units = 2, return_sequences = TRUE)) |>
    layer_bidirectional(layer_own_simple_rnn(units = 2, return_sequences = TRUE), merge_mode = "ave") |>
    layer_time_distributed(layer_linear(units = 1))
  expect_equal(dim(predict(model, x, verbose = 0)), c(2L, 5L, 1L))
})
