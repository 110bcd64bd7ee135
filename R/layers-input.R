# The layer behind keras_input(): where a functional model begins (level 5).

InputLayer <- R6::R6Class("InputLayer",
  inherit = Layer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      batch_shape = argument(function(x, arg, call) as_shape(x, arg, call), save = shape_config),
      dtype = argument(function(x, arg, call) check_choice(x %||% floatx(), dtype_names, arg = arg, call = call)),
      sparse = arg_flag,
      ragged = arg_flag,
      optional = arg_flag
    ),
    built = TRUE,
    casts_inputs = FALSE,

    # Its only node is there from the start: no inputs, one output of the declared shape.
    initialize = function(...) {
      super$initialize(...)
      output <- new_symbolic(
        self$batch_shape, self$dtype, name = self$name, history = list(layer = self$handle, node = 1L, tensor = 1L)
      )
      self$inbound_nodes <- list(list(
        layer = self$handle, args = list(), kwargs = list(), inputs = list(), outputs = list(output),
        output_structure = output
      ))
    },

    get_config = function() {
      config <- super$get_config()
      config[c("batch_shape", "dtype", "sparse", "ragged", "name", "optional")]
    }
  )
)

# `batch_shape`: with the batch axis, NA = unknown. The symbolic tensor is layer$output.
new_input_layer <- function(object, batch_shape, dtype = NULL, sparse = FALSE, ragged = FALSE, optional = FALSE, ...) {
  create_layer("InputLayer", object, capture_args())
}

register_layer(InputLayer, new_input_layer)
