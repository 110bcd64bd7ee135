# Runs the tests on the installed package: Rscript tools/run-tests.R <file for the totals> [pattern of test files].

totals <- function(results) {
  results <- as.data.frame(results)
  sprintf(
    "%d passed, %d failed, %d skipped",
    sum(results$passed), sum(results$failed) + sum(results$error), sum(results$skipped)
  )
}

has_failures <- function(results) {
  results <- as.data.frame(results)
  nrow(results) == 0 || sum(results$failed) + sum(results$error) > 0
}

run_tests <- function(pattern = NULL) {
  # Snapshots are compared only where tests are told that they do not run on CRAN.
  Sys.setenv(NOT_CRAN = "true")
  testthat::test_dir(
    "tests/testthat",
    filter = pattern, package = "birnn", load_package = "installed", stop_on_failure = FALSE,
    reporter = testthat::ProgressReporter$new(show_praise = FALSE, max_failures = Inf)
  )
}

arguments <- commandArgs(trailingOnly = TRUE)
library(testthat)
library(birnn)
results <- run_tests(if (length(arguments) > 1) arguments[2])
writeLines(totals(results), arguments[1])
quit(status = if (has_failures(results)) 1L else 0L)
