# How much work space a model takes (level 7).

#' The memory that a model works in
#'
#' Besides its weights and the data, a model needs room for the values of all layers, what their gradients need to know
#' of them, the gradients, and scratch. This is allocated by the first batch, kept for the next ones, and freed with the
#' model (or by the next [compile()][compile.birnn_model]).
#'
#' The number is the sum, over all steps of the computation of a batch, of the sizes of their results and of what their
#' backward passes keep, and of the gradients, plus the largest scratch of a single step and a copy of the batch. It grows
#' in proportion to `batch_size` and `steps`, but for the gradients of weights. Nothing is
#' told of what does not run as a plan (`run_eagerly = TRUE`, R code that looks at numbers).
#'
#' @param object A model whose inputs are known. To train, it must be compiled.
#' @param batch_size Samples in a batch; `NULL` is the fixed batch size of the model, or 32.
#' @param steps The size of every axis between batch and features that the model leaves open (the length of sequences).
#' @return Bytes as a vector of numbers: `predict`, and `train` for a compiled model; `NA` for what is not a plan.
#' @family training
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(NA, 3)) |>
#'   layer_bidirectional(layer_lstm(units = 8)) |>
#'   layer_dense(1)
#' work_space(model, steps = 50)
#' model |> compile("adam", loss = "mse")
#' work_space(model, batch_size = 64, steps = 50)
work_space <- function(object, batch_size = NULL, steps = NULL) {
  model <- check_model(object)
  facts <- model_facts(model)
  fixed <- facts$fixed_batch_size
  batch_size <- check_whole(batch_size, min = 1, allow_null = TRUE) %||% if (is.na(fixed)) 32L else fixed
  steps <- check_whole(steps, min = 1, allow_null = TRUE)
  if (is.null(facts$outputs)) {
    birnn_abort("The inputs of {.val {model$name}} are not known yet: call the model on data first.", kind = "state")
  }
  inputs <- lapply(facts$inputs, function(spec) list(dtype = spec$dtype, shape = full_shape(spec$shape, batch_size, steps)))
  bytes <- c(predict = step_bytes(step_for(model, "predict"), c(inputs, vector("list", length(inputs)))))
  if (is.null(model$setup)) return(bytes)
  resolve_losses(model$setup, facts$outputs)
  targets <- Map(function(output, loss) target_meta(output, loss, batch_size, steps), facts$outputs, model$setup$losses)
  tensors <- c(inputs, vector("list", length(inputs)), targets, vector("list", length(targets)))
  c(bytes, train = step_bytes(step_for(model, "train"), tensors))
}

# Open sizes: the batch size first, then `steps`.
full_shape <- function(shape, batch_size, steps, call = rlang::caller_env(2)) {
  shape[[1]] <- batch_size
  if (anyNA(shape) && is.null(steps)) {
    birnn_abort("The model takes sequences of any length: {.arg steps} must be given.", call = call)
  }
  shape[is.na(shape)] <- steps
  shape
}

# What the target of an output looks like: as the output, or one class number for each prediction.
target_meta <- function(output, loss, batch_size, steps) {
  if (is.null(loss)) return(NULL)
  shape <- full_shape(output$shape, batch_size, steps)
  if (is.character(loss) || !is_sparse_loss(loss)) return(list(dtype = floatx(), shape = shape))
  list(dtype = "int32", shape = c(shape[-length(shape)], 1L))
}

# Without a plan for such tensors one is traced; nothing is computed.
step_bytes <- function(step, metas) {
  if (!is.null(step$own) || step$eager) return(NA_real_)
  table <- tryCatch(trace_step(step, metas), birnn_error_symbolic = function(e) NULL)
  if (is.null(table)) NA_real_ else r_plan_work_bytes(r_plan_new(table), metas)
}
