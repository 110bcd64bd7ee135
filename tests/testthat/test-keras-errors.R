# The errors that Keras documents for the recurrent family, table by table: layers and cells, generic layers and stacks,
# both directions, companions. Where Keras has none (units that do not agree, states by halves) birnn is clearer.

x <- array(0, c(4, 10, 3))
state <- matrix(0, 4, 2)
film <- array(0, c(2, 3, 5, 5, 1))
mask <- matrix(TRUE, 4, 10)
batch <- keras_input(c(10, 3))

odd_cell <- function(state_size = NULL, ..., call = function(inputs, states) list(inputs, states)) {
  Layer("OddCell", call = call, ..., initialize = function(...) {
    super$initialize(...)
    self$state_size <- state_size
  }, parent_env = environment())(name = "odd")
}

lstm <- function(...) layer_lstm(units = 2, ...)
backward <- function(...) lstm(go_backwards = TRUE, ...)
wrap <- function(...) layer_bidirectional(layer = lstm(), ...)
conv <- function(...) layer_conv_lstm_2d(filters = 2, kernel_size = 3, ...)
each <- function() layer_time_distributed(layer = layer_dense(units = 2))

of_layers <- list(
  "units of 0" = bad("value", layer_simple_rnn(units = 0), "`units`", "positive", "not 0"),
  "negative units" = bad("value", rnn_cell_gru(units = -3), "`units`", "positive", "not -3"),
  "units that are not whole" = bad("value", layer_lstm(units = 2.5), "whole number", "2.5"),
  "an unknown argument" = bad("value", layer_gru(units = 2, colour = 1), "layer_gru", "`colour`"),
  "use_cudnn" = bad("value", lstm(use_cudnn = "maybe"), "`use_cudnn`", "\"maybe\""),
  "two axes" =
    bad("shape", lstm(name = "a")(x[, 1, ]), "Input 1", "\"a\"", "expected ndim=3", "found ndim=2", "\\[4, 3\\]"),
  "four axes, both directions" =
    bad("shape", wrap(name = "a")(film), "\"a\"", "ndim=3", "ndim=5", "\\[2, 3, 5, 5, 1\\]"),
  "a list of sequences and states" = bad("shape", lstm(name = "a")(list(x, state, state)), "\"a\"", "expects 1 input",
                                         "list of 3"),
  "trainable" = bad("value", lstm(trainable = "no"), "`trainable`", "TRUE or FALSE", "\"no\""),
  "a name with a slash" = bad("value", lstm(name = "a/b"), "`name`", "without \"/\"", "\"a/b\""),
  "a name that is no string" = bad("value", layer_gru(units = 2, name = 1), "`name`", "string", "not 1"),
  "stateful, unknown batch size" = bad("state", lstm(stateful = TRUE)(batch), "batch size", "\\[NA, 10, 3\\]"),
  "stateful, another batch size" = bad("state", {
    layer <- lstm(stateful = TRUE)
    layer(x)
    layer(x[1:2, , ])
  }, "batch size of 4", "batch size of 2"),
  "other features than when it was built" = bad("shape", {
    layer <- lstm()
    layer(x)
    layer(x[, , 1:2])
  }, "lstm", "size 3", "not size 2", "\\[4, 10, 2\\]"),
  "a negative penalty" = bad("value", lstm(kernel_regularizer = regularizer_l2(-1)), "l2", "-1"),
  "orthogonal initialization of one axis" = bad("shape", initializer_orthogonal()(3), "orthogonal", "two axes|2 axes"),
  "an array that does not fit as initializer" =
    bad("shape", lstm(kernel_initializer = initializer_constant(matrix(1, 2, 2)))(x), "kernel|shape", "\\[3, 8\\]|3, 8")
)

of_generic_layers <- list(
  "a cell without call" =
    bad("config", layer_rnn(cell = Layer("NoCall")(name = "odd")), "should have a `call` method", "odd"),
  "a cell without state_size" = bad("config", layer_rnn(cell = odd_cell()), "`cell` must have a state_size", "odd"),
  "a state_size that is no number" =
    bad("config", layer_rnn(cell = odd_cell("4")), "state_size", "whole number", "\"4\""),
  "an output_size that is no number" =
    bad("config", layer_rnn(cell = odd_cell(4, output_size = "4")), "output_size", "\"4\""),
  "a stacked cell without call" =
    bad("config", rnn_cells_stack(rnn_cell_gru(units = 2), Layer("NoCall")(name = "odd")), "cells\\[\\[2\\]\\]", "`call`"),
  "a stacked cell without state_size" = bad("config", rnn_cells_stack(odd_cell()), "cells\\[\\[1\\]\\]", "state_size"),
  "no cell at all" = bad("value", layer_rnn(cell = 32), "must be a cell, not 32"),
  "states that are not nested as the cells" =
    bad("state", layer_rnn(cell = list(rnn_cell_lstm(units = 2), rnn_cell_gru(units = 2)))(x, initial_state = state),
        "2 states", "list\\(list\\(state, state\\), list\\(state\\)\\)")
)

