# Activations as layers, and the layer that does nothing (level 5).

Activation <- R6::R6Class("Activation",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(activation = arg_activation),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 0L),
    built = TRUE,
    call = function(inputs) activate(self, inputs),
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

#' Apply an activation
#'
#' @inheritParams layer_dense
#' @param activation A string such as `"relu"`, an `activation_*()` function or an R function of one tensor.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/core_layers/activation/>
#' @family core layers
#' @export
#' @examples
#' layer_activation(c(-1, 0, 2), "relu")
layer_activation <- function(object, activation, ...) {
  create_layer("Activation", object, capture_args())
}

register_layer(Activation, layer_activation)

Softmax <- R6::R6Class("Softmax",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(axis = arg_axes),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 1L),
    built = TRUE,

    # A mask as large as the inputs takes elements out; a mask of time steps does not concern the features.
    call = function(inputs, mask = NULL) {
      if (!is.null(mask) && tensor_rank(mask) != tensor_rank(inputs)) mask <- NULL
      masked_softmax(inputs, mask, self$axis)
    },

    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

# Softmax over the elements that `mask` keeps: the others get 0, also where it keeps none. `axis`: one or several.
masked_softmax <- function(x, mask = NULL, axis = -1L) {
  if (is.null(mask)) return(softmax_over(x, axis))
  lowest <- as_tensor(-3e38, tensor_dtype(x))
  op_where(mask, softmax_over(op_where(mask, x, lowest), axis), as_tensor(0, tensor_dtype(x)))
}

softmax_over <- function(x, axis) {
  if (length(axis) == 1L) return(op_softmax(x, axis = axis))
  op_exp(op_subtract(x, op_logsumexp(x, axis = axis, keepdims = TRUE)))
}

#' Softmax over an axis
#'
#' @inheritParams layer_dense
#' @param axis The axis or axes along which the results add up to 1, counted from 1 (the batch); -1 is the last.
#' @inherit layer_dense return
#' @section Call arguments:
#' `mask`: logicals as large as the input, `FALSE` for elements that get no weight.
#' @source <https://keras.io/api/layers/activation_layers/softmax/>
#' @family core layers
#' @export
#' @examples
#' layer_activation_softmax(matrix(c(0, 1, 2, 3), 2))
layer_activation_softmax <- function(object, axis = -1L, ...) {
  create_layer("Softmax", object, capture_args())
}

register_layer(Softmax, layer_activation_softmax)

ReLU <- R6::R6Class("ReLU",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      max_value = arg_number(min = 0, allow_null = TRUE),
      negative_slope = arg_number(min = 0),
      threshold = arg_number(min = 0)
    ),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 0L),
    built = TRUE,
    call = function(inputs) activation_relu(inputs, self$negative_slope, self$max_value, self$threshold),
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

#' Rectified linear unit
#'
#' `x` from `threshold` to `max_value`, `max_value` above, `negative_slope * (x - threshold)` below.
#'
#' @inheritParams layer_dense
#' @param max_value Largest output, `NULL` for none.
#' @param negative_slope,threshold Numbers of at least 0.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/activation_layers/relu/>
#' @family core layers
#' @export
#' @examples
#' layer_activation_relu(c(-2, 1, 9), max_value = 6, negative_slope = 0.1)
layer_activation_relu <- function(object, max_value = NULL, negative_slope = 0, threshold = 0, ...) {
  create_layer("ReLU", object, capture_args())
}

register_layer(ReLU, layer_activation_relu)

Identity <- R6::R6Class("Identity",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    supports_masking = TRUE,
    casts_inputs = FALSE,
    built = TRUE,
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

#' Layer that returns its input
#'
#' @inheritParams layer_dense
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/core_layers/identity/>
#' @family core layers
#' @export
#' @examples
#' layer_identity(c(1, 2))
layer_identity <- function(object, ...) {
  create_layer("Identity", object, capture_args())
}

register_layer(Identity, layer_identity)
