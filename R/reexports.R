# Functions of other packages that scripts expect to find here (level 9).

#' Pipe
#'
#' See [magrittr::%>%] for details. R's own `|>` works as well.
#'
#' @name %>%
#' @rdname pipe
#' @keywords internal
#' @export
#' @importFrom magrittr %>%
#' @usage lhs \%>\% rhs
#' @param lhs A value.
#' @param rhs A call of a function.
#' @return The result of the call.
NULL

#' Assign several values at once
#'
#' See [zeallot::%<-%] for details.
#'
#' @name %<-%
#' @rdname multi-assign
#' @keywords internal
#' @export
#' @importFrom zeallot %<-%
#' @usage x \%<-\% value
#' @param x Names, as in `c(a, b)` or `c(c(a, b), c(d, e))`.
#' @param value A list with a value for each name.
#' @return `value`, invisibly.
#' @examples
#' c(low, high) %<-% range(c(3, 1, 2))
NULL

#' @importFrom generics compile
#' @export
generics::compile

#' @importFrom generics fit
#' @export
generics::fit

#' @rdname pipe
#' @export
#' @importFrom magrittr %<>%
#' @usage lhs \%<>\% rhs
#' @name %<>%
NULL

#' @importFrom generics generate
#' @export
generics::generate
