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
