# evaluate(), train_on_batch(), test_on_batch().

regression <- function(...) {
  set.seed(1)
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  model |> compile(optimizer_sgd(0.1), loss = "mse", ...)
  model
}

x <- matrix(sin(1:20), 10, 2)
y <- cos(1:10)

test_that("evaluate() gives a visible named list, sorted by name", {
  result <- withVisible(evaluate(regression(metrics = c("mse", "mae")), x, y, batch_size = 4))
  expect_true(result$visible)
  expect_named(result$value, c("loss", "mae", "mse"))
  expect_equal(result$value$loss, result$value$mse, tolerance = 1e-6)
  expect_type(result$value$loss, "double")
})

test_that("evaluate() changes no weights and does not depend on the batch size", {
  model <- regression(metrics = "mae")
  before <- get_weights(model)
  whole <- evaluate(model, x, y)
  expect_equal(evaluate(model, x, y, batch_size = 3), whole, tolerance = 1e-6)
  expect_equal(evaluate(model, x, y, batch_size = 5, steps = 1), evaluate(model, x[1:5, ], y[1:5]))
  expect_equal(get_weights(model), before)
})

test_that("dropout is inactive, penalties count", {
  model <- keras_model_sequential(input_shape = 2) |>
    layer_dense(1, kernel_initializer = "ones", kernel_regularizer = regularizer_l2(0.5)) |>
    layer_dropout(0.9)
  model |> compile("sgd", loss = "mse")
  expect_equal(evaluate(model, x, rowSums(x))$loss, 0.5 * 2, tolerance = 1e-6)
})

test_that("a loss that is not finite is a result", {
  expect_equal(evaluate(regression(), x, replace(y, 1, NaN))$loss, NaN)
})

test_that("train_on_batch() gives the loss before its one update", {
  model <- regression()
  loss <- test_on_batch(model, x, y)
  expect_length(loss, 1)
  expect_equal(train_on_batch(model, x, y), loss)
  expect_lt(test_on_batch(model, x, y), loss)
  expect_equal(as.numeric(model$optimizer$iterations), 1)
})

test_that("with metrics a batch gives a named list, the metrics of this batch alone", {
  model <- regression(metrics = "mae")
  train_on_batch(model, x, 100 + y)
  result <- test_on_batch(model, x, y)
  expect_named(result, c("loss", "mae"))
  expect_equal(result$mae, mean(abs(y - predict(model, x))), tolerance = 1e-6)
})

test_that("batches take weights of samples and of classes", {
  model <- regression()
  expect_equal(test_on_batch(model, x, y, sample_weight = rep(2, 10)), 2 * test_on_batch(model, x, y), tolerance = 1e-6)
  classes <- keras_model_sequential(input_shape = 2) |> layer_dense(2, activation = "softmax")
  classes |> compile("sgd", loss = "sparse_categorical_crossentropy")
  loss <- test_on_batch(classes, x, rep(0:1, 5))
  weighted <- train_on_batch(classes, x, rep(0:1, 5), class_weight = list("0" = 3, "1" = 3))
  expect_equal(weighted, 3 * loss, tolerance = 1e-6)
})

test_that("wrong calls are refused", {
  model <- regression()
  expect_error(evaluate(model, x, y, batchsize = 2), "batch_size", class = "birnn_error_value")
  expect_error(evaluate(model, x[0, ], y[0]), class = "birnn_error_value")
  expect_error(train_on_batch(layer_dense(units = 1), x, y), class = "birnn_error_value")
  expect_error(train_on_batch(model, x[0, ], y[0]), class = "birnn_error_value")
  expect_error(evaluate(keras_model_sequential(input_shape = 2), x, y), class = "birnn_error_state")
})
