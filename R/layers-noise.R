# Layers that add or multiply noise in training (level 5). Dropout has a file of its own.

# The base class of layers with a seed. `noisy(inputs)`: what training makes of the inputs.
NoiseLayer <- R6::R6Class("NoiseLayer",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    supports_masking = TRUE,
    input_spec = list(min_ndim = 1L),
    built = TRUE,
    seed_generator = NULL,

    initialize = function(...) {
      super$initialize(...)
      if (self$strength() > 0) self$seed_generator <- new_seed_generator(self$seed)
    },
    # A number; 0: no noise at all.
    strength = function() self$rate,

    call = function(inputs, training = FALSE) if (training && self$strength() > 0) self$noisy(inputs) else inputs,

    # Normal numbers in the shape of the inputs.
    draw_normal = function(inputs, mean, stddev) {
      shape <- same_size_as(seq_len(tensor_rank(inputs)) - 1)
      attrs <- list(shape = shape, mean = mean, stddev = stddev, dtype = tensor_dtype(inputs))
      apply_op("random_normal", list(next_seed(self$seed_generator), inputs), attrs)
    },

    compute_output_shape = function(input_shape) as_shape(input_shape),
    seed_variables = function() if (is.null(self$seed_generator)) list() else list(self$seed_generator$state)
  )
)

arg_seed <- arg_whole(allow_null = TRUE)

# Rates for which 1 / (1 - rate) is finite.
arg_rate_below_one <- argument(function(x, arg, call) {
  rate <- check_number(x, min = 0, max = 1, arg = arg, call = call)
  if (rate == 1) stop_not("a number of at least 0 and less than 1", x, arg, call)
  rate
})

# --- spatial dropout ----------------------------------------------------------------------------------------------

SpatialDropout1D <- R6::R6Class("SpatialDropout1D",
  inherit = Dropout, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(rate = arg_number(min = 0, max = 1), seed = arg_seed),
    input_spec = list(ndim = 3L),
    noise_shape = c(NA, 1L, NA),
    # Keras' class takes these four and nothing else.
    get_config = function() c(super$get_config()[c("rate", "seed", "name")], list(dtype = self$dtype))
  )
)

#' Dropout of whole features
#'
#' In training each feature of a sequence is set to 0 in *all* steps with probability `rate`, or multiplied by
#' `1 / (1 - rate)` in all steps. Neighbouring steps are alike, so that dropping single numbers would change little.
#'
#' @inheritParams layer_dropout
#' @param name,dtype A name, and `"float32"` or `"float64"`.
#' @inherit layer_dense return
#' @inheritSection layer_dropout Call arguments
#' @source <https://keras.io/api/layers/regularization_layers/spatial_dropout1d/>
#' @family regularization layers
#' @export
#' @examples
#' layer_spatial_dropout_1d(rate = 0.5, seed = 1)(array(1, c(1, 3, 4)), training = TRUE)
layer_spatial_dropout_1d <- function(object, rate, seed = NULL, name = NULL, dtype = NULL) {
  create_layer("SpatialDropout1D", object, capture_args())
}

register_layer(SpatialDropout1D, layer_spatial_dropout_1d)

# --- normal noise -------------------------------------------------------------------------------------------------

GaussianNoise <- R6::R6Class("GaussianNoise",
  inherit = NoiseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(stddev = arg_number(min = 0), seed = arg_seed),
    strength = function() self$stddev,
    noisy = function(inputs) op_add(inputs, self$draw_normal(inputs, 0, self$stddev))
  )
)

#' Normal noise
#'
#' `layer_gaussian_noise()` adds normal numbers with mean 0 and standard deviation `stddev` in training.
#' `layer_gaussian_dropout()` multiplies by normal numbers with mean 1 and standard deviation
#' `sqrt(rate / (1 - rate))`, the mean and deviation of the factors of [layer_dropout()]. Otherwise the input stays as
#' it is.
#'
#' @inheritParams layer_dropout
#' @param stddev Standard deviation of the noise, a number of at least 0.
#' @param rate A number of at least 0 and less than 1.
#' @inherit layer_dense return
#' @inheritSection layer_dropout Call arguments
#' @source <https://keras.io/api/layers/regularization_layers/>
#' @family regularization layers
#' @export
#' @examples
#' layer <- layer_gaussian_noise(stddev = 0.1, seed = 1)
#' layer(matrix(1, 2, 3), training = TRUE)
layer_gaussian_noise <- function(object, stddev, seed = NULL, ...) {
  create_layer("GaussianNoise", object, capture_args())
}

