# Runs the tests on the installed package: Rscript tools/run-tests.R <file for the totals> [pattern of test files].
#
# Two R processes take the files from a queue, the slow ones first. TESTTHAT_CPUS says how many processes.

# Files that take longest, so that no core is left alone with one of them at the end.
slow_files <- c(
  "save-keras-files", "layer-contract", "fixtures-models", "gradients", "extreme-inputs", "fixtures-bidirectional",
  "fixtures-bidirectional-random", "ops-registry", "metamorphic", "determinism", "errors", "fixtures-recurrent",
  "fixtures-own-cells", "long-sequences", "rnn-generic"
)

test_files <- function(pattern) {
  names <- sub("^test-(.*)[.][rR]$", "\\1", list.files("tests/testthat", "^test-.*[.][rR]$"))
  if (!is.null(pattern)) names <- grep(pattern, names, value = TRUE)
  c(intersect(slow_files, names), setdiff(names, slow_files))
}

# --- in the processes that test -----------------------------------------------------------------------------------

# Helpers are read once a process, not once a file.
start_testing <- function() {
  library(testthat)
  library(birnn)
  .GlobalEnv$helpers <- test_env("birnn")
  source_test_helpers("tests/testthat", .GlobalEnv$helpers)
  .GlobalEnv$QuietReporter <- R6::R6Class("QuietReporter",
    inherit = ProgressReporter,
    public = list(show_header = function() NULL, end_reporter = function() NULL)
  )
  NULL
}

# The counts of a file; the report is printed.
test_one <- function(name) {
  start <- proc.time()
  results <- as.data.frame(testthat::test_dir(
    "tests/testthat",
    filter = paste0("^", name, "$"), package = "birnn", load_package = "installed", stop_on_failure = FALSE,
    env = .GlobalEnv$helpers, load_helpers = FALSE,
    reporter = .GlobalEnv$QuietReporter$new(show_praise = FALSE, max_failures = Inf, update_interval = Inf)
  ))
  time <- proc.time() - start
  data.frame(
    file = name, passed = sum(results$passed), failed = sum(results$failed) + sum(results$error),
    skipped = sum(results$skipped), cpu = sum(time[c(1, 2, 4, 5)]), wall = time[[3]]
  )
}

# --- the queue ----------------------------------------------------------------------------------------------------

# Snapshots are compared only where tests are told that they do not run on CRAN. Files are run one by one by testthat's
# own settings: the queue is ours.
new_session <- function() {
  session <- callr::r_session$new(callr::r_session_options(
    env = c(callr::rcmd_safe_env(), NOT_CRAN = "true", TESTTHAT_PARALLEL = "false")
  ))
  session$run(start_testing)
  session
}

failed_file <- function(name, why) {
  cat("FAILED | ", name, ": ", why, "\n", sep = "")
  data.frame(file = name, passed = 0, failed = 1, skipped = 0, cpu = NA, wall = NA)
}

# What a session had to say about its file: NULL if it is still at work.
counts_of <- function(session, name) {
  if (session$poll_process(50) != "ready") return(NULL)
  message <- session$read()
  # 301: a message on the way; 200: done; all others: the process is lost.
  if (is.null(message) || message$code == 301) return(NULL)
  if (message$code != 200) return(failed_file(name, "the R process crashed"))
  cat(message$stdout, message$stderr, sep = "")
  if (!is.null(message$error)) return(failed_file(name, conditionMessage(message$error)))
  message$result
}

run_queue <- function(files, processes) {
  sessions <- list()
  on.exit(for (session in sessions) session$close(), add = TRUE)
  running <- character(processes)
  results <- list()
  while (length(files) > 0 || any(nzchar(running))) {
    for (k in seq_len(processes)) {
      if (nzchar(running[[k]])) {
        counts <- counts_of(sessions[[k]], running[[k]])
        if (is.null(counts)) next
        results <- c(results, list(counts))
        running[[k]] <- ""
      }
      if (length(files) == 0) next
      if (length(sessions) < k || !sessions[[k]]$is_alive()) sessions[[k]] <- new_session()
      running[[k]] <- files[[1]]
      files <- files[-1]
      sessions[[k]]$call(test_one, list(running[[k]]))
    }
  }
  do.call(rbind, results)
}

report_slowest <- function(results, n = 15) {
  slowest <- utils::head(results[order(-results$cpu), ], n)
  cat("\nSeconds of CPU time (all files: ", round(sum(results$cpu, na.rm = TRUE)), "):\n", sep = "")
  cat(sprintf("%7.1f %s\n", slowest$cpu, slowest$file), sep = "")
  cat("\n")
}

arguments <- commandArgs(trailingOnly = TRUE)
files <- test_files(if (length(arguments) > 1) arguments[[2]])
if (length(files) == 0) stop("No test files match ", arguments[[2]])
processes <- min(as.integer(Sys.getenv("TESTTHAT_CPUS", "2")), length(files))
results <- run_queue(files, processes)
if (length(files) > 1) report_slowest(results)
writeLines(
  sprintf("%d passed, %d failed, %d skipped", sum(results$passed), sum(results$failed), sum(results$skipped)),
  arguments[[1]]
)
quit(status = if (sum(results$failed) > 0 || sum(results$passed) + sum(results$skipped) == 0) 1L else 0L)
