# Text vectorization: strings as indices or counts of words (level 5).

TextVectorization <- R6::R6Class("TextVectorization",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      max_tokens = arg_whole(min = 1, allow_null = TRUE),
      standardize = argument(function(x, arg, call) check_text_rule(x, names(text_standards), arg, call)),
      split = argument(function(x, arg, call) check_text_rule(x, names(text_splits), arg, call)),
      ngrams = argument(function(x, arg, call) check_ngrams(x, arg, call), save = function(sizes) {
        if (!is.null(sizes)) config_sizes(sizes)
      }),
      output_mode = argument(function(x, arg, call) {
        if (is.character(x) && length(x) == 1 && x %in% names(older_text_modes)) x <- older_text_modes[[x]]
        check_choice(x, text_modes, arg = arg, call = call)
      }),
      output_sequence_length = arg_whole(min = 1, allow_null = TRUE),
      pad_to_max_tokens = arg_flag,
      vocabulary = argument(
        function(x, arg, call) check_vocabulary_argument(x, arg, call), field = "terms",
        save = function(terms) if (!is.null(terms)) I(terms)
      ),
      # With a weight for unknown words in front.
      idf_weights = argument(
        function(x, arg, call) if (!is.null(x)) unlist(x), field = "idf",
        save = function(idf) if (!is.null(idf)) config_sizes(idf[-1])
      ),
      sparse = arg_fixed(FALSE),
      ragged = arg_fixed(FALSE, "Sequences are padded with 0."),
      encoding = argument(function(x, arg, call) check_string(x, arg = arg, call = call))
    ),
    casts_inputs = FALSE,
    # Texts stay R's own until they are numbers.
    reads_text = TRUE,
    built = TRUE,

    initialize = function(..., .call = NULL) {
      super$initialize(..., .call = .call)
      check_text_lengths(self, .call)
      given <- list(self$terms, self$idf)
      self$terms <- self$idf <- NULL
      if (!is.null(given[[1]])) self$set_vocabulary(given[[1]], given[[2]], .call)
    },

    # --- the vocabulary ---

    special_tokens = function() if (self$output_mode == "int") c("", unknown_token) else unknown_token,

    get_vocabulary = function(include_special_tokens = TRUE) {
      c(if (include_special_tokens) self$special_tokens(), self$terms)
    },

    set_vocabulary = function(vocabulary, idf_weights = NULL, call = NULL) {
      found <- checked_vocabulary(self, vocabulary, idf_weights, call)
      self$terms <- found$terms
      self$idf <- found$idf
      invisible(self$handle)
    },

    # The most frequent words first; of equally frequent ones the last in the order of their bytes.
    adapt_to = function(batches) {
      words <- lapply(batches, function(batch) self$tokens(as_texts(batch, self, "data")$texts))
      words <- unlist(words, recursive = FALSE)
      counts <- table_of_words(unlist(words))
      counts <- counts[!names(counts) %in% self$special_tokens() & names(counts) != ""]
      terms <- names(counts)[order(counts, names(counts), decreasing = TRUE, method = "radix")]
      room <- if (is.null(self$max_tokens)) length(terms) else self$max_tokens - length(self$special_tokens())
      self$terms <- utils::head(terms, room)
      self$idf <- if (self$output_mode == "tf_idf") inverse_frequencies(words, self$terms)
    },

    # --- from texts to numbers ---

    output_dtype = function() if (self$output_mode == "int") "int32" else self$dtype,

    # What comes out for a symbolic input. Without a fixed length, texts are as long as the longest one in a batch.
    symbolic_shape = function(inputs) {
      shape <- tensor_shape(inputs)
      if (!is_text_tensor(inputs) || length(shape) > 2L || length(shape) == 2L && !identical(shape[[2L]], 1L)) {
        birnn_abort(c("Layer {.val {self$name}} reads texts, one for each sample: its input cannot have shape
                       {format_shape(shape)} and dtype {.val {tensor_dtype(inputs)}}.",
                      i = "Use {.code keras_input(shape = 1, dtype = \"string\")}."), kind = "type", call = NULL)
      }
      width <- if (self$output_mode == "int") self$output_sequence_length else row_width(self)
      c(shape[[1L]], width %||% NA_integer_)
    },

    # A list with the words of each text.
    tokens = function(texts) {
      texts <- apply_text_rule(self$standardize, text_standards, texts)
      words <- apply_text_rule(self$split, text_splits, texts)
      if (is.null(self$ngrams)) as.list(words) else lapply(words, joined_words, sizes = self$ngrams)
    },

    call = function(inputs) {
      if (is_graph_tensor(inputs)) return(new_symbolic(self$symbolic_shape(inputs), self$output_dtype()))
      if (is_symbolic(inputs) || is_tensor(inputs) && !is.null(running$texts)) {
        return(call_own_code(function(codes) self$call(texts_of(codes)), list(inputs)))
      }
      given <- as_texts(inputs, self, "inputs")
      if (is.null(self$terms)) {
        birnn_abort(c("Layer {.val {self$name}} has no vocabulary yet.",
                      i = "Call {.fn adapt} on texts, or give {.arg vocabulary}."), kind = "state", call = NULL)
      }
      words <- self$tokens(given$texts)
      numbers <- if (self$output_mode == "int") word_indices(self, words) else word_counts(self, words)
      if (given$is_single) numbers <- numbers[1, ]
      dtype <- self$output_dtype()
      if (given$is_single) one_axis_tensor(numbers, dtype) else as_tensor(numbers, dtype)
    }
  )
)

