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
  on.exit(list2env(old, envir = running))
  list2env(new, envir = running)
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
  for (source in sources) {
    if (is_tensor(source) || is_variable(source)) next
    birnn_abort(
      c("Gradients are with respect to variables and watched tensors, not to {describe_value(source)}.",
        i = "{.code tape$watch(x)} gives a tensor that can be asked for."),
      kind = "state", call = NULL
    )
  }
  r_tape_gradient(tape, target, sources)
}

# Frees what the tape holds now, not when R's garbage collector comes around.
tape_free <- function(tape) invisible(r_tape_free(tape_pointer(tape)))

#' Gradients of your own computations
#'
#' A gradient tape records every operation on trainable variables and on the tensors it watches. Afterwards it gives the
#' derivatives of any of the results. Training loops of your own are made of a tape and `optimizer$apply()`.
#'
#' * `with(tape, expr)` records the operations of `expr`, which is evaluated where it stands: what is assigned in it
#'   stays. `GradientTape() %as% tape` gives the tape its name on the way.
#' * `tape$gradient(target, sources)`: the derivatives of a tensor (of the sum of its elements) with respect to a
#'   variable or a watched tensor, or to a list of them, in the same structure; `NULL` where `target` does not depend on
#'   it. It may be asked again.
#' * `tape$watch(x)` returns the tensor `x` in a form whose derivatives can be asked for.
#' * `with_gradient_tape(expr, watch)` does all in one call.
#'
#' A variable that has been changed after it was recorded stops with an error: ask for gradients first, update then.
#'
#' @param expr Code; usually computes a loss from tensors and layers.
#' @param watch A list of tensors to follow besides the trainable variables; inside `expr` they stand as `watched`.
#' @param persistent,watch_accessed_variables Accepted for compatibility; a tape is always both.
#' @param object,name A tape, and the name it gets where the result is used in `with()`.
#' @param tape,target,sources A tape, a tensor computed under it, and a list of variables and watched tensors.
#' @return `GradientTape()`: a tape. `with_gradient_tape()`: a list with `value` (of `expr`), `tape`, and `watched`.
#'   `tape_gradients()`: a list with one tensor a source, `NULL` where `target` does not depend on it.
#' @seealso `vignette("custom-layers")`, with a training loop, the derivatives of an input, and a `train_step()` of a
#'   [Model()].
#' @family training
#' @family tensors
#' @export
#' @examples
#' # A training loop
#' set.seed(1)
#' model <- keras_model_sequential(input_shape = c(NA, 1)) |> layer_gru(units = 4) |> layer_dense(1)
#' x <- as_tensor(array(rnorm(60), c(6, 10, 1)))
#' y <- op_sum(x, axis = 2)
#' optimizer <- optimizer_adam(0.01)
#' for (step in 1:3) {
#'   with(GradientTape() %as% tape, {
#'     loss <- op_mean(op_square(model(x, training = TRUE) - y))
#'   })
#'   variables <- model$trainable_weights
#'   optimizer$apply(tape$gradient(loss, variables), variables)
#'   print(as.numeric(loss))
#' }
#'
#' # The derivative of a square
#' v <- keras_variable(3)
#' step <- with_gradient_tape(op_square(v))
#' tape_gradients(step$tape, step$value, list(v))
GradientTape <- function(persistent = FALSE, watch_accessed_variables = TRUE) new_gradient_tape(new_tape())

new_gradient_tape <- function(pointer) {
  structure(list2env(list(pointer = pointer), parent = emptyenv()), class = "birnn_gradient_tape")
}

#' @export
`$.birnn_gradient_tape` <- function(x, name) {
  pointer <- get("pointer", envir = x, inherits = FALSE)
  switch(name,
    pointer = pointer,
    watch = function(x) map_structure(x, function(tensor) tape_watch(pointer, tensor)),
    gradient = function(target, sources) gradients_like(pointer, target, sources),
    reset = function() tape_free(pointer)
  )
}

#' @export
.DollarNames.birnn_gradient_tape <- function(x, pattern = "") {
  grep(pattern, c("gradient", "watch", "reset"), value = TRUE)
}

#' @export
print.birnn_gradient_tape <- function(x, ...) {
  cat("<GradientTape>\n")
  invisible(x)
}

# Gradients in the structure of `sources`: a single one, or (named) lists.
gradients_like <- function(pointer, target, sources) {
  found <- tape_gradient(pointer, target, flatten_structure(sources))
  position <- 0L
  pack <- function(x) {
    if (is.null(x)) return(NULL)
    if (is_plain_list(x)) return(lapply(x, pack))
    position <<- position + 1L
    found[[position]]
  }
  pack(sources)
}

#' @export
with.birnn_gradient_tape <- function(data, expr, ...) in_tape(data$pointer, eval(substitute(expr), parent.frame()))

#' @rdname GradientTape
#' @export
`%as%` <- function(object, name) {
  structure(list(object = object, name = as.character(substitute(name))), class = "birnn_named")
}

#' @export
with.birnn_named <- function(data, expr, ...) {
  frame <- parent.frame()
  assign(data$name, data$object, envir = frame)
  eval(rlang::call2(with, data$object, substitute(expr)), frame)
}

#' @rdname GradientTape
#' @export
with_gradient_tape <- function(expr, watch = list()) {
  tape <- GradientTape()
  watched <- tape$watch(watch)
  scope <- rlang::env(parent.frame(), watched = watched)
  value <- in_tape(tape$pointer, eval(substitute(expr), scope))
  list(value = value, tape = tape, watched = watched)
}

#' @rdname GradientTape
#' @export
tape_gradients <- function(tape, target, sources) {
  tape_gradient(tape_pointer(tape), target, if (is_plain_list(sources)) sources else list(sources))
}

tape_pointer <- function(tape) if (inherits(tape, "birnn_gradient_tape")) tape$pointer else tape

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
