# ConvLSTM: an LSTM whose inputs and states are images with 1, 2 or 3 axes, and whose products are convolutions
# (level 5).

# Of the cell and of the layer, for images with `rank` axes.
conv_lstm_arguments <- function(rank) {
  window <- list(
    filters = arg_units, kernel_size = arg_sizes(rank), strides = arg_sizes(rank),
    padding = arg_padding(c("valid", "same")), data_format = arg_data_format, dilation_rate = arg_sizes(rank)
  )
  lstm <- lstm_arguments(forget_bias_after = "bias_initializer")
  c(window, lstm[names(lstm) != "units"])
}

# One step: x (batch, image..., channels), states h and c (batch, new image..., filters). The gates are computed with
# the channels last; `data_format` says where they are in x and in the states.
ConvLSTMCell <- R6::R6Class("ConvLSTMCell",
  inherit = LSTMCell, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    rank = NULL,
    input_spec = NULL,
    # The sizes of the states' spatial axes, known once the cell is built.
    image = NULL,

    build = function(input_shape) {
      self$image <- self$state_image(input_shape)
      super$build(input_shape)
    },

    weight_shapes = function(input_shape) {
      window <- function(channels) c(self$kernel_size, channels, self$gates * self$filters)
      list(kernel = window(known_channels(self, input_shape)), recurrent_kernel = window(self$filters))
    },

    # The image that a convolution of an input of this shape gives.
    state_image = function(input_shape) {
      shape <- as_shape(input_shape)
      x <- new_symbolic(shape, self$dtype, name = "shape")
      kernel <- new_symbolic(c(self$kernel_size, known_channels(self, shape), 1L), self$dtype, name = "shape")
      image <- in_layer_call(op_conv(x, kernel, self$strides, self$padding, self$data_format, self$dilation_rate))
      tensor_shape(image)[-c(1L, channel_axis(self, shape))]
    },

    # Sizes of an image without its batch axis.
    with_filters = function(image) {
      if (has_channels_first(self)) c(self$filters, image) else c(image, self$filters)
    },

    step = function(x, states, masks = NULL) {
      if (!has_channels_first(self)) return(super$step(x, states, masks))
      result <- super$step(move_axis_last(x, 1), lapply(states, move_axis_last, 1), masks)
      states <- lapply(result[[2L]], move_last_axis_to, 1)
      list(states[[1L]], states)
    },

    project_inputs = function(x, masks) {
      project_gates(x, self$kernel, masks, 4L, function(x, kernel) {
        op_conv(x, kernel, self$strides, self$padding, dilation_rate = self$dilation_rate)
      })
    },
    project_state = function(h, masks) {
      project_gates(h, self$recurrent_kernel, masks, 4L, function(h, kernel) op_conv(h, kernel, padding = "same"))
    },

    # Each gate has masks of its own, for every number of the image.
    mask_count = function() self$gates,
    mask_sizes = function(inputs) {
      axes <- seq_len(tensor_rank(inputs) - 1L)
      list(x = same_size_as(if (has_channels_first(self)) c(axes[-1L], 1L) else axes), h = c(self$image, self$filters))
    },

    is_compiled = function() FALSE
  ),

  active = list(
    units = function() self$filters,
    state_size = function() rep(list(new_shape(self$output_size)), 2L),
    output_size = function() self$with_filters(self$image %||% rep(NA_integer_, self$rank))
  )
)

# The classes of cells by the number of axes: they differ in what their arguments may be.
conv_lstm_cells <- lapply(1:3, function(rank) {
  R6::R6Class("ConvLSTMCell",
    inherit = ConvLSTMCell, lock_objects = FALSE, cloneable = FALSE,
    public = list(rank = rank, arguments = conv_lstm_arguments(rank))
  )
})

# Given only for compatibility, may be NULL.
conv_lstm_unroll <- extra(argument(function(x, arg, call) check_flag(x %||% FALSE, arg = arg, call = call)), FALSE)

conv_lstm_layer_arguments <- function(rank) {
  arguments <- insert_arguments(
    conv_lstm_arguments(rank), list(bias_regularizer = list(activity_regularizer = arg_regularizer))
  )
  c(replace(rnn_arguments, "unroll", list(conv_lstm_unroll)), arguments)
}