unknown_token <- "[UNK]"
text_modes <- c("int", "multi_hot", "count", "tf_idf")
older_text_modes <- c("binary" = "multi_hot", "tf-idf" = "tf_idf")   # as Keras 2 has them

# --- rules --------------------------------------------------------------------------------------------------------

strip_punctuation <- function(x) gsub("[!-/:-@\\[-`{-~]", "", x, perl = TRUE)

text_standards <- list(
  lower_and_strip_punctuation = function(x) strip_punctuation(tolower(x)), lower = tolower,
  strip_punctuation = strip_punctuation
)

text_splits <- list(
  whitespace = function(x) lapply(strsplit(x, "[[:space:]]+"), function(words) words[nzchar(words)]),
  character = function(x) strsplit(x, "")
)

check_text_rule <- function(x, choices, arg, call) {
  if (is.null(x) || (is.function(x) && !is_handle(x))) return(x)
  check_choice(x, choices, arg = arg, call = call)
}

apply_text_rule <- function(rule, rules, texts) {
  if (is.null(rule)) return(texts)
  if (is.function(rule)) rule(texts) else rules[[rule]](texts)
}

# One number: all sizes up to it.
check_ngrams <- function(x, arg, call) {
  if (is.null(x)) return(NULL)
  sizes <- vapply(unlist(x), check_whole, 1L, min = 1, arg = arg, call = call)
  if (length(sizes) == 1 && !is.list(x) && !inherits(x, "AsIs")) seq_len(sizes) else sizes
}

# Runs of 1, 2, ... words, the shorter ones first.
joined_words <- function(words, sizes) {
  runs <- lapply(sizes, function(size) {
    starts <- seq_len(max(0, length(words) - size + 1))
    vapply(starts, function(start) paste(words[start + seq_len(size) - 1], collapse = " "), "")
  })
  unlist(runs) %||% character()
}

check_text_lengths <- function(self, call) {
  if (self$output_mode != "int" && !is.null(self$output_sequence_length)) {
    birnn_abort("{.arg output_sequence_length} is for {.code output_mode = \"int\"}, not {.val {self$output_mode}}.",
                call = call)
  }
  if (self$pad_to_max_tokens && is.null(self$max_tokens)) {
    birnn_abort("{.arg pad_to_max_tokens} needs {.arg max_tokens}.", call = call)
  }
}

# --- vocabulary ---------------------------------------------------------------------------------------------------

# A vector of words; a single string is the path of a file with a word in each line.
check_vocabulary_argument <- function(x, arg, call) {
  if (is.null(x)) return(NULL)
  words <- if (is.list(x)) unlist(x) else x
  if (!is.character(words) || anyNA(words)) stop_not("a vector of words, or the path of a file", x, arg, call)
  if (length(words) != 1 || is.list(x) || inherits(x, "AsIs")) return(as.vector(words))
  if (running$config_depth > 0L) {
    birnn_abort("A config cannot make a layer read the file {.file {words}}.", kind = "config", call = call)
  }
  if (!file.exists(words)) {
    birnn_abort(c("The file {.file {words}} of {.arg {arg}} does not exist.",
                  i = "A vocabulary of one word is written {.code list(\"word\")}."), call = call)
  }
  readLines(words, encoding = "UTF-8", warn = FALSE)
}

