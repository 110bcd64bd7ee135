# Stacks of cells: the compiled core, the step-by-step loop and layers one above the other give the same.

x <- array(sin(1:40), c(2, 5, 4))

stack_of <- function(...) {
  layer_rnn(cell = list(rnn_cell_lstm(units = 3), rnn_cell_gru(units = 2), rnn_cell_simple(units = 4)), ...)
}

# The same cells with an activation that only R knows: they run step by step.
scanned_stack <- function(...) {
  tanh <- function(x) op_tanh(x)
  cells <- list(
    rnn_cell_lstm(units = 3, activation = tanh), rnn_cell_gru(units = 2, activation = tanh),
    rnn_cell_simple(units = 4, activation = tanh)
  )
  layer_rnn(cell = cells, ...)
}

test_that("a stack in the compiled core is the stack step by step: masks, directions, states, gradients", {
  withr::local_seed(1)
  with_floatx("float64", for (mask in mask_kinds) for (backwards in c(FALSE, TRUE)) for (zero in c(FALSE, TRUE)) {
    x <- random_array(3, 4, 2)
    steps <- random_mask(mask, 3, 4)
    options <- list(return_sequences = zero, return_state = TRUE, go_backwards = backwards, zero_output_for_mask = zero)
    compiled <- do.call(stack_of, options)
    compiled(x)
    scanned <- with_weights(do.call(scanned_stack, options), get_weights(compiled), x)
    expect_length(compiled_cells(layer_object(compiled)), 3)
    expect_null(compiled_cells(layer_object(scanned)))
    states <- list(list(random_array(3, 3), random_array(3, 3)), list(random_array(3, 2)), random_array(3, 4))
    found <- lapply(list(compiled, scanned), function(layer) {
      loss <- function(inputs) {
        fixture_loss(flatten_structure(layer(inputs[[1]], mask = steps, initial_state = states)))
      }
      list(arrays_of(layer(x, mask = steps)), value_and_gradients(loss, list(as_tensor(x)), layer$trainable_weights))
    })
    expect_equal(found[[2]], found[[1]], tolerance = 1e-10, info = paste(mask, backwards, zero))
  })
})

test_that("a stack is layers one above the other, in the same bits", {
  withr::local_seed(2)
  mask <- random_mask("gaps", 2, 5)
  stack <- stack_of()
  stack(x)
  weights <- split(get_weights(stack), rep(1:3, each = 3))
  y <- with_weights(layer_lstm(units = 3, return_sequences = TRUE), weights[[1]], x)(x, mask = mask)
  y <- with_weights(layer_gru(units = 2, return_sequences = TRUE), weights[[2]], y)(y, mask = mask)
  y <- with_weights(layer_simple_rnn(units = 4), weights[[3]], y)(y, mask = mask)
  expect_same_bits(stack(x, mask = mask), y)
})

test_that("a list of one cell keeps its level of nesting", {
  plain <- layer_rnn(cell = rnn_cell_lstm(units = 3), return_state = TRUE)
  listed <- layer_rnn(cell = list(rnn_cell_lstm(units = 3)), return_state = TRUE)
  outputs <- plain(x)
  nested <- with_weights(listed, get_weights(plain), x)(x)
  expect_length(outputs, 3)
  expect_length(nested, 2)
  expect_length(nested[[2]], 2)
  expect_same_bits(nested, outputs)
  mask <- random_mask("right", 2, 5)
  expect_same_bits(
    listed(x, mask = mask, initial_state = nested[2]), plain(x, mask = mask, initial_state = outputs[-1])
  )
  expect_equal(listed$compute_output_shape(c(2, 5, 4))[[2]], list(c(2L, 3L), c(2L, 3L)))
})

