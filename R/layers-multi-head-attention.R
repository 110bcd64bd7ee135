# Multi-head attention: projections of query, key and value to several heads, attention in each, and a projection of all
# heads together (level 5).

MultiHeadAttention <- R6::R6Class("MultiHeadAttention",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      num_heads = arg_units,
      key_dim = arg_units,
      value_dim = arg_whole(min = 1, allow_null = TRUE),
      dropout = arg_number(min = 0, max = 1),
      use_bias = arg_flag,
      output_shape = argument(
        function(x, arg, call) if (!is.null(x)) known_shape(x, arg, call),
        save = function(sizes) if (!is.null(sizes)) config_sizes(sizes), field = "output_sizes"
      ),
      attention_axes = argument(
        function(x, arg, call) if (!is.null(x)) check_axes(x, call, arg),
        save = function(axes) if (!is.null(axes)) config_sizes(axes_to_config(axes)),
        load = function(axes) if (!is.null(axes)) axes_from_config(axes)
      ),
      flash_attention = not_saved(argument(function(x, arg, call) check_flag(x, TRUE, arg, call))),
      kernel_initializer = arg_initializer,
      bias_initializer = arg_initializer,
      kernel_regularizer = arg_regularizer,
      bias_regularizer = arg_regularizer,
      # Acts on the outputs of the projections, not on that of the layer.
      activity_regularizer = argument(
        function(x, arg, call) get_regularizer(x, call), field = "projection_regularizer"
      ),
      kernel_constraint = arg_constraint,
      bias_constraint = arg_constraint,
      seed = arg_whole(allow_null = TRUE)
    ),
    input_names = c("query", "value", "key"),
    supports_masking = TRUE,
    sets_masks = TRUE,
    query_dense = NULL,
    key_dense = NULL,
    value_dense = NULL,
    output_dense = NULL,
    # Letters of scores and of what comes out of them, see attention_equations().
    equations = NULL,
    seed_generator = NULL,

    initialize = function(...) {
      super$initialize(...)
      self$value_dim <- self$value_dim %||% self$key_dim
      if (self$dropout > 0) self$seed_generator <- new_seed_generator(self$seed)
    },

    build = function(input_shape) {
      check_head_shapes(self, input_shape)
      shapes <- input_shape[c(1, 2, length(input_shape))]
      self$equations <- attention_equations(self, length(shapes[[1]]) + 1L)
      heads <- function(size) c(self$num_heads, size)
      self$query_dense <- head_projection(self, shapes[[1]], 1L, heads(self$key_dim), "query")
      self$key_dense <- head_projection(self, shapes[[3]], 1L, heads(self$key_dim), "key")
      self$value_dense <- head_projection(self, shapes[[2]], 1L, heads(self$value_dim), "value")
      query <- shapes[[1]]
      self$output_dense <- head_projection(
        self, c(query[-length(query)], heads(self$value_dim)), 2L, self$output_sizes %||% query[[length(query)]],
        "attention_output"
      )
    },

    call = function(inputs, query_mask = NULL, value_mask = NULL, key_mask = NULL, attention_mask = NULL,
                    return_attention_scores = FALSE, training = FALSE, use_causal_mask = FALSE) {
      check_head_shapes(self, map_structure(inputs, tensor_shape))
      masks <- list(
        query = query_mask %||% tensor_mask(inputs[[1]]), value = value_mask %||% tensor_mask(inputs[[2]]),
        key = key_mask %||% if (length(inputs) == 3) tensor_mask(inputs[[3]])
      )
      own_mask <- tensor_mask(inputs[[1]])
      inputs <- lapply(inputs, with_mask, mask = NULL)
      query <- op_multiply(self$query_dense(inputs[[1]]), 1 / sqrt(self$key_dim))
      scores <- op_einsum(self$equations$scores, query, self$key_dense(inputs[[length(inputs)]]))
      visible <- visible_scores(self, scores, masks, attention_mask, use_causal_mask)
      weights <- masked_softmax(scores, visible, axis = -seq_len(self$equations$count))
      values <- op_einsum(self$equations$values, self$drop(weights, training), self$value_dense(inputs[[2]]))
      result <- with_mask(self$output_dense(values), own_mask)
      if (return_attention_scores) list(result, weights) else result
    },

    drop = function(weights, training) {
      if (!training || self$dropout == 0) return(weights)
      op_multiply(weights, dropout_mask(weights, self$dropout, next_seed(self$seed_generator)))
    },

    compute_mask = function(inputs, mask = NULL) if (is_plain_list(mask)) mask[[1]] else mask,

    compute_output_shape = function(input_shape) {
      shapes <- as_shape_structure(input_shape)
      check_head_shapes(self, shapes)
      query <- shapes[[1]]
      c(query[-length(query)], self$output_sizes %||% query[[length(query)]])
    },
    sublayers = function() compact(list(self$query_dense, self$key_dense, self$value_dense, self$output_dense)),
    seed_variables = function() if (is.null(self$seed_generator)) list() else list(self$seed_generator$state)
  )
)

