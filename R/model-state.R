# The state of a model as nested lists (level 6).

#' The state of a model as a tree
#'
#' All numbers that a model holds, as nested lists named after the paths of its variables: trainable weights, other
#' weights, those of the optimizer and of the metrics (for a compiled model).
#'
#' @param object A model that is built, or a layer.
#' @param value_format `"tensor"` (the default, `NULL`) or `"array"` (also `"numpy_array"`) for R arrays.
#' @param state_tree What `get_state_tree()` returned; parts and single variables may be left out.
#' @return `get_state_tree()`: a list with `trainable_variables`, `non_trainable_variables`, `optimizer_variables` and
#'   `metrics_variables`. `set_state_tree()`: `object`, invisibly.
#' @source <https://keras.io/api/models/model/#getstatetree-method>
#' @family model functions
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 2, name = "m") |> layer_dense(1, name = "out")
#' tree <- get_state_tree(model, "array")
#' tree$trainable_variables$out$kernel
#' tree$trainable_variables$out$bias[] <- 1
#' set_state_tree(model, tree)
get_state_tree <- function(object, value_format = NULL) {
  as_value <- if (is_array_format(value_format)) as.array else variable_value
  lapply(state_variables(object), function(variables) {
    tree <- list()
    for (variable in variables) tree <- set_leaf(tree, path_steps(variable), as_value(variable))
    tree
  })
}

is_array_format <- function(value_format, call = rlang::caller_env()) {
  formats <- c("tensor", "backend_tensor", "array", "numpy_array")
  format <- check_choice(value_format, formats, allow_null = TRUE, arg = "value_format", call = call)
  !is.null(format) && grepl("array", format)
}

#' @rdname get_state_tree
#' @export
set_state_tree <- function(object, state_tree) {
  variables <- state_variables(object)
  if (!is_plain_list(state_tree)) stop_not("what {.fn get_state_tree} returned", state_tree, "state_tree", environment())
  check_known_names(names(state_tree), names(variables), "state_tree")
  changes <- list()
  for (part in names(state_tree)) {
    for (variable in variables[[part]]) {
      value <- get_leaf(state_tree[[part]], path_steps(variable))
      if (is.null(value)) next
      value <- as_tensor(value, tensor_dtype(variable))
      check_variable_shape(variable, value, rlang::current_env())
      changes[[length(changes) + 1L]] <- list(variable, value)
    }
  }
  for (change in changes) set_variable(change[[1L]], change[[2L]])
  invisible(object)
}

state_variables <- function(object, call = rlang::caller_env()) {
  check_layer(object, call = call)
  self <- layer_object(object)
  trainable <- layer_variables(object, trainable = TRUE)
  all <- layer_variables(object)
  is_other <- !vapply(all, function(variable) any(vapply(trainable, identical, NA, variable)), NA)
  list(
    trainable_variables = trainable, non_trainable_variables = all[is_other],
    optimizer_variables = if (!is.null(self$setup)) self$setup$optimizer$variables else list(),
    metrics_variables = unlist(lapply(compact(self$metrics), function(metric) metric$variables), recursive = FALSE) %||% list()
  )
}

path_steps <- function(variable) strsplit(variable_field(variable, "path"), "/", fixed = TRUE)[[1L]]

set_leaf <- function(tree, steps, value) {
  if (length(steps) == 1L) tree[[steps]] <- value
  else tree[[steps[[1L]]]] <- set_leaf(tree[[steps[[1L]]]] %||% list(), steps[-1L], value)
  tree
}

get_leaf <- function(tree, steps) {
  for (step in steps) {
    if (!is_plain_list(tree)) return(NULL)
    tree <- tree[[step]]
  }
  tree
}

BaseModel$set("public", "get_state_tree", function(value_format = NULL) get_state_tree(self$handle, value_format))
BaseModel$set("public", "set_state_tree", function(state_tree) set_state_tree(self$handle, state_tree))
