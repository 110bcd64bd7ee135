# Layers that merge a list of inputs element by element (level 5). Concatenate and Dot have files of their own.

# The base class: `merge(inputs, masks)` gets tensors of one rank and their masks (NULL where there is none).
Merge <- R6::R6Class("Merge",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    supports_masking = TRUE,
    # How many inputs there may be.
    count_range = c(1, Inf),
    build = function(input_shape) self$check_shapes(input_shape),

    call = function(inputs, mask = NULL) {
      self$check_shapes(map_structure(inputs, tensor_shape))
      self$merge(of_one_rank(inputs), as_mask_list(mask, length(inputs)))
    },

    # A step counts if it counts in some input; without a mask on each of them there is none.
    compute_mask = function(inputs, mask = NULL) {
      masks <- input_mask_list(self, inputs, mask)
      if (length(masks) > 0 && !any(vapply(masks, is.null, logical(1)))) Reduce(op_logical_or, masks)
    },

    check_shapes = function(shapes) {
      check_input_count(self, shapes)
      merged_shape(self, shapes)
    },
    compute_output_shape = function(input_shape) merged_shape(self, as_shape_structure(input_shape))
  )
)

# --- shapes -------------------------------------------------------------------------------------------------------

# `inputs`: a list, of tensors or of shapes.
check_input_count <- function(self, inputs, count_range = self$count_range) {
  count <- if (is.list(inputs) && !is_tensor_like(inputs)) length(inputs)
  if (!is.null(count) && count >= count_range[[1]] && count <= count_range[[2]]) return(invisible())
  wanted <- if (is.infinite(count_range[[2]])) paste("at least", count_range[[1]])
  else paste(unique(count_range), collapse = " or ")
  birnn_abort(
    c("Layer {.val {self$name}} must be called on a list of {wanted} input{cli::qty(count_range[[1]])}{?s},
       not on {if (is.null(count)) 'a single tensor' else paste('a list of', count)}.",
      i = "Write {.code {layer_entry(self)$what}(list(a, b))}."),
    kind = "shape", call = NULL
  )
}

# The shape of the result. An axis of size 1 fits any size; missing axes are added behind the batch.
merged_shape <- function(self, shapes) {
  batch <- unique(vapply(shapes, function(shape) if (length(shape) > 0) shape[[1]] else NA_integer_, 1L))
  batch <- batch[!is.na(batch)]
  if (length(batch) > 1) abort_merge(self, shapes, "must have the same batch size")
  rank <- max(lengths(shapes))
  sizes <- vapply(seq_len(rank - 1) - rank, function(axis) {
    present <- vapply(shapes, function(shape) {
      position <- length(shape) + axis + 1
      if (position > 1) shape[[position]] else 1L
    }, 1L)
    merged_size(self, present, shapes)
  }, 1L)
  c(if (length(batch) == 1) batch else NA_integer_, sizes)
}

merged_size <- function(self, sizes, shapes) {
  large <- unique(sizes[is.na(sizes) | sizes != 1])
  known <- large[!is.na(large)]
  if (length(known) > 1) abort_merge(self, shapes, "must have equal sizes, or 1")
  if (length(large) == 0) 1L else if (anyNA(large)) NA_integer_ else known
}

abort_merge <- function(self, shapes, rule) {
  words <- vapply(shapes, format_shape, "")
  birnn_abort(
    c("The inputs of layer {.val {self$name}} {rule}.", x = "Full shapes received: {words}."), kind = "shape",
    call = NULL
  )
}

of_one_rank <- function(inputs) {
  rank <- max(vapply(inputs, tensor_rank, 1L))
  lapply(inputs, function(x) {
    for (k in seq_len(rank - tensor_rank(x))) x <- insert_axis(x, 1)
    x
  })
}

# --- masks --------------------------------------------------------------------------------------------------------

as_mask_list <- function(mask, count) if (is_plain_list(mask)) mask else vector("list", count)

# The masks that compute_mask() was given, checked.
input_mask_list <- function(self, inputs, mask) {
  if (is.null(mask)) return(NULL)
  for (part in list(list("inputs", inputs), list("mask", mask))) {
    if (!is_plain_list(part[[2]])) stop_not("a list", part[[2]], part[[1]], call = NULL)
  }
  if (length(mask) == length(inputs)) return(mask)
  birnn_abort("{.arg inputs} and {.arg mask} of layer {.val {self$name}} must have the same length, not
               {length(inputs)} and {length(mask)}.", kind = "mask", call = NULL)
}

# A mask of steps as one of all elements of `x`: TRUE and FALSE in the shape of `x`.
element_mask <- function(mask, x) {
  mask <- as_bool_operand(mask)
  for (k in seq_len(tensor_rank(x) - tensor_rank(mask))) mask <- insert_axis(mask, tensor_rank(mask))
  op_logical_and(mask, op_ones_like(x, "bool"))
}

# --- the layers ---------------------------------------------------------------------------------------------------

Add <- R6::R6Class("Add",
  inherit = Merge, lock_objects = FALSE, cloneable = FALSE,
  public = list(merge = function(inputs, masks) Reduce(op_add, inputs))
)

Average <- R6::R6Class("Average",
  inherit = Merge, lock_objects = FALSE, cloneable = FALSE,
  public = list(merge = function(inputs, masks) op_divide(Reduce(op_add, inputs), length(inputs)))
)

Subtract <- R6::R6Class("Subtract",
  inherit = Merge, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    count_range = c(2, 2),
    merge = function(inputs, masks) op_subtract(inputs[[1]], inputs[[2]])
  )
)

