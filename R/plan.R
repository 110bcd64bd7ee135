# Steps: one batch of training, testing or predicting, compiled once into a plan and run by one .Call (level 7).

# `fn(tensors)` computes from a list of tensors (NULL where an optional one is absent) a list with
#   outputs: a list of tensors to hand back,
#   loss:    a scalar tensor, or NULL.
# With `optimizer`, the loss' gradients with respect to `trainable` (a list of Variables) update them.
# `eager = TRUE` runs fn op by op instead of as a plan: the same bits, slower.
new_step <- function(fn, inputs = NULL, trainable = list(), optimizer = NULL, eager = FALSE) {
  step <- new.env(parent = emptyenv())
  step$fn <- fn
  step$trainable <- trainable
  step$optimizer <- optimizer
  step$refresh_rate <- if (!is.null(optimizer)) field(handle_object(optimizer), "refresh_rate") else function() NULL
  step$eager <- eager
  step$plans <- list()   # external pointers, made for the float type `floatx`
  step$chains <- list()  # where R code looks at numbers: see plan-parts.R
  step$floatx <- floatx()
  step
}

# Runs the step on the rows `rows` (counted from 1; NULL: all) of every tensor. Weights and other variables change
# only if the loss is finite; with `commit_nonfinite = TRUE` always.
# Returns list(outputs, loss (a number or NULL), finite).
run_step <- function(step, tensors, rows = NULL, commit_nonfinite = identical(getOption("birnn.nonfinite"), "warn")) {
  run_tensors(step, lapply(tensors, function(x) if (!is.null(x)) as_tensor(x)), rows, commit_nonfinite)
}

# The same for what are tensors already.
run_tensors <- function(step, tensors, rows, commit_nonfinite) {
  if (!step$eager) {
    step$refresh_rate()
    if (step$floatx != session$floatx) forget_plans(step)
    result <- run_plans(step, tensors, rows, commit_nonfinite)
    if (is.null(result) && add_plan(step, tensors, rows)) result <- run_plans(step, tensors, rows, commit_nonfinite)
    if (!is.null(result)) return(result)
  }
  run_step_eagerly(step, tensors, rows, commit_nonfinite)
}

# NULL if there is no plan for such tensors.
run_plans <- function(step, tensors, rows, commit_nonfinite) {
  if (length(step$chains) == 0L) return(r_plan_run(step$plans, tensors, rows, commit_nonfinite))
  for (chain in step$chains) {
    if (!chain_fits(chain, tensors)) next
    run <- function(tensors) run_chain(chain, tensors)
    seed <- random_seed_now()
    result <- run_step_eagerly(step, tensors, rows, commit_nonfinite, run)
    if (!is.null(result)) return(result)
    put_random_seed(seed)
  }
}

# --- plans --------------------------------------------------------------------------------------------------------

# A plan for inputs like these: of the same types, presence and sizes but for the batch size. It is traced when first
# needed (and again in a new session: pointers do not survive). FALSE if the step cannot be traced at all: it is then run
# op by op from now on.
add_plan <- function(step, tensors, rows) {
  late <- step$setup$late
  load <- function() tensor_rows(tensors, rows)
  table <- tryCatch(trace_step(step, lapply(tensors, meta_of), load), birnn_error_symbolic = function(e) NULL)
  step$eager <- is.null(table)
  if (step$eager) return(FALSE)
  # Plans made before a metric was found to be late hold that metric.
  if (!identical(step$setup$late, late)) forget_plans(step)
  if (is.null(table$parts)) keep_plan(step, table)
  else step$chains <- utils::head(c(list(table), step$chains), kept_chains)
  TRUE
}

kept_chains <- 8L

forget_plans <- function(step) {
  step$plans <- list()
  step$chains <- list()
  step$floatx <- floatx()
}

