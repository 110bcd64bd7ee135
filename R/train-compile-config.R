# What compile() was given, as a config, and back (level 7).

# The config of a model that was not compiled is empty.
BaseModel$set("public", "get_compile_config", function() {
  if (is.null(self$setup)) return(rlang::set_names(list(), character()))
  user <- self$setup$user
  settings <- self$setup$settings
  list(
    optimizer = serialize_keras_object(self$setup$optimizer),
    loss = compiled_config(user$loss, "loss"), loss_weights = plain_weights(user$loss_weights),
    metrics = compiled_config(user$metrics, "metric"), weighted_metrics = compiled_config(user$weighted_metrics, "metric"),
    run_eagerly = self$setup$run_eagerly, steps_per_execution = settings$steps_per_execution %||% 1L,
    jit_compile = settings$jit_compile %||% "auto"
  )
})

BaseModel$set("public", "compile_from_config", function(config) compile_from_config(self$handle, config))

# Losses and metrics as they were given: strings stay strings, objects become configs, in lists as they were nested.
compiled_config <- function(x, kind) {
  if (is.null(x) || is_config(x)) return(x)
  if (is.character(x)) return(if (length(x) == 1 && is.null(names(x))) x else as.list(x))
  if (is_constructor(x, kind)) return(serialize_keras_object(x()))
  if (is_handle(x) && !is.function(x$fn)) return(serialize_keras_object(x))
  if (is.function(x)) return(own_function_config(x, kind))
  if (is_plain_list(x)) return(lapply(x, compiled_config, kind = kind))
  x
}

own_function_config <- function(x, kind) {
  named <- function_config(if (is_handle(x)) x$fn else x)
  if (!is.null(named)) return(named)
  if (is_handle(x) && kind == "metric" && !is.null(x$name)) return(named_function_config(x$name))
  abort_nameless_function(paste("A", kind, "that is an R function"))
}

plain_weights <- function(weights) if (length(weights) == 1 && is.null(names(weights))) I(weights) else weights

# Compiles a model as a config says. Nothing in it is code: names of functions lead to those the user gave.
compile_from_config <- function(model, config) {
  for (key in c("loss", "metrics", "weighted_metrics")) config[key] <- list(compiled_from_config(config[[key]]))
  compile(
    model,
    optimizer = get_optimizer(config$optimizer %||% "rmsprop"), loss = config$loss, metrics = config$metrics,
    loss_weights = weights_from_config(config$loss_weights), weighted_metrics = config$weighted_metrics,
    run_eagerly = isTRUE(config$run_eagerly), steps_per_execution = config$steps_per_execution %||% 1L,
    jit_compile = config$jit_compile %||% "auto"
  )
}

compiled_from_config <- function(x) {
  if (is_object_config(x)) return(deserialize_keras_object(x))
  if (is_plain_list(x)) lapply(x, compiled_from_config) else x
}

weights_from_config <- function(weights) {
  if (is_plain_list(weights) && !any(vapply(weights, is.list, NA))) unlist(weights) else weights
}
