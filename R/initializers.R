# Initializers: the first values of weights (level 3).

# `draw(shape, dtype, seed)` makes a tensor. A seed that was not given is drawn once, when the object is made: the same
# object gives equal values for equal shapes, as in Keras.
Initializer <- R6::R6Class("Initializer",
  inherit = ConfigObject, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    seed = NULL,
    fn = NULL,
    draw = NULL,
    initialize = function(class_name, config, draw, fn = NULL) {
      super$initialize(class_name, config)
      self$seed <- if ("seed" %in% names(config)) config$seed %||% draw_seed()
      self$draw <- draw
      self$fn <- fn
    },
    `__call__` = function(shape, dtype = NULL) {
      self$draw(known_shape(shape, "shape", NULL), dtype %||% floatx(), self$seed)
    }
  )
)

new_initializer <- function(class_name, config, draw, fn = NULL) {
  new_handle(Initializer$new(class_name, config, draw, fn), "birnn_initializer")
}

#' Initializers of constant values
#'
#' Zeros, ones, any constant, and the identity matrix. An initializer is a function of a shape; layers call it when they
#' are built.
#'
#' @param value A number, or an array with the shape of the weight.
#' @param gain A factor.
#' @return An initializer: a function of `shape` and `dtype` that returns a tensor.
#' @source <https://keras.io/api/layers/initializers/>
#' @family initializers
#' @export
#' @examples
#' initializer_constant(0.5)(shape(2, 2))
#' initializer_identity()(c(2, 3))
initializer_zeros <- function() {
  new_initializer("Zeros", list(), function(shape, dtype, seed) op_zeros(shape, dtype))
}

#' @rdname initializer_zeros
#' @export
initializer_ones <- function() {
  new_initializer("Ones", list(), function(shape, dtype, seed) op_ones(shape, dtype))
}

#' @rdname initializer_zeros
#' @export
initializer_constant <- function(value = 0) {
  if (is_single_number(value)) {
    return(new_initializer("Constant", list(value = value), function(shape, dtype, seed) op_full(shape, value, dtype)))
  }
  config <- list(value = as.array(value))
  new_initializer("Constant", config, function(shape, dtype, seed) fixed_values(value, shape, dtype))
}

is_single_number <- function(x) is.numeric(x) && length(x) == 1 && is.null(dim(x))

# Given values for a weight must have its shape: nothing is recycled.
fixed_values <- function(value, shape, dtype) {
  value <- as_tensor(value, dtype)
  if (!identical(as.integer(tensor_shape(value)), as.integer(shape))) {
    birnn_abort(
      "The given initial values have shape {format_shape(tensor_shape(value))}, but the weight has
       {format_shape(shape)}.",
      kind = "shape", call = NULL
    )
  }
  value
}

#' @rdname initializer_zeros
#' @export
initializer_identity <- function(gain = 1) {
  gain <- check_number(gain)
  new_initializer("Identity", list(gain = gain), function(shape, dtype, seed) {
    if (length(shape) != 2) abort_rank("initializer_identity()", "exactly 2", shape)
    op_multiply(op_eye(shape[[1]], shape[[2]], dtype = dtype), gain)
  })
}

abort_rank <- function(what, wanted, shape) {
  birnn_abort(
    "{what} needs a weight of {wanted} axes, not of shape {format_shape(shape)}.", kind = "shape", call = NULL
  )
}

#' Initializers of random numbers
#'
#' Normal and uniform numbers with given parameters. The truncated normal distribution is cut at two standard
#' deviations.
#'
#' @param mean,stddev Mean and standard deviation (before truncation).
#' @param minval,maxval The range.
#' @param seed A whole number that fixes the values, or `NULL`: drawn from R's generator when the initializer is made.
#'   The same initializer gives the same values for the same shape.
#' @inherit initializer_zeros return source
#' @family initializers
#' @export
#' @examples
#' set.seed(1)
#' initializer_random_uniform(-1, 1)(c(2, 2))
initializer_random_normal <- function(mean = 0, stddev = 0.05, seed = NULL) {
  config <- list(mean = check_number(mean), stddev = check_number(stddev, min = 0), seed = check_seed(seed))
  new_initializer("RandomNormal", config, function(shape, dtype, seed) random_normal(shape, mean, stddev, dtype, seed))
}

