# Functional models: graphs of layers with any number of inputs and outputs (level 6).

Functional <- R6::R6Class("Functional",
  inherit = BaseModel, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    handle_class = c("birnn_functional", "birnn_model"),
    unsaved_arguments = c("inputs", "outputs"),
    # `inputs`, `outputs` as given: a symbolic tensor, a list or a named list of them.
    input_structure = NULL,
    output_structure = NULL,
    graph = NULL,
    program = NULL,

    initialize = function(inputs, outputs, name = NULL, trainable = TRUE, .call = NULL) {
      super$initialize(name = name)
      self$input_structure <- unwrap_single(inputs)
      self$output_structure <- unwrap_single(outputs)
      self$graph <- map_graph(flatten_structure(inputs), flatten_structure(outputs), .call)
      self$program <- graph_program(self$graph, flatten_structure(inputs), flatten_structure(outputs))
      self$built <- TRUE
      if (!trainable) self$trainable <- FALSE
    },

    sublayers = function() self$graph$layers,

    call = function(inputs, training = NULL, mask = NULL) {
      tensors <- model_call_inputs(self, inputs, mask)
      pack_structure(self$output_structure, run_program(self$program, tensors))
    },

    input_specs = function() {
      Map(function(tensor, name) list(name = name, shape = tensor_shape(tensor), dtype = tensor_dtype(tensor)),
          flatten_structure(self$input_structure), part_names(self$input_structure))
    },
    output_specs = function() {
      Map(output_spec, flatten_structure(self$output_structure), part_names(self$output_structure))
    },
    input_template = function() self$input_structure,
    output_template = function() self$output_structure
  ),

  active = list(
    inputs = function() flatten_structure(self$input_structure),
    outputs = function() flatten_structure(self$output_structure),
    input = function() self$input_structure,
    output = function() self$output_structure,
    input_shape = function() map_structure(self$input_structure, tensor_shape),
    output_shape = function() map_structure(self$output_structure, tensor_shape),
    input_names = function() part_names(self$input_structure),
    output_names = function() part_names(self$output_structure)
  )
)

# The names of inputs or outputs: those of a named list, else those of the layers they come from.
part_names <- function(structure) {
  if (is_plain_list(structure) && !is.null(names(structure))) return(names(structure))
  names <- vapply(flatten_structure(structure), function(tensor) tensor[["history"]]$layer$name, "")
  make.unique(names, sep = "_")
}

#' A model from its inputs and outputs
#'
#' @param inputs A symbolic tensor made by [keras_input()], or a list of them. With a named list, data can be given to
#'   [fit()][fit.birnn_model] and [predict()][predict.birnn_model] by these names.
#' @param outputs A symbolic tensor computed from `inputs` by calling layers, or a list; with a named list, targets,
#'   losses and metrics go by these names and `predict()` returns a named list.
#' @param ... `name`: the name of the model; `trainable`: whether training changes its weights.
#' @return A model. It shares its layers, and their weights, with any other model made of them. A model can be called
#'   like a layer, also inside another model.
#' @source Behaves as [keras.Model(inputs, outputs)](https://keras.io/guides/functional_api/).
#' @family model functions
#' @export
#' @examples
#' text <- keras_input(c(NA, 8), name = "text")
#' size <- keras_input(1, name = "size")
#' memory <- text |> layer_bidirectional(layer_lstm(units = 4))
#' model <- keras_model(
#'   inputs = list(text, size),
#'   outputs = list(urgent = layer_dense(memory, 1), length = layer_dense(size, 1))
#' )
#' model
keras_model <- function(inputs = NULL, outputs = NULL, ...) {
  dots <- rlang::dots_list(..., .ignore_empty = "all")
  check_named(dots)
  check_known_names(names(dots), c("inputs", "outputs", "name", "trainable"), "keras_model()")
  if (is.null(inputs) || is.null(outputs)) {
    birnn_abort(c("{.arg inputs} and {.arg outputs} must be given.", i = "For a chain of layers use
                   {.fn keras_model_sequential}."))
  }
  self <- Functional$new(
    inputs, outputs, name = check_string(dots$name, allow_null = TRUE, arg = "name"),
    trainable = check_flag(dots$trainable %||% TRUE, arg = "trainable"), .call = rlang::current_env()
  )
  self$handle
}

# Unnamed lists of one tensor mean the tensor.
unwrap_single <- function(x) if (is_plain_list(x) && length(x) == 1L && is.null(names(x))) x[[1L]] else x
