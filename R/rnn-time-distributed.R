# TimeDistributed: a layer applied to each time step by itself (level 5).

arg_inner_layer <- argument(
  function(x, arg, call) check_inner_layer(x, arg, call), load = as_layer_argument,
  hint = "It is the second argument: {.code layer_time_distributed(layer = layer_dense(units = 8))}."
)

TimeDistributed <- R6::R6Class("TimeDistributed",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(layer = arg_inner_layer),
    supports_masking = TRUE,
    # The inner layer casts what it gets.
    casts_inputs = FALSE,
    layer = NULL,

    build = function(input_shape) build_layer(layer_object(self$layer), one_step_shape(self, input_shape)),

    # As in Keras it is the call() of the inner layer that runs: its activity regularizer and its masks stay out.
    call = function(inputs, training = FALSE, mask = NULL) {
      map_structure(inputs, function(x) one_step_shape(self, tensor_shape(x)))
      layer <- layer_object(self$layer)
      mask <- as_step_mask(self, mask, inputs)
      check_one_step(layer, inputs)
      inputs <- cast_inputs(layer, inputs)
      is_graph <- any(vapply(flatten_structure(inputs), is_graph_tensor, NA))
      apply_steps <- if (is_graph) apply_to_shape else if (is_rowwise(layer)) apply_at_once else apply_one_by_one
      with_running(
        list(layer_path = c(running$layer_path, layer$name)), apply_steps(layer, inputs, mask, training)
      )
    },

    compute_output_shape = function(input_shape) {
      shape <- as_shape_structure(input_shape)
      steps <- flatten_structure(shape)[[1L]][[2L]]
      outputs <- layer_object(self$layer)$compute_output_shape(one_step_shape(self, shape))
      map_structure_shapes(as_shape_structure(outputs), function(sizes) append(sizes, steps, after = 1L))
    },

    sublayers = function() list(self$layer)
  )
)

check_inner_layer <- function(x, arg, call) {
  if (is_layer(x)) return(x)
  hint <- if (is.function(x)) {
    "Call the function that makes the layer, with parentheses: {.code {arg} = layer_dense(units = 8)}."
  } else {
    "For example {.code {arg} = layer_dense(units = 8)}."
  }
  birnn_abort(c("{.arg {arg}} must be a layer or a model, not {describe_value(x)}.", i = hint), call = call)
}

# The shapes of one step.
one_step_shape <- function(self, shapes) {
  map_structure_shapes(shapes, function(shape) {
    if (length(shape) >= 3L) return(shape[-2L])
    abort_input(
      self, shape, "at least 3 axes (expected min_ndim=3)", "{length(shape)} (found ndim={length(shape)})",
      "The second axis counts the steps: {.code (batch, time, ...)}."
    )
  })
}

# What the inner layer asks of its input holds for each step.
check_one_step <- function(layer, inputs) {
  if (is_plain_list(inputs)) return(invisible())
  check_input_spec(layer, new_symbolic(tensor_shape(inputs)[-2L], tensor_dtype(inputs), name = "step"))
}

# (batch, time), perhaps with more axes for the inner layer.
as_step_mask <- function(self, mask, inputs) {
  if (is_plain_list(mask)) mask <- flatten_structure(mask)[[1L]]
  if (is.null(mask)) return(NULL)
  first <- flatten_structure(inputs)[[1L]]
  expected <- tensor_shape(first)[1:2]
  shape <- tensor_shape(mask)
  if (length(shape) >= 2L && !any(shape[1:2] != expected, na.rm = TRUE)) return(spread_mask(self, mask, first))
  birnn_abort(
    "{.arg mask} of layer {.val {self$name}} must have shape {sub('.$', ', ...]', format_shape(expected))}
     (batch, time, ...), not {format_shape(shape)}.",
    kind = "mask", call = NULL
  )
}

# birnn's layers of sequences want a mask (batch, inner time): one that only says which outer steps count says so for
# all inner steps. (Keras' layers cannot take such a mask.) Layers of one's own get theirs as it is.
spread_mask <- function(self, mask, x) {
  is_sequence <- tensor_rank(x) >= 4L && is.null(layer_object(self$layer)$definition)
  if (!is_sequence || tensor_rank(mask) > 2L) return(mask)
  inner <- tensor_rank(x) - 3L
  corner <- list(begin = c(NaN, NaN, NaN, rep(0, inner)), end = c(NaN, NaN, NaN, rep(1, inner)),
                 stride = rep(1, 3L + inner))
  like <- reshape_coded(apply_op("slice", list(x), corner), c(same_size_as(0:2)))
  op_logical_and(op_expand_dims(op_cast(mask, "bool"), -1L), op_ones_like(like, dtype = "bool"))
}

# --- three ways to the same numbers -------------------------------------------------------------------------------

# `x`: inputs of one step, `mask` theirs; those of the arguments that the layer's call() has.
call_step <- function(layer, x, mask, training) {
  known <- names(formals(layer$call))
  args <- list(x)
  if ("training" %in% known) args$training <- training
  if ("mask" %in% known) args$mask <- mask
  do.call(layer$call, args, quote = TRUE)
}

