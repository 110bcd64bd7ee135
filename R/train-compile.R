# compile(): optimizer, losses and metrics of a model, matched to its outputs (level 7).

#' Configure a model for training
#'
#' @param object A model.
#' @param optimizer A string such as `"adam"`, or an optimizer, see [optimizer_adam()].
#' @param loss A string such as `"mse"`, a loss ([loss_mean_squared_error()] and others), or an R function
#'   `function(y_true, y_pred)` of `op_*` functions that returns one value a sample. For several outputs a list with one
#'   loss an output (in their order or named by output); a single one is used for every output; `NULL` for none.
#' @param metrics What to report besides the loss: a string, a character vector, or a list of strings, metrics, losses
#'   and R functions; `list(name = fn)` names a function. `"accuracy"` is binary, categorical or sparse categorical
#'   accuracy, whatever fits the shapes. For several outputs a list with one element an output, as for `loss`.
#' @param ... Must be empty.
#' @param loss_weights Numbers by which the losses of several outputs are multiplied in the total, in their order or
#'   named by output.
#' @param weighted_metrics As `metrics`, but sample weights and class weights count.
#' @param run_eagerly Whether to run every operation on its own instead of whole batches at once. The numbers are the
#'   same to the last bit; it is slower.
#' @param steps_per_execution,jit_compile,auto_scale_loss Accepted for compatibility, without effect.
#' @return `object`, invisibly: it is changed in place.
#' @source Behaves as [Keras' compile()](https://keras.io/api/models/model_training_apis/).
#' @family training
#' @method compile birnn_model
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(5, 3)) |>
#'   layer_bidirectional(layer_lstm(units = 4)) |>
#'   layer_dense(2, activation = "softmax")
#' model |> compile(optimizer_adam(0.01), loss = "categorical_crossentropy", metrics = "accuracy")
compile.birnn_model <- function(object, optimizer = "rmsprop", loss = NULL, metrics = NULL, ..., loss_weights = NULL,
                                weighted_metrics = NULL, run_eagerly = FALSE, steps_per_execution = 1L,
                                jit_compile = "auto", auto_scale_loss = TRUE) {
  model <- layer_object(object)
  check_idle(model, "compile()")
  if (compiles_itself(model)) return(invisible(compile_by_method(model, match.call(), parent.frame())))
  check_empty_dots("compile.birnn_model", ...)
  user <- list(loss = loss, loss_weights = loss_weights, metrics = metrics, weighted_metrics = weighted_metrics)
  check_loss_spelling(loss)
  for (metric in c(metric_leaves(metrics), metric_leaves(weighted_metrics))) check_metric_spelling(metric)
  model$setup <- new_setup(get_optimizer(optimizer), user, check_flag(run_eagerly))
  model$setup$settings <- list(steps_per_execution = steps_per_execution, jit_compile = jit_compile)
  model$steps <- list()
  if (!is.null(model$output_specs())) resolve_losses(model$setup, model$output_specs())
  invisible(object)
}

# As super$compile() it must not come back to the method of the user's class.
BaseModel$set("public", "compile", function(...) with_running(list(compiling = self), compile(self$handle, ...)))

# A model class with a compile() of its own is given what was written; super$compile() comes back here.
compiles_itself <- function(model) defines_method(model, "compile") && !identical(running$compiling, model)

compile_by_method <- function(model, call, frame) {
  call[[1L]] <- model$compile
  call$object <- NULL
  with_running(list(compiling = model), eval(call, frame))
  model$handle
}

running$compiling <- NULL

# Nothing may come in `...` of a method: a misspelt argument is an error with a suggestion.
check_empty_dots <- function(method, ...) {
  if (...length() == 0L) return(invisible())
  dots <- rlang::dots_list(..., .ignore_empty = "all")
  call <- rlang::caller_env()
  check_named(dots, call = call)
  known <- setdiff(names(formals(get(method))), c("object", "..."))
  check_known_names(names(dots), known, paste0(sub(".birnn_model", "", method, fixed = TRUE), "()"), call = call)
}

# What compile() left: `user` as given; `losses`, `metrics` once the outputs and targets are known.
new_setup <- function(optimizer, user, run_eagerly) {
  setup <- new.env(parent = emptyenv())
  setup$optimizer <- optimizer
  setup$user <- user
  setup$run_eagerly <- run_eagerly
  setup$losses <- NULL
  setup$loss_weights <- NULL
  setup$metrics <- NULL
  # For steps of users' models: the mean of their losses.
  setup$loss_tracker <- metric_mean(name = "loss")
  setup
}

check_compiled <- function(model, call = rlang::caller_env()) {
  if (!is.null(model$setup)) return(model$setup)
  birnn_abort(c("The model has not been compiled.", i = "You must call {.fn compile} before using the model."),
              kind = "state", call = call)
}

# --- one value an output ------------------------------------------------------------------------------------------

is_config <- function(x) is.list(x) && !is.null(x$class_name)

is_single <- function(x) is.function(x) || is_config(x) || is.character(x) && length(x) == 1 && is.null(names(x))

# `value` as a list with one element an output: by order, by name, or the same for all.
per_output <- function(value, outputs, arg, call = rlang::caller_env()) {
  if (is.null(value)) return(vector("list", length(outputs)))
  if (is_single(value)) return(rep(list(value), length(outputs)))
  value <- as.list(value)
  if (!is.null(names(value))) {
    unknown <- setdiff(names(value), outputs)
    if (length(unknown)) {
      birnn_abort(c("{.arg {arg}} names the output {.val {unknown[[1]]}}, which the model does not have.",
                    i = "Its outputs are {.val {outputs}}."), kind = "config", call = call)
    }
    return(lapply(outputs, function(name) value[[name]]))
  }
  if (length(value) != length(outputs)) {
    birnn_abort("{.arg {arg}} must have one element for each of the {length(outputs)} output{?s}, not {length(value)}.",
                kind = "config", call = call)
  }
  value
}

