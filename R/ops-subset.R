# Picking and replacing parts of tensors: x[...], x@r[...], x@py[...] and their assignments, op_subset() (level 2).
#
# What stands between the brackets is read as written, because R itself could not evaluate `2:NA` or `..`. It becomes
# one spec for each axis: a slice, a single element (its axis goes), several elements, or a new axis.

#' Parts of tensors
#'
#' `x[...]`, `x@@r[...]` and `op_subset(x, ...)` count from 1 and include the end, as R does; `x@@py[...]` counts from 0
#' and leaves the end out, as Python does. Assigned to, they give a tensor with some elements replaced: tensors
#' themselves never change.
#'
#' For each axis:
#' * a number: that element; the axis goes. Negative numbers count from the end (they do not drop elements);
#' * `a:b`, `a:b:step`: a slice; `NA` as a bound leaves it open;
#' * several numbers or logicals, also as a tensor: those elements;
#' * nothing: the whole axis; `..` or `all_dims()`: as many whole axes as are missing; `NULL` or `newaxis`: a new axis
#'   of size 1.
#'
#' `drop = FALSE` keeps the axes of single elements. Axes at the end may be left out: `x[1]` is the first row of a
#' matrix. A logical array alone picks the elements where it holds, in row-major order; its axes are the first ones of
#' `x`. A matrix of numbers alone picks one element (or slice) for each of its rows.
#'
#' @param x A tensor, variable or symbolic tensor.
#' @param ... What to pick, see above.
#' @param value The new values: broadcast to what was picked.
#' @return A tensor. Assignments to a variable assign the variable. `all_dims()`: what stands for axes between brackets.
#' @family ops
#' @export
#' @examples
#' x <- as_tensor(matrix(1:6, 2))
#' op_subset(x, 1, 2:NA)
#' x[-1]
#' x@@r[, 1:NA:2]
#' x@@py[0, 0:2]
#' x@@r[1, ] <- 0
#' x
op_subset <- function(x, ...) {
  subset_tensor(as_operand(x), written_in(substitute(list(...))), r_style, parent.frame())
}

#' @rdname op_subset
#' @usage op_subset(x, ...) <- value
#' @export
`op_subset<-` <- function(x, ..., value) {
  replace_subset(x, written_in(substitute(list(...))), r_style, parent.frame(), value)
}

#' @rdname op_subset
#' @export
all_dims <- function() structure(list(), class = "birnn_all_dims")

# The arguments of a call `list(...)` as written.
written_in <- function(call) as.list(call)[-1]

# How positions are counted: from 1 with the end included, or from 0 without it.
r_style <- list(first = 1, includes_end = TRUE)
py_style <- list(first = 0, includes_end = FALSE)

# --- brackets -----------------------------------------------------------------------------------------------------

#' @rawNamespace S3method("[", birnn_tensor, bracket_of_tensor)
#' @rawNamespace S3method("[", birnn_symbolic, bracket_of_tensor)
#' @rawNamespace S3method("[", birnn_variable, bracket_of_tensor)
bracket_of_tensor <- function(x, ...) {
  subset_tensor(x, written_in(substitute(list(...))), r_style, parent.frame())
}

#' @rawNamespace S3method("[<-", birnn_tensor, assign_bracket_of_tensor)
#' @rawNamespace S3method("[<-", birnn_symbolic, assign_bracket_of_tensor)
#' @rawNamespace S3method("[<-", birnn_variable, assign_bracket_of_tensor)
assign_bracket_of_tensor <- function(x, ..., value) {
  replace_subset(x, written_in(substitute(list(...))), r_style, parent.frame(), value)
}

# x@r and x@py: a tensor that waits for its brackets.
tensor_accessor <- function(x, name, call = rlang::caller_env()) {
  name <- check_choice(name, c("r", "py"), arg = "the name after @", call = call)
  structure(list(x = x, style = if (name == "r") r_style else py_style), class = "birnn_accessor")
}

#' @export
`[.birnn_accessor` <- function(x, ...) {
  parts <- unclass(x)
  subset_tensor(parts$x, written_in(substitute(list(...))), parts$style, parent.frame())
}

#' @export
`[<-.birnn_accessor` <- function(x, ..., value) {
  parts <- unclass(x)
  replace_subset(parts$x, written_in(substitute(list(...))), parts$style, parent.frame(), value)
}

#' @export
print.birnn_accessor <- function(x, ...) {
  cat("<parts of ", format(unclass(x)$x), ">\n", sep = "")
  invisible(x)
}

