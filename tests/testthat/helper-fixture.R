# Fixtures (see fixtures/README.md): cases that Keras computed, and the comparison with them.

# How many cases each file must have, so that none can get lost.
fixture_sizes <- c(
  "activations" = 27, "callbacks" = 12, "ctc" = 4, "layers-bidirectional" = 65, "layers-bidirectional-random" = 60,
  "layers-companions" = 69, "layers-conv-lstm" = 20, "layers-recurrent" = 79, "layers-recurrent-random" = 60,
  "layers-stacked" = 24, "layers-stateful" = 16, "losses" = 32, "metrics" = 25, "models" = 42, "ops" = 117,
  "small-things" = 23, "summaries" = 6, "text-vectorization" = 13, "windows" = 10
)

load_fixture <- function(name) {
  connection <- xzfile(testthat::test_path("fixtures", paste0(name, ".json.xz")), "rb")
  on.exit(close(connection))
  text <- paste(readLines(connection, warn = FALSE, encoding = "UTF-8"), collapse = "\n")
  cases <- jsonlite::parse_json(text, simplifyVector = TRUE, simplifyDataFrame = FALSE, simplifyMatrix = FALSE)$cases
  names(cases) <- vapply(cases, `[[`, character(1), "name")
  stopifnot(length(cases) == fixture_sizes[[name]], !anyDuplicated(names(cases)))
  cases
}

# Fixtures hold row-major data; R arrays are column-major.
from_row_major <- function(data, shape) {
  if (length(shape) == 0) return(data)
  if (length(shape) == 1) return(array(data, shape))
  aperm(array(data, rev(shape)), rev(seq_along(shape)))
}

to_row_major <- function(x) {
  if (length(dim(x)) < 2) return(as.vector(x))
  as.vector(aperm(x, rev(seq_along(dim(x)))))
}

fixture_array <- function(tensor) {
  as_type <- switch(tensor$dtype %||% "float", int32 = as.integer, bool = as.logical, as.numeric)
  from_row_major(as_type(tensor$data), as.integer(tensor$shape))
}

fixture_tensor <- function(tensor) {
  if (is.null(tensor)) return(NULL)
  as_tensor(fixture_array(tensor))
}

is_fixture_call <- function(x) is.list(x) && "fn" %in% names(x)

# Evaluates {"fn", "args"}, also nested in arguments and lists, with exported functions of birnn only. (Tests may put a
# function of their own in the place of a name.)
fixture_call <- function(x) {
  if (!is.list(x)) return(x)
  if (!is_fixture_call(x)) return(lapply(x, fixture_call))
  fn <- if (is.function(x$fn)) x$fn else getExportedValue("birnn", x$fn)
  do.call(fn, lapply(as.list(x$args), fixture_call), quote = TRUE)
}

# All exported functions that a case calls, also in nested arguments.
fixture_functions <- function(x) {
  if (!is.list(x)) return(character())
  unique(c(if (is_fixture_call(x)) x$fn, unlist(lapply(unname(x), fixture_functions))))
}

# The loss of the fixtures: sum over outputs k = 0, 1, ... of mean((output_k - sin(0.91 j + k))^2), j = row-major
# element number from 0, plus the penalty of the layer. Works on tensors, so that it has a gradient.
fixture_loss <- function(outputs, penalty = NULL) {
  losses <- lapply(seq_along(outputs), function(k) {
    shape <- tensor_shape(outputs[[k]])
    target <- from_row_major(sin(0.91 * (seq_len(prod(shape)) - 1) + k - 1), shape)
    op_mean(op_square(op_subtract(outputs[[k]], as_tensor(target, tensor_dtype(outputs[[k]])))))
  })
  Reduce(op_add, c(losses, penalty))
}

layer_tolerance <- function(floatx, case = NULL) {
  if (floatx == "float32") return(5e-6)
  if (grepl("gelu", case %||% "")) 1e-7 else 1e-8
}

# Largest difference relative to the largest absolute value of `want` (at least 1); Inf if they cannot be compared.
relative_difference <- function(got, want) {
  got <- as_r_array(got)
  want <- as_r_array(want)
  if (!identical(sizes_or_length(got), sizes_or_length(want))) return(Inf)
  if (length(want) == 0) return(0)
  if (!identical(is.na(as.vector(got)), is.na(as.vector(want)))) return(Inf)
  differences <- ifelse(as.vector(got == want), 0, abs(as.vector(got) - as.vector(want)))
  max(0, differences, na.rm = TRUE) / max(1, abs(want[is.finite(want)]))
}

# Tensors and variables are compared by their numbers: the address of a handle says nothing.
as_r_array <- function(x) if (is.numeric(x) || is.logical(x)) x else as.array(x)

sizes_or_length <- function(x) as.integer(if (is.null(dim(x))) length(x) else dim(x))

expect_close <- function(got, want, tolerance, label = "value") {
  difference <- relative_difference(got, want)
  message <- sprintf(
    "%s: relative difference %.3g, allowed %.3g (sizes %s, wanted %s).", label, difference, tolerance,
    paste(sizes_or_length(as_r_array(got)), collapse = " "), paste(sizes_or_length(as_r_array(want)), collapse = " ")
  )
  testthat::expect(isTRUE(difference <= tolerance), message)
  invisible(got)
}

# The very same numbers (-0 is not 0), sizes and type, in every leaf.
same_bits <- function(got, want) {
  got <- lapply(flatten_structure(got), as_r_array)
  want <- lapply(flatten_structure(want), as_r_array)
  identical(got, want, num.eq = FALSE)
}

expect_same_bits <- function(got, want, label = "value") {
  leaves <- lapply(list(got, want), function(x) lapply(flatten_structure(x), as_r_array))
  differing <- if (length(leaves[[1]]) == length(leaves[[2]])) {
    which(!mapply(same_bits, leaves[[1]], leaves[[2]]))
  }
  largest <- vapply(differing, function(k) relative_difference(leaves[[1]][[k]], leaves[[2]][[k]]), numeric(1))
  message <- sprintf(
    "%s: %d and %d leaves, not the same bits in leaf %s (largest relative difference %s).", label, length(leaves[[1]]),
    length(leaves[[2]]), paste(differing, collapse = " "), paste(format(largest, digits = 3), collapse = " ")
  )
  testthat::expect(same_bits(got, want), message)
  invisible(got)
}

# A config without what the README of the fixtures says to drop: types, seeds, what Keras fills in itself, NULLs.
filled_in <- c("dtype", "build_config", "seed", "input_axes", "output_axes", "quantization_config")

comparable_config <- function(config, ignored = filled_in) {
  if (!is.list(config)) return(if (is.numeric(config)) as.numeric(config) else config)
  attributes(config) <- list(names = names(config))
  config <- config[!rlang::names2(config) %in% ignored]
  lapply(config[!vapply(config, is.null, logical(1))], comparable_config, ignored)
}
