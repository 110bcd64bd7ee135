# How op_*() functions read what they are given: tensors, mixed dtypes, 1-based axes, shapes (level 2).

float_dtypes <- c("float32", "float64")

# bool < int32 < float32 < float64: the dtype that can hold both.
dtype_width <- c(bool = 1L, int32 = 2L, float32 = 3L, float64 = 4L)

width_of <- function(dtype) if (dtype == "string") abort_text_input("The operation") else dtype_width[[dtype]]

wider_dtype <- function(a, b) if (a == b || width_of(a) > width_of(b)) a else b

is_float_dtype <- function(dtype) dtype %in% float_dtypes

# Anything that numbers can be read from, as an input of an op. Variables stay variables: the tape follows them.
as_operand <- function(x, dtype = NULL) {
  if (!is_tensor_like(x)) return(as_tensor(x, dtype))
  if (is.null(dtype) || identical(dtype, tensor_dtype(x))) return(x)
  apply_op("cast", list(x), list(dtype = dtype))
}

# At least as wide as `dtype`: counts become numbers before they are averaged, logicals before they are added.
as_wide_operand <- function(x, dtype) {
  x <- as_operand(x)
  own <- tensor_dtype(x)
  if (width_of(own) >= width_of(dtype)) x else as_operand(x, dtype)
}

as_float_operand <- function(x) {
  x <- as_operand(x)
  if (is_float_dtype(tensor_dtype(x))) x else as_operand(x, floatx())
}

# The dtype an R value takes beside a tensor of type `dtype`: that one, unless it would lose a fraction.
dtype_beside <- function(x, dtype) {
  if (is_float_dtype(dtype) || is.logical(x)) return(dtype)
  is_whole <- is.integer(x) || (is.numeric(x) && isTRUE(all(x == round(x) & abs(x) <= .Machine$integer.max)))
  if (is_whole) "int32" else floatx()
}

# The common dtype of several operands. Tensors win over R numbers.
common_dtype <- function(xs) {
  dtype <- NULL
  for (x in xs) if (is_tensor_like(x)) dtype <- wider_dtype(dtype %||% "bool", tensor_dtype(x))
  if (is.null(dtype)) return(Reduce(wider_dtype, lapply(xs, natural_dtype)))
  for (x in xs) if (!is_tensor_like(x)) dtype <- wider_dtype(dtype, dtype_beside(x, dtype))
  dtype
}

# Operands of one dtype, at least as wide as `at_least`.
promote_operands <- function(xs, at_least = "bool") {
  if (are_alike(xs, at_least)) return(xs)
  dtype <- wider_dtype(common_dtype(xs), at_least)
  lapply(xs, as_operand, dtype = dtype)
}

# Whether all are tensors of one dtype already: the usual case.
are_alike <- function(xs, at_least) {
  first <- NULL
  for (x in xs) {
    if (!is_tensor_like(x)) return(FALSE)
    dtype <- tensor_dtype(x)
    if (is.null(first)) first <- dtype else if (dtype != first) return(FALSE)
  }
  !is.null(first) && width_of(first) >= width_of(at_least)
}

# 1-based axes as 0-based ones, none negative.
zero_based_axis <- function(axis, rank, arg = "axis", call = rlang::caller_env()) {
  if (is.null(axis)) return(NULL)
  is_plain <- length(axis) == 1L && is.numeric(axis) && !is.na(axis) && axis != 0 && abs(axis) <= rank
  if (is_plain && axis == trunc(axis)) return(as.integer(axis) - if (axis > 0) 1L else -rank)
  if (!is.numeric(axis) || anyNA(axis) || any(axis != round(axis))) stop_not("whole numbers", axis, arg, call)
  if (any(axis == 0)) {
    birnn_abort(
      c("{.arg {arg}} argument is 1 based, received 0", i = "Use 1 for the first axis (the batch), -1 for the last."),
      call = call
    )
  }
  outside <- axis[abs(axis) > rank]
  if (length(outside) > 0) {
    birnn_abort(
      "{.arg {arg}} is {.val {outside[[1]]}}, but the tensor has {rank} {cli::qty(rank)}ax{?is/es}.", call = call
    )
  }
  as.integer(axis - (axis > 0) + rank * (axis < 0))
}

# As zero_based_axis(), for exactly one axis.
one_axis <- function(axis, rank, arg = "axis", call = rlang::caller_env()) {
  if (length(axis) != 1) stop_not("one axis", axis, arg, call)
  zero_based_axis(axis, rank, arg, call)
}

# A shape of known sizes.
known_shape <- function(shape, arg = rlang::caller_arg(shape), call = rlang::caller_env()) {
  sizes <- if (is.null(shape)) integer() else as_shape(shape, arg = arg, call = call)
  if (anyNA(sizes)) {
    birnn_abort(
      c("{.arg {arg}} must be known, not {format_shape(sizes)}.",
        i = "For tensors as large as the batch use {.fn op_zeros_like}, {.fn op_ones_like} or {.fn op_broadcast_to}."),
      kind = "shape", call = call
    )
  }
  sizes
}

# In the shapes that `reshape` and the random ops take, -(10 + k) stands for the size of input axis k (0-based):
# so that no batch or time size gets into an attribute.
same_size_as <- function(axis) -(10 + axis)

# A reshape that keeps, drops and inserts axes: `sizes` are literal sizes or same_size_as() codes.
reshape_coded <- function(x, sizes) apply_op("reshape", list(x), list(shape = as.numeric(sizes)))

drop_axes <- function(x, axes) {
  kept <- setdiff(seq_len(tensor_rank(x)) - 1, axes)
  reshape_coded(x, same_size_as(kept))
}

insert_axis <- function(x, axis) {
  sizes <- same_size_as(seq_len(tensor_rank(x)) - 1)
  reshape_coded(x, append(sizes, 1, after = axis))
}

# The axis order that puts `axis` (0-based) last, and the order that undoes it.
axis_to_end <- function(rank, axis) c(setdiff(seq_len(rank) - 1, axis), axis)

permute_axes <- function(x, order) {
  if (identical(as.numeric(order), seq_len(tensor_rank(x)) - 1)) return(x)
  apply_op("transpose", list(x), list(perm = as.numeric(order)))
}

move_axis_last <- function(x, axis) permute_axes(x, axis_to_end(tensor_rank(x), axis))

move_last_axis_to <- function(x, axis) {
  rank <- tensor_rank(x)
  permute_axes(x, order(axis_to_end(rank, axis)) - 1)
}

sizes_agree <- function(a, b) length(a) == length(b) && all(is.na(a) | is.na(b) | a == b)

with_trailing_axes <- function(x, rank) {
  while (tensor_rank(x) < rank) x <- insert_axis(x, tensor_rank(x))
  x
}
