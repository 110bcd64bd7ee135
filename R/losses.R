# Losses: the base class, how targets meet predictions, reduction to one number (level 3).
# The single losses are in losses-regression.R and losses-classification.R. All of this is made of ops, so that it runs
# eagerly, on a tape, in functional models and in plans: numbers are never looked at here.

loss_reductions <- c("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")

# `call(y_true, y_pred)` gives one value for each prediction, the last axis reduced. It may carry a mask of its own.
BaseLoss <- R6::R6Class("BaseLoss",
  inherit = ConfigObject, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    name = NULL,
    reduction = NULL,
    dtype = NULL,
    initialize = function(class_name = NULL, name = NULL, reduction = "sum_over_batch_size", dtype = NULL,
                          config = list()) {
      super$initialize(class_name, config)
      self$name <- name %||% "loss"
      self$reduction <- check_choice(reduction %||% "none", loss_reductions, arg = "reduction")
      self$dtype <- check_choice(dtype, float_dtypes, allow_null = TRUE)
    },
    call = function(y_true, y_pred) birnn_abort("A loss must have a method {.fn call}.", kind = "state"),
    `__call__` = function(y_true, y_pred, sample_weight = NULL) {
      y_pred <- as_prediction(y_pred, field(self, "dtype"))
      mask <- tensor_mask(y_pred)
      y_true <- mask_targets(y_true, mask)
      is_own <- !is.null(field(self, "definition"))
      values <- if (is_own) call_own_code(self$call, list(y_true, y_pred)) else field(self, "call")(y_true, y_pred)
      reduce_loss(values, sample_weight, both_masks(mask, value_mask(values)), field(self, "reduction"))
    },
    get_config = function() c(list(name = self$name, reduction = self$reduction), super$get_config())
  )
)

# A loss whose values come from a function of targets, predictions and the parameters in `config`.
FunctionLoss <- R6::R6Class("FunctionLoss",
  inherit = BaseLoss, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    values = NULL,
    fn = NULL,
    initialize = function(class_name, values, config = list(), ..., fn = NULL) {
      super$initialize(class_name, config = config, ...)
      self$values <- values
      self$fn <- fn
    },
    call = function(y_true, y_pred) {
      do.call(field(self, "values"), c(list(y_true, y_pred), field(self, "config")), quote = TRUE)
    }
  )
)

# What every loss_*() does: with data the values, without data an object. `settings`: reduction, name, dtype.
loss_or_values <- function(class_name, values, y_true, y_pred, config, settings, dots, call = rlang::caller_env()) {
  check_no_dots(dots, sys.function(sys.parent()), paste0("loss_", snake_case(class_name), "()"), call)
  if (missing(y_true) || is.null(y_true)) {
    object <- do.call(FunctionLoss$new, c(list(class_name, values, config = config), settings), quote = TRUE)
    return(new_handle(object, "birnn_loss"))
  }
  check_predictions(missing(y_pred), call)
  do.call(values, c(list(y_true, as_prediction(y_pred, settings$dtype)), config), quote = TRUE)
}

check_predictions <- function(are_missing, call) {
  if (!are_missing) return(invisible())
  birnn_abort(
    c("{.arg y_pred} must be given together with {.arg y_true}.",
      i = "Other arguments are named, as in {.code delta = 2}."),
    call = call
  )
}

# Nothing may come in the `...` of `fn`, which is there for compatibility.
check_no_dots <- function(dots, fn, what, call) {
  check_known_names(rlang::names2(dots), setdiff(names(formals(fn)), "..."), what, call = call)
}

# --- targets and predictions --------------------------------------------------------------------------------------

# A vector is a batch, also one of length one (which as_tensor() takes for a scalar).
as_batch <- function(x) {
  is_vector <- !is_tensor_like(x) && is.atomic(x) && is.null(dim(x))
  as_operand(if (is_vector) array(x, length(x)) else x)
}

