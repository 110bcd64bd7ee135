# Embedding: a trainable vector for each index (level 5).

Embedding <- R6::R6Class("Embedding",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      input_dim = arg_units,
      output_dim = arg_units,
      embeddings_initializer = arg_initializer,
      embeddings_regularizer = arg_regularizer,
      activity_regularizer = extra(arg_regularizer, NULL),
      embeddings_constraint = arg_constraint,
      mask_zero = arg_flag,
      weights = argument(function(x, arg, call) as_embedding_weights(x), save = NULL, field = "initial_weights"),
      lora_rank = arg_unsupported,
      lora_alpha = arg_unsupported,
      input_length = extra(not_saved(arg_whole(min = 1, allow_null = TRUE)), NULL)
    ),
    casts_inputs = FALSE,
    input_spec = list(min_ndim = 0L),
    embeddings = NULL,

    initialize = function(...) {
      super$initialize(...)
      self$supports_masking <- self$mask_zero
      if (!is.null(self$input_length) && is.null(self$batch_input_shape)) {
        self$batch_input_shape <- c(NA_integer_, self$input_length)
      }
      if (!is.null(self$initial_weights)) build_layer(self, NA_integer_)
    },

    build = function(input_shape) {
      self$embeddings <- self$add_weight(
        c(self$input_dim, self$output_dim), self$embeddings_initializer, regularizer = self$embeddings_regularizer,
        constraint = self$embeddings_constraint, name = "embeddings"
      )
      if (!is.null(self$initial_weights)) write_variables(list(self$embeddings), self$initial_weights, self$name, NULL)
    },

    call = function(inputs) {
      check_indices(self, inputs)
      apply_op("embedding", list(self$embeddings, op_cast(inputs, "int32")))
    },

    # Also ends a mask that comes with the input, as in Keras.
    compute_mask = function(inputs, mask = NULL) if (self$mask_zero) op_not_equal(inputs, 0L),

    compute_output_shape = function(input_shape) c(as_shape(input_shape), self$output_dim)
  )
)

# A table on its own counts as a list of one.
as_embedding_weights <- function(x) if (is.null(x) || is_plain_list(x)) x else list(x)

# Indices that are numbers already: whole, from 0 to input_dim - 1. In a plan the op itself looks.
check_indices <- function(self, inputs) {
  if (!is_tensor(inputs) || prod(tensor_shape(inputs)) == 0) return(invisible())
  extremes <- c(as.numeric(op_min(inputs)), as.numeric(op_max(inputs)))
  in_range <- all(is.finite(extremes)) && extremes[[1L]] >= 0 && extremes[[2L]] < self$input_dim
  if (in_range && (tensor_dtype(inputs) == "int32" || are_whole(inputs))) return(invisible())
  values <- as.array(inputs)
  bad <- which(!is.finite(values) | values < 0 | values >= self$input_dim | values != round(values))[[1L]]
  place <- if (length(dim(values)) > 1) arrayInd(bad, dim(values)) else bad
  birnn_abort(
    c("Layer {.val {self$name}} needs whole numbers from 0 to {self$input_dim - 1L}, not {format(values[[bad]])}.",
      x = "The first such number is at [{paste(place, collapse = ', ')}].",
      i = "Indices count from 0: {.arg input_dim} is the largest index plus 1."),
    call = NULL
  )
}

are_whole <- function(x) as.logical(op_all(op_equal(x, op_round(x))))

#' Embedding of indices
#'
#' Turns whole numbers `0, 1, ..., input_dim - 1` into vectors of length `output_dim` that are trained: an input of
#' shape `(batch, time)` gives `(batch, time, output_dim)`. Indices count from 0, as in Keras.
#'
#' @inheritParams layer_dense
#' @param input_dim Number of different indices: the largest index plus 1.
#' @param output_dim Length of the vectors.
#' @param embeddings_initializer,embeddings_regularizer,embeddings_constraint Start, penalty and constraint of the table
#'   of vectors; see [layer_dense()].
#' @param mask_zero Whether 0 stands for padding: steps with index 0 are then masked. Otherwise the output has no mask.
#' @param weights A matrix `(input_dim, output_dim)`, or a list with that matrix, to start from.
#' @param ... As in [layer_dense()]; also the older `input_length`, the length of the input sequences.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/core_layers/embedding/>
#' @family core layers
#' @export
#' @examples
#' layer <- layer_embedding(input_dim = 5, output_dim = 2, mask_zero = TRUE)
#' layer(matrix(c(3, 1, 4, 0), 2))
layer_embedding <- function(object, input_dim, output_dim, embeddings_initializer = "uniform",
                            embeddings_regularizer = NULL, embeddings_constraint = NULL, mask_zero = FALSE,
                            weights = NULL, lora_rank = NULL, lora_alpha = NULL, ...) {
  create_layer("Embedding", object, capture_args())
}

register_layer(Embedding, layer_embedding)
