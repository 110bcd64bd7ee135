# Making, converting and looking at tensors (level 2).

#' Tensors of constants
#'
#' @param shape The sizes: a vector, a list or a [shape()].
#' @param fill_value The number every element has.
#' @param x A tensor whose shape (also an unknown batch size) and type the result takes.
#' @param dtype The type; `NULL` is the running float type, or for `_like` functions that of `x`.
#' @param N,M Numbers of rows and columns; `M = NULL` is square.
#' @param k The diagonal that holds ones: 0 the main one, positive ones above it.
#' @return A tensor.
#' @source <https://keras.io/api/ops/numpy/#zeros-function>
#' @family ops
#' @export
#' @examples
#' op_zeros(c(2, 3))
#' op_eye(3)
#' op_full_like(op_zeros(2), 7)
op_zeros <- function(shape, dtype = NULL) op_full(shape, 0, dtype)

#' @rdname op_zeros
#' @export
op_ones <- function(shape, dtype = NULL) op_full(shape, 1, dtype)

#' @rdname op_zeros
#' @export
op_full <- function(shape, fill_value, dtype = NULL) {
  sizes <- known_shape(shape)
  value <- check_number(fill_value)
  apply_op("full", list(), list(shape = as.numeric(sizes), value = value, dtype = dtype %||% floatx()))
}

#' @rdname op_zeros
#' @export
op_zeros_like <- function(x, dtype = NULL) op_full_like(x, 0, dtype)

#' @rdname op_zeros
#' @export
op_ones_like <- function(x, dtype = NULL) op_full_like(x, 1, dtype)

#' @rdname op_zeros
#' @export
op_full_like <- function(x, fill_value, dtype = NULL) {
  apply_op("full_like", list(as_operand(x)), list(value = check_number(fill_value), dtype = dtype))
}

#' @rdname op_zeros
#' @export
op_eye <- function(N, M = NULL, k = 0L, dtype = NULL) { # nolint: object_name_linter. Keras' names.
  rows <- check_whole(N, min = 0)
  columns <- check_whole(M, min = 0, allow_null = TRUE) %||% rows
  above <- outer(seq_len(rows), seq_len(columns), function(i, j) j - i)
  as_tensor(above == check_whole(k), dtype %||% floatx())
}

#' Evenly spaced numbers
#'
#' @param start,end First and last number; without `end` the numbers from 1 to `start`.
#' @param step The distance.
#' @param dtype The type; `NULL` is `int32` if all three are whole, else the running float type.
#' @param include_end Whether `end` itself may be part of the result; `FALSE` stops before it, as Python does.
#' @return A tensor with one axis.
#' @source <https://keras.io/api/ops/numpy/#arange-function>
#' @family ops
#' @export
#' @examples
#' op_arange(1, 5)
#' op_arange(0, 1, 0.25, include_end = FALSE)
op_arange <- function(start, end = NULL, step = 1L, dtype = NULL, include_end = TRUE) {
  start <- check_number(start)
  if (is.null(end)) {
    end <- start
    start <- 1
  }
  end <- check_number(end)
  step <- check_number(step)
  if (step == 0) birnn_abort("{.arg step} must not be 0.")
  steps <- (end - start) / step
  count <- if (check_flag(include_end)) floor(steps + 1e-9) + 1 else ceiling(steps - 1e-9)
  numbers <- start + step * (seq_len(max(0, count)) - 1)
  is_whole <- all(c(start, end, step) == round(c(start, end, step)))
  one_axis_tensor(numbers, dtype %||% if (is_whole) "int32" else floatx())
}

# as_tensor() makes scalars of vectors of length one.
one_axis_tensor <- function(numbers, dtype) as_tensor(array(numbers, length(numbers)), dtype)

#' Convert and inspect tensors
#'
#' `op_convert_to_tensor()` is [as_tensor()], `op_convert_to_array()` and `op_convert_to_numpy()` give R arrays.
#' `op_cast()` changes the type: numbers are cut off towards zero when they become `int32`, and `bool` is true for what
#' is not 0. `op_stop_gradient()` passes values but no gradients.
#'
#' @param x,variable A tensor, variable, symbolic tensor, or R array.
#' @param dtype `"float32"`, `"float64"`, `"int32"` or `"bool"`; `NULL` chooses as [as_tensor()] does.
#' @param sparse,ragged Accepted for compatibility; must not be `TRUE`.
#' @return A tensor; `op_convert_to_array()` an R array; `op_shape()` a [shape()]; `op_ndim()` a number;
#'   `op_is_tensor()` `TRUE` or `FALSE`.
#' @source <https://keras.io/api/ops/core/>
#' @family ops
#' @export
#' @examples
#' x <- op_convert_to_tensor(1:3, dtype = "float32")
#' op_cast(c(1.7, -1.7), "int32")
#' op_shape(x)
op_convert_to_tensor <- function(x, dtype = NULL, sparse = NULL, ragged = NULL) {
  if (isTRUE(sparse) || isTRUE(ragged)) birnn_abort("There are no sparse or ragged tensors.")
  as_tensor(x, dtype)
}

#' @rdname op_convert_to_tensor
#' @export
op_convert_to_array <- function(x) as.array(as_tensor(x))

#' @rdname op_convert_to_tensor
#' @export
op_convert_to_numpy <- op_convert_to_array

#' @rdname op_convert_to_tensor
#' @export
op_cast <- function(x, dtype) as_operand(x, check_choice(dtype, dtype_names))

#' @rdname op_convert_to_tensor
#' @export
op_shape <- function(x) new_shape(tensor_shape(as_operand(x)))

#' @rdname op_convert_to_tensor
#' @export
op_ndim <- function(x) tensor_rank(as_operand(x))

#' @rdname op_convert_to_tensor
#' @export
op_is_tensor <- function(x) is_tensor_like(x)

#' @rdname op_convert_to_tensor
#' @export
op_stop_gradient <- function(variable) apply_op("stop_gradient", list(as_operand(variable)))
