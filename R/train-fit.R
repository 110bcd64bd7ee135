# fit(): the training loop (level 7).

#' Train a model
#'
#' Goes through the data `epochs` times in batches; after each batch the optimizer updates the weights.
#'
#' @details
#' The loss of an epoch is the mean over its batches, weighted by their sizes, and includes penalties of weights and
#' activities; metrics use the predictions before each update. Only R's random numbers decide over shuffling, initial
#' weights and dropout: `set.seed()` before building the model makes everything reproducible.
#'
#' A loss that is `NaN` or infinite, or has such gradients, stops `fit()` with an error of class `birnn_error_numeric`
#' that names epoch and batch; the weights are those before that batch. With `options(birnn.nonfinite = "warn")`
#' training goes on, with [callback_terminate_on_nan()] it ends without an error. Interrupting (Ctrl-C) raises
#' `birnn_error_interrupt`; the model then holds a whole number of updates and can be trained on.
#'
#' @param object A compiled model.
#' @param x The input: an array whose first axis counts samples (R's own column-major arrays), for several inputs a list
#'   of arrays in their order or named by input, or a data frame. `NA` is allowed where a mask hides it. Or a list of
#'   sequences, or data that come in batches: see the sections below.
#' @param y The target: an array, a vector, a data frame or a factor (class numbers from 0, the levels are kept: see
#'   [class_labels()]); for several outputs a list.
#' @param ... Must be empty.
#' @param batch_size Samples in a batch; `NULL` is 32.
#' @param epochs The number of the last epoch.
#' @param callbacks A callback or a list of callbacks, see [callback_lambda()].
#' @param validation_split The fraction of samples, from the end and before shuffling, to validate on.
#' @param validation_data `list(x, y)` or `list(x, y, sample_weight)` to validate on, or data in batches; goes before
#'   `validation_split`.
#' @param shuffle Whether to draw the samples in a new order in every epoch; `"batch"` shuffles only inside batches.
#' @param class_weight A list of numbers named by class number (from 0) or by factor level, by which the loss of each
#'   sample is multiplied.
#' @param sample_weight A vector with one weight a sample; for outputs that are sequences a matrix `(samples, time)` or
#'   `(samples, 1)`; for several outputs a list.
#' @param initial_epoch The epoch to start with, counted from 1.
#' @param steps_per_epoch Batches in an epoch; `NULL` is one pass over the data. With it, an epoch goes on where the
#'   last one ended.
#' @param validation_steps Batches to validate on; `NULL` is all.
#' @param validation_batch_size `NULL` is `batch_size`.
#' @param validation_freq Validate after every so many epochs, or a vector with the epochs after which to validate.
#' @param verbose 0: print nothing, 1: a live bar with the time that is left, 2: a line an epoch; `"auto"`: 1 at the
#'   console, 0 in scripts, documents and tests.
#' @param view_metrics `TRUE` draws the history anew after each epoch, if the session is interactive or a graphics
#'   device is open; `"auto"` and `FALSE` do not.
#' @section Sequences of different lengths:
#' For a model with one input, `x` may be a list with one matrix `(time, features)` a sample, or one vector of whole
#' numbers for an embedding. The sequences are padded at their ends to the longest one, and what was added is masked:
#' with the value of the model's [layer_masking()], with 0 for an embedding with `mask_zero = TRUE`, otherwise by a mask
#' of its own. A target with a time axis may be such a list as well.
#'
#' @section Data in batches:
#' `x` may be a data set, see [timeseries_dataset_from_array()] and [split_dataset()], or a function without arguments
#' that returns one batch at every call: `list(x, y)` or `list(x, y, sample_weight)`, and `NULL` when a pass is over.
#' A function that never returns `NULL` needs `steps_per_epoch` (and `validation_steps`): without them the training has
#' no end, as in Keras, and a message says so after 10,000 batches. If the data end too early,
#' training stops with a warning. `y`, `sample_weight`, `validation_split` and `batch_size` are not given then.
#'
#' @return A history, invisibly, see [plot.keras_training_history()].
#' @source Behaves as [Keras' fit()](https://keras.io/api/models/model_training_apis/).
#' @family training
#' @method fit birnn_model
#' @export
#' @examples
#' set.seed(1)
#' x <- array(rnorm(20 * 5 * 3), c(20, 5, 3))
#' y <- factor(ifelse(x[, 1, 1] > 0, "up", "down"))
#' model <- keras_model_sequential(input_shape = c(5, 3)) |>
#'   layer_bidirectional(layer_lstm(units = 4)) |>
#'   layer_dense(2, activation = "softmax")
#' model |> compile("adam", loss = "sparse_categorical_crossentropy", metrics = "accuracy")
#' history <- model |> fit(x, y, epochs = 2, verbose = 0)
#' class_labels(predict(model, x), levels(y))
fit.birnn_model <- function(object, x = NULL, y = NULL, ..., batch_size = NULL, epochs = 1L, callbacks = NULL,
                            validation_split = 0, validation_data = NULL, shuffle = TRUE, class_weight = NULL,
                            sample_weight = NULL, initial_epoch = 1L, steps_per_epoch = NULL, validation_steps = NULL,
                            validation_batch_size = NULL, validation_freq = 1L,
                            verbose = getOption("keras.verbose", "auto"),
                            view_metrics = getOption("keras.view_metrics", "auto")) {
  check_empty_dots("fit.birnn_model", ...)
  model <- layer_object(object)
  check_idle(model, "fit()")
  check_compiled(model)
  epochs <- min(check_whole(epochs, min = 1), config_max_epochs())
  initial_epoch <- check_whole(initial_epoch, min = 1)
  verbose <- resolve_verbose(verbose)
  callbacks <- as_callbacks(callbacks)
  shuffle <- check_shuffle(shuffle)
  levels <- model$label_levels
  on.exit(model$label_levels <- levels)
  learn_levels(model, y)
  check_bounded(x, steps_per_epoch, "steps_per_epoch")
  check_bounded(validation_data, validation_steps, "validation_steps")
  data <- fit_sources(model, x, y, sample_weight, class_weight, batch_size, shuffle, validation_split, validation_data,
                      validation_batch_size)
  run <- list(
    model = model,
    seen = new.env(parent = emptyenv()),
    epochs = seq_len(epochs)[seq_len(epochs) >= initial_epoch],
    batches = data$training,
    steps_per_epoch = check_whole(steps_per_epoch, min = 1, allow_null = TRUE),
    commit_nonfinite = goes_on_nonfinite(),
    most_steps = min(steps_per_epoch, config_max_steps_per_epoch(), Inf),
    validation = fit_validation(data$validation, validation_steps, validation_freq)
  )
  params <- list(verbose = verbose, epochs = epochs, steps = run$steps_per_epoch %||% run$batches$steps)
  history <- HistoryCallback$new()
  shown <- list(if (verbose > 0) ProgressCallback$new(), if (isTRUE(view_metrics)) MetricsViewer$new(history))
  run$members <- c(callbacks, history)
  run$callbacks <- new_callback_list(c(run$members, compact(shown)), model$handle, params)
  run <- join_run(run)
  on.exit(if (verbose > 0) shown[[1]]$leave())   # the levels stay
  model$history <- history
  with_busy(model, "fit()", run_epochs(run))
  invisible(history$as_history())
}

