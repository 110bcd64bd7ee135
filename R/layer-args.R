# Argument tables: a layer declares each of its arguments once, with how a value is checked, kept and saved (level 4).
#
# The formals of layer_*() hold the defaults, and the only ones. A table is a named list of argument(); constructing,
# get_config() and from_config() are generic over it.

# A value as it stands in a config: objects as lists with their class and config, the rest as it is.
config_value <- function(x) {
  if (is.null(x) || is.atomic(x)) return(x)
  if (is_handle(x)) return(serialize_keras_object(x))
  if (is.function(x)) return(activation_name(x) %||% x)
  if (is_plain_list(x)) return(map_config(x, config_value))
  if (inherits(x, "keras_shape")) return(as.list(x))
  if (is_tensor_like(x)) return(as.array(x))
  x
}

# Sizes as in a config: a list in JSON also if there is only one.
config_sizes <- function(sizes) if (length(sizes) == 1) I(sizes) else sizes

# coerce(x, arg, call): the checked value that the layer keeps, in its field `field` (NULL: the argument's own name).
# save(value): its form in get_config(); save = NULL: not part of the config. load(saved): what coerce() takes.
# default: list(value), for arguments that come through `...`. hint: added to the error when the argument is missing.
# key: what Keras calls it in configs (NULL: as here).
argument <- function(coerce, save = config_value, load = identity, field = NULL, default = NULL, hint = NULL,
                     key = NULL) {
  list(coerce = coerce, save = save, load = load, field = field, default = default, hint = hint, key = key)
}

# An argument that layer_*() takes through `...`.
extra <- function(argument, default) {
  argument$default <- list(default)
  argument
}

not_saved <- function(argument) {
  argument["save"] <- list(NULL)
  argument
}

arg_flag <- argument(function(x, arg, call) check_flag(x, arg = arg, call = call))

arg_whole <- function(min = NULL, allow_null = FALSE) {
  argument(function(x, arg, call) check_whole(x, min = min, allow_null = allow_null, arg = arg, call = call))
}

arg_number <- function(min = NULL, max = NULL, allow_null = FALSE) {
  argument(function(x, arg, call) check_number(x, min, max, allow_null = allow_null, arg = arg, call = call))
}

arg_units <- arg_whole(min = 1)

# Recurrent layers take a rate beyond 0 and 1 as the nearer of the two, as Keras does.
arg_clamped_rate <- argument(function(x, arg, call) {
  min(1, max(0, check_number(x, arg = arg, call = call)))
})

arg_activation <- argument(function(x, arg, call) get_activation(x, call))
arg_initializer <- argument(function(x, arg, call) get_initializer(x, call))
arg_regularizer <- argument(function(x, arg, call) get_regularizer(x, call))
arg_constraint <- argument(function(x, arg, call) get_constraint(x, call))

# R counts axes from 1, Keras' configs from 0; negative axes count from the end in both.
# Shapes as in a config: lists with NULL for what is not known.
config_shape <- function(shape) lapply(as.list(as.integer(shape)), function(size) if (is.na(size)) NULL else size)

config_shapes <- function(shapes) if (is.list(shapes)) lapply(shapes, config_shapes) else config_shape(shapes)

axes_to_config <- function(axes) as.integer(axes - (axes > 0))

axes_from_config <- function(axes) {
  axes <- unlist(axes)
  as.integer(axes + (axes >= 0))
}

arg_axis <- argument(
  function(x, arg, call) check_axes(check_whole(x, arg = arg, call = call), call, arg),
  save = axes_to_config, load = axes_from_config
)

# One axis or several.
arg_axes <- argument(
  function(x, arg, call) check_axes(x, call, arg), save = axes_to_config, load = axes_from_config
)

# Arguments that may only have one value: Keras has others, or had them once.
arg_fixed <- function(value, hint = NULL) {
  argument(function(x, arg, call) {
    if (!identical(x, value)) stop_not(format(value), x, arg, call, hint = hint)
    value
  })
}

check_layer_name <- function(x, arg, call) {
  name <- check_string(x, allow_null = TRUE, arg = arg, call = call)
  if (!is.null(name) && (grepl("/", name, fixed = TRUE) || !nzchar(name))) {
    birnn_abort("{.arg {arg}} must be a string without {.val /}, not {.val {name}}.", call = call)
  }
  # Names come from files, too, and go into files: nothing that could be taken for a path, or for several lines.
  if (!is.null(name) && (nchar(name, "bytes") > 255L || name == ".." || grepl("[\\\\[:cntrl:]]", name))) {
    birnn_abort("{.arg {arg}} must have at most 255 bytes, no backslash and no control character.", call = call)
  }
  name
}

