# Convolution over one spatial axis: Conv1D, its depthwise, separable and transposed kinds (level 5).

# The arguments of a convolution, in the order of Keras' configs. `parts`: the kernels, each with an initializer, a
# regularizer and a constraint of its own.
conv_arguments <- function(first, parts = "kernel", paddings = c("valid", "same"), rank = 1L) {
  of_parts <- function(what, argument) {
    names <- paste0(c(parts, "bias"), "_", what)
    rlang::set_names(rep(list(argument), length(names)), names)
  }
  window <- list(
    kernel_size = arg_sizes(rank), strides = arg_sizes(rank), padding = arg_padding(paddings),
    data_format = arg_data_format, dilation_rate = arg_sizes(rank)
  )
  c(
    first[intersect("filters", names(first))], window, first[setdiff(names(first), "filters")],
    list(activation = arg_activation, use_bias = arg_flag), of_parts("initializer", arg_initializer),
    of_parts("regularizer", arg_regularizer), list(activity_regularizer = arg_regularizer),
    of_parts("constraint", arg_constraint)
  )
}

# Subclasses tell the kernels they need, and what they do with them.
BaseConv <- R6::R6Class("BaseConv",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    rank = 1L,
    # Variables by the name of their argument's prefix.
    kernels = list(),
    bias = NULL,

    initialize = function(..., .call = rlang::caller_env()) {
      super$initialize(..., .call = .call)
      check_strides_or_dilation(self, .call)
      self$check_arguments(.call)
      self$input_spec <- list(ndim = self$rank + 2L, hint = window_input_hint)
    },
    check_arguments = function(call) invisible(),

    # A named list: the shape of each kernel for inputs with so many channels.
    kernel_shapes = function(channels) {
      list(kernel = c(self$kernel_size, channels, self$filters))
    },
    convolve = function(inputs, kernels) {
      op_conv(inputs, kernels$kernel, self$strides, self$padding, self$data_format, self$dilation_rate)
    },
    output_channels = function(channels) self$filters,

    build = function(input_shape) {
      channels <- known_channels(self, input_shape)
      shapes <- self$kernel_shapes(channels)
      self$kernels <- Map(function(part, shape) self$add_part(part, shape), names(shapes), shapes)
      if (self$use_bias) self$bias <- self$add_part("bias", self$output_channels(channels))
      self$input_spec$axes <- rlang::set_names(channels, if (has_channels_first(self)) "2" else "-1")
    },

    add_part = function(part, shape) {
      field <- function(what) self[[paste0(part, "_", what)]]
      name <- if (part %in% c("kernel", "bias")) part else self$weight_name(part)
      self$add_weight(shape, field("initializer"), regularizer = field("regularizer"), constraint = field("constraint"),
                      name = name)
    },
    weight_name = function(part) paste0(part, "_kernel"),

    call = function(inputs) {
      self$check_input(tensor_shape(inputs))
      outputs <- self$convolve(inputs, self$kernels)
      if (self$use_bias) outputs <- op_add(outputs, self$bias_like_channels())
      activate(self, outputs)
    },

    bias_like_channels = function() {
      if (has_channels_first(self)) op_reshape(self$bias, c(-1L, rep(1L, self$rank))) else self$bias
    },

    check_input = function(shape) check_room(self, shape, window_extent(self$kernel_size, self$dilation_rate)),

    compute_output_shape = function(input_shape) {
      shape <- as_shape(input_shape)
      self$check_input(shape)
      symbolic <- function(sizes) new_symbolic(sizes, self$dtype, name = "shape")
      kernels <- lapply(self$kernel_shapes(known_channels(self, shape)), symbolic)
      tensor_shape(in_layer_call(self$convolve(symbolic(shape), kernels)))
    }
  ),

  active = list(
    kernel = function() self$kernels$kernel
  )
)

window_input_hint <- paste(
  "The input is an array (batch, steps, channels). A recurrent layer before it needs",
  "{.code return_sequences = TRUE}."
)

Conv1D <- R6::R6Class("Conv1D",
  inherit = BaseConv, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = conv_arguments(
      list(filters = arg_units, groups = arg_whole(min = 1)), paddings = c("valid", "same", "causal")
    ),

    check_arguments = function(call) {
      if (self$filters %% self$groups == 0L) return(invisible())
      birnn_abort("{.arg filters} must be a multiple of {.arg groups}, but {self$filters} is none of {self$groups}.",
                  call = call)
    },

    kernel_shapes = function(channels) {
      if (channels %% self$groups != 0L) {
        birnn_abort(
          "The {channels} channel{?s} of the input of layer {.val {self$name}} cannot be divided into {self$groups}
           groups.",
          kind = "shape", call = NULL
        )
      }
      list(kernel = c(self$kernel_size, channels %/% self$groups, self$filters))
    }
  )
)

