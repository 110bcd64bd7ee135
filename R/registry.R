# The one table of named things: layers, initializers, losses, ... by kind and Keras class name (level 0).

registry <- new.env(parent = emptyenv())

# Adds `value` under its Keras class name and further spellings ("glorot_uniform", "mse", ...). A symbol, here or in a
# list, stands for an object of this package: the table itself then stays small, and R loads only what is looked up.
register_object <- function(kind, class_name, value, aliases = character()) {
  table <- registry[[kind]] %||% list()
  for (name in c(class_name, aliases)) table[[name]] <- value
  registry[[kind]] <- table
  invisible(value)
}

registered <- function(kind, name) resolve_entry(registry[[kind]][[name, exact = TRUE]])

resolve_entry <- function(entry) {
  if (is.name(entry)) return(get(entry, envir = topenv()))
  if (is.list(entry)) lapply(entry, resolve_entry) else entry
}

is_registered <- function(kind, name) is.character(name) && !is.null(registry[[kind]][[name, exact = TRUE]])

registered_names <- function(kind) names(registry[[kind]])
