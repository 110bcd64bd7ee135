# adapt(): layers that learn something from data before training (level 4).

#' Learn from data before training
#'
#' Layers such as [layer_normalization()] look at the data once, before training: `adapt()` takes their means and
#' variances. Calling it again starts afresh.
#'
#' @param object A layer that can be adapted.
#' @param data What the layer is to learn from: an array with a row for each sample; a data set; or a function that
#'   returns such a batch at each call and `NULL` at the end.
#' @param ... Not used.
#' @param batch_size Not needed, accepted for scripts: arrays are taken as a whole.
#' @param steps If `data` gives batches, the number of them to take; `NULL`: all.
#' @return `object`, invisibly.
#' @family layer methods
#' @source <https://keras.io/api/layers/preprocessing_layers/>
#' @export
#' @examples
#' layer <- layer_normalization()
#' adapt(layer, matrix(c(1, 2, 3, 10, 20, 30), 3))
#' layer(matrix(c(2, 20), 1))
adapt <- function(object, data, ..., batch_size = NULL, steps = NULL) {
  check_layer(object)
  check_known_names(rlang::names2(list(...)), names(formals(adapt)), "adapt()")
  check_whole(batch_size, min = 1, allow_null = TRUE)
  self <- layer_object(object)
  if (!is.function(self$adapt_to)) {
    birnn_abort("Layer {.val {object$name}} ({layer_class_name(object)}) has nothing to adapt.", kind = "type")
  }
  self$adapt_to(batches_to_adapt(data, check_whole(steps, min = 1, allow_null = TRUE)))
  invisible(object)
}

# The batches in `data` as a list; a batch may come with targets, list(x, y), which do not count.
batches_to_adapt <- function(data, steps, call = rlang::caller_env()) {
  data <- batch_function(data)
  if (!is.function(data) || is_handle(data)) return(list(data))
  batches <- list()
  while (is.null(steps) || length(batches) < steps) {
    batch <- data()
    if (is.null(batch)) break
    batches[[length(batches) + 1L]] <- if (is_plain_list(batch)) batch[[1L]] else batch
  }
  if (length(batches) > 0) return(batches)
  birnn_abort("{.arg data} must give at least one batch, not {.code NULL} at once.", call = call)
}

# Data sets and iterators as functions that return the next batch, other data as they are.
batch_function <- function(data) UseMethod("batch_function")

#' @export
batch_function.default <- function(data) data
