# Settings that scripts for Keras read and write.

test_that("there is one backend, and asking for another one is said once", {
  expect_equal(config_backend(), "birnn")
  remove_notes <- function() rm(list = grep("^inform-", ls(warned), value = TRUE), envir = warned)
  remove_notes()
  expect_message(use_backend("jax"), "jax")
  expect_silent(config_set_backend("tensorflow"))
  expect_message(install_keras(), "nothing to install")
  expect_silent(install_keras(method = "conda"))
  remove_notes()
  expect_silent(use_backend("birnn"))
})

test_that("the dtype policy is the float type", {
  withr::defer(config_set_floatx("float32"))
  config_set_dtype_policy("float64")
  expect_equal(config_floatx(), "float64")
  expect_equal(config_dtype_policy(), "float64")
  expect_equal(config_image_data_format(), "channels_last")
  expect_refused(config_set_dtype_policy("mixed_float16"), "value")
  expect_refused(config_set_image_data_format("channels_first"), "value")
})

test_that("limits bound every fit()", {
  withr::defer({
    config_set_max_epochs(NULL)
    config_set_max_steps_per_epoch(NULL)
  })
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile("sgd", loss = "mse")
  config_set_max_epochs(2)
  config_set_max_steps_per_epoch(3)
  history <- fit(model, matrix(1:10), 1:10, epochs = 5, batch_size = 1)
  expect_length(history$metrics$loss, 2)
  expect_equal(as.numeric(model$optimizer$iterations), 6)
  fit(model, matrix(1:10), 1:10, epochs = 5, batch_size = 1, steps_per_epoch = 2)
  expect_equal(as.numeric(model$optimizer$iterations), 10)
  expect_equal(c(config_max_epochs(), config_max_steps_per_epoch()), c(2, 3))
  expect_refused(config_set_max_epochs(0), "value")
})

test_that("logging can be switched off and on", {
  withr::defer(config_enable_interactive_logging())
  config_disable_interactive_logging()
  expect_false(config_is_interactive_logging_enabled())
  expect_equal(withr::with_envvar(c(TESTTHAT = ""), resolve_verbose("auto")), 2)
  config_disable_traceback_filtering()
  expect_false(config_is_traceback_filtering_enabled())
  config_enable_traceback_filtering()
  expect_true(config_is_traceback_filtering_enabled())
})
