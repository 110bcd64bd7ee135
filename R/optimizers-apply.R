# One update of weights by their gradients: the numbers and variables that the core needs (level 3).

# An optimizer as C++ sees it: numbers, its two counters and the slot variables of each trainable variable.
optimizer_table <- function(optimizer, variables) {
  list(
    spec = optimizer$spec(), iteration = optimizer$iteration, learning_rate = optimizer$learning_rate,
    slots = optimizer$slots_of(variables), extra = optimizer$extra
  )
}

# One update of `variables` by `grads` (a list of tensors, NULL where there is none), constraints included.
optimizer_apply <- function(optimizer, variables, grads) {
  handle_object(optimizer)$refresh_rate()
  r_optimizer_apply(optimizer_table(optimizer, variables), variables, grads)
  in_call_context(apply_constraints(variables))
  invisible()
}

apply_constraints <- function(variables) {
  for (v in variables) {
    constraint <- variable_field(v, "constraint")
    if (!is.null(constraint)) assign_variable(v, constraint(variable_value(v)))
  }
}
