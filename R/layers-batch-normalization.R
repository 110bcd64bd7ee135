# Batch normalization: statistics of the batch in training, moving averages of them otherwise (level 5).

BatchNormalization <- R6::R6Class("BatchNormalization",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      axis = arg_axis,
      momentum = arg_number(),
      epsilon = arg_number(min = 0),
      center = arg_flag,
      scale = arg_flag,
      beta_initializer = arg_initializer,
      gamma_initializer = arg_initializer,
      moving_mean_initializer = arg_initializer,
      moving_variance_initializer = arg_initializer,
      beta_regularizer = arg_regularizer,
      gamma_regularizer = arg_regularizer,
      beta_constraint = arg_constraint,
      gamma_constraint = arg_constraint,
      renorm = extra(arg_fixed(FALSE), FALSE),
      renorm_clipping = extra(arg_unsupported, NULL),
      renorm_momentum = extra(arg_number(), 0.99),
      synchronized = arg_fixed(FALSE, "There is only one device.")
    ),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 2L),
    gamma = NULL,
    beta = NULL,
    moving_mean = NULL,
    moving_variance = NULL,

    build = function(input_shape) {
      channels <- fix_axes(self, self$axis, input_shape)
      self$input_spec$ndim <- length(input_shape)
      add_affine_weights(self, channels)
      self$moving_mean <- self$add_weight(
        channels, self$moving_mean_initializer, trainable = FALSE, name = "moving_mean"
      )
      self$moving_variance <- self$add_weight(
        channels, self$moving_variance_initializer, trainable = FALSE, name = "moving_variance"
      )
    },

    # A frozen layer works as in prediction.
    call = function(inputs, training = FALSE, mask = NULL) {
      check_step_mask(self, mask, inputs)
      sizes <- weight_sizes(self, inputs)
      moments <- self$averages()
      if (training && self$is_trainable) {
        axis <- one_axis(self$axis, length(sizes), call = NULL) + 1
        moments <- batch_moments(inputs, setdiff(seq_along(sizes), axis), sizes, mask)
        Map(function(average, value) self$move_average(average, value), self$averages(), moments)
      }
      moments <- lapply(moments, reshape_coded, sizes)
      apply_affine(self, standardize(inputs, moments$mean, moments$variance, self$epsilon), sizes)
    },

    averages = function() list(mean = self$moving_mean, variance = self$moving_variance),

    # An effect: inside a step it is done when the step commits.
    move_average = function(average, value) {
      moved <- op_add(op_multiply(average, self$momentum), op_multiply(value, 1 - self$momentum))
      assign_variable(average, moved)
    },

    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

check_step_mask <- function(self, mask, inputs) {
  if (is.null(mask) || tensor_rank(mask) == tensor_rank(inputs) - 1L) return(invisible())
  birnn_abort(
    c("The mask of layer {.val {self$name}} must have one axis less than its input.",
      x = "Full shapes received: mask {format_shape(tensor_shape(mask))}, input {format_shape(tensor_shape(inputs))}."),
    kind = "mask", call = NULL
  )
}

# Mean and variance over `axes` (from 1); with a mask, of the elements that count:
#   mean = sum x / (n + e), variance = sum (x - mean)^2 / (n + e),  e = config_epsilon(), so that n may be 0.
# `sizes`: the shape of the mean beside x.
batch_moments <- function(x, axes, sizes, mask = NULL) {
  if (is.null(mask)) return(list(mean = op_mean(x, axis = axes), variance = op_var(x, axis = axes)))
  mask <- insert_axis(as_bool_operand(mask), tensor_rank(mask))
  zero <- as_tensor(0, tensor_dtype(x))
  count <- op_add(op_sum(op_cast(mask, tensor_dtype(x)), axis = axes), config_epsilon())
  mean_of <- function(values) op_divide(op_sum(op_where(mask, values, zero), axis = axes), count)
  mean <- mean_of(x)
  list(mean = mean, variance = mean_of(op_square(op_subtract(x, reshape_coded(mean, sizes)))))
}

#' Batch normalization
#'
#' In training each channel is shifted to mean 0 and scaled to variance 1 over the batch (and all its steps); in
#' prediction moving averages of these means and variances take their place. Then each channel is multiplied by a
#' trained `gamma` and shifted by a trained `beta`.
#'
#' A training step moves the averages: `moving <- momentum * moving + (1 - momentum) * value`. They change when the
#' step is done: a step that fails leaves them as they were. A layer with `trainable` set to `FALSE` always works as in
#' prediction; call [compile()][compile.birnn_model] again after such a change.
#'
#' @inheritParams layer_layer_normalization
#' @param axis The axis of the channels, counted from 1 (the batch); -1 is the last. Mean and variance are over all
#'   others.
#' @param momentum How much of the moving averages a step keeps.
#' @param beta_initializer,gamma_initializer,moving_mean_initializer,moving_variance_initializer How the weights start.
#' @param beta_regularizer,gamma_regularizer,beta_constraint,gamma_constraint Penalty and constraint of the trained
#'   weights; see [layer_dense()].
#' @param synchronized Must be `FALSE`.
#' @param ... As in [layer_dense()]; also `renorm`, which must be `FALSE`.
#' @inherit layer_dense return
#' @section Call arguments:
#' `training`: whether to normalize by the batch and to move the averages. [fit()][fit.birnn_model] sets it.
#'
#' `mask`: logicals of shape `(batch, time)`. Masked steps do not take part in mean and variance; the mask of the input
#' is used without being named.
#' @source <https://keras.io/api/layers/normalization_layers/batch_normalization/>
#' @family normalization layers
#' @export
#' @examples
#' layer <- layer_batch_normalization(momentum = 0.5)
#' layer(matrix(c(1, 3, 10, 30), 2), training = TRUE)
#' layer$moving_mean
layer_batch_normalization <- function(object, axis = -1L, momentum = 0.99, epsilon = 0.001, center = TRUE,
                                      scale = TRUE, beta_initializer = "zeros", gamma_initializer = "ones",
                                      moving_mean_initializer = "zeros", moving_variance_initializer = "ones",
                                      beta_regularizer = NULL, gamma_regularizer = NULL, beta_constraint = NULL,
                                      gamma_constraint = NULL, synchronized = FALSE, ...) {
  create_layer("BatchNormalization", object, capture_args())
}

register_layer(BatchNormalization, layer_batch_normalization)