# Masked elements count as 1; where all are masked the product is 0.
Multiply <- R6::R6Class("Multiply",
  inherit = Merge, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    merge = function(inputs, masks) {
      valid <- Map(function(x, mask) if (!is.null(mask)) element_mask(mask, x), inputs, masks)
      factors <- Map(function(x, mask) if (is.null(mask)) x else op_where(mask, x, op_ones_like(x)), inputs, valid)
      product <- Reduce(op_multiply, factors)
      if (any(vapply(valid, is.null, logical(1)))) return(product)
      op_where(Reduce(op_logical_or, valid), product, op_zeros_like(product))
    }
  )
)

Maximum <- R6::R6Class("Maximum",
  inherit = Merge, lock_objects = FALSE, cloneable = FALSE,
  public = list(merge = function(inputs, masks) fold_unmasked(op_maximum, inputs, masks))
)

Minimum <- R6::R6Class("Minimum",
  inherit = Merge, lock_objects = FALSE, cloneable = FALSE,
  public = list(merge = function(inputs, masks) fold_unmasked(op_minimum, inputs, masks))
)

# `op` over the inputs from left to right, masked elements left out: 0 for a masked step is no candidate for a maximum.
fold_unmasked <- function(op, inputs, masks) {
  valid <- Map(function(x, mask) if (!is.null(mask)) element_mask(mask, x), inputs, masks)
  result <- inputs[[1]]
  known <- valid[[1]]
  for (k in seq_along(inputs)[-1]) {
    x <- if (is.null(valid[[k]])) inputs[[k]] else op_where(valid[[k]], inputs[[k]], result)
    if (!is.null(known)) result <- op_where(known, result, x)
    known <- if (!is.null(known) && !is.null(valid[[k]])) op_logical_or(known, valid[[k]])
    result <- op(result, x)
  }
  result
}

# --- layer_*() ----------------------------------------------------------------------------------------------------

# Body of the layer_*() of several inputs: layer_add(list(a, b)), layer_add(a, b) or layer_add()(list(a, b)).
# `args`: from capture_args("inputs", unnamed = TRUE), inputs without a name and arguments of the layer.
create_merging_layer <- function(class_name, inputs, args, call = rlang::caller_env()) {
  is_input <- !nzchar(rlang::names2(args))
  if (missing(inputs)) inputs <- NULL
  if (any(is_input)) inputs <- c(if (is_plain_list(inputs)) inputs else list(inputs), unname(args[is_input]))
  compose_layer(inputs, new_layer(class_name, args[!is_input], call), .call = call)
}

#' Merge several inputs element by element
#'
#' The sum, mean, product, maximum or minimum of any number of inputs, and the difference of two. Inputs have the same
#' shape, up to axes of size 1 that fit any size.
#'
#' There are three ways to write each of them: `layer_add(list(a, b))`, `layer_add(a, b)` and
#' `layer_add()(list(a, b))`.
#'
#' @section Masks:
#' If all inputs have a mask, the output has one: a step counts if it counts in some input. In products, maxima and
#' minima the masked steps of an input are left out.
#'
#' @param inputs A list of tensors, arrays or [keras_input()]s; or the first of them. Missing or `NULL`: the layer is
#'   returned.
#' @param ... Further inputs, without names; and arguments of every layer, with names: see [layer_dense()].
#' @return If there are inputs: the merged tensor, symbolic if an input is. Otherwise the layer, a function of a list of
#'   inputs.
#' @section Errors:
#' Inputs of class `ValueError`: not a list, sizes that do not fit (kind `"shape"`), not two inputs for
#' `layer_subtract()`.
#' @source <https://keras.io/api/layers/merging_layers/>
#' @family merging layers
#' @export
#' @examples
#' a <- matrix(1:4, 2)
#' b <- matrix(4:1, 2)
#' layer_add(a, b)
#' layer_maximum(list(a, b))
#' layer_subtract()(list(a, b))
layer_add <- function(inputs, ...) {
  create_merging_layer("Add", inputs, capture_args("inputs", unnamed = TRUE))
}

register_layer(Add, layer_add)

#' @rdname layer_add
#' @export
layer_average <- function(inputs, ...) {
  create_merging_layer("Average", inputs, capture_args("inputs", unnamed = TRUE))
}

register_layer(Average, layer_average)

#' @rdname layer_add
#' @export
layer_subtract <- function(inputs, ...) {
  create_merging_layer("Subtract", inputs, capture_args("inputs", unnamed = TRUE))
}

register_layer(Subtract, layer_subtract)

#' @rdname layer_add
#' @export
layer_multiply <- function(inputs, ...) {
  create_merging_layer("Multiply", inputs, capture_args("inputs", unnamed = TRUE))
}

register_layer(Multiply, layer_multiply)

#' @rdname layer_add
#' @export
layer_maximum <- function(inputs, ...) {
  create_merging_layer("Maximum", inputs, capture_args("inputs", unnamed = TRUE))
}

register_layer(Maximum, layer_maximum)

#' @rdname layer_add
#' @export
layer_minimum <- function(inputs, ...) {
  create_merging_layer("Minimum", inputs, capture_args("inputs", unnamed = TRUE))
}

register_layer(Minimum, layer_minimum)
