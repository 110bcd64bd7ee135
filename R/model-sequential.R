# Sequential models: a chain of layers (level 6).

Sequential <- R6::R6Class("Sequential",
  inherit = BaseModel, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    # Handles of the layers, without the input layer.
    chain = list(),
    input_layer = NULL,
    # The symbolic tensor after each layer.
    tensors = list(),
    # Whether the input was declared, not taken from the first data: then its sizes bind.
    declared = FALSE,

    initialize = function(name = NULL, trainable = TRUE) super$initialize(name = name, trainable = trainable),

    sublayers = function() self$chain,

    add = function(layer, rebuild = TRUE) {
      add_to_chain(self, layer)
      invisible(self$handle)
    },

    pop = function(rebuild = TRUE) pop_layer(self$handle, rebuild),

    set_input = function(input_layer, declared = TRUE) {
      self$input_layer <- input_layer
      self$declared <- declared
      extend_graph(self)
    },

    build = function(input_shape) {
      if (!is.null(self$input_layer)) return(invisible())
      dtype <- if (starts_with_texts(self)) "string"
      self$set_input(new_input_layer(batch_shape = c(NA_integer_, input_shape[-1L]), dtype = dtype), declared = FALSE)
    },
    build_for = function(shapes) build_layer(self, shapes[[1L]]),

    call = function(inputs, training = NULL, mask = NULL) {
      x <- model_call_inputs(self, inputs, mask)[[1L]]
      for (layer in field(self, "chain")) x <- call_layer(layer_object(layer), x)
      x
    },

    input_specs = function() {
      tensor <- self$input_layer$output
      shape <- if (!is.null(tensor)) known_sizes(tensor_shape(tensor), self$declared, !adds_features(self))
      list(list(name = self$input_layer$name %||% "input_layer", shape = shape,
                dtype = if (!is.null(tensor)) tensor_dtype(tensor) else if (starts_with_texts(self)) "string" else floatx()))
    },
    output_specs = function() {
      if (is.null(self$input_layer)) return(NULL)
      tensor <- last_tensor(self)
      name <- if (length(self$chain)) self$chain[[length(self$chain)]]$name else self$input_layer$name
      list(output_spec(tensor, name, known_sizes(tensor_shape(tensor), self$declared)))
    },
    input_template = function() 1L,
    output_template = function() 1L
  ),

  active = list(
    inputs = function() list(self$input),
    outputs = function() list(self$output),
    input = function() {
      check_has_input(self)
      self$input_layer$output
    },
    output = function() {
      check_has_input(self)
      last_tensor(self)
    },
    input_shape = function() tensor_shape(self$input),
    output_shape = function() tensor_shape(self$output)
  )
)

starts_with_texts <- function(self) length(self$chain) > 0L && isTRUE(layer_object(self$chain[[1L]])$reads_text)

check_has_input <- function(self) {
  if (is.null(self$input_layer)) abort_not_built(self, NULL)
}

# Sizes between batch and features bind only if they were declared.
known_sizes <- function(shape, declared, has_features = TRUE) {
  first <- if (has_features) length(shape) else 0L
  if (!declared) shape[-c(1L, first)] <- NA
  shape
}

# Whether the input is steps without features, which the first layer, an embedding, gives them.
adds_features <- function(self) {
  length(self$tensors) && length(tensor_shape(self$tensors[[1L]])) > length(tensor_shape(self$input_layer$output))
}

last_tensor <- function(self) {
  if (length(self$tensors)) self$tensors[[length(self$tensors)]] else self$input_layer$output
}

add_to_chain <- function(self, layer, call = rlang::caller_env()) {
  check_idle(self, "Adding a layer", call)
  if (is_graph_tensor(layer)) layer <- layer[["history"]]$layer
  if (!is_layer(layer)) stop_not("a layer", layer, "layer", call)
  if (inherits(layer_object(layer), "InputLayer")) return(add_input(self, layer, call))
  names <- vapply(self$chain, function(other) other$name, "")
  if (layer$name %in% names) {
    birnn_abort(
      c("All layers of a model must have different names, but {.val {layer$name}} is in {.val {self$name}} already.",
        i = "Give one of them another {.arg name}."), kind = "config", call = call
    )
  }
  # If the layer does not fit, the model stays as it was.
  before <- mget(c("chain", "input_layer", "declared", "built"), envir = self)
  added <- FALSE
  on.exit(if (!added) list2env(before, envir = self))
  if (length(self$chain) == 0L && is.null(self$input_layer)) declare_input(self, layer)
  self$chain <- c(self$chain, list(layer))
  if (!is.null(self$input_layer)) extend_graph(self)
  self$structure_version <- self$structure_version + 1L
  added <- TRUE
}

add_input <- function(self, layer, call) {
  if (length(self$chain) || !is.null(self$input_layer)) {
    birnn_abort("An input can only be the first layer of {.val {self$name}}.", kind = "config", call = call)
  }
  self$set_input(layer)
}

# The first layer may say what comes in: by `input_shape` and its older spellings, or because it is a model.
declare_input <- function(self, layer) {
  first <- layer_object(layer)
  if (!is.null(first$batch_input_shape)) {
    return(self$set_input(new_input_layer(batch_shape = first$batch_input_shape, dtype = first$input_dtype)))
  }
  if (!inherits(first, "Model") || !first$built) return(invisible())
  specs <- first$input_specs()
  if (length(specs) == 1L) self$set_input(new_input_layer(batch_shape = specs[[1L]]$shape, dtype = specs[[1L]]$dtype))
}

