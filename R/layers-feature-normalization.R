# Normalization: features shifted and scaled by the mean and variance of a data set (level 5).

Normalization <- R6::R6Class("Normalization",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      axis = argument(
        function(x, arg, call) if (length(unlist(x)) > 0) check_axes(x, call, arg),
        save = function(axes) as.list(axes_to_config(axes %||% integer())), load = axes_from_config
      ),
      mean = argument(function(x, arg, call) check_moment(x, arg, call), field = "given_mean"),
      variance = argument(function(x, arg, call) check_moment(x, arg, call), field = "given_variance"),
      invert = arg_flag
    ),
    supports_masking = TRUE,
    # The axes (from 1) with a mean and variance for each index, and their sizes.
    kept = NULL,
    kept_sizes = NULL,
    # Weights; NULL if mean and variance were given.
    adapted_mean = NULL,
    adapted_variance = NULL,
    count = NULL,

    initialize = function(...) {
      super$initialize(...)
      check_given_moments(self)
    },

    build = function(input_shape) {
      fix_kept_axes(self, input_shape)
      if (!is.null(self$given_mean)) return(invisible())
      self$adapted_mean <- self$add_weight(self$kept_sizes, "zeros", trainable = FALSE, name = "mean")
      self$adapted_variance <- self$add_weight(self$kept_sizes, "ones", trainable = FALSE, name = "variance")
      self$count <- self$add_weight(integer(), "zeros", dtype = "int32", trainable = FALSE, name = "count")
    },

    call = function(inputs) {
      check_kept_sizes(self, tensor_shape(inputs))
      sizes <- replace(rep(1, tensor_rank(inputs)), self$kept, self$kept_sizes)
      mean <- reshape_coded(self$mean, sizes)
      deviation <- reshape_coded(op_maximum(op_sqrt(self$variance), config_epsilon()), sizes)
      if (self$invert) op_add(mean, op_multiply(inputs, deviation)) else op_divide(op_subtract(inputs, mean), deviation)
    },

    # Mean and variance of all batches together, in double precision.
    adapt_to = function(batches) {
      batches <- lapply(batches, check_adapt_batch, self = self)
      if (!self$built) build_layer(self, c(NA_integer_, dim(batches[[1L]])[-1L]))
      for (batch in batches) check_kept_sizes(self, dim(batch))
      if (!is.null(self$given_mean)) abort_moments_given(self)
      moments <- Reduce(joined_moments, lapply(batches, moments_along, kept = self$kept))
      write_variables(list(self$adapted_mean, self$adapted_variance), list(moments$mean, moments$variance), self$name)
    },

    compute_output_shape = function(input_shape) as_shape(input_shape)
  ),
  active = list(
    mean = function() if (self$built) self$adapted_mean %||% given_moment(self, self$given_mean),
    variance = function() if (self$built) self$adapted_variance %||% given_moment(self, self$given_variance)
  )
)

# --- axes ---------------------------------------------------------------------------------------------------------

fix_kept_axes <- function(self, shape) {
  kept <- sort(zero_based_axis(self$axis, length(shape), call = NULL)) + 1
  if (1 %in% kept) {
    birnn_abort(
      c("Layer {.val {self$name}} cannot have a mean for each row of the batch.",
        x = "Full shape received: {format_shape(shape)}, {.arg axis} is {self$axis}.",
        i = "{.code axis = NULL} takes one mean over everything."),
      kind = "shape", call = NULL
    )
  }
  self$kept <- kept
  self$kept_sizes <- if (length(kept) > 0) fix_axes(self, kept, shape) else integer()
}

check_kept_sizes <- function(self, shape) {
  if (length(shape) >= max(self$kept, 1) && !any(shape[self$kept] != self$kept_sizes, na.rm = TRUE)) {
    return(invisible())
  }
  birnn_abort(
    c("The input of layer {.val {self$name}} must have the sizes {.val {self$kept_sizes}} on axis {.val {self$kept}}.",
      x = "Full shape received: {format_shape(shape)}."),
    kind = "shape", call = NULL
  )
}

# --- mean and variance --------------------------------------------------------------------------------------------

check_moment <- function(x, arg, call) {
  if (is.null(x)) return(NULL)
  numbers <- if (is_tensor_like(x)) as.array(x) else if (is_plain_list(x)) simplify2array(x) else x
  if (!is.numeric(numbers) || anyNA(numbers)) stop_not("numbers or NULL", x, arg, call)
  numbers
}

