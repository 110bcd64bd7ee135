# Attention: weighted means of values, the weights from scores of queries and keys (level 5).
#
#   weights = softmax over values of score(query, key),   output = weights x values

# What the layers in this file share. `scores(query, key)`: tensors (batch, Tq, dim) and (batch, Tv, dim) as
# (batch, Tq, Tv).
AttentionBase <- R6::R6Class("AttentionBase",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    supports_masking = TRUE,
    sets_masks = TRUE,
    scale = NULL,
    seed_generator = NULL,

    initialize = function(...) {
      super$initialize(...)
      if (self$dropout > 0) self$seed_generator <- new_seed_generator(self$seed)
    },

    call = function(inputs, mask = NULL, training = FALSE, return_attention_scores = FALSE, use_causal_mask = FALSE) {
      check_attention_shapes(self, map_structure(inputs, tensor_shape))
      masks <- attention_masks(self, mask, length(inputs))
      value <- with_mask(inputs[[2]], NULL)
      key <- with_mask(inputs[[length(inputs)]], NULL)
      scores <- self$scores(with_mask(inputs[[1]], NULL), key)
      scores <- hide_scores(scores, masks[[2]], use_causal_mask)
      weights <- op_softmax(scores, axis = -1L)
      result <- op_matmul(self$drop(weights, training), value)
      if (!is.null(masks[[1]])) result <- op_multiply(result, op_cast(insert_axis(masks[[1]], 2), tensor_dtype(result)))
      result <- with_mask(result, tensor_mask(inputs[[1]]))
      if (return_attention_scores) list(result, weights) else result
    },

    drop = function(weights, training) {
      if (!training || self$dropout == 0) return(weights)
      op_multiply(weights, dropout_mask(weights, self$dropout, next_seed(self$seed_generator)))
    },

    # The mask of the query.
    compute_mask = function(inputs, mask = NULL) {
      check_attention_count(self, inputs)
      if (!is.null(mask)) attention_masks(self, mask, length(inputs))[[1]]
    },

    compute_output_shape = function(input_shape) {
      shapes <- as_shape_structure(input_shape)
      check_attention_shapes(self, shapes)
      c(shapes[[1]][1:2], shapes[[2]][[3]])
    },
    seed_variables = function() if (is.null(self$seed_generator)) list() else list(self$seed_generator$state)
  )
)

# --- inputs and masks ---------------------------------------------------------------------------------------------

check_attention_count <- function(self, inputs) {
  count <- if (is_plain_list(inputs)) length(inputs) else 1L
  if (count %in% 2:3) return(invisible())
  birnn_abort(
    c("Layer {.val {self$name}} must be called on a list of query and value, or of query, value and key.",
      x = "Received {if (is_plain_list(inputs)) paste('a list of length', count) else 'a single tensor'}."),
    kind = "shape", call = NULL
  )
}

# `shapes`: of query (batch, Tq, dim), value (batch, Tv, dim) and perhaps key (batch, Tv, dim).
check_attention_shapes <- function(self, shapes) {
  check_attention_count(self, shapes)
  key <- shapes[[length(shapes)]]
  if (any(lengths(shapes) != 3)) {
    abort_attention(self, shapes, "query, value and key must have the axes (batch, time, features)")
  }
  if (sizes_differ(shapes[[2]][[2]], key[[2]])) {
    abort_attention(self, shapes, "value and key must have the same number of steps")
  }
  if (sizes_differ(shapes[[1]][[3]], key[[3]])) {
    abort_attention(self, shapes, "query and key must have the same number of features")
  }
}

abort_attention <- function(self, shapes, rule) {
  birnn_abort(
    c("Layer {.val {self$name}}: {rule}.", x = "Full shapes received: {vapply(shapes, format_shape, '')}."),
    kind = "shape", call = NULL
  )
}

sizes_differ <- function(a, b) !is.na(a) && !is.na(b) && a != b

