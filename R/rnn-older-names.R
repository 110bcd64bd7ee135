# Names that recurrent cells had in Keras 2 (level 5).

#' Older names of recurrent cells
#'
#' These functions of Keras 2 are [rnn_cell_lstm()], [rnn_cell_gru()], [rnn_cell_simple()] and [rnn_cells_stack()]. They
#' say so once in a session.
#'
#' @param units,... See [rnn_cell_lstm()].
#' @param cells A list of cells.
#' @return A cell.
#' @family rnn layers
#' @export
#' @examples
#' cell <- suppressWarnings(layer_lstm_cell(units = 4))
#' layer_rnn(cell = cell)
layer_lstm_cell <- function(units, ...) {
  warn_older_name("layer_lstm_cell", "rnn_cell_lstm")
  rnn_cell_lstm(units, ...)
}

#' @rdname layer_lstm_cell
#' @export
layer_gru_cell <- function(units, ...) {
  warn_older_name("layer_gru_cell", "rnn_cell_gru")
  rnn_cell_gru(units, ...)
}

#' @rdname layer_lstm_cell
#' @export
layer_simple_rnn_cell <- function(units, ...) {
  warn_older_name("layer_simple_rnn_cell", "rnn_cell_simple")
  rnn_cell_simple(units, ...)
}

#' @rdname layer_lstm_cell
#' @export
layer_stacked_rnn_cells <- function(cells, ...) {
  warn_older_name("layer_stacked_rnn_cells", "rnn_cells_stack")
  rnn_cells_stack(cells, ...)
}
