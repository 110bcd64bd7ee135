# predict() and predict_on_batch().

sequences <- array(sin(1:84), c(7, 4, 3))

test_that("predictions are doubles, one row a sample, whatever the batch size", {
  model <- keras_model_sequential(input_shape = c(NA, 3)) |> layer_gru(units = 2)
  whole <- predict(model, sequences)
  expect_type(whole, "double")
  expect_equal(dim(whole), c(7, 2))
  for (batch_size in c(1, 3, 7)) expect_identical(predict(model, sequences, batch_size = batch_size), whole)
  expect_identical(predict_on_batch(model, sequences), whole)
  expect_identical(predict(model, sequences, batch_size = 2, steps = 2), whole[1:4, ])
  expect_identical(predict(model, sequences[3, , , drop = FALSE]), whole[3, , drop = FALSE])
})

test_that("sequences keep their axes", {
  model <- keras_model_sequential(input_shape = c(NA, 3)) |> layer_gru(units = 2, return_sequences = TRUE)
  expect_equal(dim(predict(model, sequences)), c(7, 4, 2))
  expect_equal(as.array(model(sequences)), predict(model, sequences), tolerance = 1e-6)
})

test_that("no samples give no rows, in every output", {
  x <- keras_input(c(NA, 3))
  model <- keras_model(x, list(all = layer_gru(x, units = 2, return_sequences = TRUE), last = layer_gru(x, units = 2)))
  none <- predict(model, sequences[0, , ])
  expect_equal(lapply(none, dim), list(all = c(0L, 4L, 2L), last = c(0L, 2L)))
  expect_equal(dim(predict_on_batch(keras_model(x, layer_gru(x, units = 2)), sequences[0, , ])), c(0, 2))
})

test_that("predict() needs no compile() and refuses unknown arguments", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  expect_equal(dim(predict(model, matrix(0, 2, 3))), c(2, 1))
  expect_error(predict(model, matrix(0, 2, 3), batchsize = 2), "batch_size", class = "birnn_error_value")
})