# Calls the layers that have no symbolic output yet.
extend_graph <- function(self) {
  for (layer in self$chain[seq_along(self$chain) > length(self$tensors)]) {
    output <- with_running(list(layer_depth = 0L), call_layer(layer_object(layer), last_tensor(self)))
    if (is_plain_list(output)) {
      birnn_abort(
        c("Layer {.val {layer$name}} of the sequential model {.val {self$name}} returns {length(output)} outputs, it
           must return one.", i = "Use {.fn keras_input} and {.fn keras_model}."), kind = "config", call = NULL
      )
    }
    self$tensors <- c(self$tensors, list(output))
  }
  self$built <- TRUE
  note_change()
}

#' Take the last layer away
#'
#' @param object A sequential model, which is changed in place.
#' @param rebuild Accepted for compatibility: the model is always ready for use.
#' @return The layer that was the last one.
#' @family model functions
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(5, 3)) |> layer_lstm(units = 4) |> layer_dense(1)
#' pop_layer(model)
#' model
pop_layer <- function(object, rebuild = TRUE) {
  self <- check_model(object)
  check_flag(rebuild)
  if (!inherits(self, "Sequential")) {
    birnn_abort("Layers can be taken from sequential models only, and {.val {self$name}} is none.", kind = "config")
  }
  check_idle(self, "pop_layer()")
  count <- length(self$chain)
  if (count == 0L) birnn_abort("There is no layer in {.val {self$name}}.", kind = "state")
  last <- self$chain[[count]]
  self$chain <- self$chain[-count]
  self$tensors <- utils::head(self$tensors, count - 1L)
  self$structure_version <- self$structure_version + 1L
  last
}

#' A model that is a chain of layers
#'
#' Add layers with the pipe. If the shape of the input is given, the model is built at once: it has weights and a full
#' [summary()][summary.birnn_model]. Otherwise it is built when it first sees data.
#'
#' @param input_shape The shape of one sample, without the batch axis, such as `c(NA, 12)` for sequences of any length
#'   with 12 features.
#' @param name The name of the model.
#' @param ... Older spellings: `shape`, `batch_shape`, `batch_input_shape`, `batch_size`, `dtype`, `input_layer_name`.
#' @param input_dtype The type of the input: `"int32"` for the indices of an embedding; `NULL` is the running float
#'   type.
#' @param input_batch_size A fixed number of samples in a batch, needed for stateful layers only.
#' @param input_sparse,input_ragged Must be `NULL` or `FALSE`.
#' @param input_batch_shape The shape with the batch axis.
#' @param input_name The name of the input.
#' @param input_tensor A symbolic tensor to take shape and type from.
#' @param input_optional Accepted for compatibility.
#' @param trainable Whether training changes the weights.
#' @param layers A list of layers to start with.
#' @return A model. Models are changed in place: adding a layer to a model changes it, whatever name it is assigned to.
#' @source Behaves as [keras.Sequential](https://keras.io/guides/sequential_model/).
#' @family model functions
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(NA, 12)) |>
#'   layer_masking(mask_value = -99) |>
#'   layer_bidirectional(layer_lstm(units = 8)) |>
#'   layer_dense(9, activation = "softmax")
#' model
keras_model_sequential <- function(input_shape = NULL, name = NULL, ..., input_dtype = NULL, input_batch_size = NULL,
                                   input_sparse = NULL, input_ragged = NULL, input_batch_shape = NULL,
                                   input_name = NULL, input_tensor = NULL, input_optional = FALSE, trainable = TRUE,
                                   layers = list()) {
  if (is_layer(input_shape) || is_plain_list(input_shape) && any(vapply(input_shape, is_layer, logical(1)))) {
    birnn_abort(c("{.arg layers} must be passed in as a named argument.",
                  i = "{.code keras_model_sequential(layers = list(...))}"))
  }
  older <- older_input_arguments(rlang::dots_list(..., .ignore_empty = "all"))
  self <- Sequential$new(name = check_string(name, allow_null = TRUE), trainable = check_flag(trainable))
  model <- new_layer_handle(self, c("birnn_sequential", "birnn_model"))
  input_shape <- input_shape %||% older$shape
  batch_shape <- input_batch_shape %||% older$batch_shape %||% older$batch_input_shape
  if (!is.null(input_shape) || !is.null(batch_shape) || !is.null(input_tensor)) {
    input <- keras_input(
      input_shape, input_batch_size %||% older$batch_size, input_dtype %||% older$dtype, input_sparse, input_ragged,
      batch_shape, input_name %||% older$input_layer_name, input_tensor, input_optional
    )
    self$set_input(input[["history"]]$layer)
  }
  for (layer in if (is_layer(layers)) list(layers) else layers) self$add(layer)
  model
}

older_input_arguments <- function(dots, call = rlang::caller_env()) {
  check_named(dots, call = call)
  known <- c("shape", "batch_shape", "batch_input_shape", "batch_size", "input_layer_name", "dtype")
  check_known_names(names(dots), c(known, setdiff(names(formals(keras_model_sequential)), "...")),
                    "keras_model_sequential()", call = call)
  dots
}
