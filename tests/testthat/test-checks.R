test_that("whole numbers are checked and returned as integers", {
  expect_identical(check_whole(3), 3L)
  expect_null(check_whole(NULL, allow_null = TRUE))
  for (bad in list(0, -1, 1.5, NA, "8", c(4, 8), 1e10, NULL)) {
    expect_error(check_whole(bad, min = 1, arg = "units"), class = "ValueError")
  }
})

test_that("errors of checks name the argument, what was expected and what came", {
  expect_refused(check_whole(1.5, min = 1, arg = "units"), "value")
  expect_refused(check_number("0.1", min = 0, arg = "rate"), "value")
  expect_refused(check_flag("yes", arg = "return_sequences"), "value")
  expect_refused(check_string(3, arg = "name"), "value")
  expect_refused(check_choice("concatenate", c("concat", "sum"), arg = "merge_mode"), "value")
  expect_refused(check_known_names("retrun_sequences", c("units", "return_sequences"), "layer_lstm()"), "value")
  expect_refused(check_named(list(a = 1, 2)), "value")
})

test_that("flags are single and not missing", {
  expect_true(check_flag(1))
  expect_error(check_flag(NA), class = "birnn_error_value")
  expect_error(check_flag(c(TRUE, FALSE)), class = "birnn_error_value")
})

test_that("the nearest name is found, far ones are not", {
  expect_identical(nearest_name("tahn", c("tanh", "relu")), "tanh")
  expect_null(nearest_name("zebra", c("tanh", "relu")))
})
