# `.[a, b] <- list(1, 2)`: several values at once (level 7).

#' Several values at once, with a dot
#'
#' `.[a, b] <- x` assigns the elements of a list to names, like `c(a, b) %<-% x`.
#'
#' Between the brackets stand names; `.` or nothing leaves an element out, `..` leaves out any number of them, `..name`
#' collects them in a list; `.[a, .[b, c]]` takes a list within the list apart.
#'
#' @format An object that is only good for this assignment.
#' @return After the assignment `.` is what it was.
#' @seealso [`%<-%`]
#' @keywords internal
#' @export
#' @examples
#' .[low, high] <- range(c(3, 1, 2))
#' .[first, ..rest] <- list(1, 2, 3)
#' str(rest)
. <- structure(list(), class = "birnn_dot")

#' @export
`[<-.birnn_dot` <- function(x, ..., value) {
  assign_parts(as.list(substitute(list(...)))[-1], value, parent.frame(), rlang::caller_env())
  x
}

#' @export
print.birnn_dot <- function(x, ...) {
  cat("<for .[a, b] <- list(1, 2)>\n")
  invisible(x)
}

# `wanted`: expressions between the brackets.
assign_parts <- function(wanted, value, env, call) {
  value <- as_parts(value)
  is_rest <- vapply(wanted, function(part) is.name(part) && startsWith(as.character(part), ".."), logical(1))
  if (sum(is_rest) > 1) birnn_abort("Only one {.code ..} can stand between the brackets.", call = call)
  count <- length(value) - (length(wanted) - sum(is_rest))
  if (count < 0 || count > 0 && !any(is_rest)) {
    birnn_abort("Between the brackets stand {length(wanted)} name{?s}, but there {?is/are} {length(value)} value{?s}.",
                kind = "shape", call = call)
  }
  at <- 0L
  for (k in seq_along(wanted)) {
    taken <- if (is_rest[[k]]) seq_len(count) else 1L
    assign_part(wanted[[k]], value[at + taken], is_rest[[k]], env, call)
    at <- at + length(taken)
  }
}

as_parts <- function(value) {
  if (is_tensor_like(value)) return(op_unstack(value))
  if (is.list(value)) unclass(value) else as.list(value)
}

assign_part <- function(part, elements, is_rest, env, call) {
  if (is_missing_arg(part) || identical(part, quote(.)) || identical(part, quote(..))) return(invisible())
  if (is_rest) return(assign(substring(as.character(part), 3), elements, envir = env))
  if (is.name(part)) return(assign(as.character(part), elements[[1]], envir = env))
  is_nested <- is.call(part) && identical(part[[1]], quote(`[`)) && identical(part[[2]], quote(.))
  if (is_nested) return(assign_parts(as.list(part)[-(1:2)], elements[[1]], env, call))
  birnn_abort("Between the brackets must stand names, not {.code {deparse(part)}}.", call = call)
}