#' Convolution over time
#'
#' Each output step sees `kernel_size` neighbouring steps of the input: `activation(convolution + bias)`, with the
#' windows and paddings of [op_conv()]. The output has no mask.
#'
#' @inheritParams layer_dense
#' @param filters Number of channels of the output, a positive whole number.
#' @param kernel_size Number of steps in a window.
#' @param strides How many steps the window moves at a time.
#' @param padding `"valid"`: windows stay inside; `"same"`: zeros on both sides, so that there are `steps / strides`
#'   outputs, rounded up; `"causal"`: all zeros in front, so that no output sees later steps.
#' @param data_format `"channels_last"`, which `NULL` stands for: `(batch, steps, channels)`; or `"channels_first"`:
#'   `(batch, channels, steps)`.
#' @param dilation_rate The distance of neighbouring steps in a window. Only one of `strides` and `dilation_rate` can be
#'   larger than 1.
#' @param groups Into how many parts the channels and the filters are cut, which do not see each other.
#' @param activation,kernel_initializer,bias_initializer,kernel_regularizer,bias_regularizer,activity_regularizer
#'   See [layer_dense()].
#' @inherit layer_dense return
#' @section Shapes:
#' Input `(batch, steps, channels)`, output `(batch, new steps, filters)`. Weights: `kernel`, `(kernel_size, channels /
#' groups, filters)`, and `bias`, `(filters)`.
#' @source <https://keras.io/api/layers/convolution_layers/convolution1d/>
#' @family convolution layers
#' @export
#' @examples
#' x <- array(rnorm(2 * 6 * 3), c(2, 6, 3))
#' layer_conv_1d(x, filters = 4, kernel_size = 3, padding = "causal", activation = "relu")
layer_conv_1d <- function(object, filters, kernel_size, strides = 1L, padding = "valid", data_format = NULL,
                          dilation_rate = 1L, groups = 1L, activation = NULL, use_bias = TRUE,
                          kernel_initializer = "glorot_uniform", bias_initializer = "zeros", kernel_regularizer = NULL,
                          bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                          bias_constraint = NULL, ...) {
  create_layer("Conv1D", object, capture_args())
}

register_layer(Conv1D, layer_conv_1d)

# --- each channel by itself ---------------------------------------------------------------------------------------

DepthwiseConv1D <- R6::R6Class("DepthwiseConv1D",
  inherit = BaseConv, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = conv_arguments(list(depth_multiplier = arg_whole(min = 1)), parts = "depthwise"),
    kernel_shapes = function(channels) list(depthwise = c(self$kernel_size, channels, self$depth_multiplier)),
    convolve = function(inputs, kernels) {
      op_depthwise_conv(inputs, kernels$depthwise, self$strides, self$padding, self$data_format, self$dilation_rate)
    },
    output_channels = function(channels) channels * self$depth_multiplier,
    weight_name = function(part) "kernel"
  ),
  active = list(kernel = function() self$kernels$depthwise)
)

SeparableConv1D <- R6::R6Class("SeparableConv1D",
  inherit = BaseConv, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = conv_arguments(
      list(filters = arg_units, depth_multiplier = arg_whole(min = 1)), parts = c("depthwise", "pointwise"),
      paddings = c("valid", "same", "causal")
    ),
    kernel_shapes = function(channels) {
      multiplied <- channels * self$depth_multiplier
      list(
        depthwise = c(self$kernel_size, channels, self$depth_multiplier),
        pointwise = c(rep(1L, self$rank), multiplied, self$filters)
      )
    },
    convolve = function(inputs, kernels) {
      op_separable_conv(inputs, kernels$depthwise, kernels$pointwise, self$strides, self$padding, self$data_format,
                        self$dilation_rate)
    }
  ),
  active = list(
    depthwise_kernel = function() self$kernels$depthwise,
    pointwise_kernel = function() self$kernels$pointwise
  )
)

