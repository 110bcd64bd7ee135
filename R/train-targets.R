# Targets and weights of fit() and evaluate() as tensors, checked against the outputs and losses (level 7).

# --- targets ------------------------------------------------------------------------------------------------------

# One target as a tensor: factors become codes from 0 by the model's levels, whole numbers stay int32.
target_tensor <- function(y, levels = NULL, arg = "y", call = rlang::caller_env()) {
  if (is.factor(y)) y <- factor_codes(y, levels, arg, call)
  y <- plain_numbers(y, arg, call)
  if (is_tensor_like(y)) return(as_tensor(y))
  if (is.logical(y)) storage.mode(y) <- "integer"
  if (is.integer(y) && anyNA(y)) storage.mode(y) <- "double"
  numbers_to_tensor(y, NULL, arg, call)
}

# `levels`: those the model was trained with; codes go by label, not by position.
factor_codes <- function(y, levels, arg, call) {
  if (anyNA(y)) {
    birnn_abort("{.arg {arg}} must not have missing labels, but element {which(is.na(y))[[1]]} is {.val {NA}}.",
                call = call)
  }
  if (is.null(levels)) return(as.integer(y) - 1L)
  codes <- match(as.character(y), levels)
  if (anyNA(codes)) {
    new <- as.character(y)[is.na(codes)][[1]]
    birnn_abort("{.arg {arg}} has the label {.val {new}}, but the model was trained with {.val {levels}}.", call = call)
  }
  codes - 1L
}

# Targets against outputs, where the loss is one of ours: a wrong shape would be broadcast into a wrong number.
check_target <- function(y, output, loss, arg = "y", call = rlang::caller_env()) {
  if (is_sparse_loss(loss)) return(check_labels(y, output, loss, arg, call))
  if (identical(loss$class_name, "CTC")) return(invisible())   # labels are no step by step targets
  sizes <- tensor_shape(adjust_rank(y, output$shape))
  rank <- length(output$shape)
  fits <- length(sizes) == rank && all(is.na(output$shape[-1]) | output$shape[-1] == sizes[-1])
  if (!fits) stop_target_shape(tensor_shape(y), output, loss, arg, call)
  if (identical(loss$class_name, "CategoricalCrossentropy") && !output$masked) warn_no_distribution(y, arg, call)
}

