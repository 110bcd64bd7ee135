# Sorting and positions in sorted order (level 2). Sorted values are taken along the order, so that they have gradients.

#' Sort tensors
#'
#' `op_sort()` sorts along an axis in increasing order, `op_argsort()` gives the positions of the elements in that
#' order, `op_top_k()` the `k` largest elements of the last axis and their positions. Equal elements keep their order;
#' NaN counts as larger than everything.
#'
#' @inheritParams op_argmax
#' @param axis The axis, counted from 1; negative ones count from the end. `NULL` takes the tensor as one vector, in
#'   row-major order.
#' @param k How many elements.
#' @param sorted Accepted for compatibility: the `k` elements always come in decreasing order.
#' @return A tensor. Positions are `int32`. `op_top_k()`: a list of two tensors, `values` and `indices`.
#' @source <https://keras.io/api/ops/numpy/#sort-function>
#' @family ops
#' @export
#' @examples
#' op_sort(c(3, 1, 2))
#' op_argsort(c(3, 1, 2))
#' op_top_k(c(5, 2, 7, 1), k = 2)$indices
op_sort <- function(x, axis = -1L) {
  sorted <- in_order(x, axis)
  taken_in_order(sorted$x, sorted$order, sorted$axis)
}

#' @rdname op_sort
#' @export
op_argsort <- function(x, axis = -1L, zero_indexed = FALSE) {
  counted_positions(in_order(x, axis)$order, zero_indexed)
}

#' @rdname op_sort
#' @export
op_top_k <- function(x, k, sorted = TRUE, zero_indexed = FALSE) {
  check_flag(sorted)
  k <- check_whole(k, min = 1)
  x <- as_operand(x)
  rank <- tensor_rank(x)
  if (rank == 0) birnn_abort("{.arg x} must have at least one axis.", kind = "shape")
  size <- tensor_shape(x)[[rank]]
  if (!is.na(size) && k > size) {
    birnn_abort("{.arg k} is {k}, but the last axis of shape {format_shape(tensor_shape(x))} has only {size} element{?s}.")
  }
  order <- slice_axis(in_order(x, rank, descending = TRUE)$order, rank, begin = 0, end = k)
  list(values = taken_in_order(x, order, rank - 1), indices = counted_positions(order, zero_indexed))
}

# The tensor to sort, its axis counted from 0, and the positions of its elements in increasing order.
in_order <- function(x, axis, descending = FALSE, call = rlang::caller_env()) {
  x <- as_operand(x)
  if (is.null(axis)) {
    x <- op_reshape(x, -1)
    axis <- 1
  }
  axis <- one_axis(axis, tensor_rank(x), call = call)
  list(x = x, axis = axis, order = apply_op("argsort", list(x), list(axis = axis, descending = descending)))
}

taken_in_order <- function(x, order, axis) apply_op("take_along_axis", list(x, order), list(axis = axis))

counted_positions <- function(positions, zero_indexed, call = rlang::caller_env()) {
  if (check_flag(zero_indexed, arg = "zero_indexed", call = call)) positions else op_add(positions, 1L)
}

#' Find the place of values among sorted ones
#'
#' `op_searchsorted()` gives the position at which each value would have to be inserted to keep the order.
#' `op_digitize()` gives the number of the bin that each value falls into: 0 below the first limit, `length(bins)` from
#' the last one on.
#'
#' @param sorted_sequence,bins Numbers in increasing order.
#' @param values,x A tensor or R numbers to look up.
#' @param side `"left"`: before equal values, `"right"`: after them.
#' @param zero_indexed Whether positions count from 0, as in Python. Numbers of bins always count from 0.
#' @return An `int32` tensor of the shape of `values` or `x`.
#' @source <https://keras.io/api/ops/numpy/#searchsorted-function>
#' @family ops
#' @export
#' @examples
#' op_searchsorted(c(1, 3, 5), c(0, 3, 9))
#' op_digitize(c(0.2, 6.4, 3), bins = c(0, 1, 2.5, 4))
op_searchsorted <- function(sorted_sequence, values, side = "left", zero_indexed = FALSE) {
  compare <- if (check_choice(side, c("left", "right")) == "left") op_less else op_less_equal
  counted_positions(count_below(as_operand(sorted_sequence), as_operand(values), compare), zero_indexed)
}

#' @rdname op_searchsorted
#' @export
op_digitize <- function(x, bins) count_below(as_operand(bins), as_operand(x), op_less_equal)

# For each value, how many of the limits (one axis) it exceeds.
count_below <- function(limits, values, compare, call = rlang::caller_env()) {
  if (tensor_rank(limits) != 1) {
    birnn_abort("The sorted numbers must be a vector, not of shape {format_shape(tensor_shape(limits))}.",
                kind = "shape", call = call)
  }
  beside <- insert_axis(values, tensor_rank(values))
  op_sum(op_cast(compare(limits, beside), "int32"), axis = -1)
}
