# The bidirectional layer: names, configs, structures, states, the weights argument.

x <- array(cos(1:40), c(2, 5, 4))
mask <- rbind(c(TRUE, TRUE, TRUE, FALSE, FALSE), c(FALSE, TRUE, FALSE, TRUE, TRUE))

test_that("the directions are new layers made from the config, named after the layer", {
  layer <- layer_lstm(units = 3, name = "memory")
  layer(x)
  before <- get_weights(layer)
  wrapper <- layer_bidirectional(layer = layer)
  expect_equal(wrapper$forward_layer$name, "forward_memory")
  expect_equal(wrapper$backward_layer$name, "backward_memory")
  expect_true(wrapper$backward_layer$go_backwards)
  expect_false(wrapper$forward_layer$built)
  wrapper(x)
  expect_same_bits(get_weights(layer), before)
  expect_false(same_bits(get_weights(wrapper)[[1]], before[[1]]))
  expect_false(same_bits(get_weights(wrapper)[[1]], get_weights(wrapper)[[4]]))
  expect_equal(layer$name, "memory")
  expect_false(layer$zero_output_for_mask)
})

test_that("prefixes are not repeated, and a given backward layer stays what it is", {
  forward <- layer_gru(units = 3, name = "forward_a")
  backward <- layer_gru(units = 3, name = "b", go_backwards = TRUE)
  wrapper <- layer_bidirectional(layer = forward, backward_layer = backward)
  expect_equal(wrapper$forward_layer$name, "forward_a")
  expect_identical(wrapper$backward_layer, backward)
  expect_equal(backward$name, "b")
  copy <- deserialize_keras_object(serialize_keras_object(wrapper))
  expect_equal(copy$forward_layer$name, "forward_a")
  expect_equal(copy$get_config(), wrapper$get_config())
})

test_that("a layer may go backwards if the other goes forwards", {
  wrapper <- layer_bidirectional(
    layer = layer_gru(units = 2, go_backwards = TRUE, return_sequences = TRUE),
    backward_layer = layer_gru(units = 2, return_sequences = TRUE), merge_mode = NULL
  )
  halves <- arrays_of(wrapper(x))
  weights <- get_weights(wrapper)
  one <- with_weights(layer_gru(units = 2, go_backwards = TRUE, return_sequences = TRUE), weights[1:3], x)
  other <- with_weights(layer_gru(units = 2, return_sequences = TRUE), weights[4:6], x)
  expect_equal(halves[[1]], as.array(one(x)), tolerance = 1e-6)
  expect_equal(halves[[2]], reverse_time(as.array(other(x))), tolerance = 1e-6)
})

test_that("zero_output_for_mask follows return_sequences", {
  for (sequences in c(TRUE, FALSE)) {
    layer <- layer_gru(units = 2, return_sequences = sequences, zero_output_for_mask = !sequences)
    wrapper <- layer_bidirectional(layer = layer)
    expect_equal(wrapper$forward_layer$zero_output_for_mask, sequences)
    expect_equal(wrapper$backward_layer$zero_output_for_mask, sequences)
  }
  y <- as.array(layer_bidirectional(layer = layer_gru(units = 2, return_sequences = TRUE))(x, mask = mask))
  expect_true(all(y[1, 4:5, ] == 0) && all(y[2, c(1, 3), ] == 0))
  expect_true(all(y[2, 2, ] != 0))
})

test_that("one call of the compiled core and two calls of the layers give the same", {
  withr::local_seed(1)
  combinations <- expand.grid(
    cell = names(recurrent_cells), merge = names(merge_modes), sequences = c(TRUE, FALSE), stringsAsFactors = FALSE
  )
  with_floatx("float64", for (k in seq_len(nrow(combinations))) {
    case <- random_case(combinations$cell[[k]], "gaps")
    make <- function() bidirectional_of(case, merge_modes[[combinations$merge[[k]]]], combinations$sequences[[k]])
    together <- make()
    # An activity regularizer of 0 asks for separate calls.
    separate <- make()
    for (layer in separate$sublayers()) layer$activity_regularizer <- regularizer_l2(0)
    states <- c(case$forward_state, case$backward_state)
    results <- lapply(list(together, separate), function(layer) call_with(layer, case$x, case$mask, states))
    expect_same_bits(results[[2]], results[[1]], toString(combinations[k, ]))
    masked <- with_mask(as_tensor(case$x), as_tensor(case$mask))
    masks <- lapply(list(together, separate), function(layer) lapply(flatten_structure(layer(masked)), tensor_mask))
    expect_equal(lapply(masks[[2]], is.null), lapply(masks[[1]], is.null))
  })
})

