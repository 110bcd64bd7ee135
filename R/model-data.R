# What comes into a model, matched with its declared inputs: by order or name, by number of axes, by size (level 6).

# `x` as a flat list in the order of the model's inputs (or outputs). `names`: their names.
match_parts <- function(x, names, arg, call = rlang::caller_env()) {
  if (is.data.frame(x) && length(names) > 1) x <- lapply(x, function(column) column)
  if (!is_plain_list(x)) x <- list(x)
  if (!is.null(names(x)) && length(names) > 1) return(match_named_parts(x, names, arg, call))
  if (length(x) != length(names)) stop_part_count(x, names, arg, call)
  unname(x)
}

match_named_parts <- function(x, names, arg, call) {
  unknown <- setdiff(names(x), names)
  missing <- setdiff(names, names(x))
  if (length(unknown) || (length(missing) && arg == "x")) {
    birnn_abort(
      c("{.arg {arg}} must have the names {.val {names}}, not {.val {names(x)}}.",
        i = "They are the names of the model's {if (arg == 'x') 'inputs' else 'outputs'}."),
      call = call
    )
  }
  unname(x[names])
}

stop_part_count <- function(x, names, arg, call) {
  ragged <- length(names) == 1 && length(x) > 1 && all(vapply(x, is.numeric, logical(1)))
  birnn_abort(
    c(
      "{.arg {arg}} must hold {length(names)} array{?s}, one for each {if (arg == 'x') 'input' else 'output'} of the
       model, not {length(x)}.",
      if (ragged) c(i = "Turn a list of sequences into one array with {.fn pad_sequences}.")
    ),
    kind = "shape", call = call
  )
}

# As Keras, adds a missing last axis of size 1; drops one too many only where a sequence cannot be meant.
adjust_rank <- function(tensor, shape) {
  sizes <- tensor_shape(tensor)
  rank <- length(shape)
  if (length(sizes) == rank) return(tensor)
  same <- -(10 + seq_along(sizes) - 1)   # "as on axis k" of the reshape op
  if (length(sizes) == rank - 1L && identical(shape[[rank]], 1L)) {
    return(apply_op("reshape", list(tensor), list(shape = c(same, 1))))
  }
  if (rank <= 2 && length(sizes) == rank + 1L && identical(sizes[[rank + 1L]], 1L)) {
    return(apply_op("reshape", list(tensor), list(shape = same[seq_len(rank)])))
  }
  tensor
}

check_input_shape <- function(sizes, spec, arg, call) {
  wanted <- spec$shape
  if (r_sizes_fit(sizes, wanted)) return(invisible())
  if (length(sizes) != length(wanted)) {
    birnn_abort(
      c(
        "{.arg {arg}} must have {length(wanted)} axes {axis_names(length(wanted))}, but it has {length(sizes)}:
         {format_shape(sizes)}.",
        i = rank_hint(sizes, wanted), i = input_words(spec)
      ),
      kind = "shape", call = call
    )
  }
  differs <- which(!is.na(wanted) & !is.na(sizes) & wanted != sizes & seq_along(wanted) > 1)
  if (length(differs)) {
    axis <- differs[[length(differs)]]
    birnn_abort(
      c("Axis {axis} of {.arg {arg}} must have size {wanted[[axis]]}, not {sizes[[axis]]}: it has shape
         {format_shape(sizes)}.", i = input_words(spec)),
      kind = "shape", call = call
    )
  }
  birnn_abort("Every axis of {.arg {arg}} but the first must have at least size 1, but its shape is
               {format_shape(sizes)}.", kind = "shape", call = call)
}

input_words <- function(spec) paste0("The model's input ", dQuote(spec$name, FALSE), " has shape ",
                                     format_shape(spec$shape), ".")

axis_names <- function(rank) {
  if (rank == 3) "[batch, time, features]" else if (rank == 2) "[batch, features]" else ""
}

rank_hint <- function(sizes, wanted) {
  if (length(sizes) == 1) return("A plain vector has no {.fn dim}: use {.fn array} or {.fn matrix}.")
  if (length(sizes) == length(wanted) - 1L) {
    return("Add an axis with {.fn array}, e.g. {.code array(x, c(dim(x), 1))} for one feature.")
  }
  "Select or reshape with {.fn array_reshape}."
}
