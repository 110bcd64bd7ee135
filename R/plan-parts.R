# Plans in parts: steps with R code of the user's that looks at numbers (level 7).
#
# Such code cannot be traced. The trace leaves a gap for it: what stands before is run on the batch at hand, the code
# gets its numbers, and what it returns is as good as given from there on. The step becomes a chain of parts, each a plan
# or a gap. A chain runs like an eager step whose ops are the plans of its parts, on a tape if there is something to
# train: gradients, effects and errors are those of the eager step.

# Traces `fn(args)`; leaves it to R if that fails and there is a batch to go on with.
running$trace_own_code <- function(fn, args) {
  trace <- running$trace
  trace$has_own_code <- TRUE
  before <- list(trace = as.list(trace), step = as.list(running$step), seed = random_seed_now())
  tryCatch(do.call(fn, args), error = function(error) {
    if (inherits(error, "birnn_error_interrupt")) rlang::cnd_signal(error)
    if (is.null(trace$load) || running$stays_whole) abort_untraceable(error)
    list2env(before$trace, envir = trace)
    list2env(before$step, envir = running$step)
    put_random_seed(before$seed)
    leave_gap(trace, fn, args)
  })
}

running$stays_whole <- FALSE   # TRUE: what cannot be traced is somebody else's business

abort_untraceable <- function(error) {
  if (inherits(error, "birnn_error_symbolic")) rlang::cnd_signal(error)
  birnn_abort("A function cannot be traced.", kind = "symbolic", call = NULL, parent = error)
}

# --- gaps ---------------------------------------------------------------------------------------------------------

# Runs `fn(args)` on the numbers of the batch, and returns what it returns with traced tensors in place of tensors.
leave_gap <- function(trace, fn, args) {
  step <- running$step
  end_part(trace)
  gap <- list(
    fn = fn, args = slots_for(args, trace), training = step$training,
    scope = mget(setdiff(names(running), c("trace", "tape", "step", "texts")), envir = running),
    variables = lapply(step$effects, `[[`, "variable"),
    pending = vapply(step$effects, function(effect) trace_slot(trace, effect$value), 1L)
  )
  gap$needs <- unique(c(slots_in(gap$args), gap$pending))
  for (slot in gap$needs) trace$values[[slot]] <- value_at(trace, slot)
  found <- run_gap(gap, trace$values)
  gap$form <- found$form
  gap$slots <- found$known
  traced <- lapply(seq_along(found$tensors), function(k) {
    meta <- row_free_meta(found$tensors[[k]])
    if (gap$slots[[k]] == 0L) gap$slots[[k]] <<- new_slot(trace)
    new_symbolic(meta$shape, meta$dtype, trace = trace, slot = gap$slots[[k]])
  })
  trace$values[gap$slots] <- found$tensors
  trace$chain <- c(trace$chain, list(list(gap = gap)))
  take_found(found, traced, step)
}

# Evaluates the gap on `values`, by slot. `tensors`: all that came out (outputs, their masks, losses, new values of
# variables); `known`: their slots if they came in as well; `form`: what must be the same in every batch.
run_gap <- function(gap, values) {
  step <- new_step_context(gap$training)
  step$effects <- Map(function(variable, slot) list(variable = variable, value = values[[slot]]), gap$variables,
                      gap$pending)
  outputs <- with_running(c(gap$scope, list(trace = NULL, step = step)), do.call(gap$fn, with_values(gap$args, values)))
  outputs <- map_structure(outputs, function(leaf) if (is.numeric(leaf) || is.logical(leaf)) as_operand(leaf) else leaf)
  variables <- lapply(step$effects, `[[`, "variable")
  tensors <- unlist(recursive = FALSE, list(
    lapply(Filter(is_tensor, flatten_structure(outputs)), function(x) compact(list(with_mask(x, NULL), tensor_mask(x)))) |>
      unlist(recursive = FALSE),
    step$losses, lapply(step$effects, `[[`, "value")
  ))
  known <- vapply(tensors, known_slot, 1L, gap$needs, values)
  form <- list(map_structure(outputs, leaf_form), length(step$losses), variables, known, lapply(tensors, row_free_meta))
  list(outputs = outputs, n_losses = length(step$losses), variables = variables, tensors = tensors, known = known,
       form = form)
}

