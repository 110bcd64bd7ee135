# Users' classes that start from a metric, a loss, a callback, ... of birnn (level 0).
#
# `inherit = metric_mean` names the function that makes such objects. Below the user's class lies a root whose
# initialize() takes the arguments of that function and calls it. The object it makes lends all it has: its fields move
# to the user's object, and its methods run with that object as their `self`.

# Whether `x` is one of the functions that make objects of this kind: metric_mean(), loss_huber(), ...
is_built_in <- function(x, kind) {
  if (is.null(kind$base) || !is.function(x) || is_handle(x)) return(FALSE)
  package <- topenv()
  names <- ls(package, pattern = paste0("^", kind$noun, "_"))
  any(vapply(names, function(name) identical(get(name, envir = package), x), NA))
}

built_in_root <- function(kind, constructor) {
  do.call(R6::R6Class, list(
    classname = paste0("Own", kind$noun), inherit = kind$root, lock_objects = FALSE, cloneable = FALSE,
    parent_env = list2env(list(constructor = constructor, kind = kind), parent = topenv()),
    public = list(initialize = function(...) borrow(self, constructor(...), kind))
  ))
}

# What comes from `kind$base` the user's object has anyway.
borrow <- function(self, lender, kind) {
  if (is_handle(lender)) lender <- handle_object(lender)
  enclosures <- enclosures_of(lender)
  for (enclosure in enclosures) enclosure$self <- self
  special <- utils::head(enclosures, length(enclosures) - length(ancestors_of(kind$base)))
  for (name in setdiff(names(lender), c("initialize", ".__enclos_env__", "class_name", kind$taken))) {
    value <- get(name, envir = lender)
    is_method <- is.function(value) && bindingIsLocked(name, lender)
    if (!is_method) assign(name, value, envir = self)
    else if (is_among(environment(value), special)) lend_method(self, name, value)
  }
  invisible(self)
}

# At every level above that has no method of the user's by this name: for `self` and for all `super`.
lend_method <- function(self, name, method) {
  levels <- self$.levels
  own <- lapply(utils::head(levels, -1L), function(level) level$.__enclos_env__)
  for (level in levels) {
    known <- get0(name, envir = level, inherits = FALSE)
    if (is.function(known) && is_among(environment(known), own)) next
    if (!is.null(known)) rm(list = name, envir = level)   # it is locked
    assign(name, method, envir = level)
  }
}

# The surroundings of an object's methods, one for each class from its own to the oldest.
enclosures_of <- function(object) {
  enclosure <- object$.__enclos_env__
  found <- list(enclosure)
  while (!is.null(enclosure$super)) {
    enclosure <- enclosure$super$.__enclos_env__
    found <- c(found, list(enclosure))
  }
  found
}

ancestors_of <- function(generator) {
  found <- list()
  while (!is.null(generator)) {
    found <- c(found, list(generator))
    generator <- generator$get_inherit()
  }
  found
}

is_among <- function(x, list) any(vapply(list, identical, NA, x))
