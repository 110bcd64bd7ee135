# Sums of products named by letters: op_einsum() (level 2). Transposes and one matrix product for each pair of operands.
#
# Of a pair, letters in both operands and in the result are a batch, letters in both that end there are summed by the
# matrix product, the others are rows (first operand) and columns (second one).

#' Sums of products named by letters
#'
#' Each axis of the operands has a letter, the result has those after `->`; axes whose letter does not appear there are
#' summed over. `...` stands for any further axes, which are broadcast. Without `->` the result has the letters that
#' occur once, in alphabetical order.
#'
#' @param subscripts Letters of the operands, as in `"bij,bjk->bik"`.
#' @param ... Tensors, variables, symbolic tensors, or R arrays, one for each group of letters.
#' @return A tensor.
#' @source <https://keras.io/api/ops/numpy/#einsum-function>
#' @family ops
#' @export
#' @examples
#' a <- matrix(1:6, 2)
#' op_einsum("ij,kj->ik", a, a)
#' op_einsum("ij->j", a)
op_einsum <- function(subscripts, ...) {
  operands <- promote_operands(unname(list(...)), "int32")
  if (length(operands) > 0 && tensor_dtype(operands[[1]]) == "int32") {
    return(op_cast(do.call(op_einsum, c(subscripts, lapply(operands, as_operand, "float64"))), "int32"))
  }
  groups <- einsum_groups(check_string(subscripts), operands)
  terms <- Map(einsum_diagonals, operands, groups$inputs)
  while (length(terms) > 1) {
    later <- c(unlist(lapply(terms[-(1:2)], `[[`, "letters")), groups$output)
    terms <- c(list(einsum_product(terms[[1]], terms[[2]], later)), terms[-(1:2)])
  }
  term <- einsum_sums(terms[[1]], groups$output)
  permute_axes(term$x, match(groups$output, term$letters) - 1)
}

# --- reading the letters ------------------------------------------------------------------------------------------

# list(inputs = letters of each operand, output = letters of the result); axes under `...` are called "1", "2", ...
einsum_groups <- function(subscripts, operands, call = rlang::caller_env()) {
  sides <- strsplit(gsub("[[:space:]]", "", subscripts), "->", fixed = TRUE)[[1]]
  has_output <- grepl("->", subscripts, fixed = TRUE)
  inputs <- strsplit(paste0(sides[[1]], ","), ",", fixed = TRUE)[[1]]
  output <- if (length(sides) > 1) sides[[2]] else ""
  if (length(sides) > 2 || !all(grepl("^[A-Za-z]*([.]{3})?[A-Za-z]*$", c(inputs, output)))) {
    birnn_abort(c("{.arg subscripts} must be letters such as {.val bij,bjk->bik}, not {.val {subscripts}}."),
                call = call)
  }
  if (length(inputs) != length(operands)) {
    birnn_abort(
      "{.val {subscripts}} names {length(inputs)} operand{?s}, but {length(operands)} {?was/were} given.", call = call
    )
  }
  free <- mapply(function(group, x) tensor_rank(x) - nchar(gsub(".", "", group, fixed = TRUE)), inputs, operands)
  check_einsum_ranks(inputs, operands, free, call)
  letters <- unname(Map(einsum_letters, inputs, free))
  wide <- max(0, free)
  list(inputs = letters, output = einsum_output(if (has_output) output, letters, wide, subscripts, call))
}

check_einsum_ranks <- function(inputs, operands, free, call) {
  wrong <- which(free < 0 | (free > 0 & !grepl("...", inputs, fixed = TRUE)))
  if (length(wrong) == 0) return(invisible())
  k <- wrong[[1]]
  birnn_abort(
    "Operand {k} has shape {format_shape(tensor_shape(operands[[k]]))}, which does not fit the letters
     {.val {inputs[[k]]}}.",
    kind = "shape", call = call
  )
}

# `free`: how many axes `...` stands for; they are numbered from the right, as they are broadcast.
einsum_letters <- function(group, free) {
  dots <- as.character(rev(seq_len(free)))
  parts <- strsplit(sub("...", " ", group, fixed = TRUE), "")[[1]]
  unlist(lapply(parts, function(part) if (part == " ") dots else part)) %||% character()
}

