# Closures in compile(): made of ops they are in the plan; a metric that looks at numbers gets them after the plan.

set.seed(1)
x <- array(rnorm(24 * 5 * 3), c(24, 5, 3))
y <- matrix(rnorm(24))

model_with <- function(..., loss = "mse", outputs = 1, masked = FALSE, run_eagerly = FALSE) {
  set.seed(2)
  model <- keras_model_sequential(input_shape = c(5, 3))
  if (masked) model <- layer_masking(model, mask_value = 9)
  model <- model |> layer_gru(2, return_sequences = masked) |> layer_dense(outputs)
  model |> compile("sgd", loss = loss, run_eagerly = run_eagerly, ...)
  model
}

# Plan runs and single ops of four batches.
work_of <- function(model, x, y, run = fit) {
  set.seed(3)
  run(model, x, y, batch_size = 6, verbose = 0)
  before <- r_counts()
  run(model, x, y, batch_size = 6, verbose = 0)
  r_counts() - before
}

largest_error <- function(y_true, y_pred) max(abs(as.array(y_true) - as.array(y_pred)))

test_that("a closure made of ops is traced into the plan, as a loss and as a metric", {
  loss <- function(y_true, y_pred) op_mean(op_square(y_true - y_pred), axis = -1)
  built_in <- model_with(metrics = "mae")
  own <- model_with(loss = loss, metrics = list(mae = function(y_true, y_pred) op_abs(y_true - y_pred)))
  work <- work_of(own, x, y)
  expect_equal(work[["plan_runs"]], 4)
  expect_equal(work, work_of(built_in, x, y))
  expect_equal(get_weights(own), get_weights(built_in), tolerance = 1e-6)
})

test_that("a metric that looks at numbers is computed after the plan, and the step stays in the plan", {
  model <- model_with(metrics = list("mae", worst = largest_error))
  work <- work_of(model, x, y)
  expect_equal(work[["plan_runs"]], 4)
  expect_equal(work_of(model, x, y, evaluate)[["plan_runs"]], 4)
  result <- evaluate(model, x, y, batch_size = 24)
  expect_equal(result$worst, max(abs(y - predict(model, x))), tolerance = 1e-6)
  expect_equal(result$mae, mean(abs(y - predict(model, x))), tolerance = 1e-6)
  plain <- model_with(metrics = "mae")
  fit(plain, x, y, batch_size = 6, shuffle = FALSE, verbose = 0)
  watched <- model_with(metrics = list("mae", worst = largest_error))
  history <- fit(watched, x, y, batch_size = 6, shuffle = FALSE, verbose = 0)
  expect_same_bits(get_weights(watched), get_weights(plain))
  eager <- model_with(metrics = list("mae", worst = largest_error), run_eagerly = TRUE)
  expect_identical(fit(eager, x, y, batch_size = 6, shuffle = FALSE, verbose = 0)$metrics, history$metrics)
})

test_that("late metrics see masks and weights, of every output, and keep a state of their own", {
  padded <- x
  padded[1:10, 4:5, ] <- 9
  targets <- array(y[, rep(1, 5)], c(24, 5, 1))
  seen <- NULL
  metric_seen <- Metric("Seen",
    initialize = function(name = "seen", ...) {
      super$initialize(name = name, ...)
      self$count <- self$add_variable(shape(), "zeros", name = "count")
    },
    update_state = function(y_true, y_pred, sample_weight = NULL) {
      self$count$assign_add(1)
      seen <<- list(mask = as.array(tensor_mask(y_pred)), weight = as.array(sample_weight))
    },
    result = function() self$count
  )
  model <- model_with(weighted_metrics = list(metric_seen()), masked = TRUE)
  history <- fit(model, padded, targets, sample_weight = matrix(1:24), batch_size = 12, shuffle = FALSE, epochs = 2, verbose = 0)
  expect_equal(history$metrics$seen, c(2, 2))
  expect_equal(seen$mask, matrix(TRUE, 12, 5))
  evaluate(model, padded[1:12, , ], targets[1:12, , , drop = FALSE], sample_weight = matrix(1:12))
  expect_equal(seen$mask, padded[1:12, , 1] != 9)
  expect_equal(as.vector(seen$weight), as.numeric(1:12))
})

test_that("with several outputs a late metric gets its own", {
  input <- keras_input(c(5, 3))
  hidden <- layer_gru(input, 2)
  set.seed(1)
  model <- keras_model(input, list(a = layer_dense(hidden, 1, name = "a"), b = layer_dense(hidden, 2, name = "b")))
  model |> compile("sgd", loss = "mse", metrics = list(b = list(worst = largest_error)))
  two <- cbind(y, -y)
  work <- work_of(model, x, list(a = y, b = two))
  expect_equal(work[["plan_runs"]], 4)
  result <- evaluate(model, x, list(a = y, b = two))
  expect_named(result, c("a_loss", "b_loss", "b_worst", "loss"))
  expect_equal(result$b_worst, max(abs(two - predict(model, x)$b)), tolerance = 1e-6)
  expect_equal(result$loss, result$a_loss + result$b_loss, tolerance = 1e-6)
})

test_that("a loss that looks at numbers cuts the step in two, with the same result", {
  loss <- function(y_true, y_pred) {
    if (length(as.array(y_pred)) == 0) return(op_zeros(1))
    op_square(y_true - y_pred)
  }
  model <- model_with(loss = loss)
  expect_equal(work_of(model, x, y)[["plan_runs"]], 8)
  again <- model_with()
  work_of(again, x, y)
  expect_equal(get_weights(model), get_weights(again), tolerance = 1e-6)
})
