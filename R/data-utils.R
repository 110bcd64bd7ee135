# Ways into and out of arrays: one-hot codes, row-major reshaping, long data frames, class labels (level 7).

#' One-hot codes
#'
#' @param x Class numbers counted from 0 (whole numbers), or a factor, whose codes are counted from 0.
#' @param num_classes The number of classes; `NULL` is the number of levels, or the largest number in `x` plus one.
#' @return An array of zeros and ones with one axis more than `x`, of size `num_classes`. A last axis of size 1 of `x`
#'   is dropped first.
#' @source Behaves as [keras.utils.to_categorical](https://keras.io/api/utils/python_utils/).
#' @family data preparation
#' @export
#' @examples
#' to_categorical(c(0, 2, 1))
#' to_categorical(factor(c("yes", "no")))
to_categorical <- function(x, num_classes = NULL) {
  num_classes <- check_whole(num_classes, min = 1, allow_null = TRUE)
  if (is.factor(x)) {
    num_classes <- num_classes %||% nlevels(x)
    x <- as.integer(x) - 1L
  }
  sizes <- dim(x) %||% length(x)
  if (length(sizes) > 1 && sizes[[length(sizes)]] == 1) sizes <- sizes[-length(sizes)]
  check_class_numbers(x, num_classes)
  num_classes <- num_classes %||% (max(x, 0) + 1)
  codes <- matrix(0, length(x), num_classes)
  codes[cbind(seq_along(x), as.vector(x) + 1)] <- 1
  array(codes, c(sizes, num_classes))
}

# Whole numbers from 0 to classes - 1. `classes` NULL: no upper limit.
check_class_numbers <- function(x, classes = NULL, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (!is.numeric(x)) stop_not("class numbers counted from 0, or a factor", x, arg, call)
  values <- as.vector(x)
  bad <- which(is.na(values) | values < 0 | values != trunc(values) | (!is.null(classes) & values >= (classes %||% 0)))
  if (length(bad) == 0) return(invisible(x))
  range <- if (is.null(classes)) "whole numbers of at least 0" else sprintf("whole numbers from 0 to %d", classes - 1L)
  birnn_abort(
    c(
      "{.arg {arg}} must hold {range}: classes are counted from 0.",
      x = "Element {bad[[1]]} is {.val {values[[bad[[1]]]]}}."
    ),
    call = call
  )
}

#' Reshape an array in row-major order
#'
#' R's `dim<-` fills the first axis fastest (column-major, `"F"`). Keras and NumPy fill the last axis fastest
#' (row-major, `"C"`): `array_reshape()` does that, so numbers that were written row by row come out right.
#'
#' @param x A vector, matrix, array or tensor.
#' @param dim The new sizes; one of them may be -1 or `NA`, it is then computed.
#' @param order `"C"` (row-major) or `"F"` (column-major).
#' @return An array with sizes `dim`.
#' @family data preparation
#' @export
#' @examples
#' array_reshape(1:6, c(2, 3))
#' array_reshape(matrix(1:6, 2), c(3, 2))
array_reshape <- function(x, dim, order = c("C", "F")) {
  order <- match.arg(order)
  if (is_tensor_like(x)) x <- as.array(x)
  dim <- inferred_sizes(dim, length(x))
  if (order == "F") return(array(x, dim))
  values <- if (is.null(base::dim(x))) x else as.vector(aperm(x))
  aperm(array(values, rev(dim)))
}

inferred_sizes <- function(dim, count, call = rlang::caller_env()) {
  sizes <- as_shape(dim, arg = "dim", call = call)
  unknown <- which(is.na(sizes))
  known <- prod(sizes[!is.na(sizes)])
  if (length(unknown) == 1 && known > 0) sizes[[unknown]] <- as.integer(count %/% known)
  if (anyNA(sizes) || prod(sizes) != count) {
    birnn_abort("Cannot reshape {count} number{?s} into shape {format_shape(as_shape(dim))}.", kind = "shape",
                call = call)
  }
  sizes
}

