# Where batches come from: arrays, data sets, R functions (level 7).
#
# A source is list(steps, restart(), next_batch()), see array_batches(). `steps` is NA where the number of batches is
# not known; then the source may not be able to start again, and an epoch without any batch ends the training.

# Data that come batch by batch, with their targets and weights inside.
is_stream <- function(x) {
  is_batch_dataset(x) || is_iterator(x) || is.function(x) && !is_layer(x) && !is_handle(x) && !is_tensor_like(x)
}

# The batches of `x` as they are: list(steps, peek(), restart(), next_batch()). `peek()` is the first batch, to learn
# what the data look like; it is not used up.
stream_batches <- function(x, batch_size, call) {
  if (is_batch_dataset(x)) {
    x <- unclass(x)
    if (is.null(x$batch_size)) return(dataset_batches(x, batch_size %||% 32L))
    check_absent(batch_size, "batch_size", call)
    return(dataset_batches(x))
  }
  check_absent(batch_size, "batch_size", call)
  function_batches(if (is_iterator(x)) x$next_batch else x)
}

function_batches <- function(fn) {
  waiting <- NULL
  list(
    steps = NA_integer_,
    peek = function() waiting <<- waiting %||% fn(),
    restart = function() invisible(),
    next_batch = function() {
      batch <- waiting %||% fn()
      waiting <<- NULL
      batch
    }
  )
}

# Batches of a stream, ready for a step. `supervised`: with targets and weights. `class_weight`, `levels`: as for fit().
stream_source <- function(model, x, batch_size = NULL, class_weight = NULL, supervised = TRUE,
                          call = rlang::caller_env()) {
  batch_size <- check_whole(batch_size, min = 1, allow_null = TRUE, arg = "batch_size", call = call)
  batches <- stream_batches(x, batch_size, call)
  ready <- function(batch) {
    if (is.null(batch)) return(NULL)
    parts <- batch_parts(batch, call)
    if (!supervised) parts <- parts["x"]
    data <- prepare_data(model, parts$x, parts$y, parts$sample_weight, class_weight, supervised, call = call)
    size <- length(data$rows)
    check_stream_size(model, size, call)
    list(tensors = data$tensors, rows = NULL, size = size, template = data$template, texts = data$texts)
  }
  if (supervised || !model$built) {
    first <- batches$peek()
    if (is.null(first)) birnn_abort("{.arg x} gives no batches.", call = call)
    if (supervised) learn_levels(model, batch_parts(first, call)$y)
    ready(first)
  }
  list(steps = batches$steps, restart = batches$restart, next_batch = function() ready(batches$next_batch()))
}

# A batch as list(x, y, sample_weight): a list of one to three parts without names, or with these; anything else is x.
batch_parts <- function(batch, call) {
  if (!is_plain_list(batch)) return(list(x = batch))
  names <- names(batch)
  known <- c("x", "y", "sample_weight")
  if (is.null(names) && length(batch) %in% 1:3) return(rlang::set_names(batch, known[seq_along(batch)]))
  if ("x" %in% names && all(names %in% known)) return(batch)
  if (!is.null(names)) return(list(x = batch))
  birnn_abort(
    "A batch must be {.code list(x, y)} or {.code list(x, y, sample_weight)}, not a list of length {length(batch)}.",
    call = call
  )
}

check_stream_size <- function(model, size, call) {
  if (size == 0) birnn_abort("A batch has no samples.", call = call)
  fixed <- model_facts(model)$fixed_batch_size
  if (is.na(fixed) || size == fixed) return(invisible())
  birnn_abort("A batch must have {fixed} samples, the batch size of the model's input, not {size}.", kind = "state",
              call = call)
}

# With a stream, these arguments have no meaning.
check_absent <- function(value, arg, call) {
  if (is.null(value)) return(invisible())
  birnn_abort(
    c("{.arg {arg}} cannot be given when {.arg x} comes in batches already.",
      i = if (arg %in% c("y", "sample_weight")) "Let each batch be {.code list(x, y, sample_weight)}."),
    call = call
  )
}

# The next batch. `endless`: at the end of the data the next pass begins. NULL: there is no more.
draw_batch <- function(batches, endless) {
  drawn <- batches$next_batch()
  if (!is.null(drawn) || !endless) return(drawn)
  batches$restart()
  batches$next_batch()
}

