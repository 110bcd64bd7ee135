# Layers from classes, as packages on top of keras3 make them (level 4).

#' Layers from classes
#'
#' `create_layer()` makes a layer of a class and combines it with `object`; `create_layer_wrapper()` makes a `layer_*`
#' function of a class. Classes made by [Layer()] are such functions already.
#'
#' @param layer_class,Layer What [Layer()] returned, a `layer_*` function, an R6 class, or the name of a class of Keras
#'   such as `"LSTM"`.
#' @param object What to compose the layer with: missing or `NULL`, a sequential model, or a tensor.
#' @param args A named list of the arguments of the class.
#' @param modifiers A named list of functions that arguments go through first, such as `list(units = as.integer)`.
#' @param convert Without effect.
#' @return `create_layer()`: the layer; for a sequential model the model, longer; for a tensor the output.
#'   `create_layer_wrapper()`: a function with `object` and the arguments of the class.
#' @family layer methods
#' @export
#' @examples
#' create_layer("Dense", args = list(units = 3))
#' layer_narrow <- create_layer_wrapper(layer_dense, modifiers = list(units = \(n) n / 2))
#' layer_narrow(units = 8)$units
create_layer <- function(layer_class, object, args = list()) {
  call <- rlang::caller_env()
  # `object` comes first, so that automatic names follow the reading order of a pipe.
  if (!missing(object)) force(object)
  layer <- new_layer(class_to_create(layer_class, call), args, call)
  compose_layer(object, layer, .call = call)
}

# A name, or the definition of a user's class.
class_to_create <- function(x, call) {
  if (is.character(x) || is.environment(x) && !inherits(x, "R6ClassGenerator")) return(x)
  if (is_layer(x) || !is.function(x) && !inherits(x, "R6ClassGenerator")) {
    stop_not("a class made by Layer(), a layer_*() function, an R6 class or a name", x, "layer_class", call)
  }
  origin <- class_origin(x, call)
  origin$parent %||% origin$base$classname
}

#' @rdname create_layer
#' @export
create_layer_wrapper <- function(Layer, modifiers = NULL, convert = TRUE) { # nolint: object_name_linter. Keras' name.
  class <- class_to_create(Layer, rlang::current_env())
  constructor <- if (is.environment(class)) class$constructor else registered("layer", class)$constructor
  if (length(modifiers) == 0) return(constructor)
  wrapper <- function() {
    args <- capture_args(first)
    for (name in intersect(names(args), names(modifiers))) args[name] <- list(modifiers[[name]](args[[name]]))
    create_layer(class, if (!eval(call("missing", as.name(first)))) get(first), args)
  }
  formals(wrapper) <- formals(constructor)
  first <- names(formals(constructor))[[1]]
  wrapper
}
