# Single operations of functional models in Keras' files: classes such as NotEqual beside the layers (level 6).

# What each class computes. `x`, `y`: its operands; `config`: its settings, axes counted from 0. The table is closed.
elementwise <- function(fn) function(x, y, config) fn(x, y)
of_one <- function(fn) function(x, y, config) fn(x)
along_axes <- function(fn) {
  function(x, y, config) {
    axis <- unlist(config$axis)
    fn(x, axis = if (!is.null(axis)) axes_from_config(axis), keepdims = isTRUE(config$keepdims))
  }
}

keras_operations <- list(
  keras.src.ops.numpy = list(
    Add = elementwise(op_add), Subtract = elementwise(op_subtract), Multiply = elementwise(op_multiply),
    Divide = elementwise(op_divide), TrueDivide = elementwise(op_divide), Power = elementwise(op_power),
    Maximum = elementwise(op_maximum), Minimum = elementwise(op_minimum), Equal = elementwise(op_equal),
    NotEqual = elementwise(op_not_equal), Less = elementwise(op_less), LessEqual = elementwise(op_less_equal),
    Greater = elementwise(op_greater), GreaterEqual = elementwise(op_greater_equal), Matmul = elementwise(op_matmul),
    LogicalAnd = elementwise(op_logical_and), LogicalOr = elementwise(op_logical_or), LogicalNot = of_one(op_logical_not),
    Negative = of_one(op_negative), Absolute = of_one(op_abs), Square = of_one(op_square), Sqrt = of_one(op_sqrt),
    Exp = of_one(op_exp), Log = of_one(op_log), Tanh = of_one(op_tanh), Any = along_axes(op_any),
    All = along_axes(op_all), Sum = along_axes(op_sum), Mean = along_axes(op_mean), Max = along_axes(op_max),
    Min = along_axes(op_min)
  ),
  keras.src.ops.core = list(
    ConvertToTensor = function(x, y, config) if (is.null(config$dtype)) x else op_cast(x, config$dtype),
    Cast = function(x, y, config) op_cast(x, config$dtype)
  )
)

# One operation: a node of the graph without weights, which is not among model$layers.
Operation <- R6::R6Class("Operation",
  inherit = OpLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    keras = NULL,
    initialize = function(module, class_name, config, fn) {
      super$initialize(NULL, NULL, name = check_layer_name(config$name, "name", NULL) %||% unique_name(snake_case(class_name)))
      self$keras <- list(module = module, class_name = class_name, config = config, fn = fn)
    },
    call = function(inputs, other = NULL) self$keras$fn(inputs, other, self$keras$config)
  )
)

# The operation that an entry of a functional config describes, or NULL if it is a layer. Files of the older kind have
# no modules: layers go first there.
operation_from_entry <- function(entry) {
  modules <- if (is.null(entry$module) && is.null(registered("layer", entry$class_name))) names(keras_operations)
  for (module in modules %||% intersect(entry$module, names(keras_operations))) {
    fn <- keras_operations[[module]][[entry$class_name, exact = TRUE]]
    if (is.null(fn)) next
    config <- entry$config
    config$name <- config$name %||% entry$name
    return(new_layer_handle(Operation$new(module, entry$class_name, config, fn)))
  }
}

# --- operations written with op_*() in R --------------------------------------------------------------------------

# Ops of the core with the same meaning as a class of Keras without settings.
core_operations <- c(
  add = "Add", subtract = "Subtract", multiply = "Multiply", divide = "Divide", power = "Power", maximum = "Maximum",
  minimum = "Minimum", equal = "Equal", not_equal = "NotEqual", less = "Less", less_equal = "LessEqual",
  greater = "Greater", greater_equal = "GreaterEqual", logical_and = "LogicalAnd", logical_or = "LogicalOr",
  logical_not = "LogicalNot", negative = "Negative", abs = "Absolute", square = "Square", sqrt = "Sqrt", exp = "Exp",
  log = "Log", tanh = "Tanh"
)

# Ops without a counterpart are kept as they are. Keras cannot read those.
own_operation_module <- "birnn"

operation_config <- function(self) {
  if (!is.null(self$keras)) return(c(self$keras[c("module", "class_name", "config")], registered_name = self$keras$class_name))
  if (self$op == "cast") {
    return(list(module = "keras.src.ops.core", class_name = "Cast", config = list(name = self$name, dtype = self$attrs$dtype),
                registered_name = "Cast"))
  }
  class_name <- if (length(self$attrs) == 0 && self$op %in% names(core_operations)) core_operations[[self$op]]
  if (!is.null(class_name)) {
    return(list(module = "keras.src.ops.numpy", class_name = class_name, config = list(name = self$name),
                registered_name = class_name))
  }
  attrs <- lapply(compact(self$attrs), function(value) I(as.list(value)))
  list(module = own_operation_module, class_name = "OpLayer",
       config = list(name = self$name, op = self$op, attrs = rlang::set_names(attrs, rlang::names2(attrs))),
       registered_name = "birnn>OpLayer")
}

# The inverse for ops that were kept as they are. The core knows its ops by name and checks their settings.
own_operation_from_entry <- function(entry) {
  if (!identical(entry$module, own_operation_module) || !identical(entry$class_name, "OpLayer")) return(NULL)
  attrs <- lapply(entry$config$attrs, function(value) {
    value[vapply(value, is.null, NA)] <- NaN
    unlist(value)
  })
  name <- check_layer_name(entry$config$name, "name", NULL)
  new_layer_handle(OpLayer$new(check_string(entry$config$op, arg = "op"), attrs, name = name))
}
