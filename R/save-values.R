# Values of R as data: what callbacks keep, as lists for JSON, with tensors in a list beside them (level 8).
#
# Plain values become list(type, values, attributes), NULL becomes list(type = "NULL"). Nothing else can be written:
# functions, environments and objects made of them stay where they are. Reading makes values and never calls anything.

plain_types <- c("logical", "integer", "double", "character", "list")
# Longer vectors of numbers are tensors.
longest_plain <- 1000L

is_plain_value <- function(x) {
  if (is.null(x) || is_tensor(x)) return(TRUE)
  if (!typeof(x) %in% plain_types || isS4(x)) return(FALSE)
  attributes_are_plain <- all(vapply(attributes(x), is_plain_value, NA))
  attributes_are_plain && (typeof(x) != "list" || all(vapply(unclass(x), is_plain_value, NA)))
}

# `tensors`: an environment with the list `all`, to which tensors are added.
encode_value <- function(x, tensors) {
  if (is.null(x)) return(list(type = "NULL"))
  if (is_tensor(x)) return(list(type = "tensor", values = keep_tensor(x, tensors)))
  coded <- list(type = typeof(x))
  bare <- unname(unclass(x))
  attributes(bare) <- NULL
  as_numbers <- is.numeric(bare) && length(bare) > longest_plain
  if (as_numbers) coded$tensor <- keep_tensor(as_tensor(bare, "float64"), tensors)
  else coded$values <- if (is.list(bare)) lapply(bare, encode_value, tensors) else I(bare)
  if (length(attributes(x))) coded$attributes <- lapply(attributes(x), encode_value, tensors)
  coded
}

keep_tensor <- function(x, tensors) {
  tensors$all <- c(tensors$all, list(x))
  length(tensors$all)
}

# `tensor_at(k)`: tensor number k.
decode_value <- function(coded, tensor_at) {
  type <- coded$type
  if (!is_string(type) || !type %in% c("NULL", "tensor", plain_types)) abort_damaged("a value of no known type")
  if (type == "NULL") return(NULL)
  if (type == "tensor") return(tensor_at(coded$values))
  x <- if (type == "list") lapply(coded$values, decode_value, tensor_at)
  else if (!is.null(coded$tensor)) as.vector(as.array(tensor_at(coded$tensor)), type)
  else decode_vector(coded$values, type)
  if (length(coded$attributes)) attributes(x) <- lapply(coded$attributes, decode_value, tensor_at)
  x
}

# JSON has one kind of number, and null stands for NA.
decode_vector <- function(values, type) {
  accepted <- switch(type, logical = is.logical, character = is.character, is.numeric)
  fits <- vapply(values, function(value) is.null(value) || length(value) == 1L && accepted(value), NA)
  if (!all(fits)) abort_damaged("a value of the wrong type")
  values[vapply(values, is.null, NA)] <- NA
  as.vector(unlist(values), type) %||% vector(type, 0L)
}

abort_damaged <- function(what, call = NULL) abort_file("The file is damaged: it has {what}.", call = call)

# --- fields of objects --------------------------------------------------------------------------------------------

# Environments with the fields of a callback: its own, those of the object that it calls, and private ones.
field_homes <- function(callback) {
  home <- callback$object
  if (!inherits(callback, "AdoptedCallback")) home <- callback
  homes <- list(home)
  enclosure <- home$.__enclos_env__
  while (is.environment(enclosure)) {
    if (is.environment(enclosure$private)) homes <- c(homes, list(enclosure$private))
    enclosure <- if (is.environment(enclosure$super)) enclosure$super$.__enclos_env__
  }
  unique(homes)
}

plain_fields <- function(home) {
  names <- setdiff(sort(ls(home, all.names = TRUE), method = "radix"), c(".__enclos_env__", "model", "params", "run"))
  names <- Filter(function(name) !bindingIsActive(name, home), names)
  values <- mget(names, envir = home)
  values[vapply(values, is_plain_value, NA)]
}

restore_fields <- function(home, values) {
  for (name in names(values)) {
    is_there <- exists(name, envir = home, inherits = FALSE)
    if (is_there && (bindingIsActive(name, home) || is.function(home[[name]]))) next
    if (!is_there && environmentIsLocked(home)) next
    assign(name, values[[name]], envir = home)
  }
}
