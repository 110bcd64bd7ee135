# The base class of models, a layer made of layers (level 6). The methods that train and apply it are set in train-*.R.

BaseModel <- R6::R6Class("Model",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    # What compile() left, see new_setup(); NULL before.
    setup = NULL,
    # Compiled steps by kind; made anew whenever they no longer fit.
    steps = list(),
    # Callbacks set it to end training after the running batch.
    stop_training = FALSE,
    history = NULL,
    # Levels of factors given as targets, one element an output.
    label_levels = NULL,
    # What is running on the model, see with_busy().
    busy = NULL,
    # See structure_version.
    version_count = 0L,
    casts_inputs = FALSE,

    # What the inputs must look like: a list of list(name, shape with the batch axis, dtype).
    input_specs = function() list(),
    # What the outputs look like: a list of output_spec(), NULL before the model is built.
    output_specs = function() NULL,
    # Structures (a tensor, a list, a named list) of inputs and outputs.
    input_template = function() NULL,
    output_template = function() NULL,
    # Builds a model whose input was not declared.
    build_for = function(shapes) invisible(),
    # What data tell: their structure, then the inputs themselves as a list of tensors.
    declare_inputs = function(x) invisible(),
    meet_inputs = function(tensors) if (!field(self, "built")) self$build_for(lapply(tensors, tensor_shape)),

    # Masks come with the tensors that the inner layers return.
    compute_mask = function(inputs, mask = NULL) NULL,

    compute_output_shape = function(input_shape) {
      shapes <- as_shape_structure(input_shape)
      dtypes <- vapply(self$input_specs(), `[[`, "", "dtype")
      k <- 0L
      inputs <- map_structure_shapes(shapes, function(shape) {
        k <<- k + 1L
        new_symbolic(shape, dtypes[[k]], name = "shape")
      })
      build_layer(self, shapes)
      map_structure(in_layer_call(self$call(inputs)), tensor_shape)
    },

    get_layer = function(name = NULL, index = NULL) get_layer(self$handle, name, index),
    summary = function(...) summary(self$handle, ...)
  ),

  active = list(
    # Counts changes of the layers.
    structure_version = function(value) {
      if (missing(value)) return(self$version_count)
      self$version_count <- value
      note_change()
    },
    layers = function(value) {
      if (!missing(value)) birnn_abort("The layers of a model cannot be replaced.", call = NULL)
      Filter(function(layer) !inherits(layer_object(layer), "OpLayer"), self$sublayers())
    },
    compiled = function() !is.null(self$setup),
    optimizer = function(value) {
      if (missing(value)) return(self$setup$optimizer)
      birnn_abort(c("The optimizer of a model cannot be replaced.", i = "Use {.fn compile}."), call = NULL)
    },
    loss = function() self$setup$user$loss,
    # The mean of the loss, then the metrics of compile() once they are known.
    metrics = function() c(self$setup$loss_tracker, lapply(self$setup$metrics, `[[`, "metric")),
    metrics_names = function() c("loss", if (has_metrics(self$setup)) "compile_metrics")
  )
)

has_metrics <- function(setup) !is.null(setup$user$metrics) || !is.null(setup$user$weighted_metrics)

output_spec <- function(tensor, name, shape = tensor_shape(tensor)) {
  list(name = name, shape = shape, masked = !is.null(tensor_mask(tensor)))
}

# Changes whenever a model, or a model inside it, gets another layer.
structure_version <- function(model) {
  vapply(Filter(function(layer) inherits(layer, "Model"), all_layers(model)), function(layer) {
    layer$structure_version
  }, integer(1))
}

# What does not change between the batches of a model: its inputs and outputs, the batch size that its inputs fix (or
# NA), whether it keeps states.
model_facts <- function(model) remembered(model, "model", find_model_facts(model))

find_model_facts <- function(model) {
  inputs <- model$input_specs()
  outputs <- model$output_specs()
  list(
    inputs = inputs, input_names = spec_names(inputs), outputs = outputs, output_names = spec_names(outputs),
    output_template = model$output_template(), fixed_batch_size = fixed_batch_size(model),
    is_stateful = is_stateful(model)
  )
}

spec_names <- function(specs) vapply(specs, `[[`, "", "name")

is_stateful <- function(model) any(vapply(all_layers(model), function(layer) isTRUE(layer$stateful), logical(1)))

# The batch size that the declared inputs fix, or NA.
fixed_batch_size <- function(model) {
  sizes <- vapply(model$input_specs(), function(spec) if (length(spec$shape)) spec$shape[[1]] else NA_integer_, 1L)
  c(sizes[!is.na(sizes)], NA)[[1]]
}