# R dispatches `@` on S3 classes from 4.3 on. Before, the package's own `@` stands in front of R's, which it calls for
# everything but tensors.
#' Slots
#'
#' R's own `@`, which for tensors gives `x@@r` and `x@@py`, see [op_subset()]. It is exported in versions of R before
#' 4.3 only.
#'
#' @param object An object.
#' @param name The name of a slot; for tensors `r` or `py`.
#' @return The slot; for tensors something to be followed by brackets.
#' @name at
#' @rdname at
#' @keywords internal
#' @examples
#' as_tensor(1:3)@@r[2]
#' @usage object@@name
#' @rawNamespace
#' if (getRversion() < "4.3.0") {
#'   export("@")
#' } else {
#'   S3method("@", birnn_tensor, accessor_of_tensor)
#'   S3method("@", birnn_symbolic, accessor_of_tensor)
#'   S3method("@", birnn_variable, accessor_of_tensor)
#' }
`@` <- function(object, name) {
  name <- substitute(name)
  if (is_tensor_like(object)) return(tensor_accessor(object, as.character(name)))
  eval(as.call(list(base::`@`, quote(object), name)))
}

accessor_of_tensor <- function(object, name) tensor_accessor(object, name)

# `x@r[1] <- v` is x <- `@<-`(x, r, `[<-`(x@r, 1, v)): the new tensor is already there.
#' @rawNamespace S3method("@<-", birnn_tensor, assign_accessor)
#' @rawNamespace S3method("@<-", birnn_symbolic, assign_accessor)
#' @rawNamespace S3method("@<-", birnn_variable, assign_accessor)
assign_accessor <- function(object, name, value) value

# --- reading what stands between the brackets ---------------------------------------------------------------------

# `written`: expressions. The result has one spec for each axis of x, and one for each new axis.
read_specs <- function(written, style, env, rank, call) {
  if (length(written) == 1 && is_missing_arg(written[[1]])) written <- list()
  specs <- lapply(written, read_spec, style = style, env = env, call = call)
  kinds <- vapply(specs, `[[`, "", "kind")
  used <- sum(!kinds %in% c("new", "rest"))
  if (sum(kinds == "rest") > 1) birnn_abort("Only one {.code ..} can stand between the brackets.", call = call)
  if (used > rank) {
    birnn_abort("Between the brackets stand {used} ax{?is/es}, but the tensor has {rank}.", kind = "shape", call = call)
  }
  filler <- rep(list(whole_axis), rank - used)
  at <- if ("rest" %in% kinds) match("rest", kinds) else length(specs) + 1
  c(specs[seq_len(at - 1)], filler, if (at <= length(specs)) specs[-seq_len(at)])
}

whole_axis <- list(kind = "slice", begin = NaN, end = NaN, stride = 1)

is_missing_arg <- function(expr) identical(expr, quote(expr = ))

read_spec <- function(expr, style, env, call) {
  if (is_missing_arg(expr)) return(whole_axis)
  if (identical(expr, quote(..))) return(list(kind = "rest"))
  if (is.call(expr) && identical(expr[[1]], quote(`:`))) return(read_slice(expr, style, env, call))
  value <- eval(expr, env)
  if (is.null(value)) return(list(kind = "new"))
  if (inherits(value, "birnn_all_dims")) return(list(kind = "rest"))
  if (length(value) == 1 && is.atomic(value) && is.na(value)) return(whole_axis)
  read_positions(value, style, call)
}

# a:b or a:b:step
read_slice <- function(expr, style, env, call) {
  has_step <- is.call(expr[[2]]) && identical(expr[[2]][[1]], quote(`:`))
  bounds <- if (has_step) list(expr[[2]][[2]], expr[[2]][[3]], expr[[3]]) else list(expr[[2]], expr[[3]], 1)
  bounds <- vapply(bounds, function(bound) slice_bound(eval(bound, env), call), 1)
  step <- if (is.na(bounds[[3]])) 1 else bounds[[3]]
  if (step == 0) birnn_abort("The step of a slice must not be 0.", call = call)
  check_slice_direction(bounds, step, style, call)
  list(kind = "slice", begin = from_zero(bounds[[1]], style, call), end = slice_end(bounds[[2]], step, style, call),
       stride = step)
}

slice_bound <- function(x, call) {
  if (is.null(x)) return(NA_real_)
  x <- if (is_tensor_like(x)) as.array(x) else x
  is_bound <- length(x) == 1 && (is.na(x) || (is.numeric(x) && x == round(x)))
  if (!is_bound) stop_not("a whole number or NA", x, "a bound of a slice", call)
  as.numeric(x)
}

