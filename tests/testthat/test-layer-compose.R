# What layer_*() does with `object`.

test_that("without an object the layer is returned", {
  for (layer in list(layer_dense(units = 1), layer_dense(NULL, 1), layer_dense(object = NULL, units = 1))) {
    expect_true(is_layer(layer))
  }
  expect_true(withVisible(layer_dense(units = 1))$visible)
})

test_that("a sequential model gets the layer and is returned invisibly", {
  model <- keras_model_sequential(input_shape = c(5, 3))
  result <- withVisible(layer_lstm(model, 4))
  expect_false(result$visible)
  expect_identical(result$value, model)
  expect_length(model$layers, 1)
  layer <- layer_dense(units = 2)
  result <- withVisible(model |> layer())
  expect_false(result$visible)
  expect_identical(model$layers[[2]], layer)
})

test_that("tensors, arrays and symbolic tensors give the output", {
  x <- array(1, c(2, 5, 3))
  for (input in list(x, as_tensor(x), keras_variable(x), keras_input(c(5, 3)))) {
    result <- withVisible(layer_gru(input, units = 4))
    expect_true(result$visible)
    expect_equal(dim(result$value)[-1], 4)
  }
  layer <- layer_gru(units = 4)
  expect_equal(dim(x |> layer()), c(2, 4))
})

test_that("the object comes before the layer, so that names follow the pipe", {
  clear_session(free_memory = FALSE)
  model <- keras_model_sequential(input_shape = c(5, 3)) |>
    layer_lstm(2, return_sequences = TRUE) |>
    layer_lstm(2)
  expect_equal(vapply(model$layers, function(layer) layer$name, ""), c("lstm", "lstm_1"))
})

test_that("layers and functional models are no inputs", {
  input <- keras_input(c(5, 3))
  model <- keras_model(input, layer_lstm(input, units = 2))
  expect_error(layer_dense(model, 2), "functional model", class = "ValueError")
  expect_error(layer_dense(layer_lstm(units = 2), 2), "not a layer", class = "ValueError")
  expect_error(layer_dense(units = 2)(), "must be called on", class = "ValueError")
})

test_that("an unknown class is an error with a suggestion", {
  expect_error(new_layer("LSMT"), "Did you mean", class = "birnn_error_config")
})
