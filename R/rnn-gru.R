# GRU: gated recurrent unit, the layer and its cell (level 5).

gru_arguments <- recurrent_arguments(list(
  activation = list(recurrent_activation = arg_activation), recurrent_dropout = list(reset_after = arg_flag)
))

GRUCell <- R6::R6Class("GRUCell",
  inherit = RecurrentCell, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = gru_arguments,
    kind = "gru",
    gates = 3L,

    # With reset_after one row for the inputs and one for the state.
    bias_shape = function() c(if (self$reset_after) 2L, 3L * self$units),

    # Gates z, r, candidate n: h' = z h + (1 - z) n. The reset gate acts after or before the product with the state.
    step = function(x, states, masks = NULL) {
      h <- states[[1L]]
      bias <- if (self$use_bias && self$reset_after) op_unstack(self$bias) else list(self$bias, NULL)
      a <- op_split(add_bias(project_gates(x, self$kernel, masks$x, 3L), bias[[1L]]), 3L, axis = 2L)
      product <- if (self$reset_after) self$reset_after_product else self$reset_before_product
      d <- product(h, a, bias[[2L]], masks$h)
      z <- self$open_gate(op_add(a[[1L]], d$z))
      n <- self$activate(op_add(a[[3L]], d$n))
      h <- op_add(op_multiply(z, h), op_multiply(op_subtract(1, z), n))
      list(h, list(h))
    },

    reset_after_product = function(h, a, bias, masks) {
      d <- op_split(add_bias(project_gates(h, self$recurrent_kernel, masks, 3L), bias), 3L, axis = 2L)
      r <- self$open_gate(op_add(a[[2L]], d[[2L]]))
      list(z = d[[1L]], n = op_multiply(r, d[[3L]]))
    },

    reset_before_product = function(h, a, bias, masks) {
      kernels <- op_split(self$recurrent_kernel, 3L, axis = 2L)
      masks <- if (is.null(masks)) list() else op_unstack(masks, axis = 1L)
      masked <- lapply(1:3, function(gate) if (length(masks) == 0L) h else op_multiply(h, masks[[gate]]))
      r <- self$open_gate(op_add(a[[2L]], op_matmul(masked[[2L]], kernels[[2L]])))
      list(z = op_matmul(masked[[1L]], kernels[[1L]]), n = op_matmul(op_multiply(r, masked[[3L]]), kernels[[3L]]))
    }
  )
)

GRU <- R6::R6Class("GRU",
  inherit = RNN, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = c(
      rnn_arguments,
      insert_arguments(gru_arguments, list(bias_regularizer = list(activity_regularizer = arg_regularizer))),
      gpu_arguments
    ),
    cell_class = function() GRUCell
  )
)

#' Gated recurrent unit
#'
#' The recurrent layer of Cho et al.: \deqn{z, r = \sigma(x_t K + h_{t-1} U + b), \quad
#'   n = \phi(x_t K + r (h_{t-1} U + b') + b)}{z, r = sigma(x[t] K + h[t-1] U + b),
#'   n = phi(x[t] K + r (h[t-1] U + b') + b)} \deqn{h_t = z h_{t-1} + (1 - z) n}{h[t] = z h[t-1] + (1 - z) n}
#' with the blocks z, r, n in the weights. That is `reset_after = TRUE`, where the bias has a row for the inputs and one
#' for the state; with `reset_after = FALSE` the reset gate acts before the product,
#' \eqn{(r h_{t-1}) U}{(r h[t-1]) U}, and the bias has one row.
#'
#' @inheritParams layer_lstm
#' @param reset_after Whether the reset gate acts after (`TRUE`) or before the product with the
#'   state.
#' @inherit layer_lstm return
#' @inheritSection layer_lstm Call arguments
#' @inheritSection layer_lstm Masking
#' @inheritSection layer_lstm States
#' @source <https://keras.io/api/layers/recurrent_layers/gru/>
#' @family rnn layers
#' @export
#' @examples
#' x <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
#' layer_gru(x, units = 4)
layer_gru <- function(object, units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
                      kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
                      bias_initializer = "zeros", kernel_regularizer = NULL, recurrent_regularizer = NULL,
                      bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                      recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0,
                      seed = NULL, return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE,
                      stateful = FALSE, unroll = FALSE, reset_after = TRUE, use_cudnn = "auto", ...) {
  create_layer("GRU", object, capture_args())
}

register_layer(GRU, layer_gru)

#' @rdname rnn_cell_lstm
#' @export
rnn_cell_gru <- function(units, activation = "tanh", recurrent_activation = "sigmoid", use_bias = TRUE,
                         kernel_initializer = "glorot_uniform", recurrent_initializer = "orthogonal",
                         bias_initializer = "zeros", kernel_regularizer = NULL, recurrent_regularizer = NULL,
                         bias_regularizer = NULL, kernel_constraint = NULL, recurrent_constraint = NULL,
                         bias_constraint = NULL, dropout = 0, recurrent_dropout = 0, reset_after = TRUE, seed = NULL,
                         ...) {
  create_layer("GRUCell", NULL, capture_args())
}

register_layer(GRUCell, rnn_cell_gru)
