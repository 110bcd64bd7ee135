# Reshaping, joining, cutting, repeating and making tensors (level 2). Numbers are kept in row-major order throughout.

#' Change the shape of a tensor
#'
#' `op_reshape()` reads the numbers in row-major order, as Keras does (R's own `dim<-` reads columns first).
#' `op_expand_dims()` inserts an axis of size 1, `op_squeeze()` removes such axes, `op_transpose()` reorders axes;
#' `t()` and `aperm()` work on tensors, too.
#'
#' @param x A tensor, variable, symbolic tensor, or R array.
#' @param newshape The new sizes; one of them may be `-1` or `NA`: it is computed.
#' @param axis For `op_expand_dims()` the place of the new axis in the result, counted from 1 (negative: from the
#'   end). For `op_squeeze()` the axes to remove, `NULL` for all of size 1.
#' @param axes The axes of `x` in their new order, counted from 1; `NULL` reverses them.
#' @param axis1,axis2 Two axes that change places.
#' @param source,destination The present places of some axes, and their new ones.
#' @return A tensor.
#' @source <https://keras.io/api/ops/numpy/#reshape-function>
#' @family ops
#' @export
#' @examples
#' x <- array(1:6, c(2, 3))
#' op_reshape(x, c(3, -1))
#' op_expand_dims(x, 2)
#' op_transpose(x)
op_reshape <- function(x, newshape) {
  sizes <- as_shape(newshape)
  sizes[is.na(sizes)] <- -1L
  if (sum(sizes == -1) > 1) {
    birnn_abort("{.arg newshape} may leave only one size open, not {sum(sizes == -1)}.", kind = "shape")
  }
  reshape_coded(as_operand(x), sizes)
}

#' @rdname op_reshape
#' @export
op_expand_dims <- function(x, axis) {
  x <- as_operand(x)
  for (place in sort(one_or_more_new_axes(axis, tensor_rank(x)))) x <- insert_axis(x, place)
  x
}

one_or_more_new_axes <- function(axis, rank, call = rlang::caller_env()) {
  zero_based_axis(unlist(axis), rank + length(axis), call = call)
}

#' @rdname op_reshape
#' @export
op_squeeze <- function(x, axis = NULL) {
  x <- as_operand(x)
  sizes <- tensor_shape(x)
  dropped <- if (is.null(axis)) which(sizes == 1) - 1 else zero_based_axis(unlist(axis), length(sizes))
  wide <- dropped[is.na(sizes[dropped + 1]) | sizes[dropped + 1] != 1]
  if (length(wide) > 0) {
    birnn_abort(
      "Only axes of size 1 can be removed, but {.arg axis} {wide[[1]] + 1} of shape {format_shape(sizes)} is none.",
      kind = "shape"
    )
  }
  if (length(dropped) == 0) x else drop_axes(x, dropped)
}

#' @rdname op_reshape
#' @export
op_transpose <- function(x, axes = NULL) {
  x <- as_operand(x)
  rank <- tensor_rank(x)
  order <- if (is.null(axes)) rev(seq_len(rank)) - 1 else zero_based_axis(unlist(axes), rank, "axes")
  if (length(order) != rank || anyDuplicated(order)) {
    birnn_abort("{.arg axes} must name each of the {rank} axes once, not {.val {unlist(axes)}}.")
  }
  permute_axes(x, order)
}

#' @rdname op_reshape
#' @export
op_swapaxes <- function(x, axis1, axis2) {
  x <- as_operand(x)
  rank <- tensor_rank(x)
  order <- seq_len(rank) - 1
  pair <- c(one_axis(axis1, rank, "axis1"), one_axis(axis2, rank, "axis2")) + 1
  order[pair] <- order[rev(pair)]
  permute_axes(x, order)
}

#' @rdname op_reshape
#' @export
op_moveaxis <- function(x, source, destination) {
  x <- as_operand(x)
  rank <- tensor_rank(x)
  source <- zero_based_axis(unlist(source), rank, "source")
  destination <- zero_based_axis(unlist(destination), rank, "destination")
  order <- setdiff(seq_len(rank) - 1, source)
  for (k in order(destination)) order <- append(order, source[[k]], after = destination[[k]])
  permute_axes(x, order)
}

