# The one table of named things: layers, initializers, losses, ... by kind and Keras class name (level 0).

registry <- new.env(parent = emptyenv())

# Adds `value` under its Keras class name and further spellings ("glorot_uniform", "mse", ...).
register_object <- function(kind, class_name, value, aliases = character()) {
  table <- registry[[kind]] %||% list()
  for (name in c(class_name, aliases)) table[[name]] <- value
  registry[[kind]] <- table
  invisible(value)
}

registered <- function(kind, name) {
  registry[[kind]][[name, exact = TRUE]]
}

registered_names <- function(kind) names(registry[[kind]])