# --- projections --------------------------------------------------------------------------------------------------

check_head_shapes <- function(self, shapes) {
  check_attention_count(self, shapes)
  if (any(lengths(shapes) < 3)) {
    abort_attention(self, shapes, "query, value and key must have at least the axes (batch, time, features)")
  }
  if (length(unique(lengths(shapes))) > 1) {
    abort_attention(self, shapes, "query, value and key must have the same number of axes")
  }
  inner <- lapply(shapes[c(2, length(shapes))], function(shape) shape[-c(1, length(shape))])
  if (any(mapply(sizes_differ, inner[[1]], inner[[2]]))) {
    abort_attention(self, shapes, "value and key must have the same sizes but for the features")
  }
}

# A dense layer from the last `bound` axes of `shape` to `sizes`, built.
head_projection <- function(self, shape, bound, sizes, name) {
  free <- length(shape) - bound
  axes <- letters[seq_len(length(shape) + length(sizes))]
  kept <- paste(axes[seq_len(free)], collapse = "")
  summed <- paste(axes[free + seq_len(bound)], collapse = "")
  made <- paste(axes[length(shape) + seq_along(sizes)], collapse = "")
  layer <- new_layer("EinsumDense", list(
    equation = paste0(kept, summed, ",", summed, made, "->", kept, made), output_shape = c(rep(NA, free - 1), sizes),
    bias_axes = if (self$use_bias) made, kernel_initializer = self$kernel_initializer,
    bias_initializer = self$bias_initializer, kernel_regularizer = self$kernel_regularizer,
    bias_regularizer = self$bias_regularizer, activity_regularizer = self$projection_regularizer,
    kernel_constraint = self$kernel_constraint, bias_constraint = self$bias_constraint, name = name,
    dtype = self$dtype, trainable = self$is_trainable
  ))
  build_layer(layer_object(layer), as.integer(shape))
  layer
}

# --- scores -------------------------------------------------------------------------------------------------------

# For projected tensors with `rank` axes (batch, ..., heads, size): equations for the scores (other axes, axes of the
# query that attend, axes of the key that are attended to) and for the weighted sums; `count`: how many axes attend,
# `first`: whether the second axis, time, is the first of them.
attention_equations <- function(self, rank) {
  axes <- zero_based_axis(self$attention_axes, rank - 1L, "attention_axes", call = NULL) %||% seq_len(rank - 3L)
  axes <- sort(axes) + 1
  if (any(axes %in% c(1, rank - 1))) {
    birnn_abort("{.arg attention_axes} of layer {.val {self$name}} must lie between the batch and the features.",
                call = NULL)
  }
  query <- key <- letters[seq_len(rank)]
  key[axes] <- toupper(key[axes])
  scores <- c(query[-c(axes, rank)], query[axes], key[axes])
  words <- lapply(list(query = query, key = key, scores = scores), paste, collapse = "")
  list(
    scores = paste0(words$query, ",", words$key, "->", words$scores),
    values = paste0(words$scores, ",", words$key, "->", words$query), count = length(axes), first = 2 %in% axes
  )
}

# TRUE where a key may be attended to, in a shape that can be broadcast to the scores; NULL: everywhere. `masks`: of the
# steps of query, value and key.
visible_scores <- function(self, scores, masks, attention_mask, use_causal_mask) {
  count <- self$equations$count
  rank <- tensor_rank(scores)
  steps <- if (self$equations$first) {
    Map(function(mask, at) if (!is.null(mask)) steps_as_scores(mask, rank, at), masks,
        rank - c(2, 1, 1) * count)
  }
  if (use_causal_mask && count > 1) {
    birnn_abort("{.arg use_causal_mask} of layer {.val {self$name}} is for attention over one axis, not over {count}.",
                call = NULL)
  }
  parts <- compact(c(
    steps, list(if (use_causal_mask) causal_mask(scores), own_attention_mask(self, attention_mask, scores))
  ))
  if (length(parts) > 0) Reduce(op_logical_and, parts)
}

# A mask (batch, time) as (batch, 1.., time, 1..) with time on axis `at` (from 0) of `rank` axes.
steps_as_scores <- function(mask, rank, at) {
  mask <- as_bool_operand(mask)
  for (k in seq_len(at - 1)) mask <- insert_axis(mask, 1)
  for (k in seq_len(rank - at - 1)) mask <- insert_axis(mask, tensor_rank(mask))
  mask
}