test_that("a tensor may stand for a list of one state, for each cell", {
  states <- list(list(matrix(0.1, 2, 3), matrix(0.2, 2, 3)), list(matrix(0.3, 2, 2)), list(matrix(0.4, 2, 4)))
  bare <- list(states[[1]], states[[2]][[1]], states[[3]][[1]])
  for (stack in list(stack_of(return_state = TRUE), scanned_stack(return_state = TRUE))) {
    expect_same_bits(stack(x, initial_state = bare), stack(x, initial_state = states))
    outputs <- stack(x, initial_state = bare)
    expect_equal(lengths(outputs[-1]), c(2L, 1L, 1L))
    step <- stack$cell(x[, 1, ], bare)
    expect_equal(lengths(step[[2]]), c(2L, 1L, 1L))
    expect_same_bits(step, stack$cell(x[, 1, ], states))
  }
})

test_that("stacks tell the sizes of their states and of the output", {
  stack <- rnn_cells_stack(rnn_cell_lstm(units = 3), rnn_cell_gru(units = 2))
  expect_equal(stack$state_size, list(list(3L, 3L), list(2L)))
  expect_equal(stack$output_size, 2L)
  zeros <- stack$get_initial_state(batch_size = 4)
  expect_equal(map_structure(zeros, dim), list(list(c(4L, 3L), c(4L, 3L)), list(c(4L, 2L))))
  expect_length(rnn_cells_stack(list(rnn_cell_gru(units = 1)), rnn_cell_gru(units = 2), name = "pair")$cells, 2)
  expect_equal(rnn_cells_stack(rnn_cell_gru(units = 1), name = "one")$name, "one")
})

test_that("stacks may be stacked", {
  inner <- rnn_cells_stack(rnn_cell_lstm(units = 3), rnn_cell_gru(units = 2))
  layer <- layer_rnn(cell = list(inner, rnn_cell_simple(units = 4)), return_state = TRUE)
  outputs <- layer(x)
  expect_equal(outputs[[2]] |> lengths(), c(2L, 1L))
  flat <- stack_of(return_state = TRUE)
  expect_equal(arrays_of(outputs), arrays_of(with_weights(flat, get_weights(layer), x)(x)), tolerance = 1e-6)
})

test_that("dropout in stacks is drawn once for each sequence, whichever way they run", {
  withr::local_seed(3)
  with_floatx("float64", {
    make <- function(activation) {
      cells <- list(
        rnn_cell_lstm(units = 6, activation = activation, dropout = 0.4, recurrent_dropout = 0.3, seed = 5),
        rnn_cell_gru(units = 5, dropout = 0.5, seed = 6)
      )
      layer_rnn(cell = cells, return_sequences = TRUE)
    }
    compiled <- make("tanh")
    compiled(x)
    scanned <- with_weights(make(function(x) op_tanh(x)), get_weights(compiled), x)
    one <- as.array(compiled(x, training = TRUE))
    expect_equal(as.array(scanned(x, training = TRUE)), one, tolerance = 1e-12)
    other <- as.array(compiled(x, training = TRUE))
    expect_equal(as.array(scanned(x, training = TRUE)), other, tolerance = 1e-12)
    expect_false(isTRUE(all.equal(other, one)))
    expect_length(seed_variables(compiled), 2)
    # The mask of one cell by hand, over two steps, and after a reset.
    cell <- scanned$cell
    step <- function() arrays_of(cell(x[, 1, ], cell$get_initial_state(2), training = TRUE))
    first <- step()
    expect_same_bits(step(), first)
    cell$reset_dropout_mask()
    cell$reset_recurrent_dropout_mask()
    expect_false(same_bits(step(), first))
  })
})

test_that("both directions of a stack with one seed draw differently", {
  wrap <- function() {
    cells <- list(rnn_cell_simple(units = 40, dropout = 0.5, seed = 9), rnn_cell_simple(units = 40))
    layer_bidirectional(layer = layer_rnn(cell = cells), merge_mode = NULL)
  }
  layer <- wrap()
  ones <- array(1, c(1, 1, 40))
  layer(ones)
  half <- list(diag(40), diag(0, 40), rep(0, 40), diag(40), diag(0, 40), rep(0, 40))
  set_weights(layer, c(half, half))
  drawn <- arrays_of(layer(ones, training = TRUE))
  expect_false(same_bits(drawn[[1]], drawn[[2]]))
  expect_same_bits(with_weights(wrap(), c(half, half), ones)(ones, training = TRUE), drawn)
})

