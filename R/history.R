# The history of a training: the numbers of every epoch, their table, print and plots (level 7).

# `epoch`: the epochs that ran, from 0; `metric_epochs`: those of each metric (validation may come more rarely).
new_history <- function(params, metrics, epoch, metric_epochs = lapply(metrics, function(values) epoch)) {
  structure(
    list(params = params, metrics = metrics, epoch = epoch, metric_epochs = metric_epochs),
    class = "keras_training_history"
  )
}

#' The history of a training
#'
#' [fit()][fit.birnn_model] returns the loss and the metrics of every epoch. Print it for the last epoch, plot it for
#' the curves, or turn it into a data frame.
#'
#' @param x A history, as returned by `fit()`.
#' @param y Not used.
#' @param metrics The names of the metrics to plot, as in `names(x$metrics)` without `val_`; `NULL` plots all.
#' @param method `"ggplot2"`, `"base"`, or `"auto"`: ggplot2 if it is installed.
#' @param smooth Whether to add a loess curve (ggplot2 only, from 10 epochs on).
#' @param theme_bw Whether to use `ggplot2::theme_bw()`.
#' @param row.names,optional Not used.
#' @param ... Not used.
#' @return `as.data.frame()`: a data frame with the columns `epoch`, `value`, `metric` and `data` (`"training"` or
#'   `"validation"`); epochs that an early stop left out have `NA` values. `plot()`: a ggplot, or `NULL`, invisibly, for
#'   base graphics. `print()`: `x`, invisibly. The history itself is a list with `params` (`verbose`, `epochs`,
#'   `steps`), `metrics` (a named list of numeric vectors; of a metric with several values, such as [metric_f1_score()]
#'   without `average`, a matrix with one row an epoch: tables and plots show their mean), `epoch` (the epochs that ran,
#'   from 0 as in Keras) and `metric_epochs` (the epochs in which each metric was computed).
#' @family training
#' @name history
#' @examples
#' set.seed(1)
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
#' model |> compile(optimizer_sgd(0.1), loss = "mse")
#' history <- model |> fit(matrix(runif(20), 10), runif(10), epochs = 5, verbose = 0)
#' history
#' as.data.frame(history)
#' plot(history, method = "base")
NULL

#' @rdname history
#' @export
as.data.frame.keras_training_history <- function(x, row.names = NULL, optional = FALSE, ...) {
  epochs <- max(x$params$epochs %||% 0, x$epoch + 1L, 0)
  names <- names(x$metrics)
  data.frame(
    epoch = rep(seq_len(epochs), length(names)),
    value = as.numeric(unlist(lapply(names, function(name) {
      values_by_epoch(one_value(x$metrics[[name]]), x$metric_epochs[[name]] %||% x$epoch, epochs)
    }))),
    metric = factor(rep(sub("^val_", "", names), each = epochs), levels = unique(sub("^val_", "", names))),
    data = factor(rep(ifelse(grepl("^val_", names), "validation", "training"), each = epochs),
                  levels = c("training", "validation"))
  )
}

# Of a metric with several values an epoch (a matrix, one row an epoch) their mean.
one_value <- function(values) if (is.matrix(values)) rowMeans(values) else values

# Values at their epochs, NA elsewhere.
values_by_epoch <- function(values, epoch, epochs) {
  replace(rep(NA_real_, epochs), epoch + 1L, values)
}

#' @rdname history
#' @export
print.keras_training_history <- function(x, ...) {
  writeLines(format(x))
  invisible(x)
}

#' @export
format.keras_training_history <- function(x, ...) {
  last <- lapply(x$metrics, function(values) utils::tail(one_value(values), 1L))
  last <- last[lengths(last) > 0]
  if (length(last) == 0) return("No epoch was completed.")
  labels <- formatC(names(last), width = max(nchar(names(last))))
  values <- vapply(last, function(value) prettyNum(format(value, digits = 4), big.mark = ","), character(1))
  c("Final epoch (plot to see history):", paste0(labels, ": ", values))
}

#' @rdname history
#' @export
plot.keras_training_history <- function(x, y, metrics = NULL, method = c("auto", "ggplot2", "base"),
                                        smooth = getOption("keras.plot.history.smooth", TRUE),
                                        theme_bw = getOption("keras.plot.history.theme_bw", FALSE), ...) {
  method <- match.arg(method)
  if (method == "auto") method <- if (requireNamespace("ggplot2", quietly = TRUE)) "ggplot2" else "base"
  table <- as.data.frame(x)
  if (!is.null(metrics)) {
    for (metric in metrics) check_choice(metric, levels(table$metric), arg = "metrics")
    table <- table[table$metric %in% metrics, , drop = FALSE]
    table$metric <- factor(table$metric, levels = metrics)
  }
  if (method == "base") return(plot_history_base(table))
  plot_history_ggplot(table, check_flag(smooth), check_flag(theme_bw))
}

plot_history_ggplot <- function(table, smooth, theme_bw) {
  table <- table[!is.na(table$value), , drop = FALSE]
  with_validation <- any(table$data == "validation")
  mapping <- if (with_validation) {
    ggplot2::aes(.data$epoch, .data$value, colour = .data$data, fill = .data$data)
  } else {
    ggplot2::aes(.data$epoch, .data$value)
  }
  p <- ggplot2::ggplot(table, mapping) +
    ggplot2::facet_grid(metric ~ ., switch = "y", scales = "free_y") +
    ggplot2::labs(x = "epoch", y = NULL, colour = "data", fill = "data") +
    ggplot2::theme(strip.placement = "outside", strip.background = ggplot2::element_blank())
  if (theme_bw) p <- p + ggplot2::theme_bw()
  if (smooth && max(table$epoch, 0) >= 10) {
    p <- p + ggplot2::geom_smooth(method = "loess", formula = y ~ x, se = FALSE, na.rm = TRUE)
  }
  p + ggplot2::geom_point(shape = 21, na.rm = TRUE)
}

plot_history_base <- function(table) {
  metrics <- levels(table$metric)
  saved <- graphics::par(mfrow = c(length(metrics), 1), mar = c(3, 4.5, 1, 1), mgp = c(1.8, 0.6, 0))
  on.exit(graphics::par(saved))
  colours <- c(training = "#1b6ca8", validation = "#d1495b")
  for (metric in metrics) {
    rows <- table[table$metric == metric & !is.na(table$value), , drop = FALSE]
    if (nrow(rows) == 0) next
    graphics::plot(range(table$epoch), range(rows$value), type = "n", xlab = "epoch", ylab = metric)
    present <- intersect(levels(rows$data), as.character(rows$data))
    for (part in present) {
      points <- rows[rows$data == part, , drop = FALSE]
      graphics::lines(points$epoch, points$value, type = "o", pch = 19, cex = 0.6, col = colours[[part]])
    }
    if (length(present) > 1) {
      graphics::legend("topright", present, col = colours[present], lty = 1, pch = 19, bty = "n")
    }
  }
  invisible(NULL)
}
