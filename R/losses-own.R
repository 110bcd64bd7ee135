# Loss(): loss classes written by users (level 3). The parts of such a class: own-class.R.

OwnLoss <- R6::R6Class("OwnLoss",
  inherit = BaseLoss, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    given = list(),
    initialize = function(name = NULL, reduction = "sum_over_batch_size", dtype = NULL, ...) {
      check_known_names(rlang::names2(list(...)), c("name", "reduction", "dtype"), "initialize()", call = NULL)
      super$initialize(self$class_name, name %||% self$name, reduction, dtype)
    },
    # call() gets targets in the type of the predictions.
    `__call__` = function(y_true, y_pred, sample_weight = NULL) {
      y_pred <- as_prediction(y_pred, self$dtype)
      super$`__call__`(as_operand(as_batch(y_true), tensor_dtype(y_pred)), y_pred, sample_weight)
    }
  )
)

loss_kind <- list(
  noun = "loss", root = OwnLoss, base = BaseLoss, builder = function() Loss, methods = c("call", "get_config"),
  taken = c("handle", "definition", "given", "__call__"),
  prepare = function(self, generator) name_own_object(self, OwnLoss, generator),
  keep = arguments_by_name,
  finish = function(object) new_handle(object, "birnn_loss")
)

# An object is ready to use even if its class never calls super$initialize().
name_own_object <- function(self, root, generator) {
  self$class_name <- generator$classname
  self$name <- snake_case(generator$classname)
  level <- self
  while (!identical(generator, root)) {
    level <- level$.__enclos_env__$super
    generator <- generator$get_inherit()
  }
  level$.__enclos_env__$super$initialize()
}

#' Define a loss class
#'
#' Makes a new kind of loss from R functions. An R function of targets and predictions can be given to
#' [compile()][compile.birnn_model] as it is; a class adds arguments, a name, a reduction and a config.
#' `new_loss_class()` is the same function.
#'
#' @inheritParams Callback
#' @param call `function(y_true, y_pred)`: one value for each prediction, the last axis reduced, made with `op_*()`.
#'   Weights, masks and the reduction to one number are applied to what it returns.
#' @param ...,public Further methods and fields, by name: `initialize` takes the arguments of the class and hands `name`,
#'   `reduction` and `dtype` on with `super$initialize(...)`; `get_config` returns the arguments as a named list (by
#'   default those the loss was made with).
#' @param inherit What another `Loss()` returned, a function such as [loss_huber()], or `NULL`. Of such a function,
#'   `super$initialize()` takes the arguments.
#' @return A function with the arguments of `initialize` (without one: `name`, `reduction`, `dtype`), which makes a loss.
#' @source <https://keras.io/api/losses/#creating-custom-losses>
#' @family losses
#' @export
#' @examples
#' loss_asymmetric <- Loss("Asymmetric",
#'   initialize = function(above = 2, ...) {
#'     super$initialize(...)
#'     self$above <- above
#'   },
#'   call = function(y_true, y_pred) {
#'     error <- y_pred - y_true
#'     op_mean(op_where(error > 0, self$above * error, -error), axis = -1)
#'   }
#' )
#' loss <- loss_asymmetric(above = 3)
#' loss(matrix(c(1, 1)), matrix(c(2, 0)))
Loss <- function(classname, call = NULL, ..., public = list(), private = list(), inherit = NULL,
                 parent_env = parent.frame()) {
  frame <- rlang::current_env()
  define_own_class(loss_kind, list(call = call), rlang::dots_list(..., .ignore_empty = "all", .homonyms = "keep"), frame)
}

#' @rdname Loss
#' @export
new_loss_class <- Loss
