# What users give to fit(), evaluate() and predict(), as tensors: converted once, checked against the model (level 7).

# One input as a tensor. `spec`: list(name, shape with the batch axis, dtype); shape NULL: not known yet.
# `table`: where texts go.
input_tensor <- function(x, spec, arg = "x", call = rlang::caller_env(), table = new_text_table()) {
  if (takes_texts(spec) || is.character(x) && is.null(spec$dtype)) return(text_tensor(x, spec, arg, call, table))
  if (is.factor(x) && length(spec$shape) > 2) {
    birnn_abort(
      c("{.arg {arg}} must be an array of numbers, not a factor with {nlevels(x)} level{?s}.", i = conversion_hint(x)),
      kind = "type", call = call
    )
  }
  x <- plain_numbers(x, arg, call)
  tensor <- if (is_tensor_like(x)) as_tensor(x, spec$dtype) else numbers_to_tensor(x, spec$dtype, arg, call)
  if (is.null(spec$shape)) return(check_has_axes(tensor, arg, call))
  tensor <- adjust_rank(tensor, spec$shape)
  check_input_shape(tensor_shape(tensor), spec, arg, call)
  tensor
}

# The places of texts in a table, as a tensor.
text_tensor <- function(x, spec, arg, call, table) {
  if (is.data.frame(x)) x <- as.matrix(x)
  if (is.factor(x)) x <- as.character(x)
  if (is_plain_list(x)) x <- unlist(x)
  if (!is.character(x)) check_texts(x, spec, arg, call)
  tensor <- table$code(x)
  if (is.null(spec$shape)) return(tensor)
  tensor <- adjust_rank(tensor, spec$shape)
  check_input_shape(tensor_shape(tensor), spec, arg, call)
  tensor
}

# Data frames of numbers, factors and logicals as plain numbers.
plain_numbers <- function(x, arg, call) {
  if (is_symbolic(x)) stop_not("numbers", x, arg, call)
  if (is_tensor_like(x)) return(x)
  if (is.factor(x)) return(as.integer(x) - 1L)
  if (is.data.frame(x)) {
    bad <- names(x)[!vapply(x, function(column) is.numeric(column) || is.logical(column), logical(1))]
    if (length(bad)) {
      birnn_abort(
        c("{.arg {arg}} is a data frame whose column{?s} {.field {bad}} {?is/are} not numbers.",
          i = "For one row a time step see {.fn sequences_from_data_frame}."),
        kind = "type", call = call
      )
    }
    return(as.matrix(x))
  }
  is_array <- !is.object(x) || inherits(x, c("matrix", "array", "table")) && !inherits(x, time_series_classes)
  if (!is_array || !(is.numeric(x) || is.logical(x))) {
    birnn_abort(
      c("{.arg {arg}} must be an array of numbers, not {.cls {if (is.object(x)) class(x) else typeof(x)}}.",
        i = conversion_hint(x)),
      kind = "type", call = call
    )
  }
  x
}

numbers_to_tensor <- function(x, dtype, arg, call) {
  if (identical(dtype, "int32") && is.double(x)) {
    bad <- which(is.na(x) | x != trunc(x))
    if (length(bad)) {
      birnn_abort("{.arg {arg}} must hold whole numbers, but element {bad[[1]]} is {.val {x[[bad[[1]]]]}}.",
                  call = call)
    }
  }
  if (!is.double(x) && (dtype %||% "") %in% c("float32", "float64")) storage.mode(x) <- "double"
  if (length(x) == 1 && is.null(dim(x))) dim(x) <- 1L
  as_tensor(x, dtype)
}

check_has_axes <- function(tensor, arg, call) {
  if (tensor_rank(tensor) >= 2) return(tensor)
  birnn_abort(
    c("{.arg {arg}} must be an array with a row for each sample, but it has no {.fn dim}.",
      i = "Use {.fn matrix} or {.fn array}."),
    kind = "shape", call = call
  )
}

# --- sequences of different lengths -------------------------------------------------------------------------------

# Whether the only input is given as a list with one vector or matrix a sample: they have one axis less than the input.
is_ragged <- function(x, specs) {
  if (!is_plain_list(x) || length(specs) != 1L || length(x) == 0L) return(FALSE)
  rank <- length(specs[[1L]]$shape)
  if (rank == 0L && length(x) == 1L) return(FALSE)
  axes <- vapply(x, sample_axes, 0L)
  isTRUE(all(axes == (if (rank == 0L) axes[[1L]] else rank - 1L)))
}

# The axes of one sample in a list of them: a vector has one.
sample_axes <- function(x) {
  if (is.data.frame(x)) return(2L)
  if (is.numeric(x) || is.logical(x)) max(length(dim(x)), 1L) else NA_integer_
}

is_ragged_target <- function(y, outputs) {
  if (!is_plain_list(y) || length(outputs) != 1L || length(y) < 2L || length(outputs[[1L]]$shape) < 3L) return(FALSE)
  all(vapply(y, sample_axes, 0L) %in% (length(outputs[[1L]]$shape) - 1:2))
}

# Sequences padded at their ends to the length of the longest, or of the input. What was added is masked: by the value
# that the model's masking layer looks for, else by a mask on the tensor.
pad_ragged <- function(x, model, call) {
  spec <- model$input_specs()[[1L]]
  x <- as_sequences(x, call)
  lengths <- vapply(x, sequence_length, 0L)
  longest <- max(lengths, if (length(spec$shape) > 1L) spec$shape[[2L]], na.rm = TRUE)
  value <- padding_value(model)
  padded <- pad_sequences(x, longest, dtype = "float64", padding = "post", value = if (is.na(value)) 0 else value)
  if (all(lengths == longest)) return(padded)
  kept <- outer(lengths, seq_len(longest), ">=")
  if (is.nan(value)) padded[rep(!kept, length.out = length(padded))] <- NA
  if (is.nan(value) || !is.na(value)) return(padded)
  list(with_mask(as_tensor(padded, spec$dtype), as_tensor(kept)))
}

# What the model's own layers take as padding: the value of its masking layer (NaN: missing values), 0 where an
# embedding masks it. NA: no layer does.
padding_value <- function(model) {
  for (layer in all_layers(model)) {
    if (inherits(layer, "Masking")) return(if (is.na(layer$mask_value)) NaN else layer$mask_value)
    if (!inherits(layer, "Embedding")) next
    if (layer$mask_zero) return(0)
    warn_once(
      paste0("ragged-embedding-", layer$name),
      c("The sequences are padded with 0, which {.val {layer$name}} takes for a word.",
        i = "Use {.code mask_zero = TRUE} and words counted from 1.")
    )
  }
  NA_real_
}
