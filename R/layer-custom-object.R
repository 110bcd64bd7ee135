# Objects of users' layer classes: making them, what `self` and `super` are in their methods, their configs (level 4).

# --- below and above the users' classes ---------------------------------------------------------------------------

# Between birnn's class and the first class of a user.
bridge_class <- function(base) {
  fields <- list(
    # The arguments the layer was made with.
    given = list(),
    # For BaseLayer$initialize(): common arguments, and the call that errors show.
    pending = list(),
    # What was assigned to fields: see layer-tracking.R.
    tracked = list(),
    tracked_fields = character(),
    is_trainable = TRUE
  )
  # Whole numbers that come in stay whole numbers.
  if (identical(base, BaseLayer)) fields$casts_inputs <- "floats"
  methods <- list(
    sublayers = function() unique_layers(c(super$sublayers(), tracked_layers(self))),
    seed_variables = function() c(super$seed_variables(), tracked_seeds(self)),
    call = function(inputs, ...) abort_no_call(self)
  )
  if (!identical(base, BaseLayer)) methods$call <- NULL
  R6::R6Class(NULL, inherit = base, public = c(fields, methods), lock_objects = FALSE, cloneable = FALSE)
}

abort_no_call <- function(self) {
  birnn_abort("The class {.cls {layer_class_name(self)}} of layer {.val {self$name}} has no {.fn call} method.",
              kind = "config", call = NULL)
}

# Above the users' classes: what birnn calls, in its own form of shapes and configs.
leaf_class <- function(definition) {
  R6::R6Class(NULL,
    inherit = definition$generator, lock_objects = FALSE, cloneable = FALSE,
    public = list(
      definition = definition,
      initialize = function(given, call) {
        new_layer_handle(self, self$handle_class)
        surround_methods(self, super)
        self$given <- given[setdiff(names(given), self$unsaved_arguments)]
        self$pending <- list(arguments = given[common_names(given, definition)], call = call)
        passed <- if (takes_dots(definition)) given else given[names(given) %in% names(definition$formals)]
        if (is.null(definition$formals)) passed$.call <- call
        do.call(super$initialize, passed, quote = TRUE)
        check_initialized(self)
      },
      build = function(input_shape) {
        if ("build" %in% definition$methods) return(super$build(user_shapes(input_shape)))
        super$build(input_shape)
        build_by_call(self, input_shape)
      },
      compute_output_shape = function(input_shape) {
        if (!"compute_output_shape" %in% definition$methods) return(super$compute_output_shape(input_shape))
        as_shape_structure(super$compute_output_shape(user_shapes(as_shape_structure(input_shape))))
      },
      get_config = function() {
        config <- super$get_config()
        if ("get_config" %in% definition$methods) config else add_given(config, self$given)
      },
      from_config = function(config) custom_from_config(definition, config)
    )
  )
}

# Shapes as users' methods get them: lists with NULL for what is not known.
user_shapes <- function(shapes) map_structure_shapes(shapes, new_shape)

takes_dots <- function(definition) is.null(definition$formals) || "..." %in% names(definition$formals)

# Names of arguments that birnn's classes take, wherever the user's initialize() puts them.
common_names <- function(given, definition) {
  setdiff(intersect(names(given), c(names(common_arguments), legacy_arguments)), names(definition$formals))
}

# --- making -------------------------------------------------------------------------------------------------------

# `given`: named arguments.
new_custom_layer <- function(definition, given, call) {
  definition <- definition_for(definition, given)
  check_custom_arguments(definition, names(given), call)
  definition$leaf$new(given, call)$handle
}

# A class of models has two definitions: with inputs and outputs it makes a graph of layers.
definition_for <- function(definition, given) {
  ends <- c("inputs", "outputs")
  makes_graph <- all(ends %in% names(given)) && !any(ends %in% names(definition$formals))
  if (makes_graph && !is.null(definition$functional)) definition$functional else definition
}

