# Inputs as tensors: types, data frames, missing numbers.

model_of <- function(shape, ...) keras_model_sequential(input_shape = shape) |> layer_dense(1, ...)

test_that("numbers of any type become the type of the input", {
  model <- model_of(2, kernel_initializer = "ones")
  expect_equal(predict(model, matrix(1:4, 2)), matrix(c(4, 6)))
  expect_equal(predict(model, matrix(c(TRUE, FALSE, TRUE, TRUE), 2)), matrix(c(2, 1)))
  expect_equal(predict(model, as_tensor(matrix(1:4, 2))), matrix(c(4, 6)))
  expect_equal(predict(model, data.frame(a = 1:2, b = c(0.5, 1))), matrix(c(1.5, 3)))
})

test_that("a factor may stand where one number a row is wanted", {
  model <- model_of(1, kernel_initializer = "ones")
  expect_equal(predict(model, factor(c("b", "a", "b"))), matrix(c(1, 0, 1)))
  expect_equal(predict(model, c(3, 4)), matrix(c(3, 4)))
})

test_that("missing numbers pass through their own row only", {
  model <- keras_model_sequential(input_shape = c(4, 2)) |> layer_lstm(units = 3) |> layer_dense(1)
  x <- array(sin(1:24), c(3, 4, 2))
  y <- predict(model, x)
  x[2, 1, 1] <- NA
  expect_equal(predict(model, x)[c(1, 3), ], y[c(1, 3), ])
  expect_true(is.nan(predict(model, x)[2, ]))
  integers <- matrix(c(1L, NA, 3L, 4L), 2)
  expect_equal(is.na(predict(model_of(2), integers)[, 1]), c(FALSE, TRUE))
})

test_that("other things are refused in the user's words", {
  model <- model_of(c(4, 2))
  expect_error(predict(model, array("a", c(1, 4, 2))), "character", class = "birnn_error_type")
  expect_error(predict(model, data.frame(a = 1, b = "x")), "b", class = "birnn_error_type")
  expect_error(predict(model, list(1, 2)), class = "birnn_error_shape")
  expect_error(predict(model, NULL), class = "birnn_error_value")
  expect_error(predict(model, array(0, c(2, 4, 3))), "Axis 3", class = "birnn_error_shape")
  expect_error(predict(keras_model_sequential() |> layer_dense(1), 1:3), "dim", class = "birnn_error_shape")
  expect_error(predict(model, keras_input(c(4, 2))), "must be numbers", class = "birnn_error_value")
})

test_that("arrays that fit become the tensors that they become when looked at closely", {
  inputs <- list(keras_input(c(NA, 2)), keras_input(3, dtype = "int32"))
  sequences <- inputs[[1]] |> layer_lstm(units = 2)
  words <- inputs[[2]] |> layer_embedding(9, 2) |> layer_flatten()
  model <- layer_object(keras_model(inputs, layer_concatenate(list(sequences, words))))
  facts <- model_facts(model)
  x <- list(array(sin(1:40), c(4, 5, 2)), matrix(rep(0:8, length.out = 12) + 0, 4))
  tensors <- r_fitting_tensors(x, facts$inputs)
  expect_equal(tensors, checked_inputs(model, x, facts, NULL)$tensors)
  expect_equal(lapply(tensors, tensor_dtype), list("float32", "int32"))
  expect_equal(r_fitting_tensors(list(x[[1]], matrix(as.integer(x[[2]]), 4)), facts$inputs), tensors)
  expect_equal(r_fitting_tensors(x[[1]], facts$inputs[1]), tensors[1])
})

test_that("what has to be looked at closely is left alone at first", {
  spec <- list(name = "a", shape = c(NA, 4L, 2L), dtype = "float32")
  fits <- function(x, ...) !is.null(r_fitting_tensors(x, list(replace(spec, names(list(...)), list(...)))))
  x <- array(1, c(3, 4, 2))
  expect_true(fits(x))
  expect_true(fits(x[0, , , drop = FALSE]))
  expect_true(fits(x, dtype = "int32"))
  expect_false(fits(x + 0.5, dtype = "int32"))
  expect_false(fits(replace(x, 2, NA), dtype = "int32"))
  expect_false(fits(x, shape = NULL))
  expect_false(fits(x, dtype = "string"))
  expect_false(fits(x, dtype = "bool"))
  expect_false(fits(structure(x, class = "other")))
  expect_false(fits(list(a = x)))
  expect_false(fits(list(x, x)))
  expect_false(fits(x > 0))
  expect_false(fits(x[, , 1]))
  expect_false(fits(x[, 0, , drop = FALSE], shape = c(NA, NA, 2L)))
  expect_false(fits(array(1, c(3, 4, 3))))
  expect_false(fits(as.vector(x)))
  expect_false(fits(NULL))
})

# --- sequences of different lengths -------------------------------------------------------------------------------

sequences <- lapply(c(3, 5, 2, 4), function(n) matrix(round(sin(n + seq_len(2 * n)), 3), n))

