# keras_input(): where functional models begin (level 6).

# The layer behind a symbolic input. Its only node is there from the start: no inputs, one output.
InputLayer <- R6::R6Class("InputLayer",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    batch_shape = NULL,
    optional = FALSE,
    casts_inputs = FALSE,
    initialize = function(batch_shape, dtype, name = NULL, optional = FALSE) {
      super$initialize(name = name)
      self$batch_shape <- batch_shape
      self$dtype <- dtype
      self$optional <- optional
      self$built <- TRUE
    },
    get_config = function() {
      list(batch_shape = as.list(self$batch_shape), dtype = self$dtype, sparse = FALSE, ragged = FALSE,
           name = self$name, optional = self$optional)
    }
  )
)

# `batch_shape`: with the batch axis, NA = unknown. The symbolic tensor is layer$output.
new_input_layer <- function(batch_shape, dtype = NULL, name = NULL, optional = FALSE) {
  self <- InputLayer$new(batch_shape, dtype %||% floatx(), name, optional)
  handle <- new_layer_handle(self)
  history <- list(layer = handle, node = 1L, tensor = 1L)
  output <- new_symbolic(batch_shape, self$dtype, name = self$name, history = history)
  self$inbound_nodes <- list(list(
    layer = handle, args = list(), kwargs = list(), inputs = list(), outputs = list(output), output_structure = output
  ))
  handle
}

#' The input of a functional model
#'
#' A symbolic tensor: layers called on it describe a computation, which [keras_model()] turns into a model.
#'
#' @param shape The shape of one sample, without the batch axis: `c(NA, 8)`, `shape(NULL, 8)`, `28`. `NA` is an unknown
#'   size.
#' @param batch_size A fixed number of samples in a batch, needed for stateful layers only.
#' @param dtype The type of its numbers: `"int32"` for the indices of an embedding (`"int64"` is the same here); `NULL`
#'   is the running float type. `"string"` is for texts, which only a [layer_text_vectorization()] can read.
#' @param sparse,ragged Must be `NULL` or `FALSE`.
#' @param batch_shape The shape with the batch axis, in place of `shape` and `batch_size`.
#' @param name The name of the input; names the input of a model with several inputs in [fit()][fit.birnn_model].
#' @param tensor A symbolic tensor to take the shape and type from.
#' @param optional Accepted for compatibility.
#' @return A symbolic tensor. `layer_input()` is the same function.
#' @source Behaves as [keras.Input](https://keras.io/api/layers/core_layers/input/).
#' @family model functions
#' @export
#' @examples
#' x <- keras_input(c(NA, 3))
#' y <- x |> layer_bidirectional(layer_lstm(units = 4)) |> layer_dense(1)
#' model <- keras_model(x, y)
keras_input <- function(shape = NULL, batch_size = NULL, dtype = NULL, sparse = NULL, ragged = NULL, batch_shape = NULL,
                        name = NULL, tensor = NULL, optional = FALSE) {
  if (isTRUE(sparse) || isTRUE(ragged)) {
    birnn_abort(c("{.arg sparse} and {.arg ragged} inputs are not supported.", i = "See {.fn pad_sequences}."))
  }
  if (!is.null(tensor)) {
    batch_shape <- tensor_shape(tensor)
    dtype <- dtype %||% tensor_dtype(tensor)
  }
  if (!is.null(dtype)) dtype <- input_dtype(dtype)
  check_string(name, allow_null = TRUE)
  new_input_layer(batch_shape = input_batch_shape(shape, batch_size, batch_shape), dtype = dtype, name = name,
                  optional = check_flag(optional))$output
}

#' @rdname keras_input
#' @export
layer_input <- keras_input

# The shape with the batch axis, from the arguments of keras_input() or keras_model_sequential().
input_batch_shape <- function(shape, batch_size, batch_shape, call = rlang::caller_env()) {
  if (!is.null(batch_shape)) {
    if (!is.null(shape) || !is.null(batch_size)) {
      birnn_abort("{.arg batch_shape} takes the place of {.arg shape} and {.arg batch_size}: give one or the other.",
                  call = call)
    }
    return(check_sizes(as_shape(batch_shape, arg = "batch_shape", call = call), call))
  }
  if (is.null(shape)) birnn_abort("{.arg shape} (or {.arg batch_shape}) must be given.", call = call)
  batch_size <- check_whole(batch_size, min = 1, allow_null = TRUE, call = call)
  c(batch_size %||% NA_integer_, check_sizes(as_shape(shape, call = call), call))
}

check_sizes <- function(sizes, call) {
  if (all(is.na(sizes) | sizes > 0)) return(sizes)
  birnn_abort("The shape of an input must have sizes of at least 1, not {format_shape(sizes)}.", kind = "shape",
              call = call)
}
