# Constraint(): constraint classes written by users (level 3). The parts of such a class: own-class.R.

OwnConstraint <- R6::R6Class("OwnConstraint",
  inherit = ConfigObject, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    given = list(),
    initialize = function() invisible(),
    call = function(w) w,
    `__call__` = function(w) call_own_code(self$call, list(as_float_operand(w)))
  )
)

constraint_kind <- list(
  noun = "constraint", root = OwnConstraint, base = ConfigObject, builder = function() Constraint,
  methods = c("call", "get_config"),
  taken = c("handle", "definition", "given", "__call__"),
  prepare = function(self, generator) self$class_name <- generator$classname,
  keep = arguments_by_name,
  finish = function(object) new_handle(object, "birnn_constraint")
)

#' Define a constraint class
#'
#' Makes a new kind of constraint of weights. An R function of a tensor can be given as a constraint as it is; a class
#' adds arguments and a config.
#'
#' @inheritParams Callback
#' @param call `function(w)`: the projected weights, made with `op_*()`.
#' @param get_config `function()`: the arguments as a named list; by default those the constraint was made with.
#' @param ...,public Further methods and fields, by name: `initialize` takes the arguments of the class.
#' @param inherit What another `Constraint()` returned, a function such as [constraint_maxnorm()], or `NULL`. Of such
#'   a function, `super$initialize()` takes the arguments.
#' @return A function with the arguments of `initialize`, which makes a constraint.
#' @source <https://keras.io/api/layers/constraints/#creating-custom-weight-constraints>
#' @family constraints
#' @export
#' @examples
#' constraint_mean_zero <- Constraint("MeanZero", call = function(w) w - op_mean(w))
#' layer <- layer_dense(units = 2, kernel_constraint = constraint_mean_zero())
#' constraint_mean_zero()(matrix(1:4, 2))
Constraint <- function(classname, call = NULL, get_config = NULL, ..., public = list(), private = list(),
                       inherit = NULL, parent_env = parent.frame()) {
  frame <- rlang::current_env()
  named <- list(call = call, get_config = get_config)
  define_own_class(constraint_kind, named, rlang::dots_list(..., .ignore_empty = "all", .homonyms = "keep"), frame)
}
