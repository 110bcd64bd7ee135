# timeseries_dataset_from_array(): windows that slide over a long series (level 7).

#' Windows of a time series
#'
#' A data set of all windows of `sequence_length` time steps, `sequence_stride` steps apart, with their targets, in
#' batches. The windows are cut out when they are needed: the series is kept once.
#'
#' Window i starts at time step s = `start_index` + (i - 1) `sequence_stride` and holds the steps s, s +
#' `sampling_rate`, s + 2 `sampling_rate`, ... Its target is row s of `targets`: to predict the value `delay` steps
#' after the start, give `targets = tail(values, -delay)` and `data = head(values, -delay)`.
#'
#' @param data A vector, a matrix `(time, features)`, an array or a data frame of numbers.
#' @param targets A vector, matrix or array with a row for each time step, or `NULL` for windows without targets.
#' @param sequence_length Time steps in a window.
#' @param sequence_stride Time steps from the start of a window to the start of the next one.
#' @param sampling_rate Time steps from one step inside a window to the next one.
#' @param batch_size Windows in a batch; `NULL`: single windows without a batch axis.
#' @param shuffle Whether to draw the windows in a new random order in every pass.
#' @param seed A whole number that decides over the order; `NULL`: R's random numbers do.
#' @param start_index,end_index The first time step to use and the one before which to stop, counted from 0 as in Keras;
#'   `NULL`: the whole series.
#' @return A data set for [fit()][fit.birnn_model], [evaluate()], [predict()][predict.birnn_model] and [as_iterator()].
#'   Its batches are lists of windows `(batch, sequence_length, features)` and targets, or windows alone.
#' @source Behaves as [keras.utils.timeseries_dataset_from_array](https://keras.io/api/data_loading/timeseries/).
#' @family data preparation
#' @export
#' @examples
#' series <- sin(seq(0, 20, by = 0.1))
#' windows <- timeseries_dataset_from_array(
#'   matrix(head(series, -10)), tail(series, -10),
#'   sequence_length = 10, batch_size = 16
#' )
#' windows
#' model <- keras_model_sequential(input_shape = c(NA, 1)) |> layer_lstm(4) |> layer_dense(1)
#' model |> compile("adam", loss = "mse")
#' model |> fit(windows, epochs = 1, verbose = 0)
timeseries_dataset_from_array <- function(data, targets, sequence_length, sequence_stride = 1L, sampling_rate = 1L,
                                          batch_size = 128L, shuffle = FALSE, seed = NULL, start_index = NULL,
                                          end_index = NULL) {
  data <- series_tensor(data, "data")
  targets <- if (!is.null(targets)) series_tensor(targets, "targets")
  n <- tensor_shape(data)[[1]]
  sequence_length <- check_whole(sequence_length, min = 1, max = n)
  stride <- check_whole(sequence_stride, min = 1, max = max(n - 1, 1), arg = "sequence_stride")
  rate <- check_whole(sampling_rate, min = 1, max = max(n - 1, 1), arg = "sampling_rate")
  start <- check_whole(start_index, min = 0, max = n - 1, allow_null = TRUE, arg = "start_index") %||% 0L
  end <- check_whole(end_index, min = start + 1, max = n, allow_null = TRUE, arg = "end_index") %||% n
  count <- end - start - (sequence_length - 1L) * rate
  if (!is.null(targets)) count <- min(count, tensor_shape(targets)[[1]] - start)
  first <- start + if (count > 0) seq.int(1L, count, by = stride) else integer()
  seed <- check_whole(seed, allow_null = TRUE)
  new_batch_dataset(
    take = window_taker(data, targets, first, (seq_len(sequence_length) - 1L) * rate), rows = seq_along(first),
    batch_size = check_whole(batch_size, min = 1, allow_null = TRUE),
    order = if (check_flag(shuffle)) shuffled_order(seed) else identity
  )
}

series_tensor <- function(x, arg, call = rlang::caller_env()) {
  if (inherits(x, time_series_classes)) x <- array(as.numeric(x), dim(x) %||% length(x))
  x <- plain_numbers(x, arg, call)
  if (is_tensor_like(x)) return(as_tensor(x))
  if (is.null(dim(x))) dim(x) <- length(x)
  target_tensor(x, arg = arg, call = call)
}

# `first`: the rows (from 1) at which the windows start; `offsets`: of their time steps.
window_taker <- function(data, targets, first, offsets) {
  sizes <- tensor_shape(data)[-1]
  function(rows) {
    starts <- first[rows]
    steps <- r_tensor_rows(data, rep(starts, each = length(offsets)) + rep(offsets, length(starts)))
    windows <- apply_op("reshape", list(steps), list(shape = c(length(starts), length(offsets), sizes)))
    if (is.null(targets)) windows else list(windows, r_tensor_rows(targets, starts))
  }
}