# Without `...` every name must be known; with it, names must not be abbreviations that R would complete.
check_custom_arguments <- function(definition, names, call) {
  known <- setdiff(rlang::names2(definition$formals), "...")
  what <- paste0(definition$name, "()")
  if (!takes_dots(definition)) {
    return(check_known_names(names, c(known, names(common_arguments), legacy_arguments), what, call))
  }
  for (name in setdiff(names, known)) {
    if (any(startsWith(known, name))) check_known_names(name, known, what, call)
  }
}

check_initialized <- function(self) {
  if (!is.null(self$name)) return(invisible())
  birnn_abort(
    c("{.fn initialize} of the layer class {.cls {layer_class_name(self)}} must call {.code super$initialize()}.",
      i = "{.code super$initialize(...)} passes {.arg name}, {.arg dtype}, {.arg trainable} and the like on."),
    kind = "config", call = self$pending$call
  )
}

# Arguments as BaseLayer$initialize() takes them: those it was called with, then those the user's class left out.
with_pending <- function(self, given, call) {
  check_named(given, call)
  pending <- self$pending$arguments
  c(given, pending[setdiff(names(pending), names(given))])
}

# --- self and super -----------------------------------------------------------------------------------------------

# In users' methods `self` is what users hold of the layer, so that assignments to its fields are noticed and it can be
# called, printed and passed on like any layer. `level`: the methods of the newest of the users' classes.
surround_methods <- function(self, level) {
  definition <- self$definition
  private <- NULL
  while (!is.null(definition)) {
    enclosure <- level$.__enclos_env__
    level <- enclosure$super
    private <- enclosure$private %||% private %||% new.env(parent = emptyenv())
    surroundings <- list(
      self = self$handle, private = private, super = super_of_layer(self, level, definition$parent),
      `__class__` = definition$constructor
    )
    list2env(surroundings, envir = enclosure)
    definition <- definition$parent
  }
}

# `level`: R6's environment with the methods of the class above.
super_of_layer <- function(self, level, parent) {
  force(self)
  force(level)
  force(parent)
  new_super(function(name) super_member(self, level, parent, name))
}

# Methods of birnn's classes are given what they expect.
super_member <- function(self, level, parent, name) {
  method <- get0(name, envir = level, inherits = FALSE)
  if (is.null(method)) return(get0(name, envir = self, inherits = FALSE))
  if (name %in% parent$methods || !name %in% names(super_adapters)) return(method)
  super_adapters[[name]](self, method)
}

super_adapters <- list(
  initialize = function(self, method) function(...) {
    given <- named_by_position(list(...), constructor_of(self$definition$base))
    do.call(method, c(given, list(.call = self$pending$call)), quote = TRUE)
  },
  build = function(self, method) function(input_shape) method(as_shape_structure(input_shape)),
  compute_output_shape = function(self, method) function(input_shape) {
    user_shapes(as_shape_structure(method(as_shape_structure(input_shape))))
  },
  from_config = function(self, method) function(config) default_from_config(self$definition, config)
)

# Unnamed arguments get the names of the constructor's arguments that are still free.
named_by_position <- function(given, constructor) {
  names <- rlang::names2(given)
  free <- setdiff(names(formals(constructor %||% function(object) NULL)), c("object", "...", names))
  unnamed <- which(!nzchar(names))
  unnamed <- unnamed[seq_len(min(length(unnamed), length(free)))]
  names[unnamed] <- free[seq_along(unnamed)]
  rlang::set_names(given, names)
}

# --- building and shapes ------------------------------------------------------------------------------------------

