# What layer_rnn(), cells and stacks refuse: classes and words (see _snaps), and nothing is changed.

start <- function() clear_session(free_memory = FALSE)

x <- array(0, c(2, 5, 3))

# A cell with members of a test.
odd_cell <- function(..., call = function(inputs, states) list(inputs, states), parent_env = parent.frame()) {
  Layer("OddCell", call = call, ..., parent_env = parent_env)(name = "odd")
}

with_size <- function(size, ..., parent_env = parent.frame()) {
  initialize <- function(..., size) {
    super$initialize(...)
    self$state_size <- size
  }
  formals(initialize)$size <- size
  odd_cell(..., initialize = initialize, parent_env = parent_env)
}

test_that("a cell must be a cell", {
  start()
  expect_refused(layer_rnn(), "value")
  expect_refused(layer_rnn(cell = NULL), "value")
  expect_refused(layer_rnn(cell = 32), "value")
  expect_refused(layer_rnn(cell = "lstm"), "value")
  expect_refused(layer_rnn(cell = rnn_cell_lstm), "value")
  expect_refused(layer_rnn(cell = layer_lstm(units = 2)), "config")
  expect_refused(layer_rnn(cell = layer_dense(units = 2)), "config")
  expect_refused(layer_rnn(cell = list()), "value")
  expect_refused(layer_rnn(cell = list(rnn_cell_gru(units = 2), layer_dense(units = 2))), "config")
  expect_refused(layer_rnn(cell = list(rnn_cell_gru(units = 2), 3)), "value")
  expect_refused(rnn_cells_stack(), "value")
  expect_refused(rnn_cells_stack(list()), "value")
  expect_refused(rnn_cells_stack(rnn_cell_gru(units = 2), layer_gru(units = 2)), "config")
  expect_refused(layer_rnn(x, rnn_cell_gru), "value")
})

test_that("a cell must have a call with states, a state_size and one output_size", {
  start()
  expect_refused(layer_rnn(cell = Layer("NoCall")(name = "no_call")), "config")
  expect_refused(layer_rnn(cell = odd_cell(call = function(inputs) inputs)), "config")
  expect_refused(layer_rnn(cell = odd_cell()), "config")
  expect_refused(layer_rnn(cell = with_size("4")), "config")
  expect_refused(layer_rnn(cell = with_size(0)), "config")
  expect_refused(layer_rnn(cell = with_size(2.5)), "config")
  expect_refused(layer_rnn(cell = with_size(list())), "config")
  expect_refused(layer_rnn(cell = with_size(list(4, NA))), "config")
  expect_refused(layer_rnn(cell = with_size(list(4, list(2, "3")))), "config")
  expect_refused(layer_rnn(cell = with_size(4, output_size = "4")), "config")
  expect_refused(layer_rnn(cell = with_size(4, output_size = list(2, 2))), "config")
  expect_refused(rnn_cells_stack(odd_cell()), "config")
})

test_that("a cell must return an output and states like the old ones", {
  start()
  run <- function(call, size = 3) layer_rnn(cell = with_size(size, call = call), name = "rnn")(x)
  expect_refused(run(function(inputs, states) inputs), "config")
  expect_refused(run(function(inputs, states) list(inputs)), "config")
  expect_refused(run(function(inputs, states) list(inputs, list(inputs, inputs))), "state")
  expect_refused(run(function(inputs, states) list(inputs, inputs), list(3, 3)), "state")
  expect_refused(run(function(inputs, states) list(inputs, list(inputs)), 4), "state")
  start_with <- function(states) {
    cell <- with_size(3, get_initial_state = function(batch_size) states)
    layer_rnn(cell = cell, name = "rnn")(x)
  }
  expect_refused(start_with(list(matrix(0, 2, 3), matrix(0, 2, 3))), "state")
  expect_refused(start_with(matrix(0, 2, 4)), "state")
})

