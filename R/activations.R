# Activation functions under their Keras names (level 3). The formulas are those of src/activation.h.

#' Activation functions
#'
#' Functions that layers apply to their outputs. Give them to a layer by name (`activation = "tanh"`), as they are
#' (`activation = activation_tanh`), or as a function of your own made of `op_*()`; or call them on tensors and arrays.
#'
#' | name | formula |
#' |---|---|
#' | `linear` | \eqn{x} |
#' | `tanh` | \eqn{\tanh x} |
#' | `sigmoid` | \eqn{\sigma(x) = 1 / (1 + e^{-x})} |
#' | `relu` | \eqn{\max(x, 0)}; up to `max_value`, and `negative_slope * (x - threshold)` below `threshold` |
#' | `relu6` | \eqn{\min(\max(x, 0), 6)} |
#' | `leaky_relu` | \eqn{x} for \eqn{x > 0}, else `negative_slope * x` |
#' | `elu` | \eqn{x} for \eqn{x > 0}, else \eqn{\alpha (e^x - 1)} |
#' | `selu` | \eqn{1.0507 \cdot} `elu` with \eqn{\alpha = 1.67326} |
#' | `celu` | \eqn{x} for \eqn{x > 0}, else \eqn{\alpha (e^{x / \alpha} - 1)} |
#' | `softplus` | \eqn{\log(1 + e^x)} |
#' | `softsign` | \eqn{x / (1 + \mathrm{abs}(x))} |
#' | `silu`, `swish` | \eqn{x \sigma(x)} |
#' | `gelu` | \eqn{x \Phi(x)}, with `approximate = TRUE` through tanh |
#' | `exponential` | \eqn{e^x} |
#' | `log_sigmoid` | \eqn{\log \sigma(x)} |
#' | `hard_sigmoid` | \eqn{x / 6 + 0.5}, limited to 0 and 1 (Keras 2 had 0.2 instead of 1/6) |
#' | `hard_silu`, `hard_swish` | \eqn{x \cdot} `hard_sigmoid` |
#' | `hard_tanh` | \eqn{x}, limited to -1 and 1 |
#' | `mish` | \eqn{x \tanh(\log(1 + e^x))} |
#' | `tanh_shrink` | \eqn{x - \tanh x} |
#' | `soft_shrink` | \eqn{x} moved towards 0 by `threshold`, 0 in between |
#' | `hard_shrink` | 0 from `-threshold` to `threshold`, else \eqn{x} |
#' | `threshold` | \eqn{x} above `threshold`, else `default_value` |
#' | `squareplus` | \eqn{(x + \sqrt{x^2 + b}) / 2} |
#' | `sparse_plus` | 0 below -1, \eqn{(x + 1)^2 / 4} up to 1, then \eqn{x} |
#' | `sparse_sigmoid` | 0 below -1, \eqn{(x + 1) / 2} up to 1, then 1 |
#' | `softmax` | \eqn{e^{x_i} / \sum_j e^{x_j}} along `axis` |
#' | `log_softmax` | \eqn{\log} of `softmax` |
#' | `glu` | first half of `axis` times `sigmoid` of the second half |
#'
#' @param x A tensor, variable, symbolic tensor, or R numbers.
#' @param negative_slope,max_value,threshold,alpha,default_value,b Parameters, see the table; `max_value = NULL`: no
#'   limit.
#' @param approximate Whether `gelu` is approximated.
#' @param axis The axis, counted from 1; negative ones count from the end.
#' @return A tensor of the shape of `x` (`glu`: half of `axis`).
#' @source <https://keras.io/api/layers/activations/>
#' @family activations
#' @export
#' @examples
#' activation_relu(c(-1, 0, 2))
#' activation_softmax(matrix(1:4 / 2, 2))
activation_tanh <- function(x) op_tanh(x)

#' @rdname activation_tanh
#' @export
activation_sigmoid <- function(x) op_sigmoid(x)