#' Sequences from a long data frame
#'
#' The way in for a data frame that has one row for each time step of each sequence. The result goes to
#' [pad_sequences()], and from there into a model.
#'
#' @param data A data frame with one row a time step.
#' @param id The name of the column (or names of columns) that tell which sequence a row belongs to.
#' @param time The name of the column to sort by within a sequence; `NULL` keeps the order of the rows.
#' @param features The names of the columns with the measurements; `NULL` takes all other columns, which must then be
#'   numbers.
#' @return A list of matrices `(time, features)`, named by `id`, in the order in which the sequences first appear in
#'   `data`. So what is constant within a sequence, such as its label, is `data$label[!duplicated(data$id)]`.
#' @family data preparation
#' @export
#' @examples
#' long <- data.frame(
#'   id = c("a", "a", "b", "b", "b"), time = c(2, 1, 1, 2, 3),
#'   height = 1:5, width = 5:1, label = c("cat", "cat", "dog", "dog", "dog")
#' )
#' x <- sequences_from_data_frame(long, id = "id", time = "time", features = c("height", "width"))
#' y <- factor(long$label[!duplicated(long$id)])
#' pad_sequences(x, padding = "post", dtype = "float32")
sequences_from_data_frame <- function(data, id, time = NULL, features = NULL) {
  if (!is.data.frame(data)) stop_not("a data frame", data, "data", environment())
  features <- features %||% setdiff(names(data), c(id, time))
  check_columns(data, id)
  if (!is.null(time)) check_columns(data, check_string(time), arg = "time")
  check_columns(data, features)
  values <- feature_matrix(data, features)
  key <- do.call(paste, c(unname(as.list(data[id])), sep = "."))
  rows <- split(seq_len(nrow(data)), factor(key, levels = unique(key)))
  lapply(rows, function(i) {
    if (!is.null(time)) i <- i[order(data[[time]][i])]
    values[i, , drop = FALSE]
  })
}

check_columns <- function(data, columns, arg = rlang::caller_arg(columns), call = rlang::caller_env()) {
  if (!is.character(columns) || length(columns) == 0) stop_not("names of columns", columns, arg, call)
  missing <- setdiff(columns, names(data))
  if (length(missing) == 0) return(invisible())
  near <- nearest_name(missing[[1]], names(data))
  birnn_abort(
    c("{.arg data} has no column {.field {missing[[1]]}}.", if (!is.null(near)) c(i = "Did you mean {.field {near}}?")),
    call = call
  )
}

feature_matrix <- function(data, features, call = rlang::caller_env()) {
  bad <- features[!vapply(data[features], function(x) is.numeric(x) || is.logical(x), logical(1))]
  if (length(bad)) {
    birnn_abort(
      c("The columns of {.arg features} must be numbers, but {.field {bad}} {?is/are} not.",
        i = "Name the columns that hold measurements, or turn categories into numbers first."),
      kind = "type", call = call
    )
  }
  matrix(as.double(unlist(data[features], use.names = FALSE)), nrow(data), length(features),
         dimnames = list(NULL, features))
}

#' Class labels from predicted probabilities
#'
#' The way back from [predict()][predict.birnn_model] to labels. A factor may be given to [fit()][fit.birnn_model] as
#' it is (as `y`, with a sparse categorical or binary cross-entropy); `class_labels()` turns the predicted
#' probabilities into a factor with the same levels.
#'
#' @param probabilities What `predict()` returned: an array whose last axis holds the classes, or has size 1 (the
#'   probability of the second class). Logits work as well for more than one column.
#' @param levels The labels of the classes: a character vector, the factor itself, or the model that was fitted to the
#'   factor.
#' @return A factor with one element a row (for sequences a factor with the sizes of `probabilities` without its last
#'   axis). Rows with missing probabilities give `NA`; of equal probabilities the first class wins.
#' @family data preparation
#' @export
#' @examples
#' y <- factor(c("no", "yes", "maybe"))
#' probabilities <- rbind(c(0.1, 0.7, 0.2), c(0.5, 0.2, 0.3))
#' class_labels(probabilities, levels(y))
class_labels <- function(probabilities, levels) {
  levels <- label_levels(levels)
  if (is_tensor_like(probabilities)) probabilities <- as.array(probabilities)
  if (!is.numeric(probabilities)) stop_not("an array of probabilities", probabilities, "probabilities", environment())
  sizes <- dim(probabilities) %||% c(length(probabilities), 1L)
  classes <- sizes[[length(sizes)]]
  if (max(classes, 2) != length(levels)) {
    birnn_abort(
      "{.arg levels} must name {max(classes, 2)} classes, the last axis of {.arg probabilities}, not {length(levels)}.",
      kind = "shape"
    )
  }
  rows <- matrix(probabilities, ncol = classes)
  codes <- if (classes == 1) 1L + (rows[, 1] > 0.5) else first_largest(rows)
  labels <- factor(levels[codes], levels = levels)
  if (length(sizes) > 2) dim(labels) <- sizes[-length(sizes)]
  labels
}

# The column of the first largest number of each row, NA for rows with missing numbers.
first_largest <- function(rows) {
  codes <- rep(NA_integer_, nrow(rows))
  complete <- !is.na(rowSums(rows))
  codes[complete] <- max.col(rows[complete, , drop = FALSE], ties.method = "first")
  codes
}

label_levels <- function(levels, call = rlang::caller_env()) {
  if (is.factor(levels)) return(base::levels(levels))
  if (is.character(levels)) return(levels)
  if (inherits(levels, "birnn_model")) {
    kept <- compact(levels$label_levels %||% list())
    if (length(kept) == 1) return(kept[[1]])
    birnn_abort("The model given as {.arg levels} was not fitted to one factor.", kind = "state", call = call)
  }
  stop_not("a character vector, a factor or a model fitted to a factor", levels, "levels", call)
}