# The words without special tokens in front, and their weights.
checked_vocabulary <- function(self, vocabulary, idf_weights, call) {
  terms <- check_vocabulary_argument(vocabulary, "vocabulary", call)
  special <- self$special_tokens()
  has_special <- identical(utils::head(terms, length(special)), special)
  if (has_special) terms <- terms[-seq_along(special)]
  twice <- c(terms[duplicated(terms)], intersect(terms, c("", special)))
  if (length(twice) > 0) {
    birnn_abort("The word {.val {twice[[1]]}} must not be in {.arg vocabulary} twice, nor be a special token.",
                call = call)
  }
  size <- length(terms) + length(special)
  if (!is.null(self$max_tokens) && size > self$max_tokens) {
    birnn_abort("{.arg vocabulary} has {size} words with the special ones, more than {.arg max_tokens}
                 {self$max_tokens}.", call = call)
  }
  list(terms = terms, idf = checked_idf(self, idf_weights, terms, has_special, call))
}

# One weight a word, and perhaps one in front for unknown words.
checked_idf <- function(self, idf, terms, has_special, call) {
  is_needed <- self$output_mode == "tf_idf"
  if (is_needed == is.null(idf)) {
    birnn_abort("{.arg idf_weights} {if (is_needed) 'must' else 'can only'} be given for
                 {.code output_mode = \"tf_idf\"}.", call = call)
  }
  if (!is_needed) return(NULL)
  if (!is.numeric(idf) || !length(idf) %in% (length(terms) + if (has_special) 1 else 0)) {
    birnn_abort("{.arg idf_weights} must have one number for each of the {length(terms)} words, not {length(idf)}.",
                call = call)
  }
  if (has_special) as.numeric(idf) else c(mean(idf), idf)
}

table_of_words <- function(words) {
  words <- words %||% character()
  terms <- unique(words)
  rlang::set_names(tabulate(match(words, terms), length(terms)), terms)
}

# log(1 + texts / (1 + texts with the word)); for unknown words the mean of all.
inverse_frequencies <- function(words, terms) {
  texts_with <- table_of_words(unlist(lapply(words, unique)))
  idf <- log(1 + length(words) / (1 + unname(texts_with[terms])))
  c(mean(idf), idf)
}

# --- numbers ------------------------------------------------------------------------------------------------------

# Strings in a vector, in a matrix with one column, or in a list: list(texts, is_single).
as_texts <- function(x, self, arg) {
  texts <- if (is_plain_list(x)) unlist(x) else if (is.factor(x)) as.character(x) else x
  sizes <- dim(texts)
  is_column <- is.null(sizes) || length(sizes) == 1 || (length(sizes) == 2 && sizes[[2]] == 1)
  if (!is.character(texts) || !is_column) {
    birnn_abort("{.arg {arg}} of layer {.val {self$name}} must be texts, in a vector or in one column, not
                 {describe_value(x)}.", kind = "type", call = NULL)
  }
  if (anyNA(texts)) {
    birnn_abort("{.arg {arg}} of layer {.val {self$name}} must not hold {.val NA}: text {which(is.na(texts))[[1]]} is.",
                call = NULL)
  }
  list(texts = enc2utf8(as.vector(texts)), is_single = is.null(sizes) && !is.list(x) && length(texts) == 1)
}

# A row of indices for each text: 0 behind its words, 1 for unknown ones, then the words of the vocabulary.
word_indices <- function(self, words) {
  counts <- lengths(words)
  length_out <- self$output_sequence_length %||% max(counts, 0L)
  found <- match(unlist(words), self$terms, nomatch = 0L) + 1L
  found[unlist(words) == ""] <- 0L
  place <- cbind(rep(seq_along(words), counts), sequence(counts))
  kept <- place[, 2] <= length_out
  indices <- matrix(0L, length(words), length_out)
  indices[place[kept, , drop = FALSE]] <- found[kept]
  indices
}

# Numbers in a row of counts.
row_width <- function(self) if (self$pad_to_max_tokens) self$max_tokens else length(self$terms) + 1L

# A row for each text: unknown words, then those of the vocabulary.
word_counts <- function(self, words) {
  width <- row_width(self)
  found <- match(unlist(words), self$terms, nomatch = 0L) + 1L
  row <- rep(seq_along(words), lengths(words))
  counts <- matrix(tabulate(row + (found - 1L) * length(words), length(words) * width), length(words), width)
  switch(self$output_mode,
    count = counts,
    multi_hot = (counts > 0) * 1L,
    tf_idf = counts * rep(c(self$idf, rep(0, width - length(self$idf))), each = length(words))
  )
}

#' Texts as indices or counts of words
#'
#' Texts are standardized, split into words, and turned into indices in a vocabulary, or into counts of its words. The
#' vocabulary is learned by [adapt()]: the most frequent words come first.
#'
#' @inheritParams layer_dense
#' @param object What to combine the layer with: nothing (the layer is returned), a model or a symbolic tensor of texts
#'   (`keras_input(1, dtype = "string")`), or texts: a vector, a list or a matrix with one column. A model that begins
#'   with texts is given them in [fit()][fit.birnn_model] and [predict()][predict.birnn_model].
#' @param max_tokens The largest size of the vocabulary, special tokens included; `NULL` for no limit.
#' @param standardize `"lower_and_strip_punctuation"`, `"lower"`, `"strip_punctuation"`, `NULL`, or an R function of a
#'   vector of texts.
#' @param split `"whitespace"`, `"character"`, `NULL` (each text is one word), or an R function that makes a list of
#'   vectors of words from a vector of texts.
#' @param ngrams A whole number: runs of up to so many words count as words, too; or a list of lengths of runs.
#' @param output_mode `"int"`: a row of indices for each text; `"multi_hot"`: 1 for each word that occurs; `"count"`:
#'   how often; `"tf_idf"`: how often, times a weight that is large for words in few texts.
#' @param output_sequence_length For `"int"`: the number of columns; longer texts are cut, shorter ones filled with 0.
#'   `NULL`: that of the longest text.
#' @param pad_to_max_tokens For the other modes: whether there are `max_tokens` columns even if the vocabulary is
#'   smaller.
#' @param vocabulary A vector of words instead of [adapt()], or the path of a file with a word in each line.
#' @param idf_weights For `"tf_idf"`: a weight for each word of `vocabulary`.
#' @param sparse,ragged Must be `FALSE`.
#' @param encoding Accepted without effect: texts are taken as R holds them, in UTF-8.
#' @param name A name.
#' @param include_special_tokens Whether the special tokens are listed: `""` for padding (index 0, only for `"int"`) and
#'   `"[UNK]"` for unknown words.
#' @return `layer_text_vectorization()`: the layer, or a tensor: whole numbers (texts, words) for `"int"`, else (texts,
#'   vocabulary). A single string gives one row without the axis of the texts; `array("a text")` keeps it.
#'   `get_vocabulary()`: the words, in the order of their indices. `set_vocabulary()`: `object`, invisibly.
#' @section Errors:
#' A layer that has no vocabulary yet cannot be called (kind `"state"`). Words that occur twice or that are special, a
#' vocabulary larger than `max_tokens`, weights for other modes than `"tf_idf"` or none for it are errors, too.
#' @source <https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/>
#' @family data preparation
#' @export
#' @examples
#' layer <- layer_text_vectorization(output_sequence_length = 4)
#' adapt(layer, c("The cat sat.", "The dog sat on the cat!"))
#' get_vocabulary(layer)
#' layer(c("the cat", "a dog"))
layer_text_vectorization <- function(object, max_tokens = NULL, standardize = "lower_and_strip_punctuation",
                                     split = "whitespace", ngrams = NULL, output_mode = "int",
                                     output_sequence_length = NULL, pad_to_max_tokens = FALSE, vocabulary = NULL,
                                     idf_weights = NULL, sparse = FALSE, ragged = FALSE, encoding = "utf-8",
                                     name = NULL, ...) {
  create_layer("TextVectorization", object, capture_args())
}

#' @rdname layer_text_vectorization
#' @export
get_vocabulary <- function(object, include_special_tokens = TRUE) {
  has_vocabulary(object)$get_vocabulary(check_flag(include_special_tokens))
}

#' @rdname layer_text_vectorization
#' @export
set_vocabulary <- function(object, vocabulary, idf_weights = NULL, ...) {
  check_known_names(rlang::names2(list(...)), names(formals(set_vocabulary)), "set_vocabulary()")
  has_vocabulary(object)$set_vocabulary(vocabulary, idf_weights, rlang::current_env())
  invisible(object)
}

has_vocabulary <- function(object, arg = rlang::caller_arg(object), call = rlang::caller_env()) {
  self <- if (is_layer(object)) layer_object(object)
  if (!is.function(self$set_vocabulary)) stop_not("a layer with a vocabulary", object, arg, call)
  self
}

register_layer(TextVectorization, layer_text_vectorization)
