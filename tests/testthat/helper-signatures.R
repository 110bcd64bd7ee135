# The table of keras3's signatures (fixtures/signatures.txt) as functions, and their comparison with ours.

read_signatures <- function() {
  lines <- readLines(testthat::test_path("fixtures", "signatures.txt"))
  lines <- lines[nzchar(lines) & !startsWith(lines, "#")]
  is_list <- startsWith(lines, "[")
  lists <- sub("^\\[[^]]*\\] ", "", lines[is_list])
  names(lists) <- sub("^\\[([^]]*)\\].*", "\\1", lines[is_list])
  lines <- lines[!is_list]
  is_alias <- grepl(" = ", lines, fixed = TRUE) & !grepl("(", lines, fixed = TRUE)
  aliases <- do.call(rbind, strsplit(lines[is_alias], " = ", fixed = TRUE))
  signatures <- lines[!is_alias]
  names(signatures) <- sub("\\(.*", "", signatures)
  list(
    formals = lapply(signatures, signature_formals, lists = lists),
    aliases = stats::setNames(aliases[, 2], aliases[, 1])
  )
}

# [XY] stands for a list of arguments, [XY word] for one that has the word in the place of "@".
expand_signature <- function(signature, lists) {
  repeat {
    found <- regmatches(signature, regexpr("\\[[A-Z0-9]+( [a-z_0-9]+)?\\]", signature))
    if (length(found) == 0) return(signature)
    words <- strsplit(gsub("[][]", "", found), " ")[[1]]
    signature <- sub(found, sub("@", words[2], lists[[words[1]]]), signature, fixed = TRUE)
  }
}

signature_formals <- function(signature, lists) {
  arguments <- sub("^[^(]*", "", expand_signature(signature, lists))
  formals(eval(parse(text = paste("function", arguments, "NULL"))))
}

exported_function <- function(name) {
  if (name %in% getNamespaceExports("birnn")) return(getExportedValue("birnn", name))
  generic <- sub("\\..*", "", name)
  if (generic != name) utils::getS3method(generic, sub("^[^.]*\\.", "", name), optional = TRUE)
}

# What differs, in a line; NULL if nothing does. 1 and 1L are the same default.
signature_difference <- function(name, want) {
  fn <- exported_function(name)
  if (is.null(fn)) return(paste0(name, ": there is no such function"))
  got <- formals(fn)
  if (!identical(names(got), names(want))) {
    return(paste0(name, ": has (", toString(names(got)), "), wanted (", toString(names(want)), ")"))
  }
  text <- function(x) vapply(x, function(default) gsub("(?<=[0-9])L", "", rlang::expr_deparse(default)[1], perl = TRUE), "")
  differs <- text(got) != text(want)
  if (any(differs)) paste0(name, ": ", toString(paste0(names(want), " = ", text(got), ", wanted ", text(want))[differs]))
}
