# Reading the package's own sources: where they are, which level a file has, who calls and includes whom.

# The root of the sources, seen from the tests: the checkout, or the copy that R CMD check unpacks. NULL if neither.
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

# The table of levels, tools/levels.txt: calls and includes go down or sideways, never up.
file_levels <- function(tree) {
  collate <- new.env()
  sys.source(file.path(source_root(), "tools", "collate.R"), collate)
  levels <- collate$read_levels(tree, file.path(source_root(), "tools", "levels.txt"))
  flat <- rep(as.integer(names(levels)), lengths(levels))
  # The level (from 0) of each file name; NA if the table does not know it.
  function(paths) flat[collate$level_order(basename(paths), levels)]
}

# Names that a file gives to functions at its top level.
defined_functions <- function(path) {
  code <- parse(path, keep.source = FALSE)
  is_definition <- vapply(code, function(expression) {
    is.call(expression) && as.character(expression[[1]])[[1]] == "<-" && is.name(expression[[2]])
  }, logical(1))
  vapply(as.list(code[is_definition]), function(expression) as.character(expression[[2]]), character(1))
}

# Functions that a file calls by their bare name: not `x$name()`, `pkg::name()`, nor arguments of its functions.
called_functions <- function(path) {
  data <- utils::getParseData(parse(path, keep.source = TRUE))
  calls <- data[data$token == "SYMBOL_FUNCTION_CALL", ]
  qualified <- calls$parent %in% data$parent[data$token %in% c("SYMBOL_PACKAGE", "'$'", "'@'")]
  setdiff(calls$text[!qualified], data$text[data$token == "SYMBOL_FORMALS"])
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
