# Batch normalization: statistics, moving averages as effects, masks, frozen layers.

averages <- function(layer) lapply(list(layer$moving_mean, layer$moving_variance), as.array)

# A model that ends in batch normalization, so that its output is the normalized input.
normalizing_model <- function(..., loss = "mse", run_eagerly = FALSE) {
  clear_session(free_memory = FALSE)
  model <- keras_model_sequential(input_shape = c(NA, 2)) |>
    layer_batch_normalization(momentum = 0.5, ...)
  compile(model, optimizer = optimizer_sgd(learning_rate = 0.1), loss = loss, run_eagerly = run_eagerly)
  model
}

test_that("training normalizes by the batch and moves the averages, prediction uses them", {
  with_floatx("float64", {
    x <- array(stats::rnorm(24, 3, 2), c(3, 4, 2))
    layer <- layer_batch_normalization(momentum = 0.75, epsilon = 0.01)
    y <- as.array(layer(x, training = TRUE))
    mean <- apply(x, 3, mean)
    variance <- apply(x, 3, function(channel) mean((channel - mean(channel))^2))
    expect_close(apply(y, 3, mean), c(0, 0), 1e-12)
    expect_close(apply(y, 3, function(channel) mean(channel^2)), variance / (variance + 0.01), 1e-12)
    expect_close(averages(layer)[[1]], 0.25 * mean, 1e-12)
    expect_close(averages(layer)[[2]], 0.75 + 0.25 * variance, 1e-12)
    expected <- sweep(sweep(x, 3, 0.25 * mean), 3, sqrt(0.75 + 0.25 * variance + 0.01), "/")
    expect_close(layer(x), expected, 1e-12)
  })
})

test_that("masked steps do not take part: as if they were not there", {
  with_floatx("float64", {
    x <- array(stats::rnorm(30), c(3, 5, 2))
    mask <- matrix(TRUE, 3, 5)
    mask[, 4:5] <- FALSE
    x[, 4:5, ] <- NA
    masked <- layer_batch_normalization()
    y <- as.array(masked(with_mask(as_tensor(x), as_tensor(mask)), training = TRUE))
    short <- layer_batch_normalization()
    expected <- as.array(short(x[, 1:3, ], training = TRUE))
    # The count of the steps has config_epsilon() added to it.
    expect_close(y[, 1:3, ], expected, 1e-6)
    expect_close(averages(masked)[[1]], averages(short)[[1]], 1e-6)
    expect_close(averages(masked)[[2]], averages(short)[[2]], 1e-6)
    nothing <- layer_batch_normalization()(array(1, c(2, 3, 2)), training = TRUE, mask = matrix(FALSE, 2, 3))
    expect_true(all(is.finite(as.array(nothing))))
  })
})

test_that("fit() in the plan and eagerly gives the same bits, and moves the averages once a batch", {
  x <- array(stats::rnorm(80, 1), c(10, 4, 2))
  y <- array(stats::rnorm(80), c(10, 4, 2))
  results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
    model <- normalizing_model(run_eagerly = run_eagerly)
    history <- fit(model, x, y, batch_size = 4, epochs = 2, shuffle = FALSE, verbose = 0)
    list(get_weights(model), history$metrics$loss, predict(model, x, verbose = 0))
  })
  expect_same_bits(results[[2]], results[[1]])
  by_hand <- c(0, 0)
  for (rows in rep(list(1:4, 5:8, 9:10), 2)) by_hand <- 0.5 * by_hand + 0.5 * apply(x[rows, , ], 3, mean)
  expect_close(results[[1]][[1]][[3]], by_hand, 1e-6)
})

test_that("a step that fails leaves the averages as they were", {
  x <- array(stats::rnorm(16), c(2, 4, 2))
  for (run_eagerly in c(FALSE, TRUE)) {
    model <- normalizing_model(run_eagerly = run_eagerly)
    fit(model, x, x, verbose = 0)
    before <- get_weights(model)
    bad <- replace(x, 1, Inf)
    expect_error(fit(model, x, bad, verbose = 0), class = "birnn_error_numeric")
    expect_same_bits(get_weights(model), before)
    expect_error(fit(model, bad, x, verbose = 0), class = "birnn_error_numeric")
    expect_same_bits(get_weights(model), before)
  }
  failing <- normalizing_model(loss = function(y_true, y_pred) stop("no loss"))
  before <- get_weights(failing)
  expect_error(fit(failing, x, x, verbose = 0), "no loss")
  expect_same_bits(get_weights(failing), before)
})

test_that("evaluate() and predict() leave the averages alone", {
  x <- array(stats::rnorm(16), c(2, 4, 2))
  model <- normalizing_model()
  before <- get_weights(model)
  evaluate(model, x, x, verbose = 0)
  predict(model, x, verbose = 0)
  expect_same_bits(get_weights(model), before)
})

test_that("a frozen layer works as in prediction", {
  x <- array(stats::rnorm(16, 2), c(2, 4, 2))
  layer <- layer_batch_normalization()
  layer(x, training = TRUE)
  layer$trainable <- FALSE
  before <- get_weights(layer)
  expect_same_bits(layer(x, training = TRUE), layer(x))
  expect_same_bits(get_weights(layer), before)
  model <- keras_model_sequential(input_shape = c(4, 2), layers = list(layer, layer_dense(units = 1)))
  compile(model, optimizer = "sgd", loss = "mse")
  fit(model, x, array(0, c(2, 4, 1)), verbose = 0)
  expect_same_bits(get_weights(layer), before)
})

test_that("a layer that is used twice moves its averages twice", {
  input <- keras_input(2)
  layer <- layer_batch_normalization(momentum = 0.5)
  model <- keras_model(input, layer_add(layer(input), layer(input * 2)))
  compile(model, optimizer = "sgd", loss = "mse")
  x <- matrix(c(1, 3, 10, 30), 2)
  fit(model, x, x, verbose = 0)
  expect_close(layer$moving_mean, 0.5 * (0.5 * colMeans(x)) + 0.5 * 2 * colMeans(x), 1e-6)
})

test_that("the channels can be on any axis", {
  x <- array(stats::rnorm(24), c(2, 3, 4))
  layer <- layer_batch_normalization(axis = 2)
  last <- layer_batch_normalization()
  y <- as.array(layer(x, training = TRUE))
  expected <- as.array(last(aperm(x, c(1, 3, 2)), training = TRUE))
  expect_close(y, aperm(expected, c(1, 3, 2)), 1e-6)
  expect_close(averages(layer)[[2]], averages(last)[[2]], 1e-6)
})

test_that("input that batch normalization cannot take is refused", {
  clear_session(free_memory = FALSE)
  layer <- layer_batch_normalization()
  layer(array(0, c(2, 4, 3)))
  expect_refused(layer(array(0, c(2, 4, 2))), "shape", list(layer))
  expect_refused(layer(matrix(0, 2, 3)), "shape", list(layer))
  expect_refused(layer(array(0, c(2, 4, 3)), mask = array(TRUE, c(2, 4, 3))), "mask", list(layer))
  expect_refused(layer_batch_normalization(1:3), "shape")
  expect_refused(layer_batch_normalization(keras_input(c(4, NA))), "shape")
  expect_refused(layer_batch_normalization(matrix(0, 2, 3), axis = 3), "value")
  expect_refused(layer_batch_normalization(synchronized = TRUE), "value")
  expect_refused(layer_batch_normalization(epsilon = -1), "value")
})
