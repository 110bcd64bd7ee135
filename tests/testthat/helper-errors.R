# Refusals: an error of the right classes, its words in a snapshot, and nothing changed.

value_error_names <- c("value", "shape", "type", "config", "state", "mask", "weights")

# `code` must stop with an error of `kind`. Message and classes go into the snapshot (plain text, 80 columns).
# `unchanged`: layers and models whose weights and training state must be what they were. `call`: how it is called in
# the snapshot.
expect_refused <- function(code, kind, unchanged = list(),
                           call = paste(deparse(substitute(code), width.cutoff = 500), collapse = "\n  ")) {
  force(call)
  before <- lapply(unchanged, object_state)
  condition <- tryCatch({
    force(code)
    NULL
  }, error = identity)
  expect_refusal_classes(condition, kind, call)
  testthat::expect_true(identical(lapply(unchanged, object_state), before), info = paste(call, "changed something"))
  testthat::expect_snapshot_output(writeLines(c(paste(">", call), refusal_text(condition))))
  invisible(condition)
}

expect_refusal_classes <- function(condition, kind, call) {
  wanted <- c(
    paste0("birnn_error_", kind), if (kind %in% value_error_names) "ValueError", "birnn_error", "rlang_error", "error",
    "condition"
  )
  testthat::expect_identical(class(condition), wanted, info = call)
}

refusal_text <- function(condition) {
  if (is.null(condition)) return("no error")
  c(conditionMessage(condition), paste0("<", paste(class(condition), collapse = "/"), ">"))
}

object_state <- function(object) {
  built <- isTRUE(object$built)
  list(
    built = built, weights = if (built) get_weights(object), layers = length(object$layers),
    iterations = if (!is.null(object$optimizer)) as.numeric(object$optimizer$iterations)
  )
}

# --- tables of refusals -------------------------------------------------------------------------------------------

# A row: `call` must stop with an error of `kind`, and its message tell `...` (regular expressions).
bad <- function(kind, call, ...) list(kind = kind, call = substitute(call), tells = c(...))

# `rows`: named by what is bad; calls are evaluated in `env`. `watched`: what must stay as it is.
expect_bad <- function(rows, env, watched = list()) {
  for (row in names(rows)) {
    expected <- rows[[row]]
    clear_session(free_memory = FALSE)
    call <- paste0(paste(deparse(expected$call, width.cutoff = 500), collapse = "\n  "), "  # ", row)
    condition <- expect_refused(eval(expected$call, env), expected$kind, watched, call)
    for (words in expected$tells) testthat::expect_match(conditionMessage(condition), words, info = row)
  }
}