# 3:1 means something else in R and in Python: the step has to be written.
check_slice_direction <- function(bounds, step, style, call) {
  is_reversed <- style$includes_end && step > 0 && !anyNA(bounds[1:2]) && sign(bounds[[1]]) == sign(bounds[[2]]) &&
    bounds[[1]] > bounds[[2]] + 1
  if (!is_reversed) return(invisible())
  birnn_abort(c("The slice {bounds[[1]]}:{bounds[[2]]} is empty.",
                i = "Write {bounds[[1]]}:{bounds[[2]]}:-1 to go backwards."), call = call)
}

from_zero <- function(position, style, call) {
  if (is.na(position)) return(NaN)
  if (position == 0 && style$first == 1) {
    birnn_abort(c("Positions count from 1, received 0.", i = "{.code x@py[...]} counts from 0."), call = call)
  }
  if (position > 0) position - style$first else position
}

# The first position that does not belong to the slice, NaN if none is left.
slice_end <- function(position, step, style, call) {
  end <- from_zero(position, style, call)
  if (is.nan(end) || !style$includes_end) return(end)
  after <- end + sign(step)
  if (sign(end + 0.5) != sign(after + 0.5)) NaN else after
}

# A single element keeps no axis; several do. The number of an element that is not known yet is looked up ("pick").
read_positions <- function(value, style, call) {
  if (is_tensor_like(value) && !is_traced(value)) value <- as.array(value)
  if (is.logical(value)) value <- which(value) - 1 + style$first
  if (!is_tensor_like(value) && !is.numeric(value)) stop_not("numbers or logicals", value, "...", call)
  zero_indexed <- style$first == 0
  if (is_tensor_like(value)) {
    indices <- zero_based_indices(value, zero_indexed, call)
    is_single <- tensor_rank(indices) == 0
    if (is_single) return(list(kind = "pick", indices = insert_axis(indices, 0)))
    return(list(kind = "take", indices = indices))
  }
  if (length(value) != 1 || !is.null(dim(value)) && length(dim(value)) > 0) {
    return(list(kind = "take", indices = zero_based_indices(array(value, length(value)), zero_indexed, call)))
  }
  if (value != round(value)) stop_not("whole numbers", value, "...", call)
  begin <- from_zero(value, style, call)
  list(kind = "element", begin = begin, end = if (begin == -1) NaN else begin + 1, stride = 1)
}

# --- picking ------------------------------------------------------------------------------------------------------

subset_tensor <- function(x, written, style, env, call = rlang::caller_env()) {
  keep <- "drop" %in% names(written) && !check_flag(eval(written$drop, env), arg = "drop", call = call)
  written <- written[names(written) %||% "" != "drop"]
  alone <- lone_array(written, env)
  if (is_logical_like(alone)) return(where_true(x, alone, call))
  if (!is.null(alone)) return(at_places(x, alone, style, call))
  specs <- read_specs(written, style, env, tensor_rank(x), call)
  kinds <- vapply(specs, `[[`, "", "kind")
  block <- take_block(x, specs[kinds != "new"])
  if (keep) kinds[kinds %in% dropped_kinds] <- "slice"
  reshape_as_picked(block, kinds)
}

# A logical array or a matrix of positions as the only argument; NULL otherwise.
lone_array <- function(written, env) {
  if (length(written) != 1 || is_missing_arg(written[[1]]) || is.numeric(written[[1]])) return(NULL)
  if (identical(written[[1]], quote(..)) || is.call(written[[1]]) && identical(written[[1]][[1]], quote(`:`))) {
    return(NULL)
  }
  value <- eval(written[[1]], env)
  rank <- if (is_tensor_like(value)) tensor_rank(value) else length(dim(value))
  if (rank >= 2 || (is_tensor_like(value) && tensor_dtype(value) == "bool")) value
}

is_logical_like <- function(x) is.logical(x) || (is_tensor_like(x) && tensor_dtype(x) == "bool")

# Slices and single elements by one op, then the look-ups axis by axis.
take_block <- function(x, specs) {
  block <- if (length(specs) == 0) x else apply_op("slice", list(x), slice_range(specs))
  for (axis in which_take(specs)) {
    block <- apply_op("take", list(block, specs[[axis]]$indices), list(axis = axis - 1))
  }
  block
}

which_take <- function(specs) which(vapply(specs, `[[`, "", "kind") %in% c("take", "pick"))

