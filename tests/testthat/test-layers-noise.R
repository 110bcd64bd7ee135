# Noise in training: nothing otherwise, expectations, seeds, threads, plans, errors.

noise_layers <- list(
  dropout = function(...) layer_dropout(rate = 0.4, ...),
  spatial_dropout = function(...) layer_spatial_dropout_1d(rate = 0.4, ...),
  gaussian_noise = function(...) layer_gaussian_noise(stddev = 0.7, ...),
  gaussian_dropout = function(...) layer_gaussian_dropout(rate = 0.4, ...),
  alpha_dropout = function(...) layer_alpha_dropout(rate = 0.4, ...)
)

test_that("noise is for training only, and keeps masks", {
  x <- with_mask(as_tensor(array(1, c(2, 3, 4))), as_tensor(matrix(c(TRUE, TRUE, TRUE, FALSE, TRUE, TRUE), 2)))
  for (make in noise_layers) {
    layer <- make(seed = 1)
    expect_same_bits(layer(x), x)
    noisy <- layer(x, training = TRUE)
    expect_false(same_bits(noisy, x))
    expect_same_bits(tensor_mask(noisy), tensor_mask(x))
  }
})

test_that("a seed gives the same bits on any number of threads, and new ones at each call", {
  x <- array(stats::rnorm(2 * 50 * 40), c(2, 50, 40))
  for (name in names(noise_layers)) {
    draw <- function(threads) {
      with_threads(threads, {
        layer <- noise_layers[[name]](seed = 7)
        list(layer(x, training = TRUE), layer(x, training = TRUE))
      })
    }
    first <- draw(1)
    expect_same_bits(draw(2), first, name)
    expect_false(same_bits(first[[1]], first[[2]]), info = name)
    set.seed(3)
    unseeded <- noise_layers[[name]]()(x, training = TRUE)
    set.seed(3)
    expect_same_bits(noise_layers[[name]]()(x, training = TRUE), unseeded, name)
  }
})

test_that("training with noise gives the same bits in the plan and eagerly", {
  x <- array(stats::rnorm(72), c(6, 3, 4))
  for (name in names(noise_layers)) {
    results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
      model <- keras_model_sequential(input_shape = c(NA, 4)) |>
        layer_dense(units = 4, kernel_initializer = "ones")
      model$add(noise_layers[[name]](seed = 5))
      compile(model, optimizer = "sgd", loss = "mse", run_eagerly = run_eagerly)
      history <- fit(model, x, x, batch_size = 4, epochs = 2, shuffle = FALSE, verbose = 0)
      list(get_weights(model), history$metrics$loss)
    })
    expect_same_bits(results[[2]], results[[1]], name)
  }
})

# 40,000 numbers: bounds of four standard deviations of the mean, and of the variance.
test_that("means and variances of the noise are what they should be", {
  n <- 40000
  draw <- function(layer, x) as.array(layer(x, training = TRUE))
  moments <- function(y) c(mean(y), mean((y - mean(y))^2))
  ones <- matrix(1, n / 100, 100)
  added <- moments(draw(layer_gaussian_noise(stddev = 0.5, seed = 1), ones))
  expect_lt(abs(added[[1]] - 1), 4 * 0.5 / sqrt(n))
  expect_lt(abs(added[[2]] - 0.25), 4 * 0.25 * sqrt(2 / n))
  factors <- moments(draw(layer_gaussian_dropout(rate = 0.2, seed = 1), ones))
  expect_lt(abs(factors[[1]] - 1), 4 * 0.5 / sqrt(n))
  expect_lt(abs(factors[[2]] - 0.25), 4 * 0.25 * sqrt(2 / n))
  set.seed(1)
  normal <- matrix(stats::rnorm(n), n / 100)
  for (rate in c(0.1, 0.5)) {
    kept <- moments(draw(layer_alpha_dropout(rate = rate, seed = 1), normal))
    expect_lt(abs(kept[[1]]), 4 / sqrt(n))
    expect_lt(abs(kept[[2]] - 1), 8 / sqrt(n))
  }
})

test_that("spatial dropout drops a feature in all steps", {
  y <- as.array(layer_spatial_dropout_1d(rate = 0.25, seed = 2)(array(1, c(40, 5, 50)), training = TRUE))
  expect_equal(y, y[, c(1, 1, 1, 1, 1), ])
  expect_setequal(unique(as.vector(y)), c(0, as.numeric(as_tensor(4 / 3))))
  # 2,000 decisions: four standard deviations are 0.04.
  expect_lt(abs(mean(y[, 1, ] == 0) - 0.25), 0.04)
})

test_that("alpha dropout has two values for a constant input, shared as noise_shape says", {
  y <- as.array(layer_alpha_dropout(rate = 0.5, noise_shape = c(NA, 1, NA), seed = 1)(array(0, c(4, 3, 5)),
                                                                                     training = TRUE))
  expect_length(unique(as.vector(y)), 2)
  expect_equal(y, y[, c(1, 1, 1), ])
})

test_that("rates at the ends draw nothing or drop all", {
  x <- array(1, c(1, 2, 3))
  silent <- list(layer_gaussian_noise(stddev = 0), layer_gaussian_dropout(rate = 0), layer_alpha_dropout(rate = 0))
  for (layer in silent) {
    expect_length(layer$variables, 0)
    expect_same_bits(layer(x, training = TRUE), x)
  }
  expect_equal(sum(as.array(layer_spatial_dropout_1d(rate = 1)(x, training = TRUE))), 0)
})

test_that("the penalty of activity is per row, and joins the loss of a model", {
  x <- matrix(c(1, -2, 3, -4), 2)
  layer <- layer_activity_regularization(l1 = 0.1, l2 = 0.01)
  expect_same_bits(layer(x), x)
  expect_equal(as.numeric(layer$losses[[1]]), (0.1 * 10 + 0.01 * 30) / 2, tolerance = 1e-6)
  model <- keras_model_sequential(input_shape = 2, layers = list(layer))
  compile(model, loss = "mse")
  expect_equal(evaluate(model, x, x, verbose = 0)$loss, 0.65, tolerance = 1e-6)
})

test_that("arguments of noise layers are checked", {
  clear_session(free_memory = FALSE)
  expect_refused(layer_gaussian_noise(stddev = -1), "value")
  expect_refused(layer_gaussian_dropout(rate = 1), "value")
  expect_refused(layer_alpha_dropout(rate = 2), "value")
  expect_refused(layer_alpha_dropout(rate = 0.5, seed = 0.5), "value")
  expect_refused(layer_alpha_dropout(rate = 0.5, noise_shape = 2)(matrix(1, 2, 2), training = TRUE),
                 "shape")
  expect_refused(layer_spatial_dropout_1d(matrix(1, 2, 2), rate = 0.5), "shape")
  expect_refused(layer_activity_regularization(l1 = -1), "value")
})