test_that("what is returned has the structure of Keras' table", {
  shapes <- function(merge_mode, ...) {
    layer <- layer_bidirectional(layer = layer_lstm(units = 3, ...), merge_mode = merge_mode)
    eager <- lapply(flatten_structure(layer(x)), dim)
    symbolic <- lapply(flatten_structure(layer(keras_input(c(5, 4)))), dim)
    expect_equal(lapply(symbolic, `[`, -1), lapply(eager, `[`, -1))
    computed <- layer$compute_output_shape(c(2, 5, 4))
    expect_equal(if (is.list(computed)) computed else list(computed), eager)
    eager
  }
  state <- rep(list(c(2L, 3L)), 4)
  expect_equal(shapes("concat"), list(c(2L, 6L)))
  expect_equal(shapes("concat", return_sequences = TRUE), list(c(2L, 5L, 6L)))
  expect_equal(shapes("concat", return_state = TRUE), c(list(c(2L, 6L)), state))
  for (merge_mode in c("sum", "mul", "ave")) {
    expect_equal(shapes(merge_mode, return_sequences = TRUE, return_state = TRUE), c(list(c(2L, 5L, 3L)), state))
  }
  expect_equal(shapes(NULL), rep(list(c(2L, 3L)), 2))
  expect_equal(shapes(NULL, return_sequences = TRUE, return_state = TRUE), c(rep(list(c(2L, 5L, 3L)), 2), state))
})

test_that("weights are kept, applied once when the layer is built, and not saved", {
  source <- layer_bidirectional(layer = layer_gru(units = 2))
  y <- source(x)
  weights <- get_weights(source)
  layer <- layer_bidirectional(layer = layer_gru(units = 2), weights = weights)
  expect_identical(layer$forward_layer$initial_weights, weights[1:3])
  expect_identical(layer$backward_layer$initial_weights, weights[4:6])
  expect_same_bits(layer(x), y)
  set_weights(layer, lapply(weights, `*`, 0))
  layer(x)
  expect_equal(max(abs(unlist(get_weights(layer)))), 0)
  expect_false("weights" %in% names(layer$get_config()))
  copy <- deserialize_keras_object(serialize_keras_object(layer))
  copy(x)
  expect_false(same_bits(get_weights(copy), weights))

  backward <- layer_gru(units = 2, go_backwards = TRUE)
  backward(x)
  given <- layer_bidirectional(layer = layer_gru(units = 2), backward_layer = backward, weights = weights)
  given(x)
  expect_same_bits(get_weights(backward), weights[4:6])
})

test_that("weights that do not fit leave nothing behind", {
  source <- layer_bidirectional(layer = layer_gru(units = 2))
  source(x)
  weights <- get_weights(source)
  backward <- layer_gru(units = 2, go_backwards = TRUE)
  backward(x)
  before <- get_weights(backward)
  layer <- layer_bidirectional(layer = layer_gru(units = 2), backward_layer = backward, weights = weights[c(2, 1, 3:6)])
  expect_error(layer(x), class = "birnn_error_weights")
  expect_false(layer$built)
  expect_false(layer$forward_layer$built)
  expect_same_bits(get_weights(backward), before)
  expect_error(layer_bidirectional(layer = layer_gru(units = 2), weights = weights[1:5]), "even",
               class = "birnn_error_weights")
})

test_that("stateful wrappers keep and reset the states of both directions", {
  layer <- layer_bidirectional(layer = layer_lstm(units = 2, stateful = TRUE, return_state = TRUE))
  expect_true(layer$stateful)
  expect_null(layer$states)
  outputs <- layer(x)
  expect_length(layer$states, 4)
  for (k in 1:4) expect_same_bits(layer$states[[k]], outputs[[k + 1]])
  again <- layer(x)
  expect_false(same_bits(again, outputs))
  reset_state(layer)
  expect_same_bits(layer(x), outputs)
  weights <- get_weights(layer)
  hand <- with_weights(layer_bidirectional(layer = layer_lstm(units = 2, return_state = TRUE)), weights, x)
  expect_same_bits(hand(x, initial_state = outputs[-1]), again)
})

