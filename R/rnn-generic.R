# layer_rnn(): a recurrent layer around any cell or stack of cells (level 5). Its class is in rnn-layer.R.

#' Recurrent layer with a cell of your choice
#'
#' Goes through the time steps of a sequence with a cell: one of the built-in ones, several stacked ones, or one of your
#' own, written in R.
#'
#' @inheritParams layer_lstm
#' @param cell A cell such as [rnn_cell_lstm()], a list of cells, which are stacked as by [rnn_cells_stack()], or a cell
#'   of your own, see below.
#' @param zero_output_for_mask Whether the outputs of masked steps are zeros instead of a repetition of the output
#'   before.
#' @param ... Arguments of every layer, see [layer_dense()]: `name`, `trainable`, `dtype`, ...; anything else is an
#'   error.
#' @return If `object` is missing or `NULL`: the layer. If it is a sequential model: that model with the layer added,
#'   invisibly. Otherwise the output of the layer: a tensor, or with `return_state = TRUE` a list of the output and the
#'   final states. Of a stack of cells each has a list of its own among the states, also if it has one state only.
#' @section Cells of your own:
#' A cell is made with [Layer()]. It has
#' * `state_size`: the number of units of its state; a list with one number for each state; lists in that list are
#'   states that belong together, and a [shape()] in it is the shape of a state that is more than a vector;
#' * `call = function(inputs, states)`, or with a third argument `training`. `inputs` is one time step, `(batch, ...)`;
#'   `states` a list, also if there is only one. It returns `list(output, new_states)` and is written with `op_*()`
#'   functions; then the layer trains, with no derivatives to be written.
#' * if it needs them `build = function(input_shape)`, where `input_shape` is that of one step;
#'   `output_size`, which is otherwise the size of the first state; and `get_initial_state = function(batch_size)`, a
#'   list of states to start from instead of zeros.
#'
#' Masks, directions, `stateful` and the rest is done by `layer_rnn()`. A missing `call` or `state_size`, or one that is
#' not as said, is a `ValueError`.
#' @section Call arguments:
#' `layer(sequences, initial_state = NULL, mask = NULL, training = FALSE)`
#' * `sequences`: an array or tensor `(batch, time, features)`, for cells of your own also with more axes.
#' * `initial_state`: a list of the states to start from; by default zeros, or what the cell's `get_initial_state()`
#'   gives. For a stack of cells it is a list with one list of states for each cell, where a single state may also stand
#'   without a list. `layer$states` of a stateful layer can be given.
#' * `mask`: logicals `(batch, time)`, `FALSE` for steps to skip; see [layer_lstm()].
#' * `training`: whether dropout is active; handed on to cells whose `call` has it.
#' @inheritSection layer_lstm Masking
#' @source <https://keras.io/api/layers/recurrent_layers/rnn/>
#' @references
#' Gers, F. A. and Schmidhuber, J. (2000). Recurrent nets that time and count. *Proceedings of the IEEE-INNS-ENNS
#' International Joint Conference on Neural Networks*. \doi{10.1109/IJCNN.2000.861302}
#'
#' Zhou, G.-B., Wu, J., Zhang, C.-L. and Zhou, Z.-H. (2016). Minimal gated unit for recurrent neural networks.
#' *International Journal of Automation and Computing* 13. \doi{10.1007/s11633-016-1006-2}
#' @family rnn layers
#' @seealso [rnn_cell_lstm()] and its relatives, the cells; [rnn_cells_stack()]; [reset_state()].
#' @export
#' @examples
#' x <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
#' layer_rnn(x, rnn_cell_gru(units = 4))
#'
#' # Stacked cells
#' layer <- layer_rnn(cell = list(rnn_cell_lstm(units = 4), rnn_cell_gru(units = 2)), return_state = TRUE)
#' c(output, lstm_states, gru_states) %<-% layer(x)
#' c(h, c) %<-% lstm_states
layer_rnn <- function(object, cell, return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE,
                      stateful = FALSE, unroll = FALSE, zero_output_for_mask = FALSE, ...) {
  create_layer("RNN", object, capture_args())
}

register_layer(RNN, layer_rnn)
