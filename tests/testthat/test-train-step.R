# Steps: kept as long as they fit, and what a batch adds up.

test_that("a step is made once and again only when the model changes", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(2) |> layer_dense(1)
  model |> compile("sgd", loss = "mse")
  self <- layer_object(model)
  first <- step_for(self, "train")
  expect_identical(step_for(self, "train"), first)
  model$layers[[1]]$trainable <- FALSE
  frozen <- step_for(self, "train")
  expect_false(identical(frozen, first))
  expect_length(frozen$trainable, 2)
  prediction <- step_for(self, "predict")
  model |> layer_dense(1)
  expect_false(identical(step_for(self, "predict"), prediction))
  model |> compile("sgd", loss = "mae")
  expect_length(self$steps, 0)
})

test_that("the loss is the sum of weighted losses, activity losses and weight penalties", {
  x <- keras_input(2)
  y <- layer_dense(x, 1, kernel_initializer = "ones", use_bias = FALSE, kernel_regularizer = regularizer_l2(0.1),
                   activity_regularizer = regularizer_l1(0.01))
  model <- keras_model(x, y)
  model |> compile("sgd", loss = "mse")
  data <- matrix(c(1, 2, 3, 4), 2)
  sums <- rowSums(data)
  total <- mean(sums^2) + 0.01 * sum(abs(sums)) / 2 + 0.1 * 2
  expect_equal(test_on_batch(model, data, c(0, 0)), total, tolerance = 1e-6)
})

test_that("masked steps count neither in the loss nor in the metrics", {
  model <- keras_model_sequential(input_shape = c(NA, 1)) |>
    layer_masking() |>
    layer_dense(1, kernel_initializer = "ones")
  model |> compile("sgd", loss = "mse", metrics = "mae")
  x <- array(c(1, 3, 2, 0), c(2, 2, 1))
  result <- test_on_batch(model, x, array(0, c(2, 2, 1)))
  expect_equal(result, list(loss = (1 + 9 + 4) / 3, mae = 2), tolerance = 1e-6)
})

test_that("a step is kept while nothing changes, and made anew when something does", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(2) |> layer_dense(1)
  model |> compile(optimizer_sgd(0.1), loss = "mse")
  self <- layer_object(model)
  x <- matrix(1:8 / 8, 4)
  train_on_batch(model, x, 1:4)
  step <- step_for(self, "train")
  train_on_batch(model, x, 1:4)
  expect_identical(step_for(self, "train"), step)
  layer_lstm(units = 2)(array(0, c(1, 2, 2)))
  expect_identical(step_for(self, "train"), step)
  model$layers[[1]]$trainable <- FALSE
  before <- get_weights(model$layers[[1]])
  train_on_batch(model, x, 1:4)
  expect_identical(get_weights(model$layers[[1]]), before)
  expect_false(identical(step_for(self, "train"), step))
  model$layers[[1]]$trainable <- TRUE
  train_on_batch(model, x, 1:4)
  expect_false(identical(get_weights(model$layers[[1]]), before))
})

test_that("what is known of a model follows its changes", {
  model <- keras_model_sequential(input_batch_shape = c(2, 3)) |> layer_dense(4)
  self <- layer_object(model)
  facts <- model_facts(self)
  expect_equal(facts$fixed_batch_size, 2)
  expect_equal(facts$outputs[[1]]$shape, c(2, 4))
  model |> layer_dense(1)
  expect_equal(model_facts(self)$outputs[[1]]$shape, c(2, 1))
  expect_identical(model_facts(self), model_facts(self))
})
