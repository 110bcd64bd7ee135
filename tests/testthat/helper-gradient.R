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
  if (!is.null(gradient)) return(as.array(gradient))
  sizes <- tensor_shape(source)
  if (length(sizes) == 0) 0 else array(0, sizes)
}

# Central differences. `inputs`: list of R arrays; `variables`: list of Variables. Every element is checked, or, with
# `directions` = n, the slopes along n random directions through all sources at once. An error of 1e-7, relative to the
# largest slope (at least 1), is some thousand times what central differences themselves cost.
expect_gradients <- function(f, inputs = list(), variables = list(), directions = NULL, tolerance = 1e-7,
                             label = "gradient") {
  stopifnot(config_floatx() == "float64")
  found <- value_and_gradients(f, lapply(inputs, as_tensor), variables)
  gradients <- c(found$inputs, found$variables)
  values <- c(inputs, lapply(variables, as.array))
  on.exit(assign_all(variables, values[length(inputs) + seq_along(variables)]))
  at <- function(values) {
    assign_all(variables, values[length(inputs) + seq_along(variables)])
    as.numeric(f(lapply(values[seq_along(inputs)], as_tensor)))
  }
  groups <- if (is.null(directions)) element_steps(values) else list(replicate(directions, random_step(values), FALSE))
  for (k in seq_along(groups)) {
    numeric <- vapply(groups[[k]], function(step) central_difference(at, values, step), numeric(1))
    exact <- vapply(groups[[k]], function(step) sum(mapply(function(s, g) sum(s * g), step, gradients)), numeric(1))
    expect_close(exact, numeric, tolerance, if (is.null(directions)) paste(label, "of source", k) else label)
  }
  invisible(found)
}

assign_all <- function(variables, values) Map(function(variable, value) variable$assign(value), variables, values)

central_difference <- function(at, values, step, size = 6e-6) {
  moved <- function(by) Map(function(value, s) value + by * s, values, step)
  (at(moved(size)) - at(moved(-size))) / (2 * size)
}

random_step <- function(values) lapply(values, function(value) replace(value, TRUE, stats::rnorm(length(value))))

# For each source a list of steps, one an element.
element_steps <- function(values) {
  zero <- lapply(values, function(value) replace(value, TRUE, 0))
  lapply(seq_along(values), function(k) {
    lapply(seq_along(values[[k]]), function(e) {
      step <- zero
      step[[k]][[e]] <- 1
      step
    })
  })
}