# Some functions are known to have no end, see timeseries_generator(): without a number of steps they never stop.
check_bounded <- function(x, steps, arg, call = rlang::caller_env()) {
  if (!is.null(steps) || !isTRUE(attr(x, "endless"))) return(invisible())
  birnn_abort(c("{.arg {arg}} must be given: the function gives batches without an end.",
                i = "A function that returns {.code NULL} after each pass needs no {.arg {arg}}."), call = call)
}

# Others are told of as soon as it looks like that; a message, as a warning would wait for the end.
tell_endless <- function(batches, batch, arg) {
  if (batch != 10000L || !is.na(batches$steps)) return(invisible())
  cli::cli_inform(c("The function has given {batch} batches and no {.code NULL}, which would end the pass.",
                    i = "A function without an end needs {.arg {arg}}."), class = "birnn_message_endless")
}

warn_out_of_data <- function(epoch) {
  birnn_warn(
    c("The data ended in epoch {epoch}: training stops.",
      i = "A function must return {.arg steps_per_epoch} batches an epoch, in all epochs."),
    kind = "data", call = NULL
  )
}

# --- sources of fit() and evaluate() ------------------------------------------------------------------------------

# Sources of batches to train on and to validate on: arrays are converted once.
fit_sources <- function(model, x, y, sample_weight, class_weight, batch_size, shuffle, validation_split,
                        validation_data, validation_batch_size, call = rlang::caller_env()) {
  validation_split <- check_number(validation_split, min = 0, max = 1, call = call)
  validation_size <- validation_batch_size %||% batch_size
  if (is_stream(x)) {
    check_absent(y, "y", call)
    check_absent(sample_weight, "sample_weight", call)
    check_absent(if (validation_split > 0) validation_split, "validation_split", call)
    training <- stream_source(model, x, batch_size, class_weight, call = call)
    return(list(training = training, validation = validation_source(model, validation_data, validation_size, call)))
  }
  data <- prepare_data(model, x, y, sample_weight, class_weight, call = call)
  if (length(data$rows) == 0) birnn_abort("{.arg x} has no samples to train on.", call = call)
  if (!is.null(validation_data) || validation_split == 0) {
    validation <- validation_source(model, validation_data, validation_size, call)
    return(list(training = fit_batches(model, data, batch_size, shuffle, call), validation = validation))
  }
  parts <- split_dataset_rows(data, validation_split, call)
  list(training = fit_batches(model, parts[[1]], batch_size, shuffle, call),
       validation = fit_batches(model, parts[[2]], validation_size, call = call))
}

validation_source <- function(model, data, batch_size, call) {
  if (is.null(data)) return(NULL)
  if (is_stream(data)) {
    known_size <- is_batch_dataset(data) && is.null(unclass(data)$batch_size)
    return(stream_source(model, data, if (known_size) batch_size, call = call))
  }
  if (!is_plain_list(data) || !length(data) %in% 2:3) {
    birnn_abort(
      "{.arg validation_data} must be {.code list(x, y)} or {.code list(x, y, sample_weight)}, not
       {describe_value(data)}.", kind = "type", call = call
    )
  }
  if (!is.null(names(data))) {
    check_known_names(names(data), c("x", "y", "sample_weight"), "validation_data", call = call)
    data <- data[intersect(c("x", "y", "sample_weight"), names(data))]
  }
  dataset <- prepare_data(model, data[[1]], data[[2]], if (length(data) == 3) data[[3]], call = call)
  if (length(dataset$rows) == 0) birnn_abort("{.arg validation_data} has no samples.", call = call)
  fit_batches(model, dataset, batch_size, call = call)
}

fit_batches <- function(model, dataset, batch_size, shuffle = FALSE, call = rlang::caller_env()) {
  array_batches(dataset, resolve_batch_size(model, batch_size, length(dataset$rows), call), shuffle)
}

evaluation_source <- function(model, x, y, sample_weight, batch_size, call = rlang::caller_env()) {
  if (is_stream(x)) {
    check_absent(y, "y", call)
    check_absent(sample_weight, "sample_weight", call)
    return(stream_source(model, x, batch_size, call = call))
  }
  dataset <- prepare_data(model, x, y, sample_weight, call = call)
  if (length(dataset$rows) == 0) birnn_abort("{.arg x} has no samples to evaluate.", call = call)
  fit_batches(model, dataset, batch_size, call = call)
}
