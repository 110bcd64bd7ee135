# Stateful layers, wrappers and models: states kept from call to call, in training and prediction, until a reset.
# Random configurations of stateful layers against layers with states handed on by hand: test-metamorphic-states.R.

batches <- withr::with_seed(1, lapply(1:3, function(k) random_array(2, 4, 3)))
mask <- rbind(c(TRUE, TRUE, TRUE, FALSE), c(TRUE, FALSE, TRUE, TRUE))

state_arrays <- function(layer) lapply(flatten_structure(layer$states), as.array)

stateful_layers <- list(
  simple_rnn = function(...) layer_simple_rnn(units = 2, ...),
  lstm = function(...) layer_lstm(units = 2, ...),
  gru = function(...) layer_gru(units = 2, ...),
  one_cell = function(...) layer_rnn(cell = rnn_cell_gru(units = 2), ...),
  stack = function(...) layer_rnn(cell = list(rnn_cell_lstm(units = 3), rnn_cell_gru(units = 2)), ...),
  bidirectional = function(...) layer_bidirectional(layer = layer_lstm(units = 2, ...)),
  bidirectional_stack = function(...) {
    layer_bidirectional(layer = layer_rnn(cell = list(rnn_cell_gru(units = 2), rnn_cell_lstm(units = 3)), ...))
  },
  bidirectional_mixed = function(...) {
    backward <- layer_gru(units = 3, go_backwards = TRUE, ...)
    layer_bidirectional(layer = layer_simple_rnn(units = 2, ...), backward_layer = backward)
  }
)

for (kind in names(stateful_layers)) {
  make <- stateful_layers[[kind]]

  test_that(paste(kind, "carries its states in eager calls, and starts anew after a reset"), {
    for (sequences in c(FALSE, TRUE)) {
      layer <- make(stateful = TRUE, return_state = TRUE, return_sequences = sequences)
      expect_null(layer$states)
      expect_true(layer$stateful)
      by_hand <- make(return_state = TRUE, return_sequences = sequences)
      layer$build(c(2, 4, 3))
      with_weights(by_hand, get_weights(layer), batches[[1]])
      expect_identical(max(abs(unlist(state_arrays(layer)))), 0)
      states <- NULL
      results <- list()
      for (x in batches) {
        kept <- layer(x, mask = mask)
        handed <- if (is.null(states)) by_hand(x, mask = mask) else by_hand(x, initial_state = states, mask = mask)
        expect_same_bits(kept, handed)
        states <- handed[-1]
        expect_same_bits(state_arrays(layer), states)
        results <- c(results, list(lapply(flatten_structure(kept), as.array)))
      }
      # The variables themselves are taken as initial states.
      expect_same_bits(by_hand(batches[[2]], initial_state = layer$states), by_hand(batches[[2]], initial_state = states))
      expect_invisible(reset_state(layer))
      expect_identical(max(abs(unlist(state_arrays(layer)))), 0)
      expect_same_bits(layer(batches[[1]], mask = mask), results[[1]])
      layer$reset_states()
      expect_same_bits(layer(batches[[1]], mask = mask), results[[1]])
    }
  })

  test_that(paste(kind, "keeps one batch size, and its states are no weights"), {
    layer <- make(stateful = TRUE)
    layer(batches[[1]])
    plain <- make()
    plain(batches[[1]])
    expect_equal(length(layer$weights), length(plain$weights))
    expect_equal(count_params(layer), count_params(plain))
    before <- state_arrays(layer)
    expect_error(layer(batches[[1]][c(1, 2, 2), , ]), "batch size of 2.*batch size of 3", class = "birnn_error_state")
    expect_same_bits(state_arrays(layer), before)
    expect_error(make(stateful = TRUE)(keras_input(c(4, 3))), "batch size", class = "birnn_error_state")
    # A copy by its config starts without states; one by serialization goes on where the layer is.
    expect_null(layer$from_config(layer$get_config())$states)
    expect_same_bits(unserialize(serialize(layer, NULL))(batches[[2]]), layer(batches[[2]]))
  })
}

# --- models -------------------------------------------------------------------------------------------------------

