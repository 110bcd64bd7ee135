# The tokenizer of Keras 2: texts as numbers, one for each word, by frequency (level 7).

#' Words as numbers, as in Keras 2
#'
#' `fit_text_tokenizer()` numbers the words of texts by their frequency, the most frequent one is 1;
#' `texts_to_sequences()` replaces words by these numbers. New code uses [layer_text_vectorization()].
#'
#' @param num_words Only the words with numbers below this one are kept; `NULL`: all.
#' @param filters Characters that separate words like blanks.
#' @param lower Whether to turn texts to lower case.
#' @param split What separates words.
#' @param char_level Whether every character is a word.
#' @param oov_token A word that stands for all unknown ones (it gets number 1); `NULL`: they are left out.
#' @param object,tokenizer What `text_tokenizer()` returned.
#' @param x,texts A character vector.
#' @param text A single text.
#' @return `text_tokenizer()`: an environment with `word_index`, `word_counts` and `document_count` once fitted.
#'   `fit_text_tokenizer()`: `object`, changed in place. `texts_to_sequences()`: a list of integer vectors.
#'   `text_to_word_sequence()`: a character vector.
#' @family data preparation
#' @export
#' @examples
#' tokenizer <- text_tokenizer(num_words = 10) |> fit_text_tokenizer(c("the cat sat", "The dog sat!"))
#' texts_to_sequences(tokenizer, "the dog sat")
text_tokenizer <- function(num_words = NULL, filters = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n", lower = TRUE,
                           split = " ", char_level = FALSE, oov_token = NULL) {
  tokenizer <- rlang::env(
    num_words = check_whole(num_words, min = 1, allow_null = TRUE), filters = check_string(filters),
    lower = check_flag(lower), split = check_string(split), char_level = check_flag(char_level),
    oov_token = check_string(oov_token, allow_null = TRUE), word_index = list(), word_counts = list(),
    document_count = 0L
  )
  structure(tokenizer, class = "birnn_tokenizer")
}

#' @export
print.birnn_tokenizer <- function(x, ...) {
  cat("<Tokenizer words=", length(x$word_index), ", texts=", x$document_count, ">\n", sep = "")
  invisible(x)
}

tokenized <- function(object, texts) {
  lapply(as.character(unlist(texts)), function(text) {
    if (object$char_level) return(strsplit(if (object$lower) tolower(text) else text, "")[[1L]])
    text_to_word_sequence(text, object$filters, object$lower, object$split)
  })
}

#' @rdname text_tokenizer
#' @export
fit_text_tokenizer <- function(object, x) {
  if (!inherits(object, "birnn_tokenizer")) stop_not("what text_tokenizer() returned", object, "object", environment())
  words <- unlist(tokenized(object, x))
  counts <- unlist(object$word_counts) %||% numeric()
  fresh <- table(factor(words, levels = unique(words)))
  for (word in names(fresh)) counts[[word]] <- (if (word %in% names(counts)) counts[[word]] else 0) + fresh[[word]]
  object$word_counts <- as.list(counts)
  # Words of the same frequency keep the order in which they came.
  ranked <- c(object$oov_token, setdiff(names(counts)[order(-counts)], object$oov_token))
  object$word_index <- rlang::set_names(as.list(seq_along(ranked)), ranked)
  object$document_count <- object$document_count + length(unlist(x))
  object
}

#' @rdname text_tokenizer
#' @export
texts_to_sequences <- function(tokenizer, texts) {
  if (!inherits(tokenizer, "birnn_tokenizer")) {
    stop_not("what text_tokenizer() returned", tokenizer, "tokenizer", environment())
  }
  index <- unlist(tokenizer$word_index)
  lapply(tokenized(tokenizer, texts), function(words) {
    numbers <- unname(index[words])
    if (!is.null(tokenizer$num_words)) numbers[!is.na(numbers) & numbers >= tokenizer$num_words] <- NA
    if (!is.null(tokenizer$oov_token)) numbers[is.na(numbers)] <- 1L
    as.integer(numbers[!is.na(numbers)])
  })
}

#' @rdname text_tokenizer
#' @export
text_to_word_sequence <- function(text, filters = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n", lower = TRUE, split = " ") {
  if (lower) text <- tolower(text)
  text <- chartr(filters, strrep(split, nchar(filters)), text)
  words <- strsplit(text, split, fixed = TRUE)[[1L]]
  words[nzchar(words)]
}

#' Windows of a series as a generator, as in Keras 2
#'
#' Gives batches of windows again and again: a function for [fit()][fit.birnn_model] with `steps_per_epoch`. New code
#' uses [timeseries_dataset_from_array()], which has an end.
#'
#' @param data A matrix (time, features) or a vector.
#' @param targets Targets, one for each time.
#' @param length The length of the windows; the target is that of the time `length` after their start.
#' @param sampling_rate,stride Steps between times within a window, and between the starts of windows.
#' @param start_index,end_index The first and the last time that is used, counted from 0.
#' @param shuffle Whether to give windows in random order.
#' @param reverse Whether to turn windows around.
#' @param batch_size The number of windows in a batch.
#' @return A function that returns `list(x, y)`.
#' @family data preparation
#' @export
#' @examples
#' batches <- timeseries_generator(matrix(1:10), 1:10, length = 3, batch_size = 4)
#' batches()[[2]]
timeseries_generator <- function(data, targets, length, sampling_rate = 1, stride = 1, start_index = 0,
                                 end_index = NULL, shuffle = FALSE, reverse = FALSE, batch_size = 128) {
  data <- as.matrix(data)
  last <- check_whole(end_index %||% (nrow(data) - 1L), min = 0, max = nrow(data) - 1)
  first <- check_whole(start_index, min = 0) + check_whole(length, min = 1)
  if (first > last) birnn_abort("{.arg length} leaves no window between {.arg start_index} and {.arg end_index}.")
  ends <- seq(first, last, by = check_whole(stride, min = 1))
  offsets <- seq(-length, -1, by = check_whole(sampling_rate, min = 1))
  if (check_flag(reverse)) offsets <- rev(offsets)
  position <- 0L
  draw <- function() {
    picked <- if (shuffle) sample(ends, min(batch_size, base::length(ends)), replace = TRUE) else {
      ends[position + seq_len(min(batch_size, base::length(ends) - position))]
    }
    position <<- if (position + batch_size >= base::length(ends)) 0L else position + as.integer(batch_size)
    rows <- outer(picked, offsets, `+`) + 1L
    x <- array(data[as.vector(rows), ], c(dim(rows), ncol(data)))
    y <- if (is.null(dim(targets))) targets[picked + 1L] else targets[picked + 1L, , drop = FALSE]
    list(x, y)
  }
  structure(draw, endless = TRUE)
}