# Rows of `y` are probabilities of classes.
warn_no_distribution <- function(y, arg, call) {
  sums <- as.vector(as.array(op_sum(op_cast(y, floatx()), axis = -1L)))
  bad <- which(abs(sums - 1) > 1e-3)
  if (length(bad) == 0L) return(invisible())
  warn_once(
    "no-distribution",
    c("The classes of each row of {.arg {arg}} should sum to 1, but those of row {bad[[1]]} sum to {sums[[bad[[1]]]]}.",
      i = "{.val categorical_crossentropy} takes one-hot codes; for several classes at a time use
           {.val binary_crossentropy}."),
    call = call
  )
}

stop_target_shape <- function(sizes, output, loss, arg, call) {
  rank <- length(output$shape)
  hint <- if (rank == 3 && length(sizes) <= 2) {
    "The output has a time axis; for one prediction a sequence use {.code return_sequences = FALSE}."
  } else if (identical(loss$class_name, "CategoricalCrossentropy") && length(sizes) < rank) {
    "For class numbers or a factor use the loss {.val sparse_categorical_crossentropy}, or {.fn to_categorical}."
  }
  birnn_abort(
    c("{.arg {arg}} must have the shape of the output {.val {output$name}}, {format_shape(output$shape)}, not
       {format_shape(sizes)}.", if (!is.null(hint)) c(i = hint)),
    kind = "shape", call = call
  )
}

is_sparse_loss <- function(loss) identical(loss$class_name, "SparseCategoricalCrossentropy")

check_labels <- function(y, output, loss, arg, call) {
  sizes <- tensor_shape(y)
  rank <- length(output$shape)
  if (length(sizes) == rank && sizes[[rank]] == 1L) sizes <- sizes[-rank]
  wanted <- output$shape[-rank]
  fits <- length(sizes) == rank - 1L && all(is.na(wanted[-1]) | wanted[-1] == sizes[-1])
  if (!fits) {
    birnn_abort(
      c("{.arg {arg}} must hold one class number for each prediction, shape {format_shape(wanted)}, not
         {format_shape(tensor_shape(y))}.",
        if (length(sizes) == rank) c(i = "For one-hot codes use the loss {.val categorical_crossentropy}.")),
      kind = "shape", call = call
    )
  }
  # Under a mask anything may stand, and the mask is not known yet.
  if (output$masked) return(invisible())
  ignored <- loss$get_config()$ignore_class
  labels <- as.vector(as.array(y))
  if (!is.null(ignored)) labels <- labels[!labels %in% ignored]
  check_class_numbers(labels, if (!is.na(output$shape[[rank]])) output$shape[[rank]], arg = arg, call = call)
}

# --- weights ------------------------------------------------------------------------------------------------------

# One weight a sample or, for sequences, one a step: shape (n), (n, 1) or (n, time).
sample_weight_tensor <- function(weight, output, arg = "sample_weight", call = rlang::caller_env()) {
  if (!is_tensor_like(weight)) {
    if (!is.numeric(weight)) stop_not("a vector or matrix of numbers", weight, arg, call)
    bad <- which(is.na(weight) | weight < 0)
    if (length(bad)) {
      birnn_abort("{.arg {arg}} must hold numbers of at least 0, but element {bad[[1]]} is
                   {.val {weight[[bad[[1]]]]}}.", call = call)
    }
    weight <- numbers_to_tensor(weight, floatx(), arg, call)
  }
  sizes <- tensor_shape(weight)
  rank <- length(output$shape)
  if (rank == 2 && length(sizes) == 2 && sizes[[2]] == 1L) {
    return(apply_op("reshape", list(weight), list(shape = sizes[[1]])))
  }
  if (length(sizes) != max(rank - 1L, 1L)) {
    birnn_abort(
      c("{.arg {arg}} must have {max(rank - 1L, 1L)} ax{?is/es} for the output {.val {output$name}} of shape
         {format_shape(output$shape)}, but it has shape {format_shape(sizes)}.",
        if (rank > 2 && length(sizes) == 1) {
          c(i = "For one weight a sequence use {.code matrix(sample_weight, ncol = 1)}.")
        }),
      kind = "shape", call = call
    )
  }
  weight
}

# Class weights as sample weights. `class_weight`: a list or vector named by class numbers ("0", "1", ...), or by the
# levels of a factor; classes left out weigh 1.
class_sample_weight <- function(class_weight, y, output, levels = NULL, call = rlang::caller_env()) {
  weights <- unlist(class_weight)
  if (!is.numeric(weights) || is.null(names(weights)) || length(weights) != length(class_weight)) {
    birnn_abort("{.arg class_weight} must be a list of numbers named by class, such as
                 {.code list(\"0\" = 1, \"1\" = 5)}.", call = call)
  }
  by_label <- !is.null(levels) && all(names(weights) %in% levels) && !all(grepl("^[0-9]+$", names(weights)))
  classes <- if (by_label) match(names(weights), levels) - 1L else suppressWarnings(as.numeric(names(weights)))
  bad <- which(is.na(classes) | classes != trunc(classes) | classes < 0)
  if (length(bad)) {
    birnn_abort("The names of {.arg class_weight} must be class numbers counted from 0, not
                 {.val {names(weights)[[bad[[1]]]]}}.", call = call)
  }
  labels <- target_classes(y, output, call)
  known <- match(labels, classes)
  as_tensor(ifelse(is.na(known), 1, unname(weights)[known]), floatx())
}

target_classes <- function(y, output, call) {
  y <- as.array(y)
  if (length(output$shape) > 2 || length(dim(y)) > 2) {
    birnn_abort(
      c("{.arg class_weight} needs one label for each sample, but the output has shape {format_shape(output$shape)}.",
        i = "Use {.arg sample_weight} with one weight a time step."),
      call = call
    )
  }
  if (length(dim(y)) == 2 && ncol(y) > 1) return(max.col(y, ties.method = "first") - 1)
  round(as.vector(y))
}
