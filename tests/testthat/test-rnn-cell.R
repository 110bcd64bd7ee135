# Cells: one step by the equations, and the compiled core next to them.

cell_cases <- list(
  simple_rnn = function(...) layer_simple_rnn(...), lstm = function(...) layer_lstm(...),
  gru = function(...) layer_gru(...),
  gru_reset_before = function(...) layer_gru(..., reset_after = FALSE)
)

test_that("one step of a cell is one step of its layer", {
  withr::local_seed(1)
  with_floatx("float64", for (make in cell_cases) {
    layer <- make(units = 3, return_state = TRUE)
    x <- random_array(2, 1, 4)
    outputs <- layer(x)
    cell <- layer$cell
    step <- cell(array(x, c(2, 4)), cell$get_initial_state(2))
    expect_equal(as.array(step[[1]]), as.array(outputs[[1]]), tolerance = 1e-12)
    expect_equal(arrays_of(step[[2]]), arrays_of(outputs[-1]), tolerance = 1e-12)
  })
})

test_that("cells tell the sizes of their states and output", {
  expect_equal(layer_gru(units = 3)$state_size, 3L)
  expect_equal(layer_lstm(units = 3)$state_size, list(3L, 3L))
  expect_equal(layer_lstm(units = 3)$cell$output_size, 3L)
  expect_equal(lapply(layer_lstm(units = 3)$get_initial_state(batch_size = 2), dim), list(c(2L, 3L), c(2L, 3L)))
})

test_that("a cell with one state takes and gives it with or without a list", {
  cell <- layer_gru(units = 3)$cell
  x <- matrix(1, 2, 4)
  state <- matrix(0.5, 2, 3)
  listed <- cell(x, list(state))
  bare <- cell(x, state)
  expect_true(is_tensor(bare[[2]]))
  expect_same_bits(bare[[2]], listed[[2]][[1]])
})

test_that("a cell called by hand keeps its dropout masks until they are reset", {
  cell <- layer_lstm(units = 30, dropout = 0.5, seed = 1)$cell
  x <- matrix(1, 2, 40)
  step <- function() arrays_of(cell(x, list(matrix(0, 2, 30), matrix(0, 2, 30)), training = TRUE))
  first <- step()
  expect_same_bits(step(), first)
  cell$reset_dropout_mask()
  expect_false(same_bits(step(), first))
})

test_that("the compiled core has every elementwise activation of the step-by-step loop", {
  withr::local_seed(2)
  x <- random_array(3, 4, 2)
  mask <- random_mask("gaps", 3, 4)
  names <- unique(vapply(registry$activation, activation_name, ""))
  with_floatx("float64", for (name in setdiff(names, axis_activations)) for (cell in names(cell_cases)) {
    make <- function(activation) {
      cell_cases[[cell]](units = 2, activation = activation, return_sequences = TRUE, return_state = TRUE)
    }
    known <- get_activation(name)
    compiled <- make(name)
    scanned <- make(function(x) known(x))
    expect_true(is_compiled_rnn(layer_object(compiled)))
    expect_false(is_compiled_rnn(layer_object(scanned)))
    compiled(x)
    with_weights(scanned, get_weights(compiled), x)
    expect_equal(arrays_of(scanned(x, mask = mask)), arrays_of(compiled(x, mask = mask)), tolerance = 1e-10,
                 info = paste(name, cell))
  })
})

# --- cells by themselves ------------------------------------------------------------------------------------------

cell_constructors <- list(
  SimpleRNNCell = rnn_cell_simple, LSTMCell = rnn_cell_lstm, GRUCell = rnn_cell_gru,
  StackedRNNCells = function(...) rnn_cells_stack(rnn_cell_lstm(units = 2, kernel_regularizer = "l2"),
                                                  rnn_cell_gru(units = 3), ...)
)