recurrent <- function(shape = c(NA, 2), first = NULL, ...) {
  set.seed(1)
  model <- keras_model_sequential(input_shape = shape)
  if (!is.null(first)) first(model)
  model |> layer_bidirectional(layer_lstm(units = 3, ...)) |> layer_dense(1)
}

test_that("every sequence of a list gives what it gives alone", {
  model <- recurrent()
  alone <- vapply(sequences, function(s) predict(model, array(s, c(1, dim(s))))[[1]], 1)
  expect_equal(as.vector(predict(model, sequences)), alone, tolerance = 1e-6)
  expect_equal(as.vector(predict(model, sequences, batch_size = 2)), alone, tolerance = 1e-6)
  expect_equal(as.vector(predict(model, sequences[2])), alone[2], tolerance = 1e-6)
  longer <- recurrent(c(7, 2))
  set_weights(longer, get_weights(model))
  expect_equal(as.vector(predict(longer, sequences)), alone, tolerance = 1e-6)
})

test_that("the padding is what the model's masking layer looks for", {
  for (value in list(-9, NA)) {
    model <- recurrent(first = function(model) layer_masking(model, value))
    alone <- vapply(sequences, function(s) predict(model, array(s, c(1, dim(s))))[[1]], 1)
    expect_equal(as.vector(predict(model, sequences)), alone, tolerance = 1e-6)
  }
})

test_that("words of a list are padded with 0", {
  texts <- list(c(1L, 3L), c(2L, 1L, 4L), 3L)
  model <- keras_model_sequential(input_shape = NA, input_dtype = "int32") |>
    layer_embedding(5, 2, mask_zero = TRUE) |> layer_gru(2) |> layer_dense(1)
  alone <- vapply(texts, function(text) predict(model, matrix(text, 1))[[1]], 1)
  expect_equal(as.vector(predict(model, texts)), alone, tolerance = 1e-6)
  plain <- keras_model_sequential(input_shape = NA) |> layer_embedding(5, 2, name = "no_mask") |> layer_gru(2)
  expect_warning(predict(plain, texts), "no_mask.*takes for a word")
})

test_that("training on a list is training on the padded array with a masking layer", {
  y <- c(1, 0, 0.5, -1)
  train <- function(model, x) {
    model |> compile(optimizer_adam(0.01), loss = "mse")
    history <- fit(model, x, y, epochs = 3, batch_size = 2, validation_split = 0.25)
    list(history$metrics, get_weights(model))
  }
  padded <- pad_sequences(sequences, dtype = "float32", padding = "post", value = -9)
  masking <- function(model) layer_masking(model, -9)
  want <- train(recurrent(first = masking), padded)
  expect_equal(train(recurrent(), sequences), want, tolerance = 1e-6)
  eager <- recurrent()
  eager |> compile(optimizer_adam(0.01), loss = "mse", run_eagerly = TRUE)
  fit(eager, sequences, y, epochs = 3, batch_size = 2, validation_split = 0.25)
  planned <- recurrent()
  train(planned, sequences)
  expect_identical(get_weights(eager), get_weights(planned))
})

test_that("targets with a time axis may be lists as well", {
  labels <- lapply(sequences, function(s) as.integer(s[, 1] > 0))
  set.seed(1)
  model <- keras_model_sequential(input_shape = c(NA, 2)) |>
    layer_lstm(units = 3, return_sequences = TRUE) |> layer_dense(2, activation = "softmax")
  model |> compile("sgd", loss = "sparse_categorical_crossentropy", metrics = "accuracy")
  found <- evaluate(model, sequences, labels)
  steps <- lapply(seq_along(sequences), function(i) {
    c(evaluate(model, sequences[i], matrix(labels[[i]], 1)), n = nrow(sequences[[i]]))
  })
  mean_of <- function(name) {
    weighted.mean(vapply(steps, `[[`, 1, name), vapply(steps, `[[`, 1, "n"))
  }
  expect_equal(found$loss, mean_of("loss"), tolerance = 1e-6)
  expect_equal(found$accuracy, mean_of("accuracy"), tolerance = 1e-6)
})

test_that("a model that has seen no data yet takes a list of matrices", {
  set.seed(1)
  model <- keras_model_sequential() |> layer_lstm(3)
  expect_equal(dim(predict(model, sequences)), c(4, 3))
  expect_equal(predict(model, sequences[1:2])[1, ], predict(model, sequences)[1, ], tolerance = 1e-6)
})

test_that("sequences that do not fit are refused", {
  model <- recurrent()
  expect_error(predict(model, list(matrix(0, 3, 2), matrix(0, 3, 4))), class = "birnn_error_shape")
  expect_error(predict(model, list(matrix(0, 3, 4))), class = "birnn_error_shape")
  expect_error(predict(recurrent(c(3, 2)), sequences), class = "birnn_error_shape")
  expect_error(predict(model, list(matrix(0, 3, 2), "a")), class = "birnn_error_shape")
})
