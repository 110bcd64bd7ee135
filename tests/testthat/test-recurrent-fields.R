# What scripts read and call with `$` on recurrent layers, cells and wrappers: the fields of Keras, before and after
# building.

recurrent_family <- list(
  simple_rnn = function(...) layer_simple_rnn(units = 3, ...), lstm = function(...) layer_lstm(units = 3, ...),
  gru = function(...) layer_gru(units = 3, ...),
  rnn = function(...) layer_rnn(cell = rnn_cell_lstm(units = 3), ...),
  own = function(...) layer_rnn(cell = minimal_gated_cell(units = 3), ...),
  stack = function(...) layer_rnn(cell = list(rnn_cell_lstm(units = 2), rnn_cell_gru(units = 3)), ...)
)

family_states <- list(
  simple_rnn = list(3L), lstm = list(3L, 3L), gru = list(3L), rnn = list(3L, 3L), own = list(3L),
  stack = list(list(2L, 2L), list(3L))
)

x <- array(sin(1:40), c(2, 5, 4))

# Sizes as plain integers in nested lists: a number stands for a list of it.
plain_sizes <- function(x) if (is.list(x)) lapply(x, plain_sizes) else as.integer(x)
with_list <- function(x) if (is.list(x)) x else list(x)

for (kind in names(recurrent_family)) {
  make <- recurrent_family[[kind]]
  states <- family_states[[kind]]

  test_that(paste("the fields of", kind, "are those of Keras"), {
    layer <- make(name = "the_layer", return_sequences = TRUE)
    expect_identical(layer$name, "the_layer")
    expect_false(layer$built)
    expect_identical(layer$weights, list())
    expect_null(layer$states)
    for (flag in c("return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask")) {
      expect_identical(layer[[flag]], FALSE, info = flag)
    }
    expect_true(layer$return_sequences)
    expect_true(layer$supports_masking)
    expect_identical(layer$dtype, "float32")
    expect_true(layer$trainable)
    input <- keras_input(c(NA, 4))
    output <- layer(input)
    expect_true(layer$built)
    expect_identical(layer$input, input)
    expect_identical(layer$output, output)
    expect_identical(as_shape(layer$output_shape), c(NA, NA, 3L))
    expect_true(is_layer(layer$cell))
    expect_identical(length(layer$weights), length(layer$trainable_weights))
    expect_identical(sum(vapply(get_weights(layer), length, 0L)), layer$count_params())
    expect_equal(as.array(layer$compute_mask(x, matrix(TRUE, 2, 5))), matrix(TRUE, 2, 5))
    layer$trainable <- FALSE
    expect_length(layer$trainable_weights, 0)
    expect_false(layer$cell$trainable)
    expect_true(all(c("name", "trainable", "dtype", "return_sequences") %in% names(layer$get_config())))
    if (kind %in% c("simple_rnn", "lstm", "gru")) {
      expect_identical(layer$units, 3L)
      expect_identical(layer$cell$units, 3L)
      expect_identical(vapply(layer$weights, function(v) v$name, ""), c("kernel", "recurrent_kernel", "bias"))
      parts <- list(layer$cell$kernel, layer$cell$recurrent_kernel, layer$cell$bias)
      expect_same_bits(parts, layer$weights)
      expect_equal(layer$input_spec$ndim, 3)
    }
  })

  test_that(paste("the sizes and states of", kind, "are told before and after building"), {
    layer <- make(return_state = TRUE)
    expect_identical(plain_sizes(with_list(layer$state_size)), states)
    expect_identical(plain_sizes(layer$cell$output_size %||% 3L), 3L)
    initial <- layer$get_initial_state(batch_size = 2)
    expect_identical(map_structure(initial, dim), map_structure(states, function(size) c(2L, size)))
    if (kind != "own") {
      expect_identical(map_structure(layer$cell$get_initial_state(batch_size = 2), dim), map_structure(initial, dim))
    }
    expect_true(all(unlist(lapply(flatten_structure(initial), as.array)) == 0))
    outputs <- layer(x)
    expect_identical(
      shapes_of(layer$compute_output_shape(c(NA, 5, 4))),
      lapply(flatten_structure(outputs), function(output) c(NA, tensor_shape(output)[-1]))
    )
    expect_same_bits(layer(x, initial_state = initial), outputs)
  })

  test_that(paste("the states of a stateful", kind, "are variables, read, given to others and reset"), {
    layer <- make(stateful = TRUE, return_state = TRUE)
    outputs <- layer(x)
    kept <- layer$states
    expect_true(all(vapply(flatten_structure(kept), is_variable, NA)))
    expect_identical(map_structure(kept, dim), map_structure(states, function(size) c(2L, size)))
    expect_same_bits(kept, outputs[-1])
    expect_length(setdiff_variables(layer$weights, flatten_structure(kept)), length(layer$weights))
    other <- make(return_state = TRUE)
    other(x)
    set_weights(other, get_weights(layer))
    expect_same_bits(other(x, initial_state = kept), layer(x))
    layer$reset_state()
    expect_same_bits(layer(x), outputs)
    layer$reset_states()
    expect_true(all(unlist(lapply(flatten_structure(layer$states), as.array)) == 0))
  })

  test_that(paste("a wrapper around", kind, "has the fields of Keras' wrapper"), {
    layer <- layer_bidirectional(layer = make(name = "inner", stateful = TRUE, return_state = TRUE), merge_mode = "ave")
    expect_identical(layer$merge_mode, "ave")
    expect_identical(c(layer$forward_layer$name, layer$backward_layer$name), c("forward_inner", "backward_inner"))
    expect_identical(c(layer$forward_layer$go_backwards, layer$backward_layer$go_backwards), c(FALSE, TRUE))
    expect_identical(c(layer$return_sequences, layer$return_state, layer$stateful), c(FALSE, TRUE, TRUE))
    expect_null(layer$states)
    expect_false(layer$built)
    outputs <- layer(x)
    expect_length(layer$states, 2 * length(states))
    expect_same_bits(layer$states, outputs[-1])
    expect_same_bits(layer$weights, c(layer$forward_layer$weights, layer$backward_layer$weights))
    expect_identical(
      shapes_of(layer$compute_output_shape(c(2, 5, 4))), lapply(flatten_structure(outputs), tensor_shape)
    )
    expect_true(layer$supports_masking)
    expect_null(layer$compute_mask(x, matrix(TRUE, 2, 5))[[1]])
    layer$reset_state()
    expect_same_bits(layer(x), outputs)
    expect_identical(layer_time_distributed(layer = layer$forward_layer)$layer, layer$forward_layer)
  })

  test_that(paste("printing", kind, "alone, in wrappers and in models builds nothing"), {
    layers <- list(make(), layer_bidirectional(layer = make()), layer_time_distributed(layer = make()), make()$cell)
    for (layer in layers) {
      expect_output(print(layer), "built=FALSE")
      expect_output(str(layer), "built=FALSE")
      expect_false(layer$built)
    }
    model <- keras_model_sequential(layers = list(layer_bidirectional(layer = make()), layer_dense(units = 1)))
    expect_output(print(model), "unbuilt")
    expect_false(model$built)
  })
}

