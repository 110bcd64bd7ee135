# The data set of the examples, the demo and the tests: who is speaking? (level 7)

#' Japanese Vowels: who of nine speakers is speaking?
#'
#' 640 recordings of nine men who say the Japanese vowels /ae/, each a sequence of 7 to 29 frames with 12 linear
#' prediction cepstrum coefficients. The task is to tell the speaker from the recording. The 270 training
#' sequences are 30 of each speaker; the 370 test sequences are 24 to 88 of each.
#'
#' @returns A list `list(train = list(x, y), test = list(x, y))`. `x` is a list of numeric matrices
#'   `(time, 12)`, one for each recording; `y` is a factor with the levels `"1"` to `"9"`. It can be taken apart
#'   with `c(c(x_train, y_train), c(x_test, y_test)) %<-% dataset_japanese_vowels()`.
#'
#' @section Licence:
#' The data are licensed under Creative Commons Attribution 4.0 International (CC BY 4.0,
#' <https://creativecommons.org/licenses/by/4.0/>). They are part of the package and unchanged but for their
#' format: one compressed CSV file with one line for each frame.
#'
#' @source Kudo, M., Toyama, J. and Shimbo, M.: Japanese Vowels. UCI Machine Learning Repository.
#'   \doi{10.24432/C5NS47}
#'
#' @references Kudo, M., Toyama, J. and Shimbo, M. (1999). Multidimensional curve classification using
#'   passing-through regions. *Pattern Recognition Letters* 20(11--13), 1103--1111.
#'   \doi{10.1016/S0167-8655(99)00077-X}
#'
#' @family data preparation
#' @seealso [pad_sequences()], which makes one array of sequences of different lengths.
#' @export
#' @examples
#' c(c(x_train, y_train), c(x_test, y_test)) %<-% dataset_japanese_vowels()
#' dim(x_train[[1]])
#' range(vapply(x_train, nrow, 0L))
#' table(y_test)
dataset_japanese_vowels <- function() {
  path <- system.file("extdata", "japanese_vowels.csv.xz", package = "birnn", mustWork = TRUE)
  frames <- utils::read.csv(path)
  lapply(split(frames, factor(frames$set, c("train", "test"))), utterances)
}

# The recordings of one part of the data, in the order of the file.
utterances <- function(frames) {
  coefficients <- as.matrix(frames[startsWith(names(frames), "lpc")])
  rownames(coefficients) <- NULL
  rows <- split(seq_len(nrow(frames)), frames$utterance)
  x <- lapply(rows, function(i) coefficients[i, , drop = FALSE])
  first <- vapply(rows, `[`, 0L, 1)
  list(x = unname(x), y = factor(frames$speaker[first], levels = 1:9))
}
