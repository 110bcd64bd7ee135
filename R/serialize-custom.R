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
  birnn_abort("{.arg custom_objects} must be a named list: number {which(!nzchar(names))[[1]]} has no name.",
              call = call)
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
#'   object, otherwise its own. `get_registered_object()`: the object, or `NULL`. `with_custom_object_scope()`: the
#'   value of `expr`. `get_custom_objects()`: a named list. `set_custom_objects()`: what was registered before,
#'   invisibly.
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
  registered_function_name(obj) %||% class_name_of(obj) %||% if (!is.function(obj) || is_handle(obj)) obj$name
}

registered_function_name <- function(fn) {
  for (table in list(running$custom_objects, session$custom_objects)) {
    for (name in names(table)) if (identical(table[[name]], fn)) return(name)
  }
}

# A function of the user's is written by its registered name alone; NULL if it has none.
function_config <- function(fn) {
  name <- registered_function_name(fn)
  if (!is.null(name)) named_function_config(name)
}

named_function_config <- function(name) {
  list(module = NULL, class_name = "function", config = sub("^.*>", "", name), registered_name = name)
}

abort_nameless_function <- function(what) {
  birnn_abort(
    c("{what} has no name under which it could be saved.",
      i = "Give it one with {.fn register_keras_serializable}."),
    kind = "config", call = NULL
  )
}

# A config for a file: functions in it are written by their names. `key`, `owner`: where it stands, for the message.
config_with_names <- function(config, key = "function", owner = NULL) {
  if (is.function(config)) {
    named <- function_config(config)
    if (is.null(named)) {
      abort_nameless_function(paste0("The R function given as `", key, "`", if (!is.null(owner)) paste(" of", owner)))
    }
    return(named)
  }
  if (!is_plain_list(config)) return(config)
  if (is.character(config$class_name)) owner <- name_in_config(config) %||% owner
  keys <- rlang::names2(config)
  mapped <- Map(function(value, k) config_with_names(value, if (nzchar(k)) k else key, owner), config, keys)
  attributes(mapped) <- attributes(config)
  mapped
}

name_in_config <- function(config) {
  name <- if (is_plain_list(config$config)) config$config$name
  if (is_string(name)) paste0("layer \"", name, "\"")
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