# "float32", "float64" or Keras' policy object with such a name; NULL is the running float type.
check_layer_dtype <- function(x, arg, call) {
  if (is.list(x)) x <- if (identical(x$class_name, "DTypePolicy")) x$config$name else x$class_name %||% "unknown"
  check_choice(x %||% floatx(), c("float32", "float64"), arg = arg, call = call)
}

dtype_policy_config <- function(dtype) {
  list(module = "keras", class_name = "DTypePolicy", config = list(name = dtype), registered_name = NULL)
}

# What every layer takes.
common_arguments <- list(
  name = extra(argument(check_layer_name), NULL),
  trainable = extra(argument(
    function(x, arg, call) check_flag(x, arg = arg, call = call), field = "is_trainable"
  ), TRUE),
  dtype = extra(argument(check_layer_dtype, save = dtype_policy_config), NULL),
  autocast = extra(not_saved(arg_flag), TRUE),
  activity_regularizer = extra(arg_regularizer, NULL)
)

# Spellings of earlier versions that say what a sequential model's input looks like.
legacy_arguments <- c("input_shape", "input_dim", "batch_input_shape", "batch_size", "input_dtype")

# All arguments of a layer class, its own first.
full_table <- function(own) c(own, common_arguments[setdiff(names(common_arguments), names(own))])

# Given values checked and completed with defaults: a named list over the whole table.
coerce_arguments <- function(table, given, defaults, what, call) {
  check_known_names(names(given), c(names(table), legacy_arguments), what, call = call)
  values <- lapply(rlang::set_names(names(table)), function(name) {
    list(coerced_argument(table[[name]], name, given, defaults, what, call))
  })
  lapply(values, `[[`, 1L)
}

coerced_argument <- function(argument, name, given, defaults, what, call) {
  value <- if (name %in% names(given)) {
    given[name]
  } else if (name %in% names(defaults)) {
    defaults[name]
  } else {
    argument$default
  }
  if (is.null(value)) {
    birnn_abort(c("{what} needs the argument {.arg {name}}.", i = argument$hint), call = call)
  }
  argument$coerce(value[[1L]], arg = name, call = call)
}

# The defaults in the formals of a layer_*() function.
formal_defaults <- function(fn) {
  defaults <- formals(fn)
  defaults <- defaults[setdiff(names(defaults), c("object", "..."))]
  given <- !vapply(defaults, function(default) identical(default, quote(expr = )), logical(1))
  lapply(defaults[given], eval, envir = baseenv())
}

# The batch shape that legacy arguments describe, NULL if there is none.
legacy_batch_shape <- function(given) {
  if (!is.null(given$batch_input_shape)) return(as_shape(given$batch_input_shape, arg = "batch_input_shape"))
  shape <- given$input_shape %||% given$input_dim
  if (is.null(shape)) return(NULL)
  c(check_whole(given$batch_size, min = 1, allow_null = TRUE, arg = "batch_size") %||% NA_integer_,
    as_shape(shape, arg = "input_shape"))
}

# get_config() of every layer. Keras leaves activity_regularizer out unless there is one or the layer lists it itself.
layer_config <- function(self) {
  base <- list(name = self$name, trainable = self$is_trainable, dtype = dtype_policy_config(self$dtype))
  if (!is.null(self$activity_regularizer)) base$activity_regularizer <- config_value(self$activity_regularizer)
  table <- self$arguments
  for (name in names(table)) {
    argument <- table[[name]]
    if (!is.null(argument$save)) base[argument$key %||% name] <- list(argument$save(self[[argument$field %||% name]]))
  }
  base
}

# The arguments in a config. Keys that are unknown here but NULL say nothing (newer versions of Keras write such).
config_arguments <- function(table, config) {
  unknown_null <- !names(config) %in% config_keys(table) & vapply(config, is.null, logical(1))
  loaded_arguments(table, config[!unknown_null])
}

config_keys <- function(table) vapply(names(table), function(name) table[[name]]$key %||% name, "")

# Keys become names of arguments, saved values what these take; the rest stays.
loaded_arguments <- function(table, config) {
  places <- match(names(config), config_keys(table))
  names(config)[!is.na(places)] <- names(table)[places[!is.na(places)]]
  for (name in intersect(names(config), names(table))) config[name] <- list(table[[name]]$load(config[[name]]))
  config
}

# Arguments of Keras that have no counterpart here.
arg_unsupported <- argument(
  function(x, arg, call) {
    if (!is.null(x)) birnn_abort("{.arg {arg}} is not supported, it must be NULL.", call = call)
  },
  save = NULL
)
