# Convolution and pooling: windows that slide over 1 to 3 spatial axes (level 2). The core knows channels-last tensors,
# (batch, spatial..., channels); others are transposed on the way in and out.

#' Convolutions
#'
#' `op_conv()` slides a window over the spatial axes and multiplies what it sees with the kernel (the kernel is not
#' flipped). `op_depthwise_conv()` does so for each channel by itself; `op_separable_conv()` follows it by a convolution
#' with windows of size 1. `op_conv_transpose()` goes the other way: from something with the shape of a convolution's
#' output to something with the shape of its input.
#'
#' An axis of size n gives, for windows of `extent = (size - 1) * dilation_rate + 1`,
#' * with `padding = "valid"` `(n - extent) %/% strides + 1` outputs: windows stay inside;
#' * with `"same"` `ceiling(n / strides)`: zeros are put on both sides, an odd one at the end;
#' * with `"causal"` as many, with all zeros in front: an output depends on nothing that comes after it.
#'
#' `op_conv_transpose()` gives `n * strides` outputs with `"same"` padding and `max(extent - strides, 0)` more with
#' `"valid"`; with `output_padding` `(n - 1) * strides + extent + output_padding`, less `2 * (extent %/% 2)` for
#' `"same"`.
#'
#' @param inputs A tensor `(batch, spatial..., channels)` with 1 to 3 spatial axes, or an array.
#' @param kernel A tensor `(window sizes..., channels, filters)`. With `channels` a whole part of those of `inputs`,
#'   channels and filters are cut into as many groups that do not see each other. For `op_conv_transpose()` `(window
#'   sizes..., filters, channels)`; for `op_depthwise_conv()` `(window sizes..., channels, multiplier)`.
#' @param depthwise_kernel,pointwise_kernel Tensors `(window sizes..., channels, multiplier)` and `(1..., channels *
#'   multiplier, filters)`.
#' @param strides How far the window moves: one number, or one for each spatial axis.
#' @param padding `"valid"`, `"same"` or `"causal"`.
#' @param output_padding `NULL`, or how much longer the output is made, a number or one for each spatial axis.
#' @param data_format `"channels_last"`, which `NULL` stands for, or `"channels_first"`: `(batch, channels,
#'   spatial...)`.
#' @param dilation_rate The distance of neighbouring elements of a window, in the same ways.
#' @return A tensor `(batch, spatial..., filters)`.
#' @source <https://keras.io/api/ops/nn/#conv-function>
#' @family ops
#' @export
#' @examples
#' x <- array(1:6, c(1, 6, 1))
#' op_conv(x, array(c(-1, 1), c(2, 1, 1)))
#' op_conv(x, array(1, c(3, 1, 1)), padding = "causal")
op_conv <- function(inputs, kernel, strides = 1L, padding = "valid", data_format = NULL, dilation_rate = 1L) {
  operands <- float_operands(inputs, kernel)
  rank <- spatial_rank(operands[[1L]])
  check_kernel(operands[[2L]], rank)
  attrs <- list(
    strides = window_sizes(strides, rank), dilation_rate = window_sizes(dilation_rate, rank),
    padding = check_padding(padding)
  )
  with_channels_last(operands[[1L]], data_format, function(x) apply_op("conv", list(x, operands[[2L]]), attrs))
}

#' @rdname op_conv
#' @export
op_depthwise_conv <- function(inputs, kernel, strides = 1L, padding = "valid", data_format = NULL,
                              dilation_rate = 1L) {
  inputs <- as_operand(inputs)
  kernel <- check_kernel(as_operand(kernel), spatial_rank(inputs))
  op_conv(inputs, grouped_kernel(kernel), strides, padding, data_format, dilation_rate)
}

# (..., channels, multiplier) as the kernel of a convolution with a group for each channel.
grouped_kernel <- function(kernel) {
  sizes <- tensor_shape(kernel)
  rank <- length(sizes)
  op_reshape(kernel, c(sizes[seq_len(rank - 2L)], 1L, prod(sizes[c(rank - 1L, rank)])))
}

#' @rdname op_conv
#' @export
op_separable_conv <- function(inputs, depthwise_kernel, pointwise_kernel, strides = 1L, padding = "valid",
                              data_format = NULL, dilation_rate = 1L) {
  x <- op_depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
  op_conv(x, pointwise_kernel, data_format = data_format)
}

