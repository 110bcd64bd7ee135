# Layers written as a user would.

layer_linear <- Layer("Linear",
  initialize = function(units = 4, ...) {
    super$initialize(...)
    self$units <- as.integer(units)
  },
  build = function(input_shape) {
    self$kernel <- self$add_weight(shape(tail(input_shape, 1), self$units), name = "kernel")
    self$bias <- self$add_weight(shape(self$units), initializer = "zeros", name = "bias")
  },
  call = function(inputs) op_matmul(inputs, self$kernel) + self$bias
)

# Recurrent layers: whole Layer()s with their own loop over time, made of op_*() only.

# A class for a recurrence `step(self, x, states) -> list(output, states)`, where `self` has kernel, recurrent_kernel,
# bias and activation. `gates`: units in the kernels per unit; `n_states`; `bias_rows`: 2 for GRU's two biases.
looping_layer <- function(classname, step, gates = 1L, n_states = 1L, bias_rows = NULL) {
  Layer(classname,
    initialize = function(units, activation = "tanh", return_sequences = FALSE, return_state = FALSE,
                          go_backwards = FALSE, ...) {
      super$initialize(...)
      self$units <- units
      self$activation <- activation
      self$return_sequences <- return_sequences
      self$return_state <- return_state
      self$go_backwards <- go_backwards
    },
    build = function(input_shape) {
      width <- gates * self$units
      self$kernel <- self$add_weight(shape(tail(input_shape, 1), width), name = "kernel")
      self$recurrent_kernel <- self$add_weight(shape(self$units, width), initializer = "orthogonal", name = "recurrent")
      self$bias <- self$add_weight(shape = c(bias_rows, width), initializer = "zeros", name = "bias")
    },
    activate = function(x) get(paste0("op_", self$activation))(x),
    zeros = function(x) op_matmul(op_zeros_like(x), op_zeros(c(dim(x)[[2]], self$units), self$dtype)),
    call = function(sequences, initial_state = NULL, mask = NULL) {
      steps <- op_unstack(sequences, axis = 2)
      valid <- if (!is.null(mask)) lapply(op_unstack(mask, axis = 2), op_expand_dims, axis = -1)
      states <- if (is.null(initial_state)) rep(list(self$zeros(steps[[1]])), n_states) else initial_state
      output <- self$zeros(steps[[1]])
      outputs <- list()
      for (t in if (self$go_backwards) rev(seq_along(steps)) else seq_along(steps)) {
        result <- step(self, steps[[t]], states)
        keep <- if (is.null(mask)) function(new, old) new else function(new, old) op_where(valid[[t]], new, old)
        output <- keep(result[[1]], output)
        states <- Map(keep, result[[2]], states)
        outputs <- c(outputs, output)
      }
      if (self$return_sequences) output <- op_stack(outputs, axis = 2)
      if (self$return_state) c(list(output), states) else output
    }
  )
}

# h' = activation(x W + h U + b)
layer_own_simple_rnn <- looping_layer("OwnSimpleRNN", function(self, x, states) {
  h <- self$activate(op_matmul(x, self$kernel) + op_matmul(states[[1]], self$recurrent_kernel) + self$bias)
  list(h, list(h))
})

# Gates i, f, candidate, o: c' = f c + i g, h' = o activation(c').
layer_own_lstm <- looping_layer("OwnLSTM", gates = 4L, n_states = 2L, step = function(self, x, states) {
  z <- op_split(op_matmul(x, self$kernel) + op_matmul(states[[1]], self$recurrent_kernel) + self$bias, 4, axis = 2)
  c <- op_sigmoid(z[[2]]) * states[[2]] + op_sigmoid(z[[1]]) * self$activate(z[[3]])
  h <- op_sigmoid(z[[4]]) * self$activate(c)
  list(h, list(h, c))
})

# Gates z, r, candidate n, the reset gate after the product: h' = z h + (1 - z) n.
layer_own_gru <- looping_layer("OwnGRU", gates = 3L, bias_rows = 2L, step = function(self, x, states) {
  bias <- op_unstack(self$bias)
  a <- op_split(op_matmul(x, self$kernel) + bias[[1]], 3, axis = 2)
  d <- op_split(op_matmul(states[[1]], self$recurrent_kernel) + bias[[2]], 3, axis = 2)
  z <- op_sigmoid(a[[1]] + d[[1]])
  n <- self$activate(a[[3]] + op_sigmoid(a[[2]] + d[[2]]) * d[[3]])
  h <- z * states[[1]] + (1 - z) * n
  list(h, list(h))
})

own_layers <- list(layer_simple_rnn = layer_own_simple_rnn, layer_lstm = layer_own_lstm, layer_gru = layer_own_gru)

# A call of a fixture, nested ones included, with these layers for the built-in ones.
with_own_layers <- function(call) {
  if (!is.list(call)) return(call)
  call <- lapply(call, with_own_layers)
  if (is_fixture_call(call)) call$fn <- own_layers[[call$fn]] %||% call$fn
  call
}