#' @rdname initializer_random_normal
#' @export
initializer_truncated_normal <- function(mean = 0, stddev = 0.05, seed = NULL) {
  config <- list(mean = check_number(mean), stddev = check_number(stddev, min = 0), seed = check_seed(seed))
  new_initializer("TruncatedNormal", config, function(shape, dtype, seed) {
    random_truncated_normal(shape, mean, stddev, dtype, seed)
  })
}

#' @rdname initializer_random_normal
#' @export
initializer_random_uniform <- function(minval = -0.05, maxval = 0.05, seed = NULL) {
  config <- list(minval = check_number(minval), maxval = check_number(maxval), seed = check_seed(seed))
  new_initializer("RandomUniform", config, function(shape, dtype, seed) {
    random_uniform(shape, minval, maxval, dtype, seed)
  })
}

# Inputs and outputs that a weight of this shape connects: for more than two axes, all but the last two are a
# receptive field.
fans_of <- function(shape) {
  rank <- length(shape)
  if (rank == 0) return(c(1, 1))
  if (rank == 1) return(rep(shape, 2))
  prod(shape[seq_len(rank - 2)]) * shape[c(rank - 1, rank)]
}

# The variance is scale / n, with n from the fans; truncation narrows a standard normal to sd 0.8796.
draw_scaled <- function(shape, dtype, seed, scale, mode, distribution) {
  fans <- fans_of(shape)
  n <- switch(mode, fan_in = fans[[1]], fan_out = fans[[2]], fan_avg = mean(fans))
  variance <- scale / max(1, n)
  switch(distribution,
    uniform = random_uniform(shape, -sqrt(3 * variance), sqrt(3 * variance), dtype, seed),
    truncated_normal = random_truncated_normal(shape, 0, sqrt(variance) / 0.87962566103423978, dtype, seed),
    untruncated_normal = random_normal(shape, 0, sqrt(variance), dtype, seed)
  )
}

scaled_initializer <- function(class_name, scale, mode, distribution, seed, config = list()) {
  rule <- list(scale = scale, mode = mode, distribution = distribution)
  config <- c(config, list(seed = check_seed(seed, call = rlang::caller_env())))
  new_initializer(class_name, config, function(shape, dtype, seed) {
    draw_scaled(shape, dtype, seed, rule$scale, rule$mode, rule$distribution)
  })
}

