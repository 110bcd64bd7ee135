# Objects and their configs (level 3): what initializers, losses, optimizers, ... have in common; how an argument such
# as "adam" becomes an object; the Keras schema list(module, class_name, config, registered_name), to and fro.
#
# The registry holds, for each kind and class name, either the exported constructor, whose arguments are the keys of the
# config, or (layers) a list with a function `from_config(config)`. The table is closed: nothing is evaluated by name.

kind_modules <- c(
  initializer = "keras.initializers", regularizer = "keras.regularizers", constraint = "keras.constraints",
  loss = "keras.losses", metric = "keras.metrics", optimizer = "keras.optimizers",
  schedule = "keras.optimizers.schedules", layer = "keras.layers"
)

# The base class of the kinds above but for layers: a Keras class name and the arguments the object was made with.
ConfigObject <- R6::R6Class("ConfigObject",
  cloneable = FALSE, lock_objects = FALSE,
  public = list(
    class_name = NULL,
    config = list(),
    handle = NULL,
    initialize = function(class_name, config = list()) {
      self$class_name <- class_name
      self$config <- config
    },
    get_config = function() shift_axes(self$config, from_r = TRUE)
  )
)

# R counts axes from 1, Keras' configs from 0; negative axes count from the end in both.
shift_axes <- function(config, from_r) {
  axis <- config$axis
  if (is.null(axis)) return(config)
  axis <- unlist(axis)
  config$axis <- as.integer(if (from_r) axis - (axis > 0) else axis + (axis >= 0))
  config
}

# --- arguments that name or are objects ---------------------------------------------------------------------------

# A string, an object, a bare constructor, an R function or a config as an object of `kind`; NULL stays NULL.
# `wrap` makes an object of an R function; NULL: functions are not accepted.
resolve_object <- function(x, kind, wrap = NULL, fold_case = FALSE, call = rlang::caller_env()) {
  if (is.null(x) || inherits(x, paste0("birnn_", kind))) return(x)
  if (is.character(x) && length(x) == 1) return(registered_constructor(x, kind, fold_case, call)())
  if (is_constructor(x, kind) || identical(attr(x, "noun", exact = TRUE), kind)) return(x())
  if (is.function(x) && !is_handle(x) && !is.null(wrap)) return(wrap(x))
  if (is_object_config(x)) return(object_from_config(x, kind, call = call))
  ways <- paste0("a string, ", if (!is.null(wrap)) "a function, ", "or what `", kind, "_*()` returns")
  received <- if (is_handle(x)) format(x) else describe_value(x)
  birnn_abort(c("Could not interpret {kind} identifier: {received}.", i = "Give {ways}."), call = call)
}

registered_constructor <- function(name, kind, fold_case = FALSE, call = rlang::caller_env()) {
  found <- registered(kind, name) %||% if (fold_case) registered(kind, tolower(name))
  if (is.null(found)) abort_unknown_name(name, kind, call)
  found
}

abort_unknown_name <- function(name, kind, call) {
  known <- sort(grep("^[a-z]", registered_names(kind), value = TRUE))
  near <- nearest_name(name, known)
  birnn_abort(
    c("Could not interpret {kind} identifier: {.val {name}}.",
      i = if (is.null(near)) "Known are {.val {in_full(known)}}." else "Did you mean {.val {near}}?"),
    call = call
  )
}

# A constructor given without its parentheses.
is_constructor <- function(x, kind) {
  is.function(x) && !is_handle(x) && any(vapply(lapply(registry[[kind]], resolve_entry), identical, logical(1), x))
}

is_object_config <- function(x) is_plain_list(x) && is.character(x$class_name)

# --- to configs ---------------------------------------------------------------------------------------------------