# Predictions are floating point numbers; the mask stays with them.
as_prediction <- function(y_pred, dtype = NULL) {
  tensor <- as_float_operand(as_batch(y_pred))
  if (!is.null(dtype)) tensor <- as_operand(tensor, dtype)
  if (is_tensor(y_pred) || is_symbolic(y_pred)) with_mask(tensor, tensor_mask(y_pred)) else tensor
}

value_mask <- function(x) if (is_tensor(x) || is_symbolic(x)) tensor_mask(x)

both_masks <- function(a, b) {
  if (is.null(a) || is.null(b)) return(a %||% b)
  op_logical_and(a, b)
}

# If the ranks of two tensors differ by one and the longer one ends with a size of 1: a vector gets an axis, else the
# longer one loses it (keras/src/losses/loss.py, squeeze_or_expand_to_same_rank).
match_ranks <- function(x1, x2) {
  difference <- tensor_rank(x1) - tensor_rank(x2)
  if (abs(difference) != 1) return(list(x1, x2))
  longer <- if (difference > 0) x1 else x2
  shorter <- if (difference > 0) x2 else x1
  if (identical(utils::tail(tensor_shape(longer), 1), 1L)) {
    if (tensor_rank(shorter) == 1) {
      shorter <- insert_axis(shorter, 1)
    } else {
      longer <- drop_axes(longer, tensor_rank(longer) - 1)
    }
  }
  if (difference > 0) list(longer, shorter) else list(shorter, longer)
}

# Targets in the type and rank of the predictions: list(true, pred).
paired <- function(y_true, y_pred) {
  y_pred <- as_float_operand(as_batch(y_pred))
  pair <- match_ranks(as_operand(as_batch(y_true), tensor_dtype(y_pred)), y_pred)
  list(true = pair[[1]], pred = pair[[2]])
}

# Masked targets become zeros: whatever they hold, be it NaN or a number that is no class, has no effect.
mask_targets <- function(y_true, mask) {
  y_true <- as_batch(y_true)
  if (is.null(mask) || tensor_rank(y_true) < tensor_rank(mask)) return(y_true)
  leading <- tensor_shape(y_true)[seq_len(tensor_rank(mask))]
  if (!sizes_agree(leading, tensor_shape(mask))) return(y_true)
  op_where(with_trailing_axes(mask, tensor_rank(y_true)), y_true, op_zeros_like(y_true))
}

# --- reduction ----------------------------------------------------------------------------------------------------

# One number from the values of a batch. Weights do not enter the denominator of "sum_over_batch_size" (and "mean"):
# it is the number of values, or of those the mask keeps; 0 if there are none. `mask`: as the values, or their leading
# axes.
reduce_loss <- function(values, sample_weight = NULL, mask = NULL, reduction = "sum_over_batch_size") {
  values <- as_float_operand(values)
  if (!is.null(sample_weight)) {
    pair <- match_ranks(values, as_operand(as_batch(sample_weight), tensor_dtype(values)))
    check_weight_shape(pair[[2]], pair[[1]])
    values <- pair[[1]]
    sample_weight <- pair[[2]]
  }
  if (!is.null(mask)) {
    pair <- with_mask_axes(values, mask)
    mask <- pair[[2]]
    values <- clear_masked(pair[[1]], mask)
  }
  weighted <- if (is.null(sample_weight)) values else op_multiply(values, sample_weight)
  reduce_weighted(weighted, sample_weight, mask, reduction)
}

# Values and the mask with as many axes: list(values, mask). A single value goes with any mask.
with_mask_axes <- function(values, mask, call = NULL) {
  pair <- match_ranks(values, as_bool_operand(mask))
  values <- pair[[1]]
  mask <- with_trailing_axes(pair[[2]], tensor_rank(values))
  if (tensor_rank(values) > 0 && !shared_sizes_fit(mask, values)) {
    birnn_abort(
      "The mask of the predictions has shape {format_shape(tensor_shape(mask))}, but the values have
       {format_shape(tensor_shape(values))}.",
      kind = "mask", call = call
    )
  }
  list(values, mask)
}

