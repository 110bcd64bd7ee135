# Dropout (level 5).

# A shape as configs hold it: a list with NULL for unknown sizes.
shape_config <- function(shape) {
  if (!is.null(shape)) lapply(shape, function(size) if (!is.na(size)) size)
}

Dropout <- R6::R6Class("Dropout",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      rate = arg_number(min = 0, max = 1),
      seed = arg_whole(allow_null = TRUE),
      noise_shape = argument(function(x, arg, call) if (!is.null(x)) as_shape(x, arg, call), save = shape_config)
    ),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 1L),
    built = TRUE,
    seed_generator = NULL,

    initialize = function(...) {
      super$initialize(...)
      if (self$rate > 0) self$seed_generator <- new_seed_generator(self$seed)
    },

    call = function(inputs, training = FALSE) {
      if (!training || self$rate == 0) return(inputs)
      sizes <- noise_sizes(self, tensor_rank(inputs))
      mask <- apply_op(
        "dropout_mask", list(next_seed(self$seed_generator), inputs), list(rate = self$rate, shape = sizes)
      )
      op_multiply(inputs, mask)
    },

    compute_output_shape = function(input_shape) as_shape(input_shape),
    seed_variables = function() if (is.null(self$seed_generator)) list() else list(self$seed_generator$state)
  )
)

# Sizes of the mask: as the input where `noise_shape` leaves an axis open.
noise_sizes <- function(self, rank) {
  sizes <- self$noise_shape %||% rep(NA_integer_, rank)
  if (length(sizes) != rank) {
    birnn_abort("{.arg noise_shape} of layer {.val {self$name}} must have {rank} sizes, not {length(sizes)}.",
                kind = "shape", call = NULL)
  }
  ifelse(is.na(sizes), same_size_as(seq_len(rank) - 1), sizes)
}

#' Dropout
#'
#' In training each number of the input is set to 0 with probability `rate`, the others are divided by `1 - rate`, so
#' that their expectation stays the same. Otherwise the layer does nothing. A rate of 1 sets everything to 0.
#'
#' @inheritParams layer_dense
#' @param rate A number from 0 to 1.
#' @param noise_shape Sizes of the random mask, `NA` for those of the input: `c(NA, 1, NA)` drops the same features in
#'   all steps of a sequence.
#' @param seed A whole number that makes the draws reproducible by themselves; `NULL` takes one from R's random numbers
#'   (see [set.seed()]).
#' @inherit layer_dense return
#' @section Call arguments:
#' `training`: whether to drop. [fit()][fit.birnn_model] sets it.
#' @source <https://keras.io/api/layers/regularization_layers/dropout/>
#' @family core layers
#' @export
#' @examples
#' layer <- layer_dropout(rate = 0.5, seed = 1)
#' layer(matrix(1, 2, 4), training = TRUE)
layer_dropout <- function(object, rate, noise_shape = NULL, seed = NULL, ...) {
  create_layer("Dropout", object, capture_args())
}

register_layer(Dropout, layer_dropout)
