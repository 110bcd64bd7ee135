# new_learning_rate_schedule_class(): schedules written by users (level 3). The parts of such a class: own-class.R.

OwnSchedule <- R6::R6Class("OwnSchedule",
  inherit = BaseSchedule, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    given = list(),
    initialize = function() invisible(),
    call = function(step) birnn_abort("A schedule must have a method {.fn call}.", kind = "state", call = NULL)
  )
)

prepare_schedule <- function(self, generator) {
  self$class_name <- generator$classname
  self$rate <- function(step) {
    value <- self$call(as_tensor(step, "int32"))
    check_rate_value(if (is_tensor_like(value)) as.numeric(value) else value)
  }
}

schedule_kind <- list(
  noun = "schedule", root = OwnSchedule, builder = function() new_learning_rate_schedule_class,
  methods = c("call", "get_config"), taken = c("handle", "definition", "given", "rate", "__call__"),
  prepare = prepare_schedule, keep = arguments_by_name,
  finish = function(object) new_handle(object, "birnn_schedule")
)

#' Define a class of learning rate schedules
#'
#' Makes a new kind of schedule from R functions. An R function of the step can be given as `learning_rate` as it is; a
#' class adds arguments and a config.
#'
#' @inheritParams Callback
#' @param initialize A function that takes the arguments of the class and keeps them as fields of `self`.
#' @param call `function(step)`: the learning rate at a step, a tensor counted from 0.
#' @param get_config `function()`: the arguments as a named list; by default those the schedule was made with.
#' @param ...,public Further methods and fields, by name.
#' @param inherit What another call returned, or `NULL`.
#' @return A function with the arguments of `initialize`, which makes a schedule for the `learning_rate` of optimizers.
#' @source <https://keras.io/api/optimizers/learning_rate_schedules/learning_rate_schedule/>
#' @family optimizers
#' @export
#' @examples
#' schedule_warm_up <- new_learning_rate_schedule_class("WarmUp",
#'   initialize = function(top, steps) {
#'     self$top <- top
#'     self$steps <- steps
#'   },
#'   call = function(step) self$top * op_minimum((step + 1) / self$steps, 1)
#' )
#' optimizer <- optimizer_sgd(schedule_warm_up(top = 0.1, steps = 100))
#' as.numeric(optimizer$learning_rate)
new_learning_rate_schedule_class <- function(classname, ..., initialize = NULL, call = NULL, get_config = NULL,
                                             public = list(), private = list(), inherit = NULL,
                                             parent_env = parent.frame()) {
  frame <- rlang::current_env()
  named <- list(initialize = initialize, call = call, get_config = get_config)
  define_own_class(schedule_kind, named, rlang::dots_list(..., .ignore_empty = "all", .homonyms = "keep"), frame)
}
