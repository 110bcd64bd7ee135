# pad_sequences(): ragged sequences as one rectangular array (level 7).

#' Pad sequences to the same length
#'
#' Turns a list of sequences of different lengths into one array: shorter sequences are filled up with `value`, longer
#' ones are cut. Note the defaults: padding *and* cutting happen at the *front*. A model can skip the padded steps:
#' see [layer_masking()] (any `value` that never occurs as a whole time step) and `mask_zero` of [layer_embedding()].
#'
#' @param sequences A list with one element a sequence: vectors (also lists of numbers), or matrices `(time, features)`
#'   (also arrays `(time, ...)` and data frames of numbers) that agree in all sizes but time. An empty vector or `NULL`
#'   is a sequence without steps.
#' @param maxlen The length to pad and cut to; `NULL` is the length of the longest sequence.
#' @param dtype The type of the result: `"int32"` (integers; fractions are cut off, with a warning) or `"float32"`,
#'   `"float64"` (doubles).
#' @param padding Where to fill up: `"pre"` or `"post"`.
#' @param truncating Where to cut: `"pre"` or `"post"`.
#' @param value The number to fill up with.
#' @return A matrix `(sequences, maxlen)`, for matrices an array `(sequences, maxlen, features)`.
#' @source Behaves as [keras.utils.pad_sequences](https://keras.io/api/data_loading/timeseries/).
#' @family data preparation
#' @export
#' @examples
#' pad_sequences(list(1:3, 7L), padding = "post")
#' ragged <- list(matrix(runif(6), 3, 2), matrix(runif(10), 5, 2))
#' dim(pad_sequences(ragged, padding = "post", dtype = "float32", value = -99))
pad_sequences <- function(sequences, maxlen = NULL, dtype = "int32", padding = "pre", truncating = "pre", value = 0) {
  sequences <- as_sequences(sequences)
  maxlen <- check_whole(maxlen, min = 1, allow_null = TRUE)
  check_choice(padding, c("pre", "post"))
  check_choice(truncating, c("pre", "post"))
  mode <- padded_mode(check_string(dtype))
  value <- check_number(value)
  lengths <- vapply(sequences, sequence_length, integer(1))
  sizes <- step_sizes(sequences, lengths)
  length <- maxlen %||% max(lengths, 0L)
  padded <- array(value, c(length(sequences), length, prod(sizes)))
  for (i in which(lengths > 0)) {
    kept <- kept_steps(lengths[[i]], length, truncating)
    offset <- if (padding == "pre") length - length(kept) else 0L
    padded[i, offset + seq_along(kept), ] <- matrix(sequences[[i]], lengths[[i]])[kept, ]
  }
  dim(padded) <- c(length(sequences), length, sizes)
  cast_padded(padded, mode, dtype)
}

# Every sequence as a vector or array of numbers.
as_sequences <- function(sequences, call = rlang::caller_env()) {
  if (!is.list(sequences) || is.data.frame(sequences)) {
    stop_not("a list of vectors or matrices", sequences, "sequences", call)
  }
  sequences <- lapply(unname(sequences), function(x) {
    if (is.data.frame(x)) return(data.matrix(x))
    if (is_plain_list(x) && all(lengths(x) == 1)) unlist(x) else x
  })
  bad <- which(!vapply(sequences, function(x) is.null(x) || is.numeric(x) || is.logical(x), logical(1)))
  if (length(bad)) {
    stop_not("a list of vectors or matrices of numbers", sequences[[bad[[1]]]],
             sprintf("sequences[[%d]]", bad[[1]]), call)
  }
  sequences
}

sequence_length <- function(x) if (is.null(dim(x))) length(x) else nrow(x)

# The sizes of one time step: integer() for vectors, the number of features for matrices.
step_sizes <- function(sequences, lengths, call = rlang::caller_env()) {
  has_steps <- which(lengths > 0 | !vapply(sequences, function(x) is.null(dim(x)), logical(1)))
  if (length(has_steps) == 0) return(integer())
  sizes <- lapply(sequences[has_steps], function(x) dim(x)[-1] %||% integer())
  differs <- which(!vapply(sizes, identical, logical(1), sizes[[1]]))
  if (length(differs)) {
    first <- has_steps[[1]]
    other <- has_steps[[differs[[1]]]]
    birnn_abort(
      c(
        "All {.arg sequences} must have time steps of one size.",
        x = "Sequence {first} has steps of size {format_shape(sizes[[1]])}, sequence {other} of size
             {format_shape(sizes[[differs[[1]]]])}."
      ),
      kind = "shape", call = call
    )
  }
  sizes[[1]]
}

kept_steps <- function(length, maxlen, truncating) {
  if (length <= maxlen) return(seq_len(length))
  if (truncating == "pre") seq.int(length - maxlen + 1L, length) else seq_len(maxlen)
}

padded_mode <- function(dtype, call = rlang::caller_env()) {
  integers <- c("int32", "int64", "int16", "int8", "uint8", "uint16", "uint32")
  floats <- c("float32", "float64", "float16", "bfloat16")
  check_choice(dtype, c(integers, floats), call = call)
  if (dtype %in% integers) "integer" else "double"
}

cast_padded <- function(padded, mode, dtype, call = rlang::caller_env()) {
  if (mode == "integer" && any(padded != trunc(padded), na.rm = TRUE)) {
    birnn_warn(
      c("{.arg dtype} = {.val {dtype}} cuts off the fractions of the numbers.", i = "Use {.code dtype = \"float32\"}."),
      call = call
    )
  }
  storage.mode(padded) <- mode
  padded
}
