# Reading files: paths, errors, JSON (level 1).
#
# Nothing that comes from a file is ever evaluated, opened, or used as a path. Reading happens in memory, by the readers
# of src/format_*.h.

check_path <- function(filepath, arg = rlang::caller_arg(filepath), call = rlang::caller_env()) {
  filepath <- check_string(filepath, arg = arg, call = call)
  if (!nzchar(filepath)) stop_not("a path", filepath, arg, call)
  path.expand(enc2utf8(filepath))
}

abort_file <- function(message, call = rlang::caller_env(), .envir = parent.frame(), ...) {
  birnn_abort(message, kind = "file", call = call, .envir = .envir, ...)
}

read_file <- function(path, call = rlang::caller_env()) with_file_errors(r_read_file(path), call)

# Errors of the core show the function of the user.
with_file_errors <- function(code, call) {
  tryCatch(code, birnn_error_file = function(error) {
    abort_from_cpp(conditionMessage(error), "file", call)
  })
}

starts_with <- function(bytes, first) length(bytes) >= length(first) && identical(bytes[seq_along(first)], first)

read_json <- function(bytes, call = rlang::caller_env()) {
  if (is.character(bytes)) bytes <- charToRaw(enc2utf8(bytes))
  with_file_errors(r_json_read(bytes), call)
}
