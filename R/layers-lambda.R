# Lambda: an R function of tensors as a layer (level 5).

Lambda <- R6::R6Class("Lambda",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      f = argument(function(x, arg, call) check_plain_function(known_function(x), arg, call), key = "function"),
      output_shape = argument(
        function(x, arg, call) {
          x <- known_function(x)
          if (is.null(x) || is.function(x)) x else as_shape(x, arg = arg, call = call)
        },
        save = function(shape) if (is.function(shape)) shape else shape_config(shape), field = "declared_shape"
      ),
      mask = argument(
        function(x, arg, call) {
          x <- known_function(x)
          if (is.null(x) || is.function(x)) x else as_tensor(x)
        },
        field = "mask_rule"
      ),
      arguments = argument(
        function(x, arg, call) {
          if (length(x) > 0) check_named_list(x, arg, call)
          x
        },
        field = "fixed_arguments"
      )
    ),
    casts_inputs = FALSE,
    built = TRUE,

    initialize = function(...) {
      super$initialize(...)
      self$supports_masking <- !is.null(self$mask_rule)
    },

    call = function(inputs, mask = NULL, training = FALSE) {
      inputs <- map_structure(inputs, function(x) with_mask(x, NULL))
      extra <- list(mask = mask, training = training)
      wanted <- intersect(names(extra), setdiff(names(formals(args(self$f))), names(self$fixed_arguments)))
      compute <- function() call_own_code(self$f, c(list(inputs), self$fixed_arguments, extra[wanted]))
      is_graph <- any(vapply(flatten_structure(inputs), is_graph_tensor, logical(1)))
      outputs <- if (is_graph && !is.null(self$declared_shape)) self$declared(inputs, compute) else compute()
      map_structure(outputs, as_operand)
    },

    # A function that looks at numbers cannot run on symbolic inputs: then what is declared must do.
    declared = function(inputs, compute) {
      tryCatch(compute(), birnn_error_symbolic = function(e) {
        new_symbolic(self$compute_output_shape(map_structure(inputs, tensor_shape)), self$dtype)
      })
    },

    compute_mask = function(inputs, mask = NULL) {
      if (is.function(self$mask_rule)) return(self$mask_rule(inputs, mask))
      if (is.null(self$mask_rule) && !is.null(mask)) warn_mask_ends(self)
      self$mask_rule
    },

    compute_output_shape = function(input_shape) {
      shape <- self$declared_shape
      if (is.null(shape)) return(traced_output_shape(self, input_shape))
      if (is.function(shape)) return(as_shape(shape(input_shape)))
      first <- as_shape_structure(input_shape)
      c(if (is.list(first)) first[[1]][[1]] else first[[1]], shape)
    }
  )
)

# A function that a config names: one that the user has registered, or given to the call that reads.
known_function <- function(x) {
  if (!is_object_config(x) || x$class_name != "function") return(x)
  fn <- deserialize_keras_object(x)
  if (is.function(fn)) fn else x
}

check_plain_function <- function(x, arg, call) {
  if (is.function(x) && !is_handle(x)) return(x)
  if (is_layer(x)) {
    birnn_abort(c("{.arg {arg}} must be an R function, not a layer.",
                  i = "A layer is called on tensors by itself: its weights would not be found inside a function."),
                call = call)
  }
  hint <- if (is.list(x)) "Functions are not read from files: give them in {.arg custom_objects}, or make the layer again."
  stop_not("an R function of a tensor", x, arg, call, hint = hint)
}

#' A function as a layer
#'
#' Applies `f` to its input: a tensor, or a list of tensors if the layer is called on a list. `f` is made of arithmetic
#' and `op_*()` functions; it has no weights of its own. Files keep its name if it has one, see
#' [register_keras_serializable()]. If it looks at the numbers instead (with [as.array()]), it runs
#' between the plans of what stands before and behind it, and `output_shape` must be given.
#'
#' @inheritParams layer_dense
#' @param f A function of a tensor; if it has arguments `mask` and `training`, it gets these, too.
#' @param output_shape The shape of the output without the batch, or a function of the input shape; only needed if it
#'   does not follow from calling `f`.
#' @param mask The mask of the output: a tensor, or a function of inputs and their mask. `NULL`: none.
#' @param arguments A named list of further arguments for `f`.
#' @inherit layer_dense return
#' @source <https://keras.io/api/layers/core_layers/lambda/>
#' @family core layers
#' @export
#' @examples
#' layer_lambda(matrix(1:4, 2), f = function(x, power) x^power, arguments = list(power = 2))
layer_lambda <- function(object, f, output_shape = NULL, mask = NULL, arguments = NULL, ...) {
  create_layer("Lambda", object, capture_args())
}

register_layer(Lambda, layer_lambda)
