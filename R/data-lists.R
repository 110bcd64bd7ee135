# Small things that scripts take from keras3 and its companions: lists, tuples, flags, arrays of Python (level 7).

#' @rdname named_list
#' @export
zip_lists <- function(...) {
  lists <- list(...)
  if (length(lists) == 1L && is_plain_list(lists[[1L]])) lists <- lists[[1L]]
  is_list <- vapply(lists, function(x) is.vector(x) || is_plain_list(x), logical(1))
  if (!all(is_list)) stop_not("lists", lists[[which(!is_list)[[1L]]]], "...", rlang::current_env())
  if (length(unique(lengths(lists))) > 1L) {
    birnn_abort("The lists must have the same length, not {.val {lengths(lists)}}.", kind = "shape")
  }
  keys <- names(lists[[1L]]) %||% seq_along(lists[[1L]])
  if (is.character(keys) && !all(vapply(lists, function(x) setequal(names(x), keys), logical(1)))) {
    birnn_abort(c("The lists must have the same names.", i = "{.fn unname} zips them by position."))
  }
  zipped <- lapply(keys, function(key) lapply(lists, `[[`, key))
  if (is.character(keys)) rlang::set_names(zipped, keys) else zipped
}

#' Names from reticulate and tfruns
#'
#' There is no Python here: `tuple()` makes a list, `np_array()` an R array, `py_to_r()` and `r_to_py()` return what
#' they are given. `flags()` collects hyperparameters that may be set on the command line of `Rscript`, as in
#' `--units=32`. `run_dir()` is the working directory. `newaxis` stands for a new axis in `x@r[...]`.
#'
#' @param ... For `tuple()` values; for `flags()` what `flag_*()` returned.
#' @param data,x A value.
#' @param dtype The type of numbers: `"int32"` and the like make whole numbers.
#' @param order Without effect.
#' @param name,default,description Name, value and meaning of a hyperparameter.
#' @param module,as,convert,delay_load Without effect: `import()` is an error that says so.
#' @return See above.
#' @family session
#' @export
#' @examples
#' FLAGS <- flags(flag_integer("units", 32), flag_numeric("rate", 0.5))
#' FLAGS$units
#' tuple(1, 2)
tuple <- function(...) list(...)

#' @rdname tuple
#' @export
np_array <- function(data, dtype = NULL, order = "C") {
  array <- if (is_tensor_like(data)) as.array(data) else if (is.null(dim(data))) array(unlist(data)) else as.array(data)
  if (is.null(dtype)) return(array)
  storage.mode(array) <- if (grepl("int", dtype)) "integer" else if (grepl("bool", dtype)) "logical" else "double"
  array
}

#' @rdname tuple
#' @export
py_to_r <- function(x) if (is_tensor_like(x)) as.array(x) else x

#' @rdname tuple
#' @export
r_to_py <- function(x, convert = FALSE) x

#' @rdname tuple
#' @export
import <- function(module, as = NULL, convert = TRUE, delay_load = FALSE) {
  birnn_abort(
    c("birnn needs no Python and cannot import {.val {check_string(module)}}.",
      i = "For Python modules there is the package {.pkg reticulate}."),
    kind = "state"
  )
}

#' @rdname tuple
#' @export
flags <- function(...) {
  given <- command_line_flags(commandArgs(trailingOnly = TRUE))
  flags <- list(...)
  values <- lapply(flags, function(flag) {
    text <- given[[flag$name]]
    if (is.null(text)) flag$default else flag$read(text)
  })
  rlang::set_names(values, vapply(flags, `[[`, "", "name"))
}

# --name=value and --name value.
command_line_flags <- function(words) {
  given <- list()
  for (k in grep("^--[[:alpha:]]", words)) {
    parts <- strsplit(sub("^--", "", words[[k]]), "=", fixed = TRUE)[[1L]]
    has_value <- length(parts) > 1L
    given[[parts[[1L]]]] <- if (has_value) paste(parts[-1L], collapse = "=") else words[k + 1L]
  }
  given
}

new_flag <- function(name, default, read) list(name = check_string(name), default = default, read = read)

#' @rdname tuple
#' @export
flag_numeric <- function(name, default, description = NULL) new_flag(name, as.numeric(default), as.numeric)

#' @rdname tuple
#' @export
flag_integer <- function(name, default, description = NULL) new_flag(name, as.integer(default), as.integer)

#' @rdname tuple
#' @export
flag_boolean <- function(name, default, description = NULL) {
  new_flag(name, as.logical(default), function(text) tolower(text) %in% c("true", "t", "yes", "1"))
}

#' @rdname tuple
#' @export
flag_string <- function(name, default, description = NULL) new_flag(name, as.character(default), identity)

#' @rdname tuple
#' @export
run_dir <- function() getwd()

#' @rdname tuple
#' @format NULL
#' @export
newaxis <- NULL