check_given_moments <- function(self) {
  given <- list(self$given_mean, self$given_variance)
  if (is.null(given[[1]]) != is.null(given[[2]])) {
    birnn_abort("Layer {.val {self$name}} needs both {.arg mean} and {.arg variance}, or neither.", call = NULL)
  }
  if (length(given[[1]]) != length(given[[2]])) {
    birnn_abort("{.arg mean} and {.arg variance} of layer {.val {self$name}} must have the same length, not
                 {length(given[[1]])} and {length(given[[2]])}.", kind = "shape", call = NULL)
  }
}

# One number for all, or one for each index of the kept axes.
given_moment <- function(self, numbers) {
  if (!length(numbers) %in% c(1, prod(self$kept_sizes))) {
    birnn_abort("Layer {.val {self$name}} has {length(numbers)} means and variances for sizes
                 {format_shape(self$kept_sizes)}.", kind = "shape", call = NULL)
  }
  sizes <- self$kept_sizes
  if (length(sizes) == 0) as_tensor(as.numeric(numbers), self$dtype)
  else as_tensor(array(as.numeric(numbers), sizes), self$dtype)
}

abort_moments_given <- function(self) {
  birnn_abort("Layer {.val {self$name}} has a given {.arg mean} and {.arg variance}, there is nothing to adapt.",
              kind = "state", call = NULL)
}

check_adapt_batch <- function(batch, self) {
  numbers <- if (is_tensor_like(batch)) as.array(batch) else if (is.data.frame(batch)) data.matrix(batch) else batch
  if (!is.numeric(numbers) && !is.logical(numbers)) stop_not("numbers", batch, "data", call = NULL)
  if (anyNA(numbers) || length(numbers) == 0) {
    birnn_abort("The {.arg data} for layer {.val {self$name}} must hold at least one number and no {.val {NA}}.",
                call = NULL)
  }
  if (is.null(dim(numbers))) array(numbers, length(numbers)) else numbers
}

# Count, mean and variance for each index of the axes `kept`, as arrays over these axes.
moments_along <- function(x, kept) {
  others <- setdiff(seq_along(dim(x)), kept)
  columns <- matrix(aperm(x, c(others, kept)), ncol = max(1, prod(dim(x)[kept])))
  mean <- colMeans(columns)
  variance <- colMeans((columns - rep(mean, each = nrow(columns)))^2)
  as_kept <- function(numbers) if (length(kept) > 0) array(numbers, dim(x)[kept]) else numbers
  list(count = nrow(columns), mean = as_kept(mean), variance = as_kept(variance))
}

# Of two samples together: the variance is the mean of the variances plus that of the means.
joined_moments <- function(a, b) {
  share <- b$count / (a$count + b$count)
  mean <- a$mean + share * (b$mean - a$mean)
  variance <- (1 - share) * (a$variance + (a$mean - mean)^2) + share * (b$variance + (b$mean - mean)^2)
  list(count = a$count + b$count, mean = mean, variance = variance)
}

#' Normalize features by the mean and variance of data
#'
#' `(x - mean) / sqrt(variance)` with a mean and variance for each feature, which [adapt()] takes from data before
#' training. They stay as they are in training, and are saved with the model.
#'
#' @inheritParams layer_dense
#' @param axis The axes whose indices have a mean and variance each, counted from 1 (the batch); -1 is the last: one
#'   for each feature. `NULL`: one for everything.
#' @param mean,variance Given numbers, instead of [adapt()]: one for all, or one for each index.
#' @param invert Whether the layer undoes the normalization: `mean + x * sqrt(variance)`.
#' @inherit layer_dense return
#' @section Errors:
#' Of class `ValueError`: only one of `mean` and `variance`, numbers that do not fit the sizes of the axes (kind
#' `"shape"`), `NA` in the data of [adapt()].
#' @source <https://keras.io/api/layers/preprocessing_layers/numerical/normalization/>
#' @family normalization layers
#' @seealso [layer_batch_normalization()]
#' @export
#' @examples
#' layer <- layer_normalization()
#' adapt(layer, matrix(c(1, 2, 3, 10, 20, 30), 3))
#' layer(matrix(c(2, 20), 1))
#' layer_normalization(mean = 3, variance = 4)(matrix(c(1, 3, 5)))
layer_normalization <- function(object, axis = -1L, mean = NULL, variance = NULL, invert = FALSE, ...) {
  create_layer("Normalization", object, capture_args())
}

register_layer(Normalization, layer_normalization)
