# Texts in folders, and data sets whose batches go through a function (level 7).

#' Texts from a folder of files
#'
#' A data set of the `.txt` files below a folder, in batches. The texts of a class are in a folder of their own, which
#' gives it its name: `positive/`, `negative/`. Files are read when they are needed.
#'
#' A model that begins with [layer_text_vectorization()] takes the texts as they are; for others [dataset_map()] puts
#' them through such a layer first.
#'
#' @param directory The path of the folder.
#' @param labels `"inferred"`: from the folders; `NULL`: no labels; or whole numbers, one for each file in the order of
#'   their paths.
#' @param label_mode `"int"`, `"binary"` (`(batch, 1)`, for two classes), `"categorical"` (one-hot), or `NULL`: no
#'   labels.
#' @param class_names The names of the folders in the order of the classes; `NULL`: alphabetic.
#' @param batch_size Texts in a batch; `NULL`: single texts.
#' @param max_length Longer texts are cut after so many characters.
#' @param shuffle Whether to draw the texts in a new random order in every pass.
#' @param seed A whole number that decides over the order and the split; `NULL`: R's random numbers do.
#' @param validation_split The fraction of the texts kept for validation.
#' @param subset `"training"`, `"validation"` or `"both"` (a list of both) of the parts of `validation_split`.
#' @param follow_links Whether to look into folders that are links.
#' @param verbose Whether to say how many files there are.
#' @return A data set: its batches are lists of texts (a character array) and labels, or texts alone. `class_names` is
#'   one of its fields.
#' @source Behaves as
#'   [keras.utils.text_dataset_from_directory](https://keras.io/api/data_loading/text/#textdatasetfromdirectory-function);
#'   for the same `seed` it splits the files as Keras does.
#' @family data preparation
#' @export
#' @examples
#' folder <- tempfile()
#' for (class in c("happy", "sad")) dir.create(file.path(folder, class), recursive = TRUE)
#' writeLines("what a day", file.path(folder, "happy", "1.txt"))
#' writeLines("oh no", file.path(folder, "sad", "1.txt"))
#' texts <- text_dataset_from_directory(folder, shuffle = FALSE, verbose = FALSE)
#' iter_next(as_array_iterator(texts))
#'
#' vectorize <- layer_text_vectorization(vocabulary = c("what", "a", "day", "oh", "no"))
#' iter_next(as_array_iterator(texts |> dataset_map(\(text, label) list(vectorize(text), label))))
text_dataset_from_directory <- function(directory, labels = "inferred", label_mode = "int", class_names = NULL,
                                        batch_size = 32L, max_length = NULL, shuffle = TRUE, seed = NULL,
                                        validation_split = NULL, subset = NULL, follow_links = FALSE, verbose = TRUE) {
  label_mode <- check_choice(label_mode, c("int", "categorical", "binary"), allow_null = TRUE)
  seed <- check_whole(seed, min = 0, allow_null = TRUE)
  check_text_split(validation_split, subset, check_flag(shuffle), seed)
  files <- text_files(directory, labels, class_names, check_flag(follow_links))
  if (is.null(labels) || is.null(label_mode)) files$labels <- NULL
  if (identical(label_mode, "binary") && !is.null(files$labels) && length(files$class_names) != 2) {
    birnn_abort("{.code label_mode = \"binary\"} wants two classes, there {?is/are} {length(files$class_names)}.")
  }
  n <- length(files$paths)
  if (check_flag(verbose)) inform_text_files(n, files$class_names, validation_split)
  order <- if (!shuffle) seq_len(n) else if (is.null(seed)) sample.int(n) else numpy_orders(seed, n)[[1]]
  dataset <- function(rows, shuffle) {
    if (length(rows) == 0) abort_file("No texts are left for this part of {.file {directory}}.")
    structure(
      c(unclass(new_batch_dataset(
        take = text_taker(files, label_mode, check_whole(max_length, min = 1, allow_null = TRUE)), rows = rows,
        batch_size = check_whole(batch_size, min = 1, allow_null = TRUE),
        order = if (shuffle) shuffled_order(seed) else identity
      )), list(class_names = files$class_names)),
      class = "birnn_dataset"
    )
  }
  kept <- trunc((validation_split %||% 0) * n)
  training <- order[seq_len(n - kept)]
  validation <- order[n - kept + seq_len(kept)]
  switch(subset %||% "training", training = dataset(training, shuffle), validation = dataset(validation, shuffle),
         both = list(dataset(training, shuffle), dataset(validation, FALSE)))
}

check_text_split <- function(validation_split, subset, shuffle, seed, call = rlang::caller_env()) {
  check_number(validation_split, min = 0, max = 1, allow_null = TRUE, call = call)
  check_choice(subset, c("training", "validation", "both"), allow_null = TRUE, call = call)
  if (is.null(validation_split) != is.null(subset)) {
    birnn_abort("{.arg validation_split} and {.arg subset} must be given together.", call = call)
  }
  if (is.null(subset) || subset == "both" || !shuffle || !is.null(seed)) return(invisible())
  birnn_abort(c("With {.code shuffle = TRUE} the parts fit together only if they have the same {.arg seed}.",
                i = "Give {.arg seed}, or {.code subset = \"both\"}."), call = call)
}

