# What scripts do with Python, which does not exist here: once, a quiet word; or an error that says so (level 7).

#' There is no Python here
#'
#' Scripts for keras3 choose and prepare a Python; here that is not needed, and said once. `keras` stands for the Python
#' module: whatever is taken from it is an error that names the way to go.
#'
#' @param ...,python,virtualenv,condaenv,required Without effect.
#' @param object What help is asked for.
#' @param x The object `keras`.
#' @param name The name of something in the module.
#' @return `NULL`, invisibly.
#' @family session
#' @export
#' @examples
#' use_virtualenv("r-keras")
#' try(keras$layers$LSTM(32L))
use_python <- function(python, required = NULL) no_python()

#' @rdname use_python
#' @export
use_virtualenv <- function(virtualenv = NULL, required = NULL) no_python()

#' @rdname use_python
#' @export
use_condaenv <- function(condaenv = NULL, ..., required = NULL) no_python()

#' @rdname use_python
#' @export
py_require <- function(...) no_python()

#' @rdname use_python
#' @export
py_help <- function(object) {
  inform_once("py-help", "Help is in R's help pages: {.code ?layer_lstm}, {.code help(package = \"birnn\")}.")
}

no_python <- function() inform_once("python", "birnn needs no Python: nothing is to be chosen or installed.")

#' @rdname use_python
#' @format NULL
#' @export
keras <- structure(list(), class = "birnn_no_module")

#' @rdname use_python
#' @export
`$.birnn_no_module` <- function(x, name) {
  birnn_abort(
    c("There is no Python module here to take {.field {name}} from.",
      i = "What {.pkg Keras} has in {.code keras$layers}, {.code keras$ops}, ... are R functions: {.code layer_*},
           {.code op_*}, {.code optimizer_*}, {.code loss_*}, {.code metric_*}, {.code callback_*}."),
    kind = "state", call = rlang::caller_env()
  )
}

#' @export
`[[.birnn_no_module` <- function(x, i) `$.birnn_no_module`(x, i)

#' @export
print.birnn_no_module <- function(x, ...) {
  cat("<no Python module: birnn is written in R and C++>\n")
  invisible(x)
}