BaseModel$set("public", "fit", function(...) fit(self$handle, ...))

# What is needed to validate after an epoch, or NULL.
fit_validation <- function(source, steps, freq, call = rlang::caller_env()) {
  if (is.null(source)) return(NULL)
  if (!is.numeric(freq) || length(freq) == 0 || anyNA(freq) || any(freq < 1 | freq != round(freq))) {
    stop_not("a positive whole number, or a vector of epochs", freq, "validation_freq", call)
  }
  list(
    batches = source,
    steps = check_whole(steps, min = 1, allow_null = TRUE, arg = "validation_steps", call = call),
    is_due = function(epoch) if (length(freq) == 1) epoch %% freq == 0 else epoch %in% freq
  )
}

# The levels of factors among the targets stay with the model: later factors are read by label, class_labels() finds
# them. A list with one element an output.
learn_levels <- function(model, y) {
  if (!is.null(model$label_levels)) return(invisible())
  if (is.null(names(y)) || !is_plain_list(y)) {
    parts <- if (is_plain_list(y)) y else list(y)
  } else {
    parts <- y[vapply(model$output_specs(), `[[`, "", "name")]
  }
  levels <- lapply(unname(parts), function(part) if (is.factor(part)) levels(part))
  if (any(lengths(levels) > 0)) model$label_levels <- levels
}

