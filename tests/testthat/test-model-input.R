# keras_input(): shapes in any spelling, batch size, type.

test_that("shapes may be written in any way", {
  for (given in list(c(NA, 8), shape(NULL, 8), list(NULL, 8), shape(-1, 8))) {
    expect_equal(tensor_shape(keras_input(given)), c(NA, NA, 8L))
  }
  expect_equal(tensor_shape(keras_input(28)), c(NA, 28L))
  expect_equal(tensor_shape(keras_input(shape(NULL))), c(NA_integer_, NA_integer_))
  expect_equal(tensor_shape(keras_input(c(5, 3), batch_size = 2)), c(2L, 5L, 3L))
  expect_equal(tensor_shape(keras_input(batch_shape = c(2, NA, 3))), c(2L, NA, 3L))
})

test_that("type and name are those given, or defaults", {
  clear_session(free_memory = FALSE)
  expect_equal(keras_input(3)$dtype, config_floatx())
  expect_equal(keras_input(3, dtype = "int32")$dtype, "int32")
  expect_equal(keras_input(3, name = "mine")$name, "mine")
  expect_equal(keras_input(3)[["history"]]$layer$name, "input_layer_2")
  expect_equal(tensor_shape(keras_input(tensor = keras_input(c(4, 2)))), c(NA, 4L, 2L))
  expect_identical(layer_input, keras_input)
})

test_that("contradictions are refused", {
  expect_error(keras_input(), class = "birnn_error_value")
  expect_error(keras_input(3, batch_shape = c(1, 3)), class = "birnn_error_value")
  expect_error(keras_input(3, sparse = TRUE), class = "birnn_error_value")
  expect_error(keras_input(3, dtype = "text"), class = "birnn_error_value")
  expect_error(keras_input(c(0, 3)), class = "birnn_error_shape")
})
