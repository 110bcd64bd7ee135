# Dropout.

test_that("the shape of the noise decides what is dropped together", {
  layer <- layer_dropout(rate = 0.5, noise_shape = c(NA, 1, NA), seed = 1)
  y <- as.array(layer(array(1, c(3, 5, 8)), training = TRUE))
  expect_equal(y, y[, c(1, 1, 1, 1, 1), ])
  expect_setequal(unique(as.vector(y)), c(0, 2))
  expect_error(layer(matrix(1, 2, 2), training = TRUE), "noise_shape", class = "birnn_error_shape")
  copy <- deserialize_keras_object(serialize_keras_object(layer))
  expect_equal(copy$noise_shape, c(NA, 1L, NA))
})

test_that("the expectation of what is kept is the input", {
  y <- as.array(layer_dropout(rate = 0.2, seed = 2)(matrix(1, 100, 100), training = TRUE))
  # 10,000 draws: four standard deviations are 0.02.
  expect_lt(abs(mean(y) - 1), 0.02)
})

test_that("a rate of 0 draws nothing", {
  layer <- layer_dropout(rate = 0)
  expect_length(layer$variables, 0)
  expect_same_bits(layer(matrix(1, 2, 2), training = TRUE), matrix(1, 2, 2))
})
