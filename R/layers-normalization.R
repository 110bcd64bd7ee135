# Layers that normalize each row by itself: layer, RMS, unit and group normalization (level 5).

# What layers with a trained scale (gamma) and offset (beta) take.
affine_arguments <- list(
  center = arg_flag,
  scale = arg_flag,
  beta_initializer = arg_initializer,
  gamma_initializer = arg_initializer,
  beta_regularizer = arg_regularizer,
  gamma_regularizer = arg_regularizer,
  beta_constraint = arg_constraint,
  gamma_constraint = arg_constraint
)

arg_epsilon <- arg_number(min = 0)

# gamma (if `scale`) and beta (if `center`) of a shape, in this order.
add_affine_weights <- function(self, shape) {
  if (self$scale) {
    self$gamma <- self$add_weight(
      shape, self$gamma_initializer, regularizer = self$gamma_regularizer, constraint = self$gamma_constraint,
      name = "gamma"
    )
  }
  if (self$center) {
    self$beta <- self$add_weight(
      shape, self$beta_initializer, regularizer = self$beta_regularizer, constraint = self$beta_constraint,
      name = "beta"
    )
  }
}

# gamma x + beta, the weights reshaped to `sizes` (1 on the axes they are repeated over).
apply_affine <- function(self, x, sizes) {
  if (self$scale) x <- op_multiply(x, reshape_coded(self$gamma, sizes))
  if (self$center) x <- op_add(x, reshape_coded(self$beta, sizes))
  x
}