# Inputs of a direct call in the types of the model's inputs, checked, as a flat list.
model_call_inputs <- function(model, inputs, mask) {
  specs <- model_facts(model)$inputs
  parts <- match_parts(inputs, spec_names(specs), "inputs", call = NULL)
  masks <- if (is_plain_list(mask)) flatten_structure(mask) else list(mask)
  Map(function(part, spec, k) {
    own_mask <- tensor_mask(part)
    part <- adjust_rank(if (takes_texts(spec)) check_texts(part, spec) else as_operand(part, spec$dtype), spec$shape)
    check_input_shape(tensor_shape(part), spec, "inputs", call = NULL)
    with_mask(part, if (k <= length(masks)) masks[[k]] %||% own_mask else own_mask)
  }, parts, specs, seq_along(specs))
}

# Calls a model on texts: list(...) are further arguments.
call_on_texts <- function(self, inputs, ...) {
  specs <- if (is.null(self$definition)) model_facts(self)$inputs
  parts <- if (!is.null(specs)) match_parts(inputs, spec_names(specs), "inputs", call = NULL)
  for (part in parts[!vapply(specs, takes_texts, NA)]) if (is.character(part)) as_tensor(part)   # an error
  table <- new_text_table()
  coded <- map_structure(inputs, function(x) if (is.character(x)) table$code(x) else x)
  with_running(list(texts = table$texts()), call_layer(self, coded, ...))
}

running$call_on_texts <- call_on_texts

takes_texts <- function(spec) identical(spec$dtype, "string")

check_texts <- function(x, spec, arg = "inputs", call = NULL) {
  if (is_text_tensor(x) || is_tensor_like(x) && !is.null(running$texts) && tensor_dtype(x) == "int32") return(x)
  birnn_abort("{.arg {arg}} must be texts for the model's input {.val {spec$name}}, not {describe_value(x)}.",
              kind = "type", call = call)
}

# --- one thing at a time ------------------------------------------------------------------------------------------

# Tells this session from those that a model was saved in: a saved model is never busy.
session_token <- new.env(parent = emptyenv())

# Evaluates `code` while nothing else may train or compile the model. Callbacks may evaluate and predict.
with_busy <- function(model, what, code, call = rlang::caller_env()) {
  check_idle(model, what, call)
  model$busy <- list(what = what, session = session_token)
  on.exit(model$busy <- NULL)
  code
}

check_idle <- function(model, what, call = rlang::caller_env()) {
  check_outside_step(model, what, call)
  if (!identical(model$busy$session, session_token)) return(invisible())
  birnn_abort(
    c("{what} cannot run on {.val {model$name}} while {model$busy$what} runs on it.",
      i = "Set {.code model$stop_training <- TRUE} to end the training first."),
    kind = "busy", call = call
  )
}

# Inside a step (a custom loss, a layer) the model is half way through a batch.
check_outside_step <- function(model, what, call = rlang::caller_env()) {
  if (!in_step()) return(invisible())
  birnn_abort("{what} cannot run on {.val {model$name}} inside the computation of a batch.", kind = "busy", call = call)
}

# --- layers of a model --------------------------------------------------------------------------------------------

#' A layer of a model
#'
#' @param object A model.
#' @param name The name of the layer.
#' @param index The position of the layer, counted from 1; negative positions count from the end.
#' @return The layer.
#' @family model functions
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(5, 3)) |>
#'   layer_lstm(units = 4, name = "memory") |>
#'   layer_dense(1)
#' get_layer(model, "memory")
#' get_layer(model, index = -1)
get_layer <- function(object, name = NULL, index = NULL) {
  model <- check_model(object)
  layers <- model$layers
  if (is.null(name) == is.null(index)) birnn_abort("Give either {.arg name} or {.arg index}.")
  if (!is.null(name)) {
    names <- vapply(layers, function(layer) layer$name, "")
    return(layers[[match(check_choice(name, names), names)]])
  }
  layers[[index_of(check_whole(index), length(layers))]]
}

# A position from 1 to n, given as such or, if negative, counted from the end.
index_of <- function(index, n, arg = "index", call = rlang::caller_env()) {
  if (index == 0L || abs(index) > n) {
    birnn_abort("{.arg {arg}} must be from 1 to {n} or from -{n} to -1, not {index}.", call = call)
  }
  if (index > 0L) index else n + 1L + index
}

check_model <- function(object, arg = rlang::caller_arg(object), call = rlang::caller_env()) {
  if (!inherits(object, "birnn_model")) stop_not("a model", object, arg, call)
  layer_object(object)
}
