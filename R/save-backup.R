# The callback that keeps a training safe (level 8).

#' Go on after a crash
#'
#' Saves the whole training to a file in `backup_dir`, and when [fit()][fit.birnn_model] is called again in the same way
#' after R was ended, goes on from there: with the same weights, numbers and history as if nothing had happened.
#'
#' @section What is saved:
#' Weights, the optimizer, states of stateful layers, positions in streams of random numbers (also R's own, see
#' [set.seed()]), the epoch and the batch, the order in which samples are drawn, sums of the loss and of metrics, the
#' history, and the fields of callbacks as far as they are numbers, text, tensors or lists of these. Functions, and what
#' they find around them, are not.
#'
#' The model and the call of `fit()` must be the same; data given as arrays are compared by checksums. If `x` is a
#' function, it is called anew as often as it was before. Hooks for the start of the training and of the epoch that was
#' interrupted are called again.
#'
#' @section Errors:
#' A file is replaced as a whole or not at all, see [save_model()]. A file that is damaged, belongs to other data or
#' comes from a newer version is an error of class `birnn_error_file`, one of another model `birnn_error_weights`; with
#' `double_checkpoint` the one before is tried first, with a warning.
#'
#' @param backup_dir A folder for the file, one for each training; made if it does not exist.
#' @param save_freq `"epoch"` saves after every epoch, a whole number after so many batches.
#' @param double_checkpoint Whether to keep the last file but one as well.
#' @param delete_checkpoint Whether to delete the files when the training has ended.
#' @return A callback for [fit()][fit.birnn_model].
#' @source Used as [keras.callbacks.BackupAndRestore](https://keras.io/api/callbacks/backup_and_restore/), which keeps
#'   less: weights, optimizer and epoch.
#' @family callbacks
#' @export
#' @examples
#' folder <- tempfile()
#' train <- function(...) {
#'   set.seed(1)
#'   model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
#'   model |> compile("adam", loss = "mse")
#'   callbacks <- list(callback_backup_and_restore(folder), ...)
#'   history <- model |> fit(matrix(1:4), 1:4, epochs = 4, verbose = 0, callbacks = callbacks)
#'   history$metrics$loss
#' }
#' crash <- callback_lambda(on_epoch_begin = function(epoch, logs) if (epoch == 3) stop("no power"))
#' try(train(crash), silent = TRUE)
#' train()
callback_backup_and_restore <- function(backup_dir, save_freq = "epoch", double_checkpoint = FALSE,
                                        delete_checkpoint = TRUE) {
  BackupAndRestore$new(
    check_path(backup_dir), check_save_freq(save_freq), check_flag(double_checkpoint), check_flag(delete_checkpoint)
  )
}

# "epoch", or a number of batches.
check_save_freq <- function(save_freq, call = rlang::caller_env()) {
  if (identical(save_freq, "epoch")) return(save_freq)
  if (is.numeric(save_freq)) return(check_whole(save_freq, min = 1, arg = "save_freq", call = call))
  stop_not("\"epoch\" or a number of batches", save_freq, "save_freq", call)
}

BackupAndRestore <- R6::R6Class(
  "BackupAndRestore",
  inherit = CallbackBase,
  cloneable = FALSE,
  lock_objects = FALSE,
  public = list(
    folder = NULL,
    save_freq = "epoch",
    double_checkpoint = FALSE,
    delete_checkpoint = TRUE,
    # Batches since the last file.
    waiting = 0L,
    run = NULL,
    initialize = function(folder, save_freq, double_checkpoint, delete_checkpoint) {
      self$folder <- folder
      self$save_freq <- save_freq
      self$double_checkpoint <- double_checkpoint
      self$delete_checkpoint <- delete_checkpoint
    },
    paths = function() file.path(self$folder, c("training.backup", "training.backup.old")),
    join_run = function(run) {
      run$batches <- c(replayable_batches(run$batches), run$batches["tensors"])
      ready_folder(self$folder)
      self$waiting <- 0L
      facts <- training_facts(run)
      saved <- self$newest()
      self$run <- list(run = run, facts = facts)
      if (is.null(saved)) return(run)
      check_same_training(saved, facts, NULL)
      restore <- function(run, means = NULL) restore_training(run, saved, means)
      run$resume <- list(epoch = saved$state$epoch, batch = saved$state$batch, restore = restore)
      run
    },
    # The newest file that can be read, NULL if there is none.
    newest = function() {
      paths <- Filter(file.exists, self$paths())
      if (length(paths) < 2L) return(if (length(paths)) read_training(paths, NULL))
      tryCatch(read_training(paths[[1]], NULL), birnn_error_file = function(error) {
        birnn_warn(
          c("The backup {.file {paths[[1]]}} cannot be used, the one before it is.", x = "{conditionMessage(error)}"),
          kind = "file", call = NULL
        )
        read_training(paths[[2]], NULL)
      })
    },
    on_safe_point = function(epoch, batch, means) {
      by_epoch <- identical(self$save_freq, "epoch")
      if (batch > 0L) self$waiting <- self$waiting + 1L
      is_due <- if (by_epoch) batch == 0L else batch > 0L && self$waiting >= self$save_freq
      if (!is_due) return(NULL)
      self$waiting <- 0L
      self$save(epoch, batch, means)
    },
    save = function(epoch, batch, means) {
      paths <- self$paths()
      content <- training_file(self$run$run, self$run$facts, epoch, batch, means)
      if (self$double_checkpoint && file.exists(paths[[1]])) file.rename(paths[[1]], paths[[2]])
      write_file(paths[[1]], content, call = NULL)
      NULL
    },
    on_train_end = function(logs) {
      self$run <- NULL
      if (self$delete_checkpoint) unlink(self$paths())
      NULL
    }
  )
)

# The folder exists and can be written to: better known before the training than after its first epoch.
ready_folder <- function(folder) {
  dir.create(folder, showWarnings = FALSE, recursive = TRUE)
  probe <- tempfile(".probe", folder)
  on.exit(unlink(probe))
  write_file(probe, raw(), call = NULL)
}
