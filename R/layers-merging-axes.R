# Layers that merge a list of inputs along axes: joined, or multiplied and summed (level 5).

Concatenate <- R6::R6Class("Concatenate",
  inherit = Merge, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(axis = arg_axis),

    call = function(inputs) {
      self$check_shapes(map_structure(inputs, tensor_shape))
      op_concatenate(inputs, axis = self$axis)
    },

    # Masks joined as the inputs are; an input without one counts everywhere. Joined along the features, a step counts
    # if it counts in some input.
    compute_mask = function(inputs, mask = NULL) {
      masks <- input_mask_list(self, inputs, mask)
      if (length(compact(masks)) == 0) return(NULL)
      valid <- Map(function(x, mask) if (is.null(mask)) op_ones_like(x, "bool") else element_mask(mask, x),
                   inputs, masks)
      op_any(op_concatenate(valid, axis = self$axis), axis = -1L)
    },

    check_shapes = function(shapes) {
      check_input_count(self, shapes)
      concatenated_shape(self, shapes)
    },
    compute_output_shape = function(input_shape) concatenated_shape(self, as_shape_structure(input_shape))
  )
)

concatenated_shape <- function(self, shapes) {
  rank <- length(shapes[[1]])
  if (any(lengths(shapes) != rank)) abort_merge(self, shapes, "must have the same number of axes")
  joined <- one_axis(self$axis, rank, call = NULL) + 1
  sizes <- do.call(rbind, shapes)
  vapply(seq_len(rank), function(axis) {
    if (axis == joined) return(sum(sizes[, axis]))
    known <- unique(sizes[!is.na(sizes[, axis]), axis])
    if (length(known) > 1) abort_merge(self, shapes, paste("must have equal sizes except on axis", joined))
    if (length(known) == 1) known else NA_integer_
  }, 1L)
}

#' Join inputs along an axis
#'
#' Two inputs of shapes `(batch, time, 3)` and `(batch, time, 5)` become one of shape `(batch, time, 8)`; with
#' `axis = 2` sequences are put one behind the other.
#'
#' @inheritParams layer_add
#' @param axis The axis along which to join, counted from 1 (the batch); -1 is the last. Sizes on all other axes are
#'   equal.
#' @inherit layer_add return
#' @section Masks:
#' If some input has a mask, the output has one: the masks are joined as the inputs are, where an input without a mask
#' counts everywhere. Joined along the features, a step counts if it counts in some input.
#' @source <https://keras.io/api/layers/merging_layers/concatenate/>
#' @family merging layers
#' @export
#' @examples
#' layer_concatenate(matrix(1:4, 2), matrix(5:8, 2))
#' layer_concatenate(list(array(1, c(2, 3, 4)), array(0, c(2, 1, 4))), axis = 2)
layer_concatenate <- function(inputs, ..., axis = -1L) {
  create_merging_layer("Concatenate", inputs, capture_args("inputs", unnamed = TRUE))
}

register_layer(Concatenate, layer_concatenate)

# One axis for both inputs, or one for each; not the batch, over which nothing can be summed.
arg_dot_axes <- argument(
  function(x, arg, call) {
    axes <- check_axes(x, call, arg)
    if (length(axes) > 2) stop_not("one axis or a pair of axes", x, arg, call)
    if (any(axes == 1L)) {
      birnn_abort(c("{.arg {arg}} cannot be 1, the batch.", i = "The second axis is 2, the last one -1."), call = call)
    }
    axes
  },
  save = axes_to_config, load = axes_from_config
)

