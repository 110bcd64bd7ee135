# split_dataset(): two parts of data (level 7).

#' Two parts of a data set
#'
#' @param dataset An array, a list of arrays with the same number of samples (such as `list(x, y)`), or a data set.
#' @param left_size,right_size The sizes of the parts: a whole number of samples, or a fraction below 1. One of them may
#'   be left out: that part gets the rest.
#' @param shuffle Whether to draw the samples at random; otherwise the left part has the first ones.
#' @param seed A whole number that decides over the shuffling; `NULL`: R's random numbers do.
#' @return A list of two data sets. Those of arrays give single samples to [as_iterator()]; [fit()][fit.birnn_model],
#'   [evaluate()] and [predict()][predict.birnn_model] take them in batches of `batch_size`. Those of a data set with
#'   batches have batches of the same size.
#' @source Behaves as [keras.utils.split_dataset](https://keras.io/api/utils/python_utils/#splitdataset-function).
#' @family data preparation
#' @export
#' @examples
#' c(training, test) %<-% split_dataset(list(matrix(1:20, 10), 1:10), left_size = 0.8)
#' training
#' iterate(test, function(sample) as.numeric(sample[[2]]))
split_dataset <- function(dataset, left_size = NULL, right_size = NULL, shuffle = FALSE, seed = NULL) {
  parent <- if (is_batch_dataset(dataset)) unclass(dataset) else unclass(dataset_of_arrays(dataset))
  n <- length(parent$rows)
  sizes <- split_sizes(left_size, right_size, n)
  seed <- check_whole(seed, allow_null = TRUE)
  rows <- if (check_flag(shuffle)) shuffled_order(seed)(parent$rows) else parent$rows
  part <- function(rows) new_batch_dataset(parent$take, rows, parent$batch_size, parent$order)
  list(part(rows[seq_len(sizes[[1]])]), part(rows[n - sizes[[2]] + seq_len(sizes[[2]])]))
}

# Samples along the first axis of an array or of each array in a list.
dataset_of_arrays <- function(x, call = rlang::caller_env()) {
  tensors <- map_structure(x, function(part) series_tensor(part, "dataset", call))
  n <- sample_count(list(dataset = flatten_structure(tensors)), call)
  new_batch_dataset(
    function(rows) map_structure(tensors, function(tensor) r_tensor_rows(tensor, rows)), seq_len(n), batch_size = NULL
  )
}

# Whole numbers of samples; a part that is not given is what the other one leaves.
split_sizes <- function(left, right, n, call = rlang::caller_env()) {
  if (is.null(left) && is.null(right)) {
    birnn_abort("{.arg left_size} or {.arg right_size} must be given.", call = call)
  }
  left <- part_size(left, n, "left_size", call)
  right <- part_size(right, n, "right_size", call)
  sizes <- c(left %||% (n - right), right %||% (n - left))
  if (any(sizes < 1) || sum(sizes) > n) {
    birnn_abort(
      c("The parts must have at least one sample each, and together no more than the {n} there {?is/are}.",
        x = "They would have {sizes[[1]]} and {sizes[[2]]}."), call = call
    )
  }
  sizes
}

part_size <- function(size, n, arg, call) {
  size <- check_number(size, min = 0, allow_null = TRUE, arg = arg, call = call)
  if (is.null(size)) return(NULL)
  if (size < 1) round(size * n) else check_whole(size, arg = arg, call = call)
}