test_that("arguments of cells are checked like those of their layers", {
  start()
  expect_refused(rnn_cell_lstm(), "value")
  expect_refused(rnn_cell_lstm(units = 0), "value")
  expect_refused(rnn_cell_gru(units = -1), "value")
  expect_refused(rnn_cell_simple(units = 2.5), "value")
  expect_refused(rnn_cell_lstm(units = 2, activation = "tahn"), "value")
  expect_refused(rnn_cell_lstm(units = 2, return_sequences = TRUE), "value")
  expect_refused(rnn_cell_gru(units = 2, reset_afte = TRUE), "value")
  expect_refused(rnn_cell_gru(units = 2, dropout = "a"), "value")
  expect_refused(rnn_cell_gru(units = 2, name = "a/b"), "value")
  expect_refused(rnn_cell_gru(units = 2, trainable = "yes"), "value")
  expect_refused(layer_rnn(cell = rnn_cell_gru(units = 2), units = 4), "value")
  expect_refused(layer_rnn(cell = rnn_cell_gru(units = 2), return_state = "yes"), "value")
  expect_refused(layer_rnn(cell = rnn_cell_gru(units = 2), dropout = 0.5), "value")
  expect_refused(rnn_cells_stack(rnn_cell_gru(units = 2), colour = 1), "value")
})

test_that("arguments of recurrent layers that Keras refuses are refused", {
  start()
  expect_refused(layer_lstm(units = 2, use_cudnn = "maybe"), "value")
  expect_refused(layer_gru(units = 2, use_cudnn = NA), "value")
  expect_refused(layer_simple_rnn(units = 2, implementation = 1), "value")
  expect_refused(layer_lstm(units = 2, trainable = "no"), "value")
  expect_refused(layer_gru(units = 2, name = "a/b"), "value")
  expect_refused(layer_gru(units = 2, name = 1), "value")
  lstm <- layer_lstm(units = 2)
  expect_refused(lstm(list(x, matrix(0, 2, 2), matrix(0, 2, 2))), "shape")
  expect_refused(lstm(x, state = matrix(0, 2, 2)), "value")
})

test_that("inputs of the wrong rank or size are refused", {
  start()
  layer <- layer_rnn(cell = list(rnn_cell_lstm(units = 2), rnn_cell_gru(units = 4)))
  layer(x)
  own <- layer_rnn(cell = minimal_gated_cell(units = 2))
  expect_refused(layer(matrix(0, 5, 3)), "shape", list(layer))
  expect_refused(layer(array(0, c(2, 5, 3, 1))), "shape", list(layer))
  expect_refused(layer(array(0, c(2, 5, 4))), "shape", list(layer))
  expect_refused(layer(array(0, c(2, 0, 3))), "shape", list(layer))
  expect_refused(layer(list(x, matrix(0, 2, 2))), "shape", list(layer))
  expect_refused(own(matrix(0, 5, 3)), "shape", list(own))
  expect_refused(layer(keras_input(3)), "shape", list(layer))
  cell <- layer$cell$cells[[1]]
  expect_refused(cell(x, cell$get_initial_state(2)), "shape", list(layer))
  expect_refused(cell(matrix(0, 2, 4), cell$get_initial_state(2)), "shape", list(layer))
})

test_that("masks must fit", {
  start()
  layer <- layer_rnn(cell = minimal_gated_cell(units = 2))
  layer(x)
  expect_refused(layer(x, mask = matrix(TRUE, 2, 4)), "mask", list(layer))
  expect_refused(layer(x, mask = matrix(TRUE, 3, 5)), "mask", list(layer))
  expect_refused(layer(x, mask = array(TRUE, c(2, 5, 3))), "mask", list(layer))
  expect_refused(layer(x, mask = matrix(2, 2, 5)), "mask", list(layer))
  expect_refused(layer(x, mask = matrix("a", 2, 5)), "mask", list(layer))
  expect_refused(layer(x, mask = matrix(NA, 2, 5)), "mask", list(layer))
})