# A list with a mask or NULL for query and value.
attention_masks <- function(self, mask, count) {
  if (is.null(mask)) return(vector("list", count))
  if (is_plain_list(mask) && length(mask) %in% 2:3) {
    return(lapply(mask, function(part) if (!is.null(part)) as_bool_operand(part)))
  }
  received <- if (is_plain_list(mask)) paste("a list of length", length(mask)) else "a single mask"
  birnn_abort("{.arg mask} of layer {.val {self$name}} must be a list of 2 or 3 masks (query, value, key) or
               {.code NULL}s, not {received}.", kind = "mask", call = NULL)
}

# Scores of values that do not count are so low that their weights vanish. `mask`: of the values, (batch, Tv).
hide_scores <- function(scores, mask, use_causal_mask) {
  visible <- if (!is.null(mask)) insert_axis(mask, 1)
  if (use_causal_mask) {
    causal <- causal_mask(scores)
    visible <- if (is.null(visible)) causal else op_logical_and(visible, causal)
  }
  if (is.null(visible)) return(scores)
  op_subtract(scores, op_multiply(op_cast(op_logical_not(visible), tensor_dtype(scores)), 1e9))
}

# (1, ..., Tq, Tv): TRUE where the value is not later than the query. `scores`: any tensor (batch, ..., Tq, Tv).
causal_mask <- function(scores) {
  rank <- tensor_rank(scores)
  ones <- op_ones_like(slice_axis(scores, 1, 0, 1))
  op_greater_equal(op_cumsum(ones, axis = rank - 1), op_cumsum(ones, axis = rank))
}

# --- dot products -------------------------------------------------------------------------------------------------

Attention <- R6::R6Class("Attention",
  inherit = AttentionBase, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      use_scale = arg_flag,
      score_mode = argument(function(x, arg, call) check_choice(x, c("dot", "concat"), arg = arg, call = call)),
      dropout = arg_number(min = 0, max = 1),
      seed = arg_whole(allow_null = TRUE)
    ),
    concat_score_weight = NULL,

    build = function(input_shape) {
      check_attention_shapes(self, input_shape)
      if (self$use_scale) self$scale <- self$add_weight(integer(), "ones", name = "scale")
      if (self$score_mode == "concat") {
        self$concat_score_weight <- self$add_weight(integer(), "ones", name = "concat_score_weight")
      }
    },

    scores = function(query, key) {
      if (self$score_mode == "dot") return(self$scaled(op_matmul(query, op_swapaxes(key, 2, 3))))
      sums <- self$scaled(op_add(insert_axis(query, 2), insert_axis(key, 1)))
      op_multiply(op_sum(op_tanh(sums), axis = -1L), self$concat_score_weight)
    },
    scaled = function(x) if (is.null(self$scale)) x else op_multiply(x, self$scale)
  )
)

#' Attention
#'
#' For each step of the query a weighted mean of the values: the weights are the softmax, over the steps of the values,
#' of scores. `layer_attention()` takes the dot product of query and key (Luong), or with `score_mode = "concat"` a
#' weight times the sum of `tanh(query + key)`; `layer_additive_attention()` takes the sum of
#' `scale * tanh(query + key)` with a trained `scale` for each feature (Bahdanau).
#'
#' @param object A list of query `(batch, Tq, dim)`, value `(batch, Tv, features)` and perhaps key `(batch, Tv, dim)`;
#'   without a key the values are the keys. Tensors, arrays or [keras_input()]s. Missing or `NULL`: the layer is
#'   returned.
#' @param use_scale Whether there is a trained scale: of the scores in `layer_attention()`, one a feature in
#'   `layer_additive_attention()`.
#' @param score_mode `"dot"` or `"concat"`.
#' @param dropout Probability with which weights are set to 0 in training.
#' @param seed A whole number for the draws of `dropout`, see [layer_dropout()].
#' @param ... Arguments of every layer, see [layer_dense()]; for `layer_additive_attention()` also `seed`.
#' @return A tensor `(batch, Tq, features)`, symbolic if an input is; or the layer, a function of a list of inputs.
#' @section Call arguments:
#' `mask`: a list with the masks of query and value (`NULL` for none); those on the inputs are used without being named.
#' Masked values get no weight, the output of masked queries is 0 and has their mask.
#'
#' `use_causal_mask`: `TRUE` hides from each step of the query the values of later steps.
#'
#' `return_attention_scores`: `TRUE` gives a list of the output and the weights `(batch, Tq, Tv)`.
#'
#' `training`: whether to drop weights. [fit()][fit.birnn_model] sets it.
#' @section Errors:
#' Of class `ValueError`: inputs that are not a list of two or three (kind `"shape"`), sizes that do not fit
#' (`"shape"`), a mask that is no list (`"mask"`).
#' @source <https://keras.io/api/layers/attention_layers/attention/>
#' @family attention layers
#' @export
#' @examples
#' query <- array(rnorm(6), c(1, 2, 3))
#' value <- array(rnorm(12), c(1, 4, 3))
#' layer_attention(list(query, value))
#' layer_attention()(list(query, value), return_attention_scores = TRUE)[[2]]
layer_attention <- function(object, use_scale = FALSE, score_mode = "dot", dropout = 0, seed = NULL, ...) {
  create_layer("Attention", object, capture_args())
}

register_layer(Attention, layer_attention)

# --- sums ---------------------------------------------------------------------------------------------------------

AdditiveAttention <- R6::R6Class("AdditiveAttention",
  inherit = AttentionBase, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      use_scale = arg_flag,
      dropout = arg_number(min = 0, max = 1),
      seed = extra(arg_whole(allow_null = TRUE), NULL)
    ),

    build = function(input_shape) {
      check_attention_shapes(self, input_shape)
      if (!self$use_scale) return(invisible())
      self$scale <- self$add_weight(known_features(self, input_shape[[1]]), "glorot_uniform", name = "scale")
    },

    scores = function(query, key) {
      sums <- op_tanh(op_add(insert_axis(query, 2), insert_axis(key, 1)))
      op_sum(if (is.null(self$scale)) sums else op_multiply(sums, self$scale), axis = -1L)
    }
  )
)

#' @rdname layer_attention
#' @export
layer_additive_attention <- function(object, use_scale = TRUE, dropout = 0, ...) {
  create_layer("AdditiveAttention", object, capture_args())
}

register_layer(AdditiveAttention, layer_additive_attention)