leaf_form <- function(x) if (is_tensor(x)) !is.null(tensor_mask(x)) else x

row_free_meta <- function(x) list(dtype = tensor_dtype(x), shape = batch_unknown(tensor_shape(x)))

# The slot of a tensor that is one of the given values; 0 if it is new.
known_slot <- function(x, slots, values) {
  for (slot in slots) {
    value <- values[[slot]]
    if (is_tensor(value) && identical(value, x) && identical(tensor_shape(value), tensor_shape(x))) return(slot)
  }
  0L
}

# What a gap found, as traced: outputs are returned, losses and effects go to `step`.
take_found <- function(found, traced, step) {
  position <- 0L
  take <- function() traced[[position <<- position + 1L]]
  outputs <- map_structure(found$outputs, function(leaf) {
    if (!is_tensor(leaf)) return(leaf)
    x <- take()
    if (is.null(tensor_mask(leaf))) x else with_mask(x, take())
  })
  step$losses <- c(step$losses, lapply(seq_len(found$n_losses), function(k) take()))
  step$effects <- lapply(found$variables, function(variable) list(variable = variable, value = take()))
  outputs
}

# --- slots in structures ------------------------------------------------------------------------------------------

# Traced tensors in `x` as references to their slots, and to those of their masks; a variable stays a variable.
slots_for <- function(x, trace) {
  map_structure(x, function(leaf) {
    if (!is_symbolic(leaf) || !identical(leaf[["trace"]], trace)) return(leaf)
    for (entry in trace$variables) if (entry$slot == leaf[["slot"]]) return(entry$variable)
    mask <- tensor_mask(leaf)
    structure(list(slot = leaf[["slot"]], mask = if (!is.null(mask)) trace_slot(trace, mask)), class = "birnn_slot")
  })
}

is_slot <- function(x) inherits(x, "birnn_slot")

slots_in <- function(x) unlist(lapply(Filter(is_slot, flatten_structure(x)), unclass), use.names = FALSE)

with_values <- function(x, values) {
  map_structure(x, function(leaf) {
    if (!is_slot(leaf)) return(leaf)
    value <- values[[leaf$slot]]
    if (is.null(leaf$mask)) value else with_mask(value, values[[leaf$mask]])
  })
}

# --- parts that are plans -----------------------------------------------------------------------------------------

# The ops traced since the last gap become a part, which is run on the batch.
end_part <- function(trace) {
  if (!trace$is_loaded) {
    given <- trace$inputs > 0L
    trace$values[trace$inputs[given]] <- trace$load()[given]
    trace$is_loaded <- TRUE
  }
  if (length(trace$nodes) == 0L) return(invisible())
  part <- list(nodes = trace$nodes, made = unlist(lapply(trace$nodes, `[[`, "outputs")))
  part$given <- setdiff(unlist(lapply(trace$nodes, `[[`, "inputs")), c(0L, part$made, outside_slots(trace)))
  for (slot in part$given) trace$values[[slot]] <- value_at(trace, slot)
  part$metas <- lapply(trace$values[part$given], row_free_meta)
  part$plan <- part_plan(trace, part)
  r_plan_part(part$plan, trace$values[part$given], NULL)
  trace$nodes <- list()
  trace$chain <- c(trace$chain, list(part))
}

outside_slots <- function(trace) c(slots_of(trace$variables), slots_of(trace$constants))

slots_of <- function(entries) vapply(entries, `[[`, 1L, "slot")

# The number in a slot: given, found in a gap, or made by a part that has run.
value_at <- function(trace, slot) {
  if (slot <= length(trace$values) && !is.null(trace$values[[slot]])) return(trace$values[[slot]])
  for (entry in trace$variables) if (entry$slot == slot) return(variable_value_now(entry$variable))
  for (entry in trace$constants) if (entry$slot == slot) return(entry$tensor)
  for (part in trace$chain) if (slot %in% part$made) return(r_plan_value(part$plan, slot))
}

variable_value_now <- function(v) with_running(list(trace = NULL, step = NULL), variable_value(v))

