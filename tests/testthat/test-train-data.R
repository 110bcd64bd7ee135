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
})
