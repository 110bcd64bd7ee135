# Reading the package's own sources: where they are, which level a file has, who calls and includes whom.

# The root of the sources, from the tests' own place: the checkout, or the copy that R CMD check unpacks. NULL if neither.
source_root <- function() {
  places <- file.path(testthat::test_path(), c("../..", "../../00_pkg_src/birnn", "../../../birnn"))
  is_root <- vapply(places, function(place) {
    all(dir.exists(file.path(place, c("R", "src")))) && file.exists(file.path(place, "DESCRIPTION"))
  }, logical(1))
  if (any(is_root)) normalizePath(places[is_root][[1]])
}

skip_without_sources <- function() {
  testthat::skip_if_not(!is.null(source_root()), "the sources are not beside the tests")
}

source_files <- function(folder, pattern) {
  list.files(file.path(source_root(), folder), pattern, full.names = TRUE)
}

# Levels of R/: calls go down or sideways, never up. A new kind of file gets a line here and in ARCHITECTURE.md.
r_levels <- list(
  c("registry", "checks", "conditions", "utils", "handle"),
  c("tensor", "tensor-symbolic", "variable", "shape", "tape"),
  c("op-apply", "ops-[a-z-]+", "random"),
  c("serialize", "activations[a-z-]*", "initializers[a-z-]*", "regularizers", "constraints", "losses[a-z-]*", "metrics[a-z-]*",
    "optimizers[a-z-]*", "schedules"),
  "layer(-[a-z-]+)?",
  c("layers-[a-z-]+", "rnn-[a-z-]+"),
  "model(-[a-z-]+)?",
  c("train-[a-z-]+", "plan", "history", "callbacks[a-z-]*", "data-[a-z-]+"),
  "save-[a-z-]+",
  c("birnn-package", "zzz", "reexports", "RcppExports")
)

# Levels of src/: a file includes files of its own and of lower levels.
cpp_levels <- list(
  c("view", "types", "shape", "error"),
  c("kernel_[a-z0-9_]+", "gemm", "activation", "random", "parallel", "format_[a-z0-9_]+"),
  c("schedule", "cell_[a-z_]+", "recurrent[a-z_]*", "bidirectional", "merge", "conv_lstm"),
  c("op", "storage", "arena", "tape", "plan", "backward", "ops_[a-z_]+", "optimizer"),
  c("r_[a-z_]+", "RcppExports")
)

# The level (from 0) of a file name without folder and extension; NA if the table does not know it.
level_of <- function(stem, levels) {
  known <- vapply(levels, function(names) any(grepl(sprintf("^(%s)$", paste(names, collapse = "|")), stem)), logical(1))
  if (any(known)) which(known)[[1]] - 1L else NA_integer_
}

stem_of <- function(path) sub("[.][A-Za-z]+$", "", basename(path))

parse_data <- function(path) utils::getParseData(parse(path, keep.source = TRUE), includeText = TRUE)

# Names that a file gives to functions at its top level.
defined_functions <- function(path) {
  code <- parse(path, keep.source = FALSE)
  is_definition <- vapply(code, function(expression) {
    is.call(expression) && as.character(expression[[1]])[[1]] == "<-" && is.name(expression[[2]])
  }, logical(1))
  vapply(as.list(code[is_definition]), function(expression) as.character(expression[[2]]), character(1))
}

# Functions that a file calls by their bare name: not `x$name()`, `pkg::name()`, nor its own arguments and local variables.
called_functions <- function(path) {
  data <- parse_data(path)
  calls <- data[data$token == "SYMBOL_FUNCTION_CALL", ]
  siblings <- lapply(calls$parent, function(parent) data$token[data$parent == parent])
  qualified <- vapply(siblings, function(tokens) any(tokens %in% c("SYMBOL_PACKAGE", "'$'", "'@'")), logical(1))
  arguments <- data$text[data$token == "SYMBOL_FORMALS"]
  setdiff(calls$text[!qualified], arguments)
}

cpp_includes <- function(path, kind = c("own", "system")) {
  pattern <- if (match.arg(kind) == "own") '^ *# *include *"([^"]+)".*' else "^ *# *include *<([^>]+)>.*"
  lines <- grep(pattern, readLines(path, warn = FALSE), value = TRUE)
  sub(pattern, "\\1", lines)
}

# The code of a C++ file without comments and literals.
cpp_code <- function(path) {
  text <- paste(readLines(path, warn = FALSE), collapse = "\n")
  text <- gsub("/\\*.*?\\*/", " ", text, perl = TRUE)
  text <- gsub("//[^\n]*", " ", text)
  gsub('"(\\\\.|[^"\\\\\n])*"', '""', text)
}
