# The variables of layers and models: made, collected, read, written, counted and penalized (level 4).

new_weight <- function(self, shape, initializer, dtype, trainable, regularizer, constraint, name) {
  dtype <- dtype %||% self$dtype
  name <- name %||% "variable"
  check_weight_sizes(self, shape, name)
  from_file <- !is.null(running$stored)
  value <- if (from_file) placeholder(self, shape, dtype) else initial_value(initializer, shape, dtype)
  if (!identical(tensor_shape(value), shape)) {
    birnn_abort(
      "The initializer of {.field {name}} of layer {.val {self$name}} must give shape {format_shape(shape)}, not
       {format_shape(tensor_shape(value))}.",
      kind = "shape", call = NULL
    )
  }
  variable <- new_variable(
    value, dtype = dtype, trainable = trainable && self$is_trainable, name = name,
    path = paste(c(running$layer_path, if (!identical(running$layer_owner, self)) self$name, name), collapse = "/"),
    regularizer = get_regularizer(regularizer), constraint = get_constraint(constraint)
  )
  self$own_weights <- c(self$own_weights, list(list(variable = variable, trainable = trainable)))
  variable
}

check_weight_sizes <- function(self, shape, name) {
  if (!anyNA(shape)) return(invisible())
  birnn_abort(
    c("The shape of the weight {.field {name}} of layer {.val {self$name}} must be known, not {format_shape(shape)}.",
      i = "Sizes that weights depend on, such as the number of features, must be given: {.code keras_input(c(NA, 8))}
           has 8 features."),
    kind = "shape", call = NULL
  )
}

# What comes from a file is filled with numbers afterwards. There cannot be more of them than the file holds: a config
# that asks for more is refused before anything is allocated.
running$stored <- NULL

with_stored_numbers <- function(count, code) {
  stored <- new.env(parent = emptyenv())
  stored$left <- count
  with_running(list(stored = stored), code)
}

placeholder <- function(self, shape, dtype) {
  running$stored$left <- running$stored$left - prod(shape)
  if (running$stored$left >= 0) return(op_zeros(shape, dtype))
  birnn_abort("The weights of layer {.val {self$name}}, with shape {format_shape(shape)}, are more than the file holds.",
              kind = "weights", call = NULL)
}

initial_value <- function(initializer, shape, dtype) {
  if (is.null(initializer)) initializer <- if (dtype %in% c("int32", "bool")) "zeros" else "glorot_uniform"
  as_tensor(get_initializer(initializer)(shape, dtype = dtype), dtype)
}

# The variables of a layer in Keras' order: its own trainable ones, its own others, then those of the layers inside.
# trainable = TRUE: those that training changes (none below a frozen layer), FALSE: the rest.
layer_variables <- function(layer, trainable = NA) {
  self <- layer_object(layer)
  all <- unique(all_variables(self))
  if (is.na(trainable)) return(all)
  trained <- unique(trained_variables(self))
  if (trainable) trained else setdiff_variables(all, trained)
}

own_variables <- function(self) {
  is_trainable <- vapply(self$own_weights, function(weight) weight$trainable, logical(1))
  lapply(c(self$own_weights[is_trainable], self$own_weights[!is_trainable]), `[[`, "variable")
}

all_variables <- function(self) {
  c(own_variables(self), from_sublayers(self, all_variables))
}

trained_variables <- function(self) {
  if (!self$is_trainable) return(list())
  own <- Filter(function(v) variable_field(v, "trainable"), own_variables(self))
  c(own, from_sublayers(self, trained_variables))
}

setdiff_variables <- function(x, y) {
  Filter(function(v) !any(vapply(y, identical, logical(1), v)), x)
}

# The lists that `fn` gives for the layers inside, as one list.
from_sublayers <- function(self, fn) {
  do.call(c, c(list(list()), lapply(self$sublayers(), function(layer) fn(layer_object(layer)))))
}

# A layer and all layers inside it at any depth, as R6 objects.
all_layers <- function(self) c(list(self), from_sublayers(self, all_layers))

layer_seed_variables <- function(self) c(self$seed_variables(), from_sublayers(self, layer_seed_variables))

# Weight penalties: one scalar tensor for each trained variable with a regularizer.
regularization_losses <- function(layer) {
  self <- layer_object(layer)
  regularized <- remembered(self, "regularized", Filter(
    function(v) !is.null(variable_field(v, "regularizer")), layer_variables(self, trainable = TRUE)
  ))
  lapply(regularized, function(v) variable_field(v, "regularizer")(v))
}

layer_call_losses <- function(self) c(self$call_losses, from_sublayers(self, layer_call_losses))

abort_not_built <- function(layer, call) {
  birnn_abort(
    c("Layer {.val {layer$name}} is not built yet, it has no weights.",
      i = "Call it on data first, or give its model an {.arg input_shape}."),
    kind = "state", call = call
  )
}

#' Weights of a layer or model
#'
#' `get_weights()` reads all weights, `set_weights()` replaces them. Nothing is changed unless every array fits.
#'
#' The order is that of Keras: for a recurrent layer `kernel`, `recurrent_kernel`, `bias`; for [layer_bidirectional()]
#' those of the forward layer, then those of the backward layer; for a model layer after layer. States of stateful
#' layers and seeds are not weights.
#'
#' @param object A layer or model. It must be built: called once, or part of a model with a known input shape.
#' @param trainable `NA` for all weights, `TRUE` for those that training changes, `FALSE` for the others.
#' @param weights A list of arrays with the shapes of `get_weights(object)`, without missing values.
#' @return `get_weights()`: a list of R arrays (vectors for one axis). `set_weights()`: `object`, invisibly.
#' @family layer methods
#' @seealso <https://keras.io/api/layers/base_layer/>
#' @export
#' @examples
#' layer <- layer_dense(units = 2)
#' layer(matrix(1, 1, 3))
#' weights <- get_weights(layer)
#' set_weights(layer, list(diag(3)[, 1:2], c(0, 1)))
#' get_weights(layer)
get_weights <- function(object, trainable = NA) {
  check_layer(object)
  if (!object$built) abort_not_built(object, rlang::current_env())
  lapply(layer_variables(object, trainable), as.array)
}

#' @rdname get_weights
#' @export
set_weights <- function(object, weights) {
  check_layer(object)
  if (!object$built) abort_not_built(object, rlang::current_env())
  check_not_missing(layer_variables(object), weights, object$name, rlang::current_env())
  write_variables(layer_variables(object), weights, object$name)
  invisible(object)
}

check_not_missing <- function(variables, weights, layer_name, call) {
  if (!is_plain_list(weights) || length(weights) != length(variables)) return(invisible())
  for (k in which(vapply(weights, function(x) is.numeric(x) && anyNA(x), NA))) {
    at <- which(is.na(weights[[k]]), arr.ind = length(dim(weights[[k]])) > 1L)
    at <- if (is.matrix(at)) at[1L, ] else at[[1L]]
    birnn_abort(
      "{.field {variable_field(variables[[k]], 'path')}} of layer {.val {layer_name}} must not have missing values, but
       element {format_shape(at)} is {.val {weights[[k]][rbind(at)][[1L]]}}.",
      kind = "weights", call = call
    )
  }
}

check_layer <- function(object, arg = rlang::caller_arg(object), call = rlang::caller_env()) {
  if (!is_layer(object)) stop_not("a layer or model", object, arg, call)
}

# Replaces the values of variables, after every check has passed.
write_variables <- function(variables, weights, layer_name, call = rlang::caller_env()) {
  values <- checked_weights(variables, weights, layer_name, call)
  Map(set_variable, variables, values)
  invisible()
}

# New values for variables as tensors that fit.
checked_weights <- function(variables, weights, layer_name, call) {
  if (!is_plain_list(weights)) weights <- list(weights)
  if (length(weights) != length(variables)) {
    expected <- vapply(variables, describe_variable, character(1))
    birnn_abort(
      c("Layer {.val {layer_name}} needs {length(variables)} weight{?s}, not {length(weights)}.",
        i = if (length(expected)) "It has {.field {expected}}."),
      kind = "weights", call = call
    )
  }
  Map(function(v, value) checked_weight(v, value, layer_name, call), variables, weights)
}

describe_variable <- function(v) paste(variable_field(v, "path"), format_shape(variable_field(v, "shape")))

checked_weight <- function(v, value, layer_name, call) {
  wanted <- variable_field(v, "shape")
  value <- as_tensor(value, variable_field(v, "dtype"))
  if (!identical(tensor_shape(value), wanted) && prod(wanted) == 1 && length(wanted) == 1) {
    value <- as_tensor(array(as.numeric(value), wanted), variable_field(v, "dtype"))
  }
  if (identical(tensor_shape(value), wanted)) return(value)
  transposed <- identical(rev(tensor_shape(value)), wanted)
  birnn_abort(
    c("{.field {variable_field(v, 'path')}} of layer {.val {layer_name}} must have shape {format_shape(wanted)}, not
       {format_shape(tensor_shape(value))}.",
      i = if (transposed) "Is it transposed? {.fn t} turns a matrix."),
    kind = "weights", call = call
  )
}

#' Number of parameters of a layer or model
#'
#' @inheritParams get_weights
#' @return A whole number: how many numbers the weights hold.
#' @family layer methods
#' @export
#' @examples
#' layer <- layer_bidirectional(layer = layer_lstm(units = 4))
#' layer(array(0, c(1, 5, 3)))
#' count_params(layer)
count_params <- function(object) {
  check_layer(object)
  if (!object$built) abort_not_built(object, rlang::current_env())
  sizes <- vapply(layer_variables(object), function(v) prod(variable_field(v, "shape")), numeric(1))
  total <- sum(sizes)
  if (total <= .Machine$integer.max) as.integer(total) else total
}

#' Forget the states of stateful layers
#'
#' Recurrent layers with `stateful = TRUE` start each batch where the last one ended. `reset_state()` puts their states
#' back to zero. Nothing else does: neither the end of an epoch nor of `fit()`.
#'
#' @param object A layer or model. Layers inside a model that are not stateful are left alone; for
#'   [layer_bidirectional()] alone that is an error.
#' @return `object`, invisibly.
#' @family layer methods
#' @family rnn layers
#' @export
#' @examples
#' layer <- layer_lstm(units = 2, stateful = TRUE)
#' x <- array(1, c(1, 3, 2))
#' first <- layer(x)
#' second <- layer(x) # goes on from the states of the first call
#' reset_state(layer)
#' all.equal(layer(x), first)
reset_state <- function(object) {
  check_layer(object)
  object$reset_state()
  invisible(object)
}

#' @rdname reset_state
#' @export
reset_states <- reset_state
