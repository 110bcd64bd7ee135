# One update of weights by their gradients: the numbers and variables that the core needs (level 3).

# An optimizer as C++ sees it: numbers, its two counters and the slot variables of each trainable variable.
optimizer_table <- function(optimizer, variables) {
  list(
    spec = optimizer$spec(), iteration = optimizer$iteration, learning_rate = optimizer$learning_rate,
    slots = optimizer$slots_of(variables), extra = optimizer$extra
  )
}

# One update of `variables` by `grads` (a list of tensors, NULL where there is none), constraints included.
optimizer_apply <- function(optimizer, variables, grads, table = optimizer_table(optimizer, variables)) {
  field(handle_object(optimizer), "refresh_rate")()
  r_optimizer_apply(table, variables, grads)
  constrained <- constrained_variables(variables)
  if (length(constrained)) in_call_context(apply_constraints(constrained))
  invisible()
}

constrained_variables <- function(variables) Filter(function(v) !is.null(variable_field(v, "constraint")), variables)

apply_constraints <- function(constrained) {
  for (v in constrained) assign_variable(v, variable_field(v, "constraint")(variable_value(v)))
}
