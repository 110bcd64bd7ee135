# Pooling over time: in windows, and over all steps (level 5).

BasePooling <- R6::R6Class("BasePooling",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      pool_size = arg_sizes(1L), strides = arg_sizes(1L, allow_null = TRUE), padding = arg_padding(c("valid", "same")),
      data_format = arg_data_format
    ),
    input_spec = list(ndim = 3L, hint = window_input_hint),
    built = TRUE,

    initialize = function(..., .call = rlang::caller_env()) {
      super$initialize(..., .call = .call)
      self$strides <- self$strides %||% self$pool_size
    },

    call = function(inputs) {
      check_room(self, tensor_shape(inputs), self$pool_size)
      self$pool(inputs)
    },

    compute_output_shape = function(input_shape) traced_output_shape(self, as_shape(input_shape))
  )
)

MaxPooling1D <- R6::R6Class("MaxPooling1D",
  inherit = BasePooling, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    pool = function(inputs) op_max_pool(inputs, self$pool_size, self$strides, self$padding, self$data_format)
  )
)

AveragePooling1D <- R6::R6Class("AveragePooling1D",
  inherit = BasePooling, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    pool = function(inputs) op_average_pool(inputs, self$pool_size, self$strides, self$padding, self$data_format)
  )
)

#' Pooling over time
#'
#' The largest number, or the average, of each channel in windows of `pool_size` steps; see [op_max_pool()].
#'
#' @inheritParams layer_conv_1d
#' @param pool_size Number of steps in a window.
#' @param strides How many steps the window moves at a time; `NULL` for `pool_size`.
#' @param padding `"valid"`: windows stay inside; `"same"`: they may reach over the ends, so that there are
#'   `steps / strides` outputs, rounded up. What lies outside does not take part.
#' @param name A name for the layer.
#' @inherit layer_dense return
#' @section Shapes:
#' Input `(batch, steps, channels)`, output `(batch, new steps, channels)`.
#' @source <https://keras.io/api/layers/pooling_layers/>
#' @family convolution layers
#' @export
#' @examples
#' x <- array(rnorm(2 * 6 * 3), c(2, 6, 3))
#' layer_max_pooling_1d(x, pool_size = 2)
#' layer_average_pooling_1d(x, pool_size = 3, strides = 1, padding = "same")
layer_max_pooling_1d <- function(object, pool_size = 2L, strides = NULL, padding = "valid", data_format = NULL,
                                 name = NULL, ...) {
  create_layer("MaxPooling1D", object, capture_args())
}

register_layer(MaxPooling1D, layer_max_pooling_1d)

#' @rdname layer_max_pooling_1d
#' @export
layer_average_pooling_1d <- function(object, pool_size, strides = NULL, padding = "valid", data_format = NULL,
                                     name = NULL, ...) {
  create_layer("AveragePooling1D", object, capture_args())
}

register_layer(AveragePooling1D, layer_average_pooling_1d)

# --- over all steps -----------------------------------------------------------------------------------------------

BaseGlobalPooling <- R6::R6Class("BaseGlobalPooling",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(data_format = arg_data_format, keepdims = arg_flag),
    input_spec = list(ndim = 3L, hint = window_input_hint),
    built = TRUE,

    step_axis = function() if (has_channels_first(self)) 3L else 2L,

    compute_output_shape = function(input_shape) {
      shape <- as_shape(input_shape)
      if (self$keepdims) replace(shape, self$step_axis(), 1L) else shape[-self$step_axis()]
    }
  )
)

GlobalMaxPooling1D <- R6::R6Class("GlobalMaxPooling1D",
  inherit = BaseGlobalPooling, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    call = function(inputs) op_max(inputs, axis = self$step_axis(), keepdims = self$keepdims)
  )
)

GlobalAveragePooling1D <- R6::R6Class("GlobalAveragePooling1D",
  inherit = BaseGlobalPooling, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    supports_masking = TRUE,

    # Masked steps are not counted.
    call = function(inputs, mask = NULL) {
      axis <- self$step_axis()
      if (is.null(mask)) return(op_mean(inputs, axis = axis, keepdims = self$keepdims))
      mask <- as_sequence_mask(self, mask, tensor_shape(inputs)[c(1L, axis)])
      mask <- op_expand_dims(mask, if (axis == 2L) 3L else 2L)
      total <- op_sum(op_where(mask, inputs, as_tensor(0, tensor_dtype(inputs))), axis = axis, keepdims = self$keepdims)
      op_divide(total, op_sum(op_cast(mask, tensor_dtype(inputs)), axis = axis, keepdims = self$keepdims))
    },

    # There are no steps left to mask.
    compute_mask = function(inputs, mask = NULL) NULL
  )
)

#' Pooling over all steps
#'
#' The largest number, or the average, of each channel over all steps. The average does not count masked steps; the
#' maximum does, as in Keras. The output has no mask.
#'
#' @inheritParams layer_conv_1d
#' @param keepdims Whether the axis of steps is kept, with size 1.
#' @inherit layer_dense return
#' @section Shapes:
#' Input `(batch, steps, channels)`, output `(batch, channels)`, or `(batch, 1, channels)` with `keepdims = TRUE`.
#' @section Call arguments:
#' `mask`, for `layer_global_average_pooling_1d()`: logicals `(batch, steps)`, `FALSE` for steps that do not count.
#' @source <https://keras.io/api/layers/pooling_layers/global_average_pooling1d/>
#' @family convolution layers
#' @export
#' @examples
#' x <- array(1:12, c(2, 3, 2))
#' layer_global_average_pooling_1d(x)
#' layer_global_max_pooling_1d(x)
layer_global_average_pooling_1d <- function(object, data_format = NULL, keepdims = FALSE, ...) {
  create_layer("GlobalAveragePooling1D", object, capture_args())
}

register_layer(GlobalAveragePooling1D, layer_global_average_pooling_1d)

#' @rdname layer_global_average_pooling_1d
#' @export
layer_global_max_pooling_1d <- function(object, data_format = NULL, keepdims = FALSE, ...) {
  create_layer("GlobalMaxPooling1D", object, capture_args())
}

register_layer(GlobalMaxPooling1D, layer_global_max_pooling_1d)
