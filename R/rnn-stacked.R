# Cells one above the other: the output of each is the input of the next (level 5).

StackedRNNCells <- R6::R6Class("StackedRNNCells",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      cells = argument(
        function(x, arg, call) check_cells(x, arg, call),
        load = function(x) lapply(x, as_layer_argument)
      )
    ),

    build = function(input_shape) {
      for (cell in self$cells) {
        build_cell(cell, input_shape)
        input_shape <- c(input_shape[[1L]], output_size(cell))
      }
    },

    # `states`: one list for each cell; a tensor may stand for a list of one.
    call = function(inputs, states, training = FALSE) {
      states <- as_cell_states(self, if (missing(states)) list() else states, inputs)
      for (k in seq_along(self$cells)) {
        step <- step_cell(self$cells[[k]], inputs, states[[k]], training)
        inputs <- step$output
        states[[k]] <- step$states
      }
      list(inputs, states)
    },

    get_initial_state = function(batch_size = NULL) lapply(self$cells, initial_states, batch_size),

    compute_output_shape = function(input_shape) c(as_shape(input_shape)[[1L]], output_size(self)),

    reset_dropout_mask = function() reset_masks(self$cells, "reset_dropout_mask"),
    reset_recurrent_dropout_mask = function() reset_masks(self$cells, "reset_recurrent_dropout_mask"),

    sublayers = function() self$cells
  ),

  active = list(
    state_size = function() lapply(self$cells, state_sizes),
    output_size = function() output_size(self$cells[[length(self$cells)]])
  )
)

reset_masks <- function(cells, method) {
  for (cell in lapply(cells, layer_object)) if (is.function(cell[[method]])) cell[[method]]()
}

#' Stack of recurrent cells
#'
#' Several cells as one: in each time step the output of a cell is the input of the next. [layer_rnn()] makes a stack of
#' a list of cells by itself.
#'
#' @param cells A list of cells, the lowest first, or the first cell.
#' @param ... Further cells, without names; and arguments of every layer, see [layer_dense()].
#' @return A cell, to be given to [layer_rnn()]. Its states are nested: a list for each cell.
#' @inheritSection rnn_cell_lstm Calling a cell
#' @source <https://keras.io/api/layers/recurrent_layers/stacked_rnn_cell/>
#' @family rnn layers
#' @export
#' @examples
#' x <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
#' cells <- rnn_cells_stack(rnn_cell_lstm(units = 4), rnn_cell_gru(units = 2))
#' layer <- layer_rnn(cell = cells, return_state = TRUE)
#' c(output, lstm_states, gru_states) %<-% layer(x)
#' length(lstm_states)
rnn_cells_stack <- function(cells, ...) {
  given <- rlang::dots_list(..., .ignore_empty = "all", .homonyms = "error")
  named <- nzchar(rlang::names2(given))
  cells <- if (missing(cells)) list() else if (is_plain_list(cells)) cells else list(cells)
  new_layer("StackedRNNCells", c(list(cells = c(cells, unname(given[!named]))), given[named]))
}

register_layer(StackedRNNCells, rnn_cells_stack)
