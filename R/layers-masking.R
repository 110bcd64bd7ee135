# Masking: marks time steps that are to be skipped (level 5).

Masking <- R6::R6Class("Masking",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(mask_value = argument(function(x, arg, call) check_mask_value(x, arg, call))),
    supports_masking = TRUE,
    input_spec = list(min_ndim = 2L),
    built = TRUE,

    call = function(inputs) {
      mask <- self$compute_mask(inputs)
      inputs <- with_mask(inputs, NULL)
      with_mask(op_where(op_expand_dims(mask, -1L), inputs, as_tensor(0, tensor_dtype(inputs))), mask)
    },

    # TRUE for the steps to use: those where some feature differs from the value.
    compute_mask = function(inputs, mask = NULL) {
      differs <- if (is.na(self$mask_value)) op_logical_not(op_isnan(inputs)) else op_not_equal(inputs, self$mask_value)
      op_any(differs, axis = -1L)
    },

    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

check_mask_value <- function(x, arg, call) {
  if (length(x) == 1L && is.atomic(x) && is.na(x)) return(NA_real_)
  check_number(x, arg = arg, call = call)
}

#' Skip time steps
#'
#' A time step is masked if *all* its features are equal to `mask_value`. Layers further on skip masked steps, and the
#' loss does not count them. The features of masked steps are set to 0.
#'
#' @inheritParams layer_dense
#' @param mask_value A number; `NA` masks the steps whose features are all missing.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/core_layers/masking/>
#' @family core layers
#' @seealso [pad_sequences()] makes arrays of sequences with different lengths.
#' @export
#' @examples
#' x <- array(1, c(1, 4, 2))
#' x[, 3:4, ] <- -9
#' masked <- layer_masking(mask_value = -9)(x)
#' masked$`_keras_mask`
layer_masking <- function(object, mask_value = 0, ...) {
  create_layer("Masking", object, capture_args())
}

register_layer(Masking, layer_masking)
