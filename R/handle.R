# Callable handles: R6 inside, a function with an S3 class outside (level 0).
# Initializers, losses, metrics, optimizers, ... are held as handles; layers have their own kind (layer-handle.R).

# `object`: an R6 object with a method `__call__`. The handle of an object is made once.
new_handle <- function(object, class) {
  force(object)
  handle <- structure(
    function(...) field(object, "__call__")(...),
    class = c(class, "birnn_object"), object = object
  )
  object$handle <- handle
  handle
}

# A field or method of an R6 object, as `$` gives it. But `$` looks for methods of all classes of the object first,
# which takes longer than most of what is done with a field: this is for code that runs for each batch.
field <- .subset2

is_handle <- function(x) is.function(x) && !is.null(attr(x, "object", exact = TRUE))

handle_object <- function(handle) attr(handle, "object", exact = TRUE)

#' @export
`$.birnn_object` <- function(x, name) get0(name, envir = handle_object(x), inherits = FALSE)

#' @export
`[[.birnn_object` <- function(x, name) get0(name, envir = handle_object(x), inherits = FALSE)

#' @export
`$<-.birnn_object` <- function(x, name, value) {
  assign_field(handle_object(x), name, value)
  x
}

# `obj$name <- value` for an R6 object; a field that R6 locked (methods) is an error in the user's words.
assign_field <- function(object, name, value) {
  current <- get0(name, envir = object, inherits = FALSE)
  if (identical(current, value)) return(invisible())
  if (exists(name, envir = object, inherits = FALSE) && bindingIsLocked(name, object) &&
        !bindingIsActive(name, object)) {
    class_name <- object$definition$name %||% class(object)[[1]]
    birnn_abort("{.field {name}} of <{class_name}> cannot be changed.", call = NULL)
  }
  object[[name]] <- value
  invisible()
}

#' @export
names.birnn_object <- function(x) setdiff(ls(handle_object(x)), c("initialize", "clone", "handle"))

#' @export
print.birnn_object <- function(x, ...) {
  cat(format(x, ...), "\n", sep = "")
  invisible(x)
}

#' @export
format.birnn_object <- function(x, ...) {
  object <- handle_object(x)
  config <- if (is.function(object$get_config)) object$get_config() else list()
  words <- vapply(config, function(value) format_config_value(value), character(1))
  paste0("<", object$class_name %||% class(object)[[1]],
         if (length(words)) paste0(" ", paste0(names(words), "=", words, collapse = ", ")), ">")
}

format_config_value <- function(value) {
  if (is.null(value)) return("NULL")
  if (is.atomic(value) && length(value) == 1) return(format(value, digits = 7))
  if (is.list(value) && !is.null(value$class_name)) return(paste0("<", value$class_name, ">"))
  paste0("<", class(value)[[1]], " of length ", length(value), ">")
}

#' @export
str.birnn_object <- function(object, ...) cat(" ", format(object), "\n", sep = "")
