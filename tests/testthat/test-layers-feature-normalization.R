# layer_normalization() and adapt(): means and variances of data, batches, models, errors.

data_matrix <- function() matrix(c(0, 2, 0, 2, 7, 9, 7, 9, 4, 6, 4, 6), 4)

# The numbers of the first two tests are those of the examples in Keras' documentation.
test_that("adapt() takes a mean and variance for each feature", {
  layer <- layer_normalization()
  expect_identical(adapt(layer, data_matrix()), layer)
  expect_equal(as.array(layer(matrix(c(0, 7, 4), 1))), matrix(-1, 1, 3))
  inverse <- layer_normalization(invert = TRUE)
  adapt(inverse, data_matrix())
  expect_equal(as.array(inverse(matrix(1:3, 1))), matrix(c(2, 10, 8), 1))
  adapt(layer, data_matrix() + 1)
  expect_equal(as.numeric(layer$mean), c(2, 9, 6))
})

test_that("one mean over everything, and given numbers", {
  layer <- layer_normalization(axis = NULL)
  adapt(layer, 1:5)
  expect_equal(as.numeric(layer(1:3)), c(-sqrt(2), -1 / sqrt(2), 0), tolerance = 1e-6)
  given <- layer_normalization(mean = 3, variance = 2)
  expect_equal(as.numeric(given(matrix(1:3))), c(-sqrt(2), -1 / sqrt(2), 0), tolerance = 1e-6)
  expect_length(given$weights, 0)
  features <- layer_normalization(mean = c(1, 2), variance = c(1, 4))
  expect_equal(as.array(features(rbind(c(1, 2), c(2, 4)))), rbind(c(0, 0), c(1, 1)))
})

test_that("several axes, and batches, are taken together", {
  with_floatx("float64", {
    x <- array(stats::rnorm(60, 5, 3), c(5, 4, 3))
    whole <- layer_normalization(axis = c(2, 3))
    adapt(whole, x)
    expect_close(whole$mean, apply(x, 2:3, mean), 1e-12)
    expect_close(whole$variance, apply(x, 2:3, function(part) mean((part - mean(part))^2)), 1e-12)
    batches <- list(x[1:2, , ], list(x[3, , , drop = FALSE], 1), x[4:5, , ], NULL)
    k <- 0
    parts <- layer_normalization(axis = c(2, 3))
    adapt(parts, function() {
      k <<- k + 1
      batches[[k]]
    })
    expect_close(parts$variance, whole$variance, 1e-12)
    first <- layer_normalization(axis = c(2, 3))
    k <- 0
    adapt(first, function() {
      k <<- k + 1
      batches[[k]]
    }, steps = 1)
    expect_close(first$mean, apply(x[1:2, , ], 2:3, mean), 1e-12)
  })
})

test_that("large numbers keep their variance", {
  layer <- layer_normalization()
  adapt(layer, matrix(1e6 + c(-1, 1, -1, 1)))
  expect_equal(as.numeric(layer$variance), 1)
})

test_that("a model uses what its layer was adapted to, also if that is later", {
  layer <- layer_normalization(input_shape = 3)
  model <- keras_model_sequential(layers = list(layer))
  before <- predict(model, data_matrix(), verbose = 0)
  adapt(layer, data_matrix())
  after <- predict(model, data_matrix(), verbose = 0)
  expect_equal(before, data_matrix())
  expect_same_bits(after, layer(data_matrix()))
  copy <- deserialize_keras_object(serialize_keras_object(layer))
  copy$build(c(NA, 3))
  set_weights(copy, get_weights(layer))
  expect_same_bits(copy(data_matrix()), after)
})

test_that("what cannot be adapted is refused", {
  clear_session(free_memory = FALSE)
  layer <- layer_normalization()
  adapt(layer, data_matrix())
  expect_refused(adapt(layer, data_matrix()[, 1:2]), "shape", list(layer))
  expect_refused(adapt(layer, replace(data_matrix(), 1, NA)), "value", list(layer))
  expect_refused(adapt(layer, letters), "value", list(layer))
  expect_refused(adapt(layer, function() NULL), "value", list(layer))
  expect_refused(layer(matrix(0, 2, 2)), "shape", list(layer))
  expect_refused(adapt(layer_normalization(), 1:3), "shape")
  expect_refused(adapt(layer_dense(units = 1), data_matrix()), "type")
  expect_refused(adapt(layer_normalization(mean = 1, variance = 1), data_matrix()), "state")
  expect_refused(layer_normalization(mean = 1), "value")
  expect_refused(layer_normalization(mean = 1:2, variance = 1), "shape")
  expect_refused(layer_normalization(mean = 1:2, variance = 1:2)(data_matrix()), "shape")
  expect_refused(layer_normalization(axis = 0), "value")
})
