# EinsumDense: a dense layer over any axes, named by letters as in op_einsum() (level 5).

EinsumDense <- R6::R6Class("EinsumDense",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      equation = argument(function(x, arg, call) {
        dense_letters(check_string(x, arg = arg, call = call), arg, call)
        x
      }),
      output_shape = argument(
        function(x, arg, call) as_shape(x, arg = arg, call = call), save = shape_config, field = "output_sizes"
      ),
      activation = arg_activation,
      bias_axes = argument(function(x, arg, call) check_string(x, allow_null = TRUE, arg = arg, call = call)),
      kernel_initializer = arg_initializer,
      bias_initializer = arg_initializer,
      kernel_regularizer = arg_regularizer,
      bias_regularizer = arg_regularizer,
      kernel_constraint = arg_constraint,
      bias_constraint = arg_constraint,
      lora_rank = arg_unsupported,
      lora_alpha = arg_unsupported
    ),
    input_spec = list(min_ndim = 1L),
    kernel = NULL,
    bias = NULL,

    build = function(input_shape) {
      shapes <- dense_weight_shapes(self, input_shape)
      self$kernel <- self$add_weight(
        shapes$kernel, self$kernel_initializer, regularizer = self$kernel_regularizer,
        constraint = self$kernel_constraint, name = "kernel"
      )
      if (!is.null(shapes$bias)) {
        self$bias <- self$add_weight(
          shapes$bias, self$bias_initializer, regularizer = self$bias_regularizer, constraint = self$bias_constraint,
          name = "bias"
        )
      }
      self$input_spec <- list(ndim = length(input_shape), axes = dense_input_axes(self, input_shape))
    },

    call = function(inputs) {
      outputs <- op_einsum(self$equation, inputs, self$kernel)
      if (!is.null(self$bias)) outputs <- op_add(outputs, self$bias)
      activate(self, outputs)
    }
  )
)