# The sizes of the axes that weights need, and an input_spec that keeps them.
fix_axes <- function(self, axes, shape) {
  positions <- zero_based_axis(axes, length(shape), call = NULL) + 1
  sizes <- shape[positions]
  if (anyNA(sizes)) {
    birnn_abort(
      c("Axis {positions[is.na(sizes)][[1]]} of the input of layer {.val {self$name}} must have a known size when the
         layer is built.", x = "Full shape received: {format_shape(shape)}."),
      kind = "shape", call = NULL
    )
  }
  self$input_spec <- list(min_ndim = max(axes, -axes), axes = rlang::set_names(sizes, axes))
  sizes
}

# (x - mean) / sqrt(variance + epsilon)
standardize <- function(x, mean, variance, epsilon) {
  op_multiply(op_subtract(x, mean), op_rsqrt(op_add(variance, epsilon)))
}

# x / |x| along axes (counted from 1); vectors of zeros stay zero.
unit_length <- function(x, axis, epsilon = 1e-12) {
  squares <- op_sum(op_square(x), axis = axis, keepdims = TRUE)
  op_multiply(x, op_rsqrt(op_maximum(squares, epsilon^2)))
}

# --- layer normalization ------------------------------------------------------------------------------------------

LayerNormalization <- R6::R6Class("LayerNormalization",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = c(
      list(axis = arg_axes, epsilon = arg_epsilon), affine_arguments,
      list(rms_scaling = extra(arg_fixed(FALSE, "Use {.fn layer_rms_normalization}."), FALSE))
    ),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 1L),
    gamma = NULL,
    beta = NULL,

    initialize = function(...) {
      super$initialize(...)
      self$axis <- sort(self$axis)
    },
    build = function(input_shape) add_affine_weights(self, fix_axes(self, self$axis, input_shape)),

    call = function(inputs) {
      mean <- op_mean(inputs, axis = self$axis, keepdims = TRUE)
      variance <- op_var(inputs, axis = self$axis, keepdims = TRUE)
      apply_affine(self, standardize(inputs, mean, variance, self$epsilon), weight_sizes(self, inputs))
    },
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

# The sizes that weights over the axes self$axis are reshaped to beside `x`.
weight_sizes <- function(self, x) {
  rank <- tensor_rank(x)
  replace(rep(1, rank), zero_based_axis(self$axis, rank, call = NULL) + 1, unname(self$input_spec$axes))
}

#' Layer normalization
#'
#' Each row (each step of a sequence) is shifted to mean 0 and scaled to variance 1 over its features, then multiplied
#' by a trained `gamma` and shifted by a trained `beta`. Rows do not influence each other, and training and prediction
#' are the same.
#'
#' @inheritParams layer_dense
#' @param axis The axes that mean and variance are taken over, counted from 1 (the batch); -1 is the last. The weights
#'   have the sizes of these axes.
#' @param epsilon Added to the variance before the root is taken.
#' @param center,scale Whether there is a `beta`, and a `gamma`.
#' @param beta_initializer,gamma_initializer,beta_regularizer,gamma_regularizer,beta_constraint,gamma_constraint Start,
#'   penalty and constraint of the weights; see [layer_dense()].
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/normalization_layers/layer_normalization/>
#' @family normalization layers
#' @export
#' @examples
#' layer_layer_normalization(matrix(c(1, 10, 2, 20, 3, 60), 2))
layer_layer_normalization <- function(object, axis = -1L, epsilon = 0.001, center = TRUE, scale = TRUE,
                                      beta_initializer = "zeros", gamma_initializer = "ones", beta_regularizer = NULL,
                                      gamma_regularizer = NULL, beta_constraint = NULL, gamma_constraint = NULL, ...) {
  create_layer("LayerNormalization", object, capture_args())
}

register_layer(LayerNormalization, layer_layer_normalization)

# --- RMS normalization --------------------------------------------------------------------------------------------

RMSNormalization <- R6::R6Class("RMSNormalization",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      axis = argument(
        function(x, arg, call) check_axes(x, call, arg), save = function(axes) config_sizes(axes_to_config(axes)),
        load = axes_from_config
      ),
      epsilon = arg_epsilon
    ),
    input_spec = list(min_ndim = 1L),
    scale = NULL,

    initialize = function(...) {
      super$initialize(...)
      self$axis <- sort(self$axis)
    },
    build = function(input_shape) {
      self$scale <- self$add_weight(fix_axes(self, self$axis, input_shape), "ones", name = "scale")
    },

    call = function(inputs) {
      squares <- op_mean(op_square(inputs), axis = self$axis, keepdims = TRUE)
      normalized <- op_multiply(inputs, op_rsqrt(op_add(squares, self$epsilon)))
      op_multiply(normalized, reshape_coded(self$scale, weight_sizes(self, inputs)))
    },
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

#' Root mean square normalization
#'
#' `x / sqrt(mean(x^2) + epsilon)` over the features of each row (each step), multiplied by a trained `scale`.
#'
#' @inheritParams layer_dense
#' @param axis The axes that the mean is taken over, counted from 1 (the batch); -1 is the last.
#' @param epsilon Added to the mean of the squares before the root is taken.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/normalization_layers/rms_normalization/>
#' @family normalization layers
#' @export
#' @examples
#' layer_rms_normalization(matrix(c(3, 4), 1))
layer_rms_normalization <- function(object, axis = -1L, epsilon = 1e-06, ...) {
  create_layer("RMSNormalization", object, capture_args())
}

register_layer(RMSNormalization, layer_rms_normalization)

# --- unit normalization -------------------------------------------------------------------------------------------

UnitNormalization <- R6::R6Class("UnitNormalization",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(axis = arg_axes),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 1L),
    built = TRUE,
    call = function(inputs) unit_length(inputs, self$axis),
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

#' Normalization to length 1
#'
#' Each vector along `axis` is divided by its length, the root of the sum of squares. Vectors of zeros stay zero.
#'
#' @inheritParams layer_dense
#' @param axis The axes along which the length is taken, counted from 1 (the batch); -1 is the last.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/normalization_layers/unit_normalization/>
#' @family normalization layers
#' @export
#' @examples
#' layer_unit_normalization(matrix(c(3, 4), 1))
layer_unit_normalization <- function(object, axis = -1L, ...) {
  create_layer("UnitNormalization", object, capture_args())
}

register_layer(UnitNormalization, layer_unit_normalization)

# --- group normalization ------------------------------------------------------------------------------------------

GroupNormalization <- R6::R6Class("GroupNormalization",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = c(
      list(
        groups = argument(function(x, arg, call) check_groups(x, arg, call)), axis = arg_axis, epsilon = arg_epsilon
      ),
      affine_arguments
    ),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 2L),
    gamma = NULL,
    beta = NULL,

    build = function(input_shape) {
      channels <- fix_axes(self, self$axis, input_shape)
      check_group_size(self, channels)
      add_affine_weights(self, channels)
    },

    call = function(inputs) {
      channels <- unname(self$input_spec$axes)
      sizes <- group_sizes(self, tensor_rank(inputs), channels)
      grouped <- reshape_coded(inputs, sizes$split)
      mean <- op_mean(grouped, axis = sizes$axes, keepdims = TRUE)
      variance <- op_var(grouped, axis = sizes$axes, keepdims = TRUE)
      normalized <- reshape_coded(standardize(grouped, mean, variance, self$epsilon), sizes$joined)
      apply_affine(self, normalized, weight_sizes(self, inputs))
    },
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

check_groups <- function(x, arg, call) {
  groups <- check_whole(x, arg = arg, call = call)
  if (groups == -1L) groups else check_whole(groups, min = 1, arg = arg, call = call)
}

check_group_size <- function(self, channels) {
  if (channels %% self$groups == 0) return(invisible())
  birnn_abort(
    c("The {channels} channels of the input of layer {.val {self$name}} cannot be divided into {self$groups} equal
       groups.", i = "{.code groups = -1} makes each channel a group."),
    kind = "shape", call = NULL
  )
}

# The axis of the channels becomes two, (groups, channels of a group), and one again. `axes`: those (from 1) that mean
# and variance are taken over, all but batch and groups.
group_sizes <- function(self, rank, channels) {
  place <- one_axis(self$axis, rank, call = NULL)
  groups <- if (self$groups == -1L) channels else self$groups
  before <- seq_len(place) - 1
  after <- seq_len(rank - place - 1) + place
  list(
    split = c(same_size_as(before), groups, channels / groups, same_size_as(after)),
    axes = setdiff(seq_len(rank + 1), c(1, place + 1)),
    joined = c(same_size_as(before), channels, same_size_as(after + 1))
  )
}

#' Group normalization
#'
#' The channels of each row are divided into groups; within each group mean and variance over channels, steps and all
#' other axes are made 0 and 1. Then each channel is multiplied by a trained `gamma` and shifted by a trained `beta`.
#' Rows do not influence each other.
#'
#' @inheritParams layer_layer_normalization
#' @param groups Number of groups, a divisor of the number of channels; -1 makes each channel a group.
#' @param axis The axis of the channels, counted from 1 (the batch); -1 is the last.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/normalization_layers/group_normalization/>
#' @family normalization layers
#' @export
#' @examples
#' layer_group_normalization(matrix(c(1, 3, 10, 30), 1), groups = 2)
layer_group_normalization <- function(object, groups = 32L, axis = -1L, epsilon = 0.001, center = TRUE, scale = TRUE,
                                      beta_initializer = "zeros", gamma_initializer = "ones", beta_regularizer = NULL,
                                      gamma_regularizer = NULL, beta_constraint = NULL, gamma_constraint = NULL, ...) {
  create_layer("GroupNormalization", object, capture_args())
}

register_layer(GroupNormalization, layer_group_normalization)
