# Scripts as users of keras3 write them, in scripts/. Only their `library()` line is another.

# Runs the script and returns the environment it leaves behind. `seed` replaces the seed that the script sets, so that
# its numbers can be had more than once. Expressions run one by one at top level, as by source().
run_script <- function(name, seed = NULL) {
  expressions <- parse(testthat::test_path("scripts", paste0(name, ".R")), keep.source = FALSE)
  scope <- new.env(parent = globalenv())
  if (!is.null(seed)) scope$set_random_seed <- function(...) birnn::set_random_seed(seed)
  grDevices::pdf(NULL)
  on.exit(grDevices::dev.off())
  invisible(utils::capture.output(suppressMessages(
    for (expression in expressions) {
      shown <- withVisible(eval(expression, scope))
      if (shown$visible) print(shown$value)
    }
  )))
  scope
}
