# Metrics: the base class, running means over batches, look-up (level 3). Metrics of single tasks are in metrics-*.R.
# State sits in float64 Variables and changes by effects: a metric runs inside a step as well as by hand.

BaseMetric <- R6::R6Class("BaseMetric",
  inherit = ConfigObject, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    name = NULL,
    dtype = NULL,
    variables = list(),
    initialize = function(class_name = NULL, name = NULL, dtype = NULL, config = list()) {
      super$initialize(class_name, config)
      self$name <- check_string(name %||% snake_case(class_name %||% "Metric"), arg = "name")
      self$dtype <- check_choice(dtype, float_dtypes, allow_null = TRUE)
    },
    add_variable = function(shape = integer(), initializer = "zeros", dtype = "float64", name = "variable") {
      variable <- new_variable(get_initializer(initializer)(shape, dtype = dtype), dtype = dtype, trainable = FALSE,
                               name = name, path = paste0(self$name, "/", name))
      self$variables <- c(self$variables, list(variable))
      variable
    },
    update_state = function(...) birnn_abort("A metric must have a method {.fn update_state}.", kind = "state"),
    result = function() birnn_abort("A metric must have a method {.fn result}.", kind = "state"),
    reset_state = function() {
      variables <- field(self, "variables")
      if (!in_step()) return(r_variables_clear(variables))
      for (variable in variables) assign_variable(variable, op_zeros_like(variable))
    },
    reset_states = function() self$reset_state(),
    `__call__` = function(...) {
      self$update_state(...)
      self$result()
    },
    get_config = function() c(list(name = self$name, dtype = self$dtype %||% floatx()), super$get_config())
  )
)

new_metric_handle <- function(object) new_handle(object, "birnn_metric")

add_to_variable <- function(variable, amount) {
  assign_variable(variable, op_add(variable_value(variable), as_operand(amount, "float64")))
}

# The weighted mean of all values so far; 0 before the first.
MeanMetric <- R6::R6Class("MeanMetric",
  inherit = BaseMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    total = NULL,
    count = NULL,
    initialize = function(class_name = "Mean", name = NULL, dtype = NULL, config = list()) {
      super$initialize(class_name, name, dtype, config)
      self$total <- self$add_variable(name = "total")
      self$count <- self$add_variable(name = "count")
    },
    update_state = function(values, sample_weight = NULL) {
      self$add_values(values, sample_weight, value_mask(values))
    },
    add_values = function(values, sample_weight, mask) {
      sums <- samplewise_sums(values, sample_weight, mask)
      add_to_variable(self$total, sums$total)
      add_to_variable(self$count, sums$count)
      invisible()
    },
    result = function() divide_no_nan(variable_value(self$total), variable_value(self$count))
  )
)

# Means of the values of a function of targets and predictions.
FunctionMetric <- R6::R6Class("FunctionMetric",
  inherit = MeanMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    values = NULL,
    fn = NULL,
    initialize = function(class_name, values, config = list(), name = NULL, dtype = NULL, fn = NULL) {
      super$initialize(class_name, name, dtype, config)
      self$values <- values
      self$fn <- fn
    },
    update_state = function(y_true, y_pred, sample_weight = NULL) {
      y_pred <- as_prediction(y_pred, self$dtype)
      mask <- value_mask(y_pred)
      values <- do.call(self$values, c(list(mask_targets(y_true, mask), y_pred), self$config), quote = TRUE)
      self$add_values(values, sample_weight, both_masks(mask, value_mask(values)))
    }
  )
)

# Sum of the values of a batch and what they count for. Extra axes are averaged sample by sample; with weights or a mask
# both sums are weighted (mask: 1 or 0), so that over a whole epoch the result is sum(w v) / sum(w).
samplewise_sums <- function(values, sample_weight = NULL, mask = NULL) {
  values <- as_operand(as_batch(values), "float64")
  if (is.null(sample_weight) && is.null(mask)) {
    values <- mean_over_axes(values, from = 2)
    return(list(total = op_sum(values), count = op_sum(op_ones_like(values))))
  }
  weight <- if (!is.null(sample_weight)) as_operand(as_batch(sample_weight), "float64")
  if (!is.null(mask)) {
    pair <- with_mask_axes(values, mask)
    values <- clear_masked(pair[[1]], pair[[2]])
    weight <- masked_weight(weight, op_cast(pair[[2]], "float64"))
  }
  pair <- match_ranks(values, weight)
  values <- mean_over_axes(pair[[1]], from = tensor_rank(pair[[2]]) + 1)
  check_weight_shape(pair[[2]], values)
  weight <- op_multiply(op_ones_like(values), pair[[2]])
  list(
    total = op_sum(mean_over_axes(op_multiply(values, weight), from = 2)),
    count = op_sum(mean_over_axes(weight, from = 2))
  )
}

# Weights times the mask (as numbers): one weight a sample counts for all its steps.
masked_weight <- function(weight, kept) {
  if (is.null(weight)) return(kept)
  pair <- match_ranks(kept, weight)
  weight <- with_trailing_axes(pair[[2]], tensor_rank(pair[[1]]))
  check_weight_shape(weight, pair[[1]])
  op_multiply(pair[[1]], weight)
}

