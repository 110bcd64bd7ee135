# Small helpers without knowledge of tensors (level 0).

`%||%` <- function(x, y) if (is.null(x)) y else x

# "LSTMCell" -> "lstm_cell", "SimpleRNN" -> "simple_rnn", "Conv1D" -> "conv1d", as Keras names objects.
snake_case <- function(x) {
  x <- gsub("(.)([A-Z][a-z]+)", "\\1_\\2", x)
  tolower(gsub("([a-z])([A-Z])", "\\1_\\2", x))
}

# Session state: automatic names. Everything else lives in objects.
session <- new.env(parent = emptyenv())
session$name_counts <- list()

# Replaced whenever a layer, a weight or a setting changes that compiled steps depend on: what was derived from them
# holds while it is the same. An environment, so that no other session has the same one.
note_change <- function() session$changes <- new.env(hash = FALSE, parent = emptyenv())

note_change()

# Keras' automatic names: the bare prefix first, then prefix_1, prefix_2, ...
unique_name <- function(prefix) {
  count <- session$name_counts[[prefix]] %||% 0L
  session$name_counts[[prefix]] <- count + 1L
  if (count == 0L) prefix else paste0(prefix, "_", count)
}

#' Forget the automatic names of this session
#'
#' Layers and models without a name are called `lstm`, `lstm_1`, `lstm_2`, ... in the order of their creation.
#' `clear_session()` starts counting anew. Existing objects keep their names.
#'
#' @param free_memory Whether to run R's garbage collector as well.
#' @return `NULL`, invisibly.
#' @family session
#' @export
#' @examples
#' clear_session()
#' layer_lstm(units = 2)$name
clear_session <- function(free_memory = TRUE) {
  session$name_counts <- list()
  if (check_flag(free_memory)) gc()
  invisible(NULL)
}

# Applies `fn` to every leaf of nested plain lists; NULL stays NULL.
map_structure <- function(x, fn) {
  if (is.null(x)) return(NULL)
  if (is_plain_list(x)) return(lapply(x, map_structure, fn = fn))
  fn(x)
}

is_string <- function(x) is.character(x) && length(x) == 1L

# A list that is structure, not an object (shapes, data frames and handles are leaves).
is_plain_list <- function(x) is.list(x) && (is.null(attr(x, "class")) || inherits(x, "AsIs"))

# The leaves of nested lists in order, without NULLs.
flatten_structure <- function(x) {
  if (is.null(x)) return(list())
  if (is_plain_list(x)) return(do.call(c, c(list(list()), lapply(unname(x), flatten_structure))))
  list(x)
}

# `template` with its leaves replaced, in order, by `leaves`.
pack_structure <- function(template, leaves) {
  if (!is.null(template) && !is_plain_list(template)) return(leaves[[1L]])
  position <- 0L
  map_structure(template, function(leaf) {
    position <<- position + 1L
    leaves[[position]]
  })
}

# The formals of `fn` and the values given, as a named list without missing ones.
compact <- function(x) x[!vapply(x, is.null, logical(1))]

#' Lists
#'
#' `named_list()` names its elements after the expressions they come from. `zip_lists()` turns a list of lists inside
#' out: from several lists of the same length or the same names it makes one list of lists.
#'
#' @param ... Values; for `zip_lists()` lists.
#' @return A list.
#' @family data preparation
#' @export
#' @examples
#' units <- 3
#' named_list(units, rate = 0.5)
#' zip_lists(x = list(1, 2), y = list("a", "b"))
named_list <- function(...) {
  rlang::dots_list(..., .named = TRUE, .homonyms = "error")
}

# The state of R's random numbers, NULL if there is none yet.
random_seed_now <- function() get0(".Random.seed", envir = globalenv(), inherits = FALSE)

put_random_seed <- function(seed) {
  if (!is.null(seed)) return(assign(".Random.seed", seed, envir = globalenv()))
  if (!is.null(random_seed_now())) rm(".Random.seed", envir = globalenv())
}