# --- the loop -----------------------------------------------------------------------------------------------------

run_epochs <- function(run) {
  model <- run$model
  model$stop_training <- FALSE
  run$step <- step_for(model, "train")
  run_hooks(run$callbacks, "on_train_begin")
  run$batches$restart()
  logs <- list()
  for (epoch in epochs_to_run(run)) {
    reset_metrics(model)
    run_epoch_hooks(run$callbacks, "on_epoch_begin", epoch)
    trained <- interruptible(run_epoch(run, epoch), run$seen, epoch)
    if (is.null(trained)) break
    logs <- trained
    if (!is.null(run$validation) && run$validation$is_due(epoch)) logs <- c(logs, validation_logs(run))
    logs <- run_epoch_hooks(run$callbacks, "on_epoch_end", epoch, logs)
    run_safe_point(run, epoch + 1L, 0L)
    if (isTRUE(model$stop_training)) break
  }
  finish_weights(model)
  run_hooks(run$callbacks, "on_train_end", logs)
}

# One epoch; returns its logs, NULL if there were no data. A pass over the data ends an epoch, unless the epoch has a
# number of steps.
run_epoch <- function(run, epoch) {
  means <- new_loss_means(run$model)
  batch <- 0L
  drawn <- list()
  endless <- !is.null(run$steps_per_epoch)
  if (resumes_within(run, epoch)) {
    run$resume$restore(run, means)
    batch <- run$resume$batch
    if (isTRUE(run$model$stop_training)) return(current_logs(run$model, means))
  } else if (!endless) {
    run$batches$restart()
  }
  while (batch < run$most_steps) {
    drawn <- draw_batch(run$batches, endless)
    if (is.null(drawn)) {
      if (endless || batch == 0L) run$model$stop_training <- TRUE
      break
    }
    batch <- batch + 1L
    if (!endless) tell_endless(run$batches, batch, "steps_per_epoch")
    run_train_batch(run, drawn, means, epoch, batch)
    if (isTRUE(field(run$model, "stop_training"))) break
  }
  if (is.null(drawn) && isTRUE(run$model$stop_training)) warn_out_of_data(epoch)
  if (batch > 0L) current_logs(run$model, means)
}

run_train_batch <- function(run, drawn, means, epoch, batch) {
  callbacks <- run$callbacks
  seen <- run$seen
  run_batch_hooks(callbacks, "on_train_batch_begin", batch)
  seen$batch <- batch
  result <- take_step(run$step, drawn, run$commit_nonfinite)
  add_losses(means, result, drawn$size)
  seen$batch <- batch + 1L
  if (!result$finite) handle_nonfinite(run, result$loss, epoch, batch, is_done = !is.null(result$logs))
  run_batch_hooks(callbacks, "on_train_batch_end", batch, current_logs(run$model, means))
  run_safe_point(run, epoch, batch, means)
}

