# The callback that writes the logs of every epoch to a table (level 7).

#' Write the numbers of every epoch to a CSV file
#'
#' The first column is `epoch`, counted from 0 as in Keras; then come the logs in alphabetical order. Missing numbers
#' are written as `NA`. Each line is on disk when its epoch has ended.
#'
#' @param filename The file to write; its folder must exist.
#' @param separator What stands between two values.
#' @param append Whether to add to a file that exists: then the header is written only if the file is empty.
#' @return A callback for [fit()][fit.birnn_model].
#' @source Behaves as [keras.callbacks.CSVLogger](https://keras.io/api/callbacks/csv_logger/).
#' @family callbacks
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
#' model |> compile("sgd", loss = "mse")
#' file <- tempfile(fileext = ".csv")
#' model |> fit(matrix(1:4), 1:4, epochs = 2, verbose = 0, callbacks = callback_csv_logger(file))
#' names(read.csv(file))
callback_csv_logger <- function(filename, separator = ",", append = FALSE) {
  CSVLogger$new(check_string(filename), check_string(separator), check_flag(append))
}

CSVLogger <- R6::R6Class(
  "CSVLogger",
  inherit = CallbackBase,
  cloneable = FALSE,
  public = list(
    filename = NULL,
    separator = NULL,
    append = FALSE,
    columns = NULL,
    initialize = function(filename, separator, append) {
      self$filename <- filename
      self$separator <- separator
      self$append <- append
    },
    on_train_begin = function(logs) {
      self$columns <- NULL
      check_folder(self$filename)
      if (!self$append) file.create(self$filename)
      NULL
    },
    on_epoch_end = function(epoch, logs) {
      if (is.null(self$columns)) {
        self$columns <- csv_columns(names(logs))
        if (file.size(self$filename) %in% c(0, NA)) self$write(c("epoch", self$columns))
      }
      values <- vapply(self$columns, function(name) csv_number(logs[[name]] %||% NA_real_), "")
      self$write(c(epoch - 1L, values))
    },
    # Lines end as in Keras' files, on every system.
    write = function(cells) {
      connection <- file(self$filename, "ab")
      on.exit(close(connection))
      writeLines(paste(cells, collapse = self$separator), connection, sep = "\r\n")
      NULL
    }
  )
)

# If the first epoch was not validated, later ones may be.
csv_columns <- function(names) {
  columns <- sort(names, method = "radix")
  if (any(startsWith(columns, "val_"))) columns else c(columns, paste0("val_", columns, recycle0 = TRUE))
}

# As few digits as give back the same number.
# Several values in one cell, as Keras writes them.
csv_number <- function(x) {
  x <- as.numeric(x)
  if (length(x) > 1L) return(paste0("\"[", paste(vapply(x, csv_number, ""), collapse = ", "), "]\""))
  for (digits in 15:17) {
    word <- formatC(x, digits = digits, format = "g", width = 1)
    if (!is.finite(x) || as.numeric(word) == x) break
  }
  word
}

check_folder <- function(path) {
  if (dir.exists(dirname(path))) return(invisible())
  birnn_abort("The folder of {.file {path}} does not exist.", kind = "file", call = NULL)
}
