# Cases of ops, activations, losses and metrics: arguments from fixtures, values and gradients.

op_tolerance <- function(floatx) if (floatx == "float32") 5e-6 else 1e-7

# An argument of a fixture: {"tensor"}, {"tensors"} or {"value"}.
case_argument <- function(x) {
  if (!is.null(x[["tensor"]])) return(fixture_tensor(x[["tensor"]]))
  if (!is.null(x[["tensors"]])) return(lapply(x[["tensors"]], fixture_tensor))
  x[["value"]]
}

is_float_tensor <- function(x) is_tensor(x) && tensor_dtype(x) %in% both_floatx

# Calls `fn` with the leaves of `args` that are floating point tensors replaced by `tensors`, in order.
call_with_tensors <- function(fn, args, tensors) {
  position <- 0
  replaced <- map_structure(args, function(leaf) {
    if (!is_float_tensor(leaf)) return(leaf)
    position <<- position + 1
    tensors[[position]]
  })
  do.call(fn, replaced, quote = TRUE)
}

# sum_k sum_j out_k[j] sin(0.91 j + k) over the floating point outputs; j: row-major element number from 0.
sine_sum <- function(outputs) {
  terms <- lapply(seq_along(outputs), function(k) {
    shape <- tensor_shape(outputs[[k]])
    weights <- from_row_major(sin(0.91 * (seq_len(prod(shape)) - 1) + k - 1), shape)
    op_sum(op_multiply(outputs[[k]], as_tensor(weights, tensor_dtype(outputs[[k]]))))
  })
  Reduce(op_add, terms)
}

expect_op_case <- function(case, floatx) {
  with_floatx(floatx, {
    args <- c(lapply(case$args, case_argument), as.list(case$named))
    fn <- getExportedValue("birnn", case$fn)
    result <- do.call(fn, args, quote = TRUE)
    outputs <- if (isTRUE(case$is_list)) result else list(result)
    tolerance <- op_tolerance(floatx)
    for (k in seq_along(case$outputs)) {
      expect_close(outputs[[k]], fixture_array(case$outputs[[k]]), tolerance, paste(case$name, "output", k))
    }
    if (!is.null(case$gradients)) expect_op_gradients(case, fn, args, tolerance)
  })
}

expect_op_gradients <- function(case, fn, args, tolerance) {
  leaves <- Filter(is_float_tensor, flatten_structure(args))
  found <- value_and_gradients(function(tensors) {
    result <- call_with_tensors(fn, args, tensors)
    sine_sum(if (is_tensor(result)) list(result) else result)
  }, leaves)
  for (k in seq_along(case$gradients)) {
    expect_close(found$inputs[[k]], fixture_array(case$gradients[[k]]), tolerance, paste(case$name, "gradient", k))
  }
}