#' @rdname op_conv
#' @export
op_conv_transpose <- function(inputs, kernel, strides = 1L, padding = "valid", output_padding = NULL,
                              data_format = NULL, dilation_rate = 1L) {
  operands <- float_operands(inputs, kernel)
  rank <- spatial_rank(operands[[1L]])
  check_kernel(operands[[2L]], rank)
  attrs <- list(
    strides = window_sizes(strides, rank), dilation_rate = window_sizes(dilation_rate, rank),
    padding = check_padding(padding, c("valid", "same")),
    output_padding = if (!is.null(output_padding)) window_sizes(output_padding, rank, min = 0)
  )
  with_channels_last(operands[[1L]], data_format, function(x) {
    apply_op("conv_transpose", list(x, operands[[2L]]), attrs)
  })
}

#' Pooling
#'
#' The largest number, or the average, of each channel in a window that slides over the spatial axes. What lies outside
#' the input does not take part.
#'
#' @inheritParams op_conv
#' @param pool_size The size of the window: one number, or one for each spatial axis.
#' @param strides How far the window moves, in the same ways; `NULL` for `pool_size`.
#' @param padding `"valid"` or `"same"`; the sizes of the outputs are those of [op_conv()].
#' @return A tensor `(batch, spatial..., channels)`.
#' @source <https://keras.io/api/ops/nn/#max-pool-function>
#' @family ops
#' @export
#' @examples
#' x <- array(c(3, 1, 4, 1, 5, 9), c(1, 6, 1))
#' op_max_pool(x, 2)
#' op_average_pool(x, 3, strides = 1)
op_max_pool <- function(inputs, pool_size, strides = NULL, padding = "valid", data_format = NULL) {
  pool_op("max_pool", inputs, pool_size, strides, padding, data_format)
}

#' @rdname op_max_pool
#' @export
op_average_pool <- function(inputs, pool_size, strides = NULL, padding = "valid", data_format = NULL) {
  pool_op("average_pool", inputs, pool_size, strides, padding, data_format)
}

pool_op <- function(name, inputs, pool_size, strides, padding, data_format, call = rlang::caller_env()) {
  inputs <- as_float_operand(inputs)
  rank <- spatial_rank(inputs, call)
  attrs <- list(
    pool_size = window_sizes(pool_size, rank, call = call),
    strides = window_sizes(strides %||% pool_size, rank, arg = "strides", call = call),
    padding = check_padding(padding, c("valid", "same"), call = call)
  )
  with_channels_last(inputs, data_format, function(x) apply_op(name, list(x), attrs), call)
}

# --- what they share ----------------------------------------------------------------------------------------------

# Applies `fn` to `x` as (batch, spatial..., channels), and puts the channels back to where they were.
with_channels_last <- function(x, data_format, fn, call = rlang::caller_env()) {
  if (check_data_format(data_format, call = call) == "channels_last") return(fn(x))
  move_last_axis_to(fn(move_axis_last(x, 1)), 1)
}

check_data_format <- function(x, arg = "data_format", call = rlang::caller_env()) {
  check_choice(x %||% "channels_last", c("channels_last", "channels_first"), arg = arg, call = call)
}

# Upper and lower case mean the same.
check_padding <- function(x, choices = c("valid", "same", "causal"), arg = "padding", call = rlang::caller_env()) {
  check_choice(if (is.character(x)) tolower(x) else x, choices, arg = arg, call = call)
}

# How many spatial axes a tensor (batch, spatial..., channels) has.
spatial_rank <- function(x, call = rlang::caller_env()) {
  rank <- tensor_rank(x) - 2L
  if (rank %in% 1:3) return(rank)
  birnn_abort(
    c("{.arg inputs} must have a batch axis, 1 to 3 spatial axes and channels.",
      x = "Full shape received: {format_shape(tensor_shape(x))}."),
    kind = "shape", call = call
  )
}

check_kernel <- function(kernel, rank, call = rlang::caller_env()) {
  if (tensor_rank(kernel) == rank + 2L) return(kernel)
  birnn_abort(
    "A kernel for {rank} spatial ax{?is/es} must have {rank + 2L} axes, not shape {format_shape(tensor_shape(kernel))}.",
    kind = "shape", call = call
  )
}

# One whole number for each of `rank` spatial axes: as many were given, or one for all.
window_sizes <- function(x, rank, min = 1, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  force(arg)
  x <- unlist(x)
  fits <- is.numeric(x) && length(x) %in% c(1L, rank) && all(is.finite(x)) && all(x == round(x)) && all(x >= min) &&
    all(x <= .Machine$integer.max)
  if (!fits) {
    what <- whole_words(min, NULL)
    stop_not(if (rank == 1L) what else paste0(what, " or ", rank, " of them"), x, arg, call)
  }
  rep_len(as.integer(x), rank)
}
