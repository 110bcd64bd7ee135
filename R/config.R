# Settings of the session that scripts for Keras read and write (level 1).

session$interactive_logging <- TRUE
session$traceback_filtering <- TRUE
session$max_epochs <- NULL
session$max_steps_per_epoch <- NULL

#' Backend and data format
#'
#' Scripts for Keras choose a backend. Here there is only one, built in: asking for another one is not an error, it is
#' said once that nothing changes.
#'
#' @param backend The name of a backend.
#' @param gpu,... Without effect.
#' @param data_format Must be `"channels_last"`: the axes are (batch, steps, channels).
#' @param policy `"float32"` or `"float64"`, as in [config_set_floatx()].
#' @return `config_backend()`: `"birnn"`. `config_image_data_format()`: `"channels_last"`. `config_dtype_policy()`: the
#'   float type. The others return `NULL`, invisibly.
#' @family session
#' @export
#' @examples
#' config_backend()
#' config_dtype_policy()
config_backend <- function() "birnn"

#' @rdname config_backend
#' @export
config_set_backend <- function(backend) keep_backend(check_string(backend))

#' @rdname config_backend
#' @export
use_backend <- function(backend, gpu = NA) keep_backend(check_string(backend))

#' @rdname config_backend
#' @export
install_keras <- function(...) {
  inform_once("install", "There is nothing to install: birnn needs neither Python nor a backend.")
}

keep_backend <- function(backend) {
  if (identical(backend, "birnn")) return(invisible(NULL))
  inform_once("backend", "birnn computes with its own core: {.val {backend}} is not used.")
}

# Says something the first time in a session that `id` comes up.
inform_once <- function(id, message, .envir = parent.frame()) {
  id <- paste0("inform-", id)
  if (exists(id, envir = warned, inherits = FALSE)) return(invisible(NULL))
  assign(id, TRUE, envir = warned)
  cli::cli_inform(message, .envir = .envir)
  invisible(NULL)
}

#' @rdname config_backend
#' @export
config_dtype_policy <- function() config_floatx()

#' @rdname config_backend
#' @export
config_set_dtype_policy <- function(policy) config_set_floatx(check_choice(policy, c("float32", "float64")))

#' @rdname config_backend
#' @export
config_image_data_format <- function() "channels_last"

#' @rdname config_backend
#' @export
config_set_image_data_format <- function(data_format) {
  check_choice(data_format, "channels_last")
  invisible(NULL)
}

#' Limits and output of the session
#'
#' `config_set_max_epochs()` and `config_set_max_steps_per_epoch()` bound every [fit()][fit.birnn_model], to try a
#' script quickly. Without interactive logging, `verbose = "auto"` prints lines, no live bar. Tracebacks are always
#' those of R.
#'
#' @param max_epochs,max_steps_per_epoch A positive whole number, or `NULL` for no limit.
#' @return `config_max_epochs()`, `config_max_steps_per_epoch()`: the limit or `NULL`.
#'   `config_is_interactive_logging_enabled()`, `config_is_traceback_filtering_enabled()`: `TRUE` or `FALSE`. The others
#'   return `NULL`, invisibly.
#' @family session
#' @export
#' @examples
#' config_set_max_epochs(2)
#' config_max_epochs()
#' config_set_max_epochs(NULL)
config_max_epochs <- function() session$max_epochs

#' @rdname config_max_epochs
#' @export
config_set_max_epochs <- function(max_epochs) {
  session$max_epochs <- check_whole(max_epochs, min = 1, allow_null = TRUE)
  invisible(NULL)
}

#' @rdname config_max_epochs
#' @export
config_max_steps_per_epoch <- function() session$max_steps_per_epoch

#' @rdname config_max_epochs
#' @export
config_set_max_steps_per_epoch <- function(max_steps_per_epoch) {
  session$max_steps_per_epoch <- check_whole(max_steps_per_epoch, min = 1, allow_null = TRUE)
  invisible(NULL)
}

set_session_flag <- function(name, value) {
  session[[name]] <- value
  invisible(NULL)
}

#' @rdname config_max_epochs
#' @export
config_enable_interactive_logging <- function() set_session_flag("interactive_logging", TRUE)

#' @rdname config_max_epochs
#' @export
config_disable_interactive_logging <- function() set_session_flag("interactive_logging", FALSE)

#' @rdname config_max_epochs
#' @export
config_is_interactive_logging_enabled <- function() session$interactive_logging

#' @rdname config_max_epochs
#' @export
config_enable_traceback_filtering <- function() set_session_flag("traceback_filtering", TRUE)

#' @rdname config_max_epochs
#' @export
config_disable_traceback_filtering <- function() set_session_flag("traceback_filtering", FALSE)

#' @rdname config_max_epochs
#' @export
config_is_traceback_filtering_enabled <- function() session$traceback_filtering
