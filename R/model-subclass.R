# Model(): model classes written by users (level 6). They are made as layer classes are, see layer-custom.R; what
# happens in a step of training is in train-subclass.R.

SubclassedModel <- R6::R6Class("SubclassedModel",
  inherit = BaseModel, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    handle_class = "birnn_model",
    # The structure in which inputs come, and symbolic outputs: known from the first data on.
    input_structure = NULL,
    output_structure = NULL,

    declare_inputs = function(x) {
      if (!is.null(field(self, "input_structure"))) return(invisible())
      self$input_structure <- if (is_plain_list(x)) map_structure(x, function(part) 1L) else 1L
      note_change()
    },
    meet_inputs = function(tensors) {
      if (!is.null(field(self, "output_structure"))) return(invisible())
      self$output_structure <- learned_outputs(self, tensors)
      note_change()
    },
    input_specs = function() {
      parts <- self$input_structure %||% 1L
      lapply(data_names(parts, "input"), function(name) list(name = name, shape = NULL, dtype = NULL))
    },
    output_specs = function() {
      if (is.null(self$output_structure)) return(NULL)
      Map(output_spec, flatten_structure(self$output_structure), data_names(self$output_structure, "output"))
    },
    input_template = function() self$input_structure %||% 1L,
    output_template = function() self$output_structure,
    # What call() has built is built again from the shape of what it was called with, also when a file is loaded.
    get_build_config = function() {
      if (self$built && !is.null(self$build_shape)) list(input_shape = config_shapes(self$build_shape))
    },
    compute_output_shape = function(input_shape) traced_output_shape(self, input_shape),
    call = function(inputs, ...) abort_no_call(self)
  )
)

# Names for the parts of inputs or outputs: their own, or input_1, input_2, ...
data_names <- function(structure, prefix) {
  parts <- if (is_plain_list(structure)) structure else list(structure)
  names <- rlang::names2(parts)
  ifelse(nzchar(names), names, paste0(prefix, "_", seq_along(parts)))
}

# Symbolic outputs for tensors like these, of any batch size. If call() cannot run on symbolic tensors, it shows what it
# returns for the first row.
learned_outputs <- function(self, tensors) {
  run <- function(parts) {
    inputs <- pack_structure(self$input_template(), parts)
    with_running(list(layer_depth = 1L, tape = NULL), call_layer(self, inputs, training = FALSE))
  }
  symbolic <- lapply(tensors, function(x) {
    mask <- tensor_mask(x)
    if (!is.null(mask)) mask <- new_symbolic(batch_free(tensor_shape(mask)), "bool")
    new_symbolic(batch_free(tensor_shape(x)), tensor_dtype(x), mask = mask, name = "data")
  })
  outputs <- tryCatch(run(symbolic), error = function(error) NULL)
  if (is.null(outputs)) outputs <- in_call_context(run(lapply(tensors, first_row)))
  map_structure(outputs, function(x) {
    mask <- tensor_mask(x)
    if (!is.null(mask)) mask <- new_symbolic(batch_free(tensor_shape(mask)), "bool")
    new_symbolic(batch_free(tensor_shape(x)), tensor_dtype(x), mask = mask)
  })
}

batch_free <- function(shape) if (length(shape)) c(NA_integer_, shape[-1L]) else shape

first_row <- function(x) {
  mask <- tensor_mask(x)
  with_mask(r_tensor_rows(x, 1L), if (!is.null(mask)) r_tensor_rows(mask, 1L))
}

# Whether the class of a user has a method of this name.
defines_method <- function(model, name) {
  definition <- field(model, "definition")
  !is.null(definition) && any(name %in% definition$methods)
}

