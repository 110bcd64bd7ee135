# Learning rate schedules: the base class, their place in an optimizer, look-up (level 3). The single schedules are in
# schedules-decay.R.

# `rate(step)` is the learning rate at a step (a number, counted from 0) as a number.
BaseSchedule <- R6::R6Class("BaseSchedule",
  inherit = ConfigObject, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    rate = NULL,
    initialize = function(class_name = NULL, config = list(), rate = NULL) {
      super$initialize(class_name, config)
      if (!is.null(rate)) self$rate <- rate
    },
    `__call__` = function(step) as_tensor(self$rate(step_number(step)), floatx())
  )
)

step_number <- function(step) {
  if (is_tensor_like(step)) step <- as.numeric(step)
  check_number(step, min = 0, arg = "step", call = NULL)
}

new_schedule <- function(class_name, config, rate) {
  new_handle(BaseSchedule$new(class_name, config, rate), "birnn_schedule")
}

is_schedule <- function(x) inherits(x, "birnn_schedule")

# What an optimizer was given as learning rate, if it is not a number: a function of the step that returns a number.
# R functions are called without arguments, or with the step if they take one.
rate_function <- function(x) {
  if (is_schedule(x)) {
    object <- handle_object(x)
    return(function(step) object$rate(step))
  }
  takes_step <- length(formals(args(x))) > 0
  function(step) {
    value <- if (takes_step) x(step) else x()
    if (is_tensor_like(value)) value <- as.numeric(value)
    check_rate_value(value)
  }
}

# A rate set while training may be 0: warm-ups start there.
check_rate_value <- function(x) check_number(x, min = 0, arg = "learning_rate", call = NULL)

is_rate_function <- function(x) is_schedule(x) || (is.function(x) && !is_handle(x))

register_schedule <- function(class_name, constructor) {
  register_object("schedule", class_name, substitute(constructor), snake_case(class_name))
}
