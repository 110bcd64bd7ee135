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
#' @inheritSection layer_lstm States
#' @source <https://keras.io/api/layers/recurrent_layers/rnn/>
#' @references
#' Gers, F. A. and Schmidhuber, J. (2000). Recurrent nets that time and count. *Proceedings of the IEEE-INNS-ENNS
#' International Joint Conference on Neural Networks*. \doi{10.1109/IJCNN.2000.861302}
#'
#' Zhou, G.-B., Wu, J., Zhang, C.-L. and Zhou, Z.-H. (2016). Minimal gated unit for recurrent neural networks.
#' *International Journal of Automation and Computing* 13. \doi{10.1007/s11633-016-1006-2}
#' @family rnn layers
#' @seealso [rnn_cell_simple()], [rnn_cell_lstm()], [rnn_cell_gru()], [rnn_cells_stack()], the cells; [Layer()] for your
#'   own; [layer_bidirectional()] for both directions; [reset_state()].
#' @export
#' @examples
#' x <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
#' layer_rnn(x, rnn_cell_gru(units = 4))
#'
#' # Stacked cells
#' cells <- list(rnn_cell_lstm(units = 4), rnn_cell_gru(units = 2))
#' layer <- layer_rnn(cell = cells, return_state = TRUE)
#' c(output, lstm_states, gru_states) %<-% layer(x)
#' c(h, c) %<-% lstm_states
#'
#' # A cell of your own: the minimal gated unit, with one gate
#' minimal_gated_cell <- Layer("MinimalGatedCell",
#'   initialize = function(units, ...) {
#'     super$initialize(...)
#'     self$units <- units
#'     self$state_size <- units
#'   },
#'   build = function(input_shape) {
#'     features <- tail(input_shape, 1)
#'     self$kernel <- self$add_weight(shape(features, 2 * self$units))
#'     self$recurrent_kernel <- self$add_weight(shape(self$units, 2 * self$units), "orthogonal")
#'     self$bias <- self$add_weight(shape(2 * self$units), "zeros")
#'   },
#'   call = function(inputs, states) {
#'     h <- states[[1]]
#'     x <- op_split(op_matmul(inputs, self$kernel) + self$bias, 2, axis = 2)
#'     kernels <- op_split(self$recurrent_kernel, 2, axis = 2)
#'     forget <- op_sigmoid(x[[1]] + op_matmul(h, kernels[[1]]))
#'     candidate <- op_tanh(x[[2]] + op_matmul(forget * h, kernels[[2]]))
#'     h <- (1 - forget) * h + forget * candidate
#'     list(h, list(h))
#'   }
#' )
#' model <- keras_model_sequential(input_shape = c(5, 3)) |>
#'   layer_bidirectional(layer_rnn(cell = minimal_gated_cell(units = 4))) |>
#'   layer_dense(1)
#' model |> compile(optimizer = "adam", loss = "mse")
#' model |> fit(x, c(0, 1), epochs = 2, verbose = 0)
#'
#' # An LSTM with peepholes: the gates see the state c
#' peephole_lstm_cell <- Layer("PeepholeLSTMCell",
#'   initialize = function(units, ...) {
#'     super$initialize(...)
#'     self$units <- units
#'     self$state_size <- list(units, units)
#'   },
#'   build = function(input_shape) {
#'     features <- tail(input_shape, 1)
#'     self$kernel <- self$add_weight(shape(features, 4 * self$units))
#'     self$recurrent_kernel <- self$add_weight(shape(self$units, 4 * self$units), "orthogonal")
#'     self$bias <- self$add_weight(shape(4 * self$units), "zeros")
#'     self$peepholes <- self$add_weight(shape(3, self$units), "random_normal")
#'   },
#'   call = function(inputs, states) {
#'     c <- states[[2]]
#'     z <- op_matmul(inputs, self$kernel) + op_matmul(states[[1]], self$recurrent_kernel)
#'     z <- op_split(z + self$bias, 4, axis = 2)
#'     peepholes <- op_unstack(self$peepholes)
#'     i <- op_sigmoid(z[[1]] + peepholes[[1]] * c)
#'     f <- op_sigmoid(z[[2]] + peepholes[[2]] * c)
#'     c <- f * c + i * op_tanh(z[[3]])
#'     h <- op_sigmoid(z[[4]] + peepholes[[3]] * c) * op_tanh(c)
#'     list(h, list(h, c))
#'   }
#' )
#' model <- keras_model_sequential(input_shape = c(5, 3)) |>
#'   layer_bidirectional(layer_rnn(cell = peephole_lstm_cell(units = 4))) |>
#'   layer_dense(1)
#' model |> compile(optimizer = "adam", loss = "mse")
#' model |> fit(x, c(0, 1), epochs = 2, verbose = 0)
layer_rnn <- function(object, cell, return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE,
                      stateful = FALSE, unroll = FALSE, zero_output_for_mask = FALSE, ...) {
  create_layer("RNN", object, capture_args())
}

register_layer(RNN, layer_rnn)