# Means over all axes from number `from` (counted from 1) on.
mean_over_axes <- function(x, from) {
  if (tensor_rank(x) < from) x else op_mean(x, axis = from:tensor_rank(x))
}

# What every metric_*() with targets and predictions does: with data the values, without data an object.
metric_or_values <- function(class_name, values, y_true, y_pred, config, settings, dots, call = rlang::caller_env()) {
  check_no_dots(dots, sys.function(sys.parent()), paste0("metric_", snake_case(class_name), "()"), call)
  if (missing(y_true) || is.null(y_true)) {
    return(new_metric_handle(do.call(FunctionMetric$new, c(list(class_name, values, config), settings), quote = TRUE)))
  }
  check_predictions(missing(y_pred), call)
  do.call(values, c(list(y_true, as_prediction(y_pred, settings$dtype)), config), quote = TRUE)
}

#' Mean and sum of values
#'
#' Running mean, or sum, of whatever it is given. `metric_root_mean_squared_error()` takes targets and predictions and gives the
#' root of the mean of all squared errors.
#'
#' @param ... Not used; for compatibility.
#' @param name A name.
#' @param dtype The type to compute in; `NULL`: that of the values. The state is always kept in double precision.
#' @return A metric: `$update_state(values, sample_weight = NULL)` (for `metric_root_mean_squared_error()`:
#'   `$update_state(y_true, y_pred, sample_weight = NULL)`), `$result()`, `$reset_state()`. Calling it updates it and
#'   returns the result.
#' @source <https://keras.io/api/metrics/reduction_metrics/>
#' @family metrics
#' @export
#' @examples
#' metric <- metric_mean()
#' metric$update_state(c(1, 3))
#' metric$update_state(8)
#' metric$result()
metric_mean <- function(..., name = "mean", dtype = NULL) {
  check_no_dots(list(...), metric_mean, "metric_mean()", rlang::current_env())
  new_metric_handle(MeanMetric$new("Mean", name, dtype))
}

# The weighted sum of all values so far.
SumMetric <- R6::R6Class("SumMetric",
  inherit = BaseMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    total = NULL,
    initialize = function(name = NULL, dtype = NULL) {
      super$initialize("Sum", name, dtype)
      self$total <- self$add_variable(name = "total")
    },
    update_state = function(values, sample_weight = NULL) {
      values <- as_operand(as_batch(values))
      weight <- prediction_weights(values, sample_weight, value_mask(values))
      add_to_variable(self$total, op_sum(op_multiply(op_cast(values, "float64"), weight)))
      invisible()
    },
    result = function() variable_value(self$total)
  )
)

#' @rdname metric_mean
#' @export
metric_sum <- function(..., name = "sum", dtype = NULL) {
  check_no_dots(list(...), metric_sum, "metric_sum()", rlang::current_env())
  new_metric_handle(SumMetric$new(name, dtype))
}

#' A metric of your own
#'
#' @param name The name under which its values are reported.
#' @param metric_fn A function of `y_true` and `y_pred`, made of `op_*()`, that returns one value for each prediction or
#'   a single one. What is reported is the mean over all batches.
#' @return A metric for [compile()][compile.birnn_model].
#' @family metrics
#' @export
#' @examples
#' bias <- custom_metric("bias", function(y_true, y_pred) op_mean(y_pred - y_true, axis = -1))
#' bias(c(1, 2), c(1.5, 2.5))
custom_metric <- function(name, metric_fn) {
  name <- check_string(name)
  if (!is.function(metric_fn)) stop_not("a function of y_true and y_pred", metric_fn, "metric_fn", rlang::current_env())
  wrap_metric(metric_fn, name)
}

wrap_metric <- function(fn, name = "metric") new_metric_handle(FunctionMetric$new(NULL, fn, name = name, fn = fn))

register_metric <- function(class_name, constructor, ...) {
  register_object("metric", class_name, substitute(constructor), c(snake_case(class_name), ...))
}

# A string (then also the metric's name), a metric, metric_*, a loss or loss_*, an R function of targets and
# predictions, or a config.
get_metric <- function(x, call = rlang::caller_env()) {
  if (is_constructor(x, "loss")) x <- x()
  if (inherits(x, "birnn_loss")) return(wrap_metric(x, x$name))
  metric <- resolve_object(x, "metric", wrap_metric, call = call)
  if (is.character(x)) metric$name <- x
  metric
}

# As get_metric(); "accuracy" ("acc") and "crossentropy" ("ce") by the shapes of targets and predictions.
resolve_metric <- function(name, y_true_shape, y_pred_shape, call = rlang::caller_env()) {
  word <- if (is.character(name) && length(name) == 1) {
    switch(name, accuracy = , acc = "accuracy", crossentropy = , ce = "crossentropy")
  }
  if (is.null(word)) return(get_metric(name, call = call))
  metric <- get_metric(paste0(task_by_shape(y_true_shape, y_pred_shape), "_", word), call = call)
  metric$name <- name
  metric
}

register_metric("Mean", metric_mean)
register_metric("Sum", metric_sum)
