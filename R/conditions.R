# Errors and warnings: the one place that knows their classes (level 0).

# What the user gave is wrong: Keras raises a ValueError for these, so `tryCatch(ValueError = )` works.
value_error_kinds <- c("value", "shape", "type", "config", "state", "mask", "weights")

error_classes <- function(kind) {
  c(paste0("birnn_error_", kind), if (kind %in% value_error_kinds) "ValueError", "birnn_error")
}

# `message`: cli markup, the first element says what must hold and what came, `i` bullets hint.
birnn_abort <- function(message, kind = "value", call = rlang::caller_env(), .envir = parent.frame(), ...) {
  cli::cli_abort(message, class = error_classes(kind), call = call, .envir = .envir, ...)
}

birnn_warn <- function(message, kind = "value", .envir = parent.frame(), call = rlang::caller_env(), ...) {
  cli::cli_warn(
    message, class = c(paste0("birnn_warning_", kind), "birnn_warning"), .envir = .envir, call = call, ...
  )
}

warned <- new.env(parent = emptyenv())

# Warns the first time in a session that `id` comes up.
warn_once <- function(id, message, kind = "value", .envir = parent.frame(), call = rlang::caller_env()) {
  if (exists(id, envir = warned, inherits = FALSE)) return(invisible())
  assign(id, TRUE, envir = warned)
  birnn_warn(message, kind = kind, .envir = .envir, call = call)
}

# Names of Keras 2 that scripts still use say so once in a session.
warn_older_name <- function(old, new, what = "does the same") {
  warn_once(paste0("older-", old), "{.fn {old}} is an older name: {.fn {new}} {what}.",
            kind = "deprecated", call = NULL)
}

# An error found in C++, as a classed condition. `message` is text, not markup.
abort_from_cpp <- function(message, kind, call = NULL) {
  rlang::abort(message, class = error_classes(kind), call = call)
}

# Ctrl-C noticed by C++ while it computes, handed on to R once all threads have stopped.
signal_interrupt <- function() rlang::interrupt()

# A shape in R notation: [32, NA, 8].
format_shape <- function(shape) {
  paste0("[", paste(ifelse(is.na(shape), "NA", format(shape, trim = TRUE, scientific = FALSE)), collapse = ", "), "]")
}
