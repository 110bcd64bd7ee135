# LSTM: long short-term memory, the layer and its cell (level 5).

# Keras' configs have unit_forget_bias at another place in the cell than in the layer.
lstm_arguments <- function(forget_bias_after) {
  between <- list(activation = list(recurrent_activation = arg_activation))
  between[[forget_bias_after]] <- list(unit_forget_bias = arg_flag)
  recurrent_arguments(between)
}

LSTMCell <- R6::R6Class("LSTMCell",
  inherit = RecurrentCell, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = lstm_arguments(forget_bias_after = "use_bias"),
    kind = "lstm",
    gates = 4L,
    state_names = c("h", "c"),

    # The forget gate starts open: its bias is 1, the others are what bias_initializer says.
    bias_start = function() {
      if (!self$unit_forget_bias) return(self$bias_initializer)
      units <- self$units
      start <- self$bias_initializer
      function(shape, dtype = NULL) {
        op_concatenate(list(
          start(units, dtype = dtype), op_ones(units, dtype), start(2L * units, dtype = dtype)
        ))
      }
    },

    # Gates i, f, candidate, o: c' = f c + i g, h' = o activation(c').
    step = function(x, states, masks = NULL) {
      z <- op_add(self$project_inputs(x, masks$x), self$project_state(states[[1L]], masks$h))
      z <- op_split(add_bias(z, self$bias), 4L, axis = -1L)
      i <- self$open_gate(z[[1L]])
      f <- self$open_gate(z[[2L]])
      o <- self$open_gate(z[[4L]])
      c <- op_add(op_multiply(f, states[[2L]]), op_multiply(i, self$activate(z[[3L]])))
      h <- op_multiply(o, self$activate(c))
      list(h, list(h, c))
    },
    project_inputs = function(x, masks) project_gates(x, self$kernel, masks, 4L),
    project_state = function(h, masks) project_gates(h, self$recurrent_kernel, masks, 4L)
  )
)

LSTM <- R6::R6Class("LSTM",
  inherit = RNN, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = c(
      rnn_arguments,
      insert_arguments(
        lstm_arguments(forget_bias_after = "bias_initializer"),
        list(bias_regularizer = list(activity_regularizer = arg_regularizer))
      ),
      gpu_arguments
    ),
    cell_class = function() LSTMCell
  )
)

#' Long short-term memory
#'
#' The recurrent layer of Hochreiter and Schmidhuber with a forget gate:
#' \deqn{i, f, o = \sigma(x_t K + h_{t-1} U + b), \quad g = \phi(x_t K + h_{t-1} U + b)}{
#'   i, f, o = sigma(x[t] K + h[t-1] U + b),  g = phi(x[t] K + h[t-1] U + b)}
#' \deqn{c_t = f c_{t-1} + i g, \quad h_t = o\, \phi(c_t)}{c[t] = f c[t-1] + i g,  h[t] = o phi(c[t])}
#' with \eqn{\sigma} the `recurrent_activation` and \eqn{\phi} the `activation`; each gate has its block of columns in
#' the weights, in the order i, f, g, o. Runs in compiled code; with an activation that is an R function of your own, or
#' one along an axis such as softmax, step by step.
#'
#' @inheritParams layer_dense
#' @param units Number of units, a positive whole number: the size of the output and of the states.
#' @param activation Activation of the output (and, where there are gates, of the candidate): a string, an
#'   `activation_*()` function or an R function of one tensor; `NULL` is `"linear"`.
#' @param recurrent_activation Activation of the gates, in the same ways.
#' @param kernel_initializer,recurrent_initializer,bias_initializer How the weights for the inputs, for the state and
#'   the bias start. They see the weights of all gates as one array.
#' @param unit_forget_bias Whether the bias of the forget gate starts at 1.
#' @param kernel_regularizer,recurrent_regularizer,bias_regularizer Penalties of the weights; see [layer_dense()].
#' @param activity_regularizer Penalty of everything the layer returns, states included; see [layer_dense()].
#' @param kernel_constraint,recurrent_constraint,bias_constraint Constraints; see [layer_dense()].
#' @param dropout,recurrent_dropout Rates from 0 to 1: how much of the inputs, and of the state before it is
#'   transformed, is set to 0 in training. The draw is the same for all steps of a call. Without recurrent dropout the
#'   gates share one draw, with it each gate has its own. A rate of 1 sets everything to 0.
#' @param seed A whole number for the dropout draws; `NULL` takes one from R's random numbers. The two directions of a
#'   bidirectional layer draw differently even from the same seed.
#' @param return_sequences Whether to return the output of every step, `(batch, time, units)`, or of the last,
#'   `(batch, units)`.
#' @param return_state Whether to return the final states as well.
#' @param go_backwards Whether to go through the sequence from its end. The outputs stay in the order in which they were
#'   computed.
#' @param stateful Whether each batch goes on from the states at the end of the last one, row by row; see
#'   [reset_state()]. The batch size must be fixed.
#' @param unroll Accepted for compatibility, without effect.
#' @param use_cudnn Accepted for compatibility, without effect.
#' @param ... Arguments of every layer, see [layer_dense()]; and `zero_output_for_mask`: whether the outputs of masked
#'   steps are zeros instead of a repetition of the output before.
#' @return If `object` is missing or `NULL`: the layer. If it is a sequential model: that model with the layer added,
#'   invisibly. Otherwise the output of the layer: a tensor, or with `return_state = TRUE` a list of the output and the
#'   final states (for an LSTM `h` and `c`).
#' @section Call arguments:
#' `layer(sequences, initial_state = NULL, mask = NULL, training = FALSE)`
#' * `sequences`: an array or tensor `(batch, time, features)`.
#' * `initial_state`: a list of the states to start from, each `(batch, units)`; zeros by default.
#' * `mask`: logicals `(batch, time)`, `FALSE` for steps to skip. By default that of the input, as
#'   [layer_masking()] and [layer_embedding()] make it; as in Keras, the mask that comes with the input is not applied
#'   when `initial_state` is given (a warning says so): pass it as `mask`.
#' * `training`: whether dropout is active.
#' @section Masking:
#' Masked steps leave the states alone and repeat the previous output (zeros before the first valid step). With
#' `return_sequences = TRUE` the mask travels on with the output.
#' @section States:
#' Each call starts from zeros, or from `initial_state`. `layer$get_initial_state(batch_size = 32)` gives what it starts
#' from, `layer$state_size` the sizes. With `stateful = TRUE` a call starts from the states at the end of the last one,
#' in `fit()` and `predict()` too, row by row: all batches have the same number of rows, which must be known when the
#' layer is built. `layer$states` is the list of the kept states (`NULL` if there are none yet, or without `stateful`);
#' it can be the `initial_state` of another layer. Only [reset_state()] puts them back to zero. A given `initial_state`
#' wins over kept states.
#' @source <https://keras.io/api/layers/recurrent_layers/lstm/>
#' @family rnn layers
#' @export
#' @examples
#' x <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
#' layer_lstm(x, units = 4)
#'
#' layer <- layer_lstm(units = 4, return_sequences = TRUE, return_state = TRUE)
#' c(outputs, state_h, state_c) %<-% layer(x)
#' dim(outputs)
#'
#' # States that are kept from call to call
#' stateful <- layer_lstm(units = 4, stateful = TRUE)
#' first <- stateful(x[, 1:2, ])
#' second <- stateful(x[, 3:5, ])
#' length(stateful$states)
#' reset_state(stateful)
layer_lstm <- function(object, units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
                       kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
                       bias_initializer = "zeros", unit_forget_bias = TRUE, kernel_regularizer = NULL,
                       recurrent_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                       kernel_constraint = NULL, recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0,
                       recurrent_dropout = 0, seed = NULL, return_sequences = FALSE, return_state = FALSE,
                       go_backwards = FALSE, stateful = FALSE, unroll = FALSE, use_cudnn = "auto", ...) {
  create_layer("LSTM", object, capture_args())
}