of_both_directions <- list(
  "1 no layer" = bad("value", layer_bidirectional(layer = "lstm"), "`layer` must be a layer", "\"lstm\""),
  "2 no backward layer" = bad("value", wrap(backward_layer = 3), "`backward_layer` must be a layer", "not 3"),
  "3 merge_mode" = bad("value", wrap(merge_mode = "max"), "\"sum\", \"mul\", \"ave\", \"concat\", or NULL", "\"max\""),
  "7 both go forwards" = bad("config", wrap(backward_layer = lstm()), "go_backwards", "both are FALSE"),
  "7 both go backwards" = bad("config", layer_bidirectional(layer = backward()), "go_backwards", "both are TRUE"),
  "8 stateful" = bad("config", wrap(backward_layer = backward(stateful = TRUE)), "`stateful`", "FALSE and TRUE"),
  "8 return_sequences" = bad("config", wrap(backward_layer = backward(return_sequences = TRUE)), "`return_sequences`",
                             "FALSE and TRUE"),
  "8 return_state" =
    bad("config", wrap(backward_layer = backward(return_state = TRUE)), "`return_state`", "FALSE and\\s+TRUE"),
  "a layer that is not recurrent" =
    bad("config", layer_bidirectional(layer = layer_dense(units = 2)), "go_backwards", "Dense"),
  "a layer that is not recurrent, backwards" =
    bad("config", wrap(backward_layer = layer_dense(units = 2)), "`backward_layer`",
                                                   "go_backwards"),
  "units that do not agree" =
    bad("config", wrap(backward_layer = layer_gru(units = 3, go_backwards = TRUE), merge_mode = "mul"),
                                  "\"mul\"", "2 and 3"),
  "an odd number of weights" = bad("weights", wrap(weights = list(1, 2, 3)), "even number", "not 3"),
  "weights of other shapes" =
    bad("weights", wrap(weights = rep(list(matrix(0, 2, 2)), 6))(x), "forward_lstm", "\\[3, 8\\]"),
  "an odd number of states" = bad("state", wrap()(x, initial_state = rep(list(state), 3)), "4 states, not 3"),
  "a single tensor of states" = bad("state", wrap()(x, initial_state = state), "list"),
  "states that are not kept" = bad("state", wrap()$reset_state(), "must be stateful"),
  "an unknown argument" = bad("value", wrap(mergemode = "sum"), "`mergemode`", "`merge_mode`")
)

of_companions <- list(
  "time distributed: no layer" = bad("value", layer_time_distributed(layer = "dense"), "layer or a model", "\"dense\""),
  "time distributed: two axes" = bad("shape", each()(x[, 1, ]), "at least 3 axes", "ndim=2", "\\[4, 3\\]"),
  "time distributed: mask of other rows" =
    bad("mask", each()(x, mask = mask[1:3, ]), "\\[4, 10, ...\\]", "\\[3, 10\\]"),
  "time distributed: mask of other steps" =
    bad("mask", each()(x, mask = mask[, 1:9]), "\\[4, 10, ...\\]", "\\[4, 9\\]"),
  "time distributed: mask of one axis" = bad("mask", each()(x, mask = as_tensor(mask[, 1])), "\\[4\\]"),
  "embedding: no words" =
    bad("value", layer_embedding(input_dim = 0, output_dim = 2), "`input_dim`", "positive", "not 0"),
  "embedding: no numbers for them" =
    bad("value", layer_embedding(input_dim = 2, output_dim = "a"), "`output_dim`", "\"a\""),
  "embedding: TRUE is no number" =
    bad("value", layer_embedding(input_dim = TRUE, output_dim = 2), "`input_dim`", "TRUE"),
  "convolutions: too few axes" = bad("shape", conv()(x), "ndim=5", "ndim=3", "\\[4, 10, 3\\]"),
  "convolutions: unknown places" = bad("shape", conv()(keras_input(c(3, NA, 5, 1))), "known", "NA"),
  "convolutions: strides and dilation" = bad("value", conv(strides = 2, dilation_rate = 2), "strides", "dilation_rate"),
  "dense: other features" = bad("shape", {
    layer <- layer_dense(units = 2)
    layer(x)
    layer(x[, , 1:2])
  }, "expected axis -1 to have value 3", "\\[4, 10, 2\\]"),
  "dropout: a rate beyond 1" = bad("value", layer_dropout(rate = 2), "`rate`", "not 2"),
  "input: shape and batch_shape" =
    bad("value", keras_input(c(10, 3), batch_shape = c(4, 10, 3)), "shape", "batch_shape"),
  "input: batch_size and batch_shape" =
    bad("value", keras_input(batch_size = 4, batch_shape = c(4, 10, 3)), "batch_size"),
  "activation" =
    bad("value", layer_dense(units = 2, activation = "rellu"), "Could not interpret activation", "\"relu\""),
  "weights: too few" = bad("weights", {
    layer <- lstm()
    layer(x)
    set_weights(layer, list(1))
  }, "lstm", "3 weights, not 1"),
  "weights: none yet" = bad("state", count_params(lstm()), "not built")
)

here <- environment()

tables <- list(
  "layers and cells" = of_layers, "generic layers and stacks" = of_generic_layers,
  "both directions" = of_both_directions, "companions" = of_companions
)

for (name in names(tables)) {
  test_that(paste("errors of", name, "name what Keras' documentation says"), {
    expect_bad(tables[[name]], here)
  })
}

test_that("arguments that choose an implementation are taken, and change nothing", {
  y <- withr::with_seed(1, lstm()(x + 1))
  for (layer in list(
    function() lstm(use_cudnn = TRUE), function() lstm(use_cudnn = FALSE), function() lstm(implementation = 1),
    function() lstm(unroll = TRUE)
  )) expect_same_bits(withr::with_seed(1, layer()(x + 1)), y)
  # Also where the number of steps is not known, which Keras cannot unroll.
  expect_identical(dim(lstm(unroll = TRUE)(keras_input(c(NA, 3)))), c(NA, 2L))
})