#' @rdname activation_tanh
#' @export
activation_relu <- function(x, negative_slope = 0, max_value = NULL, threshold = 0) {
  limit <- check_number(max_value, min = 0, allow_null = TRUE) %||% Inf
  activation_op("relu", x, c(check_number(negative_slope), limit, check_number(threshold)))
}

#' @rdname activation_tanh
#' @export
activation_softmax <- function(x, axis = -1L) op_softmax(x, axis)

#' @rdname activation_tanh
#' @export
activation_linear <- function(x) as_operand(x)

#' @rdname activation_tanh
#' @export
activation_elu <- function(x, alpha = 1) op_elu(x, alpha)

#' @rdname activation_tanh
#' @export
activation_selu <- function(x) op_selu(x)

#' @rdname activation_tanh
#' @export
activation_celu <- function(x, alpha = 1) op_celu(x, alpha)

#' @rdname activation_tanh
#' @export
activation_gelu <- function(x, approximate = FALSE) op_gelu(x, approximate)

#' @rdname activation_tanh
#' @export
activation_silu <- function(x) op_silu(x)

#' @rdname activation_tanh
#' @export
activation_softplus <- function(x) op_softplus(x)

#' @rdname activation_tanh
#' @export
activation_softsign <- function(x) op_softsign(x)

#' @rdname activation_tanh
#' @export
activation_exponential <- function(x) activation_op("exponential", x)

#' @rdname activation_tanh
#' @export
activation_leaky_relu <- function(x, negative_slope = 0.2) op_leaky_relu(x, negative_slope)

#' @rdname activation_tanh
#' @export
activation_relu6 <- function(x) op_relu6(x)

#' @rdname activation_tanh
#' @export
activation_hard_sigmoid <- function(x) op_hard_sigmoid(x)

#' @rdname activation_tanh
#' @export
activation_hard_silu <- function(x) op_hard_silu(x)

#' @rdname activation_tanh
#' @export
activation_hard_tanh <- function(x) op_hard_tanh(x)

#' @rdname activation_tanh
#' @export
activation_log_sigmoid <- function(x) op_log_sigmoid(x)

#' @rdname activation_tanh
#' @export
activation_log_softmax <- function(x, axis = -1L) op_log_softmax(x, axis)

#' @rdname activation_tanh
#' @export
activation_mish <- function(x) activation_op("mish", x)

#' @rdname activation_tanh
#' @export
activation_tanh_shrink <- function(x) op_tanh_shrink(x)

#' @rdname activation_tanh
#' @export
activation_soft_shrink <- function(x, threshold = 0.5) op_soft_shrink(x, threshold)

#' @rdname activation_tanh
#' @export
activation_hard_shrink <- function(x, threshold = 0.5) op_hard_shrink(x, threshold)

#' @rdname activation_tanh
#' @export
activation_threshold <- function(x, threshold = 0, default_value = 0) op_threshold(x, threshold, default_value)

#' @rdname activation_tanh
#' @export
activation_squareplus <- function(x, b = 4) op_squareplus(x, b)

#' @rdname activation_tanh
#' @export
activation_sparse_plus <- function(x) op_sparse_plus(x)

#' @rdname activation_tanh
#' @export
activation_sparse_sigmoid <- function(x) op_sparse_sigmoid(x)

#' @rdname activation_tanh
#' @export
activation_glu <- function(x, axis = -1L) {
  halves <- op_split(x, 2, axis)
  op_multiply(halves[[1]], op_sigmoid(halves[[2]]))
}

