# get_file() and where data sets lie on this computer. birnn downloads nothing (level 7).

#' A file from a path or the cache
#'
#' Scripts for Keras call `get_file()` to download a file once and then find it in the cache. birnn touches no network:
#' `get_file()` finds what is in the cache already, also in that of Keras (`~/.keras`), and copies local files into it.
#' For a file that is not there it says where to get it and where to put it.
#'
#' @param fname The name of the file in the cache; `NULL`: that of `origin`.
#' @param origin A path, a `file://` address, or the address from which a script would download the file.
#' @param ... Not used.
#' @param file_hash The checksum that the file must have, MD5 (32 digits) or SHA-256 (64 digits); `NULL`: any.
#' @param cache_subdir The folder within the cache.
#' @param hash_algorithm `"md5"`, `"sha256"`, or `"auto"`: by the number of digits.
#' @param extract Whether to unpack the file, a zip or a (compressed) tar archive.
#' @param archive_format `"auto"`, `"tar"` or `"zip"`.
#' @param cache_dir The cache; `NULL`: `tools::R_user_dir("birnn", "cache")`, and for reading also `KERAS_HOME` or
#'   `~/.keras`.
#' @param force_download Whether to copy a local file again. It is copied anyway if it is newer than the copy.
#' @return The path of the file, or of the folder with what was unpacked. An error of class `birnn_error_file` if the
#'   file is not on this computer, has another checksum, or is an archive with links or with paths that lead out of its
#'   folder.
#' @source Behaves as [keras.utils.get_file](https://keras.io/api/utils/python_utils/#getfile-function) without a
#'   network.
#' @family data preparation
#' @export
#' @examples
#' letter <- tempfile(fileext = ".txt")
#' writeLines("one line", letter)
#' copy <- get_file("letter.txt", origin = letter, cache_dir = tempdir())
#' readLines(copy)
get_file <- function(fname = NULL, origin = NULL, ..., file_hash = NULL, cache_subdir = "datasets",
                     hash_algorithm = "auto", extract = FALSE, archive_format = "auto", cache_dir = NULL,
                     force_download = FALSE) {
  check_known_names(rlang::names2(list(...)), names(formals(get_file)), "get_file()")
  origin <- check_path(origin)
  fname <- check_file_name(fname %||% basename(sub("[?#].*$", "", origin)))
  format <- check_choice(archive_format, c("auto", "tar", "zip"), arg = "archive_format")
  target <- file.path(cache_folders(cache_dir)[[1]], check_string(cache_subdir), fname)
  if (is_remote(origin)) {
    path <- find_in_caches(fname, cache_dir, cache_subdir) %||% abort_no_download(fname, origin, target)
  } else {
    path <- copy_to_cache(sub("^file://", "", origin), target, check_flag(force_download))
  }
  check_file_hash(path, file_hash, hash_algorithm)
  if (check_flag(extract)) unpack(path, paste0(sub("[.].*$", "", path), "_extracted"), format) else path
}

check_file_name <- function(fname, call = rlang::caller_env()) {
  fname <- check_string(fname, call = call)
  if (nzchar(fname) && basename(fname) == fname && !fname %in% c(".", "..")) return(fname)
  birnn_abort(c("{.arg fname} must be the name of a file, not {.val {fname}}.",
                i = "{.arg cache_dir} and {.arg cache_subdir} say in which folder it is."), call = call)
}

is_remote <- function(origin) grepl("^[a-zA-Z][a-zA-Z0-9+.-]+://", origin) && !startsWith(origin, "file://")

# The first one is ours; that of Keras is only read.
cache_folders <- function(cache_dir = NULL) {
  if (!is.null(cache_dir)) return(path.expand(check_string(cache_dir)))
  keras <- Sys.getenv("KERAS_HOME")
  c(tools::R_user_dir("birnn", "cache"), path.expand(if (nzchar(keras)) keras else "~/.keras"))
}

find_in_caches <- function(fname, cache_dir = NULL, cache_subdir = "datasets") {
  paths <- file.path(cache_folders(cache_dir), cache_subdir, fname)
  found <- paths[file.exists(paths)]
  if (length(found) > 0) found[[1]]
}