einsum_output <- function(output, inputs, wide, subscripts, call) {
  all_letters <- unlist(inputs)
  if (is.null(output)) {
    once <- setdiff(names(which(table(all_letters) == 1)), as.character(seq_len(wide)))
    return(c(as.character(rev(seq_len(wide))), sort(once)))
  }
  result <- einsum_letters(output, if (grepl("...", output, fixed = TRUE)) wide else 0)
  unknown <- c(setdiff(result, all_letters), result[duplicated(result)])
  if (length(unknown) > 0) {
    birnn_abort("The letter {.val {unknown[[1]]}} of the result of {.val {subscripts}} must occur once there, and in an
                 operand.", call = call)
  }
  result
}

# --- one operand --------------------------------------------------------------------------------------------------

# A term is list(x, letters). A letter that occurs twice means the diagonal of its axes.
einsum_diagonals <- function(x, letters) {
  while (anyDuplicated(letters)) {
    second <- anyDuplicated(letters)
    first <- match(letters[[second]], letters)
    x <- diagonal_of(x, first - 1, second - 1)
    letters <- letters[-second]
  }
  list(x = x, letters = letters)
}

# The elements whose numbers along two axes (counted from 0) are equal; the second axis goes.
diagonal_of <- function(x, first, second) {
  eye <- op_eye(known_size(x, first), known_size(x, second), dtype = tensor_dtype(x))
  for (axis in setdiff(seq_len(tensor_rank(x)) - 1, c(first, second))) eye <- insert_axis(eye, axis)
  op_sum(op_multiply(x, eye), axis = second + 1)
}

# Sums over the letters that nobody needs any more.
einsum_sums <- function(term, needed) {
  gone <- which(!term$letters %in% needed)
  if (length(gone) == 0) return(term)
  list(x = op_sum(term$x, axis = gone), letters = term$letters[-gone])
}

# --- two operands -------------------------------------------------------------------------------------------------

# `later`: letters that are needed after this product.
einsum_product <- function(a, b, later) {
  a <- einsum_sums(a, c(b$letters, later))
  b <- einsum_sums(b, c(a$letters, later))
  both <- intersect(a$letters, b$letters)
  batch <- intersect(both, later)
  summed <- setdiff(both, later)
  rows <- setdiff(a$letters, both)
  columns <- setdiff(b$letters, both)
  if (length(summed) == 0) return(einsum_outer(a, b, batch, rows, columns))
  if (unknown_sizes(b, columns) > 1 && unknown_sizes(a, rows) <= 1) return(einsum_product(b, a, later))
  left <- merge_last(in_letters(a, c(batch, rows, summed)), length(summed))
  right <- merge_last(in_letters(b, c(batch, summed, columns)), length(columns))
  right <- merge_summed(right, length(batch), length(summed))
  product <- matrix_product(left, right, length(batch), length(rows))
  x <- split_last(product, tensor_shape(b$x)[match(columns, b$letters)])
  list(x = x, letters = c(batch, rows, columns))
}

unknown_sizes <- function(term, letters) sum(is.na(tensor_shape(term$x)[match(letters, term$letters)]))

in_letters <- function(term, letters) permute_axes(term$x, match(letters, term$letters) - 1)

# Nothing to sum: elementwise, with axes of size 1 where an operand lacks a letter.
einsum_outer <- function(a, b, batch, rows, columns) {
  x <- in_letters(a, c(batch, rows))
  y <- in_letters(b, c(batch, columns))
  for (k in seq_along(columns)) x <- insert_axis(x, tensor_rank(x))
  for (k in seq_along(rows)) y <- insert_axis(y, length(batch))
  list(x = op_multiply(x, y), letters = c(batch, rows, columns))
}

# The last `count` axes as one; a new axis of size 1 if there are none.
merge_last <- function(x, count) {
  rank <- tensor_rank(x)
  if (count == 0) return(insert_axis(x, rank))
  if (count == 1) return(x)
  sizes <- utils::tail(tensor_shape(x), count)
  reshape_coded(x, c(same_size_as(seq_len(rank - count) - 1), if (anyNA(sizes)) -1 else prod(sizes)))
}

# (batch, summed..., columns): the summed axes as one.
merge_summed <- function(x, batch, count) {
  if (count == 1) return(x)
  sizes <- tensor_shape(x)[batch + seq_len(count)]
  kept <- same_size_as(seq_len(tensor_rank(x)) - 1)
  reshape_coded(x, c(kept[seq_len(batch)], if (anyNA(sizes)) -1 else prod(sizes), kept[[length(kept)]]))
}

# (batch, rows..., k) times (batch, k, n): the rows stay separate axes, so that none of their sizes has to be known.
matrix_product <- function(left, right, batch, rows) {
  if (rows == 0) left <- insert_axis(left, batch)
  for (k in seq_len(max(0, rows - 1))) right <- insert_axis(right, batch)
  product <- op_matmul(left, right)
  if (rows == 0) drop_axes(product, batch) else product
}

# The last axis as axes of these sizes.
split_last <- function(x, sizes) {
  rank <- tensor_rank(x)
  if (length(sizes) == 1) return(x)
  sizes[is.na(sizes)] <- -1L
  reshape_coded(x, c(same_size_as(seq_len(rank - 1) - 1), sizes))
}