#' Join tensors
#'
#' `op_concatenate()` joins along an axis that exists, `op_stack()` along a new one. `op_unstack()` undoes
#' `op_stack()`.
#'
#' @param xs,x A list of tensors (or R arrays); for `op_unstack()` one tensor.
#' @param axis The axis, counted from 1; negative ones count from the end.
#' @param num The size of the axis, if it is not known from the shape.
#' @return A tensor; `op_unstack()` a list of tensors.
#' @source <https://keras.io/api/ops/numpy/#concatenate-function>
#' @family ops
#' @export
#' @examples
#' op_concatenate(list(diag(2), matrix(0, 1, 2)))
#' op_stack(list(c(1, 2), c(3, 4)), axis = 2)
op_concatenate <- function(xs, axis = 1L) {
  xs <- promote_operands(as_operand_list(xs))
  apply_op("concatenate", xs, list(axis = one_axis(axis, tensor_rank(xs[[1]]))))
}

as_operand_list <- function(xs, arg = rlang::caller_arg(xs), call = rlang::caller_env()) {
  if (is_tensor_like(xs) || !is.list(xs) || length(xs) == 0) stop_not("a list of tensors", xs, arg, call)
  unname(xs)
}

#' @rdname op_concatenate
#' @export
op_stack <- function(x, axis = 1L) {
  x <- promote_operands(as_operand_list(x))
  place <- one_axis(axis, tensor_rank(x[[1]]) + 1)
  apply_op("concatenate", lapply(x, insert_axis, axis = place), list(axis = place))
}

#' @rdname op_concatenate
#' @export
op_unstack <- function(x, num = NULL, axis = 1L) {
  x <- as_operand(x)
  place <- one_axis(axis, tensor_rank(x))
  size <- check_whole(num, min = 1, allow_null = TRUE) %||% known_size(x, place)
  lapply(split_axis(x, place, rep(1, size)), drop_axes, axes = place)
}

known_size <- function(x, axis, call = rlang::caller_env()) {
  size <- tensor_shape(x)[[axis + 1]]
  if (is.na(size)) {
    birnn_abort(
      "The size of axis {axis + 1} of shape {format_shape(tensor_shape(x))} is not known.", kind = "shape", call = call
    )
  }
  size
}

split_axis <- function(x, axis, sizes) {
  if (length(sizes) == 1) return(list(x))
  apply_op("split", list(x), list(axis = axis, sizes = as.numeric(sizes)))
}

#' Cut a tensor into pieces
#'
#' @param x A tensor, variable, symbolic tensor, or R array.
#' @param indices_or_sections A single number: into that many equal pieces. Several numbers: where to cut, each the
#'   number of elements before the cut.
#' @param axis The axis, counted from 1; negative ones count from the end.
#' @return A list of tensors.
#' @source <https://keras.io/api/ops/numpy/#split-function>
#' @family ops
#' @export
#' @examples
#' op_split(1:6, 3)
#' op_split(1:6, c(1, 3))
op_split <- function(x, indices_or_sections, axis = 1L) {
  x <- as_operand(x)
  place <- one_axis(axis, tensor_rank(x))
  cuts <- unlist(indices_or_sections)
  if (length(cuts) != 1) return(split_axis(x, place, c(diff(c(0, cuts)), -1)))
  count <- check_whole(cuts, min = 1, arg = "indices_or_sections")
  size <- known_size(x, place)
  if (size %% count != 0) {
    birnn_abort("Axis {place + 1} of size {size} cannot be split into {count} equal pieces.", kind = "shape")
  }
  split_axis(x, place, rep(size / count, count))
}

#' Repeat a tensor
#'
#' `op_repeat()` repeats each element (or each slice along `axis`) in place, `op_tile()` the whole tensor,
#' `op_broadcast_to()` stretches axes of size 1.
#'
#' @param x A tensor, variable, symbolic tensor, or R array.
#' @param repeats How often: one number for `op_repeat()`, one an axis for `op_tile()`.
#' @param axis The axis, counted from 1; `NULL` takes the tensor as one vector, in row-major order.
#' @param shape The new sizes; `NA` keeps that of `x`.
#' @return A tensor.
#' @source <https://keras.io/api/ops/numpy/#repeat-function>
#' @family ops
#' @export
#' @examples
#' op_repeat(c(1, 2), 3)
#' op_tile(c(1, 2), 3)
#' op_broadcast_to(c(1, 2), c(3, 2))
op_repeat <- function(x, repeats, axis = NULL) {
  x <- as_operand(x)
  if (is.null(axis)) {
    x <- op_reshape(x, -1)
    axis <- 1
  }
  apply_op("repeat", list(x), list(repeats = check_whole(repeats, min = 0), axis = one_axis(axis, tensor_rank(x))))
}