# The Keras name of each function, and further spellings of it.
register_activations <- function() {
  spellings <- list(silu = "swish", hard_silu = "hard_swish")
  functions <- list(
    linear = activation_linear, tanh = activation_tanh, sigmoid = activation_sigmoid, relu = activation_relu,
    relu6 = activation_relu6, leaky_relu = activation_leaky_relu, elu = activation_elu, selu = activation_selu,
    celu = activation_celu, softplus = activation_softplus, softsign = activation_softsign, silu = activation_silu,
    gelu = activation_gelu, exponential = activation_exponential, log_sigmoid = activation_log_sigmoid,
    hard_sigmoid = activation_hard_sigmoid, hard_silu = activation_hard_silu, hard_tanh = activation_hard_tanh,
    mish = activation_mish, tanh_shrink = activation_tanh_shrink, soft_shrink = activation_soft_shrink,
    hard_shrink = activation_hard_shrink, threshold = activation_threshold, squareplus = activation_squareplus,
    sparse_plus = activation_sparse_plus, sparse_sigmoid = activation_sparse_sigmoid, softmax = activation_softmax,
    log_softmax = activation_log_softmax, glu = activation_glu
  )
  for (name in names(functions)) {
    register_object("activation", name, structure(functions[[name]], name = name), spellings[[name]] %||% character())
  }
}

register_activations()

# Those along an axis: the rest act on each element by itself, and the recurrent core knows them by name.
axis_activations <- c("softmax", "log_softmax", "glu")

# A string, an activation_*() function or an R function as a function of one tensor; its Keras name is attached if it
# has one. NULL is "linear".
get_activation <- function(x, call = rlang::caller_env()) {
  if (is.null(x)) return(registered("activation", "linear"))
  if (is.character(x) && length(x) == 1) {
    return(registered("activation", x) %||% abort_unknown_name(x, "activation", call))
  }
  if (is_object_config(x)) return(get_activation(deserialize_keras_object(x), call))
  if (!is.function(x)) stop_not("the name of an activation or a function", x, "activation", call)
  if (!is.primitive(x) && length(formals(x)) == 0L) {
    birnn_abort("An activation is a function of one tensor, it cannot be a function without arguments.", call = call)
  }
  known_activation(x) %||% x
}

# An exported activation_*() function given as it is.
known_activation <- function(x) {
  if (!is.null(activation_name(x)) || is_handle(x)) return(x)
  for (known in registry$activation) {
    plain <- known
    attributes(plain) <- attributes(x)
    if (identical(plain, x)) return(known)
  }
}

# The Keras name of what get_activation() returned; NULL for functions of the user's own.
activation_name <- function(x) attr(x, "name", exact = TRUE)

# Whether the recurrent core has this activation.
is_elementwise_activation <- function(x) !is.null(activation_name(x)) && !activation_name(x) %in% axis_activations

# `layer`'s activation (the argument `arg`) of `x`. What a user's function returns is checked: a tensor of the shape of
# `x`; outside of cells the last axis may change, as with "glu".
activate <- function(layer, x, arg = "activation", keeps_units = FALSE) {
  fn <- layer[[arg]]
  if (!is.null(activation_name(fn))) return(fn(x))
  y <- if (is_graph_tensor(x)) activated_shape(fn, x) else call_own_code(fn, list(x))
  expected <- tensor_shape(x)
  shape <- if (is_tensor_like(y)) tensor_shape(y)
  compared <- if (keeps_units) seq_along(expected) else seq_len(length(expected) - 1L)
  if (length(shape) == length(expected) && !any(shape[compared] != expected[compared], na.rm = TRUE)) return(y)
  got <- if (is.null(shape)) describe_value(y) else paste("one of shape", format_shape(shape))
  birnn_abort(
    c("{.arg {arg}} of layer {.val {layer$name}} must return a tensor of the shape of its argument,
       {format_shape(expected)}, not {got}.",
      i = "It is a function of one tensor, made of {.code op_*()} functions."),
    call = NULL
  )
}

# A function that looks at numbers cannot run on symbolic tensors: then the shape stays.
activated_shape <- function(fn, x) {
  tryCatch(fn(x), birnn_error_symbolic = function(e) new_symbolic(tensor_shape(x), tensor_dtype(x)))
}
