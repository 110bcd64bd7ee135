# Rectifiers with a slope or curve for negative inputs as layers (level 5).

LeakyReLU <- R6::R6Class("LeakyReLU",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(negative_slope = arg_number(min = 0)),
    supports_masking = TRUE,
    built = TRUE,
    call = function(inputs) op_leaky_relu(inputs, self$negative_slope),
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

#' Rectifiers that let negative numbers through
#'
#' Positive inputs stay as they are; negative ones are multiplied by `negative_slope`
#' (`layer_activation_leaky_relu()`), by a trained weight `alpha` for each input
#' (`layer_activation_parametric_relu()`), or become `alpha * (exp(x) - 1)` (`layer_activation_elu()`).
#'
#' @inheritParams layer_dense
#' @param negative_slope A number of at least 0.
#' @param alpha The limit for small inputs is `-alpha`.
#' @param alpha_initializer,alpha_regularizer,alpha_constraint Start, penalty and constraint of the slopes; see
#'   [layer_dense()].
#' @param shared_axes Axes that share their slopes, counted from 1 (the batch): 2 for one slope a feature in all steps
#'   of a sequence. `NULL`: a slope for each number of a row.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/activation_layers/>
#' @family core layers
#' @export
#' @examples
#' layer_activation_leaky_relu(c(-2, 1), negative_slope = 0.1)
#' layer_activation_elu(c(-2, 1))
#' layer_activation_parametric_relu(matrix(c(-2, 1), 1), alpha_initializer = "ones")
layer_activation_leaky_relu <- function(object, negative_slope = 0.3, ...) {
  create_layer("LeakyReLU", object, capture_args())
}

register_layer(LeakyReLU, layer_activation_leaky_relu)

ELU <- R6::R6Class("ELU",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(alpha = arg_number()),
    supports_masking = TRUE,
    built = TRUE,
    call = function(inputs) op_elu(inputs, self$alpha),
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

#' @rdname layer_activation_leaky_relu
#' @export
layer_activation_elu <- function(object, alpha = 1, ...) {
  create_layer("ELU", object, capture_args())
}

register_layer(ELU, layer_activation_elu)

PReLU <- R6::R6Class("PReLU",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      alpha_initializer = arg_initializer,
      alpha_regularizer = arg_regularizer,
      alpha_constraint = arg_constraint,
      shared_axes = argument(
        function(x, arg, call) if (!is.null(x)) check_axes(x, call, arg),
        save = function(axes) if (!is.null(axes)) config_sizes(axes_to_config(axes)),
        load = function(axes) if (!is.null(axes)) axes_from_config(axes)
      )
    ),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 2L),
    alpha = NULL,

    build = function(input_shape) {
      rank <- length(input_shape)
      shared <- if (!is.null(self$shared_axes)) zero_based_axis(self$shared_axes, rank, "shared_axes", call = NULL) + 1
      own <- setdiff(seq_len(rank)[-1], shared)
      sizes <- replace(rep(1L, rank), own, if (length(own) > 0) fix_axes(self, own, input_shape))[-1]
      self$input_spec$ndim <- rank
      self$alpha <- self$add_weight(
        sizes, self$alpha_initializer, regularizer = self$alpha_regularizer, constraint = self$alpha_constraint,
        name = "alpha"
      )
    },

    call = function(inputs) op_subtract(op_relu(inputs), op_multiply(self$alpha, op_relu(op_negative(inputs)))),
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

#' @rdname layer_activation_leaky_relu
#' @export
layer_activation_parametric_relu <- function(object, alpha_initializer = "Zeros", alpha_regularizer = NULL,
                                             alpha_constraint = NULL, shared_axes = NULL, ...) {
  create_layer("PReLU", object, capture_args())
}

register_layer(PReLU, layer_activation_parametric_relu)
