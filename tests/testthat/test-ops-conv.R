# Convolution and pooling as ops: definitions, channels first, gradients, refusals. The core has tests in tests/cpp.

# y[b, i, f] = sum over t, c of x[b, (i - 1) * stride + t, c] * kernel[t, c, f], windows inside.
plain_conv <- function(x, kernel, stride = 1) {
  steps <- (dim(x)[[2]] - dim(kernel)[[1]]) %/% stride + 1
  y <- array(0, c(dim(x)[[1]], steps, dim(kernel)[[3]]))
  for (b in seq_len(dim(y)[[1]])) for (i in seq_len(steps)) for (f in seq_len(dim(y)[[3]])) {
    seen <- x[b, (i - 1) * stride + seq_len(dim(kernel)[[1]]), ]
    y[b, i, f] <- sum(seen * kernel[, , f])
  }
  y
}

test_that("a convolution is what its definition says", {
  withr::local_seed(1)
  x <- random_array(2, 7, 3)
  kernel <- random_array(3, 3, 4)
  for (floatx in both_floatx) {
    with_floatx(floatx, {
      expect_close(op_conv(x, kernel), plain_conv(x, kernel), rounding())
      expect_close(op_conv(x, kernel, strides = 2), plain_conv(x, kernel, 2), rounding())
      padded <- as.array(op_pad(x, list(c(0, 0), c(4, 0), c(0, 0))))
      wide <- array(0, c(5, 3, 4))
      wide[c(1, 3, 5), , ] <- kernel
      expect_close(op_conv(x, kernel, padding = "causal", dilation_rate = 2), plain_conv(padded, wide), rounding())
    })
  }
})

test_that("channels may come first", {
  withr::local_seed(2)
  x <- random_array(2, 5, 4, 3)
  kernel <- random_array(2, 2, 3, 6)
  first <- aperm(x, c(1, 4, 2, 3))
  expect_same_bits(
    op_conv(first, kernel, data_format = "channels_first"), aperm(as.array(op_conv(x, kernel)), c(1, 4, 2, 3))
  )
  expect_same_bits(
    op_max_pool(first, 2, data_format = "channels_first"), aperm(as.array(op_max_pool(x, 2)), c(1, 4, 2, 3))
  )
  expect_same_bits(
    op_conv_transpose(first, aperm(kernel, c(1, 2, 4, 3)), data_format = "channels_first"),
    aperm(as.array(op_conv_transpose(x, aperm(kernel, c(1, 2, 4, 3)))), c(1, 4, 2, 3))
  )
})

test_that("a depthwise convolution is one convolution for each channel", {
  withr::local_seed(3)
  x <- random_array(2, 6, 3)
  kernel <- random_array(2, 3, 2)
  parts <- lapply(1:3, function(channel) {
    op_conv(x[, , channel, drop = FALSE], array(kernel[, channel, ], c(2, 1, 2)), padding = "same")
  })
  expect_same_bits(op_depthwise_conv(x, kernel, padding = "same"), op_concatenate(parts, axis = 3))
  pointwise <- random_array(1, 6, 5)
  expect_close(
    op_separable_conv(x, kernel, pointwise), op_matmul(op_depthwise_conv(x, kernel), pointwise[1, , ]), rounding()
  )
})

test_that("convolutions and pooling have their gradients", {
  with_floatx("float64", {
    withr::local_seed(4)
    x <- random_array(2, 6, 2)
    cases <- list(
      list(function(i) op_conv(i[[1]], i[[2]], strides = 2, padding = "same"), random_array(3, 2, 4)),
      list(function(i) op_conv(i[[1]], i[[2]], padding = "causal", dilation_rate = 2), random_array(2, 1, 4)),
      list(function(i) op_depthwise_conv(i[[1]], i[[2]]), random_array(2, 2, 3)),
      list(function(i) op_conv_transpose(i[[1]], i[[2]], strides = 2, padding = "same"), random_array(3, 4, 2)),
      list(function(i) op_max_pool(i[[1]], 3, strides = 1, padding = "same")),
      list(function(i) op_average_pool(i[[1]], 3, strides = 2, padding = "same"))
    )
    for (case in cases) {
      expect_gradients(function(inputs) fixture_loss(list(case[[1]](inputs))), c(list(x), case[-1]))
    }
  })
})

test_that("the transpose of a convolution is longer by what was asked for", {
  x <- array(1, c(1, 4, 1))
  kernel <- array(1, c(3, 1, 1))
  steps <- function(...) tensor_shape(op_conv_transpose(x, kernel, ...))[[2]]
  expect_identical(steps(), 6L)
  expect_identical(steps(strides = 2), 9L)
  expect_identical(steps(strides = 2, padding = "same"), 8L)
  expect_identical(steps(strides = 2, output_padding = 1), 10L)
  expect_identical(steps(strides = 2, padding = "same", output_padding = 0), 7L)
  expect_identical(steps(dilation_rate = 2), 8L)
})

test_that("whole numbers become floating point numbers", {
  expect_identical(tensor_dtype(op_conv(array(1:6, c(1, 6, 1)), array(1L, c(2, 1, 1)))), "float32")
  expect_identical(tensor_dtype(op_max_pool(array(1:6, c(1, 6, 1)), 2)), "float32")
})

test_that("what does not fit is refused", {
  x <- array(0, c(2, 5, 4))
  kernel <- array(0, c(2, 4, 3))
  expect_refused(op_conv(matrix(0, 2, 3), kernel), "shape")
  expect_refused(op_conv(x, matrix(0, 2, 3)), "shape")
  expect_refused(op_conv(x, array(0, c(2, 3, 3))), "shape")
  expect_refused(op_conv(x, array(0, c(2, 2, 3))), "shape")
  expect_refused(op_conv(x, array(0, c(6, 4, 3))), "shape")
  expect_refused(op_conv(x, kernel, strides = 0), "value")
  expect_refused(op_conv(array(0, c(2, 5, 5, 4)), array(0, c(2, 2, 4, 3)), strides = c(1, 2, 3)), "value")
  expect_refused(op_conv(x, kernel, padding = "full"), "value")
  expect_refused(op_conv(x, kernel, data_format = "last"), "value")
  expect_refused(op_max_pool(x, 0), "value")
  expect_refused(op_max_pool(x, 6), "shape")
  expect_refused(op_max_pool(x, 2, padding = "causal"), "value")
  expect_refused(op_conv_transpose(x, kernel), "shape")
})