# --- states that are kept -----------------------------------------------------------------------------------------

test_that("a stateful stack goes on where it ended, until it is reset, and its states can start another", {
  for (make in list(stack_of, scanned_stack)) {
    layer <- make(stateful = TRUE, return_state = TRUE)
    expect_null(layer$states)
    first <- arrays_of(layer(x[, 1:2, ]))
    second <- arrays_of(layer(x[, 3:5, ]))
    whole <- with_weights(make(return_state = TRUE), get_weights(layer), x)
    expect_equal(second, arrays_of(whole(x)), tolerance = 1e-6)
    expect_equal(lengths(layer$states), c(2L, 1L, 1L))
    expect_same_bits(layer$states, second[-1])
    expect_same_bits(whole(x, initial_state = layer$states), layer(x))
    reset_state(layer)
    expect_true(all(unlist(arrays_of(layer$states)) == 0))
    expect_same_bits(layer(x[, 1:2, ]), first)
    layer$reset_states()
    expect_same_bits(layer(x[, 1:2, ]), first)
  }
})

test_that("stateful stacks in both directions: states of the forward layer, then of the backward layer", {
  layer <- layer_bidirectional(layer = stack_of(stateful = TRUE, return_state = TRUE))
  first <- layer(x)
  second <- layer(x)
  expect_equal(lengths(layer$states), c(2L, 1L, 1L, 2L, 1L, 1L))
  expect_same_bits(layer$states, second[-1])
  other <- with_weights(layer_bidirectional(layer = stack_of(return_state = TRUE)), get_weights(layer), x)
  expect_same_bits(other(x, initial_state = first[-1]), second)
  reset_state(layer)
  expect_same_bits(layer(x), first)
})

test_that("stateful stacks carry their states through fit() and predict(), planned and eager alike", {
  withr::local_seed(4)
  y <- random_array(6, 1)
  data <- random_array(6, 5, 4)
  start <- NULL
  results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
    model <- keras_model_sequential(input_batch_shape = c(2, 5, 4)) |>
      layer_bidirectional(scanned_stack(stateful = TRUE)) |>
      layer_dense(1)
    if (is.null(start)) start <<- get_weights(model)
    set_weights(model, start)
    model |> compile(optimizer = "sgd", loss = "mse", run_eagerly = run_eagerly)
    fit(model, data, y, batch_size = 2, epochs = 2, shuffle = FALSE, verbose = 0)
    states <- arrays_of(model$layers[[1]]$states)
    first <- predict(model, data, batch_size = 2, verbose = 0)
    second <- predict(model, data, batch_size = 2, verbose = 0)
    reset_state(model)
    expect_true(all(unlist(arrays_of(model$layers[[1]]$states)) == 0))
    third <- predict(model, data, batch_size = 2, verbose = 0)
    list(get_weights(model), states, first, second, third)
  })
  expect_same_bits(results[[2]], results[[1]])
  expect_gt(max(abs(unlist(results[[1]][[2]]))), 0)
  expect_false(same_bits(results[[1]][[3]], results[[1]][[4]]))
})

# --- configs ------------------------------------------------------------------------------------------------------

test_that("configs hold the cells, and make the same layer again", {
  layer <- stack_of(go_backwards = TRUE)
  config <- layer$get_config()
  expect_equal(config$cell$class_name, "StackedRNNCells")
  expect_equal(vapply(config$cell$config$cells, `[[`, "", "class_name"), c("LSTMCell", "GRUCell", "SimpleRNNCell"))
  copy <- layer$from_config(config)
  expect_equal(copy$get_config(), config)
  y <- layer(x)
  expect_same_bits(with_weights(copy, get_weights(layer), x)(x), y)
  copy <- deserialize_keras_object(serialize_keras_object(layer))
  expect_same_bits(with_weights(copy, get_weights(layer), x)(x), y)
})
