# Classes and functions of users that configs may name (level 3): given to a call, for a while, or registered.

# Those of the calls and scopes that are running, innermost first.
running$custom_objects <- list()
# Those registered for the session: full name -> object.
session$custom_objects <- list()

with_custom_objects <- function(objects, code) {
  if (length(objects) == 0L) return(code)
  objects <- named_by_class(if (is.list(objects)) objects else list(objects))
  with_running(list(custom_objects = c(objects, running$custom_objects)), code)
}

# Classes know their names.
named_by_class <- function(objects, call = rlang::caller_env()) {
  names <- rlang::names2(objects)
  for (k in which(!nzchar(names))) names[[k]] <- class_name_of(objects[[k]]) %||% ""
  if (all(nzchar(names))) return(rlang::set_names(objects, names))
  birnn_abort("{.arg custom_objects} must be a named list: number {which(!nzchar(names))[[1]]} has no name.", call = call)
}

class_name_of <- function(object) attr(object, "class_name", exact = TRUE)

# The first object under one of these names, letter by letter; NULL if there is none.
find_custom_object <- function(names, objects = NULL) {
  for (table in list(objects, running$custom_objects, session$custom_objects)) {
    for (name in names) if (name %in% names(table)) return(table[[name, exact = TRUE]])
  }
}

#' Classes and functions of your own in files
#'
#' Files and configs name the classes that layers, losses, ... are made of. Those of Keras are known; what you defined
#' yourself has to be told: in the argument `custom_objects` of [load_model()] and its kin, for a while by
#' `with_custom_object_scope()`, or for the session by `register_keras_serializable()`. Only these are looked up, by
#' their exact names: a name in a file never reaches any other function.
#'
#' @param object A class made by [Layer()], or a function: one that makes an object from the keys of its config, a loss,
#'   a metric or an activation.
#' @param name The name of the object; by default that of the class, or what the expression is called.
#' @param package The first part of the full name, `"package>name"`.
#' @param obj A class or function.
#' @param custom_objects,module_objects Named lists to look in first, and last.
#' @param objects A named list; classes made by [Layer()] need no name.
#' @param expr Code that runs while `objects` are known.
#' @param clear Whether to forget what was registered before.
#' @return `register_keras_serializable()`: `object`, invisibly. `get_registered_name()`: the full name of a registered
#'   object, otherwise its own. `get_registered_object()`: the object, or `NULL`. `with_custom_object_scope()`: the value
#'   of `expr`. `get_custom_objects()`: a named list. `set_custom_objects()`: what was registered before, invisibly.
#' @source <https://keras.io/api/models/model_saving_apis/serialization_utils/>
#' @family saving
#' @export
#' @examples
#' layer_double <- Layer("Double", call = function(inputs) 2 * inputs)
#' config <- serialize_keras_object(keras_model_sequential(input_shape = 3) |> layer_double())
#' with_custom_object_scope(list(layer_double), deserialize_keras_object(config))
#'
#' register_keras_serializable(layer_double, package = "examples")
#' get_registered_name(layer_double)
#' set_custom_objects()
register_keras_serializable <- function(object, name = NULL, package = NULL) {
  if (!is.function(object)) stop_not("a function or class", object, "object", rlang::current_env())
  expression <- substitute(object)
  name <- check_string(name, allow_null = TRUE) %||% class_name_of(object) %||% if (is.name(expression)) deparse(expression)
  if (is.null(name)) birnn_abort("{.arg name} must be given for an object that has none.")
  full <- paste0(check_string(package, allow_null = TRUE) %||% "Custom", ">", name)
  session$custom_objects[[full]] <- object
  invisible(object)
}

#' @rdname register_keras_serializable
#' @export
get_registered_name <- function(obj) {
  for (name in names(session$custom_objects)) if (identical(session$custom_objects[[name]], obj)) return(name)
  class_name_of(obj) %||% obj$name
}

#' @rdname register_keras_serializable
#' @export
get_registered_object <- function(name, custom_objects = NULL, module_objects = NULL) {
  name <- check_string(name)
  find_custom_object(name, custom_objects) %||% if (name %in% names(module_objects)) module_objects[[name]]
}

#' @rdname register_keras_serializable
#' @export
with_custom_object_scope <- function(objects, expr) with_custom_objects(objects, expr)

#' @rdname register_keras_serializable
#' @export
get_custom_objects <- function() session$custom_objects

#' @rdname register_keras_serializable
#' @export
set_custom_objects <- function(objects = named_list(), clear = TRUE) {
  before <- session$custom_objects
  if (check_flag(clear)) session$custom_objects <- list()
  objects <- named_by_class(objects)
  session$custom_objects[names(objects)] <- objects
  invisible(before)
}
