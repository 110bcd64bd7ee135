# Dense: the fully connected layer (level 5).

Dense <- R6::R6Class("Dense",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      units = arg_units,
      activation = arg_activation,
      use_bias = arg_flag,
      kernel_initializer = arg_initializer,
      bias_initializer = arg_initializer,
      kernel_regularizer = arg_regularizer,
      bias_regularizer = arg_regularizer,
      kernel_constraint = arg_constraint,
      bias_constraint = arg_constraint,
      lora_rank = arg_unsupported,
      lora_alpha = arg_unsupported
    ),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 2L),
    kernel = NULL,
    bias = NULL,

    build = function(input_shape) {
      features <- known_features(self, input_shape)
      self$kernel <- self$add_weight(
        c(features, self$units), self$kernel_initializer, regularizer = self$kernel_regularizer,
        constraint = self$kernel_constraint, name = "kernel"
      )
      if (self$use_bias) {
        self$bias <- self$add_weight(
          self$units, self$bias_initializer, regularizer = self$bias_regularizer, constraint = self$bias_constraint,
          name = "bias"
        )
      }
      self$input_spec <- list(min_ndim = 2L, axes = c("-1" = features))
    },

    call = function(inputs) {
      outputs <- op_matmul(inputs, self$kernel)
      if (self$use_bias) outputs <- op_add(outputs, self$bias)
      activate(self, outputs)
    },

    compute_output_shape = function(input_shape) {
      shape <- as_shape(input_shape)
      c(shape[-length(shape)], self$units)
    }
  )
)

# The size of the last axis, which weights need.
known_features <- function(self, shape) {
  features <- shape[[length(shape)]]
  if (is.na(features)) {
    birnn_abort(
      c("The last axis of the input of layer {.val {self$name}} must be known when the layer is built.",
        x = "Full shape received: {format_shape(shape)}."),
      kind = "shape", call = NULL
    )
  }
  if (features == 0L) {
    birnn_abort(
      c("The input of layer {.val {self$name}} must have at least one feature.",
        x = "Full shape received: {format_shape(shape)}."),
      kind = "shape", call = NULL
    )
  }
  features
}

#' Fully connected layer
#'
#' `activation(inputs %*% kernel + bias)` over the last axis: sequences `(batch, time, features)` are transformed step
#' by step. The layer passes masks on.
#'
#' @param object What to combine the layer with: nothing (the layer is returned), a sequential model, a tensor, an array
#'   or a [keras_input()].
#' @param units Number of outputs, a positive whole number.
#' @param activation A string such as `"relu"`, an `activation_*()` function or an R function of one tensor; `NULL` is
#'   `"linear"`.
#' @param use_bias Whether a bias is added.
#' @param kernel_initializer,bias_initializer How the weights start: a string, an `initializer_*()`, an array, or a
#'   function of a shape and a dtype.
#' @param kernel_regularizer,bias_regularizer,activity_regularizer Penalties added to the loss: a string, a
#'   `regularizer_*()` or an R function of a tensor. `activity_regularizer` acts on the output of the layer, divided by
#'   the number of rows.
#' @param kernel_constraint,bias_constraint What weights are projected onto after each update: a string, a
#'   `constraint_*()` or an R function of a tensor.
#' @param lora_rank,lora_alpha Not supported, must be `NULL`.
#' @param ... Arguments of every layer: `name`, `trainable`, `dtype` (`"float32"` or `"float64"`), `autocast`,
#'   `activity_regularizer`; and, for the first layer of a sequential model, the older `input_shape`, `input_dim`,
#'   `batch_input_shape`, `batch_size`, `input_dtype`. Anything else is an error.
#' @return If `object` is missing or `NULL`: the layer, a function that can be called on inputs. If it is a sequential
#'   model: that model with the layer added, invisibly. Otherwise the output of the layer: a tensor, symbolic if the
#'   input is.
#' @source <https://keras.io/api/layers/core_layers/dense/>
#' @family core layers
#' @export
#' @examples
#' layer <- layer_dense(units = 3, activation = "tanh")
#' layer(matrix(1:8, 2, 4))
layer_dense <- function(object, units, activation = NULL, use_bias = TRUE, kernel_initializer = "glorot_uniform",
                        bias_initializer = "zeros", kernel_regularizer = NULL, bias_regularizer = NULL,
                        activity_regularizer = NULL, kernel_constraint = NULL, bias_constraint = NULL,
                        lora_rank = NULL, lora_alpha = NULL, ...) {
  create_layer("Dense", object, capture_args())
}

register_layer(Dense, layer_dense)
