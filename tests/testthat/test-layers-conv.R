# Convolution layers: what is special about them. Numbers of Keras are in test-fixtures-companions.R.

test_that("weights have Keras' names and shapes", {
  names_of <- function(layer) vapply(layer$weights, function(v) v$name, "")
  shapes_of_weights <- function(layer) lapply(layer$weights, tensor_shape)
  conv <- layer_conv_1d(filters = 6, kernel_size = 3, groups = 2)
  conv$build(c(NA, 8, 4))
  expect_identical(names_of(conv), c("kernel", "bias"))
  expect_identical(shapes_of_weights(conv), list(c(3L, 2L, 6L), 6L))
  depthwise <- layer_depthwise_conv_1d(kernel_size = 3, depth_multiplier = 2)
  depthwise$build(c(NA, 8, 4))
  expect_identical(names_of(depthwise), c("kernel", "bias"))
  expect_identical(shapes_of_weights(depthwise), list(c(3L, 4L, 2L), 8L))
  separable <- layer_separable_conv_1d(filters = 5, kernel_size = 3, depth_multiplier = 2)
  separable$build(c(NA, 8, 4))
  expect_identical(names_of(separable), c("depthwise_kernel", "pointwise_kernel", "bias"))
  expect_identical(shapes_of_weights(separable), list(c(3L, 4L, 2L), c(1L, 8L, 5L), 5L))
  transposed <- layer_conv_1d_transpose(filters = 5, kernel_size = 3)
  transposed$build(c(NA, 8, 4))
  expect_identical(shapes_of_weights(transposed), list(c(3L, 5L, 4L), 5L))
})

test_that("a window of one step is a dense layer", {
  withr::local_seed(1)
  x <- random_array(2, 5, 3)
  conv <- layer_conv_1d(filters = 4, kernel_size = 1, activation = "tanh")
  dense <- layer_dense(units = 4, activation = "tanh")
  conv(x)
  dense(x)
  weights <- list(random_array(3, 4), random_array(4))
  set_weights(conv, list(array(weights[[1]], c(1, 3, 4)), weights[[2]]))
  set_weights(dense, weights)
  expect_same_bits(conv(x), dense(x))
})

test_that("channels first gives the same numbers", {
  withr::local_seed(2)
  x <- random_array(2, 5, 3)
  first <- aperm(x, c(1, 3, 2))
  last_layers <- list(
    layer_conv_1d(filters = 4, kernel_size = 2, padding = "causal"), layer_depthwise_conv_1d(kernel_size = 2),
    layer_separable_conv_1d(filters = 2, kernel_size = 2), layer_conv_1d_transpose(filters = 2, kernel_size = 2),
    layer_max_pooling_1d(pool_size = 2), layer_average_pooling_1d(pool_size = 2), layer_zero_padding_1d(padding = 2)
  )
  for (layer in last_layers) {
    y <- layer(x)
    config <- layer$get_config()
    config$data_format <- "channels_first"
    twin <- layer_object(layer)$from_config(config)
    twin(first)
    if (length(layer$weights) > 0) set_weights(twin, get_weights(layer))
    expect_same_bits(twin(first), aperm(as.array(y), c(1, 3, 2)), layer$name)
    expect_identical(as_shape(twin$compute_output_shape(dim(first))), dim(y)[c(1, 3, 2)])
  }
  pooled <- layer_global_average_pooling_1d(data_format = "channels_first")(first, mask = matrix(TRUE, 2, 5))
  expect_close(pooled, apply(x, c(1, 3), mean), rounding())
})

test_that("the number of steps may be unknown", {
  for (layer in list(
    layer_conv_1d(filters = 4, kernel_size = 2, strides = 2), layer_conv_1d_transpose(filters = 4, kernel_size = 2),
    layer_max_pooling_1d(pool_size = 2), layer_upsampling_1d(size = 2), layer_cropping_1d(cropping = 1)
  )) {
    shape <- tensor_shape(layer(keras_input(c(NA, 3))))
    expect_identical(shape[1:2], c(NA_integer_, NA_integer_))
    expect_identical(as_shape(layer$compute_output_shape(c(NA, NA, 3))), shape)
  }
})

test_that("a global average counts valid steps only, and garbage in masked ones has no effect", {
  x <- array(c(1, 5, 2, 6, NaN, 7), c(2, 3, 1))
  mask <- rbind(c(TRUE, TRUE, FALSE), c(TRUE, FALSE, TRUE))
  y <- layer_global_average_pooling_1d()(x, mask = mask)
  expect_equal(as.array(y), matrix(c(1.5, 6), 2))
  expect_null(tensor_mask(layer_global_average_pooling_1d()(with_mask(as_tensor(x), as_tensor(mask)))))
})

test_that("defaults of pooling and cropping are those of Keras", {
  x <- array(1:12, c(1, 6, 2))
  expect_identical(dim(layer_max_pooling_1d(x)), c(1L, 3L, 2L))
  expect_identical(layer_average_pooling_1d(pool_size = 3)$strides, 3L)
  expect_identical(dim(layer_cropping_1d(x)), c(1L, 4L, 2L))
  expect_identical(dim(layer_zero_padding_1d(x)), c(1L, 8L, 2L))
  expect_equal(as.array(layer_upsampling_1d(x))[1, , 1], rep(1:6, each = 2))
})

test_that("wrong arguments and inputs are refused", {
  clear_session(FALSE)
  conv <- function(...) layer_conv_1d(filters = 4, kernel_size = 3, ...)
  expect_refused(layer_conv_1d(filters = 0, kernel_size = 3), "value")
  expect_refused(layer_conv_1d(filters = 4, kernel_size = 0), "value")
  expect_refused(layer_conv_1d(filters = 4, kernel_size = c(3, 3)), "value")
  expect_refused(conv(padding = "full"), "value")
  expect_refused(conv(strides = 2, dilation_rate = 2), "value")
  expect_refused(conv(groups = 3), "value")
  expect_refused(conv(data_format = "first"), "value")
  expect_refused(layer_conv_1d_transpose(filters = 4, kernel_size = 3, padding = "causal"), "value")
  expect_refused(conv(groups = 2)(array(0, c(2, 5, 3))), "shape")
  expect_refused(conv()(matrix(0, 2, 5)), "shape")
  expect_refused(conv()(array(0, c(2, 2, 3))), "shape")
  expect_refused(conv()$compute_output_shape(c(NA, 2, 3)), "shape")
  expect_refused(conv()(keras_input(c(5, NA))), "shape")
  built <- conv()
  built(array(0, c(2, 5, 3)))
  expect_refused(built(array(0, c(2, 5, 4))), "shape", unchanged = list(built))
  expect_refused(layer_max_pooling_1d(array(0, c(2, 2, 3)), pool_size = 3), "shape")
  expect_refused(layer_max_pooling_1d(pool_size = 3, padding = "causal"), "value")
  expect_refused(layer_zero_padding_1d(padding = c(1, 2, 3)), "value")
  expect_refused(layer_zero_padding_1d(padding = -1), "value")
  expect_refused(layer_cropping_1d(array(0, c(2, 3, 1)), cropping = c(1, 2)), "shape")
})
