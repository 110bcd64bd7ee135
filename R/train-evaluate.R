# evaluate(), and training or testing on a single batch (level 7).

#' Loss and metrics on data
#'
#' @param object A model; for `evaluate.birnn_model` a compiled one.
#' @param ... Passed on to methods; for models it must be empty.
#' @return A named list of numbers, sorted by name (so `loss` need not come first): the loss and the metrics.
#' @family training
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
#' model |> compile("sgd", loss = "mse", metrics = "mae")
#' evaluate(model, matrix(0, 4, 2), rep(1, 4))
evaluate <- function(object, ...) UseMethod("evaluate")

#' @rdname evaluate
#' @inheritParams fit.birnn_model
#' @param steps Batches to go through; `NULL` is all. Needed for functions that never return `NULL`.
#' @export
evaluate.birnn_model <- function(object, x = NULL, y = NULL, ..., batch_size = NULL,
                                 verbose = getOption("keras.verbose", "auto"), sample_weight = NULL, steps = NULL,
                                 callbacks = NULL) {
  check_empty_dots("evaluate.birnn_model", ...)
  model <- layer_object(object)
  check_compiled(model)
  check_outside_step(model, "evaluate()")
  steps <- check_whole(steps, min = 1, allow_null = TRUE)
  verbose <- resolve_verbose(verbose, with_lines = 0L)
  check_bounded(x, steps, "steps")
  batches <- evaluation_source(model, x, y, sample_weight, batch_size)
  callbacks <- run_callbacks(callbacks, model, verbose, steps %||% batches$steps)
  evaluate_batches(model, batches, steps, callbacks) %||% birnn_abort("{.arg x} gives no batches.")
}

BaseModel$set("public", "evaluate", function(...) evaluate(self$handle, ...))

# Callbacks of a run without epochs.
run_callbacks <- function(callbacks, model, verbose, steps, call = rlang::caller_env()) {
  progress <- if (verbose > 0) EvaluationProgress$new()
  params <- list(verbose = verbose, epochs = 1L, steps = steps)
  new_callback_list(c(as_callbacks(callbacks, call = call), progress), model$handle, params)
}

# One pass without updates; returns the logs, NULL if there were no data.
evaluate_batches <- function(model, batches, steps, callbacks, arg = "steps") {
  step <- step_for(model, "test")
  means <- new_loss_means(model)
  reset_metrics(model)
  run_hooks(callbacks, "on_test_begin")
  batches$restart()
  batch <- 0L
  while (is.null(steps) || batch < steps) {
    drawn <- batches$next_batch()
    if (is.null(drawn)) break
    batch <- batch + 1L
    if (is.null(steps)) tell_endless(batches, batch, arg)
    run_batch_hooks(callbacks, "on_test_batch_begin", batch)
    result <- take_step(step, drawn, commit_nonfinite = TRUE)
    add_losses(means, result, drawn$size)
    run_batch_hooks(callbacks, "on_test_batch_end", batch, current_logs(model, means))
  }
  if (batch == 0L) return(NULL)
  logs <- current_logs(model, means)
  run_hooks(callbacks, "on_test_end", logs)
  logs
}

#' One update, test or prediction on a single batch
#'
#' For training loops of your own. All of `x` is one batch. The metrics start anew.
#'
#' @inheritParams fit.birnn_model
#' @param ... Must be empty.
#' @return `train_on_batch()`, `test_on_batch()`: the loss (before the update) as a number; with metrics or several
#'   outputs a named list, sorted by name. `predict_on_batch()`: as [predict()][predict.birnn_model].
#' @family training
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
#' model |> compile("sgd", loss = "mse")
#' train_on_batch(model, matrix(0, 4, 2), rep(1, 4))
train_on_batch <- function(object, x, y = NULL, sample_weight = NULL, class_weight = NULL) {
  model <- check_model(object)
  check_compiled(model)
  check_idle(model, "train_on_batch()")
  dataset <- single_batch(model, x, y, sample_weight, class_weight)
  reset_metrics(model)
  with_busy(model, "train_on_batch()", {
    result <- take_step(step_for(model, "train"), whole_batch(dataset), goes_on_nonfinite())
  })
  if (!result$finite && !goes_on_nonfinite() && is.null(result$logs)) abort_nonfinite(result$loss)
  batch_logs(model, result, length(dataset$rows))
}

#' @rdname train_on_batch
#' @export
test_on_batch <- function(object, x, y = NULL, sample_weight = NULL, ...) {
  check_empty_dots("test_on_batch", ...)
  model <- check_model(object)
  check_compiled(model)
  check_outside_step(model, "test_on_batch()")
  dataset <- single_batch(model, x, y, sample_weight)
  reset_metrics(model)
  result <- take_step(step_for(model, "test"), whole_batch(dataset), commit_nonfinite = TRUE)
  batch_logs(model, result, length(dataset$rows))
}

BaseModel$set("public", "train_on_batch", function(...) train_on_batch(self$handle, ...))
BaseModel$set("public", "test_on_batch", function(...) test_on_batch(self$handle, ...))

single_batch <- function(model, x, y, sample_weight, class_weight = NULL, call = rlang::caller_env()) {
  dataset <- prepare_data(model, x, y, sample_weight, class_weight, call = call)
  if (length(dataset$rows) == 0) birnn_abort("{.arg x} has no samples.", call = call)
  resolve_batch_size(model, length(dataset$rows), length(dataset$rows), call)
  dataset
}

whole_batch <- function(dataset) c(dataset[c("tensors", "template", "texts")], list(rows = NULL, size = length(dataset$rows)))

batch_logs <- function(model, result, size) {
  means <- new_loss_means(model)
  add_losses(means, result, size)
  logs <- current_logs(model, means)
  if (length(logs) == 1) logs[[1]] else logs
}
