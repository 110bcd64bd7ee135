# get_config() and from_config() as functions (level 4).

#' The arguments that make an object, and the object they make
#'
#' `get_config()` returns the arguments that a layer, model, initializer, regularizer, constraint, loss, metric or
#' optimizer was made with, as a list in the terms of Keras' files. `from_config()` makes a new object of them, with
#' fresh weights.
#'
#' The list knows what kind of object it is of (in its attribute `__class__`), as long as it stays in memory. For files
#' see [serialize_keras_object()], which writes the class as well.
#'
#' @param object A layer, model, initializer, ...
#' @param config What `get_config()` returned.
#' @param custom_objects Classes made by [Layer()] and functions that layers inside need, see
#'   [deserialize_keras_object()].
#' @return `get_config()`: a named list. `from_config()`: an object of the same class.
#' @source <https://keras.io/api/models/model_saving_apis/serialization_utils/>
#' @family layer methods
#' @export
#' @examples
#' config <- get_config(layer_dense(units = 2, activation = "tanh"))
#' config$units <- 3
#' from_config(config)
get_config <- function(object) {
  if (!(is_layer(object) || is_handle(object)) || !is.function(object$get_config)) {
    stop_not("a layer, model, initializer, loss or another object of this package", object, "object",
             rlang::current_env())
  }
  config <- object$get_config()
  attr(config, "__class__") <- class_reference(object)
  config
}

# A class that Layer() made, or the place of a class in the registry.
class_reference <- function(object) {
  self <- handle_object(object)
  if (!is.null(self$definition)) return(self$definition$constructor)
  kind <- handle_kind(object)
  structure(list(kind = kind, name = self$class_name %||% class(self)[[1]]), class = "birnn_class_reference")
}

#' @export
format.birnn_class_reference <- function(x, ...) paste0("<", x$kind, " class ", x$name, ">")

#' @export
print.birnn_class_reference <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @export
str.birnn_class_reference <- function(object, ...) cat(" ", format(object), "\n", sep = "")

#' @rdname get_config
#' @export
from_config <- function(config, custom_objects = NULL) {
  reference <- attr(config, "__class__", exact = TRUE)
  if (is.null(reference)) {
    birnn_abort(
      c("{.arg config} must be what {.fn get_config} returned, which knows its class.",
        i = "Lists with {.field class_name} and {.field config} are for {.fn deserialize_keras_object}."),
      kind = "config"
    )
  }
  attr(config, "__class__") <- NULL
  entry <- if (is.function(reference)) reference else registered(reference$kind, reference$name)
  with_custom_objects(custom_objects, object_of_class(entry, config))
}
