# SimpleRNN: the fully connected recurrent layer and its cell (level 5).

simple_rnn_arguments <- recurrent_arguments()

SimpleRNNCell <- R6::R6Class("SimpleRNNCell",
  inherit = RecurrentCell, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = simple_rnn_arguments,
    kind = "simple_rnn",

    # h' = activation(x K + b + h U)
    step = function(x, states, masks = NULL) {
      inputs <- add_bias(project_gates(x, self$kernel, masks$x, 1L), self$bias)
      h <- self$activate(op_add(inputs, project_gates(states[[1L]], self$recurrent_kernel, masks$h, 1L)))
      list(h, list(h))
    }
  )
)

# Keras takes this argument and then forgets it: SimpleRNN adds no activity penalty, and its config has none.
arg_forgotten_regularizer <- argument(function(x, arg, call) {
  if (is.null(x)) return(NULL)
  get_regularizer(x, call)
  warn_once(
    "simple-rnn-activity-regularizer",
    c("{.arg {arg}} has no effect in a simple recurrent layer, as in Keras.",
      i = "Give it to the layer that follows, or use {.fn layer_gru} or {.fn layer_lstm}.")
  )
  NULL
})

SimpleRNN <- R6::R6Class("SimpleRNN",
  inherit = RNN, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = c(rnn_arguments, insert_arguments(
      simple_rnn_arguments, list(bias_regularizer = list(activity_regularizer = arg_forgotten_regularizer))
    )),
    cell_class = function() SimpleRNNCell
  )
)

#' Fully connected recurrent layer
#'
#' The output of each step is fed back into the next:
#' \deqn{h_t = \phi(x_t K + h_{t-1} U + b)}{h[t] = activation(x[t] K + h[t-1] U + b)}
#'
#' @inheritParams layer_lstm
#' @param activity_regularizer Accepted, without effect: Keras' SimpleRNN ignores it as well. A warning says so once.
#' @inherit layer_lstm return
#' @inheritSection layer_lstm Call arguments
#' @inheritSection layer_lstm Masking
#' @inheritSection layer_lstm States
#' @source <https://keras.io/api/layers/recurrent_layers/simple_rnn/>
#' @family rnn layers
#' @export
#' @examples
#' x <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
#' layer_simple_rnn(x, units = 4)
layer_simple_rnn <- function(object, units, activation = "tanh", use_bias = TRUE,
                             kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
                             bias_initializer = "zeros", kernel_regularizer = NULL, recurrent_regularizer = NULL,
                             bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                             recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0,
                             return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE, stateful = FALSE,
                             unroll = FALSE, seed = NULL, ...) {
  create_layer("SimpleRNN", object, capture_args())
}

register_layer(SimpleRNN, layer_simple_rnn)

#' @rdname rnn_cell_lstm
#' @export
rnn_cell_simple <- function(units, activation = "tanh", use_bias = TRUE, kernel_initializer = "glorot_uniform",
                            recurrent_initializer = "orthogonal", bias_initializer = "zeros",
                            kernel_regularizer = NULL, recurrent_regularizer = NULL, bias_regularizer = NULL,
                            kernel_constraint = NULL, recurrent_constraint = NULL, bias_constraint = NULL,
                            dropout = 0, recurrent_dropout = 0, seed = NULL, ...) {
  create_layer("SimpleRNNCell", NULL, capture_args())
}

register_layer(SimpleRNNCell, rnn_cell_simple)
