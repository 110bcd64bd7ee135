# Metric(): metric classes written by users (level 3). The parts of such a class: own-class.R.

OwnMetric <- R6::R6Class("OwnMetric",
  inherit = BaseMetric, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    given = list(),
    initialize = function(dtype = NULL, name = NULL, ...) {
      check_known_names(rlang::names2(list(...)), c("dtype", "name"), "initialize()", call = NULL)
      super$initialize(self$class_name, name %||% self$name, dtype)
    },
    add_variable = function(shape = integer(), initializer = "zeros", dtype = NULL, aggregation = NULL, name = NULL) {
      super$add_variable(as_shape(shape), initializer, dtype %||% self$dtype %||% floatx(), name = name %||% "variable")
    },
    add_weight = function(shape = integer(), initializer = "zeros", dtype = NULL, name = NULL) {
      self$add_variable(shape, initializer, dtype, name = name)
    },
    # Metrics that are fields of this one start anew with it.
    reset_state = function() {
      super$reset_state()
      for (metric in inner_metrics(self)) metric$reset_state()
      invisible()
    }
  )
)

inner_metrics <- function(self) {
  fields <- setdiff(names(self), c(names(OwnMetric$active), "handle"))
  Filter(function(field) inherits(field, "birnn_metric"), mget(fields, envir = self))
}

metric_kind <- list(
  noun = "metric", root = OwnMetric, base = BaseMetric, builder = function() Metric,
  methods = c("update_state", "result", "reset_state", "get_config"),
  taken = c("handle", "definition", "given", "__call__"),
  prepare = function(self, generator) name_own_object(self, OwnMetric, generator),
  keep = arguments_by_name,
  finish = function(object) new_metric_handle(object)
)

#' Define a metric class
#'
#' Makes a new kind of metric, one with a state, from R functions. For the mean of a function of targets and predictions
#' a function is enough, see [custom_metric()]. `new_metric_class()` is the same function.
#'
#' @inheritParams Callback
#' @param initialize A function that takes the arguments of the class, hands `name` and `dtype` on with
#'   `super$initialize(...)` and makes the state with `self$add_variable(shape, initializer, dtype, name)` (or
#'   `self$add_weight()`).
#' @param update_state `function(y_true, y_pred, sample_weight = NULL)`: changes the state with `$assign()`,
#'   `$assign_add()` of its variables. It may leave `sample_weight` out.
#' @param result `function()`: the value, or a named list of values, each of which is reported.
#' @param ...,public Further methods and fields, by name; among them `reset_state`, which by default sets all variables
#'   to 0, and `get_config`.
#' @param inherit What another `Metric()` returned, a function such as [metric_mean()], or `NULL`. Of such a
#'   function, `super$initialize()` takes the arguments.
#' @return A function with the arguments of `initialize`, which makes a metric.
#' @source <https://keras.io/api/metrics/#creating-custom-metrics>
#' @family metrics
#' @export
#' @examples
#' metric_largest_error <- Metric("LargestError",
#'   initialize = function(name = "largest_error", ...) {
#'     super$initialize(name = name, ...)
#'     self$largest <- self$add_variable(shape(), "zeros", name = "largest")
#'   },
#'   update_state = function(y_true, y_pred, sample_weight = NULL) {
#'     self$largest$assign(op_maximum(self$largest, op_max(op_abs(y_pred - y_true))))
#'   },
#'   result = function() self$largest
#' )
#' metric <- metric_largest_error()
#' metric$update_state(c(1, 2), c(1.5, 2))
#' metric$result()
Metric <- function(classname, initialize = NULL, update_state = NULL, result = NULL, ..., public = list(),
                   private = list(), inherit = NULL, parent_env = parent.frame()) {
  frame <- rlang::current_env()
  named <- list(initialize = initialize, update_state = update_state, result = result)
  define_own_class(metric_kind, named, rlang::dots_list(..., .ignore_empty = "all", .homonyms = "keep"), frame)
}

#' @rdname Metric
#' @export
new_metric_class <- Metric
