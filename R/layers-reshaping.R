# Layers that put the numbers of each row into another shape (level 5). None of them passes masks on.

Reshape <- R6::R6Class("Reshape",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(target_shape = argument(
      function(x, arg, call) check_target_shape(x, arg, call), save = function(shape) config_sizes(open_as(shape, -1L))
    )),
    input_spec = list(min_ndim = 1L),
    built = TRUE,

    call = function(inputs) {
      check_same_count(self, tensor_shape(inputs))
      reshape_coded(inputs, c(same_size_as(0), open_as(self$target_shape, -1L)))
    }
  )
)

open_as <- function(sizes, code) {
  sizes[is.na(sizes)] <- code
  sizes
}

check_target_shape <- function(x, arg, call) {
  sizes <- as_shape(x, arg = arg, call = call)
  if (sum(is.na(sizes)) > 1) {
    birnn_abort("{.arg {arg}} may leave only one size open, not {sum(is.na(sizes))}.", kind = "shape", call = call)
  }
  sizes
}

# A row keeps its numbers: their count is the product of the target sizes, or a multiple of it.
check_same_count <- function(self, shape) {
  wanted <- prod(self$target_shape, na.rm = TRUE)
  count <- prod(shape[-1])
  fits <- if (anyNA(self$target_shape)) wanted > 0 && count %% wanted == 0 else count == wanted
  if (is.na(count) || fits) return(invisible())
  birnn_abort(
    c("Layer {.val {self$name}} cannot give its input the shape {format_shape(self$target_shape)}: a row has {count}
       numbers{if (anyNA(self$target_shape)) ', not a multiple of' else ', not'} {wanted}.",
      x = "Full shape received: {format_shape(shape)}."),
    kind = "shape", call = NULL
  )
}

#' Give each row another shape
#'
#' The numbers of a row keep their order, row-major as in Keras: the last axis runs fastest.
#'
#' @inheritParams layer_dense
#' @param target_shape Sizes without the batch, such as `c(2, 6)`. One of them may be -1 or `NA`: it follows from the
#'   size of the input.
#' @inherit layer_dense return
#' @section Masks:
#' None is passed on.
#' @source <https://keras.io/api/layers/reshaping_layers/reshape/>
#' @family reshaping layers
#' @export
#' @examples
#' layer_reshape(matrix(1:12, 1), target_shape = c(3, 4))
#' layer_reshape(array(1:24, c(2, 3, 4)), target_shape = c(-1, 2))
layer_reshape <- function(object, target_shape, ...) {
  create_layer("Reshape", object, capture_args())
}

register_layer(Reshape, layer_reshape)

Flatten <- R6::R6Class("Flatten",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(data_format = argument(function(x, arg, call) {
      check_choice(x %||% "channels_last", c("channels_last", "channels_first"), arg = arg, call = call)
    })),
    input_spec = list(min_ndim = 1L),
    built = TRUE,

    call = function(inputs) {
      if (self$data_format == "channels_first" && tensor_rank(inputs) > 2) inputs <- move_axis_last(inputs, 1)
      reshape_coded(inputs, c(same_size_as(0), -1))
    }
  )
)

#' Flatten each row
#'
#' All axes but the batch become one: `(batch, 7, 4)` becomes `(batch, 28)`, a vector becomes `(batch, 1)`.
#'
#' @inheritParams layer_dense
#' @param data_format `"channels_last"` (`NULL`) or `"channels_first"`: then the second axis is put last before
#'   flattening.
#' @inherit layer_dense return
#' @section Masks:
#' None is passed on.
#' @source <https://keras.io/api/layers/reshaping_layers/flatten/>
#' @family reshaping layers
#' @export
#' @examples
#' layer_flatten(array(1:12, c(1, 3, 4)))
layer_flatten <- function(object, data_format = NULL, ...) {
  create_layer("Flatten", object, capture_args())
}

register_layer(Flatten, layer_flatten)

Permute <- R6::R6Class("Permute",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(dims = argument(
      function(x, arg, call) check_permutation(x, arg, call), save = config_sizes, load = unlist
    )),
    built = TRUE,
    initialize = function(...) {
      super$initialize(...)
      self$input_spec <- list(ndim = length(self$dims) + 1L)
    },
    call = function(inputs) permute_axes(inputs, c(0, self$dims)),
    compute_output_shape = function(input_shape) {
      shape <- as_shape(input_shape)
      c(shape[[1]], shape[-1][self$dims])
    }
  )
)

check_permutation <- function(x, arg, call) {
  dims <- unlist(x)
  if (is.numeric(dims) && setequal(dims, seq_along(dims)) && length(dims) > 0) return(as.integer(dims))
  stop_not("each of the axes 1, 2, ... behind the batch once", dims, arg, call, hint = "{.code c(2, 1)} swaps two.")
}

#' Reorder axes
#'
#' `dims = c(2, 1)` swaps time and features: `(batch, 7, 4)` becomes `(batch, 4, 7)`.
#'
#' @inheritParams layer_dense
#' @param dims The new order of the axes, without the batch: 1 is the first axis behind it.
#' @inherit layer_dense return
#' @section Masks:
#' None is passed on.
#' @source <https://keras.io/api/layers/reshaping_layers/permute/>
#' @family reshaping layers
#' @export
#' @examples
#' layer_permute(array(1:6, c(1, 2, 3)), dims = c(2, 1))
layer_permute <- function(object, dims, ...) {
  create_layer("Permute", object, capture_args())
}

register_layer(Permute, layer_permute)

RepeatVector <- R6::R6Class("RepeatVector",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(n = arg_units),
    input_spec = list(ndim = 2L),
    built = TRUE,
    call = function(inputs) op_repeat(insert_axis(inputs, 1), self$n, axis = 2L),
    compute_output_shape = function(input_shape) {
      shape <- as_shape(input_shape)
      c(shape[[1]], self$n, shape[[2]])
    }
  )
)

#' Repeat a vector as a sequence
#'
#' `(batch, features)` becomes `(batch, n, features)`: the input of a decoder that sees the same vector at each step.
#'
#' @inheritParams layer_dense
#' @param n How many times, a positive whole number.
#' @inherit layer_dense return
#' @section Masks:
#' None is passed on.
#' @source <https://keras.io/api/layers/reshaping_layers/repeat_vector/>
#' @family reshaping layers
#' @export
#' @examples
#' layer_repeat_vector(matrix(1:2, 1), n = 3)
layer_repeat_vector <- function(object, n, ...) {
  create_layer("RepeatVector", object, capture_args())
}

register_layer(RepeatVector, layer_repeat_vector)
