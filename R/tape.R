# What is running now: the gradient tape, the step with its effects and losses, the trace of a plan (level 1).

running <- new.env(parent = emptyenv())
running$tape <- NULL     # external pointer of the innermost tape that records
running$step <- NULL     # environment: effects, losses, training
running$trace <- NULL    # environment of the plan being traced
running$layer_depth <- 0L
running$record_graph_op <- NULL  # how an op on symbolic tensors becomes part of a model: set by the layers

# Evaluates `code` with fields of `running` set to new values, and restores them however it ends.
with_running <- function(new, code) {
  old <- mget(names(new), envir = running)
  on.exit(for (name in names(old)) assign(name, old[[name]], envir = running))
  for (name in names(new)) assign(name, new[[name]], envir = running)
  force(code)
}

# --- tape ---------------------------------------------------------------------------------------------------------

new_tape <- function() r_tape_new()

# Records the ops of `code` on `tape`.
in_tape <- function(tape, code) with_running(list(tape = tape), code)

# Evaluates `code` without recording.
without_tape <- function(code) with_running(list(tape = NULL), code)

# A handle of `tensor` whose gradient can be asked for.
tape_watch <- function(tape, tensor) r_tape_watch(tape, as_tensor(tensor))

# Gradients of a scalar (or of the sum of a tensor) with respect to Variables and watched tensors; NULL where
# there is no path. `sources`: a list.
tape_gradient <- function(tape, target, sources) {
  if (!is_tensor(target)) birnn_abort("A gradient can be taken of tensors only.", kind = "state")
  r_tape_gradient(tape, target, sources)
}

# Frees what the tape holds now, not when R's garbage collector comes around.
tape_free <- function(tape) invisible(r_tape_free(tape))

#' Record operations and ask for gradients
#'
#' Evaluates `expr` while recording every operation on trainable variables and on the tensors in `watch`. Afterwards
#' `tape_gradients()` gives the derivatives of a result.
#'
#' @param expr Code; usually computes a loss from tensors and layers.
#' @param watch A list of tensors to follow besides the trainable variables; inside `expr` they stand as `watched`.
#' @param tape,target,sources The tape that `with_gradient_tape()` returned, a tensor computed under it, and a list
#'   of variables and watched tensors.
#' @return `with_gradient_tape()`: a list with `value` (of `expr`), `tape`, and `watched`. `tape_gradients()`: a list
#'   with one tensor a source, `NULL` where `target` does not depend on it.
#' @family tensors
#' @export
#' @examples
#' v <- keras_variable(3)
#' step <- with_gradient_tape(op_square(v))
#' tape_gradients(step$tape, step$value, list(v))
with_gradient_tape <- function(expr, watch = list()) {
  tape <- new_tape()
  watched <- lapply(watch, function(tensor) tape_watch(tape, tensor))
  expr <- substitute(expr)
  scope <- rlang::env(parent.frame(), watched = watched)
  value <- in_tape(tape, eval(expr, scope))
  list(value = value, tape = tape, watched = watched)
}

#' @rdname with_gradient_tape
#' @export
tape_gradients <- function(tape, target, sources) tape_gradient(tape, target, as.list(sources))

# --- step ---------------------------------------------------------------------------------------------------------

# A step computes first and changes variables only when it commits. `losses` are the layers' own (activity
# regularizers, add_loss()).
new_step_context <- function(training = FALSE) {
  step <- new.env(parent = emptyenv())
  step$effects <- list()
  step$losses <- list()
  step$training <- training
  step
}

in_step <- function() !is.null(running$step)

in_step_context <- function(step, code) with_running(list(step = step), code)

# Evaluates `code` as a step of its own: effects are done at its end.
in_call_context <- function(expr, training = FALSE) {
  step <- new_step_context(training)
  value <- in_step_context(step, expr)
  commit_effects(step)
  value
}

current_training <- function() running$step$training

collected_losses <- function() running$step$losses

add_collected_loss <- function(loss) {
  if (in_step()) running$step$losses <- c(running$step$losses, list(loss))
  invisible()
}

record_effect <- function(v, value) {
  known <- find_effect(running$step, v)
  if (known == 0L) known <- length(running$step$effects) + 1L
  running$step$effects[[known]] <- list(variable = v, value = value)
}

find_effect <- function(step, v) {
  for (k in seq_along(step$effects)) if (identical(step$effects[[k]]$variable, v)) return(k)
  0L
}

# The value that `v` will have after the running step, or NULL if the step has not assigned it.
pending_value <- function(v) {
  step <- running$step
  if (is.null(step)) return(NULL)
  known <- find_effect(step, v)
  if (known > 0L) step$effects[[known]]$value
}

commit_effects <- function(step) {
  for (effect in step$effects) set_variable(effect$variable, effect$value)
  step$effects <- list()
  invisible()
}

# --- layers -------------------------------------------------------------------------------------------------------

# Ops on symbolic tensors inside a layer's call belong to the layer; outside they become nodes of the model.
in_layer_call <- function(code) with_running(list(layer_depth = running$layer_depth + 1L), code)

inside_layer <- function() running$layer_depth > 0L