#' Objects as plain lists, and back
#'
#' Layers, models, initializers, losses, ... as lists in the schema of Keras' files: `module`, `class_name`, `config`
#' and `registered_name`. Built-in activations are written as strings. A function of your own stays a function.
#'
#' @param obj A layer, model, initializer, regularizer, constraint, loss, metric, optimizer, activation, array or
#'   tensor, or a list of such.
#' @param config What `serialize_keras_object()` returned, or the same from a file that Keras wrote.
#' @param custom_objects A named list of what is not part of this package: classes made by [Layer()] (they need no
#'   name in the list), and functions that make other objects, whose arguments are the keys of the config.
#' @param safe_mode Accepted for compatibility. A config is data: it is never evaluated.
#' @param ... Not used.
#' @return `serialize_keras_object()`: a list (numbers, strings and NULL stay what they are).
#'   `deserialize_keras_object()`: the object; an error of class `birnn_error_config` if its class is not known.
#' @source <https://keras.io/api/models/model_saving_apis/serialization_utils/>
#' @family saving
#' @export
#' @examples
#' config <- serialize_keras_object(initializer_orthogonal(gain = 2))
#' deserialize_keras_object(config)
serialize_keras_object <- function(obj) {
  if (is_handle(obj)) return(serialize_handle(obj))
  if (is.function(obj)) return(activation_name(obj) %||% obj)
  if (is_tensor_like(obj)) return(serialize_numbers(as.array(obj), "__tensor__", tensor_dtype(obj)))
  if (is.array(obj) && is.numeric(obj)) return(serialize_numbers(obj, "__numpy__", natural_dtype(obj)))
  if (is_plain_list(obj)) return(map_config(obj, serialize_keras_object))
  obj
}

# A config may know the class it is of: see serialize_custom().
map_config <- function(config, fn) {
  mapped <- lapply(config, fn)
  attr(mapped, "of_class") <- attr(config, "of_class", exact = TRUE)
  mapped
}

handle_kind <- function(handle) sub("^birnn_", "", intersect(class(handle), paste0("birnn_", names(kind_modules))))[[1]]

serialize_handle <- function(handle) {
  if (is.null(handle$class_name) && is.function(handle$fn)) return(handle$fn)
  kind <- handle_kind(handle)
  config <- handle$get_config()
  parts <- list(
    module = handle$module %||% kind_modules[[kind]],
    class_name = handle$class_name %||% class(handle_object(handle))[[1]],
    config = if (length(config) == 0) rlang::set_names(list(), character()) else serialize_keras_object(config),
    registered_name = handle$registered_name
  )
  if (is.function(handle$get_build_config)) parts$build_config <- handle$get_build_config()
  if (is.function(handle$get_compile_config)) parts$compile_config <- handle$get_compile_config()
  as_custom_parts(parts, handle_object(handle)$definition$constructor)
}

# Users' classes belong to no module of Keras. In memory the config knows its class; in a file it has the name alone.
as_custom_parts <- function(parts, constructor) {
  if (is.null(constructor)) return(parts)
  parts["module"] <- list(NULL)
  parts$class_name <- class_name_of(constructor)
  parts$registered_name <- get_registered_name(constructor)
  structure(parts, of_class = constructor)
}

# Row by row, as nested lists: so JSON shows an array.
serialize_numbers <- function(x, class_name, dtype) {
  list(class_name = class_name, config = list(value = nested_rows(x), dtype = dtype))
}

nested_rows <- function(x) {
  if (length(dim(x)) < 2) return(as.list(as.vector(x)))
  lapply(seq_len(dim(x)[[1]]), function(i) {
    row <- array(x[slice.index(x, 1) == i], dim(x)[-1])
    nested_rows(row)
  })
}

# --- from configs -------------------------------------------------------------------------------------------------

#' @rdname serialize_keras_object
#' @export
deserialize_keras_object <- function(config, custom_objects = NULL, safe_mode = TRUE, ...) {
  with_custom_objects(custom_objects, {
    if (is_object_config(config)) object_from_config(config)
    else if (is_plain_list(config)) lapply(config, deserialize_keras_object)
    else config
  })
}

# `kind`: where to look if the config names no module; NULL: in all kinds.
object_from_config <- function(config, kind = NULL, call = rlang::caller_env()) {
  if (running$config_depth >= deepest_config) {
    birnn_abort("Objects in a config can be nested {deepest_config} deep, not deeper.", kind = "config", call = call)
  }
  with_running(list(config_depth = running$config_depth + 1L), decoded_object(config, kind, call))
}

# R's stack is finite.
deepest_config <- 16L
running$config_depth <- 0L

decoded_object <- function(config, kind, call) {
  check_object_config(config, call)
  name <- config$class_name
  if (name %in% c("__numpy__", "__tensor__")) return(numbers_from_config(config))
  if (name == "DTypePolicy") return(config$config$name)
  if (name == "function") return(function_from_config(config))
  entry <- custom_entry(config) %||% registered_entry(config$module, name, kind)
  if (is.null(entry)) abort_unknown_class(config, call)
  check_kind(object_of_class(entry, config$config), kind, name, call)
}