#' Convolutions over time that treat channels one by one
#'
#' `layer_depthwise_conv_1d()` convolves each channel with `depth_multiplier` windows of its own.
#' `layer_separable_conv_1d()` does the same and then mixes the channels of each step: a convolution with far fewer
#' weights.
#'
#' @inheritParams layer_conv_1d
#' @param padding As in [layer_conv_1d()]; `"causal"` for `layer_separable_conv_1d()` only.
#' @param depth_multiplier How many outputs each channel has.
#' @param depthwise_initializer,pointwise_initializer How the two kernels start; see [layer_dense()].
#' @param depthwise_regularizer,pointwise_regularizer Penalties; see [layer_dense()].
#' @param depthwise_constraint,pointwise_constraint Constraints; see [layer_dense()].
#' @param activation,bias_initializer,bias_regularizer,activity_regularizer,bias_constraint See [layer_dense()].
#' @inherit layer_dense return
#' @section Shapes:
#' Input `(batch, steps, channels)`, output `(batch, new steps, channels * depth_multiplier)`, or `(batch, new steps,
#' filters)` for the separable one. Weights: the depthwise kernel `(kernel_size, channels, depth_multiplier)`, for the
#' separable one the pointwise kernel `(1, channels * depth_multiplier, filters)`, and the bias.
#' @source <https://keras.io/api/layers/convolution_layers/separable_convolution1d/>,
#'   <https://keras.io/api/layers/convolution_layers/depthwise_convolution1d/>
#' @family convolution layers
#' @export
#' @examples
#' x <- array(rnorm(2 * 6 * 3), c(2, 6, 3))
#' layer_depthwise_conv_1d(x, kernel_size = 2, depth_multiplier = 2)
#' layer_separable_conv_1d(x, filters = 4, kernel_size = 2)
layer_depthwise_conv_1d <- function(object, kernel_size, strides = 1L, padding = "valid", depth_multiplier = 1L,
                                    data_format = NULL, dilation_rate = 1L, activation = NULL, use_bias = TRUE,
                                    depthwise_initializer = "glorot_uniform", bias_initializer = "zeros",
                                    depthwise_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                                    depthwise_constraint = NULL, bias_constraint = NULL, ...) {
  create_layer("DepthwiseConv1D", object, capture_args())
}

register_layer(DepthwiseConv1D, layer_depthwise_conv_1d)

#' @rdname layer_depthwise_conv_1d
#' @export
layer_separable_conv_1d <- function(object, filters, kernel_size, strides = 1L, padding = "valid", data_format = NULL,
                                    dilation_rate = 1L, depth_multiplier = 1L, activation = NULL, use_bias = TRUE,
                                    depthwise_initializer = "glorot_uniform", pointwise_initializer = "glorot_uniform",
                                    bias_initializer = "zeros", depthwise_regularizer = NULL,
                                    pointwise_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                                    depthwise_constraint = NULL, pointwise_constraint = NULL, bias_constraint = NULL,
                                    ...) {
  create_layer("SeparableConv1D", object, capture_args())
}

register_layer(SeparableConv1D, layer_separable_conv_1d)

# --- the other way ------------------------------------------------------------------------------------------------

Conv1DTranspose <- R6::R6Class("Conv1DTranspose",
  inherit = BaseConv, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = conv_arguments(list(filters = arg_units)),
    kernel_shapes = function(channels) list(kernel = c(self$kernel_size, self$filters, channels)),
    convolve = function(inputs, kernels) {
      op_conv_transpose(inputs, kernels$kernel, self$strides, self$padding, NULL, self$data_format, self$dilation_rate)
    },
    # The output is the longer side: any input will do.
    check_input = function(shape) invisible()
  )
)

#' Transposed convolution over time
#'
#' Goes the way of a convolution backwards: each input step is spread over `kernel_size` steps of the output, which is
#' `strides` times as long; see [op_conv_transpose()].
#'
#' @inheritParams layer_conv_1d
#' @param padding `"valid"` or `"same"`.
#' @inherit layer_dense return
#' @section Shapes:
#' Input `(batch, steps, channels)`, output `(batch, new steps, filters)`. Weights: `kernel`, `(kernel_size, filters,
#' channels)`, and `bias`, `(filters)`.
#' @source <https://keras.io/api/layers/convolution_layers/convolution1d_transpose/>
#' @family convolution layers
#' @export
#' @examples
#' x <- array(rnorm(2 * 4 * 3), c(2, 4, 3))
#' layer_conv_1d_transpose(x, filters = 2, kernel_size = 3, strides = 2, padding = "same")
layer_conv_1d_transpose <- function(object, filters, kernel_size, strides = 1L, padding = "valid", data_format = NULL,
                                    dilation_rate = 1L, activation = NULL, use_bias = TRUE,
                                    kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
                                    kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                                    kernel_constraint = NULL, bias_constraint = NULL, ...) {
  create_layer("Conv1DTranspose", object, capture_args())
}

register_layer(Conv1DTranspose, layer_conv_1d_transpose)