register_layer(LSTM, layer_lstm)

#' Cells of recurrent layers
#'
#' What [layer_simple_rnn()], [layer_lstm()] and [layer_gru()] do in one time step. Given to [layer_rnn()], alone or in
#' a list, a cell makes a recurrent layer; called by hand it computes one step.
#'
#' `layer_rnn(cell = rnn_cell_lstm(units = 4))` gives the same numbers as `layer_lstm(units = 4)`, and runs in the same
#' compiled code; so do lists of these cells.
#'
#' @inheritParams layer_lstm
#' @param reset_after Whether the reset gate acts after (`TRUE`) or before the product with the state.
#' @param ... Arguments of every layer, see [layer_dense()]: `name`, `trainable`, `dtype`, ...; anything else is an
#'   error.
#' @return A cell: a layer with the fields `units`, `state_size` (a number, for an LSTM a list of two), `output_size`,
#'   and once it is built `kernel`, `recurrent_kernel` and `bias`.
#' @section Calling a cell:
#' `cell(inputs, states, training = FALSE)` returns a list of the output `(batch, units)` and the list of the new
#' states.
#' * `inputs`: an array or tensor `(batch, features)`.
#' * `states`: a list of the states `(batch, units)`, for an LSTM `h` and `c`; for a stack one list for each of its
#'   cells. A single state may also stand without a list, then the new one does, too.
#'
#' `cell$get_initial_state(batch_size = 32)` makes states of zeros. With `training = TRUE` and dropout a cell draws what
#' to drop in its first call and keeps to it in all later ones, until `cell$reset_dropout_mask()` (inputs) and
#' `cell$reset_recurrent_dropout_mask()` (states); recurrent layers do that for every sequence.
#' @source <https://keras.io/api/layers/recurrent_layers/lstm_cell/>,
#'   <https://keras.io/api/layers/recurrent_layers/gru_cell/>,
#'   <https://keras.io/api/layers/recurrent_layers/simple_rnn_cell/>
#' @family rnn layers
#' @export
#' @examples
#' x <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
#' layer <- layer_rnn(cell = rnn_cell_lstm(units = 4))
#' layer(x)
#'
#' # The same, step by step
#' cell <- layer$cell
#' states <- cell$get_initial_state(batch_size = 2)
#' for (t in 1:5) {
#'   c(output, states) %<-% cell(x[, t, ], states)
#' }
#' output
rnn_cell_lstm <- function(units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
                          kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
                          bias_initializer = "zeros", unit_forget_bias = TRUE, kernel_regularizer = NULL,
                          recurrent_regularizer = NULL, bias_regularizer = NULL, kernel_constraint = NULL,
                          recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0,
                          seed = NULL, ...) {
  create_layer("LSTMCell", NULL, capture_args())
}

register_layer(LSTMCell, rnn_cell_lstm)