# The mask of the user, (batch, queries, keys) or less, with axes for the heads.
own_attention_mask <- function(self, mask, scores) {
  if (is.null(mask)) return(NULL)
  mask <- as_bool_operand(mask)
  sizes <- tensor_shape(mask)
  own <- length(sizes)
  rank <- tensor_rank(scores)
  ends <- seq_len(min(own, 2 * self$equations$count))
  wanted <- tensor_shape(scores)[rank + 1 - ends]
  fits <- own <= rank && own >= 2 * self$equations$count &&
    !any(mapply(sizes_differ, sizes[own + 1 - ends], wanted) & sizes[own + 1 - ends] != 1, na.rm = TRUE)
  if (!fits) {
    birnn_abort(
      c("{.arg attention_mask} of layer {.val {self$name}} must have the axes (batch, queries, keys), not
         {format_shape(sizes)}.", x = "The scores have shape {format_shape(tensor_shape(scores))}."),
      kind = "mask", call = NULL
    )
  }
  for (k in seq_len(rank - own)) mask <- insert_axis(mask, tensor_rank(mask) - 2 * self$equations$count)
  mask
}

#' Multi-head attention
#'
#' Query, key and value are projected to several heads; in each of them every step of the query gets the mean of the
#' values, weighted by the softmax of the products of query and keys divided by `sqrt(key_dim)`; a projection of all
#' heads gives the output. For self-attention query and value are the same tensor.
#'
#' @param inputs A list of query `(batch, T, features)`, value `(batch, S, features)` and perhaps key
#'   `(batch, S, features)`; without a key the values are the keys. Tensors, arrays or [keras_input()]s. Missing or
#'   `NULL`: the layer is returned, and takes query, value and key in a list or one by one.
#' @param num_heads Number of heads.
#' @param key_dim,value_dim Size of queries and keys, and of values, in each head; `value_dim = NULL`: as `key_dim`.
#' @param dropout Probability with which weights are set to 0 in training.
#' @param use_bias Whether the projections have a bias.
#' @param output_shape Sizes of the last axes of the output; `NULL`: the number of features of the query.
#' @param attention_axes The axes that attention is over, counted from 1 (the batch); `NULL`: all but the batch and the
#'   features.
#' @param flash_attention Accepted without effect.
#' @param kernel_initializer,bias_initializer,kernel_regularizer,bias_regularizer,kernel_constraint,bias_constraint
#'   Start, penalty and constraint of the weights of the projections; see [layer_dense()].
#' @param activity_regularizer Penalty of the outputs of the four projections.
#' @param seed A whole number for the draws of `dropout`, see [layer_dropout()].
#' @param ... Arguments of every layer, see [layer_dense()].
#' @return A tensor of the shape of the query, or with `output_shape` as its last axes; or the layer.
#' @section Call arguments:
#' `attention_mask`: logicals `(batch, T, S)`, or anything that can be broadcast to that, also `(batch, heads, T, S)`:
#' `TRUE` where the query may attend to the key.
#'
#' `use_causal_mask`: `TRUE` hides the keys of later steps.
#'
#' `query_mask`, `value_mask`, `key_mask`: logicals `(batch, time)`; masks on the inputs are used without being named.
#' Masked keys get no weight. The output has the mask of the query.
#'
#' `return_attention_scores`: `TRUE` gives a list of the output and the weights `(batch, heads, T, S)`.
#'
#' `training`: whether to drop weights. [fit()][fit.birnn_model] sets it.
#' @section Errors:
#' Of class `ValueError`: inputs that are not two or three, sizes that do not fit (kind `"shape"`), a mask that does
#' not fit the scores (`"mask"`).
#' @source <https://keras.io/api/layers/attention_layers/multi_head_attention/>
#' @family attention layers
#' @export
#' @examples
#' x <- array(rnorm(24), c(2, 3, 4))
#' layer <- layer_multi_head_attention(num_heads = 2, key_dim = 3)
#' layer(x, x, use_causal_mask = TRUE)
#' layer(x, x, return_attention_scores = TRUE)[[2]]
layer_multi_head_attention <- function(inputs, num_heads, key_dim, value_dim = NULL, dropout = 0, use_bias = TRUE,
                                       output_shape = NULL, attention_axes = NULL, flash_attention = NULL,
                                       kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
                                       kernel_regularizer = NULL, bias_regularizer = NULL, activity_regularizer = NULL,
                                       kernel_constraint = NULL, bias_constraint = NULL, seed = NULL, ...) {
  create_layer("MultiHeadAttention", inputs, capture_args("inputs"))
}

register_layer(MultiHeadAttention, layer_multi_head_attention)
