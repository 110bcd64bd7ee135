# Metrics that look at numbers: they get the predictions after the plan (level 7).
#
# A metric of the user's that looks at numbers (as.numeric(), if) cannot be part of a plan. It is late: the step hands
# out the predictions it needs, and the metric gets them when the step is done. All else stays in the plan. A metric is
# known to be late when the step is first traced: `setup$late` holds the keys of these metrics.

# Evaluates `update`; if that cannot be traced, the metric is late from now on.
traced_or_late <- function(setup, key, update) {
  if (is.null(running$trace)) return(update)
  step <- running$step
  effects <- step$effects
  tryCatch(with_running(list(stays_whole = TRUE), update), birnn_error_symbolic = function(e) {
    step$effects <- effects
    setup$late <- c(setup$late, key)
    note_change()
  })
}

late_entries <- function(setup, targets) {
  Filter(function(entry) entry$key %in% setup$late && !is.null(targets[[entry$output]]), setup$metrics)
}

late_outputs <- function(entries) unique(vapply(entries, `[[`, 1L, "output"))

# For each output that late metrics look at: the predictions and their mask. TRUE without axes stands for no mask.
late_predictions <- function(setup, targets, outputs) {
  if (length(setup$late) == 0L) return(NULL)
  unlist(lapply(late_outputs(late_entries(setup, targets)), function(k) {
    list(with_mask(outputs[[k]], NULL), value_mask(outputs[[k]]) %||% as_tensor(TRUE, "bool"))
  }), recursive = FALSE)
}

# The result of a step, without the predictions for late metrics, which have been told of the batch.
with_late_metrics <- function(step, result, drawn, commit_nonfinite) {
  setup <- step$setup
  if (length(setup$late) == 0L) return(result)
  parts <- data_parts(step$model, tensor_rows(drawn$tensors, drawn$rows))
  entries <- late_entries(setup, parts$targets)
  needed <- late_outputs(entries)
  found <- utils::tail(result$outputs, 2L * length(needed))
  result$outputs <- utils::head(result$outputs, -2L * length(needed))
  if (result$finite || commit_nonfinite) {
    for (entry in entries) {
      k <- 2L * match(entry$output, needed)
      mask <- found[[k]]
      y_pred <- with_mask(found[[k - 1L]], if (tensor_rank(mask) > 0L) mask)
      update_metric(entry$metric, parts$targets[[entry$output]], y_pred, if (entry$weighted) parts$weights[[entry$output]])
    }
  }
  result
}