#' @rdname op_repeat
#' @export
op_tile <- function(x, repeats) {
  x <- as_operand(x)
  repeats <- known_shape(repeats)
  missing_axes <- length(repeats) - tensor_rank(x)
  for (k in seq_len(max(0, missing_axes))) x <- insert_axis(x, 0)
  apply_op("tile", list(x), list(repeats = as.numeric(c(rep(1, max(0, -missing_axes)), repeats))))
}

#' @rdname op_repeat
#' @export
op_broadcast_to <- function(x, shape) {
  sizes <- as_shape(shape)
  sizes[is.na(sizes)] <- -1L
  apply_op("broadcast_to", list(as_operand(x)), list(shape = as.numeric(sizes)))
}

#' Reverse or shift a tensor
#'
#' @param x A tensor, variable, symbolic tensor, or R array.
#' @param shift How many places elements move; those that fall off the end come back at the start.
#' @param axis The axes, counted from 1. `NULL`: `op_flip()` reverses all axes, `op_roll()` shifts the tensor as one
#'   vector, in row-major order.
#' @return A tensor of the same shape.
#' @source <https://keras.io/api/ops/numpy/#flip-function>
#' @family ops
#' @export
#' @examples
#' op_flip(1:3)
#' op_roll(1:4, 1)
op_flip <- function(x, axis = NULL) {
  x <- as_operand(x)
  rank <- tensor_rank(x)
  apply_op("flip", list(x), list(axis = as.numeric(zero_based_axis(unlist(axis) %||% seq_len(rank), rank))))
}

#' @rdname op_flip
#' @export
op_roll <- function(x, shift, axis = NULL) {
  x <- as_operand(x)
  shift <- check_whole(shift)
  if (!is.null(axis)) return(apply_op("roll", list(x), list(shift = shift, axis = one_axis(axis, tensor_rank(x)))))
  rolled <- apply_op("roll", list(op_reshape(x, -1)), list(shift = shift, axis = 0))
  apply_op("reshape", list(rolled), list(shape = as.numeric(known_shape(tensor_shape(x)))))
}

#' Put a margin around a tensor
#'
#' @param x A tensor, variable, symbolic tensor, or R array.
#' @param pad_width How much to add before and after: a list with one pair an axis, a matrix with one row an axis,
#'   one pair for all axes, or one number for all sides.
#' @param mode Only `"constant"`.
#' @param constant_values The number to fill in; `NULL` is 0.
#' @return A tensor.
#' @source <https://keras.io/api/ops/numpy/#pad-function>
#' @family ops
#' @export
#' @examples
#' op_pad(diag(2), list(c(1, 0), c(0, 2)))
op_pad <- function(x, pad_width, mode = "constant", constant_values = NULL) {
  x <- as_operand(x)
  check_choice(mode, "constant")
  value <- check_number(constant_values, allow_null = TRUE) %||% 0
  widths <- pad_matrix(pad_width, tensor_rank(x))
  apply_op("pad", list(x), list(before = widths[, 1], after = widths[, 2], value = value))
}

# One row an axis: before, after.
pad_matrix <- function(pad_width, rank, call = rlang::caller_env()) {
  widths <- pad_width
  if (is.list(widths)) widths <- t(vapply(widths, function(pair) as.numeric(unlist(pair)), numeric(2)))
  if (!is.matrix(widths)) widths <- matrix(rep_len(as.numeric(widths), 2), rank, 2, byrow = TRUE)
  if (!identical(dim(widths), c(as.integer(rank), 2L)) || any(widths < 0 | widths != round(widths))) {
    stop_not("a pair of whole numbers of at least 0 for each axis", pad_width, "pad_width", call)
  }
  widths
}
