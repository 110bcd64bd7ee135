# Random tensors and the seeds they come from (level 2).
#
# A draw is a pure function of (seed, counter, element): same seed, same numbers, whatever the number of threads. Seeds
# that nobody gave come from R's own generator, so that set.seed() alone decides.

draw_seed <- function() sample.int(1e9L, 1L)

check_seed <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  check_whole(x, allow_null = TRUE, arg = arg, call = call)
}

# `state` is the int32 Variable (seed, counter). `seed` is what the user gave: configs keep it.
SeedGenerator <- R6::R6Class("SeedGenerator",
  cloneable = FALSE,
  public = list(
    seed = NULL,
    state = NULL,
    name = NULL,
    initialize = function(seed = NULL, name = NULL) {
      self$seed <- seed
      self$name <- name %||% unique_name("seed_generator")
      start <- c(seed %||% draw_seed(), 0L)
      self$state <- new_variable(start, dtype = "int32", trainable = FALSE, name = "seed_generator_state",
                                 path = paste0(self$name, "/seed_generator_state"))
    },
    get_config = function() list(seed = self$seed)
  )
)

new_seed_generator <- function(seed = NULL, name = NULL) SeedGenerator$new(seed = check_seed(seed), name = name)

is_seed_generator <- function(x) inherits(x, "SeedGenerator")

# The seed of the next draw, an int32 tensor (seed, counter); the generator moves on: an effect of the running step.
next_seed <- function(generator) {
  seed <- variable_value(generator$state)
  assign_variable(generator$state, apply_op("next_seed", list(seed)))
  seed
}

# What a `seed` argument stands for, as a seed tensor: an integer gives the same draw each time, a generator moves on,
# NULL is a new seed from R's generator (while a plan is traced: a generator of its own, or all steps would draw alike).
seed_tensor <- function(seed, call = rlang::caller_env()) {
  if (is_seed_generator(seed)) return(next_seed(seed))
  if (is.null(seed) && is_tracing()) return(next_seed(new_seed_generator()))
  as_tensor(c(check_seed(seed, arg = "seed", call = call) %||% draw_seed(), 0L), "int32")
}

draw <- function(name, shape, dtype, seed, attrs, call = rlang::caller_env()) {
  sizes <- known_shape(shape, "shape", call)
  dtype <- check_choice(dtype %||% floatx(), float_dtypes, arg = "dtype", call = call)
  attrs <- c(list(shape = as.numeric(sizes), dtype = dtype), attrs)
  apply_op(name, list(seed_tensor(seed, call), NULL), attrs)
}

#' Random tensors
#'
#' Normal, uniform and truncated normal numbers (those beyond two standard deviations are drawn again), whole
#' numbers, and dropout: each number is set to 0 with probability `rate`, the others are divided by `1 - rate`.
#'
#' @param shape The sizes of the result.
#' @param mean,stddev Mean and standard deviation (of the normal numbers before truncation).
#' @param minval,maxval The range; `maxval` itself does not occur.
#' @param inputs A tensor.
#' @param rate A number from 0 to 1.
#' @param noise_shape Sizes of the pattern of zeros, broadcast to `inputs`: `NA` is the size of `inputs`, 1 shares one
#'   decision along an axis. `NULL`: every number by itself.
#' @param dtype The type; `NULL` is the running float type.
#' @param seed A whole number: the same numbers at each call. A [random_seed_generator()]: new ones at each call.
#'   `NULL`: a seed from R's generator, see [set.seed()].
#' @return A tensor.
#' @source <https://keras.io/api/random/random_ops/>
#' @family random numbers
#' @export
#' @examples
#' random_normal(c(2, 3), seed = 1)
#' random_integer(5, minval = 0, maxval = 10)
random_normal <- function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
  draw("random_normal", shape, dtype, seed, list(mean = check_number(mean), stddev = check_number(stddev, min = 0)))
}

#' @rdname random_normal
#' @export
random_uniform <- function(shape, minval = 0, maxval = 1, dtype = NULL, seed = NULL) {
  draw("random_uniform", shape, dtype, seed, list(minval = check_number(minval), maxval = check_number(maxval)))
}

#' @rdname random_normal
#' @export
random_truncated_normal <- function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
  draw("truncated_normal", shape, dtype, seed, list(mean = check_number(mean), stddev = check_number(stddev, min = 0)))
}

#' @rdname random_normal
#' @export
random_integer <- function(shape, minval, maxval, dtype = "int32", seed = NULL) {
  numbers <- random_uniform(shape, check_whole(minval), check_whole(maxval), dtype = "float64", seed = seed)
  op_cast(op_floor(numbers), dtype)
}

#' @rdname random_normal
#' @export
random_dropout <- function(inputs, rate, noise_shape = NULL, seed = NULL) {
  inputs <- as_float_operand(inputs)
  op_multiply(inputs, dropout_mask(inputs, rate, seed_tensor(seed), noise_shape))
}

