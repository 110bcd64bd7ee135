test_that("value errors are ValueErrors, errors of files and resources are not", {
  value <- tryCatch(birnn_abort("no", kind = "shape"), error = identity)
  expect_s3_class(value, c("birnn_error_shape", "ValueError", "birnn_error", "rlang_error", "error", "condition"),
                  exact = TRUE)
  resource <- tryCatch(birnn_abort("no", kind = "resource"), error = identity)
  expect_false(inherits(resource, "ValueError"))
})

test_that("an error found in C++ is a classed condition", {
  error <- tryCatch(apply_op("no_such_op", list()), error = identity)
  expect_s3_class(error, "ValueError")
  expect_match(conditionMessage(error), "no_such_op")
})

test_that("warn_once() warns once a session", {
  id <- paste0("test-", format(Sys.time(), "%H%M%OS6"))
  expect_warning(warn_once(id, "Mind the gap."), "Mind the gap", class = "birnn_warning")
  expect_silent(warn_once(id, "Mind the gap."))
})
