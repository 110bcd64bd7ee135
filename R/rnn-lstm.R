# LSTM: long short-term memory, the layer and its cell (level 5).

lstm_arguments <- recurrent_arguments(list(
  activation = list(recurrent_activation = arg_activation), bias_initializer = list(unit_forget_bias = arg_flag)
))

LSTMCell <- R6::R6Class("LSTMCell",
  inherit = RecurrentCell, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = lstm_arguments,
    kind = "lstm",
    gates = 4L,
    n_states = 2L,

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
      z <- add_bias(op_add(
        project_gates(x, self$kernel, masks$x, 4L), project_gates(states[[1L]], self$recurrent_kernel, masks$h, 4L)
      ), self$bias)
      z <- op_split(z, 4L, axis = 2L)
      i <- self$recurrent_activation(z[[1L]])
      f <- self$recurrent_activation(z[[2L]])
      o <- self$recurrent_activation(z[[4L]])
      c <- op_add(op_multiply(f, states[[2L]]), op_multiply(i, self$activation(z[[3L]])))
      h <- op_multiply(o, self$activation(c))
      list(h, list(h, c))
    }
  )
)

LSTM <- R6::R6Class("LSTM",
  inherit = RNN, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = c(
      rnn_arguments,
      insert_arguments(lstm_arguments, list(bias_regularizer = list(activity_regularizer = arg_regularizer))),
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
