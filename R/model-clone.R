# clone_model(): a model anew, from the configs of its layers (level 6).

#' Make a model anew
#'
#' The clone has layers of its own, made from the configs of the model's layers and of the same names: the same
#' architecture with fresh weights. It shares nothing with the model, and is not compiled.
#'
#' @param model A model.
#' @param input_tensors A symbolic tensor (see [keras_input()]), or a list of them, to build the clone on; `NULL` makes
#'   inputs like those of the model.
#' @param clone_function A function of a layer of the model that returns the layer to take in its place; `NULL` makes it
#'   from its config. A layer that is returned as it is becomes part of both models. Inputs are not passed to it.
#' @param call_function For functional models: `function(layer, ...)` that calls a new layer on its inputs and returns
#'   the outputs; `NULL` is `layer(...)`.
#' @param recursive Whether models inside the model are cloned layer by layer, with the same functions. Otherwise
#'   `clone_function` is given them as the layers they are.
#' @param ... Must be empty.
#' @return A model.
#' @source Behaves as [keras.models.clone_model](https://keras.io/api/models/model_training_apis/).
#' @family model functions
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(5, 3)) |>
#'   layer_bidirectional(layer_lstm(units = 4)) |>
#'   layer_dense(1)
#' copy <- clone_model(model)
#' set_weights(copy, get_weights(model))
#'
#' # Another last layer, and all others shared
#' wider <- clone_model(model, clone_function = function(layer) {
#'   if (layer$name == get_layer(model, index = -1)$name) layer_dense(units = 3) else layer
#' })
clone_model <- function(model, input_tensors = NULL, clone_function = NULL, call_function = NULL, recursive = FALSE,
                        ...) {
  self <- check_model(model)
  dots <- rlang::dots_list(..., .ignore_empty = "all")
  check_named(dots)
  check_known_names(names(dots), setdiff(names(formals(clone_model)), "..."), "clone_model()")
  if (!is.null(clone_function)) check_function(clone_function)
  if (!is.null(call_function)) check_function(call_function)
  how <- list(clone = clone_function, call = call_function, recursive = check_flag(recursive))
  if (inherits(self, "Sequential")) return(clone_sequential(self, input_tensors, how))
  if (inherits(self, "Functional")) return(clone_functional(self, input_tensors, how))
  given <- c("input_tensors", "clone_function", "call_function")
  given <- given[!c(is.null(input_tensors), is.null(clone_function), is.null(call_function))]
  if (length(given)) {
    birnn_abort("{.arg {given[[1]]}} works with sequential and functional models only: {.val {self$name}} is a
                 {.cls {layer_class_name(model)}}.", kind = "config")
  }
  layer_anew(model)
}

layer_anew <- function(layer) deserialize_keras_object(serialize_keras_object(layer))

# What stands for a layer in the clone. `how`: list(clone, call, recursive), see clone_model().
clone_layer <- function(layer, how, call) {
  is_graph <- inherits(layer, c("birnn_sequential", "birnn_functional"))
  if (is_graph && (how$recursive || is.null(how$clone))) return(clone_inner(layer, how, call))
  if (is.null(how$clone)) return(layer_anew(layer))
  new <- how$clone(layer)
  if (is_layer(new)) return(new)
  birnn_abort(
    c("{.arg clone_function} must return a layer, not {describe_value(new)}.",
      x = "It was called with layer {.val {layer$name}}."), call = call
  )
}

# A model inside a model. A chain has no use for a call_function.
clone_inner <- function(model, how, call) {
  if (!how$recursive) how[c("clone", "call")] <- list(NULL)
  if (inherits(model, "birnn_functional")) return(clone_functional(layer_object(model), NULL, how, call))
  how["call"] <- list(NULL)
  clone_sequential(layer_object(model), NULL, how, call)
}

# --- sequential ---------------------------------------------------------------------------------------------------

clone_sequential <- function(self, input_tensors, how, call = rlang::caller_env()) {
  if (!is.null(how$call)) {
    birnn_abort("{.arg call_function} works with functional models only: the layers of {.val {self$name}} are a chain.",
                kind = "config", call = call)
  }
  layers <- lapply(self$chain, clone_layer, how = how, call = call)
  clone <- Sequential$new(name = self$name, trainable = self$is_trainable)
  model <- new_layer_handle(clone, class(self$handle)[class(self$handle) != "birnn_layer"])
  if (!is.null(input_tensors)) {
    tensor <- check_input_tensors(input_tensors, 1L, call)[[1L]]
    clone$set_input(input_like(tensor))
  } else if (!is.null(self$input_layer)) {
    clone$set_input(input_like(self$input_layer$output), declared = self$declared)
  }
  for (layer in layers) clone$add(layer)
  model
}

# An input layer for tensors such as `tensor`.
input_like <- function(tensor) {
  new_input_layer(tensor_shape(tensor), tensor_dtype(tensor), name = tensor[["history"]]$layer$name)
}

check_input_tensors <- function(tensors, count, call) {
  tensors <- if (is_plain_list(tensors)) flatten_structure(tensors) else list(tensors)
  for (tensor in tensors) check_graph_tensor(tensor, call, "input_tensors")
  if (length(tensors) == count) return(tensors)
  birnn_abort("{.arg input_tensors} must hold {count} tensor{?s}, one for each input of the model, not
               {length(tensors)}.", call = call)
}

# --- functional ---------------------------------------------------------------------------------------------------

clone_functional <- function(self, input_tensors, how, call = rlang::caller_env()) {
  inputs <- flatten_structure(self$input_structure)
  starts <- if (is.null(input_tensors)) {
    lapply(inputs, function(tensor) input_like(tensor)$output)
  } else {
    check_input_tensors(input_tensors, length(inputs), call)
  }
  values <- rlang::set_names(starts, vapply(inputs, tensor_key, ""))
  layers <- list()
  is_input <- vapply(inputs, node_key, "")
  for (node in Filter(function(node) !node$key %in% is_input, self$graph$nodes)) {
    address <- rlang::obj_address(layer_object(node$layer))
    if (is.null(layers[[address]])) layers[[address]] <- clone_node_layer(node$layer, how, call)
    outputs <- call_clone(layers[[address]], node$node, values, how, call)
    values[vapply(node$node$outputs, tensor_key, "")] <- outputs
  }
  structure_of <- function(structure) map_structure(structure, function(tensor) values[[tensor_key(tensor)]])
  ends <- list(inputs = structure_of(self$input_structure), outputs = structure_of(self$output_structure),
               name = self$name, trainable = self$is_trainable)
  if (!is.null(self$definition)) return(new_custom_layer(self$definition, c(ends, self$given), call))
  do.call(Functional$new, c(ends, list(.call = call)), quote = TRUE)$handle
}

# A single op between layers is no layer of the user's.
clone_node_layer <- function(layer, how, call) {
  op <- layer_object(layer)
  if (!inherits(op, "OpLayer")) return(clone_layer(layer, how, call))
  clone <- OpLayer$new(op$op, op$attrs)
  clone$name <- op$name
  new_layer_handle(clone)
}

# The outputs of one call in the clone, as a flat list.
call_clone <- function(layer, node, values, how, call) {
  args <- map_structure(c(node$args, node$kwargs), function(leaf) {
    if (is_graph_tensor(leaf)) values[[tensor_key(leaf)]] else leaf
  })
  fn <- if (inherits(layer_object(layer), "OpLayer")) NULL else how$call
  fn <- fn %||% function(layer, ...) call_layer(layer_object(layer), ...)
  outputs <- flatten_structure(do.call(fn, c(list(layer), args), quote = TRUE))
  if (length(outputs) == length(node$outputs) && all(vapply(outputs, is_graph_tensor, logical(1)))) return(outputs)
  birnn_abort(
    "{.arg call_function} must return {length(node$outputs)} symbolic tensor{?s} for layer {.val {layer$name}}, as the
     layer does.",
    kind = "config", call = call
  )
}
