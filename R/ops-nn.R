# Activation functions as ops (level 2). Their formulas are those of src/activation.h and of activation_*().

activation_op <- function(name, x, params = NULL) {
  float_op("activation", x, list(name = name, params = params))
}

#' Activation functions as operations
#'
#' The functions that layers apply to their outputs; [activation_tanh()] lists them with their formulas.
#'
#' @param x A tensor, variable, symbolic tensor, or R numbers.
#' @param alpha,negative_slope,threshold,default_value,b Parameters of the function, see [activation_tanh()].
#' @param approximate Whether `op_gelu()` uses the approximation by tanh (the default here, as in Keras' `ops.gelu`).
#' @param axis The axis along which the results add up to one, counted from 1; negative ones count from the end.
#' @return A tensor of the same shape.
#' @source <https://keras.io/api/ops/nn/>
#' @family ops
#' @export
#' @examples
#' op_sigmoid(c(-1, 0, 1))
#' op_softmax(matrix(1:6, 2))
op_tanh <- function(x) activation_op("tanh", x)

#' @rdname op_tanh
#' @export
op_sigmoid <- function(x) activation_op("sigmoid", x)

#' @rdname op_tanh
#' @export
op_relu <- function(x) activation_op("relu", x)

#' @rdname op_tanh
#' @export
op_relu6 <- function(x) activation_op("relu6", x)

#' @rdname op_tanh
#' @export
op_leaky_relu <- function(x, negative_slope = 0.2) activation_op("leaky_relu", x, check_number(negative_slope))

#' @rdname op_tanh
#' @export
op_elu <- function(x, alpha = 1) activation_op("elu", x, check_number(alpha))

#' @rdname op_tanh
#' @export
op_selu <- function(x) activation_op("selu", x)

#' @rdname op_tanh
#' @export
op_celu <- function(x, alpha = 1) activation_op("celu", x, check_number(alpha))

#' @rdname op_tanh
#' @export
op_softplus <- function(x) activation_op("softplus", x)

#' @rdname op_tanh
#' @export
op_softsign <- function(x) activation_op("softsign", x)

#' @rdname op_tanh
#' @export
op_silu <- function(x) activation_op("silu", x)

#' @rdname op_tanh
#' @export
op_swish <- op_silu

#' @rdname op_tanh
#' @export
op_gelu <- function(x, approximate = TRUE) activation_op(if (check_flag(approximate)) "gelu_tanh" else "gelu", x)

#' @rdname op_tanh
#' @export
op_log_sigmoid <- function(x) activation_op("log_sigmoid", x)

#' @rdname op_tanh
#' @export
op_hard_sigmoid <- function(x) activation_op("hard_sigmoid", x)

#' @rdname op_tanh
#' @export
op_hard_silu <- function(x) activation_op("hard_silu", x)

#' @rdname op_tanh
#' @export
op_hard_swish <- op_hard_silu

#' @rdname op_tanh
#' @export
op_hard_tanh <- function(x) activation_op("hard_tanh", x)

#' @rdname op_tanh
#' @export
op_tanh_shrink <- function(x) activation_op("tanh_shrink", x)

#' @rdname op_tanh
#' @export
op_soft_shrink <- function(x, threshold = 0.5) activation_op("soft_shrink", x, check_number(threshold))

#' @rdname op_tanh
#' @export
op_hard_shrink <- function(x, threshold = 0.5) activation_op("hard_shrink", x, check_number(threshold))

#' @rdname op_tanh
#' @export
op_threshold <- function(x, threshold, default_value) {
  activation_op("threshold", x, c(check_number(threshold), check_number(default_value)))
}

#' @rdname op_tanh
#' @export
op_squareplus <- function(x, b = 4) activation_op("squareplus", x, check_number(b))

#' @rdname op_tanh
#' @export
op_sparse_plus <- function(x) activation_op("sparse_plus", x)

#' @rdname op_tanh
#' @export
op_sparse_sigmoid <- function(x) activation_op("sparse_sigmoid", x)

#' @rdname op_tanh
#' @export
op_softmax <- function(x, axis = -1L) softmax_op("softmax", x, axis)

#' @rdname op_tanh
#' @export
op_log_softmax <- function(x, axis = -1L) softmax_op("log_softmax", x, axis)

softmax_op <- function(name, x, axis, call = rlang::caller_env()) {
  x <- as_float_operand(x)
  apply_op(name, list(x), list(axis = one_axis(axis, tensor_rank(x), call = call)))
}
