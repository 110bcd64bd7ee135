# Older names of Keras 2.

test_that("the generator functions do what fit(), evaluate() and predict() do, and say so once", {
  rm(list = grep("^older-", ls(warned), value = TRUE), envir = warned)
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile("sgd", loss = "mse")
  batches <- function() list(matrix(1:4), 1:4)
  expect_warning(history <- fit_generator(model, batches, steps_per_epoch = 2, epochs = 2), "older name",
                 class = "birnn_warning_deprecated")
  expect_length(history$metrics$loss, 2)
  expect_equal(as.numeric(model$optimizer$iterations), 4)
  expect_silent(fit_generator(model, batches, 1, validation_data = batches, validation_steps = 1))
  expect_warning(found <- evaluate_generator(model, batches, steps = 1), "evaluate")
  expect_equal(found, evaluate(model, matrix(1:4), 1:4))
  expect_warning(found <- predict_generator(model, batches, steps = 2), "predict")
  expect_equal(found, predict(model, matrix(rep(1:4, 2))))
})