# A layer without a build() of its own is built by a call on symbolic tensors, if layers inside it need it. A call on
# numbers that follows at once does the same.
build_by_call <- function(self, input_shape) {
  if (identical(running$built_by_call, self)) return(invisible())
  if (all(vapply(self$sublayers(), function(layer) layer$built, logical(1)))) return(invisible())
  inputs <- map_structure_shapes(input_shape, function(shape) new_symbolic(shape, self$dtype, name = "shape"))
  tryCatch(in_layer_call(self$call(inputs)), error = function(error) {
    birnn_abort(
      c("Layer {.val {self$name}} holds layers that are not built, and its {.fn call} cannot be run to build them.",
        i = "Give the class {layer_class_name(self)} a {.fn build} method that builds them."),
      kind = "config", call = NULL, parent = error
    )
  })
}

# What call() returns on symbolic inputs, for classes that say so themselves; NULL for others.
declared_outputs <- function(self, inputs, args) {
  methods <- self$definition$methods
  if ("compute_output_spec" %in% methods) {
    return(do.call(self$compute_output_spec, c(list(inputs), args[names(args) %in% names(formals(self$compute_output_spec))]),
                   quote = TRUE))
  }
  if (!"compute_output_shape" %in% methods) return(NULL)
  shapes <- self$compute_output_shape(map_structure(inputs, tensor_shape))
  map_structure_shapes(shapes, function(shape) new_symbolic(shape, self$dtype))
}

# The results of a user's call() as tensors.
check_outputs <- function(self, outputs) {
  if (is.null(outputs)) {
    birnn_abort(
      c("{.fn call} of layer {.val {self$name}} must return tensors, not NULL.",
        i = "A function returns the value of its last line; that of a loop is NULL."), kind = "type", call = NULL
    )
  }
  map_structure(outputs, function(x) {
    if (is_variable(x)) return(variable_value(x))
    if (is_tensor_like(x)) return(x)
    if ((is.numeric(x) || is.logical(x)) && !is.object(x)) return(as_tensor(x))
    birnn_abort("{.fn call} of layer {.val {self$name}} must return tensors, not {describe_value(x)}.", kind = "type",
                call = NULL)
  })
}

# --- configs ------------------------------------------------------------------------------------------------------

# The config of a class without get_config(): the arguments its layer was made with.
add_given <- function(config, given) {
  given <- given[setdiff(names(given), c(names(config), legacy_arguments, names(common_arguments)))]
  c(config, lapply(given, config_value))
}

# A layer from its config: by the from_config() of the class if it has one, as a method with or without `cls`.
custom_from_config <- function(definition, config) {
  if (!"from_config" %in% definition$methods) return(default_from_config(definition, config))
  owner <- definition
  while (!is.function(owner$generator$public_methods$from_config)) owner <- owner$parent
  fn <- owner$generator$public_methods$from_config
  make <- function(...) new_custom_layer(definition, list(...), NULL)
  above <- structure(
    function(...) NULL, class = "birnn_super",
    find = function(name) if (name == "from_config") function(config) default_from_config(definition, config)
  )
  environment(fn) <- rlang::env(owner$generator$parent_env, `__class__` = make, super = above)
  if (names(formals(fn))[[1L]] == "cls") fn(make, config) else fn(config)
}

# The keys are the arguments; those of birnn's classes are read as these read them.
default_from_config <- function(definition, config) {
  if (is.function(definition$ends_from_config)) config <- definition$ends_from_config(config)
  table <- full_table(class_arguments(definition$base))
  own <- setdiff(names(definition$formals), "...")
  foreign <- setdiff(names(config), own)
  is_null <- names(config) %in% foreign & !names(config) %in% names(table) & vapply(config, is.null, logical(1))
  config <- config[!is_null]
  if (!takes_dots(definition)) {
    config <- config[!names(config) %in% setdiff(names(table), c(own, names(common_arguments)))]
  }
  config <- loaded_arguments(table, config)
  if (!"get_config" %in% definition$methods) config <- lapply(config, object_in_config)
  new_custom_layer(definition, config, NULL)
}

object_in_config <- function(value) {
  if (is_object_config(value) && value$class_name != "DTypePolicy") deserialize_keras_object(value) else value
}
