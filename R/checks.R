# Checks of arguments on entry: each returns the coerced value or stops, naming the argument (level 0).

# What the user gave, in a few words.
describe_value <- function(x) {
  if (is.null(x)) return("NULL")
  if (inherits(x, c("birnn_tensor", "birnn_symbolic", "birnn_variable", "birnn_layer"))) return(format(x))
  if (is.function(x)) return("a function")
  is_object <- is.environment(x) || is.object(x) && is.list(x) && !is.data.frame(x)
  if (is_object) return(paste("an object of class", class(x)[[1]]))
  if (is.list(x)) return(sprintf("a list of length %d", length(x)))
  if (length(x) == 1 && is.atomic(x)) return(if (is.character(x)) dQuote(x, FALSE) else format(x))
  sprintf("%s of length %d", typeof(x), length(x))
}

stop_not <- function(what, x, arg, call, hint = NULL) {
  received <- describe_value(x)
  birnn_abort(
    c("{.arg {arg}} must be {what}, not {received}.", if (!is.null(hint)) c(i = hint)),
    call = call
  )
}

check_whole <- function(x, min = NULL, max = NULL, allow_null = FALSE, arg = rlang::caller_arg(x),
                        call = rlang::caller_env()) {
  if (is.null(x) && allow_null) return(NULL)
  is_whole <- is.numeric(x) && is.null(dim(x)) && length(x) == 1 && is.finite(x) && x == round(x)
  in_range <- is_whole && (is.null(min) || x >= min) && (is.null(max) || x <= max) && abs(x) <= .Machine$integer.max
  if (!in_range) stop_not(paste0(whole_words(min, max), if (allow_null) " or NULL"), x, arg, call)
  as.integer(x)
}

whole_words <- function(min, max) {
  if (is.null(min) && is.null(max)) return("a whole number")
  if (is.null(max)) return(if (min == 1) "a positive whole number" else sprintf("a whole number of at least %s", min))
  if (is.null(min)) return(sprintf("a whole number of at most %s", max))
  sprintf("a whole number from %s to %s", min, max)
}

check_number <- function(x, min = NULL, max = NULL, allow_null = FALSE, arg = rlang::caller_arg(x),
                         call = rlang::caller_env()) {
  if (is.null(x) && allow_null) return(NULL)
  is_number <- (is.numeric(x) || is.logical(x)) && length(x) == 1 && is.finite(x)
  in_range <- is_number && (is.null(min) || x >= min) && (is.null(max) || x <= max)
  if (!in_range) {
    range <- c(if (!is.null(min)) paste("at least", min), if (!is.null(max)) paste("at most", max))
    what <- paste0("a number", if (length(range)) paste0(" of ", paste(range, collapse = " and ")))
    stop_not(paste0(what, if (allow_null) " or NULL"), x, arg, call)
  }
  as.numeric(x)
}

check_flag <- function(x, allow_null = FALSE, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (is.null(x) && allow_null) return(NULL)
  if (identical(x, TRUE) || identical(x, FALSE)) return(x)
  is_flag <- (is.logical(x) || (is.numeric(x) && length(x) == 1 && x %in% c(0, 1))) && length(x) == 1 && !is.na(x)
  if (!is_flag) stop_not(paste0("TRUE or FALSE", if (allow_null) " or NULL"), x, arg, call)
  as.logical(x)
}

check_string <- function(x, allow_null = FALSE, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (is.null(x) && allow_null) return(NULL)
  if (!is.character(x) || length(x) != 1 || is.na(x)) {
    stop_not(paste0("a single string", if (allow_null) " or NULL"), x, arg, call)
  }
  unname(as.vector(x))
}

check_choice <- function(x, choices, allow_null = FALSE, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (is.null(x) && allow_null) return(NULL)
  if (is.character(x) && length(x) == 1 && x %in% choices) return(x)
  what <- paste0("one of ", paste(dQuote(choices, FALSE), collapse = ", "), if (allow_null) ", or NULL")
  near <- if (is.character(x) && length(x) == 1) nearest_name(x, choices)
  stop_not(what, x, arg, call, hint = if (!is.null(near)) paste0("Did you mean ", dQuote(near, FALSE), "?"))
}

# The closest spelling among `choices`, or NULL if none is close.
nearest_name <- function(x, choices) {
  if (length(x) != 1 || is.na(x) || length(choices) == 0) return(NULL)
  distances <- utils::adist(tolower(x), tolower(choices))[1, ]
  if (min(distances) > max(2, nchar(x) %/% 3)) return(NULL)
  choices[[which.min(distances)]]
}

# For messages: all names, where cli would leave out some of more than twenty.
in_full <- function(names) cli::cli_vec(names, list("vec-trunc" = Inf))

# Stops at the first name that is not known, with a suggestion. `what`: "layer_lstm()", "optimizer_adam()".
check_known_names <- function(given, known, what, call = rlang::caller_env()) {
  unknown <- setdiff(given, known)
  if (length(unknown) == 0) return(invisible())
  near <- nearest_name(unknown[[1]], known)
  birnn_abort(
    c(
      "{what} has no argument {.arg {unknown[[1]]}}.",
      if (!is.null(near)) c(i = "Did you mean {.arg {near}}?")
      else c(i = "Its arguments are {.arg {in_full(known)}}.")
    ),
    call = call
  )
}

# Every argument in `...` must have a name.
check_named <- function(args, call = rlang::caller_env()) {
  names <- names(args) %||% rep("", length(args))
  if (all(nzchar(names))) return(invisible())
  birnn_abort(
    c("All arguments provided to `...` must be named.", x = "Received {sum(!nzchar(names))} without a name."),
    call = call
  )
}
