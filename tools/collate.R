# Keeps `Collate:` in DESCRIPTION in the level order of tools/levels.txt: `Rscript tools/collate.R`, from the package's root.

read_levels <- function(tree, path = "tools/levels.txt") {
  lines <- grep("^#|^\\s*$", readLines(path), value = TRUE, invert = TRUE)
  words <- strsplit(trimws(lines), "\\s+")
  words <- words[vapply(words, `[`, "", 1) == tree]
  levels <- lapply(words, `[`, -(1:2))
  names(levels) <- vapply(words, `[`, "", 2)
  levels
}

# Position of each file in the level order; NA for a file that no pattern covers.
level_order <- function(files, levels) {
  patterns <- utils::glob2rx(unlist(levels, use.names = FALSE))
  first_match <- function(file) match(TRUE, vapply(patterns, grepl, NA, x = file))
  vapply(files, first_match, 0L, USE.NAMES = FALSE)
}

collate_order <- function(files, levels = read_levels("R")) {
  position <- level_order(files, levels)
  if (anyNA(position)) {
    stop("No level in tools/levels.txt for: ", toString(files[is.na(position)]), call. = FALSE)
  }
  files[order(position, files, method = "radix")]
}

write_collate <- function(description = "DESCRIPTION", folder = "R") {
  field <- paste0("    '", collate_order(list.files(folder, "\\.R$")), "'")
  lines <- readLines(description, encoding = "UTF-8")
  start <- match(TRUE, grepl("^Collate:", lines))
  if (is.na(start)) {
    kept <- lines
  } else {
    following <- which(!grepl("^\\s", lines) & seq_along(lines) > start)
    end <- if (length(following)) following[1] - 1 else length(lines)
    kept <- lines[-(start:end)]
  }
  writeLines(c(kept, "Collate: ", field), description, useBytes = TRUE)
}

if (sys.nframe() == 0) write_collate()
