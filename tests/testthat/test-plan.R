# A step with everything in it: a weight, a counter, a loss, an input that may be absent.
example_step <- function(eager, optimizer = NULL) {
  w <- keras_variable(c(0.5, -0.25), name = "w")
  count <- new_variable(0, dtype = "float64", trainable = FALSE, name = "count")
  fn <- function(inputs) {
    prediction <- op_sum(op_multiply(inputs[[1]], w), axis = -1)
    error <- op_square(op_subtract(prediction, inputs[[2]]))
    if (!is.null(inputs[[3]])) error <- op_multiply(error, inputs[[3]])
    assign_variable(count, op_add(count, op_cast(op_sum(op_ones_like(prediction)), "float64")))
    list(outputs = list(prediction), loss = op_mean(error))
  }
  list(step = new_step(fn, trainable = list(w), optimizer = optimizer, eager = eager), w = w, count = count)
}

x <- matrix(c(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 5)
y <- c(1, 0, -1, 2, 1)

test_that("a plan and an eager step have the same bits, for every batch size", {
  for (weighted in c(FALSE, TRUE)) {
    results <- lapply(c(TRUE, FALSE), function(eager) {
      example <- example_step(eager, optimizer_adam(0.1))
      weights <- if (weighted) c(1, 2, 0.5, 0.1, 3)
      runs <- lapply(list(1:3, 4:5, 1:5, NULL), function(rows) {
        result <- run_step(example$step, list(x, y, weights), rows)
        list(as.array(result$outputs[[1]]), result$loss, result$finite)
      })
      list(runs, as.numeric(example$w), as.numeric(example$count))
    })
    expect_identical(results[[1]], results[[2]])
    expect_identical(results[[1]][[3]], 15)
  }
})

test_that("a step whose loss is not finite changes nothing", {
  for (eager in c(TRUE, FALSE)) {
    example <- example_step(eager, optimizer_sgd(0.1))
    result <- run_step(example$step, list(x, c(y[-5], NaN), NULL))
    expect_false(result$finite)
    expect_identical(as.numeric(example$w), c(0.5, -0.25))
    expect_identical(as.numeric(example$count), 0)
    forced <- run_step(example$step, list(x, c(y[-5], NaN), NULL), commit_nonfinite = TRUE)
    expect_true(all(is.nan(as.numeric(example$w))))
  }
})

test_that("constraints hold after the update, in plan and eager", {
  for (eager in c(TRUE, FALSE)) {
    example <- example_step(eager, optimizer_sgd(0.1))
    example$w$constraint <- constraint_nonneg()
    run_step(example$step, list(x, y, NULL))
    expect_true(all(as.numeric(example$w) >= 0))
  }
})

test_that("a step that looks at numbers runs eagerly", {
  v <- keras_variable(2)
  fn <- function(inputs) list(outputs = list(op_multiply(inputs[[1]], as.numeric(op_square(inputs[[1]])))))
  step <- new_step(fn)
  expect_identical(as.numeric(run_step(step, list(array(3, 1)))$outputs[[1]]), 27)
  expect_true(step$eager)
})

test_that("plans are traced anew after serialization", {
  example <- example_step(FALSE, optimizer_sgd(0.1))
  run_step(example$step, list(x, y, NULL))
  again <- unserialize(serialize(example$step, NULL))
  expect_identical(run_step(again, list(x, y, NULL))$loss, run_step(example$step, list(x, y, NULL))$loss)
})

test_that("a row that does not exist is an error", {
  example <- example_step(FALSE)
  expect_error(run_step(example$step, list(x, y, NULL), rows = 6L), class = "ValueError")
})

test_that("a prediction uses the weights as they are, however they were changed", {
  model <- keras_model_sequential(input_shape = c(NA, 2)) |>
    layer_bidirectional(layer_lstm(units = 3)) |>
    layer_dense(1)
  model |> compile("sgd", loss = "mse")
  x <- array(seq(-1, 1, length.out = 24), c(3, 4, 2))
  expect_up_to_date <- function() {
    for (rows in list(1:3, 1L)) {
      part <- x[rows, , , drop = FALSE]
      for (k in 1:2) expect_identical(predict(model, part, verbose = 0), as.array(model(part)))
    }
  }
  expect_up_to_date()
  set_weights(model, lapply(get_weights(model), function(weight) weight + 0.1))
  expect_up_to_date()
  fit(model, x, c(1, 2, 3), verbose = 0)
  expect_up_to_date()
  model$layers[[1]]$weights[[2]]$assign(array(0.5, c(3, 12)))
  expect_up_to_date()
})
