# What fit(), evaluate() and predict() print while they run (level 7).

# 0: nothing; 1: a live bar; 2: a line for each epoch. "auto": a live bar where someone looks on, nothing in scripts,
# documents and tests; `with_lines` where the user has switched live bars off.
resolve_verbose <- function(verbose, with_lines = 2L, call = rlang::caller_env()) {
  if (identical(verbose, "auto")) {
    in_document <- isTRUE(getOption("knitr.in.progress"))
    if (in_document || identical(Sys.getenv("TESTTHAT"), "true")) return(0L)
    if (!config_is_interactive_logging_enabled()) return(with_lines)
    return(if (rlang::is_interactive()) 1L else 0L)
  }
  if (is.logical(verbose)) verbose <- as.integer(verbose)
  check_whole(verbose, min = 0, max = 2, arg = "verbose", call = call)
}

# Draws for one run. `steps`: batches of an epoch, or NA.
ProgressCallback <- R6::R6Class(
  "Progress",
  inherit = CallbackBase,
  cloneable = FALSE,
  public = list(
    started = 0,
    drawn = -Inf,
    width = 0L,
    step = 0L,
    on_epoch_begin = function(epoch, logs) {
      if (self$params$epochs > 1) cat("Epoch ", epoch, "/", self$params$epochs, "\n", sep = "")
      self$begin()
    },
    on_train_batch_end = function(batch, logs) self$advance(batch, logs),
    # After a pass the number of its steps is known.
    on_epoch_end = function(epoch, logs) {
      if (is.na(self$params$steps)) self$params$steps <- self$step
      self$finish(logs)
    },
    begin = function() {
      self$started <- now()
      self$drawn <- self$started
      self$width <- 0L
      self$step <- 0L
      NULL
    },
    # Draws at most ten times a second: `logs` is a promise that is rarely looked at.
    advance = function(step, logs) {
      self$step <- step
      if (self$params$verbose != 1L || now() - self$drawn < 0.1) return(invisible())
      self$drawn <- now()
      self$rewrite(fit_console(live_line(step, self$params$steps, self$drawn - self$started, logs)))
    },
    finish = function(logs) {
      seconds <- now() - self$started
      if (self$params$verbose == 1L) self$rewrite(final_line(self$step, seconds, logs))
      else cat(plain_line(self$step, seconds, logs))
      cat("\n")
      utils::flush.console()
      self$width <- 0L
      NULL
    },
    # Leaves a line that was begun, when training ends by an error.
    leave = function() if (self$width > 0L) cat("\n"),
    rewrite = function(line) {
      width <- cli::ansi_nchar(line, "width")
      cat("\r", line, strrep(" ", max(0L, self$width - width)), sep = "")
      utils::flush.console()
      self$width <- width
    }
  )
)

# The same for evaluate() and predict(), which have no epochs.
EvaluationProgress <- R6::R6Class(
  "EvaluationProgress",
  inherit = ProgressCallback,
  cloneable = FALSE,
  public = list(
    on_test_begin = function(logs) self$begin(),
    on_test_batch_end = function(batch, logs) self$advance(batch, logs),
    on_test_end = function(logs) self$finish(logs),
    on_predict_begin = function(logs) self$begin(),
    on_predict_batch_end = function(batch, logs) self$advance(batch, logs),
    on_predict_end = function(logs) self$finish(logs)
  )
)

now <- function() proc.time()[[3]]

live_line <- function(step, steps, seconds, logs) {
  each <- seconds / step
  total <- if (is.na(steps)) "?" else steps
  shown <- if (is.na(steps)) seconds else each * (steps - step)
  paste0(formatC(step, width = nchar(total)), "/", total, " ", progress_bar(step, steps), " ", format_seconds(shown),
         " ", format_step_time(each), format_logs(logs))
}

final_line <- function(step, seconds, logs) {
  paste0(step, "/", step, " ", progress_bar(step, step), " ", format_seconds(seconds), " ",
         format_step_time(seconds / max(step, 1)), format_logs(logs))
}

plain_line <- function(step, seconds, logs) {
  paste0(step, "/", step, " - ", format_seconds(seconds), " - ", format_step_time(seconds / max(step, 1)),
         format_logs(logs))
}

# 20 cells wide, as Keras draws it.
progress_bar <- function(step, steps, width = 20L) {
  done <- if (is.na(steps)) 0L else as.integer(floor(width * step / steps))
  utf8 <- cli::is_utf8_output()
  paste0(
    cli::col_green(strrep(if (utf8) "\u2501" else "=", done)),
    cli::col_grey(strrep(if (utf8) "\u2500" else ".", width - done))
  )
}

# A line that is rewritten must not wrap.
fit_console <- function(line) cli::ansi_strtrim(line, cli::console_width() - 1L)

format_seconds <- function(seconds) {
  if (seconds < 3600) {
    if (seconds < 60) return(sprintf("%.0fs", seconds))
    return(sprintf("%d:%02d", as.integer(seconds %/% 60), as.integer(seconds %% 60)))
  }
  sprintf("%d:%02d:%02d", as.integer(seconds %/% 3600), as.integer(seconds %% 3600 %/% 60), as.integer(seconds %% 60))
}

format_step_time <- function(seconds) {
  if (seconds >= 1 || seconds == 0) return(sprintf("%.0fs/step", seconds))
  if (seconds >= 1e-3) return(sprintf("%.0fms/step", seconds * 1e3))
  sprintf("%.0fus/step", seconds * 1e6)
}

# Training values first, then those of the validation, as Keras prints them; of a metric with several values the mean.
format_logs <- function(logs) {
  if (length(logs) == 0) return("")
  validation <- startsWith(names(logs), "val_")
  logs <- c(logs[!validation], logs[validation])
  values <- vapply(logs, function(value) {
    value <- mean(value)
    sprintf(if (is.finite(value) && abs(value) <= 1e-3) "%.4e" else "%.4f", value)
  }, character(1))
  paste0(" - ", names(logs), ": ", values, collapse = "")
}
