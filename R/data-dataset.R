# Data sets that give out batches, and iterators over them (level 7).

# `take(rows)`: the samples `rows` (numbers from 1), the batch axis first: a tensor, or a list of tensors (inputs,
# targets, weights). `rows`: the samples of this data set. `batch_size` NULL: one sample at a time, without batch axis.
# `order(rows)`: the rows in the order of the next pass.
new_batch_dataset <- function(take, rows, batch_size, order = identity) {
  structure(list(take = take, rows = rows, batch_size = batch_size, order = order), class = "birnn_dataset")
}

is_batch_dataset <- function(x) inherits(x, "birnn_dataset")

# The batches of a data set as a source: see array_batches(). Batches are what `take()` gives.
dataset_batches <- function(dataset, batch_size = dataset$batch_size) {
  rows <- order <- dataset$rows
  size <- batch_size %||% 1L
  starts <- if (length(rows) > 0) seq.int(1L, length(rows), by = size) else integer()
  k <- 0L
  batch_at <- function(order, k) dataset$take(order[seq.int(starts[[k]], min(starts[[k]] + size - 1L, length(rows)))])
  list(
    steps = length(starts),
    peek = function() if (length(starts) > 0) batch_at(rows, 1L),
    restart = function() {
      order <<- dataset$order(rows)
      k <<- 0L
    },
    next_batch = function() {
      if (k >= length(starts)) return(NULL)
      k <<- k + 1L
      batch <- batch_at(order, k)
      if (is.null(batch_size)) map_structure(batch, without_batch_axis) else batch
    }
  )
}

without_batch_axis <- function(part) {
  if (is.character(part)) return(as.vector(part))
  tensor <- as_tensor(part)
  apply_op("reshape", list(tensor), list(shape = tensor_shape(tensor)[-1]))
}

# Rows in a new random order for every pass; with a seed the order depends on it alone.
shuffled_order <- function(seed = NULL) {
  passes <- 0
  function(rows) {
    passes <<- passes + 1
    if (is.null(seed)) rows[sample.int(length(rows))] else rows[seeded_permutation(length(rows), seed, passes)]
  }
}

# The permutation of pass number `pass`.
seeded_permutation <- function(n, seed, pass) {
  with_random_state(NULL, {
    set.seed(seed)
    for (k in seq_len(pass)) permutation <- sample.int(n)
    permutation
  })
}

# `code` with R's random numbers in a given state (NULL: as it is); the stream of the session is left as it was.
with_random_state <- function(state, code) {
  before <- random_seed_now()
  on.exit(put_random_seed(before))
  if (!is.null(state)) put_random_seed(state)
  code
}

#' @export
length.birnn_dataset <- function(x) dataset_batches(unclass(x))$steps

#' @export
print.birnn_dataset <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @export
format.birnn_dataset <- function(x, ...) {
  x <- unclass(x)
  batches <- dataset_batches(x)$steps
  samples <- paste(length(x$rows), if (length(x$rows) == 1) "sample" else "samples")
  if (is.null(x$batch_size)) return(paste0("<dataset: ", samples, ">"))
  paste0("<dataset: ", samples, " in ", batches, if (batches == 1) " batch" else " batches", " of ", x$batch_size, ">")
}

#' @export
str.birnn_dataset <- function(object, ...) cat(" ", format(object), "\n", sep = "")

#' @export
`$.birnn_dataset` <- function(x, name) {
  x <- unclass(x)
  if (name == "cardinality") return(function() dataset_batches(x)$steps)
  x[[name]]
}

# --- iterators ----------------------------------------------------------------------------------------------------

#' Go through a data set batch by batch
#'
#' @param x A data set, see [timeseries_dataset_from_array()] and [split_dataset()], or an iterator.
#' @param dataset A data set or an iterator.
#' @param it,iterator An iterator (for `iterate()` also a data set).
#' @param completed What `iter_next()` returns when there are no more batches.
#' @param f A function that is called on every batch.
#' @param simplify Whether to make a vector of results that are single values.
#' @return `as_iterator()`: an iterator, whose batches are tensors or lists of tensors. `as_array_iterator()`: one whose
#'   batches are R arrays. `iter_next()`: the next batch, or `completed`. `iterate()`: the results of all calls of `f`,
#'   a list or a vector.
#' @family data preparation
#' @export
#' @examples
#' windows <- timeseries_dataset_from_array(1:6, 2:7, sequence_length = 2, batch_size = 3)
#' batches <- as_array_iterator(windows)
#' while (!is.null(batch <- iter_next(batches))) print(batch)
#' iterate(windows, function(batch) dim(batch[[1]])[[1]])
as_iterator <- function(x) {
  if (is_iterator(x)) return(x)
  if (!is_batch_dataset(x)) stop_not("a data set or an iterator", x, "x", rlang::current_env())
  batches <- dataset_batches(unclass(x))
  batches$restart()
  new_iterator(batches$next_batch)
}

#' @rdname as_iterator
#' @export
as_array_iterator <- function(dataset) {
  iterator <- as_iterator(dataset)
  new_iterator(function() map_structure(iterator$next_batch(), as.array))
}

#' @rdname as_iterator
#' @export
iter_next <- function(it, completed = NULL) {
  if (!is_iterator(it)) stop_not("an iterator", it, "it", rlang::current_env())
  it$next_batch() %||% completed
}

#' @rdname as_iterator
#' @export
iterate <- function(iterator, f = base::identity, simplify = TRUE) {
  iterator <- as_iterator(iterator)
  results <- list()
  while (!is.null(batch <- iter_next(iterator))) results[[length(results) + 1L]] <- f(batch)
  single <- vapply(results, function(result) is.atomic(result) && length(result) == 1, logical(1))
  if (check_flag(simplify) && length(results) > 0 && all(single)) unlist(results) else results
}

new_iterator <- function(next_batch) {
  structure(list2env(list(next_batch = next_batch), parent = emptyenv()), class = "birnn_iterator")
}

is_iterator <- function(x) inherits(x, "birnn_iterator")

#' @export
print.birnn_iterator <- function(x, ...) {
  cat("<iterator>\n")
  invisible(x)
}

# adapt() learns from the batches of data sets and iterators.
#' @export
batch_function.birnn_dataset <- function(data) as_iterator(data)$next_batch

#' @export
batch_function.birnn_iterator <- function(data) data$next_batch
