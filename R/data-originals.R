# Keras' own data sets, from files that the user has (level 7).

keras_datasets_address <- "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

# The path of a file: as given, or in a cache. `others`: names under which it may lie in the cache, too.
dataset_path <- function(path, original, others = NULL, call = rlang::caller_env()) {
  path <- check_path(path, arg = "path", call = call)
  if (file.exists(path)) return(path)
  for (name in c(basename(path), others)) {
    found <- find_in_caches(name)
    if (!is.null(found)) return(found)
  }
  abort_no_download(original, paste0(keras_datasets_address, original),
                    file.path(cache_folders()[[1]], "datasets", original), call)
}

#' Data sets of Keras
#'
#' The data sets that examples for Keras begin with. birnn downloads nothing, and these files are no part of it: each
#' function reads the original file where it lies. That is `path`, or a file of this name in the folder `datasets` of
#' `tools::R_user_dir("birnn", "cache")` or of Keras' own cache, `~/.keras`: what Keras has downloaded on this computer
#' is found. Otherwise the error says where to get the file and where to put it. For examples that need no file see
#' [dataset_japanese_vowels()].
#'
#' Orders and splits are those of Keras, number by number, for the same `seed`.
#'
#' @section Files:
#' The `.npz` archives of NumPy are read by birnn itself. Two of them, `imdb.npz` and `reuters.npz`, hold Python objects
#' ("pickles"), which are programs: birnn reads them as data, that is lists of whole numbers, and refuses anything else.
#'
#' @param path The path of the file, or its name in a cache.
#' @param num_words Words are numbered by their frequency: the number to stop before; `NULL`: keep all (but, as in
#'   Keras, the very last one).
#' @param skip_top The number of the first word to keep: frequent words say little.
#' @param maxlen Sequences of this length and longer ones are left out.
#' @param seed Decides over the order of the samples.
#' @param start_char The number at the start of each sequence; `NULL`: none.
#' @param oov_char What words that are not kept become; `NULL`: they are left out.
#' @param index_from The number of the most frequent word is this plus one.
#' @param test_split The fraction of the samples, the last ones, that makes the test data.
#' @param version `"small"`: the first 600 samples only.
#' @param convert Without effect: results are always R objects.
#' @return A list `list(train = list(x, y), test = list(x, y))`, which can be taken apart with
#'   `c(c(x_train, y_train), c(x_test, y_test)) %<-% dataset_mnist()`.
#'
#' * `dataset_imdb()`, `dataset_reuters()`: `x` is a list of integer vectors, `y` an integer vector of classes from 0.
#' * `dataset_mnist()`, `dataset_fashion_mnist()`: `x` is an array `(samples, 28, 28)` of numbers from 0 to 255, `y` an
#'   array of classes from 0.
#' * `dataset_boston_housing()`: `x` is an array `(samples, 13)`; `dataset_california_housing()`: `(samples, 8)`. `y`
#'   are prices.
#' * `dataset_imdb_word_index()`, `dataset_reuters_word_index()`: a named list of the numbers of words, from 1; add
#'   `index_from` to find them in `x`.
#'
#' Errors have the class `birnn_error_file`.
#' @source <https://keras.io/api/datasets/>
#' @family data preparation
#' @export
#' @examples
#' # Says where to get the file, unless it is there.
#' try(str(dataset_boston_housing()))
dataset_imdb <- function(path = "imdb.npz", num_words = NULL, skip_top = 0L, maxlen = NULL, seed = 113L,
                         start_char = 1L, oov_char = 2L, index_from = 3L, convert = TRUE) {
  arrays <- read_npz(dataset_path(path, "imdb.npz"), c("x_train", "y_train", "x_test", "y_test"))
  orders <- numpy_orders(check_whole(seed, min = 0), lengths(arrays[c("x_train", "x_test")]))
  train <- marked_sequences(arrays$x_train[orders[[1]]], arrays$y_train[orders[[1]]], start_char, index_from, maxlen)
  test <- marked_sequences(arrays$x_test[orders[[2]]], arrays$y_test[orders[[2]]], start_char, index_from, maxlen)
  x <- kept_words(c(train$x, test$x), num_words, skip_top, oov_char)
  split_samples(x, c(train$y, test$y), length(train$x))
}

#' @rdname dataset_imdb
#' @export
dataset_reuters <- function(path = "reuters.npz", num_words = NULL, skip_top = 0L, maxlen = NULL, test_split = 0.2,
                            seed = 113L, start_char = 1L, oov_char = 2L, index_from = 3L, convert = TRUE) {
  arrays <- read_npz(dataset_path(path, "reuters.npz"), c("x", "y"))
  order <- numpy_orders(check_whole(seed, min = 0), length(arrays$x))[[1]]
  all <- marked_sequences(arrays$x[order], arrays$y[order], start_char, index_from, maxlen)
  x <- kept_words(all$x, num_words, skip_top, oov_char)
  split_samples(x, all$y, train_count(length(x), test_split))
}