#' Initializers scaled to the size of a layer
#'
#' Random numbers whose variance is `scale / n`, where `n` is the number of inputs of a unit (`fan_in`), of outputs
#' (`fan_out`), or their mean (`fan_avg`).
#'
#' | initializer | scale | mode |
#' |---|---|---|
#' | `glorot_uniform`, `glorot_normal` | 1 | `fan_avg` |
#' | `he_uniform`, `he_normal` | 2 | `fan_in` |
#' | `lecun_uniform`, `lecun_normal` | 1 | `fan_in` |
#'
#' The normal ones are truncated at two standard deviations.
#'
#' @param scale A positive number.
#' @param mode `"fan_in"`, `"fan_out"` or `"fan_avg"`.
#' @param distribution `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`.
#' @inheritParams initializer_random_normal
#' @inherit initializer_zeros return source
#' @references Glorot, X. and Bengio, Y. (2010). Understanding the difficulty of training deep feedforward neural
#'   networks. *AISTATS*. He, K. et al. (2015) \doi{10.1109/ICCV.2015.123}.
#' @family initializers
#' @export
#' @examples
#' initializer_glorot_uniform(seed = 1)(c(3, 2))
initializer_glorot_uniform <- function(seed = NULL) {
  scaled_initializer("GlorotUniform", 1, "fan_avg", "uniform", seed)
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_glorot_normal <- function(seed = NULL) {
  scaled_initializer("GlorotNormal", 1, "fan_avg", "truncated_normal", seed)
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_he_uniform <- function(seed = NULL) scaled_initializer("HeUniform", 2, "fan_in", "uniform", seed)

#' @rdname initializer_glorot_uniform
#' @export
initializer_he_normal <- function(seed = NULL) scaled_initializer("HeNormal", 2, "fan_in", "truncated_normal", seed)

#' @rdname initializer_glorot_uniform
#' @export
initializer_lecun_uniform <- function(seed = NULL) scaled_initializer("LecunUniform", 1, "fan_in", "uniform", seed)

#' @rdname initializer_glorot_uniform
#' @export
initializer_lecun_normal <- function(seed = NULL) {
  scaled_initializer("LecunNormal", 1, "fan_in", "truncated_normal", seed)
}

#' @rdname initializer_glorot_uniform
#' @export
initializer_variance_scaling <- function(scale = 1, mode = "fan_in", distribution = "truncated_normal", seed = NULL) {
  scale <- check_number(scale)
  if (scale <= 0) stop_not("a positive number", scale, "scale", rlang::current_env())
  mode <- check_choice(mode, c("fan_in", "fan_out", "fan_avg"))
  if (identical(distribution, "normal")) distribution <- "truncated_normal"
  distribution <- check_choice(distribution, c("truncated_normal", "untruncated_normal", "uniform"))
  config <- list(scale = scale, mode = mode, distribution = distribution)
  scaled_initializer("VarianceScaling", scale, mode, distribution, seed, config)
}

#' Initializer of orthogonal matrices
#'
#' A random matrix with orthonormal rows or columns (whichever are fewer), times `gain`. Weights with more than two axes
#' are seen as a matrix whose columns are the last axis.
#'
#' @inheritParams initializer_zeros
#' @inheritParams initializer_random_normal
#' @inherit initializer_zeros return source
#' @references Saxe, A. et al. (2014). Exact solutions to the nonlinear dynamics of learning in deep linear neural
#'   networks. *ICLR*. <https://arxiv.org/abs/1312.6120>
#' @family initializers
#' @export
#' @examples
#' q <- as.array(initializer_orthogonal(seed = 1)(c(2, 8)))
#' zapsmall(q %*% t(q), 5)
initializer_orthogonal <- function(gain = 1, seed = NULL) {
  gain <- check_number(gain)
  new_initializer("Orthogonal", list(gain = gain, seed = check_seed(seed)), function(shape, dtype, seed) {
    if (length(shape) < 2) abort_rank("initializer_orthogonal()", "at least 2", shape)
    draw_orthogonal(shape, dtype, seed, gain)
  })
}

draw_orthogonal <- function(shape, dtype, seed, gain) {
  sizes <- c(prod(shape[-length(shape)]), shape[[length(shape)]])
  tall <- c(max(sizes), min(sizes))
  decomposition <- qr(as.array(random_normal(tall, dtype = "float64", seed = seed)))
  q <- qr.Q(decomposition)
  q <- q * rep(sign(diag(qr.R(decomposition))), each = tall[[1]])
  if (sizes[[1]] < sizes[[2]]) q <- t(q)
  op_reshape(as_tensor(gain * q, dtype), shape)
}

# An R function of shape and dtype.
wrap_initializer <- function(fn) {
  takes_dtype <- any(c("dtype", "...") %in% names(formals(fn)))
  new_initializer(NULL, list(), function(shape, dtype, seed) {
    fixed_values(if (takes_dtype) fn(shape, dtype = dtype) else fn(shape), shape, dtype)
  }, fn = fn)
}

# A string, an initializer, initializer_*, an R function of shape and dtype, a config, or the values themselves.
get_initializer <- function(x, call = rlang::caller_env()) {
  if (is_tensor_like(x) || is.numeric(x)) return(initializer_constant(x))
  resolve_object(x, "initializer", wrap_initializer, call = call)
}

register_initializer <- function(class_name, constructor, ...) {
  register_object("initializer", class_name, substitute(constructor), c(snake_case(class_name), ...))
}

register_initializer("Zeros", initializer_zeros, "zero")
register_initializer("Ones", initializer_ones, "one")
register_initializer("Constant", initializer_constant)
register_initializer("Identity", initializer_identity, "IdentityInitializer")
register_initializer("RandomNormal", initializer_random_normal, "normal")
register_initializer("TruncatedNormal", initializer_truncated_normal)
register_initializer("RandomUniform", initializer_random_uniform, "uniform")
register_initializer("GlorotUniform", initializer_glorot_uniform)
register_initializer("GlorotNormal", initializer_glorot_normal)
register_initializer("HeUniform", initializer_he_uniform)
register_initializer("HeNormal", initializer_he_normal)
register_initializer("LecunUniform", initializer_lecun_uniform)
register_initializer("LecunNormal", initializer_lecun_normal)
register_initializer("VarianceScaling", initializer_variance_scaling)
register_initializer("Orthogonal", initializer_orthogonal, "OrthogonalInitializer")
