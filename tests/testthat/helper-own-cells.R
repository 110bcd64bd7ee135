# Cells written with Layer() and op_*() alone, as a user would: SimpleRNN, LSTM and GRU anew, and two that birnn does
# not have.

# What the cells below share: weights with everything that Keras' cells take.
own_cell <- function(classname, gates, states, step, ..., bias_shape = function(self) gates * self$units) {
  force(gates)
  force(states)
  Layer(classname,
    initialize = function(units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
                          kernel_regularizer = NULL, recurrent_regularizer = NULL, bias_regularizer = NULL,
                          reset_after = TRUE, ...) {
      super$initialize(...)
      self$units <- units
      self$state_size <- if (states == 1) units else rep(list(units), states)
      self$activation <- own_activation(activation)
      self$recurrent_activation <- own_activation(recurrent_activation)
      self$use_bias <- use_bias
      self$regularizers <- list(kernel_regularizer, recurrent_regularizer, bias_regularizer)
      self$reset_after <- reset_after
    },
    build = function(input_shape) {
      add <- function(shape, k) self$add_weight(shape, regularizer = self$regularizers[[k]])
      self$kernel <- add(shape(tail(input_shape, 1), gates * self$units), 1)
      self$recurrent_kernel <- add(shape(self$units, gates * self$units), 2)
      if (self$use_bias) self$bias <- add(bias_shape(self), 3)
    },
    call = step, ..., parent_env = environment()
  )
}

own_activation <- function(name) getExportedValue("birnn", paste0("activation_", name))

plus_bias <- function(x, bias) if (is.null(bias)) x else x + bias

own_simple_rnn_cell <- own_cell("OwnSimpleRNNCell", 1, 1, function(inputs, states) {
  h <- self$activation(plus_bias(op_matmul(inputs, self$kernel), self$bias) +
                         op_matmul(states[[1]], self$recurrent_kernel))
  list(h, list(h))
})

own_lstm_cell <- own_cell("OwnLSTMCell", 4, 2, function(inputs, states) {
  gates <- op_matmul(inputs, self$kernel) + op_matmul(states[[1]], self$recurrent_kernel)
  gates <- op_split(plus_bias(gates, self$bias), 4, axis = 2)
  input <- self$recurrent_activation(gates[[1]])
  forget <- self$recurrent_activation(gates[[2]])
  carry <- forget * states[[2]] + input * self$activation(gates[[3]])
  h <- self$recurrent_activation(gates[[4]]) * self$activation(carry)
  list(h, list(h, carry))
})

own_gru_cell <- own_cell(
  "OwnGRUCell", 3, 1,
  bias_shape = function(self) if (self$reset_after) c(2, 3 * self$units) else 3 * self$units,
  function(inputs, states) {
    h <- states[[1]]
    bias <- if (self$use_bias && self$reset_after) op_unstack(self$bias, axis = 1) else list(self$bias, NULL)
    from_x <- op_split(plus_bias(op_matmul(inputs, self$kernel), bias[[1]]), 3, axis = 2)
    kernels <- op_split(self$recurrent_kernel, 3, axis = 2)
    biases <- if (is.null(bias[[2]])) list(NULL, NULL, NULL) else op_split(bias[[2]], 3, axis = 1)
    from_h <- function(h, gate) plus_bias(op_matmul(h, kernels[[gate]]), biases[[gate]])
    update <- self$recurrent_activation(from_x[[1]] + from_h(h, 1))
    reset <- self$recurrent_activation(from_x[[2]] + from_h(h, 2))
    product <- if (self$reset_after) reset * from_h(h, 3) else from_h(reset * h, 3)
    h <- update * h + (1 - update) * self$activation(from_x[[3]] + product)
    list(h, list(h))
  }
)

# An LSTM whose gates see the carry (Gers and Schmidhuber 2000).
peephole_lstm_cell <- Layer("PeepholeLSTMCell",
  initialize = function(units, ...) {
    super$initialize(...)
    self$units <- units
    self$state_size <- list(units, units)
  },
  build = function(input_shape) {
    units <- self$units
    self$kernel <- self$add_weight(shape(tail(input_shape, 1), 4 * units), "glorot_uniform", name = "kernel")
    self$recurrent_kernel <- self$add_weight(shape(units, 4 * units), "orthogonal", name = "recurrent_kernel")
    self$peepholes <- self$add_weight(shape(3, units), "random_normal", name = "peepholes")
    self$bias <- self$add_weight(shape(4 * units), "zeros", name = "bias")
  },
  call = function(inputs, states) {
    carry <- states[[2]]
    z <- op_matmul(inputs, self$kernel) + op_matmul(states[[1]], self$recurrent_kernel) + self$bias
    z <- op_split(z, 4, axis = 2)
    peepholes <- op_unstack(self$peepholes, axis = 1)
    i <- op_sigmoid(z[[1]] + peepholes[[1]] * carry)
    f <- op_sigmoid(z[[2]] + peepholes[[2]] * carry)
    carry <- f * carry + i * op_tanh(z[[3]])
    h <- op_sigmoid(z[[4]] + peepholes[[3]] * carry) * op_tanh(carry)
    list(h, list(h, carry))
  },
  get_config = function() c(super$get_config(), list(units = self$units))
)

# One gate (Zhou et al. 2016).
minimal_gated_cell <- Layer("MinimalGatedCell",
  initialize = function(units, ...) {
    super$initialize(...)
    self$units <- units
    self$state_size <- units
  },
  build = function(input_shape) {
    add <- function(rows, name) self$add_weight(shape(rows, 2 * self$units), name = name)
    self$kernel <- add(tail(input_shape, 1)[[1]], "kernel")
    self$recurrent_kernel <- add(self$units, "recurrent_kernel")
  },
  call = function(inputs, states) {
    h <- states[[1]]
    x <- op_split(op_matmul(inputs, self$kernel), 2, axis = 2)
    u <- op_split(self$recurrent_kernel, 2, axis = 2)
    f <- op_sigmoid(x[[1]] + op_matmul(h, u[[1]]))
    candidate <- op_tanh(x[[2]] + op_matmul(f * h, u[[2]]))
    h <- (1 - f) * h + f * candidate
    list(h, list(h))
  },
  get_config = function() c(super$get_config(), list(units = self$units))
)

# --- built-in layers with these cells instead ---------------------------------------------------------------------

own_cells <- list(
  layer_simple_rnn = own_simple_rnn_cell, layer_lstm = own_lstm_cell, layer_gru = own_gru_cell
)

rnn_options <- c(
  "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask", "name"
)

# The call of a layer fixture with layer_rnn() around a cell of ours in place of each built-in layer. As in Keras the
# simple layer has no use for an activity regularizer.
with_own_cells <- function(call) {
  if (!is_fixture_call(call)) return(call)
  args <- lapply(as.list(call$args), with_own_cells)
  cell <- own_cells[[call$fn]]
  if (is.null(cell)) return(list(fn = call$fn, args = args))
  kept <- intersect(names(args), c(rnn_options, if (call$fn != "layer_simple_rnn") "activity_regularizer"))
  of_cell <- args[setdiff(names(args), c(kept, "activity_regularizer", "dropout", "recurrent_dropout"))]
  list(fn = "layer_rnn", args = c(list(cell = list(fn = cell, args = of_cell)), args[kept]))
}