test_that("states to start from must be as many as there are, nested as they are, and of their shapes", {
  start()
  state <- function(units, batch = 2) matrix(0, batch, units)
  single <- layer_rnn(cell = rnn_cell_lstm(units = 4))
  expect_refused(single(x, initial_state = state(4)), "state")
  expect_refused(single(x, initial_state = rep(list(state(4)), 3)), "state")
  expect_refused(single(x, initial_state = list(state(4), state(5))), "state")
  expect_refused(single(x, initial_state = list(state(4, 3), state(4))), "state")
  expect_refused(single(x, initial_state = list(list(state(4)), state(4))), "state")
  stack <- layer_rnn(cell = list(rnn_cell_lstm(units = 4), rnn_cell_gru(units = 2)))
  expect_refused(stack(x, initial_state = list(state(4), state(4), state(2))), "state")
  expect_refused(stack(x, initial_state = list(list(state(4)), list(state(2)))), "state")
  expect_refused(stack(x, initial_state = list(list(state(4), state(4)), list(state(3)))), "state")
  expect_refused(stack(x, initial_state = list(list(state(4), state(3)), state(2))), "state")
  expect_refused(stack(x, initial_state = list(list(state(4, 1), state(4, 1)), state(2, 1))), "state")
  wrapped <- layer_bidirectional(layer = layer_rnn(cell = list(rnn_cell_lstm(units = 4), rnn_cell_gru(units = 2))))
  half <- list(list(state(4), state(4)), state(2))
  expect_refused(wrapped(x, initial_state = half), "state")
  expect_refused(wrapped(x, initial_state = c(half, half, half)), "state")
  expect_refused(wrapped(x, initial_state = c(half, rev(half))), "state")
  expect_refused(wrapped(x, initial_state = state(4)), "state")
})

test_that("cells called by hand need their states", {
  start()
  now <- matrix(0, 2, 3)
  lstm <- rnn_cell_lstm(units = 4)
  gru <- rnn_cell_gru(units = 4)
  expect_refused(lstm(now), "state")
  expect_refused(lstm(now, matrix(0, 2, 4)), "state")
  expect_refused(lstm(now, list(matrix(0, 2, 4), matrix(0, 2, 5))), "state")
  expect_refused(gru(now, list()), "state")
  expect_refused(gru(now, matrix(0, 3, 4)), "state")
  expect_refused(gru(now, lstm$get_initial_state(2)), "state")
  stack <- rnn_cells_stack(lstm, gru)
  expect_refused(stack(now), "state")
  expect_refused(stack(now, lstm$get_initial_state(2)), "state")
  expect_refused(stack(now, list(gru$get_initial_state(2), gru$get_initial_state(2))), "state")
  expect_refused(gru$get_initial_state(), "value")
  expect_refused(gru$get_initial_state(batch_size = 2.5), "value")
  expect_refused(layer_rnn(cell = minimal_gated_cell(units = 2))$get_initial_state(), "value")
})

test_that("a cell called by hand keeps to the rows it has drawn dropout for", {
  start()
  cell <- rnn_cell_gru(units = 4, dropout = 0.5)
  cell(matrix(0, 2, 3), cell$get_initial_state(2), training = TRUE)
  expect_refused(cell(matrix(0, 3, 3), cell$get_initial_state(3), training = TRUE), "state")
  cell$reset_dropout_mask()
  expect_equal(dim(cell(matrix(0, 3, 3), cell$get_initial_state(3), training = TRUE)[[1]]), c(3L, 4L))
})

test_that("stateful layers need one batch size, also around stacks", {
  start()
  cells <- function() list(rnn_cell_lstm(units = 2), minimal_gated_cell(units = 3))
  expect_refused(layer_rnn(keras_input(c(5, 3)), cells(), stateful = TRUE), "state")
  expect_refused(keras_model_sequential(input_shape = c(5, 3)) |>
                   layer_bidirectional(layer_rnn(cell = cells(), stateful = TRUE)), "state")
  layer <- layer_rnn(cell = cells(), stateful = TRUE)
  layer(x)
  expect_refused(layer(array(0, c(3, 5, 3))), "state", list(layer))
  expect_refused(reset_state(layer_bidirectional(layer = layer_rnn(cell = cells()))), "state")
  model <- keras_model_sequential(input_batch_shape = c(2, 5, 3)) |> layer_rnn(cells(), stateful = TRUE)
  expect_refused(predict(model, array(0, c(3, 5, 3)), verbose = 0), "state", list(model))
})