# The plan of a part, with `trainable` values and `outputs` by their slots.
part_plan <- function(trace, part, outputs = integer(), trainable = integer()) {
  used <- unlist(lapply(part$nodes, `[[`, "inputs"))
  variables <- Filter(function(entry) entry$slot %in% used, trace$variables)
  constants <- Filter(function(entry) entry$slot %in% used, trace$constants)
  r_plan_new(list(
    n_slots = trace$n_slots, nodes = part$nodes, metas = part$metas, inputs = part$given,
    variables = lapply(variables, `[[`, "variable"), variable_slots = slots_of(variables),
    constants = lapply(constants, `[[`, "tensor"), constant_slots = slots_of(constants),
    outputs = outputs, loss = 0L, effect_values = integer(), effect_targets = integer(), trainable = trainable,
    optimizer = NULL, after = NULL
  ))
}

# --- chains -------------------------------------------------------------------------------------------------------

# The chain of a traced step: from the last part to the first, what is needed of each is what the later ones take.
chain_from_trace <- function(trace, context, result, step) {
  end_part(trace)
  ends <- list(
    outputs = vapply(result$outputs, function(x) trace_slot(trace, x), 1L),
    loss = if (!is.null(result$loss)) trace_slot(trace, result$loss),
    variables = lapply(context$effects, `[[`, "variable"),
    effects = vapply(context$effects, function(effect) trace_slot(trace, effect$value), 1L)
  )
  needed <- c(ends$outputs, ends$loss, ends$effects)
  is_trained <- vapply(trace$variables, function(entry) any(vapply(step$trainable, identical, NA, entry$variable)), NA)
  trainable <- if (!is.null(step$optimizer)) slots_of(trace$variables[is_trained])
  parts <- list()
  for (part in rev(trace$chain)) {
    if (is.null(part$gap)) {
      part <- finish_part(trace, part, intersect(part$made, needed), if (!is.null(step$optimizer)) trainable)
      if (is.null(part)) next
    }
    needed <- c(needed, part$given, part$gap$needs)
    parts <- c(list(part), parts)
  }
  values <- vector("list", trace$n_slots)
  values[slots_of(trace$constants)] <- lapply(trace$constants, `[[`, "tensor")
  list(parts = parts, inputs = trace$inputs, values = values,
       held = Filter(function(entry) entry$slot %in% needed, trace$variables), ends = ends)
}

# `trainable`: slots of the trained variables, NULL without training. Besides these, whatever other parts have made may
# have a gradient.
finish_part <- function(trace, part, outputs, trainable) {
  if (length(outputs) == 0L) return(NULL)
  sources <- integer()
  if (!is.null(trainable)) {
    is_float <- vapply(part$metas, function(meta) is_float_dtype(meta$dtype), NA)
    used <- unlist(lapply(part$nodes, `[[`, "inputs"))
    sources <- c(intersect(trainable, used), setdiff(part$given[is_float], trace$inputs))
  }
  list(plan = part_plan(trace, part, outputs, sources), given = part$given, outputs = outputs)
}

chain_fits <- function(chain, tensors) {
  for (part in chain$parts) if (!is.null(part$plan) && r_pointer_is_nil(part$plan)) return(FALSE)
  identical(lapply(tensors, row_free_meta_or_null), chain$metas)
}

row_free_meta_or_null <- function(x) if (!is.null(x)) row_free_meta(x)

# The step on `tensors`, as the function of an eager step. NULL if a gap returns something of another form than before.
run_chain <- function(chain, tensors) {
  values <- chain$values
  given <- chain$inputs > 0L
  values[chain$inputs[given]] <- tensors[given]
  for (entry in chain$held) values[[entry$slot]] <- variable_value(entry$variable)
  for (part in chain$parts) {
    if (is.null(part$gap)) {
      values[part$outputs] <- r_plan_part(part$plan, values[part$given], running$tape)
    } else {
      found <- run_gap(part$gap, values)
      if (!identical(found$form, part$gap$form)) return(NULL)
      values[part$gap$slots] <- found$tensors
    }
  }
  ends <- chain$ends
  running$step$effects <- Map(function(variable, slot) list(variable = variable, value = values[[slot]]),
                              ends$variables, ends$effects)
  list(outputs = values[ends$outputs], loss = if (!is.null(ends$loss)) values[[ends$loss]])
}