Dot <- R6::R6Class("Dot",
  inherit = Merge, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(axes = arg_dot_axes, normalize = arg_flag),
    count_range = c(2, 2),

    call = function(inputs) {
      axes <- self$check_shapes(map_structure(inputs, tensor_shape))
      if (self$normalize) inputs <- Map(unit_length, inputs, axes + 1)
      batch_dot(inputs[[1]], inputs[[2]], axes)
    },

    compute_mask = function(inputs, mask = NULL) NULL,

    # The axes to sum over, one of each input, counted from 0.
    check_shapes = function(shapes) {
      check_input_count(self, shapes)
      if (any(lengths(shapes) < 2)) abort_merge(self, shapes, "must have at least two axes")
      axes <- rep_len(self$axes, 2)
      axes <- vapply(1:2, function(k) one_axis(axes[[k]], length(shapes[[k]]), "axes", call = NULL), 1L)
      sizes <- vapply(1:2, function(k) shapes[[k]][[axes[[k]] + 1]], 1L)
      if (!anyNA(sizes) && sizes[[1]] != sizes[[2]]) {
        abort_merge(self, shapes, sprintf(
          "must have equal sizes on the axes of the product: %d on axis %d is not %d on axis %d", sizes[[1]],
          axes[[1]] + 1, sizes[[2]], axes[[2]] + 1
        ))
      }
      axes
    },
    compute_output_shape = function(input_shape) {
      shapes <- as_shape_structure(input_shape)
      axes <- self$check_shapes(shapes)
      shape <- c(shapes[[1]][-(axes[[1]] + 1)], shapes[[2]][-c(1, axes[[2]] + 1)])
      if (length(shape) == 1) c(shape, 1L) else shape
    }
  )
)

# For every row of the batch the sum over one axis of x and one of y (counted from 0): the other axes of x, then those
# of y. With free axes M1..Mp of x and N1..Nq of y this is the matrix product
#   (batch, M1..Mp-1, 1..1, Mp, k) x (batch, 1..1, N1..Nq-1, k, Nq),
# where an input without free axes gets one of size 1.
batch_dot <- function(x, y, axes) {
  has_free <- c(tensor_rank(x), tensor_rank(y)) > 2
  x <- move_axis_last(if (has_free[[1]]) x else insert_axis(x, 1), axes[[1]] + !has_free[[1]])
  y <- move_axis_last(if (has_free[[2]]) y else insert_axis(y, 1), axes[[2]] + !has_free[[2]])
  free <- c(tensor_rank(x), tensor_rank(y)) - 2
  for (k in seq_len(free[[2]] - 1)) x <- insert_axis(x, free[[1]])
  for (k in seq_len(free[[1]] - 1)) y <- insert_axis(y, 1)
  product <- op_matmul(x, op_swapaxes(y, -1, -2))
  product <- op_moveaxis(product, -2, free[[1]] + 1)
  dropped <- c(if (!has_free[[1]]) 1, if (!has_free[[2]] && has_free[[1]]) tensor_rank(product) - 1)
  if (length(dropped) > 0) drop_axes(product, dropped) else product
}

#' Product of two inputs along an axis
#'
#' For every row of the batch the sum of products over one axis of each input: from shapes `(batch, 7, 4)` and
#' `(batch, 3, 4)` with `axes = 3` comes `(batch, 7, 3)`, from two matrices comes `(batch, 1)`.
#'
#' @inheritParams layer_add
#' @param ... The second input, without a name; and arguments of every layer, with names: see [layer_dense()].
#' @param axes The axis to sum over in both inputs, or a pair with one axis for each; counted from 1 (the batch), -1 is
#'   the last. Must be named.
#' @param normalize Whether both inputs are divided by their length along the axis first: the result is then the cosine
#'   of the angle between them.
#' @inherit layer_add return
#' @source <https://keras.io/api/layers/merging_layers/dot/>
#' @family merging layers
#' @export
#' @examples
#' layer_dot(matrix(1:4, 2), matrix(5:8, 2), axes = 2)
#' layer_dot(list(matrix(1:4, 2), matrix(5:8, 2)), axes = 2, normalize = TRUE)
layer_dot <- function(inputs, ..., axes, normalize = FALSE) {
  create_merging_layer("Dot", inputs, capture_args("inputs", unnamed = TRUE))
}

register_layer(Dot, layer_dot)