check_object_config <- function(config, call) {
  is_text <- function(x) is.null(x) || is.character(x) && length(x) == 1 && !is.na(x)
  is_function <- identical(config$class_name, "function")
  valid <- is_text(config$class_name) && is_text(config$module) && is_text(config$registered_name) &&
    (is_function || is.null(config$config) || is_plain_list(config$config))
  if (valid) return(invisible())
  birnn_abort(
    "In a config, {.field module}, {.field class_name} and {.field registered_name} must be strings and {.field config} a
     list.",
    kind = "config", call = call
  )
}

is_keras_module <- function(module) is.character(module) && grepl("^(tf_)?keras([.]|$)", module)

# The class of a user: the one that a config in memory knows, or one found by its full name ("package>Name") or the name
# of the class. Classes of Keras that were not registered by anybody are never looked up among them.
custom_entry <- function(config) {
  known <- attr(config, "of_class", exact = TRUE)
  if (!is.null(known) || is.null(config$registered_name) && is_keras_module(config$module)) return(known)
  names <- c(config$registered_name, sub("^.*>", "", config$registered_name %||% config$class_name))
  find_custom_object(names)
}

# `entry`: a list with from_config(), a class made by Layer(), or the constructor of other objects.
object_of_class <- function(entry, config) {
  if (!is.function(entry)) return(entry$from_config(config))
  make <- attr(entry, "from_config", exact = TRUE)
  if (is.null(make)) construct_from_config(entry, config) else make(config)
}

registered_entry <- function(module, class_name, kind) {
  # Configs of Keras 2 name no modules; those that do name one of Keras.
  if (!is.null(module) && !is_keras_module(module)) return(NULL)
  kinds <- names(kind_modules)[kind_modules %in% module]
  if (length(kinds) == 0) kinds <- kind %||% names(kind_modules)
  for (kind in kinds) {
    entry <- registered(kind, class_name)
    if (!is.null(entry)) return(entry)
  }
}

check_kind <- function(object, kind, class_name, call) {
  if (is.null(kind) || inherits(object, paste0("birnn_", kind))) return(object)
  birnn_abort("The config of class {.val {class_name}} is not that of the {kind} that is needed.", kind = "config",
              call = call)
}

abort_unknown_class <- function(config, call) {
  near <- nearest_name(config$class_name, unlist(lapply(names(kind_modules), registered_names)))
  birnn_abort(
    c("There is no class {.val {config$class_name}} of module {.val {config$module %||% ''}}.",
      i = if (!is.null(near)) "Did you mean {.val {near}}?",
      i = "Classes of your own come in {.arg custom_objects}."),
    kind = "config", call = call
  )
}

# The constructor's arguments are the keys of the config. Newer versions of Keras write keys that are not known here.
construct_from_config <- function(constructor, config) {
  known <- setdiff(names(formals(constructor)), "...")
  unknown <- setdiff(names(compact(config)), known)
  if (length(unknown) > 0 && !"..." %in% names(formals(constructor))) {
    birnn_warn("The config has the unknown {cli::qty(unknown)}key{?s} {.val {unknown}}; left out.", kind = "config")
  }
  args <- lapply(config[intersect(names(config), known)], deserialize_keras_object)
  do.call(constructor, shift_axes(args, from_r = FALSE), quote = TRUE)
}

# Python functions are written by name. Built-in ones are found by that name later, where they are used.
function_from_config <- function(config) {
  full <- config$registered_name %||% config$config
  name <- sub("^.*>", "", full)
  find_custom_object(c(full, name)) %||% name
}

numbers_from_config <- function(config) {
  values <- config$config$value
  sizes <- integer()
  level <- values
  while (is.list(level)) {
    sizes <- c(sizes, length(level))
    level <- if (length(level)) level[[1]]
  }
  numbers <- unlist(values)
  if (length(sizes) == 0) sizes <- length(numbers)
  if (!(is.numeric(numbers) || is.logical(numbers)) || length(numbers) != prod(sizes)) {
    birnn_abort("An array in a config must be nested lists of numbers, of one length at each level.", kind = "config",
                call = NULL)
  }
  x <- aperm(array(numbers, rev(sizes)), rev(seq_along(sizes)))
  if (config$class_name == "__tensor__") as_tensor(x, config$config$dtype) else x
}
