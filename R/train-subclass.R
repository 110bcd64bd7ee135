# Steps that users' model classes define: train_step() and its kin, as R functions of a batch (level 7).

# Whether a batch is handed to R methods of the model instead of a compiled step. `supervised`: in fit(), evaluate().
has_own_step <- function(model, supervised = TRUE) {
  if (is.null(field(model, "definition"))) return(FALSE)
  if (!supervised) return(defines_method(model, "predict_step"))
  defines_method(model, c("train_step", "test_step", "compute_metrics"))
}

# --- data ---------------------------------------------------------------------------------------------------------

# Data for such steps: any structure of arrays, as tensors in a flat list, with the template to put a batch together.
prepare_own_data <- function(model, x, y, sample_weight, class_weight, call) {
  model$declare_inputs(x)
  given <- compact(list(x = x, y = y, sample_weight = sample_weight))
  parts <- Map(function(part, arg) map_structure(part, function(leaf) own_tensor(leaf, arg, call)), given, names(given))
  if (!is.null(class_weight)) parts$sample_weight <- own_class_weight(parts, class_weight, call)
  n <- sample_count(lapply(parts, flatten_structure), call)
  c(new_dataset(unname(flatten_structure(parts)), n), list(template = map_structure(parts, function(leaf) 1L)))
}

own_tensor <- function(x, arg, call) {
  x <- plain_numbers(x, arg, call)
  if (is_tensor_like(x)) as_tensor(x) else numbers_to_tensor(x, NULL, arg, call)
}

own_class_weight <- function(parts, class_weight, call) {
  if (!is.null(parts$sample_weight)) {
    birnn_abort("Only one of {.arg sample_weight} and {.arg class_weight} can be given.", call = call)
  }
  if (!is_tensor(parts$y)) birnn_abort("{.arg class_weight} needs one array {.arg y}.", call = call)
  class_sample_weight(class_weight, parts$y, list(shape = c(NA, NA)), call = call)
}

# --- one batch ----------------------------------------------------------------------------------------------------

# A batch that a source gave, through the step of its kind: see run_step().
take_step <- function(step, drawn, commit_nonfinite) {
  with_texts(drawn$texts, step_on_batch(step, drawn, commit_nonfinite))
}

step_on_batch <- function(step, drawn, commit_nonfinite) {
  if (is.null(step$own)) {
    result <- run_tensors(step, drawn$tensors, drawn$rows, commit_nonfinite)
    return(with_late_metrics(step, result, drawn, commit_nonfinite))
  }
  tensors <- drawn$tensors
  if (!is.null(drawn$rows)) tensors <- lapply(tensors, r_tensor_rows, drawn$rows)
  step$own(unname(pack_structure(drawn$template, tensors)))
}

# The method that is called on each batch, and what it returns as a step's result.
new_own_step <- function(model, kind) {
  method <- model[[paste0(kind, "_step")]]
  own <- if (kind == "predict") {
    function(data) list(outputs = flatten_structure(model$predicted <- method(data)))
  } else {
    function(data) {
      logs <- step_logs(method(data), paste0(kind, "_step"))
      list(outputs = list(), loss = logs$loss, finite = is.null(logs$loss) || is.finite(logs$loss), logs = logs)
    }
  }
  list2env(list(own = own), parent = emptyenv())
}

# What a step returned, as a flat list of numbers.
step_logs <- function(logs, method) {
  if (is.null(logs)) return(list())
  if (!is_plain_list(logs) || (length(logs) && is.null(names(logs)))) {
    birnn_abort("{.fn {method}} must return a named list of numbers, not {describe_value(logs)}.", kind = "type",
                call = NULL)
  }
  lapply(spliced(logs), function(value) {
    value <- as.numeric(value)
    if (length(value) == 1L) value else mean(value)
  })
}

# --- the methods as they are inherited ----------------------------------------------------------------------------

