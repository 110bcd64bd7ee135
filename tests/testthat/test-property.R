# The loop over random configurations finds what is broken and shrinks it.

broken_for_three_units <- function(case) expect_lt(case$units, 3)

report_of <- function(...) {
  tryCatch(
    {
      expect_holds(...)
      NULL
    },
    expectation_failure = conditionMessage
  )
}

test_that("a broken relation is reported with the smallest configuration that breaks it", {
  configuration <- list(cell = "gru", floatx = "float32", seed = 7, merge = "mul", mask = "gaps", states = TRUE,
                        variant = "no_bias", batch = 9, time = 8, features = 4, units = 9)
  report <- report_of(configuration, broken_for_three_units)
  expect_match(report, 'merge = "mul", mask = "gaps".*units = 9.*and by')
  expect_match(report, paste0(
    'merge = "concat", mask = "none", states = FALSE, variant = "usual", batch = 1, time = 2, features = 1, units = 3'
  ), fixed = TRUE)
  # Only to values that the relation allows.
  expect_match(report_of(configuration, broken_for_three_units, list(masks = c("right", "gaps"))), 'mask = "right"')
  expect_null(report_of(replace(configuration, "units", 2), broken_for_three_units))
})

test_that("an error breaks a relation, and is not confused with another one", {
  configuration <- list(cell = "lstm", floatx = "float64", seed = 7, merge = "sum", mask = "left", states = TRUE,
                        variant = "usual", batch = 3, time = 5, features = 2, units = 2)
  stops <- function(case) if (nrow(case$x) > 1) birnn_abort("too many rows") else stop("too few")
  expect_match(report_of(configuration, stops), "batch = 2.*too many rows")
})

test_that("a configuration gives the same case again, and all of them cover every combination", {
  drawn <- function() {
    withr::with_seed(1, random_configurations("lstm", "float32", 60))
  }
  expect_identical(drawn(), drawn())
  combinations <- vapply(drawn(), function(one) paste(one$merge, one$mask, one$states), "")
  expect_length(unique(combinations), 60)
  expect_identical(case_of(drawn()[[1]]), case_of(drawn()[[1]]))
})