register_layer(GaussianNoise, layer_gaussian_noise)

GaussianDropout <- R6::R6Class("GaussianDropout",
  inherit = NoiseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(rate = arg_rate_below_one, seed = arg_seed),
    noisy = function(inputs) op_multiply(inputs, self$draw_normal(inputs, 1, sqrt(self$rate / (1 - self$rate))))
  )
)

#' @rdname layer_gaussian_noise
#' @export
layer_gaussian_dropout <- function(object, rate, seed = NULL, ...) {
  create_layer("GaussianDropout", object, capture_args())
}

register_layer(GaussianDropout, layer_gaussian_dropout)

# --- alpha dropout ------------------------------------------------------------------------------------------------

# With a = -scale * alpha, the limit of SELU for small inputs, and q = 1 - rate:
#   y = (x kept + a dropped) / s + b,  s = sqrt(q (1 + rate a^2)),  b = -rate a / s
# has mean 0 and variance 1 if x has.
AlphaDropout <- R6::R6Class("AlphaDropout",
  inherit = NoiseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      rate = arg_rate_below_one,
      seed = arg_seed,
      noise_shape = argument(function(x, arg, call) if (!is.null(x)) as_shape(x, arg, call), save = shape_config)
    ),
    noisy = function(inputs) {
      limit <- -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717
      size <- sqrt((1 - self$rate) * (1 + self$rate * limit^2))
      mask <- apply_op("dropout_mask", list(next_seed(self$seed_generator), inputs),
                       list(rate = self$rate, shape = noise_sizes(self, tensor_rank(inputs))))
      values <- op_where(op_greater(mask, 0), inputs, as_tensor(limit, tensor_dtype(inputs)))
      op_add(op_multiply(values, 1 / size), -self$rate * limit / size)
    }
  )
)

#' Dropout that keeps mean and variance
#'
#' For networks with [activation_selu()]: in training numbers are set to the limit of that activation for small inputs
#' with probability `rate`, then all are scaled and shifted so that mean 0 and variance 1 stay what they are.
#'
#' @inheritParams layer_dropout
#' @param rate A number of at least 0 and less than 1.
#' @inherit layer_dense return
#' @inheritSection layer_dropout Call arguments
#' @source <https://keras.io/api/layers/regularization_layers/alpha_dropout/>
#' @family regularization layers
#' @export
#' @examples
#' layer_alpha_dropout(rate = 0.5, seed = 1)(matrix(0, 2, 3), training = TRUE)
layer_alpha_dropout <- function(object, rate, noise_shape = NULL, seed = NULL, ...) {
  create_layer("AlphaDropout", object, capture_args())
}

register_layer(AlphaDropout, layer_alpha_dropout)

# --- penalty of the activity --------------------------------------------------------------------------------------

ActivityRegularization <- R6::R6Class("ActivityRegularization",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(l1 = arg_number(min = 0), l2 = arg_number(min = 0)),
    supports_masking = TRUE,
    built = TRUE,
    initialize = function(...) {
      super$initialize(...)
      self$activity_regularizer <- regularizer_l1_l2(self$l1, self$l2)
    },
    get_config = function() {
      config <- super$get_config()
      config[names(config) != "activity_regularizer"]
    },
    compute_output_shape = function(input_shape) as_shape(input_shape)
  )
)

#' Penalty of large activations
#'
#' Passes its input on and adds `(l1 * sum(abs(x)) + l2 * sum(x^2)) / rows` to the loss of the model.
#'
#' @inheritParams layer_dense
#' @param l1,l2 Weights of the sums of absolute values and of squares, numbers of at least 0.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/regularization_layers/activity_regularization/>
#' @family regularization layers
#' @export
#' @examples
#' layer <- layer_activity_regularization(l2 = 0.5)
#' layer(matrix(1:4, 2))
#' layer$losses
layer_activity_regularization <- function(object, l1 = 0, l2 = 0, ...) {
  create_layer("ActivityRegularization", object, capture_args())
}

register_layer(ActivityRegularization, layer_activity_regularization)