ConvLSTM <- R6::R6Class("ConvLSTM",
  inherit = RNN, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    rank = NULL,
    cell_class = function() conv_lstm_cells[[self$rank]],

    initialize = function(..., .call = rlang::caller_env()) {
      super$initialize(..., .call = .call)
      check_strides_or_dilation(self, .call)
      axes <- c("rows", "columns", "layers")[seq_len(self$rank)]
      axes <- paste(c("batch", "time", axes, "channels"), collapse = ", ")
      self$input_spec <- list(ndim = self$rank + 3L, hint = paste0("Sequences of images are arrays (", axes, ")."))
    },

    build = function(input_shape) {
      check_image(self, input_shape)
      super$build(input_shape)
      axes <- seq.int(3L, length(input_shape))
      self$input_spec$axes <- rlang::set_names(input_shape[axes], axes)
    },

    compute_output_shape = function(input_shape) {
      shape <- as_shape(input_shape)
      check_image(self, shape)
      cell <- layer_object(self$cell)
      state <- c(shape[[1L]], cell$with_filters(cell$state_image(shape[-2L])))
      output <- if (self$return_sequences) append(state, shape[[2L]], 1L) else state
      if (self$return_state) list(output, state, state) else output
    }
  )
)

# The sizes of images must be known, and a window must fit.
check_image <- function(layer, shape) {
  known_channels(layer, shape, batch_axes = 2L)
  if (anyNA(shape[-(1:2)])) {
    birnn_abort(
      c("The spatial axes of the input of layer {.val {layer$name}} must be known when the layer is built.",
        x = "Full shape received: {format_shape(shape)}."),
      kind = "shape", call = NULL
    )
  }
  check_room(layer, shape, window_extent(layer$kernel_size, layer$dilation_rate), batch_axes = 2L)
}

ConvLSTM1D <- R6::R6Class("ConvLSTM1D",
  inherit = ConvLSTM, lock_objects = FALSE, cloneable = FALSE,
  public = list(rank = 1L, arguments = conv_lstm_layer_arguments(1L))
)

ConvLSTM2D <- R6::R6Class("ConvLSTM2D",
  inherit = ConvLSTM, lock_objects = FALSE, cloneable = FALSE,
  public = list(rank = 2L, arguments = conv_lstm_layer_arguments(2L))
)

ConvLSTM3D <- R6::R6Class("ConvLSTM3D",
  inherit = ConvLSTM, lock_objects = FALSE, cloneable = FALSE,
  public = list(rank = 3L, arguments = conv_lstm_layer_arguments(3L))
)

