# Slices, look-ups by index, one-hot codes, triangles (level 2). Indices count from 1 unless zero_indexed = TRUE.

#' Pick slices of a tensor
#'
#' `op_take()` picks slices along an axis, `op_take_along_axis()` single elements, `op_slice()` a block.
#'
#' @param x,inputs A tensor, variable, symbolic tensor, or R array.
#' @param indices Whole numbers. Positive ones count from 1, negative ones from the end. For `op_take_along_axis()` an
#'   array of as many axes as `x`.
#' @param axis The axis, counted from 1; negative ones count from the end. `NULL` takes the tensor as one vector, in
#'   row-major order.
#' @param zero_indexed Whether `indices` count from 0, as in Python.
#' @param start_indices The first index of the block along each axis, counted from 1.
#' @param shape The sizes of the block; `NA` for all that follows.
#' @return A tensor. An index outside the axis is an error.
#' @source <https://keras.io/api/ops/numpy/#take-function>
#' @family ops
#' @export
#' @examples
#' x <- matrix(1:6, 2)
#' op_take(x, c(3, 1), axis = 2)
#' op_take_along_axis(x, matrix(c(1, 3), 2), axis = 2)
#' op_slice(x, c(1, 2), c(2, 2))
op_take <- function(x, indices, axis = NULL, zero_indexed = FALSE) {
  look_up("take", x, indices, axis, zero_indexed)
}

#' @rdname op_take
#' @export
op_take_along_axis <- function(x, indices, axis = NULL, zero_indexed = FALSE) {
  look_up("take_along_axis", x, indices, axis, zero_indexed)
}

look_up <- function(name, x, indices, axis, zero_indexed, call = rlang::caller_env()) {
  x <- as_operand(x)
  if (is.null(axis)) {
    x <- op_reshape(x, -1)
    if (name == "take_along_axis" && length(dim(indices)) > 1) indices <- op_reshape(indices, -1)
    axis <- 1
  }
  axis <- one_axis(axis, tensor_rank(x), call = call)
  if (!is_tensor_like(indices)) check_index_range(indices, tensor_shape(x)[[axis + 1]], zero_indexed, call)
  apply_op(name, list(x, zero_based_indices(indices, zero_indexed, call)), list(axis = axis))
}

# In the user's way of counting. Indices that come as tensors are checked by the core.
check_index_range <- function(indices, size, zero_indexed, call) {
  last <- size - isTRUE(zero_indexed)
  outside <- indices[!is.na(indices) & (indices > last | indices < -size)]
  if (is.na(size) || length(outside) == 0) return(invisible())
  birnn_abort(
    "{.arg indices} must be from {-size} to {last} for an axis of size {size}, not {outside[[1]]}.", call = call
  )
}

# Indices of the user as int32 ones that count from 0; negative ones count from the end in both.
zero_based_indices <- function(indices, zero_indexed, call = rlang::caller_env()) {
  is_zero_based <- check_flag(zero_indexed, arg = "zero_indexed", call = call)
  if (is_tensor_like(indices)) {
    indices <- as_operand(indices, "int32")
    return(if (is_zero_based) indices else op_subtract(indices, op_cast(op_greater(indices, 0L), "int32")))
  }
  if (anyNA(indices) || any(indices != round(indices))) stop_not("whole numbers", indices, "indices", call)
  if (!is_zero_based && any(indices == 0)) {
    birnn_abort(
      c("{.arg indices} count from 1, received 0.", i = "Use {.code zero_indexed = TRUE} to count from 0."), call = call
    )
  }
  as_tensor(if (is_zero_based) indices else indices - (indices > 0), "int32")
}

#' @rdname op_take
#' @export
op_slice <- function(inputs, start_indices, shape) {
  inputs <- as_operand(inputs)
  begin <- zero_based_axis(unlist(start_indices), .Machine$integer.max, "start_indices")
  sizes <- as_shape(shape)
  if (length(begin) != tensor_rank(inputs) || length(sizes) != length(begin)) {
    birnn_abort(
      "{.arg start_indices} and {.arg shape} must have one number for each of the {tensor_rank(inputs)} ax{?is/es}.",
      kind = "shape"
    )
  }
  end <- ifelse(is.na(sizes), NaN, begin + sizes)
  apply_op("slice", list(inputs), list(begin = as.numeric(begin), end = end, stride = rep(1, length(begin))))
}

# x[.., begin:(end - 1), ..] along one axis (counted from 1); positions count from 0, negative ones from the end, NaN
# is open.
slice_axis <- function(x, axis, begin = NaN, end = NaN) {
  rank <- tensor_rank(x)
  open <- rep(NaN, rank)
  attrs <- list(begin = replace(open, axis, begin), end = replace(open, axis, end), stride = rep(1, rank))
  apply_op("slice", list(x), attrs)
}

#' One-hot codes
#'
#' @param x Whole numbers: classes counted from 1, or from 0 with `zero_indexed = TRUE`.
#' @param num_classes The number of classes.
#' @param axis Where the new axis goes, counted from 1; `-1`: to the end.
#' @param dtype The type of the result; `NULL` is the running float type.
#' @param sparse Must be `FALSE`.
#' @param zero_indexed Whether the classes count from 0, as in Python.
#' @return A tensor of zeros and ones with one more axis; only zeros for a class outside.
#' @source <https://keras.io/api/ops/nn/#onehot-function>
#' @family ops
#' @export
#' @examples
#' op_one_hot(c(1, 3), 3)
op_one_hot <- function(x, num_classes, axis = -1L, dtype = NULL, sparse = FALSE, zero_indexed = FALSE) {
  if (check_flag(sparse)) birnn_abort("There are no sparse tensors: {.arg sparse} must be FALSE.")
  classes <- as_operand(x, "int32")
  if (!check_flag(zero_indexed)) classes <- op_subtract(classes, 1L)
  codes <- apply_op("one_hot", list(classes), list(
    num_classes = check_whole(num_classes, min = 1), dtype = dtype %||% floatx()
  ))
  move_last_axis_to(codes, one_axis(axis, tensor_rank(codes)))
}

#' Triangles of matrices
#'
#' `op_tril()` keeps what lies on and below a diagonal of the last two axes, `op_triu()` what lies on and above it; the
#' rest becomes 0.
#'
#' @param x A tensor, variable, symbolic tensor, or R array with at least two axes.
#' @param k Which diagonal: 0 the main one, positive ones above it.
#' @return A tensor of the same shape.
#' @source <https://keras.io/api/ops/numpy/#tril-function>
#' @family ops
#' @export
#' @examples
#' op_tril(matrix(1, 3, 3))
op_tril <- function(x, k = 0L) keep_triangle(x, check_whole(k), function(above, k) above <= k)

#' @rdname op_tril
#' @export
op_triu <- function(x, k = 0L) keep_triangle(x, check_whole(k), function(above, k) above >= k)

keep_triangle <- function(x, k, is_kept, call = rlang::caller_env()) {
  x <- as_operand(x)
  rank <- tensor_rank(x)
  if (rank < 2) birnn_abort("{.arg x} must have at least two axes, not {rank}.", kind = "shape", call = call)
  rows <- seq_len(known_size(x, rank - 2, call))
  columns <- seq_len(known_size(x, rank - 1, call))
  above <- outer(rows, columns, function(i, j) j - i)
  op_where(as_tensor(is_kept(above, k)), x, op_zeros_like(x))
}
