# Gradients: those of the tape, and their check by central differences in double precision.

# `f`: function(list of tensors) -> scalar tensor. `inputs`: list of tensors; `variables`: Variables that `f` uses.
# Gradients are R arrays; what `f` does not depend on has a gradient of zeros.
value_and_gradients <- function(f, inputs = list(), variables = list()) {
  tape <- new_tape()
  watched <- lapply(inputs, function(x) if (tensor_dtype(x) %in% both_floatx) tape_watch(tape, x) else x)
  value <- in_tape(tape, f(watched))
  sources <- c(Filter(function(x) tensor_dtype(x) %in% both_floatx, watched), variables)
  gradients <- Map(gradient_array, tape_gradient(tape, value, sources), sources)
  is_input <- seq_along(gradients) <= length(sources) - length(variables)
  list(value = as.numeric(value), inputs = gradients[is_input], variables = gradients[!is_input])
}

gradient_array <- function(gradient, source) {
  if (is.null(gradient)) array(0, max(1L, tensor_shape(source))) else as.array(gradient)
}

# Central differences. `inputs`: list of R arrays; `variables`: list of Variables. Every element is checked, or, with
# `directions` = n, each array along n random directions only. An error of 1e-7, relative to the largest entry (at
# least 1), is some thousand times what central differences themselves cost.
expect_gradients <- function(f, inputs = list(), variables = list(), directions = NULL, tolerance = 1e-7,
                             label = "gradient") {
  stopifnot(config_floatx() == "float64")
  found <- value_and_gradients(f, lapply(inputs, as_tensor), variables)
  place <- gradient_places(f, inputs, variables)
  for (k in seq_along(place$values)) {
    gradient <- c(found$inputs, found$variables)[[k]]
    steps <- perturbations(place$values[[k]], directions)
    numeric <- vapply(steps, function(step) central_difference(place$at, k, place$values[[k]], step), numeric(1))
    exact <- vapply(steps, function(step) sum(step * gradient), numeric(1))
    expect_close(exact, numeric, tolerance, sprintf("%s of source %d", label, k))
  }
  invisible(found)
}

# The arrays that may be moved, and `at(k, value)`: f with array k replaced by `value`.
gradient_places <- function(f, inputs, variables) {
  values <- c(inputs, lapply(variables, as.array))
  at <- function(k, value) {
    if (k <= length(inputs)) {
      inputs[[k]] <- value
      return(as.numeric(f(lapply(inputs, as_tensor))))
    }
    variable <- variables[[k - length(inputs)]]
    on.exit(variable$assign(values[[k]]))
    variable$assign(value)
    as.numeric(f(lapply(inputs, as_tensor)))
  }
  list(values = values, at = at)
}

perturbations <- function(x, directions) {
  if (is.null(directions)) {
    return(lapply(seq_along(x), function(e) array(as.numeric(seq_along(x) == e), dim(x) %||% length(x))))
  }
  lapply(seq_len(directions), function(k) array(stats::rnorm(length(x)), dim(x) %||% length(x)))
}

central_difference <- function(at, k, value, step, size = 6e-6) {
  (at(k, value + size * step) - at(k, value - size * step)) / (2 * size)
}
