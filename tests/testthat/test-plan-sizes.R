# Batches of many lengths: one plan for all of them, with the bits of the eager path.

set.seed(1)
batch_of <- function(n, time, features = 3) array(stats::rnorm(n * time * features), c(n, time, features))

# Losses and weights after batches of these lengths. `make_y(n, time)` makes the targets.
trained_on <- function(build, lengths, eager, make_y = function(n, time) array(cos(1:n), c(n, 1))) {
  clear_session(free_memory = FALSE)
  set_random_seed(2)
  model <- build()
  model |> compile("adam", loss = "mse", metrics = "mae", run_eagerly = eager)
  found <- lapply(seq_along(lengths), function(k) {
    n <- 2L + k %% 3L
    x <- array(sin(seq_len(n * lengths[[k]] * 3)), c(n, lengths[[k]], 3))
    list(train_on_batch(model, x, make_y(n, lengths[[k]])), predict(model, x, verbose = 0))
  })
  list(found = c(found, get_weights(model)), plans = length(model$steps$train$run$plans))
}

expect_plans <- function(build, lengths, plans, ...) {
  one <- trained_on(build, lengths, FALSE, ...)
  expect_identical(one$found, trained_on(build, lengths, TRUE, ...)$found)
  expect_equal(one$plans, plans)
}

test_that("one plan does for all lengths but 1", {
  layers <- function() {
    keras_model_sequential(input_shape = c(NA, 3)) |>
      layer_masking(2) |>
      layer_bidirectional(layer_lstm(units = 3, return_sequences = TRUE, dropout = 0.2)) |>
      layer_layer_normalization()
  }
  expect_plans(function() layers() |> layer_gru(units = 2) |> layer_dense(1), c(4, 6, 5, 9, 1, 2, 1, 12), 2)
  # The targets are as long as the sequences.
  expect_plans(function() layers() |> layer_dense(1), c(4, 6, 5, 1, 9), 2, function(n, time) array(0.5, c(n, time, 1)))
  expect_plans(function() layers() |> layer_global_average_pooling_1d() |> layer_dense(1), c(4, 6, 5, 9), 1)
})

test_that("lengths that change by themselves are told apart", {
  a <- keras_input(c(NA, 2))
  b <- keras_input(c(NA, 2))
  model <- keras_model(list(a, b), layer_dense(layer_concatenate(layer_gru(a, units = 2), layer_lstm(b, units = 2)), 1))
  for (lengths in list(c(3, 3), c(4, 4), c(5, 6), c(6, 5), c(7, 7))) {
    x <- lapply(lengths, function(time) array(cos(seq_len(2 * time)), c(1, time, 2)))
    expect_identical(predict(model, x, verbose = 0), as.array(model(lapply(x, as_tensor))))
  }
  expect_length(model$steps$predict$run$plans, 1)
  # Targets of another length are refused in the words of R, also where a plan is there.
  same <- keras_model(a, layer_dense(layer_gru(a, units = 2, return_sequences = TRUE), 1))
  same |> compile("sgd", "mse")
  for (time in 4:6) train_on_batch(same, batch_of(2, time, 2), array(0, c(2, time, 1)))
  expect_error(train_on_batch(same, batch_of(2, 6, 2), array(0, c(2, 5, 1))), class = "birnn_error_shape")
})

test_that("R code of the user's may look at the length: then each length has its plan", {
  build <- function() {
    keras_model_sequential(input_shape = c(NA, 3)) |>
      layer_lambda(function(x) if (isTRUE(dim(x)[[2]] > 6)) x * 2 else x) |>
      layer_gru(units = 2) |>
      layer_dense(1)
  }
  expect_plans(build, c(4, 5, 7, 8, 4), 4)
  metric <- custom_metric("long", function(y_true, y_pred) op_mean(y_pred, axis = -1))
  model <- keras_model_sequential(input_shape = c(NA, 3)) |> layer_gru(units = 2) |> layer_dense(1)
  model |> compile("sgd", "mse", metrics = metric)
  for (time in 2:4) train_on_batch(model, batch_of(2, time), c(1, 2))
  expect_length(model$steps$train$run$plans, 3)
})

test_that("of plans that cannot be merged, those used last are kept", {
  model <- keras_model_sequential(input_shape = c(NA, 3)) |> layer_lambda(function(x) x * 2) |> layer_gru(units = 1)
  for (time in 2:40) predict(model, batch_of(1, time), verbose = 0)
  plans <- model$steps$predict$run$plans
  expect_length(plans, kept_plans)
  predict(model, batch_of(1, 9), verbose = 0)
  predict(model, batch_of(1, 41), verbose = 0)
  lengths <- vapply(model$steps$predict$run$plans, function(plan) r_plan_table(plan)$metas[[1]]$shape[[2]], 1L)
  expect_setequal(lengths, c(9L, 11:41))
})