# The letters of input, kernel and output in an equation such as "abc,cd->abd"; `dots`: where input and output have
# `...`, "left", "right" or "".
dense_letters <- function(equation, arg, call) {
  plain <- gsub("[[:space:]]", "", equation)
  pattern <- "^([.]{3})?([A-Za-z]+)([.]{3})?,([A-Za-z]+)->([.]{3})?([A-Za-z]+)([.]{3})?$"
  parts <- regmatches(plain, regexec(pattern, plain))[[1]]
  fits <- length(parts) > 0 && parts[[2]] == parts[[6]] && parts[[4]] == parts[[8]] &&
    !(nzchar(parts[[2]]) && nzchar(parts[[4]]))
  if (!fits) {
    birnn_abort(
      c("{.arg {arg}} must look like {.val ab,bc->ac}, {.val ...ab,bc->...ac} or {.val ab...,bc->ac...}, not
         {.val {equation}}."), call = call
    )
  }
  letters <- strsplit(parts[c(3, 5, 7)], "")
  check_dense_letters(letters, equation, arg, call)
  list(input = letters[[1]], kernel = letters[[2]], output = letters[[3]],
       dots = if (nzchar(parts[[2]])) "left" else if (nzchar(parts[[4]])) "right" else "")
}

check_dense_letters <- function(letters, equation, arg, call) {
  unknown <- c(setdiff(letters[[3]], unlist(letters[1:2])), setdiff(letters[[2]], unlist(letters[c(1, 3)])))
  if (length(unknown) == 0) return(invisible())
  birnn_abort("The letter {.val {unknown[[1]]}} of {.arg {arg}} {.val {equation}} must occur in the input or the output
               and, in the output, in the input or the kernel.", call = call)
}

# Shapes of kernel and bias (NULL: none). Letters of the input have its sizes, those of the output `output_shape`,
# which leaves out the batch and what `...` stands for.
dense_weight_shapes <- function(self, input_shape) {
  parts <- dense_letters(self$equation, "equation", NULL)
  elided <- length(input_shape) - length(parts$input)
  if (elided < 0 || (elided > 0 && parts$dots == "")) abort_dense(self, input_shape, "{.val {self$equation}}")
  inputs <- rlang::set_names(input_shape[seq_along(parts$input) + if (parts$dots == "left") elided else 0], parts$input)
  has_batch <- !(parts$dots == "left" && elided > 0)
  own <- if (has_batch) parts$output[-1] else parts$output
  if (length(own) != length(self$output_sizes)) {
    abort_dense(self, input_shape, "an {.arg output_shape} of {length(own)} sizes, as {.val {self$equation}} has it")
  }
  outputs <- rlang::set_names(self$output_sizes, own)
  shared <- intersect(names(inputs), own)
  if (any(mapply(sizes_differ, outputs[shared], inputs[shared]))) {
    abort_dense(self, input_shape, "the sizes {format_shape(self$output_sizes)} of {.arg output_shape}")
  }
  sizes <- c(inputs, outputs[setdiff(own, names(inputs))])
  list(
    kernel = dense_sizes(self, sizes[parts$kernel], input_shape),
    bias = dense_bias(self, parts, sizes, elided, input_shape)
  )
}

# The sizes of the input that the kernel fixes, by axis from 1.
dense_input_axes <- function(self, input_shape) {
  parts <- dense_letters(self$equation, "equation", NULL)
  first <- if (parts$dots == "left") length(input_shape) - length(parts$input) else 0
  axes <- first + which(parts$input %in% parts$kernel)
  rlang::set_names(input_shape[axes], axes)
}

dense_sizes <- function(self, sizes, input_shape) {
  if (anyNA(sizes)) {
    abort_dense(self, input_shape, "a known size of the axis {.val {names(sizes)[is.na(sizes)][[1]]}} of its weights")
  }
  unname(sizes)
}

# From the first letter with a bias on: its sizes, 1 on axes that share the bias.
dense_bias <- function(self, parts, sizes, elided, input_shape) {
  if (is.null(self$bias_axes)) return(NULL)
  letters <- strsplit(self$bias_axes, "")[[1]]
  if (length(letters) == 0 || !all(letters %in% parts$output)) {
    birnn_abort("{.arg bias_axes} of layer {.val {self$name}} must be letters of the output of {.val {self$equation}},
                 not {.val {self$bias_axes}}.", call = NULL)
  }
  from <- parts$output[seq.int(min(match(letters, parts$output)), length(parts$output))]
  shape <- rlang::set_names(rep(1L, length(from)), from)
  shape[letters] <- dense_sizes(self, sizes[letters], input_shape)
  unname(c(shape, if (parts$dots == "right") rep(1L, elided)))
}

abort_dense <- function(self, input_shape, needed, frame = parent.frame()) {
  needed <- cli::format_inline(needed, .envir = frame)
  birnn_abort(
    c("The input of layer {.val {self$name}} does not fit: it needs {needed}.",
      x = "Full shape received: {format_shape(input_shape)}."),
    kind = "shape", call = NULL
  )
}

#' Dense layer over any axes
#'
#' `activation(op_einsum(equation, inputs, kernel) + bias)`: a trained kernel over the axes that `equation` names, see
#' [op_einsum()]. `"abc,cd->abd"` is [layer_dense()] on sequences, `"abc,bd->adc"` mixes steps instead of features.
#'
#' @inheritParams layer_dense
#' @param equation Letters for the axes of input, kernel and output, such as `"ab,bc->ac"`; the first of input and
#'   output is the batch. `...` in front of or behind the letters of both stands for further axes.
#' @param output_shape Sizes of the output without the batch and without the axes of `...`; `NA` where it follows from
#'   the input.
#' @param kernel_regularizer,bias_regularizer Penalties of the weights; see [layer_dense()].
#' @param bias_axes Letters of the output that have a bias of their own, such as `"d"`; `NULL`: no bias.
#' @inherit layer_dense return
#' @section Masks:
#' None is passed on.
#' @source <https://keras.io/api/layers/core_layers/einsum_dense/>
#' @family core layers
#' @export
#' @examples
#' layer <- layer_einsum_dense(equation = "abc,cd->abd", output_shape = c(NA, 2), bias_axes = "d")
#' layer(array(1, c(1, 3, 4)))
layer_einsum_dense <- function(object, equation, output_shape, activation = NULL, bias_axes = NULL,
                               kernel_initializer = "glorot_uniform", bias_initializer = "zeros",
                               kernel_regularizer = NULL, bias_regularizer = NULL, kernel_constraint = NULL,
                               bias_constraint = NULL, lora_rank = NULL, lora_alpha = NULL, ...) {
  create_layer("EinsumDense", object, capture_args())
}

register_layer(EinsumDense, layer_einsum_dense)
