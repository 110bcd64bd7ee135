# What a class of layers written by a user is, and where it comes from (level 4).
#
# A class is a chain of R6 classes, from the one of birnn up to what objects are made of:
#   base (BaseLayer, Dense, ...) <- bridge <- the class of each Layer() call, oldest first <- leaf
# The bridge adds what birnn needs below the users' methods, the leaf what it needs above them.

# `base`: R6 class of birnn that the class goes back to; `parent`: the definition it inherits from, or NULL.
# The definition is an environment with besides these
#   generator, leaf: R6 classes; constructor: what Layer() returns; private: names of private members
#   methods:         names of the methods that users defined, here or in an ancestor
#   formals:         the arguments of initialize(), NULL if no user defined it
define_class <- function(name, members, private, base, parent, parent_env) {
  definition <- rlang::env(
    name = name, base = base, parent = parent,
    methods = union(parent$methods, names(Filter(is.function, members))),
    formals = if (is.function(members$initialize)) as.list(formals(members$initialize)) else parent$formals
  )
  is_active <- vapply(members, inherits, logical(1), "birnn_active_property")
  definition$generator <- do.call(R6::R6Class, list(
    classname = paste0(custom_prefix, name), public = members[!is_active], private = private,
    active = lapply(members[is_active], unclass), inherit = parent$generator %||% bridge_class(base),
    lock_objects = FALSE, cloneable = FALSE, parent_env = parent_env
  ))
  definition$leaf <- leaf_class(definition)
  definition$constructor <- class_constructor(definition)
  definition
}

# Keeps the names of users' classes apart from those of birnn in class(): a user may call a class "LSTM".
custom_prefix <- "Custom>"

# --- where a class comes from -------------------------------------------------------------------------------------

# list(base, parent) for what `inherit` names.
class_origin <- function(inherit, call) {
  if (is.null(inherit) || identical(inherit, Layer)) return(list(base = BaseLayer))
  definition <- attr(inherit, "definition", exact = TRUE)
  if (!is.null(definition) && !is_model_class(definition$base)) {
    return(list(base = definition$base, parent = definition))
  }
  if (inherits(inherit, "R6ClassGenerator")) return(r6_origin(inherit, call))
  entry <- if (is.function(inherit) && !is_layer(inherit)) constructor_entry(inherit)
  if (!is.null(entry) && !is_model_class(entry$generator)) return(list(base = entry$generator))
  hint <- if (is_layer(inherit)) "Give the function that makes the layer, without parentheses: {.code inherit = layer_dense}."
  birnn_abort(
    c("{.arg inherit} must be what {.fn Layer} returned, a {.code layer_*} function, an R6 class or NULL, not
       {describe_value(inherit)}.", i = hint),
    kind = "type", call = call
  )
}

constructor_entry <- function(constructor) {
  for (entry in registry$layer) if (identical(resolve_entry(entry$constructor), constructor)) return(resolve_entry(entry))
}

is_model_class <- function(generator) {
  while (!is.null(generator)) {
    if (identical(generator$classname, "Model")) return(TRUE)
    generator <- generator$get_inherit()
  }
  FALSE
}

# R6 classes that know nothing of layers become classes as if Layer() had been called for each.
r6_origin <- function(generator, call) {
  if (is_layer_generator(generator)) return(list(base = generator))
  origin <- class_origin(generator$get_inherit(), call)
  members <- c(generator$public_methods, generator$public_fields, lapply(generator$active, active_property))
  members$clone <- NULL
  private <- c(generator$private_methods, generator$private_fields)
  check_members(members, private, call)
  list(base = origin$base, parent = define_class(
    generator$classname %||% "Layer", members, private, origin$base, origin$parent, generator$parent_env
  ))
}

is_layer_generator <- function(generator) {
  while (!is.null(generator)) {
    if (identical(generator, BaseLayer)) return(TRUE)
    generator <- generator$get_inherit()
  }
  FALSE
}
