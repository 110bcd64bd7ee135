# Layer(): layer classes written by users (level 4). What a class is: layer-custom-class.R; what surrounds an object of
# it: layer-custom-object.R; what becomes part of that by assignment: layer-tracking.R.

#' Define a layer class
#'
#' Makes a new kind of layer from R functions. What comes back is used like [layer_dense()] and its kin: piped into
#' models, called on tensors, wrapped by [layer_bidirectional()]. Code made of `op_*()` functions and of other layers is
#' differentiated, traced and compiled like that of the built-in layers.
#'
#' `new_layer_class()` is the same function.
#'
#' @param classname The name of the class, such as `"Linear"`. Layers without a name are called after it: `linear`,
#'   `linear_1`, ...
#' @param initialize A function that takes the arguments of the layer. It must call `super$initialize(...)`, which takes
#'   the arguments of every layer (`name`, `dtype`, `trainable`, ...), and keeps its own arguments as fields of `self`.
#'   Without it, the layer takes the arguments of every layer.
#' @param call A function of the inputs that computes the outputs: tensors, or (named) lists of them. It may have the
#'   further arguments `mask` (the mask of the inputs, or `NULL`), `training` (whether the model is being trained),
#'   `initial_state`, and any others, which are then arguments of the call of the layer.
#' @param build A function of `input_shape` that makes the weights with `self$add_weight()`; it runs once, before the
#'   first call. `input_shape` is a list of whole numbers, `NULL` for sizes that are not known (see [shape()]), with the
#'   batch size first; or a list of such lists.
#' @param get_config A function without arguments that returns a named list, from which the layer can be made again.
#'   Usually it adds to the list that `super$get_config()` returns. By default the config holds the arguments the layer
#'   was made with.
#' @param ...,public Further methods and fields, by name.
#'   * `compute_mask(inputs, mask = NULL)`: the mask of the outputs. Without it a layer keeps the mask of its inputs if
#'     `supports_masking` is `TRUE`, and otherwise ends it.
#'   * `compute_output_shape(input_shape)`: the shape of the outputs. Needed only if `call` cannot run on symbolic
#'     tensors, for instance because it loops over time steps whose number is not known yet.
#'   * `compute_output_spec(inputs, ...)`: the same, given and giving symbolic tensors.
#'   * `from_config(config)` or `from_config(cls, config)`: makes a layer from its config. By default the elements of
#'     the config are the arguments.
#'   * `get_initial_state(batch_size)`, `reset_state()`: for recurrent layers and cells, see [reset_state()].
#'   * Any other functions are methods, other values fields; see also [active_property()].
#' @param private A named list of functions and values that methods find in `private`.
#' @param inherit The class to start from: what another `Layer()` returned, a function such as [layer_dense()] or
#'   [layer_lstm()], or an R6 class. `NULL`: the class of all layers.
#' @param parent_env The environment in which methods look for what is not theirs. Like methods of R6 classes, they do
#'   not see the environment they were written in, unless it is this one.
#' @return A function: its first argument is `object`, what to combine the layer with, as in [layer_dense()]; then come
#'   the arguments of `initialize`.
#' @section In methods:
#' * `self` is the layer: `self$units <- units` keeps a value; `self$call(x)` calls a method; `self(x)` calls the layer.
#' * `super` has the methods of the class that this one inherits from: `super$build(input_shape)`. `super()$build()`
#'   and Python's names, as in ``super$`__init__`()``, work too.
#' * `private` has what is in `private`, and `__class__` is the class.
#'
#' A leading argument `self` of a method is ignored.
#' @section What every layer has:
#' * `self$add_weight(shape, initializer, dtype, trainable, autocast, regularizer, constraint, aggregation, name)` makes
#'   a weight, in `initialize` or `build`. It is changed with `$assign()`, `$assign_add()`, `$assign_sub()`.
#' * `self$add_loss(loss)` adds a number to the loss of the model, in `call`.
#' * Layers and models that are assigned to a field of `self`, also in lists, belong to the layer: their weights, losses
#'   and random streams are among its own. So do variables made by [keras_variable()] and generators made by
#'   [random_seed_generator()]. They come in the order in which they were first assigned; what no field holds any longer
#'   is gone. (`private` is not looked at.)
#' * Fields to set: `supports_masking`, `input_spec` (a list with `ndim`, `min_ndim`, `axes`), `stateful`.
#' * A few names are birnn's own: setting them is an error that says so.
#' @section Errors:
#' Errors about the definition of a class come when the class is defined; a method that fails shows its own error. An
#' unknown argument of a layer without `...` in `initialize` is an error.
#' @source <https://keras.io/guides/making_new_layers_and_models_via_subclassing/>
#' @family layer methods
#' @family rnn layers
#' @seealso [layer_bidirectional()] for what a recurrent layer of your own needs to be wrapped.
#' @export
#' @examples
#' layer_linear <- Layer("Linear",
#'   initialize = function(units = 32, ...) {
#'     super$initialize(...)
#'     self$units <- units
#'   },
#'   build = function(input_shape) {
#'     self$kernel <- self$add_weight(shape(tail(input_shape, 1), self$units))
#'     self$bias <- self$add_weight(shape(self$units), initializer = "zeros")
#'   },
#'   call = function(inputs) {
#'     op_matmul(inputs, self$kernel) + self$bias
#'   }
#' )
#' model <- keras_model_sequential(input_shape = 4) |>
#'   layer_linear(units = 8) |>
#'   layer_linear(1)
#' model
#'
#' # Layers inside, and a loss of its own
#' layer_block <- Layer("Block",
#'   initialize = function(units, ...) {
#'     super$initialize(...)
#'     self$steps <- list(layer_linear(units = units), layer_linear(units = units))
#'   },
#'   call = function(inputs) {
#'     for (step in self$steps) inputs <- op_tanh(step(inputs))
#'     self$add_loss(0.01 * op_mean(op_square(inputs)))
#'     inputs
#'   }
#' )
#' block <- layer_block(units = 3)
#' block(matrix(1, 2, 4))
#' length(block$weights)
#'
#' # Starting from a built-in layer
#' layer_scaled_dense <- Layer("ScaledDense",
#'   inherit = layer_dense,
#'   initialize = function(units, factor = 1, ...) {
#'     super$initialize(units, ...)
#'     self$factor <- factor
#'   },
#'   call = function(inputs) super$call(inputs) * self$factor
#' )
#' layer_scaled_dense(units = 2, factor = 10, activation = "tanh")
Layer <- function(classname, initialize = NULL, call = NULL, build = NULL, get_config = NULL, ..., public = list(),
                  private = list(), inherit = NULL, parent_env = parent.frame()) {
  frame <- rlang::current_env()
  name <- check_class_name(classname, frame)
  named <- list(initialize = initialize, call = call, build = build, get_config = get_config)
  members <- class_members(named, rlang::dots_list(..., .ignore_empty = "all", .homonyms = "keep"), public, frame)
  check_named_list(private, "private", frame)
  check_members(members, private, frame)
  if (!is.environment(parent_env)) stop_not("an environment", parent_env, "parent_env", frame)
  origin <- class_origin(inherit, frame)
  define_class(name, members, private, origin$base, origin$parent, parent_env)$constructor
}

