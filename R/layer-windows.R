# Arguments and checks of layers whose windows slide over spatial axes (level 4).

# One whole number for each of `rank` axes: as many are taken, or one for all. Configs hold them as lists.
arg_sizes <- function(rank, min = 1, allow_null = FALSE) {
  argument(
    function(x, arg, call) if (!is.null(x) || !allow_null) window_sizes(x, rank, min = min, arg = arg, call = call),
    save = config_sizes
  )
}

arg_padding <- function(choices) argument(function(x, arg, call) check_padding(x, choices, arg = arg, call = call))

arg_data_format <- argument(function(x, arg, call) check_data_format(x, arg = arg, call = call))

has_channels_first <- function(self) identical(self$data_format, "channels_first")

# The place of the channels in a shape of the layer's inputs, counted from 1; `batch_axes`: axes before the spatial
# ones.
channel_axis <- function(self, shape, batch_axes = 1L) if (has_channels_first(self)) batch_axes + 1L else length(shape)

# The number of channels, which weights need.
known_channels <- function(self, shape, batch_axes = 1L) {
  axis <- channel_axis(self, shape, batch_axes)
  channels <- shape[[axis]]
  if (!is.na(channels) && channels > 0L) return(channels)
  birnn_abort(
    c("The channels of the input of layer {.val {self$name}} (axis {axis}) must be known when the layer is built, and
       at least one.",
      x = "Full shape received: {format_shape(shape)}."),
    kind = "shape", call = NULL
  )
}

# Windows without padding must fit into what they slide over. `extent`: for each spatial axis.
check_room <- function(self, shape, extent, batch_axes = 1L) {
  if (self$padding != "valid") return(invisible())
  sizes <- shape[-c(seq_len(batch_axes), channel_axis(self, shape, batch_axes))]
  narrow <- which(!is.na(sizes) & sizes < extent)
  if (length(narrow) == 0L) return(invisible())
  axis <- narrow[[1L]]
  birnn_abort(
    c("The window of layer {.val {self$name}} spans {extent[[axis]]} element{?s} of spatial axis {axis}, but its input
       has only {sizes[[axis]]}.",
      x = "Full shape received: {format_shape(shape)}.",
      i = "With {.code padding = \"same\"} a window may reach over the edge."),
    kind = "shape", call = NULL
  )
}

window_extent <- function(size, dilation_rate) (size - 1L) * dilation_rate + 1L

# A window cannot both jump and have gaps.
check_strides_or_dilation <- function(self, call) {
  if (all(self$strides == 1L) || all(self$dilation_rate == 1L)) return(invisible())
  birnn_abort(
    c("{.arg strides} and {.arg dilation_rate} of layer {.val {self$name}} cannot both be larger than 1.",
      x = "Received strides {self$strides} and dilation rates {self$dilation_rate}."),
    call = call
  )
}