BaseModel$set("public", "train_step", function(data) {
  parts <- named_parts(data)
  tape <- new_tape()
  on.exit(tape_free(tape))
  in_tape(tape, {
    y_pred <- self$handle(parts$x, training = TRUE)
    loss <- self$compute_loss(x = parts$x, y = parts$y, y_pred = y_pred, sample_weight = parts$sample_weight,
                              training = TRUE)
  })
  self$setup$loss_tracker$update_state(loss, sample_weight = batch_rows(parts$x))
  variables <- layer_variables(self, trainable = TRUE)
  self$optimizer$apply(tape_gradient(tape, loss, variables), variables)
  self$compute_metrics(x = parts$x, y = parts$y, y_pred = y_pred, sample_weight = parts$sample_weight)
})

BaseModel$set("public", "test_step", function(data) {
  parts <- named_parts(data)
  y_pred <- self$handle(parts$x, training = FALSE)
  loss <- self$compute_loss(x = parts$x, y = parts$y, y_pred = y_pred, sample_weight = parts$sample_weight,
                            training = FALSE)
  self$setup$loss_tracker$update_state(loss, sample_weight = batch_rows(parts$x))
  self$compute_metrics(x = parts$x, y = parts$y, y_pred = y_pred, sample_weight = parts$sample_weight)
})

BaseModel$set("public", "predict_step", function(data) self$handle(named_parts(data)$x, training = FALSE))

# The loss of compile() and of the layers. The first call decides what losses and metrics given by name mean.
BaseModel$set("public", "compute_loss", function(x = NULL, y = NULL, y_pred = NULL, sample_weight = NULL,
                                                 training = TRUE) {
  parts <- resolve_by_outputs(self, y, y_pred, sample_weight)
  losses <- output_losses(self$setup, parts$targets, parts$outputs, parts$weights)
  total_loss(self, losses, if (in_step()) collected_losses() else layer_call_losses(self))
})

BaseModel$set("public", "compute_metrics", function(x = NULL, y = NULL, y_pred = NULL, sample_weight = NULL) {
  parts <- resolve_by_outputs(self, y, y_pred, sample_weight)
  update_metrics(self$setup, parts$targets, parts$outputs, parts$weights)
  self$get_metrics_result()
})

# The values of all metrics by name, those of compile() under the names that the history has.
BaseModel$set("public", "get_metrics_result", function() {
  keys <- c("loss", vapply(self$setup$metrics, `[[`, "", "key"))
  own <- defines_metrics(self)
  metrics <- self$metrics
  values <- lapply(metrics, function(metric) metric$result())
  rlang::set_names(values, if (own) vapply(metrics, function(metric) metric$name, "") else keys)
})

defines_metrics <- function(model) {
  length(model$metrics) != 1L + length(model$setup$metrics) ||
    !identical(model$metrics[[1L]], model$setup$loss_tracker)
}

named_parts <- function(data) {
  if (is_plain_list(data) && is.null(names(data))) {
    names(data) <- c("x", "y", "sample_weight")[seq_along(data)]
  } else if (!is_plain_list(data)) {
    data <- list(x = data)
  }
  data
}

batch_rows <- function(x) tensor_shape(flatten_structure(x)[[1L]])[[1L]]

# Targets, outputs and weights as lists with one element an output.
resolve_by_outputs <- function(model, y, y_pred, sample_weight) {
  check_compiled(model, call = NULL)
  outputs <- flatten_structure(y_pred)
  targets <- if (is.null(y)) vector("list", length(outputs)) else one_each(y, y_pred, "y")
  weights <- vector("list", length(outputs))
  if (!is.null(sample_weight)) weights <- one_each(sample_weight, y_pred, "sample_weight")
  targets <- Map(function(target, output) if (!is.null(target)) adjust_rank(as_batch(target), tensor_shape(output)),
                 targets, outputs)
  specs <- Map(output_spec, outputs, data_names(y_pred, "output"))
  resolve_losses(model$setup, specs, call = NULL)
  resolve_metrics(model$setup, specs, targets, call = NULL)
  list(targets = targets, outputs = outputs, weights = weights)
}

one_each <- function(value, y_pred, arg) {
  names <- data_names(y_pred, "output")
  if (!is_plain_list(value) && length(names) > 1L && arg == "sample_weight") return(rep(list(value), length(names)))
  match_parts(value, names, arg, call = NULL)
}