# Step after step; inner dropout draws anew for each.
apply_one_by_one <- function(layer, inputs, mask, training) {
  leaves <- lapply(flatten_structure(inputs), op_unstack, axis = 2L)
  masks <- if (!is.null(mask)) op_unstack(mask, axis = 2L)
  outputs <- lapply(seq_along(leaves[[1L]]), function(k) {
    call_step(layer, pack_structure(inputs, lapply(leaves, `[[`, k)), masks[[k]], training)
  })
  each <- lapply(outputs, flatten_structure)
  stacked <- lapply(seq_along(each[[1L]]), function(leaf) op_stack(lapply(each, `[[`, leaf), axis = 2L))
  pack_structure(outputs[[1L]], stacked)
}

# All steps as rows of one large batch.
apply_at_once <- function(layer, inputs, mask, training) {
  steps <- tensor_shape(flatten_structure(inputs)[[1L]])[[2L]]
  as_rows <- function(x) reshape_coded(x, c(-1, same_size_as(seq_len(tensor_rank(x) - 2L) + 1)))
  as_steps <- function(y) reshape_coded(y, c(-1, steps, same_size_as(seq_len(tensor_rank(y) - 1L))))
  outputs <- call_step(layer, map_structure(inputs, as_rows), if (!is.null(mask)) as_rows(mask), training)
  map_structure(outputs, as_steps)
}

# In a functional model only types and shapes are told: those of one step, however many there will be.
apply_to_shape <- function(layer, inputs, mask, training) {
  steps <- tensor_shape(flatten_structure(inputs)[[1L]])[[2L]]
  symbolic <- function(x, sizes) new_symbolic(sizes, tensor_dtype(x), name = "step")
  one_step <- function(x) symbolic(x, tensor_shape(x)[-2L])
  outputs <- call_step(layer, map_structure(inputs, one_step), if (!is.null(mask)) one_step(mask), training)
  map_structure(outputs, function(y) symbolic(y, append(tensor_shape(y), steps, after = 1L)))
}

# Built-in layers that treat each row by itself: no randomness, no statistics of the batch, no states, no penalties.
rowwise_layers <- c(
  "Dense", "Embedding", "Flatten", "Conv1D", "MaxPooling1D", "AveragePooling1D", "GlobalMaxPooling1D",
  "GlobalAveragePooling1D", "SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell", "Bidirectional",
  "TimeDistributed", "Sequential"
)

is_rowwise <- function(self) {
  class(self)[[1L]] %in% rowwise_layers && length(self$seed_variables()) == 0L && !isTRUE(self$stateful) &&
    is.null(self$activity_regularizer) && (is.null(self$activation) || !is.null(activation_name(self$activation))) &&
    (!inherits(self, "RNN") || !is.null(compiled_cells(self))) &&
    all(vapply(self$sublayers(), function(layer) is_rowwise(layer_object(layer)), NA))
}

#' Apply a layer to each time step
#'
#' The inner layer sees the steps of a sequence one by one: an input `(batch, time, ...)` is cut into steps `(batch,
#' ...)`, and the results are put together again. All steps share the weights. So an LSTM in it summarizes each sentence
#' of a text `(batch, sentences, words, features)`, and a [layer_lstm()] after it reads the sentences.
#'
#' @inheritParams layer_dense
#' @param layer A layer, such as `layer_dense(units = 3)`, or a model.
#' @param ... Arguments of every layer, see [layer_dense()]: `name`, `trainable`, `dtype`, ...; anything else is an
#'   error.
#' @inherit layer_dense return
#' @section Call arguments:
#' `layer(inputs, mask = NULL, training = FALSE)`
#' * `inputs`: an array or tensor with at least three axes, `(batch, time, ...)`; a list of them if the inner layer
#'   takes a list.
#' * `mask`: logicals `(batch, time)` or `(batch, time, ...)`; by default that of the input. The part of a step is
#'   handed to the inner layer if its `call` has a `mask`; an inner layer of sequences such as [layer_lstm()] skips all
#'   of a step that is `FALSE` in a mask `(batch, time)`. The mask travels on with the output as it is.
#' * `training`: handed to the inner layer if its `call` has it. Dropout in it draws anew for each step.
#' @section States:
#' A stateful inner layer goes on from step to step and from call to call; [reset_state()] of the wrapper resets it.
#' @note As in Keras the inner layer adds no activity penalty.
#' @source <https://keras.io/api/layers/recurrent_layers/time_distributed/>
#' @family rnn layers
#' @export
#' @examples
#' x <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
#' layer_time_distributed(x, layer_dense(units = 4))
#'
#' # Texts of 4 sentences of up to 6 words
#' model <- keras_model_sequential(input_shape = c(4, 6), input_dtype = "int32") |>
#'   layer_time_distributed(layer_embedding(input_dim = 20, output_dim = 3)) |>
#'   layer_time_distributed(layer_bidirectional(layer = layer_lstm(units = 4))) |>
#'   layer_lstm(units = 5)
#' model
layer_time_distributed <- function(object, layer, ...) {
  create_layer("TimeDistributed", object, capture_args())
}

#' @rdname layer_time_distributed
#' @export
time_distributed <- layer_time_distributed

register_layer(TimeDistributed, layer_time_distributed)
