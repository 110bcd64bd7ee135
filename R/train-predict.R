# predict() (level 7).

#' Predictions of a model
#'
#' @inheritParams fit.birnn_model
#' @param object A model.
#' @param x The input, see [fit()][fit.birnn_model]. Missing values pass through their own sample only.
#' @param steps Batches to go through; `NULL` is all. Needed for functions that never return `NULL`.
#' @return An array of numbers with one row a sample; for several outputs a list of arrays, named if the model was made
#'   with named outputs. See [class_labels()] for the way from probabilities to labels.
#' @family training
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(NA, 3)) |>
#'   layer_bidirectional(layer_lstm(units = 4)) |>
#'   layer_dense(2, activation = "softmax")
#' predict(model, array(rnorm(2 * 5 * 3), c(2, 5, 3)))
predict.birnn_model <- function(object, x, ..., batch_size = NULL, verbose = getOption("keras.verbose", "auto"),
                                steps = NULL, callbacks = NULL) {
  check_empty_dots("predict.birnn_model", ...)
  model <- layer_object(object)
  check_outside_step(model, "predict()")
  steps <- check_whole(steps, min = 1, allow_null = TRUE)
  verbose <- resolve_verbose(verbose, with_lines = 0L)
  if (is_stream(x)) {
    check_bounded(x, steps, "steps")
    batches <- stream_source(model, x, batch_size, supervised = FALSE)
  } else {
    dataset <- prepare_data(model, x, supervised = FALSE)
    if (length(dataset$rows) == 0) return(predict_no_rows(model, dataset$tensors))
    batches <- fit_batches(model, dataset, batch_size)
  }
  callbacks <- run_callbacks(callbacks, model, verbose, steps %||% batches$steps)
  predicted_arrays(model, predict_batches(model, batches, steps, callbacks))
}

#' @rdname train_on_batch
#' @export
predict_on_batch <- function(object, x) {
  model <- check_model(object)
  check_outside_step(model, "predict_on_batch()")
  dataset <- prepare_data(model, x, supervised = FALSE)
  if (length(dataset$rows) == 0) return(predict_no_rows(model, dataset$tensors))
  resolve_batch_size(model, length(dataset$rows), length(dataset$rows))
  step <- step_for(model, "predict")
  predicted_arrays(model, take_step(step, whole_batch(dataset), commit_nonfinite = TRUE)$outputs)
}

BaseModel$set("public", "predict", function(...) predict(self$handle, ...))
BaseModel$set("public", "predict_on_batch", function(...) predict_on_batch(self$handle, ...))

# The outputs of all batches, one below the other.
predict_batches <- function(model, batches, steps, callbacks) {
  step <- step_for(model, "predict")
  run_hooks(callbacks, "on_predict_begin")
  batches$restart()
  results <- list()
  batch <- 0L
  while (is.null(steps) || batch < steps) {
    drawn <- batches$next_batch()
    if (is.null(drawn)) break
    batch <- batch + 1L
    if (is.null(steps)) tell_endless(batches, batch, "steps")
    run_batch_hooks(callbacks, "on_predict_batch_begin", batch)
    results[[batch]] <- take_step(step, drawn, commit_nonfinite = TRUE)$outputs
    run_batch_hooks(callbacks, "on_predict_batch_end", batch)
  }
  run_hooks(callbacks, "on_predict_end")
  if (batch == 0L) birnn_abort("{.arg x} gives no batches.", call = NULL)
  if (batch == 1L) return(results[[1]])
  lapply(seq_along(results[[1]]), function(k) apply_op("concatenate", lapply(results, `[[`, k), list(axis = 0)))
}

predicted_arrays <- function(model, outputs) {
  force(outputs)   # a predict_step() tells the template
  template <- if (has_own_step(model, supervised = FALSE)) model$predicted else model_facts(model)$output_template
  # Integers and logicals count as numbers: predictions are doubles.
  pack_structure(template, lapply(outputs, r_tensor_to_r, as_double = TRUE))
}

# No samples: arrays without rows, their other sizes as the input's sizes say.
predict_no_rows <- function(model, inputs) {
  inputs <- inputs[seq_along(model$input_specs())]
  shapes <- lapply(inputs, function(input) c(NA_integer_, tensor_shape(input)[-1]))
  outputs <- flatten_structure(model$compute_output_shape(pack_structure(model$input_template(), shapes)))
  arrays <- lapply(outputs, function(shape) array(numeric(), c(0L, shape[-1])))
  pack_structure(model$output_template(), arrays)
}
