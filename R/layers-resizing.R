# Sequences made longer or shorter: repeated steps, zeros around them, steps cut off (level 5).

UpSampling1D <- R6::R6Class("UpSampling1D",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(size = arg_whole(min = 1)),
    input_spec = list(ndim = 3L, hint = window_input_hint),
    built = TRUE,
    call = function(inputs) op_repeat(inputs, self$size, axis = 2L),
    compute_output_shape = function(input_shape) {
      shape <- as_shape(input_shape)
      replace(shape, 2L, shape[[2L]] * self$size)
    }
  )
)

#' Repeat steps
#'
#' Each step of a sequence comes `size` times in a row.
#'
#' @inheritParams layer_dense
#' @param size How often, a positive whole number.
#' @inherit layer_dense return
#' @section Shapes:
#' Input `(batch, steps, channels)`, output `(batch, steps * size, channels)`.
#' @source <https://keras.io/api/layers/reshaping_layers/up_sampling1d/>
#' @family convolution layers
#' @export
#' @examples
#' layer_upsampling_1d(array(1:6, c(1, 3, 2)), size = 2)
layer_upsampling_1d <- function(object, size = 2L, ...) {
  create_layer("UpSampling1D", object, capture_args())
}

register_layer(UpSampling1D, layer_upsampling_1d)

# How many steps in front and behind, as for both if it is one number.
arg_both_ends <- argument(
  function(x, arg, call) window_sizes(if (length(unlist(x)) == 1L) rep(unlist(x), 2L) else x, 2L, min = 0, arg, call),
  save = config_sizes
)

ZeroPadding1D <- R6::R6Class("ZeroPadding1D",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(padding = arg_both_ends, data_format = arg_data_format),
    input_spec = list(ndim = 3L, hint = window_input_hint),
    built = TRUE,
    step_axis = function() if (has_channels_first(self)) 3L else 2L,
    call = function(inputs) op_pad(inputs, replace(rep(list(c(0L, 0L)), 3L), self$step_axis(), list(self$padding))),
    compute_output_shape = function(input_shape) {
      shape <- as_shape(input_shape)
      axis <- self$step_axis()
      replace(shape, axis, shape[[axis]] + sum(self$padding))
    }
  )
)

#' Zeros around a sequence, and steps cut off
#'
#' `layer_zero_padding_1d()` puts steps of zeros in front of a sequence and behind it; `layer_cropping_1d()` takes steps
#' away.
#'
#' @inheritParams layer_conv_1d
#' @param padding,cropping How many steps: one number for both ends, or two for the front and the end.
#' @inherit layer_dense return
#' @section Shapes:
#' Input `(batch, steps, channels)`, output `(batch, new steps, channels)`.
#' @source <https://keras.io/api/layers/reshaping_layers/zero_padding1d/>,
#'   <https://keras.io/api/layers/reshaping_layers/cropping1d/>
#' @family convolution layers
#' @export
#' @examples
#' x <- array(1:6, c(1, 3, 2))
#' layer_zero_padding_1d(x, padding = c(1, 0))
#' layer_cropping_1d(x, cropping = c(1, 0))
layer_zero_padding_1d <- function(object, padding = 1L, data_format = NULL, ...) {
  create_layer("ZeroPadding1D", object, capture_args())
}

register_layer(ZeroPadding1D, layer_zero_padding_1d)

Cropping1D <- R6::R6Class("Cropping1D",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(cropping = arg_both_ends),
    input_spec = list(ndim = 3L, hint = window_input_hint),
    built = TRUE,

    call = function(inputs) {
      self$left_steps(tensor_shape(inputs))
      cut <- self$cropping
      slice_axis(inputs, 2L, begin = cut[[1L]], end = if (cut[[2L]] > 0L) -cut[[2L]] else NaN)
    },

    left_steps = function(shape) {
      left <- shape[[2L]] - sum(self$cropping)
      if (is.na(left) || left > 0L) return(left)
      birnn_abort(
        c("{.arg cropping} of layer {.val {self$name}} takes {sum(self$cropping)} step{?s}, but the input has only
           {shape[[2L]]}.",
          x = "Full shape received: {format_shape(shape)}."),
        kind = "shape", call = NULL
      )
    },

    compute_output_shape = function(input_shape) {
      shape <- as_shape(input_shape)
      replace(shape, 2L, self$left_steps(shape))
    }
  )
)

#' @rdname layer_zero_padding_1d
#' @export
layer_cropping_1d <- function(object, cropping = list(1L, 1L), ...) {
  create_layer("Cropping1D", object, capture_args())
}

register_layer(Cropping1D, layer_cropping_1d)
