# Reshaping layers: order of the numbers, unknown sizes, errors.

test_that("numbers are read and written row by row", {
  x <- array_reshape(1:24, c(2, 3, 4))
  expect_equal(as.array(layer_reshape(x, target_shape = c(2, -1))), array_reshape(1:24, c(2, 2, 6)))
  expect_equal(as.array(layer_flatten(x)), array_reshape(1:24, c(2, 12)))
  first <- layer_flatten(x, data_format = "channels_first")
  expect_equal(as.array(first), array_reshape(aperm(x, c(1, 3, 2)), c(2, 12)))
  expect_equal(as.array(layer_permute(x, dims = c(2, 1))), aperm(x, c(1, 3, 2)))
  expect_equal(as.array(layer_repeat_vector(matrix(1:4, 2), n = 3))[, 2, ], matrix(1:4, 2))
  expect_equal(tensor_shape(layer_flatten(1:3)), c(3, 1))
})

test_that("unknown sizes stay unknown, or follow from the others", {
  input <- keras_input(c(NA, 4))
  shape_of <- function(layer) tensor_shape(layer(input))
  expect_equal(shape_of(layer_reshape(target_shape = c(-1, 2))), c(NA, NA, 2))
  expect_equal(shape_of(layer_reshape(target_shape = c(2, NA))), c(NA, 2, NA))
  expect_equal(shape_of(layer_reshape(target_shape = c(3, 2))), c(NA, 3, 2))
  expect_identical(shape_of(layer_flatten()), c(NA_integer_, NA_integer_))
  expect_equal(shape_of(layer_permute(dims = c(2, 1))), c(NA, 4, NA))
  model <- keras_model(input, layer_reshape(input, target_shape = c(-1, 2)))
  for (size in c(3, 5)) expect_equal(dim(predict(model, array(1, c(2, size, 4)), verbose = 0)), c(2, 2 * size, 2))
})

test_that("sizes in a config are a list also if there is only one", {
  as_json <- function(layer) jsonlite::toJSON(layer$get_config(), auto_unbox = TRUE, null = "null")
  expect_match(as_json(layer_reshape(target_shape = 6)), '"target_shape":[6]', fixed = TRUE)
  expect_match(as_json(layer_reshape(target_shape = c(2, NA))), '"target_shape":[2,-1]', fixed = TRUE)
  expect_match(as_json(layer_permute(dims = 1)), '"dims":[1]', fixed = TRUE)
})

test_that("masks end at reshaping layers", {
  x <- layer_masking()(array(c(0, 1, 2, 0, 1, 2), c(1, 3, 2)))
  for (layer in list(layer_flatten(), layer_permute(dims = c(2, 1)), layer_reshape(target_shape = c(3, 2)))) {
    expect_null(tensor_mask(suppressWarnings(layer(x))))
  }
})

test_that("what cannot be reshaped is refused", {
  clear_session(free_memory = FALSE)
  x <- array(0, c(2, 3, 4))
  expect_refused(layer_reshape(x, target_shape = c(5, 2)), "shape")
  expect_refused(layer_reshape(x, target_shape = c(5, -1)), "shape")
  expect_refused(layer_reshape(x, target_shape = c(-1, -1)), "shape")
  expect_refused(layer_reshape(x), "value")
  expect_refused(layer_flatten(x, data_format = "last"), "value")
  expect_refused(layer_permute(x, dims = c(1, 3)), "value")
  expect_refused(layer_permute(x, dims = c(1, 2, 3)), "shape")
  expect_refused(layer_repeat_vector(x, n = 2), "shape")
  expect_refused(layer_repeat_vector(x[, , 1], n = 0), "value")
})
