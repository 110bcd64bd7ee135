# Constraints: what weights are forced to after each update (level 3).

# `project(w)` makes the new weights, by ops.
BaseConstraint <- R6::R6Class("BaseConstraint",
  inherit = ConfigObject, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    project = NULL,
    fn = NULL,
    initialize = function(class_name, config, project, fn = NULL) {
      super$initialize(class_name, config)
      self$project <- project
      self$fn <- fn
    },
    call = function(w) self$project(w),
    `__call__` = function(w) {
      w <- as_float_operand(w)
      if (is.null(self$fn)) self$call(w) else call_own_code(self$project, list(w))
    }
  )
)

new_constraint <- function(class_name, config, project, fn = NULL) {
  new_handle(BaseConstraint$new(class_name, config, project, fn), "birnn_constraint")
}

# The norms along `axis`, which stays as an axis of size 1.
norms_along <- function(w, axis) op_sqrt(op_sum(op_square(w), axis = axis, keepdims = TRUE))

rescale_to <- function(w, norms, wanted) {
  op_multiply(w, op_divide(wanted, op_add(norms, config_epsilon())))
}

# One axis or several, counted from 1, or from the end if negative.
check_axes <- function(axis, call = rlang::caller_env(), arg = "axis") {
  axis <- unlist(axis)
  if (!is.numeric(axis) || length(axis) == 0 || anyNA(axis) || any(axis != round(axis))) {
    stop_not("whole numbers", axis, arg, call)
  }
  if (any(axis == 0)) birnn_abort("{.arg {arg}} argument is 1 based, received 0", call = call)
  as.integer(axis)
}

#' Constraints of weights
#'
#' Applied to a weight after each update by the optimizer. `constraint_maxnorm()` shrinks vectors that are longer than
#' `max_value`, `constraint_unitnorm()` gives all of them length one, `constraint_minmaxnorm()` brings lengths into a
#' range, `constraint_nonneg()` sets negative weights to zero. Any R function of a tensor that returns one of the same
#' shape works as a constraint, too.
#'
#' @param max_value,min_value The largest and the smallest length.
#' @param rate How far `constraint_minmaxnorm()` goes towards the range at each step: 1 is all the way.
#' @param axis The axes that make up a vector, counted from 1. For the kernel of a dense layer, `(inputs, units)`,
#'   axis 1 takes the weights that lead into one unit.
#' @return A constraint: a function of a tensor that returns a tensor.
#' @source <https://keras.io/api/layers/constraints/>
#' @family constraints
#' @export
#' @examples
#' constraint_maxnorm(1)(matrix(c(3, 4, 0.3, 0.4), 2))
constraint_maxnorm <- function(max_value = 2, axis = 1L) {
  config <- list(max_value = check_number(max_value, min = 0), axis = check_axes(axis))
  new_constraint("MaxNorm", config, function(w) {
    norms <- norms_along(w, config$axis)
    rescale_to(w, norms, op_clip(norms, 0, config$max_value))
  })
}

#' @rdname constraint_maxnorm
#' @export
constraint_minmaxnorm <- function(min_value = 0, max_value = 1, rate = 1, axis = 1L) {
  config <- list(
    min_value = check_number(min_value, min = 0), max_value = check_number(max_value, min = 0),
    rate = check_number(rate, min = 0, max = 1), axis = check_axes(axis)
  )
  new_constraint("MinMaxNorm", config, function(w) {
    norms <- norms_along(w, config$axis)
    limited <- op_clip(norms, config$min_value, config$max_value)
    rescale_to(w, norms, op_add(op_multiply(limited, config$rate), op_multiply(norms, 1 - config$rate)))
  })
}

#' @rdname constraint_maxnorm
#' @export
constraint_nonneg <- function() new_constraint("NonNeg", list(), function(w) op_maximum(w, 0))

#' @rdname constraint_maxnorm
#' @export
constraint_unitnorm <- function(axis = 1L) {
  config <- list(axis = check_axes(axis))
  new_constraint("UnitNorm", config, function(w) {
    op_divide(w, op_add(norms_along(w, config$axis), config_epsilon()))
  })
}

# A string, a constraint, constraint_*, an R function of a tensor, or a config.
get_constraint <- function(x, call = rlang::caller_env()) {
  wrap <- function(fn) new_constraint(NULL, list(), fn, fn = fn)
  resolve_object(x, "constraint", wrap, call = call)
}

register_object("constraint", "MaxNorm", quote(constraint_maxnorm), c("max_norm", "maxnorm"))
register_object("constraint", "MinMaxNorm", quote(constraint_minmaxnorm), c("min_max_norm", "minmaxnorm"))
register_object("constraint", "NonNeg", quote(constraint_nonneg), c("non_neg", "nonneg"))
register_object("constraint", "UnitNorm", quote(constraint_unitnorm), c("unit_norm", "unitnorm"))
