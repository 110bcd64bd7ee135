# The older way to write classes, %py_class% (level 7).

#' Define a class as in Python
#'
#' The older way to write what [Layer()], [Model()], [Callback()], [Loss()], [Metric()] and [Constraint()] define: a name,
#' in parentheses the class it comes from, and a block of functions and values. New code uses those functions.
#'
#' @param spec `Name(parent)`: `parent` is `Layer`, `Model`, `Callback`, `Loss`, `Metric` or `Constraint` (also written
#'   as in `keras$layers$Layer`), a `layer_*` function, or another class.
#' @param body Assignments in braces.
#' @return A function that makes an object; its arguments are those of `initialize`. It is also assigned to `Name`.
#' @name py_class
#' @rdname py_class
#' @usage spec \%py_class\% body
#' @family layer methods
#' @export
#' @examples
#' Double(keras$layers$Layer) %py_class% {
#'   call <- function(inputs) 2 * inputs
#' }
#' Double()(1:3)
`%py_class%` <- function(spec, body) {
  spec <- substitute(spec)
  frame <- parent.frame()
  if (is.name(spec)) spec <- call(as.character(spec), quote(Layer))
  if (!is.call(spec) || !is.name(spec[[1L]]) || length(spec) != 2L) {
    birnn_abort("The left side of {.code %py_class%} must be {.code Name(parent)}, not {.code {deparse(spec)[[1L]]}}.")
  }
  name <- as.character(spec[[1L]])
  members <- new.env(parent = frame)
  eval(substitute(body), members)
  members <- as.list(members, all.names = TRUE)
  parent <- py_parent(spec[[2L]], frame)
  constructor <- without_object(parent$builder(
    name, public = members, inherit = parent$inherit, parent_env = frame
  ))
  assign(name, constructor, envir = frame)
  invisible(constructor)
}

class_builders <- function() {
  list(Layer = Layer, Model = Model, Callback = Callback, Loss = Loss, Metric = Metric, Constraint = Constraint)
}

# Which function defines the class, and what it inherits from.
py_parent <- function(expression, frame) {
  builders <- class_builders()
  last <- if (is.call(expression)) expression[[length(expression)]] else expression
  if (is.name(last) && as.character(last) %in% names(builders)) {
    return(list(builder = builders[[as.character(last)]], inherit = NULL))
  }
  parent <- eval(expression, frame)
  parent <- attr(parent, "with_object", exact = TRUE) %||% parent
  list(builder = builders[[builder_name(parent)]], inherit = parent)
}

builder_name <- function(parent) {
  noun <- attr(parent, "noun", exact = TRUE)
  if (!is.null(noun)) return(paste0(toupper(substr(noun, 1, 1)), substring(noun, 2)))
  definition <- attr(parent, "definition", exact = TRUE)
  if (!is.null(definition) && is_model_class(definition$base)) "Model" else "Layer"
}

# Layers made by such classes take their arguments by position, without `object`.
without_object <- function(constructor) {
  if (!identical(names(formals(constructor))[1L], "object")) return(constructor)
  made <- function() {
    call <- sys.call()
    call[[1L]] <- constructor
    eval(as.call(append(as.list(call), list(NULL), after = 1L)), parent.frame())
  }
  formals(made) <- formals(constructor)[-1L]
  attributes(made) <- c(attributes(constructor), list(with_object = constructor))
  made
}
