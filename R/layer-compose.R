# From the arguments of layer_*() to a layer, an output or a longer model (level 4).

# The arguments a layer_*() function was given, without its first one, `input`: only those that were typed, so that the
# formals stay the only place with defaults. Empty arguments, as in layer_dense(, 3, ), count as not given.
# `unnamed = TRUE`: arguments in `...` may come without a name.
capture_args <- function(input = "object", unnamed = FALSE) {
  frame <- parent.frame()
  formal <- as.character(setdiff(names(formals(sys.function(sys.parent()))), c(input, "...")))
  typed <- Filter(function(name) !eval(call("missing", as.name(name)), frame), formal)
  args <- lapply(rlang::set_names(typed), function(name) list(get(name, envir = frame)))
  dots <- if (exists("...", envir = frame, inherits = FALSE)) {
    eval(quote(rlang::dots_list(..., .ignore_empty = "all", .homonyms = "keep")), frame)
  }
  if (!unnamed) check_named(dots, call = frame)
  check_given_once(c(typed, names(dots)[nzchar(names(dots))]), frame)
  names(args) <- spelled_names(typed, names(sys.call(sys.parent())))
  c(lapply(args, `[[`, 1L), dots)
}

# R completes abbreviated argument names by itself. They are handed on as they were written, and found unknown.
spelled_names <- function(formal, written) {
  abbreviated <- written[nzchar(written) & !written %in% formal]
  for (name in abbreviated) formal[startsWith(formal, name)] <- name
  formal
}

check_given_once <- function(names, call) {
  twice <- names[duplicated(names)]
  if (length(twice) > 0) birnn_abort("The argument {.arg {twice[[1]]}} is given twice.", call = call)
}

# The one place that asks what `object` is. Nothing: the layer itself. A sequential model: the model, longer, invisibly.
# Anything else is taken as input: the output of the layer.
compose_layer <- function(object, layer, ..., .is_call = FALSE, .call = NULL) {
  if (missing(object) || is.null(object)) {
    if (!.is_call) return(layer)
    birnn_abort("{.val {layer$name}} must be called on a tensor, an array or a {.fn keras_input}.", call = .call)
  }
  if (inherits(object, "birnn_sequential") && ...length() == 0L) {
    object$add(layer)
    return(invisible(object))
  }
  if (is_layer(object)) abort_layer_as_input(object, layer, .call)
  call_layer(layer_object(layer), object, ...)
}

abort_layer_as_input <- function(object, layer, call) {
  what <- if (inherits(object, "birnn_model")) "a functional model" else "a layer"
  hint <- if (inherits(object, "birnn_model")) {
    "Use its output, {.code object$output}, or put both into {.fn keras_model_sequential}."
  } else {
    "Call it on a tensor first, or put both layers into {.fn keras_model_sequential}."
  }
  birnn_abort(
    c("{.arg object} must be a tensor, an array or a sequential model, not {what}.",
      x = "Received {.cls {layer_class_name(object)}} {.val {object$name}} as the input of {.val {layer$name}}.",
      i = hint),
    call = call
  )
}

# A layer class and its layer_*() function, under the Keras name of the class. Stands on the last line of its file.
register_layer <- function(generator, constructor) {
  entry <- list(
    generator = substitute(generator), constructor = substitute(constructor), what = deparse(substitute(constructor)),
    from_config = config_reader(generator$classname)
  )
  register_object("layer", generator$classname, entry)
}

config_reader <- function(class_name) {
  force(class_name)
  function(config) layer_from_config(class_name, config)
}

# The registered entry of an object's class or its nearest ancestor.
layer_entry <- function(self) {
  for (name in class(self)) {
    entry <- registered("layer", name)
    if (!is.null(entry)) return(entry)
  }
}

# A layer of a registered class, or of a user's (its definition), as a handle. `args`: named values; the rest are
# defaults.
new_layer <- function(class_name, args = list(), call = rlang::caller_env()) {
  if (is.environment(class_name)) return(new_custom_layer(class_name, args, call))
  entry <- registered("layer", class_name)
  if (is.null(entry)) {
    near <- nearest_name(class_name, registered_names("layer"))
    birnn_abort(
      c("There is no layer class {.val {class_name}}.", i = if (!is.null(near)) "Did you mean {.val {near}}?"),
      kind = "config", call = call
    )
  }
  do.call(entry$generator$new, c(args, list(.call = call)), quote = TRUE)$handle
}

# A layer from what its get_config() gave, with fresh weights.
layer_from_config <- function(class_name, config, call = rlang::caller_env()) {
  entry <- registered("layer", class_name)
  table <- full_table(class_arguments(entry$generator))
  new_layer(class_name, config_arguments(table, config), call)
}

# The argument table of a class: its own, or that of its nearest ancestor that has one.
class_arguments <- function(generator) {
  own <- generator$public_fields$arguments
  parent <- if (is.null(own)) generator$get_inherit()
  if (is.null(parent)) own else class_arguments(parent)
}

# A layer given as an argument of another layer: a handle, or its serialized form in a config.
as_layer_argument <- function(x) {
  if (is_plain_list(x) && is.character(x$class_name)) deserialize_keras_object(x) else x
}