#' LSTM over sequences of images
#'
#' An LSTM in which every product is a convolution: inputs and states are images with 1, 2 or 3 axes, and each gate sees
#' the neighbourhood of a place in both:
#' \deqn{i, f, o = \sigma(K * x_t + U * h_{t-1} + b), \quad g = \phi(K * x_t + U * h_{t-1} + b)}{
#'   i, f, o = sigma(K * x[t] + U * h[t-1] + b),  g = phi(K * x[t] + U * h[t-1] + b)}
#' \deqn{c_t = f c_{t-1} + i g, \quad h_t = o\, \phi(c_t)}{c[t] = f c[t-1] + i g,  h[t] = o phi(c[t])}
#' The convolution of the input has the `strides`, `padding` and `dilation_rate` given; that of the state always keeps
#' the size of the image. The layer runs step by step.
#'
#' @inheritParams layer_lstm
#' @param filters Number of channels of the output and of the states, a positive whole number.
#' @param kernel_size The size of the window: one number, or one for each axis of the image.
#' @param strides How far the window moves, in the same ways.
#' @param padding `"valid"`: windows stay inside the image; `"same"`: with zeros around it; see [op_conv()].
#' @param data_format `"channels_last"`, which `NULL` stands for: images are `(axes..., channels)`; or
#'   `"channels_first"`: `(channels, axes...)`.
#' @param dilation_rate The distance of neighbouring places in a window. Only one of `strides` and `dilation_rate` can
#'   be larger than 1.
#' @param dropout,recurrent_dropout Rates from 0 to 1: how much of the inputs, and of the state, is set to 0 in
#'   training. Each gate draws by itself, once for all steps of a call.
#' @param return_sequences Whether to return the output of every step, `(batch, time, image...)`, or of the last.
#' @param unroll Accepted for compatibility, without effect.
#' @return If `object` is missing or `NULL`: the layer. If it is a sequential model: that model with the layer added,
#'   invisibly. Otherwise the output of the layer: a tensor, or with `return_state = TRUE` a list of the output and the
#'   final states `h` and `c`.
#' @section Shapes:
#' Input `(batch, time, axes..., channels)`, output `(batch, new axes..., filters)`. Weights: `kernel`,
#' `(kernel_size..., channels, 4 * filters)`; `recurrent_kernel`, `(kernel_size..., filters, 4 * filters)`; `bias`, `(4
#' * filters)`; with a block for each gate in the order i, f, g, o.
#' @section Call arguments:
#' `layer(sequences, initial_state = NULL, mask = NULL, training = FALSE)`
#' * `initial_state`: a list of `h` and `c`, each `(batch, new axes..., filters)`; zeros by default.
#' * `mask`: logicals `(batch, time)`, `FALSE` for steps to skip; by default that of the input.
#' * `training`: whether dropout is active.
#' @inheritSection layer_lstm Masking
#' @inheritSection layer_lstm States
#' @source <https://keras.io/api/layers/recurrent_layers/conv_lstm2d/>
#' @references
#' Shi, X. et al. (2015). Convolutional LSTM network: a machine learning approach for precipitation nowcasting.
#' <https://arxiv.org/abs/1506.04214>
#' @family rnn layers
#' @export
#' @examples
#' films <- array(rnorm(2 * 3 * 6 * 5), c(2, 3, 6, 5, 1))
#' layer_conv_lstm_2d(films, filters = 2, kernel_size = 3, padding = "same")
#'
#' layer <- layer_bidirectional(layer = layer_conv_lstm_1d(filters = 2, kernel_size = 2))
#' layer(array(films[, , , 1, 1], c(2, 3, 6, 1)))
layer_conv_lstm_2d <- function(object, filters, kernel_size, strides = 1L, padding = "valid", data_format = NULL,
                               dilation_rate = 1L, activation = "tanh", recurrent_activation = "sigmoid",
                               use_bias = TRUE, kernel_initializer = "glorot_uniform",
                               recurrent_initializer = "orthogonal", bias_initializer = "zeros",
                               unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL,
                               bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                               recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0,
                               seed = NULL, return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE,
                               stateful = FALSE, ..., unroll = NULL) {
  create_layer("ConvLSTM2D", object, capture_args())
}

register_layer(ConvLSTM2D, layer_conv_lstm_2d)

#' @rdname layer_conv_lstm_2d
#' @export
layer_conv_lstm_1d <- function(object, filters, kernel_size, strides = 1L, padding = "valid", data_format = NULL,
                               dilation_rate = 1L, activation = "tanh", recurrent_activation = "sigmoid",
                               use_bias = TRUE, kernel_initializer = "glorot_uniform",
                               recurrent_initializer = "orthogonal", bias_initializer = "zeros",
                               unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL,
                               bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                               recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0,
                               seed = NULL, return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE,
                               stateful = FALSE, ..., unroll = NULL) {
  create_layer("ConvLSTM1D", object, capture_args())
}

register_layer(ConvLSTM1D, layer_conv_lstm_1d)

#' @rdname layer_conv_lstm_2d
#' @export
layer_conv_lstm_3d <- function(object, filters, kernel_size, strides = 1L, padding = "valid", data_format = NULL,
                               dilation_rate = 1L, activation = "tanh", recurrent_activation = "sigmoid",
                               use_bias = TRUE, kernel_initializer = "glorot_uniform",
                               recurrent_initializer = "orthogonal", bias_initializer = "zeros",
                               unit_forget_bias = TRUE, kernel_regularizer = NULL, recurrent_regularizer = NULL,
                               bias_regularizer = NULL, activity_regularizer = NULL, kernel_constraint = NULL,
                               recurrent_constraint = NULL, bias_constraint = NULL, dropout = 0, recurrent_dropout = 0,
                               seed = NULL, return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE,
                               stateful = FALSE, ..., unroll = NULL) {
  create_layer("ConvLSTM3D", object, capture_args())
}

register_layer(ConvLSTM3D, layer_conv_lstm_3d)
