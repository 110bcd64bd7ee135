# Loops and branches over tensors: op_cond(), op_while_loop(), op_fori_loop(), op_scan() (level 2).
#
# Loops run in R: while a plan is traced they are unrolled. What depends on numbers that a trace does not know yet stops
# the trace with an error of kind "symbolic", and the step runs op by op.

#' Branches and loops
#'
#' `op_cond()` is `if`, `op_while_loop()` is `while`, `op_fori_loop()` and `op_scan()` are `for`, for code that runs on
#' tensors: eagerly, under a gradient tape, in compiled steps and in functional models. With eager tensors, R's own `if`
#' and `for` do the same.
#'
#' `op_cond()` on a symbolic condition computes both branches and picks one; the branch not taken has no influence on
#' values and gradients. `op_scan()` cuts `xs` into slices along the first axis, and stacks what `f` returns for each.
#'
#' @param pred A logical or a tensor with one element.
#' @param true_fn,false_fn Functions without arguments that return tensors of the same shapes and structure.
#' @param cond,body Functions of the loop variables: whether to go on, and their new values.
#' @param loop_vars A tensor, or a list of tensors, with which the loop starts. Their shapes stay.
#' @param maximum_iterations When to stop at the latest, or `NULL`. With a number, the loop can also be a part of
#'   functional models and compiled steps: it is unrolled.
#' @param lower,upper The first value of the loop variable, and the one before which the loop ends.
#' @param body_fun A function of the loop variable and the state that returns the new state.
#' @param init_val,init The state (a tensor or a list) before the first iteration.
#' @param f A function of the state and a slice (`NULL` without `xs`) that returns `list(state, y)`.
#' @param xs A tensor or a list of tensors of the same length, or `NULL`.
#' @param length The number of iterations; by default the length of `xs`.
#' @param reverse Whether to go from the last slice to the first; the results stand in the order of `xs`.
#' @param unroll Accepted for compatibility, without effect.
#' @return `op_cond()`: what the branch returned. `op_while_loop()`, `op_fori_loop()`: the last state. `op_scan()`: a
#'   list of the last state and the stacked `y` (`NULL` if `f` gave none).
#' @source <https://keras.io/api/ops/core/>
#' @family ops
#' @export
#' @examples
#' op_cond(op_greater(3, 2), function() op_add(1, 1), function() op_zeros(1))
#' goes_on <- function(i, x) op_less(i, 3)
#' op_while_loop(goes_on, function(i, x) list(i + 1, x * 2), list(as_tensor(0), as_tensor(1)))
#' op_fori_loop(1, 5, function(i, state) state + i, as_tensor(0))
#' op_scan(function(sum, x) list(sum + x, sum + x), as_tensor(0), as_tensor(c(1, 2, 3)))[[2]]
op_cond <- function(pred, true_fn, false_fn) {
  check_function(true_fn)
  check_function(false_fn)
  if (!is_traced(pred)) return(if (is_true(pred)) true_fn() else false_fn())
  effects <- effect_count()
  branches <- list(true_fn(), false_fn())
  if (effect_count() > effects) abort_without_values(rlang::current_env())
  check_one_element(pred)
  choose_structure(as_bool_operand(pred), branches[[1]], branches[[2]])
}

check_function <- function(x, arg = rlang::caller_arg(x), call = rlang::caller_env()) {
  if (!is.function(x)) stop_not("a function", x, arg, call)
}

# Whether the numbers are not there yet: symbolic tensors, and variables while a plan is traced.
is_traced <- function(x) is_symbolic(x) || (is_variable(x) && is_tracing())

is_true <- function(pred, arg = "pred", call = rlang::caller_env()) {
  check_one_element(pred, arg, call)
  value <- as.logical(if (is_variable(pred)) variable_value(pred) else pred)
  if (is.na(value)) stop_not("TRUE or FALSE", NA, arg, call)
  value
}

check_one_element <- function(x, arg = "pred", call = rlang::caller_env()) {
  sizes <- if (is_tensor_like(x)) tensor_shape(x) else length(x)
  if (anyNA(sizes) || prod(sizes) == 1) return(invisible())
  birnn_abort("{.arg {arg}} must have one element, not shape {format_shape(sizes)}.", kind = "shape", call = call)
}

effect_count <- function() length(running$step$effects)

# Element by element `a` where `condition` (one element) holds, else `b`, in all tensors of two alike structures.
choose_structure <- function(condition, a, b, call = rlang::caller_env()) {
  left <- flatten_structure(a)
  right <- flatten_structure(b)
  if (length(left) != length(right)) {
    birnn_abort("Both branches must return as many tensors, not {length(left)} and {length(right)}.", call = call)
  }
  scalar <- reshape_coded(condition, numeric())
  pack_structure(a, Map(function(x, y) op_where(scalar, x, y), left, right))
}

