# Functional models: several inputs and outputs, names, shared layers, models inside models.

random <- function(...) array(sin(seq_len(prod(...))), c(...))

test_that("inputs and outputs go by order or by name", {
  clear_session(free_memory = FALSE)
  a <- keras_input(c(NA, 3), name = "text")
  b <- keras_input(2, name = "size")
  outputs <- list(layer_lstm(a, units = 2), layer_dense(b, 3))
  by_order <- keras_model(list(a, b), outputs)
  x <- list(random(c(4, 5, 3)), random(c(4, 2)))
  result <- predict(by_order, x)
  expect_null(names(result))
  expect_equal(lapply(result, dim), list(c(4L, 2L), c(4L, 3L)))
  expect_equal(predict(by_order, list(size = x[[2]], text = x[[1]])), result)
  expect_equal(by_order$input_names, c("text", "size"))
  expect_equal(by_order$output_names, c("lstm", "dense"))
  by_name <- keras_model(list(first = a, second = b), list(state = outputs[[1]], score = outputs[[2]]))
  expect_equal(predict(by_name, list(second = x[[2]], first = x[[1]])), list(state = result[[1]], score = result[[2]]))
  expect_error(predict(by_name, list(first = x[[1]], thrid = x[[2]])), "second", class = "birnn_error_value")
  expect_error(predict(by_order, x[1]), class = "birnn_error_shape")
})

test_that("a data frame can give several inputs by column", {
  a <- keras_input(1, name = "height")
  b <- keras_input(1, name = "width")
  model <- keras_model(list(a, b), layer_dense(layer_dense(a, 1) + layer_dense(b, 1), 1))
  frame <- data.frame(width = 1:3, height = c(0.1, 0.2, 0.3))
  expect_equal(predict(model, frame), predict(model, list(matrix(frame$height), matrix(frame$width))))
})

test_that("a shared layer has one set of weights and computes at each place", {
  a <- keras_input(c(4, 3))
  b <- keras_input(c(4, 3))
  shared <- layer_gru(units = 2)
  model <- keras_model(list(a, b), op_subtract(shared(a), shared(b)))
  expect_length(get_weights(model), 3)
  x <- random(c(2, 4, 3))
  expect_equal(predict(model, list(x, x)), matrix(0, 2, 2))
  expect_equal(predict(model, list(x, 2 * x)), as.array(shared(x)) - as.array(shared(2 * x)), tolerance = 1e-6)
})

test_that("states go from one layer to another", {
  a <- keras_input(c(NA, 3))
  b <- keras_input(c(NA, 2))
  c(output, h, s) %<-% layer_lstm(units = 4, return_state = TRUE)(a)
  decoder <- layer_lstm(units = 4, return_sequences = TRUE)
  model <- keras_model(list(a, b), decoder(b, initial_state = list(h, s)))
  x <- list(random(c(2, 5, 3)), random(c(2, 3, 2)))
  states <- predict(keras_model(a, list(h, s)), x[[1]])
  expect_equal(predict(model, x), as.array(decoder(x[[2]], initial_state = states)), tolerance = 1e-6)
})

test_that("a model of a model's layers shares their weights", {
  x <- keras_input(c(NA, 3))
  hidden <- layer_lstm(x, units = 2)
  model <- keras_model(x, layer_dense(hidden, 1))
  features <- keras_model(model$inputs, lapply(model$layers[2:3], function(layer) layer$output))
  data <- random(c(2, 4, 3))
  expect_equal(predict(features, data)[[2]], predict(model, data))
  set_weights(model, lapply(get_weights(model), function(w) w * 0))
  expect_equal(predict(features, data)[[1]], matrix(0, 2, 2))
})

test_that("ops between layers belong to the model", {
  x <- keras_input(3)
  model <- keras_model(x, op_tanh(layer_dense(x, 2) * 2 + 1))
  data <- random(c(4, 3))
  weights <- get_weights(model)
  expect_equal(predict(model, data), tanh((data %*% weights[[1]]) * 2 + 1), tolerance = 1e-6)
  expect_output(print(model), "Multiply")
})

test_that("part of a graph can start at a tensor in its middle", {
  x <- keras_input(3)
  middle <- layer_dense(x, 2)
  end <- layer_dense(middle, 1)
  tail <- keras_model(middle, end)
  expect_length(get_weights(tail), 2)
  data <- random(c(4, 3))
  expect_equal(predict(tail, predict(keras_model(x, middle), data)), predict(keras_model(x, end), data))
})

test_that("inputs of another rank or size, and of other types, are treated as declared", {
  x <- keras_input(c(5, 1))
  model <- keras_model(x, layer_lstm(x, units = 2))
  series <- random(c(3, 5))
  expect_equal(predict(model, series), predict(model, array(series, c(3, 5, 1))))
  ids <- keras_input(4, dtype = "int32")
  words <- keras_model(ids, layer_embedding(ids, 10, 2))
  expect_equal(dim(predict(words, matrix(c(0, 3, 9, 1), 1))), c(1, 4, 2))
  expect_error(predict(words, matrix(0.5, 1, 4)), "whole numbers", class = "birnn_error_value")
})

test_that("what does not make a model is refused", {
  a <- keras_input(3)
  b <- keras_input(3, name = "other")
  y <- layer_dense(a, 2) + layer_dense(b, 2)
  expect_error(keras_model(a, y), "other", class = "birnn_error_config")
  expect_error(keras_model(a), class = "birnn_error_value")
  expect_error(keras_model(a, 3), class = "birnn_error_type")
  expect_error(keras_model(a, layer_dense(a, 1), nmae = "x"), "name", class = "birnn_error_value")
  twins <- layer_dense(layer_dense(a, 2, name = "twin"), 2, name = "twin")
  expect_error(keras_model(a, twins), "twin", class = "birnn_error_config")
})

test_that("names and freezing come through `...`", {
  a <- keras_input(3)
  model <- keras_model(a, layer_dense(a, 1), name = "mine", trainable = FALSE)
  expect_equal(model$name, "mine")
  expect_length(model$trainable_weights, 0)
})
