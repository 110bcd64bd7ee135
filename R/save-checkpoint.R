# The callback that saves the model while it trains (level 8).

#' Save the model while it trains
#'
#' Saves the model, or its weights, after every epoch or every so many batches, or only when it became better.
#'
#' A file is replaced as a whole or not at all, see [save_model()]; folders are made where they are missing. Whether
#' they can be written to is found out before the first epoch.
#'
#' @inheritParams callback_early_stopping
#' @param filepath The path of the file, `.keras` or `.h5`, with `save_weights_only` `.weights.h5`. Names in braces are
#'   replaced by numbers in the format of Python: `{epoch:02d}`, `{val_loss:.2f}`; there are `epoch` and `batch`,
#'   counted from 1, and all logs.
#' @param monitor The number that says what is better, see [callback_early_stopping()].
#' @param verbose 1 prints a line whenever the number is looked at or a file is written.
#' @param save_best_only Whether to save only if the number is better than whenever it was saved before.
#' @param save_weights_only Whether to save the weights alone, see [save_model_weights()].
#' @param save_freq `"epoch"`, or a number of batches after which to save.
#' @param initial_value_threshold What must be beaten by the first model that is saved.
#' @return A callback for [fit()][fit.birnn_model].
#' @source Behaves as [keras.callbacks.ModelCheckpoint](https://keras.io/api/callbacks/model_checkpoint/).
#' @family callbacks
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
#' model |> compile("sgd", loss = "mse")
#' folder <- tempfile()
#' best <- callback_model_checkpoint(
#'   file.path(folder, "model-{epoch:02d}.keras"), monitor = "loss", save_best_only = TRUE
#' )
#' model |> fit(matrix(1:4), 1:4, epochs = 2, verbose = 0, callbacks = best)
#' list.files(folder)
callback_model_checkpoint <- function(filepath, monitor = "val_loss", verbose = 0L, save_best_only = FALSE,
                                      save_weights_only = FALSE, mode = "auto", save_freq = "epoch",
                                      initial_value_threshold = NULL) {
  save_weights_only <- check_flag(save_weights_only)
  filepath <- check_checkpoint_path(filepath, save_weights_only)
  ModelCheckpoint$new(
    monitor = monitor, mode = mode, min_delta = 0, verbose = verbose, filepath = filepath,
    save_best_only = check_flag(save_best_only), save_weights_only = save_weights_only,
    save_freq = check_save_freq(save_freq), best = check_number(initial_value_threshold, allow_null = TRUE)
  )
}

check_checkpoint_path <- function(filepath, weights_only, call = rlang::caller_env()) {
  filepath <- check_path(filepath, call = call)
  extensions <- if (weights_only) ".weights.h5" else c(".keras", ".h5", ".hdf5")
  if (has_extension(filepath, extensions)) return(filepath)
  birnn_abort("{.arg filepath} must end in {.or {.val {extensions}}}, not {.val {basename(filepath)}}.", call = call)
}

ModelCheckpoint <- R6::R6Class(
  "ModelCheckpoint",
  inherit = MonitorCallback,
  cloneable = FALSE,
  lock_objects = FALSE,
  public = list(
    # The value of the model that was saved last; it outlives a training.
    best = NULL,
    epoch = 1L,
    # Batches since the last file.
    waiting = 0L,
    initialize = function(monitor, mode, min_delta, verbose, ...) {
      super$initialize(monitor, mode, min_delta, verbose)
      list2env(list(...), envir = self)
    },
    on_train_begin = function(logs) {
      self$direction <- NULL
      self$waiting <- 0L
      folder <- dirname(self$filepath)
      if (!grepl("{", folder, fixed = TRUE)) ready_folder(folder)
      NULL
    },
    on_epoch_begin = function(epoch, logs) {
      self$epoch <- epoch
      NULL
    },
    on_train_batch_end = function(batch, logs) {
      if (!is.numeric(self$save_freq)) return(NULL)
      self$waiting <- self$waiting + 1L
      if (self$waiting < self$save_freq) return(NULL)
      self$waiting <- 0L
      self$consider(c(list(epoch = self$epoch, batch = batch), logs), logs)
    },
    on_epoch_end = function(epoch, logs) {
      if (is.numeric(self$save_freq)) return(NULL)
      self$consider(c(list(epoch = epoch), logs), logs)
    },
    # Saves unless only better models are wanted and this one is not.
    consider = function(numbers, logs) {
      path <- fill_template(self$filepath, numbers)
      if (!self$save_best_only) {
        self$tell("Epoch ", self$epoch, ": saving model to ", path)
        return(self$save(path))
      }
      value <- self$watched(logs)
      if (is.null(value)) return(NULL)
      is_better <- is.null(self$best) || self$improves(value, self$best)
      if (is.null(self$best) && is.nan(value)) is_better <- FALSE
      self$tell(self$judgement(value, is_better, path))
      if (!is_better) return(NULL)
      self$best <- value
      self$save(path)
    },
    judgement = function(value, is_better, path) {
      number <- function(x) if (is.null(x)) format(self$worst()) else sprintf("%.5f", x)
      start <- paste0("Epoch ", self$epoch, ": ", self$monitor)
      if (!is_better) return(paste0(start, " did not improve from ", number(self$best)))
      paste0(start, " improved from ", number(self$best), " to ", number(value), ", saving model to ", path)
    },
    save = function(path) {
      dir.create(dirname(path), showWarnings = FALSE, recursive = TRUE)
      save <- if (self$save_weights_only) save_model_weights else save_model
      save(self$model, path, overwrite = TRUE)
      NULL
    }
  )
)

# --- names in braces ----------------------------------------------------------------------------------------------

# "m-{epoch:02d}.keras" with the numbers of `numbers` in place of {name} and {name:format}.
fill_template <- function(template, numbers) {
  fields <- regmatches(template, gregexpr("\\{[^{}]*\\}", template))[[1]]
  for (field in unique(fields)) template <- gsub(field, fill_field(field, numbers, template), template, fixed = TRUE)
  template
}

fill_field <- function(field, numbers, template) {
  parts <- regmatches(field, regexec("^\\{([^:]*):?(.*)\\}$", field))[[1]]
  value <- numbers[[parts[[2]], exact = TRUE]]
  if (is.null(value)) {
    birnn_abort(
      c("{.arg filepath} {.val {template}} asks for {.field {parts[[2]]}}, which is not there.",
        i = "There {?is/are} {.val {names(numbers)}}."), call = NULL
    )
  }
  format_number(as.numeric(value), parts[[3]], field)
}

# A number in Python's format: width, precision and kind, as in "02d", ".3f", "8.2e".
format_number <- function(value, form, field) {
  if (!nzchar(form)) return(csv_number(value))
  kind <- sub(".*([a-zA-Z])$", "\\1", form)
  known <- grepl("^[-+ 0]*[0-9]*([.][0-9]+)?[dfegG]?$", form)
  if (!known || kind == "d" && value != round(value)) {
    birnn_abort("{.arg filepath} has the unknown format {.val {field}}.", call = NULL)
  }
  if (!grepl("[dfegG]$", form)) form <- paste0(form, "g")
  sprintf(paste0("%", form), if (kind == "d") as.integer(value) else value)
}