#' Define a model class
#'
#' Makes a new kind of model from R functions: a [Layer()] that can be compiled, trained and applied.
#' `new_model_class()` is the same function.
#'
#' Layers that are assigned to fields of `self` belong to the model, see [Layer()] for this and for what `self`, `super`
#' and `private` are in methods. `call(inputs, training, mask)` computes the outputs from the inputs in the structure in
#' which the data come: an array, or a (named) list of arrays. The model is built by its first data.
#'
#' Called with `inputs` and `outputs`, as [keras_model()] is, the class makes a model of their layers: then it needs no
#' `call()` and no `initialize()`, or one that passes `...` on to `super$initialize(...)`.
#'
#' @section Steps of your own:
#' `compute_loss` alone runs as part of a compiled step, as fast as any loss. With the other methods below, batches are
#' handed to R functions, operation by operation. `data` is `list(x)`, `list(x, y)` or `list(x, y, sample_weight)`.
#'
#' * `train_step(data)` does what one batch of `fit()` should do, and returns a named list of numbers or tensors for
#'   the logs. See [GradientTape()] for gradients; `self$optimizer$apply(gradients, variables)` makes an update.
#' * `test_step(data)` is the same for `evaluate()` and validation; `predict_step(data)` returns the predictions.
#' * `compute_loss(x, y, y_pred, sample_weight, training)` returns the loss to minimize. The inherited one, reached by
#'   `super$compute_loss(...)`, is the loss of `compile()`, plus those of the layers.
#' * `compute_metrics(x, y, y_pred, sample_weight)` updates the metrics and returns their values as a named list. The
#'   inherited one takes those of `compile()`, and the mean of the loss.
#' * `self$metrics` is the list of all metrics, a [metric_mean()] named `"loss"` first; they are reset when an epoch
#'   starts. `metrics = active_property(function() list(...))` gives the model others.
#' * `compile(...)`: for models that are compiled with other things; it calls `super$compile(optimizer, loss, ...)`.
#'
#' @inheritParams Layer
#' @param classname The name of the class.
#' @param initialize A function that takes the arguments of the model; it calls `super$initialize(...)` and makes the
#'   layers.
#' @param call A function of the inputs that computes the outputs: tensors, or (named) lists of them. It may have the
#'   further arguments `training` and `mask`.
#' @param train_step,test_step,predict_step,compute_loss,compute_metrics See below.
#' @param ...,public Further methods and fields, by name.
#' @param inherit What another `Model()` returned, or `NULL`.
#' @return A function with the arguments of `initialize`, which makes a model.
#' @source <https://keras.io/guides/custom_train_step_in_tensorflow/>
#' @family model functions
#' @seealso [keras_model()] and [keras_model_sequential()] for models made of layers alone.
#' @export
#' @examples
#' new_tagger <- Model("Tagger",
#'   initialize = function(units, classes, ...) {
#'     super$initialize(...)
#'     self$memory <- bidirectional(layer = layer_gru(units = units, return_sequences = TRUE))
#'     self$top <- layer_dense(units = classes, activation = "softmax")
#'   },
#'   call = function(inputs) inputs |> self$memory() |> self$top()
#' )
#' model <- new_tagger(units = 4, classes = 2)
#' model |> compile("adam", loss = "sparse_categorical_crossentropy", metrics = "accuracy")
#' x <- array(rnorm(8 * 5 * 3), c(8, 5, 3))
#' y <- 1L * (x[, , 1] > 0)
#' model |> fit(x, y, epochs = 2, verbose = 0)
#' dim(predict(model, x))
#'
#' # Training without an optimizer of compile(): plain gradient descent
#' new_descent <- Model("Descent",
#'   initialize = function(...) {
#'     super$initialize(...)
#'     self$top <- layer_dense(units = 1)
#'   },
#'   call = function(inputs) self$top(inputs),
#'   train_step = function(data) {
#'     c(x, y) %<-% data
#'     with(GradientTape() %as% tape, {
#'       loss <- self$compute_loss(y = y, y_pred = self(x, training = TRUE))
#'     })
#'     gradients <- tape$gradient(loss, self$trainable_weights)
#'     for (k in seq_along(gradients)) {
#'       weight <- self$trainable_weights[[k]]
#'       weight$assign(weight - 0.1 * gradients[[k]])
#'     }
#'     list(loss = loss)
#'   }
#' )
#' model <- new_descent()
#' model |> compile(loss = "mse")
#' model |> fit(matrix(1:4 / 4), 1:4, epochs = 2, verbose = 0)
Model <- function(classname, initialize = NULL, call = NULL, train_step = NULL, predict_step = NULL, test_step = NULL,
                  compute_loss = NULL, compute_metrics = NULL, ..., public = list(), private = list(), inherit = NULL,
                  parent_env = parent.frame()) {
  frame <- rlang::current_env()
  name <- check_class_name(classname, frame)
  named <- mget(c("initialize", "call", model_method_names), envir = frame)
  members <- class_members(named, rlang::dots_list(..., .ignore_empty = "all", .homonyms = "keep"), public, frame)
  if (!is_plain_list(private)) stop_not("a named list", private, "private", frame)
  check_named(private, frame)
  check_members(members, private, frame)
  for (method in intersect(names(members), model_method_names)) {
    if (!is.function(members[[method]])) stop_not("a function or NULL", members[[method]], method, frame)
  }
  if (!is.environment(parent_env)) stop_not("an environment", parent_env, "parent_env", frame)
  parent <- model_class_parent(inherit, frame)
  definition <- define_class(name, members, private, SubclassedModel, parent, parent_env)
  definition$functional <- define_class(name, members, private, Functional, parent$functional, parent_env)
  definition$functional$constructor <- definition$constructor
  definition$ends_from_config <- definition$functional$ends_from_config <- ends_from_config
  definition$constructor
}

# The config of a model made with inputs and outputs has their graph.
ends_from_config <- function(config) {
  keys <- c("layers", "input_layers", "output_layers")
  if (!all(keys %in% names(config))) return(config)
  ends <- graph_from_config(config)
  c(ends, config[setdiff(names(config), c(keys, names(ends)))])
}

#' @rdname Model
#' @export
new_model_class <- Model

model_method_names <- c("train_step", "predict_step", "test_step", "compute_loss", "compute_metrics")

# The definition that a class inherits from, NULL for none.
model_class_parent <- function(inherit, call) {
  if (is.null(inherit) || identical(inherit, Model)) return(NULL)
  definition <- attr(inherit, "definition", exact = TRUE)
  if (!is.null(definition) && is_model_class(definition$base)) return(definition)
  stop_not("what Model() returned, or NULL", inherit, "inherit", call)
}