test_that("cells are layers: named, built, called by hand in every way, frozen, written and read", {
  clear_session(free_memory = FALSE)
  withr::local_seed(3)
  for (class in names(cell_constructors)) with_floatx("float64", {
    make <- cell_constructors[[class]]
    cell <- if (class == "StackedRNNCells") make() else make(units = 3, kernel_regularizer = "l2", dropout = 0.2)
    expect_match(cell$name, paste0("^", snake_case(class), "(_[0-9]+)?$"))
    expect_output(print(cell), paste0("<", class))
    expect_false(cell$built)
    x <- random_array(2, 4)
    states <- map_structure(cell$get_initial_state(batch_size = 2), function(state) random_array(dim(state)))
    result <- cell(x, states)
    expect_true(cell$built)
    expect_equal(dim(result[[1]]), c(2L, cell$output_size))
    expect_equal(map_structure(result[[2]], dim), map_structure(states, dim))
    expect_same_bits(cell(as_tensor(x), states, training = FALSE), result)
    symbolic <- cell(keras_input(4), map_structure(states, function(state) keras_input(dim(state)[-1])))
    expect_equal(map_structure(symbolic, dim), list(c(NA, cell$output_size), map_structure(states, function(state) {
      c(NA, dim(state)[-1])
    })))
    loss <- function(inputs) {
      fixture_loss(flatten_structure(cell(inputs[[1]], pack_structure(states, inputs[-1]))))
    }
    expect_gradients(loss, c(list(x), flatten_structure(states)), cell$trainable_weights, directions = 3)
    expect_length(regularization_losses(cell), 1)
    copy <- deserialize_keras_object(serialize_keras_object(cell))
    expect_equal(comparable_config(copy$get_config()), comparable_config(cell$get_config()))
    copy(x, states)
    set_weights(copy, get_weights(cell))
    expect_same_bits(copy(x, states), result)
    expect_same_bits(unserialize(serialize(cell, NULL))(x, states), result)
    expect_equal(count_params(cell), sum(vapply(cell$weights, function(v) prod(dim(v)), 0)))
    cell$trainable <- FALSE
    expect_length(cell$trainable_weights, 0)
  })
})

test_that("cells have the fields of Keras' cells, and configs in its order", {
  cell <- rnn_cell_gru(units = 3, reset_after = TRUE)
  expect_null(cell$kernel)
  cell$build(c(NA, 4))
  expect_equal(list(cell$units, cell$state_size, cell$output_size), list(3L, 3L, 3L))
  expect_equal(lapply(list(cell$kernel, cell$recurrent_kernel, cell$bias), dim), list(c(4L, 9L), c(3L, 9L), c(2L, 9L)))
  expect_null(rnn_cell_lstm(units = 2, use_bias = FALSE)$bias)
  expect_equal(
    names(rnn_cell_lstm(units = 2)$get_config()),
    c("name", "trainable", "dtype", "units", "activation", "recurrent_activation", "use_bias", "unit_forget_bias",
      "kernel_initializer", "recurrent_initializer", "bias_initializer", "kernel_regularizer", "recurrent_regularizer",
      "bias_regularizer", "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout",
      "recurrent_dropout", "seed")
  )
  expect_equal(tail(names(cell$get_config()), 4), c("dropout", "recurrent_dropout", "reset_after", "seed"))
  expect_equal(as.array(rnn_cell_lstm(units = 1)$get_initial_state(3)[[2]]), matrix(0, 3, 1))
})

test_that("the masks of inputs and of states are forgotten one without the other", {
  cell <- rnn_cell_simple(units = 30, dropout = 0.5, recurrent_dropout = 0.5, seed = 4)
  x <- matrix(1, 1, 30)
  cell$build(c(NA, 30))
  set_weights(cell, list(diag(30), diag(0, 30), rep(0, 30)))
  through <- function(kernel) {
    set_weights(cell, list(diag(30) * kernel, diag(30) * (1 - kernel), rep(0, 30)))
    as.array(cell(x, list(x), training = TRUE)[[1]])
  }
  inputs <- through(1)
  states <- through(0)
  cell$reset_dropout_mask()
  expect_same_bits(through(0), states)
  expect_false(same_bits(through(1), inputs))
  inputs <- through(1)
  cell$reset_recurrent_dropout_mask()
  expect_same_bits(through(1), inputs)
  expect_false(same_bits(through(0), states))
})