# Whether each axis of `x` has the size of that of `values`, or size 1.
shared_sizes_fit <- function(x, values) {
  sizes <- tensor_shape(x)
  wanted <- tensor_shape(values)
  length(sizes) == length(wanted) && all(is.na(sizes) | is.na(wanted) | sizes == wanted | sizes == 1)
}

# Values at masked places become 0: times a weight of 0, NaN would stay NaN.
clear_masked <- function(values, mask) op_where(mask, values, op_zeros_like(values))

reduce_weighted <- function(values, weight, mask, reduction) {
  switch(reduction,
    none = values,
    sum = op_sum(values),
    mean_with_sample_weight = weighted_mean(values, weight, mask),
    mean_of_kept(values, mask)
  )
}

mean_of_kept <- function(values, mask) {
  if (is.null(mask)) return(mean_or_zero(values))
  op_divide(op_sum(values), op_maximum(op_sum(kept_weights(values, NULL, mask)), 1))
}

weighted_mean <- function(values, weight, mask) {
  if (is.null(weight)) return(mean_of_kept(values, mask))
  divide_no_nan(op_sum(values), op_sum(kept_weights(values, weight, mask)))
}

mean_or_zero <- function(values) if (0L %in% tensor_shape(values)) op_sum(values) else op_mean(values)

# What each value counts for: its weight (1 without), 0 where masked; in the shape of the values.
kept_weights <- function(values, weight, mask) {
  counted <- if (is.null(weight)) op_ones_like(values) else op_multiply(op_ones_like(values), weight)
  if (is.null(mask)) counted else op_where(mask, counted, op_zeros_like(counted))
}

# Weights must be one a value, or shared along axes of size 1: broadcasting the other way would give wrong numbers.
check_weight_shape <- function(weight, values, call = NULL) {
  sizes <- tensor_shape(weight)
  wanted <- tensor_shape(values)
  if (length(sizes) == 0 || shared_sizes_fit(weight, values)) return(invisible())
  is_sequence <- length(wanted) == 2 && length(sizes) == 1
  birnn_abort(
    c("{.arg sample_weight} must have shape {format_shape(wanted)}, one weight for each value of the loss, not
       {format_shape(sizes)}.",
      i = if (is_sequence) "For one weight a sequence use {.code matrix(sample_weight, ncol = 1)}."),
    kind = "shape", call = call
  )
}

# --- look-up ------------------------------------------------------------------------------------------------------

register_loss <- function(class_name, constructor, ...) {
  register_object("loss", class_name, substitute(constructor), c(snake_case(class_name), ...))
}

# A string, a loss, loss_*, an R function of targets and predictions, or a config.
get_loss <- function(x, call = rlang::caller_env()) {
  wrap <- function(fn) new_handle(FunctionLoss$new(NULL, values_of_pair(fn), fn = fn), "birnn_loss")
  resolve_object(x, "loss", wrap, call = call)
}

# A user's function gets targets in the type and rank of the predictions.
values_of_pair <- function(fn) {
  force(fn)
  function(y_true, y_pred) {
    pair <- paired(y_true, y_pred)
    call_own_code(fn, unname(pair))
  }
}

# The kind of task that "accuracy" and "crossentropy" mean, from the shapes of targets and predictions.
task_by_shape <- function(y_true_shape, y_pred_shape) {
  last_true <- utils::tail(y_true_shape, 1)
  last_pred <- utils::tail(y_pred_shape, 1)
  if (identical(last_pred, 1L)) return("binary")
  is_sparse <- length(y_true_shape) < length(y_pred_shape) || identical(last_true, 1L)
  if (is_sparse) "sparse_categorical" else "categorical"
}

# As get_loss(), and "crossentropy" or "ce" by the shapes.
resolve_loss <- function(x, y_true_shape, y_pred_shape, call = rlang::caller_env()) {
  by_shape <- is.character(x) && length(x) == 1 && x %in% c("crossentropy", "ce")
  get_loss(if (by_shape) paste0(task_by_shape(y_true_shape, y_pred_shape), "_crossentropy") else x, call = call)
}
