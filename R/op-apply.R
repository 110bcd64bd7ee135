# The one way from R to an op: eager, recorded on a tape, traced for a plan, or symbolic (level 1).

# `inputs`: a list of tensors, symbolic tensors, variables and NULL (an optional input left out).
# `attrs`: named numbers, logicals and strings; axes count from 0; NULL is left out.
# Eager calls are one .Call, which answers NULL to anything symbolic.
apply_op <- function(name, inputs, attrs = NULL) {
  r_apply_op(name, inputs, attrs, running, 0L) %||% apply_symbolically(name, inputs, attrs)
}

# While a plan is traced, ops on variables are traced too; ops on constants are simply done.
apply_symbolically <- function(name, inputs, attrs) {
  inputs <- lapply(inputs, with_pending_value)
  for (x in inputs) if (is_symbolic(x) && is_graph_tensor(x)) return(infer_op(name, inputs, attrs))
  if (!is_tracing()) birnn_abort("{.fn op_{name}} was given what is not a tensor.", kind = "type")
  trace_op(running$trace, name, inputs, attrs)
}

with_pending_value <- function(x) if (is_variable(x)) pending_value(x) %||% x else x

# apply_op() for operands that must be numbers of one type, or floating point: tensors of one type and plain numbers
# need no conversion. `convert(operands)` makes the others fit.
apply_to_numbers <- function(name, operands, convert, attrs = NULL) {
  r_apply_op(name, operands, attrs, running, 1L) %||% apply_op(name, convert(operands), attrs)
}

apply_to_floats <- function(name, operands, convert, attrs = NULL) {
  r_apply_op(name, operands, attrs, running, 2L) %||% apply_op(name, convert(operands), attrs)
}

meta_of <- function(x) if (is.null(x)) NULL else list(dtype = tensor_dtype(x), shape = tensor_shape(x))

# Types and shapes of the outputs for inputs of possibly unknown sizes: a list of list(dtype, shape).
infer_outputs <- function(name, inputs, attrs) r_op_infer(name, lapply(inputs, meta_of), attrs)

# In a functional model: types and shapes only. Outside any layer the op becomes a node of the model.
infer_op <- function(name, inputs, attrs) {
  for (x in inputs) if (!is.null(x) && tensor_dtype(x) == "string") abort_text_input(paste0("op_", name, "()"))
  outputs <- lapply(infer_outputs(name, inputs, attrs), function(meta) new_symbolic(meta$shape, meta$dtype))
  if (!inside_layer()) outputs <- running$record_graph_op(name, inputs, attrs, outputs)
  one_or_list(outputs)
}

one_or_list <- function(outputs) if (length(outputs) == 1L) outputs[[1L]] else outputs

# --- tracing ------------------------------------------------------------------------------------------------------

# A trace is a straight list of ops over numbered slots (inputs, variables, constants, results).
# `load()`: the inputs as numbers, for R code that looks at them; NULL: such code cannot be traced.
new_trace <- function(load = NULL) {
  trace <- new.env(parent = emptyenv())
  trace$load <- load
  trace$is_loaded <- FALSE
  trace$has_own_code <- FALSE     # whether functions of the user's take part
  trace$values <- list()          # known numbers, by slot
  trace$chain <- list()           # parts before `nodes`
  trace$n_slots <- 0L
  trace$nodes <- list()
  trace$variables <- list()       # list(variable, slot, tensor)
  trace$constants <- list()       # list(tensor, slot)
  trace
}

# Calls a function of the user's: as it stands, or while a plan is traced, traced or left to R.
call_own_code <- function(fn, args) {
  if (is.null(running$trace)) do.call(fn, args) else running$trace_own_code(fn, args)
}

running$trace_own_code <- NULL

is_tracing <- function() !is.null(running$trace)

current_trace <- function() running$trace

new_slot <- function(trace) {
  trace$n_slots <- trace$n_slots + 1L
  trace$n_slots
}

traced_tensor <- function(trace, meta, mask = NULL) {
  new_symbolic(meta$shape, meta$dtype, mask = mask, trace = trace, slot = new_slot(trace))
}

trace_variable <- function(trace, v) {
  for (entry in trace$variables) if (identical(entry$variable, v)) return(entry$tensor)
  x <- traced_tensor(trace, meta_of(v))
  trace$variables <- c(trace$variables, list(list(variable = v, slot = x[["slot"]], tensor = x)))
  x
}

# The slot of anything that can be an input of an op; 0 for an input left out.
trace_slot <- function(trace, x) {
  if (is.null(x)) return(0L)
  if (is_variable(x)) return(trace_variable(trace, x)[["slot"]])
  if (is_tensor(x)) {
    slot <- new_slot(trace)
    trace$constants <- c(trace$constants, list(list(tensor = x, slot = slot)))
    return(slot)
  }
  if (!identical(x[["trace"]], trace)) {
    birnn_abort("A tensor of another model or step was used inside a step.", kind = "state")
  }
  x[["slot"]]
}

trace_op <- function(trace, name, inputs, attrs) {
  slots <- vapply(inputs, trace_slot, integer(1), trace = trace)
  outputs <- lapply(infer_outputs(name, inputs, attrs), traced_tensor, trace = trace)
  node <- list(op = name, attrs = attrs, inputs = slots,
               outputs = vapply(outputs, function(x) x[["slot"]], integer(1)))
  trace$nodes[[length(trace$nodes) + 1L]] <- node
  one_or_list(outputs)
}
