# The two directions of a bidirectional layer: what they must be and how they are made (level 5).

# The ways to combine the outputs of two directions; besides these NULL, which keeps both. The op merge_directions and
# the recurrent op know the same names.
merge_modes <- c("sum", "mul", "ave", "concat")

# What a layer must have, TRUE or FALSE, to be one direction of a bidirectional layer.
direction_flags <- c("go_backwards", "return_sequences", "return_state")

# All checks of the arguments, in the order of Keras', before anything is made. `args`: those that were given.
check_directions <- function(args, call) {
  check_direction(args[["layer"]], "layer", call, missing = !"layer" %in% names(args))
  if (!is.null(args$backward_layer)) check_direction(args$backward_layer, "backward_layer", call)
  if ("merge_mode" %in% names(args)) {
    check_choice(args$merge_mode, merge_modes, allow_null = TRUE, arg = "merge_mode", call = call)
  }
  forward <- layer_object(args[["layer"]])
  backward <- layer_object(args$backward_layer)
  check_opposite(forward, backward, call)
  if (!is.null(backward)) {
    for (name in c("stateful", "return_sequences", "return_state")) check_agreement(name, forward, backward, call)
    merge_mode <- if ("merge_mode" %in% names(args)) args$merge_mode else "concat"
    check_equal_units(forward, backward, merge_mode, call)
  }
  check_weight_halves(args$weights, call)
}

check_direction <- function(layer, arg, call, missing = FALSE) {
  if (missing) {
    birnn_abort(
      c("{.fn layer_bidirectional} needs the argument {.arg layer}, a recurrent layer.",
        i = "It is the second argument: {.code layer_bidirectional(layer = layer_lstm(units = 32))}."),
      call = call
    )
  }
  if (!is_layer(layer)) {
    hint <- if (is.function(layer)) {
      "Call the function that makes the layer, with parentheses: {.code {arg} = layer_lstm(units = 32)}."
    } else {
      "For example {.code {arg} = layer_lstm(units = 32)}."
    }
    birnn_abort(c("{.arg {arg}} must be a layer, not {describe_value(layer)}.", i = hint), call = call)
  }
  check_criteria(layer_object(layer), arg, call)
}

# The criteria for layers of one's own, but for those of the config: see check_config_complete().
check_criteria <- function(self, arg, call) {
  has <- function(field) exists(field, envir = self, inherits = FALSE)
  lacking <- Filter(Negate(has), c(direction_flags, "input_spec"))
  if (length(lacking) > 0L) {
    birnn_abort(
      c("{.arg {arg}} must be a recurrent layer: {.val {self$name}} ({layer_class_name(self)}) has no {.field {lacking}}.",
        i = if (is.null(self$definition)) "Recurrent layers are {.fn layer_lstm}, {.fn layer_gru} and {.fn layer_simple_rnn}."
        else "{.fn initialize} of the class sets {cli::qty(lacking)}{?it/them}: {.code self${lacking[[1]]} <- {lacking[[1]]}}."),
      kind = "config", call = call
    )
  }
  for (flag in direction_flags) {
    if (!rlang::is_bool(self[[flag]])) {
      birnn_abort(
        "{.field {flag}} of {.arg {arg}}, layer {.val {self$name}} ({layer_class_name(self)}), must be TRUE or FALSE, not
         {describe_value(self[[flag]])}.", kind = "config", call = call
      )
    }
  }
  if (is.null(self$input_spec) || is_plain_list(self$input_spec)) return(invisible())
  birnn_abort(
    "{.field input_spec} of {.arg {arg}}, layer {.val {self$name}} ({layer_class_name(self)}), must be NULL or a list such
     as {.code list(ndim = 3)}, not {describe_value(self$input_spec)}.", kind = "config", call = call
  )
}

