# The base class of all layers (level 4). What a call does is in layer-call.R, the weights are in layer-weights.R.

BaseLayer <- R6::R6Class("Layer",
  lock_objects = FALSE, cloneable = FALSE,
  public = list(
    # The argument table of the class: see layer-args.R.
    arguments = list(),
    name = NULL,
    dtype = NULL,
    built = FALSE,
    # Shapes the layer was built with.
    build_shape = NULL,
    # Whether a mask on the input travels on with the output.
    supports_masking = FALSE,
    # What inputs must look like: list(ndim =, min_ndim =, axes = c("-1" = 8), hint =); NULL: anything.
    input_spec = NULL,
    stateful = FALSE,
    # Calls on symbolic tensors: see record_node().
    inbound_nodes = list(),
    # Variables of add_weight(), in the order of their creation.
    own_weights = list(),
    # Losses of the latest call.
    call_losses = list(),
    # See remembered().
    .facts = NULL,
    # The function that users hold, and the classes it has besides "birnn_layer".
    handle = NULL,
    handle_class = character(),
    # Arguments that the config tells in another way.
    unsaved_arguments = character(),

    initialize = function(..., .call = rlang::caller_env()) {
      if (is.null(self$handle)) new_layer_handle(self, self$handle_class)
      given <- with_pending(self, list(...), .call)
      entry <- layer_entry(self)
      what <- paste0(entry$what %||% layer_class_name(self), "()")
      values <- coerce_arguments(
        full_table(self$arguments), given, if (!is.null(entry)) formal_defaults(entry$constructor), what, .call
      )
      keep_arguments(self, values)
      self$batch_input_shape <- legacy_batch_shape(given[setdiff(names(given), names(self$arguments))])
      self$input_dtype <- given$input_dtype
    },

    # Creates the weights. `input_shape`: whole numbers, NA = unknown; nested lists of them for several inputs.
    build = function(input_shape) invisible(),

    call = function(inputs) inputs,

    # The masks of the outputs, from inputs and their masks.
    compute_mask = function(inputs, mask = NULL) if (self$supports_masking) mask,

    compute_output_shape = function(input_shape) traced_output_shape(self, input_shape),

    # The layers inside, as handles, in the order of their weights.
    sublayers = function() list(),

    add_weight = function(shape = NULL, initializer = NULL, dtype = NULL, trainable = TRUE, autocast = TRUE,
                          regularizer = NULL, constraint = NULL, aggregation = "none", name = NULL) {
      new_weight(self, as_shape(shape %||% integer()), initializer, dtype, trainable, regularizer, constraint, name)
    },

    add_loss = function(loss) {
      for (value in flatten_structure(loss)) {
        value <- as_float_operand(value)
        keep_call_loss(self, if (tensor_rank(value) > 0L) op_sum(value) else value)
      }
      invisible(self$handle)
    },

    get_config = function() layer_config(self),
    # What the layer was built with, for those that make something then.
    get_build_config = function() {
      if (!self$built || is.null(self$build_shape) || has_method_of(self, "build", BaseLayer)) return(NULL)
      list(input_shape = config_shapes(self$build_shape))
    },
    from_config = function(config) layer_from_config(class(self)[[1L]], config),
    get_weights = function(trainable = NA) get_weights(self$handle, trainable),
    set_weights = function(weights) set_weights(self$handle, weights),
    count_params = function() count_params(self$handle),

    # Puts the states of stateful layers inside back to zero.
    reset_state = function() {
      reset_stateful(self)
      invisible(self$handle)
    },
    reset_states = function() self$reset_state(),

    # What changes between draws: seed counters of the layer itself.
    seed_variables = function() list()
  ),

  active = list(
    trainable = function(value) {
      if (missing(value)) return(self$is_trainable)
      set_trainable(self, check_flag(value, arg = "trainable", call = NULL))
    },
    weights = function() layer_variables(self),
    variables = function() unique(c(layer_variables(self), layer_seed_variables(self))),
    trainable_weights = function() layer_variables(self, trainable = TRUE),
    trainable_variables = function() layer_variables(self, trainable = TRUE),
    non_trainable_weights = function() layer_variables(self, trainable = FALSE),
    non_trainable_variables = function() unique(c(self$non_trainable_weights, layer_seed_variables(self))),
    losses = function() c(layer_call_losses(self), regularization_losses(self)),
    compute_dtype = function() self$dtype,
    input = function() node_structure(self, "inputs"),
    output = function() node_structure(self, "outputs"),
    input_shape = function() map_structure(node_structure(self, "inputs"), tensor_shape),
    output_shape = function() map_structure(node_structure(self, "outputs"), tensor_shape)
  )
)

# Keeps the coerced arguments as fields of the layer.
keep_arguments <- function(self, values) {
  table <- full_table(self$arguments)
  for (name in names(values)) {
    field <- table[[name]]$field %||% name
    assign(field, values[[name]], envir = self)
  }
  self$name <- self$name %||% unique_name(snake_case(layer_class_name(self)))
}

set_trainable <- function(self, value) {
  self$is_trainable <- value
  note_change()
  for (weight in self$own_weights) weight$variable$trainable <- value && weight$trainable
  for (layer in self$sublayers()) layer$trainable <- value
}

reset_stateful <- function(self) {
  for (layer in lapply(self$sublayers(), layer_object)) {
    if (isTRUE(layer$stateful)) layer$reset_state() else reset_stateful(layer)
  }
}

# Builds a layer once: its weights get paths below those of the layers that are building it. If it fails, nothing is
# left of it. Building is never part of a step, a trace or a tape.
build_layer <- function(self, input_shape) {
  if (self$built) return(invisible())
  scope <- list(
    layer_path = c(running$layer_path, self$name), layer_owner = self, layer_depth = 0L, tape = NULL, step = NULL,
    trace = NULL
  )
  before <- unbuilt_layers(self)
  on.exit(if (!self$built) for (state in before) list2env(state$fields, envir = state$layer))
  with_running(scope, self$build(input_shape))
  self$build_shape <- input_shape
  self$built <- TRUE
  note_change()
  invisible()
}

# The layers that building `self` may build, each with what it is before.
unbuilt_layers <- function(self) {
  if (self$built) return(list())
  names <- c("own_weights", "input_spec", "built", if (!is.null(self$definition)) c("tracked", "tracked_fields"))
  fields <- mget(names, envir = self)
  c(list(list(layer = self, fields = fields)), from_sublayers(self, unbuilt_layers))
}

# Names of the layers that are being built or called, outermost first.
running$layer_path <- character()
# The innermost of them.
running$layer_owner <- NULL
# The layer that a call on numbers is building, see build_by_call().
running$built_by_call <- NULL
# What `training` was in the innermost call of a layer.
running$layer_training <- NULL

# Any spelling of one shape, or of several in a list of shapes.
as_shape_structure <- function(x) {
  is_several <- is_plain_list(x) && length(x) > 0 && any(lengths(x) > 1 | vapply(x, is.list, logical(1)))
  if (is_several) lapply(x, as_shape_structure) else as_shape(x)
}

# Output shapes of layers that do not compute them themselves: those of a call on symbolic tensors.
traced_output_shape <- function(self, input_shape) {
  shapes <- as_shape_structure(input_shape)
  build_layer(self, shapes)
  inputs <- map_structure_shapes(shapes, function(shape) new_symbolic(shape, self$dtype, name = "shape"))
  map_structure(in_layer_call(self$call(inputs)), tensor_shape)
}

map_structure_shapes <- function(x, fn) if (is.list(x)) lapply(x, map_structure_shapes, fn = fn) else fn(x)
