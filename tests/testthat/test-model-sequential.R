# Sequential models: adding layers, the input, delayed build, names.

test_that("a declared input builds the model at once", {
  model <- keras_model_sequential(input_shape = c(NA, 3)) |> layer_lstm(units = 4) |> layer_dense(2)
  expect_true(model$built)
  expect_equal(lengths(lapply(get_weights(model), dim)), c(2, 2, 1, 2, 1))
  expect_equal(model$output_shape, c(NA, 2L))
  expect_equal(model$input_shape, c(NA, NA, 3L))
  expect_length(model$layers, 2)
})

test_that("without a declared input the first data build the model", {
  model <- keras_model_sequential() |> layer_lstm(units = 4) |> layer_dense(2)
  expect_false(model$built)
  expect_error(get_weights(model), class = "birnn_error_state")
  expect_error(model$input, class = "birnn_error_state")
  expect_equal(dim(predict(model, array(0, c(5, 6, 3)))), c(5, 2))
  expect_true(model$built)
  expect_equal(dim(predict(model, array(0, c(1, 9, 3)))), c(1, 2))
  expect_error(predict(model, array(0, c(1, 9, 4))), class = "birnn_error_shape")
})

test_that("calling, or building by hand, builds as well", {
  called <- keras_model_sequential() |> layer_dense(2)
  expect_equal(dim(called(matrix(0, 3, 4))), c(3, 2))
  built <- keras_model_sequential() |> layer_dense(2)
  built$build(c(NA, 4))
  expect_equal(count_params(built), 10)
})

test_that("the first layer may carry the input's shape in older spellings", {
  by_shape <- keras_model_sequential() |> layer_lstm(units = 2, input_shape = c(5, 3))
  expect_equal(by_shape$input_shape, c(NA, 5L, 3L))
  fixed <- keras_model_sequential() |> layer_lstm(units = 2, batch_input_shape = c(4, 5, 3), stateful = TRUE)
  expect_equal(fixed$input_shape, c(4L, 5L, 3L))
  older <- keras_model_sequential(shape = 3, batch_size = 2)
  expect_equal(older$input_shape, c(2L, 3L))
})

test_that("a built model as the first layer says what comes in", {
  inner <- keras_model_sequential(input_shape = 3) |> layer_dense(2)
  outer <- keras_model_sequential(layers = list(inner, layer_dense(units = 1)))
  expect_equal(outer$input_shape, c(NA, 3L))
  expect_equal(count_params(outer), 11)
})

test_that("layers come by the pipe, by `layers =`, by $add(), and return the model invisibly", {
  model <- keras_model_sequential(input_shape = 3, layers = c(layer_dense(units = 4), layer_dense(units = 2)))
  expect_invisible(model$add(layer_dense(units = 1)))
  expect_invisible(layer_dense(model, 5))
  expect_equal(vapply(model$layers, function(layer) layer$units, 1L), c(4L, 2L, 1L, 5L))
  started <- keras_model_sequential(layers = list(keras_input(3), layer_dense(units = 1)))
  expect_equal(started$input_shape, c(NA, 3L))
  expect_error(keras_model_sequential(layer_dense(units = 1)), "named argument", class = "birnn_error_value")
  expect_error(keras_model_sequential(inputshape = 3), "input_shape", class = "birnn_error_value")
})

test_that("the layers of a model have different names", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2, name = "twin")
  expect_error(layer_dense(model, 2, name = "twin"), "twin", class = "birnn_error_config")
  expect_error(model$add("dense"), class = "birnn_error_value")
  expect_error(model$add(keras_input(3)), class = "birnn_error_config")
  expect_length(model$layers, 1)
})

test_that("a layer that does not fit leaves the model as it was", {
  model <- keras_model_sequential(input_shape = c(5, 3)) |> layer_lstm(units = 2)
  expect_error(layer_lstm(model, units = 2), class = "birnn_error_shape")
  expect_length(model$layers, 1)
  expect_equal(dim(predict(layer_dense(model, 1), array(0, c(2, 5, 3)))), c(2, 1))
  several <- keras_model_sequential(input_shape = c(5, 3))
  expect_error(layer_lstm(several, units = 2, return_state = TRUE), "outputs", class = "birnn_error_config")
  expect_length(several$layers, 0)
})

test_that("a model is a layer: of another chain, of a functional model, and on tensors", {
  inner <- keras_model_sequential() |> layer_lstm(units = 2) |> layer_dense(2)
  x <- keras_input(c(NA, 3))
  model <- keras_model(x, layer_dense(inner(x), 1))
  expect_length(get_weights(model), 7)
  data <- array(1, c(2, 4, 3))
  expect_equal(as.array(model(data)), predict(model, data))
  expect_equal(as.array(inner(data)), predict(inner, data))
})

test_that("layers can be frozen through the model", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2) |> layer_dense(1)
  model$layers[[1]]$trainable <- FALSE
  expect_length(get_weights(model, trainable = TRUE), 2)
  for (layer in model$layers) layer$trainable <- TRUE
  expect_length(model$trainable_weights, 4)
  expect_false(keras_model_sequential(input_shape = 3, trainable = FALSE)$trainable)
})

test_that("a model built by its first data takes sequences of other lengths, indices and features", {
  set.seed(1)
  indices <- keras_model_sequential() |> layer_embedding(10, 4, mask_zero = TRUE) |> layer_lstm(3)
  long <- predict(indices, rbind(c(1L, 2L, 0L), c(3L, 4L, 5L)), verbose = 0)
  expect_same_bits(predict(indices, rbind(1:2), verbose = 0)[1, ], long[1, ])
  features <- keras_model_sequential() |> layer_gru(3)
  expect_equal(dim(predict(features, array(1, c(2, 5, 4)), verbose = 0)), c(2, 3))
  expect_equal(dim(predict(features, array(1, c(2, 7, 4)), verbose = 0)), c(2, 3))
  expect_error(predict(features, array(1, c(2, 5, 3)), verbose = 0), class = "birnn_error_shape")
})