#' @rdname op_cond
#' @export
op_while_loop <- function(cond, body, loop_vars, maximum_iterations = NULL) {
  check_function(cond)
  check_function(body)
  limit <- check_whole(maximum_iterations, min = 0, allow_null = TRUE)
  state <- as_loop_state(loop_vars)
  done <- 0L
  while (is.null(limit) || done < limit) {
    go_on <- call_with_state(cond, state)
    if (is_traced(go_on)) return(traced_while(cond, body, state, limit, done))
    if (!is_true(go_on, "cond")) break
    state <- as_next_state(call_with_state(body, state), state)
    done <- done + 1L
  }
  state
}

as_loop_state <- function(state) map_structure(state, as_operand)

call_with_state <- function(fn, state) {
  if (is_plain_list(state)) do.call(fn, unname(state), quote = TRUE) else fn(state)
}

# The new state in the structure and types of the old one.
as_next_state <- function(new, old, call = rlang::caller_env()) {
  leaves <- flatten_structure(if (is_plain_list(old) && !is_plain_list(new)) list(new) else new)
  olds <- flatten_structure(old)
  if (length(leaves) != length(olds)) {
    birnn_abort("The body of a loop must return {length(olds)} tensor{?s}, as many as the loop has, not
                 {length(leaves)}.", call = call)
  }
  pack_structure(old, Map(function(x, y) as_operand(x, tensor_dtype(y)), leaves, olds))
}

# The condition is not known while tracing. With a limit every iteration is computed and kept where the condition held
# so far; inside a layer of a functional model only types and shapes matter, which a loop does not change.
traced_while <- function(cond, body, state, limit, done) {
  if (is.null(limit)) {
    if (!is_tracing() && inside_layer()) return(as_next_state(call_with_state(body, state), state))
    abort_without_limit()
  }
  alive <- TRUE
  for (iteration in seq_len(limit - done)) {
    alive <- op_logical_and(alive, call_with_state(cond, state))
    state <- choose_structure(alive, as_next_state(call_with_state(body, state), state), state)
  }
  state
}

abort_without_limit <- function(call = rlang::caller_env(2)) {
  birnn_abort(
    c("The condition of {.fn op_while_loop} is not known before the model runs.",
      i = "Give {.arg maximum_iterations}, or put the loop into a layer of your own."),
    kind = "symbolic", call = call
  )
}

#' @rdname op_cond
#' @export
op_fori_loop <- function(lower, upper, body_fun, init_val) {
  check_function(body_fun)
  lower <- loop_bound(lower, "lower")
  upper <- loop_bound(upper, "upper")
  state <- as_loop_state(init_val)
  for (i in lower - 1L + seq_len(max(0L, upper - lower))) state <- as_next_state(body_fun(i, state), state)
  state
}

loop_bound <- function(x, arg, call = rlang::caller_env()) {
  check_whole(if (is_tensor_like(x)) as.numeric(x) else x, arg = arg, call = call)
}

#' @rdname op_cond
#' @export
op_scan <- function(f, init, xs = NULL, length = NULL, reverse = FALSE, unroll = 1L) {
  check_function(f)
  xs <- map_structure(xs, as_operand)
  steps <- scan_length(xs, check_whole(length, min = 0, allow_null = TRUE))
  slices <- lapply(flatten_structure(xs), op_unstack, num = steps)
  state <- as_loop_state(init)
  results <- vector("list", steps)
  for (k in if (check_flag(reverse)) rev(seq_len(steps)) else seq_len(steps)) {
    result <- f(state, pack_structure(xs, lapply(slices, `[[`, k)))
    check_scan_result(result)
    state <- as_next_state(result[[1]], state)
    if (!is.null(result[[2]])) results[[k]] <- map_structure(result[[2]], as_operand)
  }
  list(state, stack_structures(results))
}

scan_length <- function(xs, length, call = rlang::caller_env()) {
  sizes <- vapply(flatten_structure(xs), function(x) known_size(x, 0, call), 1L)
  sizes <- unique(c(sizes, length))
  if (base::length(sizes) == 1) return(sizes)
  if (base::length(sizes) == 0) birnn_abort("{.arg length} must be given if there is no {.arg xs}.", call = call)
  birnn_abort("{.arg xs} and {.arg length} must agree on the number of iterations, not say {.val {sizes}}.",
              kind = "shape", call = call)
}

check_scan_result <- function(result, call = rlang::caller_env()) {
  if (is_plain_list(result) && length(result) == 2) return(invisible())
  stop_not("a function that returns {.code list(state, y)}", result, "f", call)
}

# Results of alike structure as one, each tensor stacked along a new first axis.
stack_structures <- function(results) {
  results <- compact(results)
  if (length(results) == 0) return(NULL)
  leaves <- lapply(results, flatten_structure)
  pack_structure(results[[1]], lapply(seq_along(leaves[[1]]), function(k) op_stack(lapply(leaves, `[[`, k))))
}