# --- losses -------------------------------------------------------------------------------------------------------

by_shape_losses <- c("crossentropy", "ce")

check_loss_spelling <- function(loss, call = rlang::caller_env()) {
  if (is.null(loss) || is.function(loss)) return(invisible())
  if (is_config(loss)) return(invisible(get_loss(loss)))
  for (one in as.list(loss)) if (is.character(one) && !one %in% by_shape_losses) get_loss(one)
}

# Loss objects and their weights, one an output.
resolve_losses <- function(setup, outputs, call = rlang::caller_env()) {
  if (!is.null(setup$losses)) return(invisible(setup))
  names <- vapply(outputs, `[[`, "", "name")
  losses <- per_output(setup$user$loss, names, "loss", call)
  weights <- per_output(setup$user$loss_weights, names, "loss_weights", call)
  setup$loss_weights <- vapply(weights, function(weight) check_number(weight %||% 1, arg = "loss_weights"), 1)
  setup$losses <- lapply(losses, function(loss) if (identical_any(loss, by_shape_losses)) loss else get_loss(loss))
  invisible(setup)
}

identical_any <- function(x, choices) is.character(x) && length(x) == 1 && x %in% choices

# --- metrics ------------------------------------------------------------------------------------------------------

by_shape_metrics <- c("accuracy", "acc", "crossentropy", "ce")

metric_leaves <- function(metrics) {
  if (is_single(metrics)) list(metrics) else flatten_structure(lapply(metrics, identity))
}

check_metric_spelling <- function(metric, call = rlang::caller_env()) {
  for (one in if (is.character(metric)) metric) if (!one %in% by_shape_metrics) get_metric(one)
}

# `metrics` as a list with, for each output, a list of metrics (named where the user named a function).
metrics_per_output <- function(metrics, outputs, arg, call = rlang::caller_env()) {
  if (length(outputs) == 1) {
    if (!is_single(metrics) && length(metrics) == 1 && identical(names(metrics), outputs)) metrics <- metrics[[1]]
    if (is.list(metrics) && length(metrics) == 1 && is_plain_list(metrics[[1]])) metrics <- metrics[[1]]
    return(list(as_metric_list(metrics)))
  }
  lapply(per_output(metrics, outputs, arg, call), as_metric_list)
}

as_metric_list <- function(metrics) if (is_single(metrics)) list(metrics) else as.list(metrics)

# Metric objects for every output, and the names under which their values are reported. `targets`: tensors or NULL.
resolve_metrics <- function(setup, outputs, targets, call = rlang::caller_env()) {
  if (!is.null(setup$metrics)) return(invisible(setup))
  names <- vapply(outputs, `[[`, "", "name")
  plain <- metrics_per_output(setup$user$metrics, names, "metrics", call)
  weighted <- metrics_per_output(setup$user$weighted_metrics, names, "weighted_metrics", call)
  make <- function(specs, weighted) {
    unlist(Map(function(specs, output, target, k) {
      Map(function(spec, name) {
        list(metric = new_metric(spec, name, target, output), output = k, weighted = weighted)
      }, specs, names(specs) %||% rep("", length(specs)))
    }, specs, outputs, targets, seq_along(outputs)), recursive = FALSE)
  }
  entries <- unname(c(make(plain, FALSE), make(weighted, TRUE)))
  resolve_loss_shapes(setup, outputs, targets)
  setup$metrics <- with_metric_keys(entries, if (length(names) > 1) names)
  invisible(setup)
}

new_metric <- function(spec, name, target, output) {
  shape <- if (!is.null(target)) tensor_shape(target)
  metric <- if (is.character(spec)) resolve_metric(spec, shape, output$shape) else get_metric(spec)
  if (nzchar(name)) metric$name <- name
  metric
}

# "crossentropy" as a loss is chosen by the same rule as the metric of that name.
resolve_loss_shapes <- function(setup, outputs, targets) {
  for (k in seq_along(setup$losses)) {
    loss <- setup$losses[[k]]
    if (!is.character(loss) || is.null(targets[[k]])) next
    setup$losses[[k]] <- resolve_loss(loss, tensor_shape(targets[[k]]), outputs[[k]]$shape)
  }
}

# Keras' names: `<output>_` before the name if there are several outputs; a second metric of the same name gets `_1`;
# a weighted one the prefix `weighted_`.
with_metric_keys <- function(entries, output_names = NULL) {
  counts <- list()
  for (i in seq_along(entries)) {
    prefix <- if (!is.null(output_names)) paste0(output_names[[entries[[i]]$output]], "_") else ""
    name <- entries[[i]]$metric$name
    key <- paste0(prefix, name)
    if (!is.null(counts[[key]]) && entries[[i]]$weighted) key <- paste0(prefix, "weighted_", name)
    seen <- counts[[key]] %||% 0L
    counts[[key]] <- seen + 1L
    entries[[i]]$key <- if (seen > 0L) paste0(key, "_", seen) else key
  }
  entries
}

reset_metrics <- function(model) for (metric in field(model, "metrics")) if (!is.null(metric)) metric$reset_state()

metric_values <- function(setup) {
  if (length(setup$metrics) == 0L) return(list())
  values <- rlang::set_names(lapply(setup$metrics, function(entry) entry$metric$result()),
                             vapply(setup$metrics, `[[`, "", "key"))
  lapply(spliced(values), as.numeric)
}

# A metric whose result is a named list reports each of them.
spliced <- function(values) {
  is_nested <- vapply(values, is_plain_list, logical(1))
  c(values[!is_nested], unlist(unname(values[is_nested]), recursive = FALSE))
}