test_that("only stateful wrappers can be reset, models skip the others", {
  layer <- layer_bidirectional(layer = layer_gru(units = 2))
  expect_error(reset_state(layer), "must be stateful", class = "birnn_error_state")
  model <- keras_model_sequential(input_batch_shape = c(2, 5, 4)) |>
    layer_bidirectional(layer_gru(units = 2, return_sequences = TRUE)) |>
    layer_bidirectional(layer_gru(units = 2, stateful = TRUE))
  model(x)
  reset_state(model)
  expect_equal(max(abs(as.array(model$layers[[2]]$states[[1]]))), 0)
})

test_that("states go to the halves by what each direction needs", {
  wrapper <- layer_bidirectional(
    layer = layer_lstm(units = 2, return_state = TRUE),
    backward_layer = layer_gru(units = 3, go_backwards = TRUE, return_state = TRUE)
  )
  states <- list(matrix(0.1, 2, 2), matrix(0.2, 2, 2), matrix(0.3, 2, 3))
  outputs <- wrapper(x, initial_state = states)
  expect_length(outputs, 4)
  backward <- with_weights(layer_gru(units = 3, go_backwards = TRUE), get_weights(wrapper)[4:6], x)
  expect_equal(as.array(outputs[[4]]), as.array(backward(x, initial_state = states[[3]])), tolerance = 1e-6)
  expect_error(wrapper(x, initial_state = states[1:2]), "3 states, not 2", class = "birnn_error_state")
})

test_that("the dtype of the directions is their own", {
  wrapper <- layer_bidirectional(layer = layer_gru(units = 2, dtype = "float64"))
  expect_equal(tensor_dtype(wrapper(x)), "float64")
})

test_that("`bidirectional` is the same function", {
  expect_identical(bidirectional, layer_bidirectional)
})

test_that("random streams of one's own cells and layers differ between the directions, and repeat with the seed", {
  noisy_cell <- Layer("NoisyCell",
    initialize = function(units, seed = NULL, ...) {
      super$initialize(...)
      self$state_size <- units
      self$noise <- random_seed_generator(seed)
    },
    call = function(inputs, states) {
      h <- states[[1]] + random_dropout(op_ones_like(states[[1]]), 0.5, seed = self$noise)
      list(h, list(h))
    }
  )
  layer_noisy <- Layer("Noisy",
    initialize = function(units, seed = NULL, go_backwards = FALSE, return_sequences = FALSE, return_state = FALSE, ...) {
      super$initialize(...)
      self$go_backwards <- go_backwards
      self$return_sequences <- return_sequences
      self$return_state <- return_state
      self$dropout <- layer_dropout(rate = 0.5, seed = seed)
    },
    call = function(sequences, training = FALSE) self$dropout(op_ones_like(sequences), training = training)[, 1, ]
  )
  makers <- list(
    cell = function(...) layer_rnn(cell = noisy_cell(units = 30, seed = 7), ...),
    stack = function(...) layer_rnn(cell = list(noisy_cell(units = 30, seed = 7), noisy_cell(units = 30, seed = 7)), ...),
    layer = function(...) layer_noisy(units = 30, seed = 7, ...)
  )
  x <- array(0, c(2, 3, 30))
  for (what in names(makers)) {
    draw <- function(...) {
      arrays_of(layer_bidirectional(layer = makers[[what]](), merge_mode = NULL, ...)(x, training = TRUE))
    }
    both <- draw()
    expect_false(same_bits(both[[1]], both[[2]]), label = what)
    expect_same_bits(draw(), both, what)
    expect_same_bits(draw(backward_layer = makers[[what]](go_backwards = TRUE)), both, what)
    layer <- layer_bidirectional(layer = makers[[what]](), merge_mode = NULL)
    expect_same_bits(arrays_of(from_config(get_config(layer))(x, training = TRUE)), both, what)
  }
})
