# Data that come batch by batch: functions and data sets in fit(), evaluate() and predict().

x <- matrix(round(sin(1:24), 3), 12)
y <- x[, 1] - x[, 2]

small_model <- function(input_shape = 2) {
  set.seed(1)
  model <- keras_model_sequential(input_shape = input_shape) |> layer_dense(1)
  model |> compile(optimizer_sgd(0.1), loss = "mse", metrics = "mae")
  model
}

# A function that gives the batches of `size` samples `passes` times, NULL after each pass.
batches_of <- function(size, passes = Inf, parts = list(x, y)) {
  starts <- seq(1, 12, by = size)
  k <- 0
  pass <- 1
  function() {
    if (pass > passes) return(NULL)
    if (k == length(starts)) {
      k <<- 0
      pass <<- pass + 1
      return(NULL)
    }
    k <<- k + 1
    rows <- seq(starts[[k]], length.out = size)
    lapply(parts, function(part) if (is.matrix(part)) part[rows, , drop = FALSE] else part[rows])
  }
}

# The same without an end.
endless_batches <- function(...) {
  draw <- batches_of(...)
  function() draw() %||% draw()
}

trained <- function(...) {
  model <- small_model()
  history <- fit(model, ...)
  list(history$metrics, get_weights(model), as.numeric(model$optimizer$iterations))
}

test_that("a function that gives the batches trains like the array", {
  want <- trained(x, y, batch_size = 4, shuffle = FALSE, epochs = 3)
  expect_identical(trained(endless_batches(4), steps_per_epoch = 3, epochs = 3), want)
  expect_identical(trained(batches_of(4), epochs = 3), want)
})

test_that("sample weights and class weights come through", {
  weights <- seq(0.5, 1.6, by = 0.1)
  want <- trained(x, y, sample_weight = weights, batch_size = 4, shuffle = FALSE)
  expect_identical(trained(batches_of(4, parts = list(x, y, weights))), want)
  expect_identical(trained(batches_of(4, parts = list(sample_weight = weights, y = y, x = x))), want)
})

test_that("an epoch of fewer steps goes on where the last one ended", {
  want <- trained(x, y, batch_size = 4, shuffle = FALSE, epochs = 3)
  expect_identical(trained(endless_batches(4), steps_per_epoch = 9)[-1], want[-1])
  expect_identical(trained(x, y, batch_size = 4, shuffle = FALSE, steps_per_epoch = 9)[-1], want[-1])
})

test_that("data that end too early stop the training, with a warning", {
  expect_warning(short <- trained(batches_of(4, passes = 2), steps_per_epoch = 4, epochs = 9), "epoch 2",
                 class = "birnn_warning_data")
  expect_equal(short[[3]], 6)
  expect_length(short[[1]]$loss, 2)
  expect_warning(short <- trained(batches_of(4, passes = 1), epochs = 5), "epoch 2", class = "birnn_warning_data")
  expect_length(short[[1]]$loss, 1)
})

test_that("validation, evaluation and prediction take functions too", {
  want <- trained(x, y, batch_size = 4, shuffle = FALSE, epochs = 2, validation_data = list(x, y))
  expect_equal(trained(batches_of(4), epochs = 2, validation_data = batches_of(4)), want)
  expect_equal(trained(batches_of(4), epochs = 2, validation_data = endless_batches(4), validation_steps = 3), want)
  model <- small_model()
  expect_equal(evaluate(model, batches_of(4)), evaluate(model, x, y, batch_size = 4))
  expect_equal(evaluate(model, endless_batches(4), steps = 2), evaluate(model, x[1:8, ], y[1:8], batch_size = 4))
  expect_equal(predict(model, batches_of(4, parts = list(x))), predict(model, x))
  expect_equal(predict(model, batches_of(4)), predict(model, x))
  expect_equal(predict(model, endless_batches(4), steps = 2), predict(model, x[1:8, ]))
})

test_that("a validation that has no more data is left out, with a warning", {
  expect_warning(short <- trained(x, y, epochs = 2, validation_data = batches_of(4, passes = 1)), "validation_data",
                 class = "birnn_warning_data")
  expect_length(short[[1]]$val_loss, 1)
})