#' @rdname Layer
#' @export
new_layer_class <- Layer

# --- members ------------------------------------------------------------------------------------------------------

method_names <- c(
  "initialize", "build", "call", "compute_mask", "compute_output_shape", "compute_output_spec", "get_config",
  "from_config", "get_initial_state", "reset_state", "reset_states"
)

check_members <- function(members, private, call) {
  names <- c(names(members), names(private))
  if (anyDuplicated(names)) {
    birnn_abort("A layer class has one member of a name, but {.field {names[duplicated(names)][[1]]}} is given twice.",
                call = call)
  }
  taken <- intersect(names, c("self", "super", "private", "clone", internal_names))
  if (length(taken) > 0L) {
    birnn_abort("A layer class cannot have a member {.field {taken[[1]]}}: birnn uses that name itself.", call = call)
  }
  is_property <- names(members) %in% names(BaseLayer$active) &
    !vapply(members, inherits, logical(1), "birnn_active_property")
  if (any(is_property)) {
    birnn_abort(
      "{.field {names(members)[is_property][[1]]}} is a property of every layer: set it in {.fn initialize}, or give the
       member another name.", call = call
    )
  }
  for (name in intersect(names(members), method_names)) {
    if (!is.function(members[[name]])) stop_not("a function or NULL", members[[name]], name, call)
  }
  if (is.function(members$call) && length(formals(members$call)) == 0L) {
    birnn_abort("{.arg call} must have an argument for the inputs.", call = call)
  }
  if ("object" %in% names(formals(members$initialize %||% function() NULL))) {
    birnn_abort("{.fn initialize} cannot have an argument {.arg object}: it stands for what is piped into the layer.",
                call = call)
  }
}

# --- what Layer() returns -----------------------------------------------------------------------------------------

# A function (object, <arguments of initialize>), as layer_*() functions are; for models without `object`.
class_constructor <- function(definition) {
  is_model <- is_model_class(definition$base)
  constructor <- if (is_model) {
    function() create_layer(definition, args = capture_args())
  } else {
    function(object) create_layer(definition, object, capture_args())
  }
  inherited <- as.list(formals(constructor_of(definition$base) %||% function(...) NULL))
  inherited <- inherited[setdiff(names(inherited), first_formals)]
  if (is_model) inherited <- alist(inputs = , outputs = , ... = )
  formals(constructor) <- c(if (!is_model) alist(object = ), definition$formals %||% inherited)
  environment(constructor) <- rlang::env(asNamespace("birnn"), definition = definition)
  structure(
    constructor, class = "birnn_layer_class", definition = definition, class_name = definition$name,
    from_config = function(config) custom_from_config(definition, config)
  )
}

# What the first argument of a layer_*() function is called.
first_formals <- c("object", "inputs")

# The layer_*() function of a class of birnn or of its nearest registered ancestor.
constructor_of <- function(generator) {
  while (!is.null(generator)) {
    entry <- registered("layer", generator$classname)
    if (!is.null(entry)) return(entry$constructor)
    generator <- generator$get_inherit()
  }
}

#' @export
format.birnn_layer_class <- function(x, ...) {
  kind <- if (is_model_class(attr(x, "definition")$base)) "Model" else "Layer"
  paste0("<", kind, " class ", attr(x, "class_name"), ">")
}

#' @export
print.birnn_layer_class <- function(x, ...) {
  cat(format(x), "\n signature: ", signature_text(formals(x)), "\n", sep = "")
  invisible(x)
}

#' @export
str.birnn_layer_class <- function(object, ...) cat(" ", format(object), "\n", sep = "")
