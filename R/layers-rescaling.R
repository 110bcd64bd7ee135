# Rescaling: a fixed scale and offset (level 5).

# One number, or one for each feature.
arg_factors <- argument(
  function(x, arg, call) {
    factors <- if (is_plain_list(x)) unlist(x) else if (is_tensor_like(x)) as.numeric(x) else x
    if (!is.numeric(factors) || length(factors) == 0 || anyNA(factors)) stop_not("numbers", x, arg, call)
    as.numeric(factors)
  }
)

Rescaling <- R6::R6Class("Rescaling",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(scale = arg_factors, offset = arg_factors),
    supports_masking = TRUE,
    built = TRUE,
    call = function(inputs) {
      check_factor_count(self, tensor_shape(inputs))
      op_add(op_multiply(inputs, as_tensor(self$scale, self$dtype)), as_tensor(self$offset, self$dtype))
    },
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

check_factor_count <- function(self, shape) {
  features <- c(1L, shape)[[length(shape) + 1L]]
  for (arg in c("scale", "offset")) {
    count <- length(self[[arg]])
    if (count == 1 || is.na(features) || count == features) next
    birnn_abort(
      c("{.arg {arg}} of layer {.val {self$name}} must have one number, or one for each of the {features} features, not
         {count}.", x = "Full shape received: {format_shape(shape)}."),
      kind = "shape", call = NULL
    )
  }
}

#' Multiply by a scale and add an offset
#'
#' `x * scale + offset` with fixed numbers: `scale = 1 / 255` brings pixels into the range from 0 to 1.
#'
#' @inheritParams layer_dense
#' @param scale,offset Numbers: one, or one for each feature.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/>
#' @family core layers
#' @export
#' @examples
#' layer_rescaling(c(0, 51, 255), scale = 1 / 255)
layer_rescaling <- function(object, scale, offset = 0, ...) {
  create_layer("Rescaling", object, capture_args())
}

register_layer(Rescaling, layer_rescaling)