abort_no_download <- function(fname, origin, target, call = rlang::caller_env()) {
  abort_file(
    c("{.file {fname}} is not on this computer, and birnn downloads nothing.",
      i = "Get it from {.url {origin}} and put it here: {.file {target}}"),
    call = call
  )
}

copy_to_cache <- function(from, target, force, call = rlang::caller_env()) {
  if (!file.exists(from) || dir.exists(from)) abort_file("There is no file {.file {from}}.", call = call)
  if (normalizePath(from) == normalizePath(target, mustWork = FALSE)) return(target)
  is_new <- force || !file.exists(target) || file.mtime(from) > file.mtime(target)
  dir.create(dirname(target), recursive = TRUE, showWarnings = FALSE)
  if (is_new && !file.copy(from, target, overwrite = TRUE)) abort_file("{.file {target}} cannot be written.",
                                                                       call = call)
  target
}

check_file_hash <- function(path, file_hash, algorithm, call = rlang::caller_env()) {
  algorithm <- check_choice(algorithm, c("auto", "md5", "sha256"), arg = "hash_algorithm", call = call)
  file_hash <- check_string(file_hash, allow_null = TRUE, call = call)
  if (is.null(file_hash)) return(invisible())
  if (algorithm == "auto") algorithm <- if (nchar(file_hash) == 64) "sha256" else "md5"
  hash <- if (algorithm == "sha256") r_sha256(read_file(path, call)) else unname(tools::md5sum(path))
  if (hash == tolower(file_hash)) return(invisible())
  abort_file(c("{.file {path}} is incomplete or another file: its {algorithm} checksum is {.val {hash}}.",
               x = "Expected: {.val {file_hash}}"), call = call)
}

# --- archives -----------------------------------------------------------------------------------------------------

# Nothing is written before all names are known to be harmless.
unpack <- function(path, folder, format, call = rlang::caller_env()) {
  is_zip <- format == "zip" || format == "auto" && identical(readBin(path, "raw", 2), charToRaw("PK"))
  names <- if (is_zip) utils::unzip(path, list = TRUE)$Name else tar_names(path, call)
  leads_out <- grepl("^([/\\\\~]|[a-zA-Z]:)|(^|[/\\\\])[.][.]([/\\\\]|$)", names)
  if (any(leads_out)) {
    abort_file("The archive {.file {path}} has a path that leads out of it: {.val {names[leads_out][[1]]}}",
               call = call)
  }
  dir.create(folder, recursive = TRUE, showWarnings = FALSE)
  if (is_zip) utils::unzip(path, exdir = folder) else utils::untar(path, exdir = folder, tar = "internal")
  folder
}

# The names in a tar archive, whose members must be files and folders. Each has a header of 512 bytes with its name,
# size (octal) and type, and is filled up to a multiple of 512; two empty headers end the archive.
tar_names <- function(path, call) {
  connection <- gzfile(path, "rb")
  on.exit(close(connection))
  names <- character()
  repeat {
    header <- readBin(connection, "raw", 512L)
    if (length(header) == 512L && all(header == 0)) return(names)
    size <- if (length(header) == 512L) tar_number(header[125:136])
    if (is.null(size) || is.na(size)) abort_file("{.file {path}} is no tar archive, or is cut off.", call = call)
    type <- rawToChar(header[157][header[157] != 0])
    # x, g: attributes; L: a long name for the next member.
    if (!type %in% c("", "0", "5", "x", "g", "L")) {
      abort_file("The archive {.file {path}} holds links or devices, which are not unpacked.", call = call)
    }
    content <- readBin(connection, "raw", ceiling(size / 512) * 512)
    names <- c(names, if (type %in% c("L", "x")) tar_text(content) else tar_text(header[1:100]))
  }
}

tar_text <- function(bytes) {
  text <- rawToChar(bytes[cumsum(bytes == 0) == 0])
  # Attributes: "length path=name\n"
  if (grepl("(^|\n)[0-9]+ path=", text)) sub("\n.*", "", sub(".*?[0-9]+ path=", "", text)) else text
}

tar_number <- function(bytes) {
  digits <- gsub("[^0-7]", "", rawToChar(bytes[bytes != 0]))
  if (!nzchar(digits)) return(NA)
  sum(as.numeric(strsplit(digits, "")[[1]]) * 8^((nchar(digits) - 1):0))
}