# The table of a plan for inputs with these types and shapes: a list of list(dtype, shape) and NULL. With `load()`, which
# gives such inputs, R code that looks at numbers makes it a chain instead.
trace_step <- function(step, metas, load = NULL) {
  trace <- new_trace(load)
  context <- new_step_context()
  metas <- lapply(metas, function(meta) if (!is.null(meta)) list(dtype = meta$dtype, shape = batch_unknown(meta$shape)))
  inputs <- lapply(metas, function(meta) if (!is.null(meta)) traced_tensor(trace, meta))
  trace$inputs <- vapply(inputs, function(x) if (is.null(x)) 0L else x[["slot"]], integer(1))
  seed <- random_seed_now()
  result <- with_running(list(trace = trace, step = context, tape = NULL), step$fn(inputs))
  after <- if (length(trace$chain) == 0L && !is.null(step$optimizer)) constraint_plan(step$trainable, is.null(load))
  if (length(trace$chain) > 0L || isFALSE(after)) {
    put_random_seed(seed)
    return(c(chain_from_trace(trace, context, result, step), list(metas = metas)))
  }
  plan <- plan_from_trace(trace, context, result, step)
  plan["after"] <- list(after)
  c(plan, list(metas = metas, inputs = trace$inputs, open = !trace$has_own_code))
}

batch_unknown <- function(shape) if (length(shape) == 0) shape else c(NA_integer_, shape[-1])

# What C++ needs to know of a trace, as plain lists.
plan_from_trace <- function(trace, context, result, step) {
  outputs <- vapply(result$outputs, function(x) trace_slot(trace, x), integer(1))
  loss <- if (is.null(result$loss)) 0L else trace_slot(trace, result$loss)
  values <- vapply(context$effects, function(effect) trace_slot(trace, effect$value), integer(1))
  targets <- vapply(context$effects, function(effect) trace_slot(trace, effect$variable), integer(1))
  updates <- !is.null(step$optimizer)
  trainable <- if (updates) vapply(step$trainable, function(v) trace_slot(trace, v), integer(1)) else integer()
  list(
    n_slots = trace$n_slots, nodes = trace$nodes,
    variables = lapply(trace$variables, `[[`, "variable"),
    variable_slots = vapply(trace$variables, `[[`, integer(1), "slot"),
    constants = lapply(trace$constants, `[[`, "tensor"),
    constant_slots = vapply(trace$constants, `[[`, integer(1), "slot"),
    outputs = outputs, loss = loss, effect_values = values, effect_targets = targets,
    trainable = trainable,
    optimizer = if (updates) optimizer_table(step$optimizer, step$trainable), after = NULL
  )
}

# Constraints act on the updated weights: a small plan of its own, run after the update. FALSE if one of them looks at
# numbers: then the update is done by R (in a chain, of one part).
constraint_plan <- function(variables, must_trace) {
  constrained <- constrained_variables(variables)
  if (length(constrained) == 0) return(NULL)
  fn <- function(inputs) {
    apply_constraints(constrained)
    list(outputs = list())
  }
  plan <- function() r_plan_new(trace_step(new_step(fn), list()))
  if (must_trace) plan() else tryCatch(plan(), birnn_error_symbolic = function(e) FALSE)
}

# --- eager --------------------------------------------------------------------------------------------------------

# The table of the optimizer stays the same as long as the step does.
update_weights <- function(step, gradients) {
  if (is.null(step$table)) step$table <- optimizer_table(step$optimizer, step$trainable)
  optimizer_apply(step$optimizer, step$trainable, gradients, step$table)
}

tensor_rows <- function(tensors, rows) {
  if (is.null(rows)) tensors else lapply(tensors, function(x) if (!is.null(x)) r_tensor_rows(x, rows))
}

# NULL if `fn` gives up.
run_step_eagerly <- function(step, tensors, rows, commit_nonfinite, fn = step$fn) {
  tensors <- tensor_rows(tensors, rows)
  context <- new_step_context()
  updates <- !is.null(step$optimizer)
  tape <- if (updates) new_tape()
  on.exit(if (updates) tape_free(tape))
  result <- with_running(list(tape = tape, step = context, trace = NULL), fn(tensors))
  if (is.null(result)) return(NULL)
  loss <- if (!is.null(result$loss)) as.numeric(result$loss)
  finite <- is.null(loss) || is.finite(loss)
  gradients <- if (updates && (finite || commit_nonfinite)) tape_gradient(tape, result$loss, step$trainable)
  finite <- finite && r_all_finite(as.list(gradients))
  if (finite || commit_nonfinite) {
    if (updates) update_weights(step, gradients)
    commit_effects(context)
  }
  list(outputs = result$outputs, loss = loss, finite = finite)
}