# Without a backward layer it will be the clone of `forward` that goes backwards.
check_opposite <- function(forward, backward, call) {
  goes_back <- c(isTRUE(forward$go_backwards), is.null(backward) || isTRUE(backward$go_backwards))
  if (goes_back[[1L]] != goes_back[[2L]]) return(invisible())
  hint <- if (is.null(backward)) {
    "Without {.arg backward_layer} the {.arg layer} must go forwards."
  } else {
    "Make one of them with {.code go_backwards = TRUE}."
  }
  birnn_abort(
    c("{.arg layer} and {.arg backward_layer} must have different values of {.arg go_backwards}, both are
       {goes_back[[1L]]}.", i = hint),
    kind = "config", call = call
  )
}

check_agreement <- function(name, forward, backward, call) {
  values <- c(isTRUE(forward[[name]]), isTRUE(backward[[name]]))
  if (values[[1L]] == values[[2L]]) return(invisible())
  birnn_abort(
    "{.arg layer} and {.arg backward_layer} must have the same value of {.arg {name}}, not {values[[1L]]} and
     {values[[2L]]}.",
    kind = "config", call = call
  )
}

check_equal_units <- function(forward, backward, merge_mode, call) {
  if (is.null(merge_mode) || merge_mode == "concat") return(invisible())
  units <- list(direction_units(forward), direction_units(backward))
  if (any(lengths(units) == 0L) || identical(as.integer(units[[1L]]), as.integer(units[[2L]]))) return(invisible())
  birnn_abort(
    c("{.arg layer} and {.arg backward_layer} must have the same number of units for {.code merge_mode =
       \"{merge_mode}\"}, not {units[[1L]]} and {units[[2L]]}.",
      i = "{.val concat} and NULL work with different numbers of units."),
    kind = "config", call = call
  )
}

# NULL if a layer of one's own does not say.
direction_units <- function(self) {
  if (inherits(self, "RNN")) return(self$cell$units %||% output_size(self$cell))
  if (is.numeric(self$units) && length(self$units) == 1L) self$units
}

check_weight_halves <- function(weights, call) {
  if (is.null(weights)) return(invisible())
  if (!is_plain_list(weights)) {
    birnn_abort("{.arg weights} must be a list of arrays or NULL, not {describe_value(weights)}.",
                kind = "weights", call = call)
  }
  if (length(weights) %% 2L == 0L) return(invisible())
  birnn_abort(
    c("{.arg weights} must have an even number of arrays, not {length(weights)}.",
      i = "The first half is for the forward layer, the second for the backward layer."),
    kind = "weights", call = call
  )
}

# --- making -------------------------------------------------------------------------------------------------------

# A new layer from the config of `layer`, with fresh weights and some values of the config changed.
clone_direction <- function(layer, prefix, changes = list(), call = NULL) {
  self <- layer_object(layer)
  config <- layer_config_of(self, call)
  check_config_complete(self, config, changes, call)
  config$name <- paste0(prefix, sub(paste0("^", prefix), "", self$name))
  config[names(changes)] <- changes
  clone <- remake_layer(self, config, call)
  check_clone(self, layer_object(clone), changes, call)
  set_if_present(clone, "use_cudnn", self$use_cudnn)
  clone
}

layer_config_of <- function(self, call) {
  config <- tryCatch(self$get_config(), error = function(error) abort_clone(self, "its {.fn get_config} fails", call, error))
  if (is_plain_list(config) && (length(config) == 0L || !is.null(names(config)))) return(config)
  abort_clone(self, "its {.fn get_config} returns {describe_value(config)}, not a named list", call)
}

remake_layer <- function(self, config, call) {
  clone <- tryCatch(
    self$from_config(config),
    error = function(error) abort_clone(self, "its {.fn from_config} fails on what {.fn get_config} returns", call, error)
  )
  if (is_layer(clone)) return(clone)
  abort_clone(self, "its {.fn from_config} returns {describe_value(clone)}, not a layer", call)
}

# The config of a layer of one's own must hold every argument it was made with, and its class must take those that are
# changed.
check_config_complete <- function(self, config, changes, call) {
  if (is.null(self$definition)) return(invisible())
  lost <- setdiff(names(self$given), c(names(config), names(common_arguments), legacy_arguments))
  if (length(lost) > 0L) abort_clone(self, "its {.fn get_config} loses {.arg {lost}}", call)
  if (takes_dots(self$definition)) return(invisible())
  unknown <- setdiff(names(changes), names(self$definition$formals))
  if (length(unknown) > 0L) abort_clone(self, "its {.fn initialize} does not take {.arg {unknown}}", call)
}

# The copy must do what the layer does, but for what was changed.
check_clone <- function(self, clone, changes, call) {
  if (!identical(class(self), class(clone))) {
    abort_clone(self, "its {.fn from_config} makes a layer of class {layer_class_name(clone)}", call)
  }
  wanted <- mget(direction_flags, envir = self)
  wanted[names(changes)] <- changes
  for (flag in direction_flags) {
    if (identical(clone[[flag]], wanted[[flag]])) next
    abort_clone(self, "in the copy {.field {flag}} is {describe_value(clone[[flag]])} instead of {wanted[[flag]]}", call)
  }
}

abort_clone <- function(self, reason, call, parent = NULL, frame = parent.frame()) {
  reason <- cli::format_inline(reason, .envir = frame)
  birnn_abort(
    c("{.val {self$name}} ({layer_class_name(self)}) cannot be one direction of a bidirectional layer: {reason}.",
      i = "Both directions are made from the config: {.fn get_config} and {.fn from_config} of the class must keep every
           argument."),
    kind = "config", call = call, parent = parent
  )
}

set_if_present <- function(layer, field, value) {
  self <- layer_object(layer)
  if (exists(field, envir = self, inherits = FALSE)) assign(field, value, envir = self)
}

# Directions draw differently: random streams of the backward layer that start like those of the forward layer, because
# both have the seed of one config, start elsewhere. (Built-in cells do so by themselves.)
separate_streams <- function(forward, backward) {
  both <- list(layer_seed_variables(forward), layer_seed_variables(backward))
  for (k in seq_len(min(lengths(both)))) {
    states <- lapply(both, function(streams) as.array(streams[[k]]))
    is_shared <- identical(both[[1L]][[k]], both[[2L]][[k]])
    if (is_shared || !identical(states[[1L]], states[[2L]])) next
    set_variable(both[[2L]][[k]], c(backward_seed(states[[2L]][[1L]]), states[[2L]][[2L]]))
  }
}