test_that("shapes are told for every way to combine two directions, also of unequal units", {
  for (merge_mode in merge_modes) for (sequences in c(TRUE, FALSE)) for (state in c(TRUE, FALSE)) {
    layer <- layer_bidirectional(
      layer = layer_lstm(units = 3, return_sequences = sequences, return_state = state), merge_mode = merge_mode
    )
    told <- layer$compute_output_shape(shape(NULL, 5, 4))
    expect_identical(shapes_of(told), lapply(flatten_structure(layer(keras_input(c(5, 4)))), tensor_shape))
    expect_identical(shapes_of(layer$compute_output_shape(dim(x))), lapply(flatten_structure(layer(x)), tensor_shape))
  }
  unequal <- layer_bidirectional(layer = layer_lstm(units = 3), backward_layer = layer_gru(units = 2, go_backwards = TRUE))
  expect_identical(as_shape(unequal$compute_output_shape(c(NA, 5, 4))), c(NA, 5L))
})

test_that("keras_variable() makes variables that layers hold, train and take as states", {
  v <- keras_variable(matrix(1:6 / 10, 2, 3), name = "start")
  expect_identical(list(v$name, dim(v), v$dtype, v$trainable), list("start", c(2L, 3L), "float32", TRUE))
  expect_equal(as.array(v$value), matrix(1:6 / 10, 2, 3), tolerance = 1e-6)
  expect_same_bits(v$numpy(), as.array(v))
  expect_identical(as_shape(v$shape), c(2L, 3L))
  layer <- layer_gru(units = 3)
  expect_same_bits(layer(x, initial_state = v), layer(x, initial_state = list(as.array(v))))
  v$assign(matrix(0, 2, 3))
  expect_same_bits(layer(x, initial_state = v), layer(x))
  v$assign_add(matrix(2, 2, 3))
  v$assign_sub(matrix(0.5, 2, 3))
  expect_equal(as.array(v), matrix(1.5, 2, 3))
  made <- keras_variable(initializer_orthogonal(), shape = c(2, 5), trainable = FALSE)
  expect_identical(list(dim(made), made$trainable), list(c(2L, 5L), FALSE))
})