# list(paths, labels (from 0) or NULL, class_names), in the order of classes and names.
text_files <- function(directory, labels, class_names, follow_links, call = rlang::caller_env()) {
  directory <- check_path(directory, call = call)
  if (!dir.exists(directory)) abort_file("There is no folder {.file {directory}}.", call = call)
  is_inferred <- identical(labels, "inferred")
  if (!is_inferred && !is.null(class_names)) {
    birnn_abort("{.arg class_names} only goes with {.code labels = \"inferred\"}.", call = call)
  }
  folders <- sort_plainly(list.dirs(directory, full.names = FALSE, recursive = FALSE))
  if (is_inferred && !is.null(class_names) && !setequal(class_names, folders)) {
    birnn_abort("{.arg class_names} must be the names of the folders: {.val {folders}}.", call = call)
  }
  classes <- if (is_inferred) class_names %||% folders else ""
  paths <- lapply(classes, function(class) text_paths(directory, class, follow_links))
  if (length(unlist(paths)) == 0) abort_file("There are no {.val .txt} files in {.file {directory}}.", call = call)
  numbers <- if (is_inferred) rep(seq_along(paths) - 1L, lengths(paths)) else given_labels(labels, paths[[1]], call)
  names <- if (is_inferred) classes else as.character(sort(unique(numbers)))
  list(paths = file.path(directory, unlist(paths)), labels = numbers, class_names = names)
}

given_labels <- function(labels, paths, call) {
  if (is.null(labels)) return(NULL)
  labels <- unlist(labels)
  if (!is.numeric(labels)) stop_not("\"inferred\", NULL, or whole numbers", labels, "labels", call)
  if (length(labels) != length(paths)) {
    birnn_abort("{.arg labels} must have one number for each of the {length(paths)} files, not {length(labels)}.",
                call = call)
  }
  as.integer(labels)
}

text_paths <- function(directory, class, follow_links) {
  paths <- list.files(file.path(directory, class), "[.]txt$", recursive = TRUE, ignore.case = TRUE)
  if (nzchar(class)) paths <- file.path(class, paths[nzchar(paths)], fsep = "/")
  if (!follow_links) {
    folders <- unique(dirname(paths))
    linked <- vapply(folders, function(folder) is_below_link(directory, folder), logical(1))
    paths <- paths[!dirname(paths) %in% folders[linked]]
  }
  sort_plainly(paths)
}

is_below_link <- function(directory, folder) {
  while (folder != ".") {
    if (nzchar(Sys.readlink(file.path(directory, folder)))) return(TRUE)
    folder <- dirname(folder)
  }
  FALSE
}

# By code points, whatever the language of the session.
sort_plainly <- function(x) sort(x, method = "radix")

inform_text_files <- function(n, class_names, validation_split) {
  kept <- trunc((validation_split %||% 0) * n)
  cli::cli_inform(c(
    if (length(class_names) > 0) "Found {n} file{?s} of {length(class_names)} class{?es}." else "Found {n} file{?s}.",
    if (kept > 0) "{n - kept} for training, {kept} for validation."
  ))
}

text_taker <- function(files, label_mode, max_length) {
  function(rows) {
    texts <- array(vapply(files$paths[rows], read_text, "", max_length = max_length, USE.NAMES = FALSE))
    if (is.null(files$labels)) return(texts)
    list(texts, text_labels(files$labels[rows], label_mode, length(files$class_names)))
  }
}

text_labels <- function(labels, label_mode, classes) {
  switch(label_mode, int = as_tensor(array(labels), dtype = "int32"), binary = as_tensor(matrix(as.numeric(labels))),
         categorical = as_tensor(to_categorical(labels, classes)))
}

# Bytes that are no UTF-8 become the sign for that.
read_text <- function(path, max_length) {
  bytes <- read_file(path)
  text <- iconv(rawToChar(bytes[bytes != 0]), "UTF-8", "UTF-8", sub = "\uFFFD")
  if (is.null(max_length)) text else substr(text, 1, max_length)
}

#' Batches through a function
#'
#' @param dataset A data set, see [timeseries_dataset_from_array()] and [text_dataset_from_directory()].
#' @param map_func A function of the parts of a batch (such as texts and labels), which returns the parts of the new
#'   batch. It gets whole batches, also where single samples are asked for.
#' @param num_parallel_calls Without effect.
#' @return A data set with the same samples.
#' @family data preparation
#' @export
#' @examples
#' windows <- timeseries_dataset_from_array(1:6, 2:7, sequence_length = 2, batch_size = 3)
#' scaled <- windows |> dataset_map(\(x, y) list(x / 10, y))
#' iter_next(as_array_iterator(scaled))
dataset_map <- function(dataset, map_func, num_parallel_calls = NULL) {
  if (!is_batch_dataset(dataset)) stop_not("a data set", dataset, "dataset", rlang::current_env())
  map_func <- rlang::as_function(map_func)
  parts <- unclass(dataset)
  take <- parts$take
  parts$take <- function(rows) {
    batch <- take(rows)
    if (is_plain_list(batch)) do.call(map_func, unname(batch)) else map_func(batch)
  }
  structure(parts, class = "birnn_dataset")
}