# A functional model of a stateful bidirectional layer with return_state, all its outputs, and a unit on the first.
returning_model <- function(merge_mode = "concat") {
  input <- keras_input(batch_shape = c(2, 4, 3))
  wrapper <- layer_bidirectional(
    layer = layer_lstm(units = 2, stateful = TRUE, return_state = TRUE), merge_mode = merge_mode, name = "both"
  )
  results <- wrapper(input)
  keras_model(input, c(list(layer_dense(results[[1]], 1)), results))
}

# The two directions as layers of their own: list(outputs, states), from the states of a call before.
hand_carried <- function(weights) {
  forward <- with_weights(layer_lstm(units = 2, return_state = TRUE), weights[1:3], batches[[1]])
  backward <- with_weights(
    layer_lstm(units = 2, return_state = TRUE, go_backwards = TRUE), weights[4:6], batches[[1]]
  )
  function(x, states = NULL) {
    one <- forward(x, initial_state = if (!is.null(states)) states[1:2])
    other <- backward(x, initial_state = if (!is.null(states)) states[3:4])
    list(outputs = lapply(list(one[[1]], other[[1]]), as.array), states = lapply(c(one[-1], other[-1]), as.array))
  }
}

for (merge_mode in list("concat", NULL)) {
  label <- merge_mode %||% "NULL"
  test_that(paste("a stateful wrapper that returns its states predicts as two layers do, merge mode", label), {
    model <- returning_model(merge_mode)
    carry <- hand_carried(get_weights(model))
    states <- NULL
    for (x in batches) {
      results <- predict(model, x, batch_size = 2, verbose = 0)[-1]
      expected <- carry(x, states)
      outputs <- if (is.null(merge_mode)) expected$outputs else list(do.call(cbind, expected$outputs))
      expect_equal(unname(results), c(outputs, expected$states), tolerance = 1e-6)
      states <- expected$states
      expect_same_bits(state_arrays(get_layer(model, "both")), unname(results[length(outputs) + 1:4]))
    }
    reset_state(model)
    expect_identical(max(abs(unlist(state_arrays(get_layer(model, "both"))))), 0)
    again <- predict(model, batches[[1]], batch_size = 2, verbose = 0)[-(1:2)]
    expect_equal(tail(unname(again), 4), carry(batches[[1]])$states, tolerance = 1e-6)
  })
}

test_that("a stateful wrapper that returns its states carries them through fit(), batch by batch", {
  data <- array(aperm(array(unlist(lapply(batches, aperm, c(2, 3, 1))), c(4, 3, 6)), c(3, 1, 2)), c(6, 4, 3))
  for (run_eagerly in c(FALSE, TRUE)) {
    model <- returning_model()
    targets <- c(list(matrix(0, 6, 1)), lapply(model$outputs[-1], function(y) matrix(0, 6, dim(y)[[2]])))
    compile(model, optimizer = optimizer_sgd(learning_rate = 1e-30), loss = "mse", run_eagerly = run_eagerly)
    carry <- hand_carried(get_weights(model))
    fit(model, data, targets, batch_size = 2, shuffle = FALSE, verbose = 0)
    states <- NULL
    for (x in batches) states <- carry(x, states)$states
    expect_equal(state_arrays(get_layer(model, "both")), states, tolerance = 1e-6)
    # Nothing but a reset starts anew: the next epoch goes on.
    fit(model, data, targets, batch_size = 2, shuffle = FALSE, verbose = 0)
    for (x in batches) states <- carry(x, states)$states
    expect_equal(state_arrays(get_layer(model, "both")), states, tolerance = 1e-6)
    evaluate(model, data, targets, batch_size = 2, verbose = 0)
    for (x in batches) states <- carry(x, states)$states
    expect_equal(state_arrays(get_layer(model, "both")), states, tolerance = 1e-6)
    model$reset_state()
    expect_identical(max(abs(unlist(state_arrays(get_layer(model, "both"))))), 0)
  }
})