slice_range <- function(specs) {
  specs[which_take(specs)] <- list(whole_axis)
  list(begin = vapply(specs, `[[`, 1, "begin"), end = vapply(specs, `[[`, 1, "end"),
       stride = vapply(specs, `[[`, 1, "stride"))
}

dropped_kinds <- c("element", "pick")

# Axes of single elements go, new ones come.
reshape_as_picked <- function(block, kinds) {
  kept <- same_size_as(cumsum(kinds != "new") - 1)
  sizes <- ifelse(kinds == "new", 1, kept)[!kinds %in% dropped_kinds]
  if (all(kinds %in% c("slice", "take"))) block else reshape_coded(block, sizes)
}

where_true <- function(x, condition, call) {
  if (is_symbolic(x) || is_symbolic(condition)) abort_without_values(call)
  at_places(x, places_of_true(x, condition, call), py_style, call)
}

# One row for each TRUE, in row-major order, counted from 0.
places_of_true <- function(x, condition, call) {
  condition <- as.array(if (is_tensor_like(condition)) condition else as_tensor(condition))
  sizes <- dim(condition)
  leading <- utils::head(tensor_shape(x), length(sizes))
  if (!sizes_agree(sizes, leading)) {
    birnn_abort("The logical array has shape {format_shape(sizes)}, but the tensor {format_shape(tensor_shape(x))}.",
                kind = "shape", call = call)
  }
  places <- which(condition, arr.ind = TRUE) - 1L
  places <- matrix(places, ncol = length(sizes))
  places[do.call(order, lapply(seq_len(ncol(places)), function(k) places[, k])), , drop = FALSE]
}

at_places <- function(x, places, style, call) {
  flat <- flat_places(x, places, style$first == 0, call)
  apply_op("take", list(merge_leading(x, flat$axes), flat$flat), list(axis = 0))
}

# --- replacing ----------------------------------------------------------------------------------------------------

# A variable is assigned, a tensor replaced.
replace_subset <- function(x, written, style, env, value, call = rlang::caller_env()) {
  changed <- with_replaced(x, written, style, env, as_operand(value, tensor_dtype(x)), call)
  if (is_variable(x)) assign_variable(x, changed) else changed
}

with_replaced <- function(x, written, style, env, value, call) {
  alone <- lone_array(written, env)
  if (is_logical_like(alone)) return(replace_where_true(x, alone, value, call))
  if (!is.null(alone)) return(put_at_places(x, alone, value, style, call))
  specs <- read_specs(written, style, env, tensor_rank(x), call)
  kinds <- vapply(specs, `[[`, "", "kind")
  axes <- specs[kinds != "new"]
  block <- take_block(x, axes)
  picked <- apply_op("broadcast_like", list(value, reshape_as_picked(block, kinds)))
  put_back(x, axes, reshape_as_block(picked, kinds))
}

# Values in the shape of what was picked, in that of the block: single elements get their axis of size 1 back.
reshape_as_block <- function(values, kinds) {
  kept <- same_size_as(cumsum(!kinds %in% dropped_kinds) - 1)
  sizes <- ifelse(kinds %in% dropped_kinds, 1, kept)[kinds != "new"]
  if (all(kinds %in% c("slice", "take"))) values else reshape_coded(values, sizes)
}

# `block` in the place of take_block(x, specs): first the look-ups within the slices, then the slices.
put_back <- function(x, specs, block) {
  taken <- which_take(specs)
  range <- slice_range(specs)
  if (length(taken) > 0) block <- put_taken(apply_op("slice", list(x), range), specs, taken, block)
  put_block(x, range, block)
}

put_taken <- function(x, specs, taken, block) {
  indices <- specs[[taken[[1]]]]$indices
  attrs <- list(axis = taken[[1]] - 1)
  if (length(taken) > 1) block <- put_taken(apply_op("take", list(x, indices), attrs), specs, taken[-1], block)
  apply_op("index_put", list(x, indices, block), attrs)
}

# One value for all, values in the shape of the slices, or one value for each TRUE.
replace_where_true <- function(x, condition, value, call) {
  condition <- as_bool_operand(condition)
  rest <- tensor_rank(x) - tensor_rank(condition)
  one_each <- tensor_rank(value) > rest && !identical(tensor_shape(value)[[1]], 1L)
  if (!one_each) return(op_where(with_trailing_axes(condition, tensor_rank(x)), value, x))
  if (is_symbolic(x) || is_symbolic(condition)) abort_without_values(call)
  put_at_places(x, places_of_true(x, condition, call), value, py_style, call)
}

put_at_places <- function(x, places, value, style, call) {
  change_places("index_put", x, places, value, style$first == 0, call)
}
