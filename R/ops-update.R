# Tensors with some elements replaced or added to: op_slice_update(), op_scatter(), op_scatter_update() (level 2).

#' Change parts of a tensor
#'
#' Tensors never change: these functions return a new one. `op_slice_update()` puts a block at a place,
#' `op_scatter_update()` puts single elements or slices; of equal indices the last one counts. `op_scatter()` starts
#' from zeros and adds: values of equal indices are summed.
#'
#' @param inputs A tensor, variable, symbolic tensor, or R array.
#' @param start_indices Where the block begins along each axis, counted from 1.
#' @param updates The new values: for `op_slice_update()` the block, with as many axes as `inputs`; for
#'   `op_scatter_update()` one value (or slice) for each row of `indices`.
#' @param indices A matrix with one place in each row, counted from 1: as many columns as `inputs` has axes, or fewer to
#'   name whole slices.
#' @param values One value (or slice) for each row of `indices`.
#' @param shape The sizes of the result.
#' @return A tensor.
#' @source <https://keras.io/api/ops/core/>
#' @family ops
#' @export
#' @examples
#' op_slice_update(op_zeros(c(3, 3)), c(2, 2), op_ones(c(2, 2)))
#' op_scatter(rbind(c(1, 2), c(2, 2)), c(5, 7), shape = c(2, 2))
#' op_scatter_update(op_zeros(4), matrix(c(2, 4)), c(1, 2))
op_slice_update <- function(inputs, start_indices, updates) {
  inputs <- as_operand(inputs)
  updates <- as_operand(updates, tensor_dtype(inputs))
  begin <- zero_based_axis(unlist(start_indices), .Machine$integer.max, "start_indices")
  sizes <- tensor_shape(updates)
  if (length(begin) != tensor_rank(inputs) || length(sizes) != length(begin)) {
    birnn_abort(
      "{.arg start_indices} and {.arg updates} must have one number and one axis for each of the
       {tensor_rank(inputs)} ax{?is/es} of {.arg inputs}.",
      kind = "shape"
    )
  }
  check_block_fits(begin, sizes, tensor_shape(inputs))
  put_block(inputs, list(begin = as.numeric(begin), end = ifelse(is.na(sizes), NaN, begin + sizes),
                         stride = rep(1, length(begin))), updates)
}

check_block_fits <- function(begin, sizes, whole, call = rlang::caller_env()) {
  outside <- which(!is.na(whole) & !is.na(sizes) & begin + sizes > whole)
  if (length(outside) == 0) return(invisible())
  axis <- outside[[1]]
  birnn_abort(
    "A block of {sizes[[axis]]} element{?s} from {begin[[axis]] + 1} on does not fit axis {axis} of size
     {whole[[axis]]}.",
    kind = "shape", call = call
  )
}

# `range`: begin, end and stride as the op `slice` has them.
put_block <- function(x, range, block) apply_op("slice_update", list(x, block), range)

#' @rdname op_slice_update
#' @export
op_scatter <- function(indices, values, shape) {
  sizes <- known_shape(shape)
  values <- as_wide_operand(values, "int32")
  change_places("index_add", op_zeros(sizes, tensor_dtype(values)), indices, values)
}

#' @rdname op_slice_update
#' @export
op_scatter_update <- function(inputs, indices, updates) {
  inputs <- as_operand(inputs)
  change_places("index_put", inputs, indices, as_operand(updates, tensor_dtype(inputs)))
}

# The leading axes that `indices` name become one, along which slices are put or added.
change_places <- function(op, x, indices, values, zero_indexed = FALSE, call = rlang::caller_env()) {
  places <- flat_places(x, indices, zero_indexed, call)
  count <- places$axes
  rest <- tensor_shape(x)[-seq_len(count)]
  flat <- merge_leading(x, count)
  wanted <- apply_op("take", list(flat, places$flat), list(axis = 0))
  values <- apply_op("broadcast_like", list(values, apply_op("stop_gradient", list(wanted))))
  changed <- apply_op(op, list(flat, places$flat, values), list(axis = 0))
  if (count == 1) return(changed)
  sizes <- tensor_shape(x)[seq_len(count)]
  reshape_coded(changed, c(if (anyNA(sizes)) -1 else sizes[[1]], sizes[-1], same_size_as(seq_along(rest))))
}

# The first `count` axes as one.
merge_leading <- function(x, count) {
  if (count == 1) return(x)
  rest <- seq_len(tensor_rank(x) - count) + count - 1
  reshape_coded(x, c(-1, same_size_as(rest)))
}

# Rows of `indices` (counted from 1) as numbers of the flattened leading axes (counted from 0): list(flat, axes).
flat_places <- function(x, indices, zero_indexed = FALSE, call = rlang::caller_env()) {
  if (!is_tensor_like(indices) && is.list(indices)) indices <- do.call(rbind, indices)
  if (!is_tensor_like(indices) && is.null(dim(indices))) indices <- matrix(indices, ncol = 1)
  indices <- zero_based_indices(indices, zero_indexed, call)
  shape <- tensor_shape(indices)
  axes <- if (length(shape) == 2) shape[[2]]
  if (is.null(axes) || is.na(axes) || axes < 1 || axes > tensor_rank(x)) {
    birnn_abort(
      "{.arg indices} must be a matrix with one place in each row and one to {tensor_rank(x)} columns, not of shape
       {format_shape(shape)}.",
      kind = "shape", call = call
    )
  }
  list(flat = flattened(indices, x, axes, call), axes = axes)
}

# sum_k index_k * (product of the sizes of the axes after k), after negative indices have been counted from the end.
flattened <- function(indices, x, axes, call) {
  columns <- op_unstack(indices, num = axes, axis = 2)
  if (axes == 1) return(columns[[1]])
  flat <- NULL
  for (k in seq_len(axes)) {
    size <- if (k == 1) tensor_shape(x)[[1]] else known_size(x, k - 1, call)
    column <- in_range_indices(columns[[k]], size, k, call)
    flat <- if (is.null(flat)) column else op_add(op_multiply(flat, size), column)
  }
  flat
}

# Indices from 0 to size - 1. What lies outside would end up in another row of the flattened tensor.
in_range_indices <- function(indices, size, axis, call) {
  if (is.na(size)) return(indices)
  if (is_tensor(indices)) {
    outside <- Filter(function(i) i >= size || i < -size, as.vector(as.array(indices)))
    if (length(outside) > 0) {
      birnn_abort("{.arg indices} must be at most {size} along axis {axis}, but there is
                   {outside[[1]] + (outside[[1]] >= 0)}.", call = call)
    }
  }
  op_where(op_less(indices, 0L), op_add(indices, size), indices)
}
