# Extensions, archives and HDF5 trees: what the functions that save and load have in common (level 8).
#
# Nothing that comes from a file is ever evaluated, opened, or used as a path. Reading happens in memory, by the readers
# of src/format_*.h; writing goes to a new file in the same folder, which takes the place of the old one when it is
# whole.

has_extension <- function(path, extensions) any(endsWith(tolower(path), extensions))

# A path to write to: with the right extension, and free unless it may be overwritten.
check_save_path <- function(filepath, extensions, overwrite, call = rlang::caller_env()) {
  path <- check_path(filepath, arg = "filepath", call = call)
  if (!has_extension(path, extensions)) {
    birnn_abort("{.arg filepath} must end in {.or {.val {extensions}}}, not {.val {basename(path)}}.", call = call)
  }
  if (file.exists(path) && !check_flag(overwrite, arg = "overwrite", call = call)) {
    abort_file(c("The file {.file {path}} exists already.", i = "To replace it, pass {.code overwrite = TRUE}."),
               call = call)
  }
  path
}

# Replaces the file, or leaves the old one as it is. A link stays a link to the file that is replaced.
write_file <- function(path, content, call = rlang::caller_env()) {
  target <- if (file.exists(path)) normalizePath(path, winslash = "/") else path
  with_file_errors(r_replace_file(enc2utf8(target), content), call)
}

# --- what a file is -----------------------------------------------------------------------------------------------

# "keras", "hdf5", or NULL for anything else. The content decides, not the name.
file_kind <- function(bytes) {
  if (starts_with(bytes, charToRaw("PK"))) return("keras")
  if (starts_with(bytes, as.raw(c(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)))) "hdf5"
}

abort_no_model <- function(what, call) {
  abort_file(c("{what} is neither a {.val .keras} nor an HDF5 file.",
               i = "R's own files are read by {.fn readRDS}, and only those of people you trust."), call = call)
}

# --- HDF5 trees ---------------------------------------------------------------------------------------------------

hdf5_group <- function(members = list(), attributes = list()) list(attributes = attributes, members = members)

# Attributes of text: one string, or a vector. Keras declares some as ASCII.
hdf5_text <- function(values, vector = FALSE, utf8 = TRUE) {
  list(values = as.character(values), vector = vector, utf8 = utf8)
}

is_hdf5_group <- function(node) !is.null(node$members)

# The node at a path of names, NULL if there is none.
hdf5_find <- function(node, path) {
  for (name in path) {
    if (is.null(node) || !is_hdf5_group(node) || !name %in% names(node$members)) return(NULL)
    node <- node$members[[name, exact = TRUE]]
  }
  node
}

# How many numbers the datasets of a tree hold.
stored_count <- function(node) {
  if (is_hdf5_group(node)) sum(0, vapply(node$members, stored_count, 1)) else prod(as.numeric(node$shape))
}

open_hdf5 <- function(bytes, call = rlang::caller_env()) with_file_errors(r_hdf5_read(bytes), call)

# The numbers of a dataset as a tensor of the type of `variable`.
hdf5_tensor <- function(file, node, dtype, call = rlang::caller_env()) {
  with_file_errors(r_hdf5_numbers(file, node$dataset, dtype), call)
}

write_json <- function(x) r_json_write(x)