# Ctrl-C leaves a whole number of updates: a step is either done or not.
interruptible <- function(training, seen, epoch) {
  stop_interrupted <- function(condition) {
    birnn_abort(
      c("Training was interrupted in epoch {epoch} before batch {seen$batch}.",
        i = "The model holds all updates made before it and can be trained on."),
      kind = "interrupt", call = NULL
    )
  }
  seen$batch <- 1L
  tryCatch(training, birnn_error_interrupt = stop_interrupted, interrupt = stop_interrupted)
}

goes_on_nonfinite <- function() identical(getOption("birnn.nonfinite"), "warn")

# `is_done`: a train_step() of the user's has made its update already.
handle_nonfinite <- function(run, loss, epoch, batch, is_done) {
  if (nonfinite_is_handled(run$callbacks, batch)) return(invisible())
  where <- paste0(" in epoch ", epoch, ", batch ", batch)
  if (!goes_on_nonfinite() && !is_done) abort_nonfinite(loss, where)
  if (!isTRUE(run$seen$nonfinite)) birnn_warn(paste0(nonfinite_words(loss), "{where}."), kind = "numeric", call = NULL)
  run$seen$nonfinite <- TRUE
}

# Markup that says what is not finite: the loss, or its gradients alone.
nonfinite_words <- function(loss) {
  if (is.finite(loss)) "The gradients of the loss {.val {loss}} are not finite" else "The loss is {.val {loss}}"
}

abort_nonfinite <- function(loss, where = "") {
  birnn_abort(
    c(paste0(nonfinite_words(loss), "{where}; the weights are those before this batch."),
      i = "Look for missing or huge values in {.arg x} and {.arg y}, or lower the learning rate.",
      i = "{.code options(birnn.nonfinite = \"warn\")} goes on, {.fn callback_terminate_on_nan} stops without error."),
    kind = "numeric", call = NULL
  )
}

validation_logs <- function(run) {
  logs <- evaluate_batches(run$model, run$validation$batches, run$validation$steps, run$callbacks, "validation_steps")
  if (is.null(logs)) {
    birnn_warn("{.arg validation_data} has no more batches: the epoch is not validated.", kind = "data", call = NULL)
    return(NULL)
  }
  rlang::set_names(logs, paste0("val_", names(logs)))
}

# With an exponential moving average of the weights, training ends with the averages in place.
finish_weights <- function(model) {
  optimizer <- model$setup$optimizer
  if (is.function(optimizer$finalize)) optimizer$finalize(layer_variables(model$handle, trainable = TRUE))
}

# --- logs ---------------------------------------------------------------------------------------------------------

# Sums of the losses over an epoch, weighted by the sizes of the batches; or what a step of the user's returned last.
new_loss_means <- function(model) {
  means <- new.env(parent = emptyenv())
  means$names <- c("loss", if (!has_own_step(model) && !defines_method(model, "compute_loss")) output_loss_names(model))
  means$sums <- numeric(length(means$names))
  means$size <- 0
  means
}

output_loss_names <- function(model) {
  names <- model_facts(model)$output_names
  if (length(names) > 1) paste0(names[!vapply(field(model, "setup")$losses, is.null, logical(1))], "_loss")
}

add_losses <- function(means, result, size) {
  if (!is.null(result$logs)) means$logs <- result$logs
  if (!is.null(means$logs)) return(invisible())
  losses <- result$loss
  if (length(result$outputs)) losses <- c(losses, vapply(result$outputs, as.numeric, 1))
  means$sums <- means$sums + losses * size
  means$size <- means$size + size
}

# Loss and metrics so far, sorted by name as Keras sorts them (capitals first).
current_logs <- function(model, means) {
  logs <- means$logs %||% c(mean_losses(means), metric_values(field(model, "setup")))
  if (length(logs) > 1L) logs[order(names(logs), method = "radix")] else logs
}

mean_losses <- function(means) {
  losses <- as.list(means$sums / max(means$size, 1))
  names(losses) <- means$names
  losses
}
