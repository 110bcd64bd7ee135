# What a cell must be: a layer with `state_size`, and a call that makes of inputs and states an output and new states
# (level 5).

# The `cell` of layer_rnn(): one cell; a list of cells is stacked, also a list of one.
as_cell <- function(x, arg, call) {
  if (!is_plain_list(x)) return(check_cell(x, arg, call))
  new_layer("StackedRNNCells", list(cells = check_cells(x, arg, call)), call)
}

check_cells <- function(x, arg, call) {
  if (!is_plain_list(x)) x <- list(x)
  if (length(x) == 0L) {
    birnn_abort(
      c("{.arg {arg}} must be at least one cell, not an empty list.",
        i = "For example {.code {arg} = list(rnn_cell_lstm(units = 8), rnn_cell_gru(units = 4))}."),
      call = call
    )
  }
  Map(function(cell, k) check_cell(cell, paste0(arg, "[[", k, "]]"), call), unname(x), seq_along(x))
}

check_cell <- function(x, arg, call) {
  if (!is_layer(x)) {
    hint <- if (is.function(x)) {
      "Call the function that makes the cell, with parentheses: {.code rnn_cell_lstm(units = 32)}."
    } else {
      "For example {.code rnn_cell_lstm(units = 32)}, or a list of cells."
    }
    birnn_abort(c("{.arg {arg}} must be a cell, not {describe_value(x)}.", i = hint), call = call)
  }
  self <- layer_object(x)
  check_cell_call(self, arg, call)
  check_state_size(self, arg, call)
  check_output_size(self, arg, call)
  x
}

check_cell_call <- function(self, arg, call) {
  problem <- if (inherits(self, "RNN")) {
    "is a whole layer"
  } else if (!has_call(self)) {
    "has none"
  } else if (length(formals(self$call)) < 2L) {
    paste("takes", call_signature(self))
  }
  if (is.null(problem)) return(invisible())
  hint <- if (inherits(self, "RNN")) "Its cell is {.code {self$name}$cell}." else cell_call_hint
  birnn_abort(
    c("{.arg {arg}} should have a {.code call} method with inputs and states: {.val {self$name}}
       ({layer_class_name(self)}) {problem}.", i = hint),
    kind = "config", call = call
  )
}

has_call <- function(self) {
  if ("call" %in% self$definition$methods) return(TRUE)
  !has_method_of(self, "call", BaseLayer) && !identical(body(self$call), quote(abort_no_call(self)))
}

cell_call_hint <- paste(
  "A cell computes one step: {.code call(inputs, states)} returns a list of the output and the list of new states."
)

check_state_size <- function(self, arg, call) {
  size <- self$state_size
  if (is.null(size)) {
    birnn_abort(
      c("{.arg {arg}} must have a {.field state_size}: {.val {self$name}} ({layer_class_name(self)}) has none.",
        i = "It is the number of units of the state, or a list with one number a state."),
      kind = "config", call = call
    )
  }
  if (is_state_size(size)) return(invisible())
  birnn_abort(
    c("{.field state_size} of {.arg {arg}} must be a positive whole number or a list of them, not
       {describe_value(size)}.",
      x = "The cell is {.val {self$name}} ({layer_class_name(self)})."),
    kind = "config", call = call
  )
}

is_state_size <- function(x) {
  if (is_plain_list(x)) return(length(x) > 0L && all(vapply(x, is_state_size, NA)))
  sizes <- if (inherits(x, "keras_shape")) as_shape(x) else x
  is.numeric(sizes) && length(sizes) > 0L && all(is.finite(sizes) & sizes == round(sizes) & sizes > 0)
}

# One size only: an output is one tensor.
check_output_size <- function(self, arg, call) {
  size <- self$output_size
  is_size <- is.null(size) || (is_state_size(size) && (inherits(size, "keras_shape") || length(unlist(size)) == 1L))
  if (is_size) return(invisible())
  birnn_abort(
    c("{.field output_size} of {.arg {arg}} must be a positive whole number, not {describe_value(size)}.",
      x = "The cell is {.val {self$name}} ({layer_class_name(self)})."),
    kind = "config", call = call
  )
}

# What a cell returned for one step.
check_step <- function(cell, result) {
  if (is_plain_list(result) && length(result) == 2L) return(invisible())
  birnn_abort(
    c("The call of cell {.val {cell$name}} must return a list of two, the output and the new states, not
       {describe_value(result)}.",
      i = "With one state {.code h}: {.code list(output, list(h))}."),
    kind = "config", call = NULL
  )
}

# New states must be like the old ones.
check_new_states <- function(cell, new_states, states) {
  sizes <- map_structure(states, function(state) tensor_shape(state)[-1L])
  batch <- tensor_shape(flatten_structure(states)[[1L]])[[1L]]
  as_states(new_states, sizes, batch, NULL, cli::format_inline("the new states of cell {.val {cell$name}}"))
  invisible()
}