# Sequences with a first number, words counted from `index_from` on, and no long ones.
marked_sequences <- function(x, y, start_char, index_from, maxlen, call = rlang::caller_env()) {
  if (!is.list(x)) abort_file("The file holds no sequences.", call = call)
  start <- check_whole(start_char, allow_null = TRUE, arg = "start_char", call = call)
  shift <- check_whole(index_from, min = 0, allow_null = TRUE, arg = "index_from", call = call) %||% 0L
  maxlen <- check_whole(maxlen, min = 1, allow_null = TRUE, arg = "maxlen", call = call)
  x <- lapply(x, function(words) c(start, words + shift))
  if (!is.null(maxlen)) {
    kept <- lengths(x) < maxlen
    if (!any(kept)) birnn_abort("No sequence is shorter than {.arg maxlen}, {maxlen}.", call = call)
    x <- x[kept]
    y <- y[kept]
  }
  list(x = x, y = as.integer(y))
}

kept_words <- function(x, num_words, skip_top, oov_char, call = rlang::caller_env()) {
  first <- check_whole(skip_top, min = 0, arg = "skip_top", call = call)
  end <- check_whole(num_words, min = 0, allow_null = TRUE, arg = "num_words", call = call) %||% 0L
  oov <- check_whole(oov_char, allow_null = TRUE, arg = "oov_char", call = call)
  if (end == 0L) end <- max(0L, unlist(x))
  lapply(x, function(words) {
    keep <- words >= first & words < end
    if (is.null(oov)) words[keep] else ifelse(keep, words, oov)
  })
}

# The first `count` samples and the others. `x`: a list or an array.
split_samples <- function(x, y, count) {
  rows <- function(x, i) {
    if (length(dim(x)) < 2) return(if (is.null(dim(x))) x[i] else array(x[i]))
    array(matrix(x, nrow(x))[i, , drop = FALSE], c(length(i), dim(x)[-1]))
  }
  first <- seq_len(count)
  others <- count + seq_len(length(y) - count)
  list(train = list(x = rows(x, first), y = rows(y, first)), test = list(x = rows(x, others), y = rows(y, others)))
}

train_count <- function(n, test_split, call = rlang::caller_env()) {
  trunc(n * (1 - check_number(test_split, min = 0, max = 1, arg = "test_split", call = call)))
}

#' @rdname dataset_imdb
#' @export
dataset_imdb_word_index <- function(path = "imdb_word_index.json") {
  read_json(read_file(dataset_path(path, "imdb_word_index.json")))
}

# Scripts that ran with keras3 left the file under the name .pkl, although it is JSON.
#' @rdname dataset_imdb
#' @export
dataset_reuters_word_index <- function(path = "reuters_word_index.json") {
  read_json(read_file(dataset_path(path, "reuters_word_index.json", others = "reuters_word_index.pkl")))
}

#' @rdname dataset_imdb
#' @export
dataset_mnist <- function(path = "mnist.npz", convert = TRUE) {
  arrays <- read_npz(dataset_path(path, "mnist.npz"), c("x_train", "y_train", "x_test", "y_test"))
  list(train = list(x = arrays$x_train, y = arrays$y_train), test = list(x = arrays$x_test, y = arrays$y_test))
}

#' @rdname dataset_imdb
#' @export
dataset_boston_housing <- function(path = "boston_housing.npz", test_split = 0.2, seed = 113L, convert = TRUE) {
  read_housing(dataset_path(path, "boston_housing.npz"), Inf, seed, test_split)
}

#' @rdname dataset_imdb
#' @export
dataset_california_housing <- function(version = "large", path = "california_housing.npz", test_split = 0.2,
                                       seed = 113L, convert = TRUE) {
  samples <- if (check_choice(version, c("large", "small")) == "small") 600 else Inf
  read_housing(dataset_path(path, "california_housing.npz"), samples, seed, test_split)
}

read_housing <- function(path, samples, seed, test_split, call = rlang::caller_env()) {
  arrays <- read_npz(path, c("x", "y"), call)
  n <- min(length(arrays$y), samples)
  order <- numpy_orders(check_whole(seed, min = 0, call = call), n)[[1]]
  split_samples(arrays$x[order, , drop = FALSE], array(arrays$y[order]), train_count(n, test_split, call))
}

#' @rdname dataset_imdb
#' @export
dataset_fashion_mnist <- function(convert = TRUE) {
  part <- function(name) {
    list(x = read_idx(paste0(name, "-images-idx3-ubyte.gz")), y = read_idx(paste0(name, "-labels-idx1-ubyte.gz")))
  }
  list(train = part("train"), test = part("t10k"))
}

# The format of the original digits: two zeros, the type (8: bytes), the number of axes, their sizes, the numbers.
read_idx <- function(name, call = rlang::caller_env()) {
  path <- find_in_caches(name, cache_subdir = "datasets/fashion-mnist") %||% dataset_path(name, name, call = call)
  connection <- gzfile(path, "rb")
  on.exit(close(connection))
  type <- readBin(connection, "raw", 4L)
  if (length(type) != 4 || type[[3]] != 8) abort_file("The file {.file {path}} holds no images or labels.", call = call)
  sizes <- readBin(connection, "integer", as.integer(type[[4]]), size = 4L, endian = "big")
  numbers <- as.integer(readBin(connection, "raw", prod(sizes)))
  if (length(numbers) != prod(sizes)) abort_file("The file {.file {path}} is cut off.", call = call)
  aperm(array(numbers, rev(sizes)))
}