#' Random classes and random order
#'
#' `random_categorical()` draws classes with the probabilities that `logits` stand for (of which softmax makes
#' probabilities), row by row. `random_shuffle()` puts the slices along an axis into a random order.
#'
#' @inheritParams random_normal
#' @param logits A matrix (rows, classes).
#' @param num_samples How many classes to draw for each row.
#' @param x A tensor.
#' @param axis The axis, counted from 1.
#' @param zero_indexed Whether classes count from 0, as in Python.
#' @return `random_categorical()`: a tensor (rows, num_samples) of classes counted from 1. `random_shuffle()`: a tensor
#'   like `x`.
#' @source <https://keras.io/api/random/random_ops/#categorical-function>
#' @family random numbers
#' @export
#' @examples
#' random_categorical(log(rbind(c(0.1, 0.9), c(0.5, 0.5))), num_samples = 5, seed = 1)
#' random_shuffle(1:5, seed = 1)
random_categorical <- function(logits, num_samples, dtype = "int32", seed = NULL, zero_indexed = FALSE) {
  logits <- as_float_operand(logits)
  if (tensor_rank(logits) != 2L) {
    birnn_abort("{.arg logits} must be a matrix (rows, classes), not of shape {format_shape(tensor_shape(logits))}.",
                kind = "shape")
  }
  # The class with the largest logit + Gumbel noise has just the probability that softmax gives it.
  sizes <- c(same_size_as(0), check_whole(num_samples, min = 1), same_size_as(1))
  noise <- op_negative(op_log(op_negative(op_log(uniform_like(logits, sizes, seed)))))
  op_cast(op_argmax(op_add(insert_axis(logits, 1), noise), axis = -1, zero_indexed = zero_indexed), dtype)
}

#' @rdname random_categorical
#' @export
random_shuffle <- function(x, axis = 1L, seed = NULL) {
  x <- as_operand(x)
  position <- one_axis(axis, tensor_rank(x))
  order <- op_argsort(uniform_like(x, same_size_as(position), seed, "float64"))
  op_take(x, order, axis = position + 1)
}

# Uniform numbers above 0 in sizes that may be those of axes of `like`.
uniform_like <- function(like, sizes, seed, dtype = tensor_dtype(like), call = rlang::caller_env()) {
  smallest <- if (dtype == "float32") 1.2e-38 else .Machine$double.xmin
  attrs <- list(shape = as.numeric(sizes), dtype = dtype, minval = smallest, maxval = 1)
  apply_op("random_uniform", list(seed_tensor(seed, call), like), attrs)
}

# Zeros and 1 / (1 - rate) in the shape of `like`, or of `noise_shape` (NA: as `like`). `seed`: a seed tensor.
dropout_mask <- function(like, rate, seed, noise_shape = NULL, call = rlang::caller_env()) {
  axes <- seq_len(tensor_rank(like)) - 1
  sizes <- if (is.null(noise_shape)) rep(NA, length(axes)) else as_shape(noise_shape, "noise_shape", call)
  if (length(sizes) != length(axes)) {
    birnn_abort(
      "{.arg noise_shape} must have {length(axes)} size{?s}, not {length(sizes)}.", kind = "shape", call = call
    )
  }
  codes <- ifelse(is.na(sizes), same_size_as(axes), sizes)
  rate <- check_number(rate, min = 0, max = 1, call = call)
  apply_op("dropout_mask", list(seed, like), list(rate = rate, shape = as.numeric(codes)))
}

#' Generator of seeds
#'
#' Hands out a new seed for every draw, so that several draws with the same generator differ while the whole sequence
#' depends on its `seed` only. Layers with dropout own one each.
#'
#' @param seed A whole number, or `NULL` for one from R's generator (see [set.seed()]).
#' @param name A name.
#' @param ... Not used.
#' @return An object for the `seed` argument of [random_normal()] and its family.
#' @source <https://keras.io/api/random/seed_generator/>
#' @family random numbers
#' @export
#' @examples
#' generator <- random_seed_generator(seed = 1)
#' random_uniform(2, seed = generator)
#' random_uniform(2, seed = generator)
random_seed_generator <- function(seed = NULL, name = NULL, ...) {
  check_known_names(rlang::names2(list(...)), c("seed", "name"), "random_seed_generator()")
  new_seed_generator(seed, name = check_string(name, allow_null = TRUE))
}

#' Make results reproducible
#'
#' The same as [set.seed()]: all seeds that are not given explicitly (initial weights, dropout, shuffling) come from
#' R's generator.
#'
#' @param seed A whole number.
#' @return `NULL`, invisibly.
#' @family random numbers
#' @export
#' @examples
#' set_random_seed(1)
set_random_seed <- function(seed) {
  set.seed(check_whole(seed))
  invisible(NULL)
}