test_that("a gradient ends at the states that a batch started from", {
  model <- keras_model_sequential(input_batch_shape = c(2, 4, 3)) |>
    layer_bidirectional(layer_gru(units = 2, stateful = TRUE)) |>
    layer_dense(1)
  plain <- keras_model_sequential(input_batch_shape = c(2, 4, 3)) |>
    layer_bidirectional(layer_gru(units = 2)) |>
    layer_dense(1)
  set_weights(plain, get_weights(model))
  for (each in list(model, plain)) compile(each, optimizer = "sgd", loss = "mse")
  train_on_batch(model, batches[[1]], matrix(1, 2))
  train_on_batch(plain, batches[[1]], matrix(1, 2))
  expect_same_bits(get_weights(model), get_weights(plain))
  # The second batch starts from other states, but trains as if they were constants.
  states <- state_arrays(model$layers[[1]])
  input <- keras_input(batch_shape = c(2, 4, 3))
  given <- lapply(1:2, function(k) keras_input(batch_shape = c(2, 2)))
  inner <- layer_bidirectional(layer = layer_gru(units = 2))
  by_hand <- keras_model(c(list(input), given), layer_dense(inner(input, initial_state = given), 1))
  set_weights(by_hand, get_weights(model))
  compile(by_hand, optimizer = "sgd", loss = "mse")
  train_on_batch(model, batches[[2]], matrix(1, 2))
  train_on_batch(by_hand, c(list(batches[[2]]), states), matrix(1, 2))
  expect_same_bits(get_weights(model), get_weights(by_hand))
})

test_that("a model resets what is stateful in it, at any depth, and leaves the rest alone", {
  inside <- keras_model_sequential(input_batch_shape = c(2, 4, 3)) |>
    layer_rnn(list(rnn_cell_lstm(units = 2), rnn_cell_gru(units = 3)), stateful = TRUE, return_sequences = TRUE)
  model <- keras_model_sequential(input_batch_shape = c(2, 4, 3)) |>
    inside() |>
    layer_bidirectional(layer_gru(units = 2, return_sequences = TRUE)) |>
    layer_bidirectional(layer_lstm(units = 2, stateful = TRUE))
  first <- predict(model, batches[[1]], batch_size = 2, verbose = 0)
  expect_false(same_bits(predict(model, batches[[1]], batch_size = 2, verbose = 0), first))
  stateful <- list(inside$layers[[1]], model$layers[[3]])
  expect_true(all(vapply(stateful, function(layer) max(abs(unlist(state_arrays(layer)))) > 0, NA)))
  expect_null(model$layers[[2]]$states)
  expect_identical(reset_state(model), model)
  expect_identical(max(abs(unlist(lapply(stateful, state_arrays)))), 0)
  expect_same_bits(predict(model, batches[[1]], batch_size = 2, verbose = 0), first)
  reset_states(model)
  expect_same_bits(predict(model, batches[[1]], batch_size = 2, verbose = 0), first)
})

test_that("models with stateful layers take whole batches only", {
  clear_session(free_memory = FALSE)
  model <- keras_model_sequential(input_batch_shape = c(2, 4, 3)) |>
    layer_bidirectional(layer_gru(units = 2, stateful = TRUE)) |>
    layer_dense(1)
  compile(model, "sgd", loss = "mse")
  x <- array(0, c(3, 4, 3))
  expect_refused(fit(model, x, rep(0, 3), batch_size = 2, verbose = 0), "state", list(model))
  expect_refused(fit(model, x, rep(0, 3), batch_size = 3, verbose = 0), "state", list(model))
  expect_refused(predict(model, x, batch_size = 2, verbose = 0), "state", list(model))
  expect_refused(model(x), "state", list(model))
  expect_refused(evaluate(model, x, rep(0, 3), batch_size = 2, verbose = 0), "state", list(model))
})

test_that("an error in a call leaves the states as they were", {
  layer <- layer_bidirectional(layer = layer_lstm(units = 2, stateful = TRUE))
  layer(batches[[1]])
  before <- state_arrays(layer)
  expect_error(layer(batches[[2]], mask = matrix(TRUE, 3, 4)), class = "birnn_error_mask")
  expect_error(layer(batches[[2]], initial_state = list(matrix(0, 2, 2))), class = "birnn_error_state")
  expect_same_bits(state_arrays(layer), before)
})
