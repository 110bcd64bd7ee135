# Single losses of numbers beyond the fixtures.

test_that("log-cosh does not overflow, and cosine similarity is defined for zero vectors", {
  expect_equal(as.numeric(loss_log_cosh(0, matrix(c(-1e4, 1e4), 2))), c(1e4, 1e4) - log(2), tolerance = 1e-6)
  zeros <- rbind(c(0, 0))
  found <- value_and_gradients(function(x) loss_cosine_similarity()(zeros, x[[1]]), list(as_tensor(zeros)))
  expect_identical(found$value, 0)
  expect_true(all(is.finite(found$inputs[[1]])))
})

test_that("the axis of a cosine counts from 1 in R and from 0 in the config", {
  y <- rbind(c(1, 0), c(1, 1))
  expect_equal(as.numeric(loss_cosine_similarity(y, y, axis = 1)), c(-1, -1), tolerance = 1e-6)
  config <- serialize_keras_object(loss_cosine_similarity(axis = 1))
  expect_identical(config$config$axis, 0L)
  expect_identical(deserialize_keras_object(config)$config$axis, 1L)
  expect_refused(loss_cosine_similarity(axis = 0), "value")
})
