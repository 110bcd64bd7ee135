# What happens to one batch: forward pass, losses, metrics, as compositions of ops that run in a plan or not (level 7).

# The step of `kind` ("train", "test", "predict"), made anew when the model, its trainable weights or compile() changed.
step_for <- function(model, kind) {
  step <- field(model, "steps")[[kind]]
  if (!is.null(step) && identical(step$changes, session$changes)) return(step$run)
  key <- step_key(model, kind)
  if (!identical(step$key, key)) step <- list(key = key, run = new_model_step(model, kind))
  step$changes <- session$changes
  model$steps[[kind]] <- step
  step$run
}

step_key <- function(model, kind) {
  variables <- layer_variables(model$handle, trainable = if (kind == "train") TRUE else NA)
  c(structure_version(model), floatx(), model$setup$late, vapply(variables, rlang::obj_address, ""))
}

new_model_step <- function(model, kind) {
  if (has_own_step(model, supervised = kind != "predict")) return(new_own_step(model, kind))
  eager <- isTRUE(model$setup$run_eagerly)
  if (kind == "predict") return(new_step(predict_function(model), eager = eager))
  step <- if (kind == "test") new_step(loss_function(model, training = FALSE), eager = eager) else {
    new_step(loss_function(model, training = TRUE), trainable = layer_variables(model$handle, trainable = TRUE),
             optimizer = model$setup$optimizer, eager = eager)
  }
  step$model <- model
  step$setup <- model$setup
  step
}

predict_function <- function(model) {
  force(model)
  function(tensors) list(outputs = flatten_structure(forward(model, tensors, training = FALSE)))
}

loss_function <- function(model, training) {
  force(model)
  force(training)
  function(tensors) {
    parts <- data_parts(model, tensors)
    outputs <- flatten_structure(forward(model, tensors, training = training))
    if (defines_method(model, "compute_loss")) {
      result <- list(outputs = list(), loss = loss_of_method(model, tensors, parts, outputs, training))
    } else {
      losses <- output_losses(model$setup, parts$targets, outputs, parts$weights)
      result <- list(outputs = if (length(outputs) > 1) compact(losses) else list(),
                     loss = total_loss(model, losses, collected_losses()))
    }
    update_metrics(model$setup, parts$targets, outputs, parts$weights, skip = model$setup$late)
    result$outputs <- c(result$outputs, late_predictions(model$setup, parts$targets, outputs))
    result
  }
}

# What compute_loss() of a user's class makes of a batch.
loss_of_method <- function(model, tensors, parts, outputs, training) {
  template <- model$output_template()
  packed <- function(leaves) if (length(compact(leaves))) pack_structure(template, leaves)
  as_scalar(call_own_code(model$compute_loss, list(
    x = batch_inputs(model, tensors), y = packed(parts$targets), y_pred = pack_structure(template, outputs),
    sample_weight = packed(parts$weights), training = training
  )))
}

as_scalar <- function(loss) {
  loss <- as_float_operand(loss)
  if (tensor_rank(loss) == 0L) loss else op_mean(loss)
}

# The tensors of prepare_data() by what they are: one input and mask an input, one target and weight an output; NULL
# where there is none.
data_parts <- function(model, tensors) {
  n_inputs <- length(model_facts(model)$inputs)
  n_outputs <- length(model_facts(model)$outputs)
  list(targets = tensors[2L * n_inputs + seq_len(n_outputs)],
       weights = tensors[2L * n_inputs + n_outputs + seq_len(n_outputs)])
}

forward <- function(model, tensors, training) call_layer(model, batch_inputs(model, tensors), training = training)

# The inputs of a batch in the model's structure, with their masks.
batch_inputs <- function(model, tensors) {
  n_inputs <- length(model_facts(model)$inputs)
  inputs <- Map(function(input, mask) if (is.null(mask)) input else with_mask(input, mask),
                tensors[seq_len(n_inputs)], tensors[n_inputs + seq_len(n_inputs)])
  pack_structure(model$input_template(), inputs)
}

output_losses <- function(setup, targets, outputs, weights) {
  Map(function(loss, target, output, weight) {
    if (!is.null(loss) && !is.null(target)) loss(target, output, sample_weight = weight)
  }, setup$losses, targets, outputs, weights)
}

# Weighted losses of the outputs, then the layers' own (activity regularizers), then penalties of weights.
total_loss <- function(model, losses, layer_losses) {
  weights <- model$setup$loss_weights
  weighted <- Map(function(loss, weight) {
    if (is.null(loss) || weight == 1) loss
    else apply_op("multiply", list(loss, as_tensor(weight, tensor_dtype(loss))))
  }, losses, weights)
  terms <- c(compact(weighted), layer_losses, regularization_losses(model$handle))
  if (length(terms) == 0) {
    birnn_abort(c("No loss to compute.", i = "Give {.fn compile} a {.arg loss}."), kind = "value", call = NULL)
  }
  Reduce(function(a, b) apply_op("add", list(a, b)), terms)
}

# `skip`: keys of metrics that are left out.
update_metrics <- function(setup, targets, outputs, weights, skip = character()) {
  for (entry in setup$metrics) {
    target <- targets[[entry$output]]
    if (is.null(target) || entry$key %in% skip) next
    weight <- if (entry$weighted) weights[[entry$output]]
    if (is_tracing() && is_own_metric(entry$metric)) running$trace$has_own_code <- TRUE
    traced_or_late(setup, entry$key, update_metric(entry$metric, target, outputs[[entry$output]], weight))
  }
}

is_own_metric <- function(metric) !is.null(metric$definition) || !is.null(metric$fn)

# A user's update_state() need not know of weights.
update_metric <- function(metric, target, output, weight) {
  update <- metric$update_state
  known <- names(formals(update))
  if (is.null(weight) && !any(c("sample_weight", "...") %in% known)) return(update(target, output))
  update(target, output, sample_weight = weight)
}