test_that("a model without input shape learns it from the first batch, which is not lost", {
  set.seed(1)
  model <- keras_model_sequential() |> layer_dense(1)
  model |> compile(optimizer_sgd(0.1), loss = "mse", metrics = "mae")
  count <- 0
  draw <- batches_of(4)
  fit(model, function() {
    count <<- count + 1
    draw()
  })
  expect_equal(count, 4)
  expect_identical(get_weights(model), trained(x, y, batch_size = 4, shuffle = FALSE)[[2]])
})

test_that("factors in batches are read by the levels of the first one", {
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(2, activation = "softmax")
  model |> compile("sgd", loss = "sparse_categorical_crossentropy")
  labels <- factor(rep(c("b", "a", "c"), 4), levels = c("a", "b", "c"))[x[, 1] < 2][1:12]
  labels[labels == "c"] <- "a"
  fit(model, batches_of(4, parts = list(x, droplevels(labels))))
  expect_equal(model$label_levels, list(c("a", "b")))
})

test_that("several inputs come by order or name", {
  a <- keras_input(1, name = "a")
  b <- keras_input(1, name = "b")
  model <- keras_model(list(a, b), layer_dense(a, 1, kernel_initializer = "ones") +
                         layer_dense(b, 1, kernel_initializer = "ones"))
  model |> compile("sgd", loss = "mse")
  whole <- predict(model, list(a = x[, 1, drop = FALSE], b = x[, 2, drop = FALSE]))
  once <- function(batch) {
    given <- FALSE
    function() {
      if (given) return(NULL)
      given <<- TRUE
      batch
    }
  }
  parts <- list(b = x[, 2, drop = FALSE], a = x[, 1, drop = FALSE])
  expect_equal(predict(model, once(parts)), whole)
  expect_equal(predict(model, once(list(unname(rev(parts))))), whole)
  expect_equal(evaluate(model, once(list(parts, y))), evaluate(model, parts, y))
})

test_that("the progress bar knows the steps after the first pass", {
  expect_output(fit(small_model(), batches_of(4), epochs = 2, verbose = 2), "3/3 .*3/3 ")
})

test_that("arguments that make no sense with batches are refused", {
  model <- small_model()
  draw <- batches_of(4)
  expect_refused(fit(model, draw, y), "value", list(model))
  expect_refused(fit(model, draw, batch_size = 4), "value", list(model))
  expect_refused(fit(model, draw, validation_split = 0.5), "value", list(model))
  expect_refused(evaluate(model, draw, sample_weight = y), "value", list(model))
  expect_refused(fit(model, function() NULL), "value", list(model))
  expect_refused(fit(model, function() list(x, y, y, y)), "value", list(model))
  expect_refused(fit(model, function() list(x)), "value", list(model))
  expect_refused(evaluate(model, function() NULL), "value", list(model))
  expect_refused(predict(model, function() NULL), "value", list(model))
})

test_that("a model with a fixed batch size takes batches of that size only", {
  model <- keras_model_sequential(input_batch_shape = c(3, 2)) |> layer_dense(1)
  model |> compile("sgd", loss = "mse")
  expect_refused(fit(model, batches_of(4)), "state", list(model))
  expect_length(fit(model, batches_of(3))$metrics$loss, 1)
})

test_that("batches without an end need a number of steps", {
  model <- small_model()
  windows <- timeseries_generator(x, y, length = 1, batch_size = 4)
  flat <- function() {
    batch <- windows()
    list(array(batch[[1]], c(4, 2)), batch[[2]])
  }
  attr(flat, "endless") <- TRUE
  expect_error(fit(model, windows), "steps_per_epoch", class = "birnn_error_value")
  expect_error(fit(model, x, y, validation_data = flat), "validation_steps", class = "birnn_error_value")
  expect_error(evaluate(model, flat), "steps", class = "birnn_error_value")
  expect_error(predict(model, flat), "steps", class = "birnn_error_value")
  unbounded <- list(steps = NA_integer_)
  expect_silent(tell_endless(unbounded, 9999L, "steps"))
  expect_silent(tell_endless(list(steps = 20000L), 10000L, "steps"))
  expect_message(tell_endless(unbounded, 10000L, "steps_per_epoch"), "steps_per_epoch", class = "birnn_message_endless")
})
