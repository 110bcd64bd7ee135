# Normalization of each row by itself: closed forms, axes, errors.

test_that("layer normalization makes mean 0 and variance 1 over its axes", {
  with_floatx("float64", {
    x <- array(stats::rnorm(24, 2), c(2, 3, 4))
    for (axis in list(-1, 2, c(2, 3), c(-1, 2))) {
      y <- as.array(layer_layer_normalization(x, axis = axis, epsilon = 0))
      kept <- setdiff(1:3, ifelse(axis < 0, 4 + axis, axis))
      expect_close(apply(y, kept, mean), array(0, dim(x)[kept]), 1e-12)
      expect_close(apply(y, kept, function(part) mean(part^2)), array(1, dim(x)[kept]), 1e-12)
    }
    layer <- layer_layer_normalization(axis = c(3, 2))
    layer(x)
    expect_equal(dim(layer$gamma), c(3, 4))
  })
})

test_that("a row is normalized in the same way whatever is beside it", {
  x <- array(stats::rnorm(24), c(2, 3, 4))
  for (make in list(layer_layer_normalization, layer_rms_normalization, layer_unit_normalization,
                    function(x) layer_group_normalization(x, groups = 2))) {
    expect_same_bits(as.array(make(x))[1, , ], as.array(make(x[1, , , drop = FALSE]))[1, , ])
  }
})

test_that("RMS and unit normalization have their closed forms, also for zeros", {
  x <- rbind(c(3, 4), c(0, 0))
  expect_equal(as.array(layer_unit_normalization(x)), rbind(c(0.6, 0.8), c(0, 0)), tolerance = 1e-6)
  expect_equal(as.array(layer_rms_normalization(x)), x / sqrt(rowMeans(x^2) + 1e-6), tolerance = 1e-6)
  found <- value_and_gradients(function(x) op_sum(layer_unit_normalization(x[[1]])), list(as_tensor(x)))
  expect_true(all(is.finite(found$inputs[[1]])))
})

test_that("one group is normalization of the whole row, one group a channel is that of each channel", {
  with_floatx("float64", {
    x <- array(stats::rnorm(48), c(2, 6, 4))
    whole <- layer_layer_normalization(x, axis = c(2, 3))
    expect_close(layer_group_normalization(x, groups = 1), whole, 1e-12)
    channels <- layer_layer_normalization(x, axis = 2)
    expect_close(layer_group_normalization(x, groups = 4), channels, 1e-12)
    expect_close(layer_group_normalization(x, groups = -1), channels, 1e-12)
    pairs <- layer_group_normalization(groups = 2)
    halves <- lapply(list(1:2, 3:4), function(k) as.array(layer_layer_normalization(x[, , k], axis = c(2, 3))))
    expect_close(as.array(pairs(x))[, , 3:4], halves[[2]], 1e-12)
    swapped <- layer_group_normalization(groups = 2, axis = 2)(aperm(x, c(1, 3, 2)))
    expect_close(swapped, aperm(as.array(pairs(x)), c(1, 3, 2)), 1e-12)
  })
})

test_that("what cannot be normalized is refused", {
  clear_session(free_memory = FALSE)
  x <- array(0, c(2, 4, 3))
  layer <- layer_layer_normalization()
  layer(x)
  expect_refused(layer(array(0, c(2, 4, 2))), "shape", list(layer))
  expect_refused(layer_layer_normalization(x, axis = 4), "value")
  expect_refused(layer_layer_normalization(x, axis = integer()), "value")
  expect_refused(layer_layer_normalization(x, rms_scaling = TRUE), "value")
  expect_refused(layer_layer_normalization(keras_input(c(4, NA))), "shape")
  expect_refused(layer_rms_normalization(x, axis = 0), "value")
  expect_refused(layer_group_normalization(x), "shape")
  expect_refused(layer_group_normalization(x, groups = 2), "shape")
  expect_refused(layer_group_normalization(x, groups = 0), "value")
})
