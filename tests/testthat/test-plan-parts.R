# R code that looks at numbers stands alone: everything before and behind it is in plans, and the bits are those of the
# eager path.

set.seed(1)
x <- array(rnorm(24 * 5 * 3), c(24, 5, 3))
y <- matrix(rnorm(48), 24)

# Layers and losses that cannot be traced, each with as many ops as it does.
scaling_layer <- Layer("Scaling",
  build = function(input_shape) self$scale <- self$add_weight(shape(tail(input_shape, 1)), initializer = "ones"),
  call = function(inputs) {
    if (mean(as.array(inputs)) > 100) return(inputs)
    op_multiply(inputs, self$scale)
  },
  compute_output_shape = function(input_shape) input_shape
)
looking_loss <- function(y_true, y_pred) {
  factor <- if (isTRUE(max(as.array(y_true)) > 1)) 2 else 1
  op_multiply(op_square(op_subtract(y_pred, y_true)), factor)
}

# The model trained for some epochs: in a fresh process of the same seeds, eagerly or not.
trained <- function(build, eager, x, y, ..., metrics = NULL, loss = "mse") {
  clear_session()
  set_random_seed(3)
  model <- build()
  model |> compile(optimizer_adam(weight_decay = 0.01), loss = loss, metrics = metrics, run_eagerly = eager)
  history <- fit(model, x, y, batch_size = 10, epochs = 2, ..., verbose = 0)
  list(model = model, found = list(history$metrics, get_weights(model), predict(model, x, verbose = 0),
                                   evaluate(model, x, y, verbose = 0), stats::runif(1)))
}

expect_same_bits <- function(build, ..., inputs = x, targets = y) {
  eager <- trained(build, TRUE, inputs, targets, ...)
  parts <- trained(build, FALSE, inputs, targets, ...)
  expect_identical(parts$found, eager$found)
  expect_false(any(vapply(parts$model$steps, function(step) step$run$eager, NA)))
  invisible(parts$model)
}

plain <- function() {
  keras_model_sequential(input_shape = c(5, 3)) |> layer_gru(units = 4) |> layer_dropout(0.3) |> layer_dense(2)
}

# Ops and plans that an update of one more batch of 4 takes, on average over four.
counts_of_a_step <- function(model, x, y) {
  run <- function(rows) {
    before <- r_counts()
    fit(model, x[rows, , , drop = FALSE], y[rows, , drop = FALSE], batch_size = 4, shuffle = FALSE, verbose = 0)
    r_counts() - before
  }
  run(1:8)
  (run(1:24) - run(1:8))[c("plan_runs", "eager_ops")] / 4
}

test_that("a loss that looks at numbers leaves model and metrics in the plan", {
  model <- expect_same_bits(plain, loss = looking_loss, metrics = "mae")
  # Two plans; the loss' subtract, square and multiply.
  expect_equal(counts_of_a_step(model, x, y), c(plan_runs = 2, eager_ops = 3))
})

test_that("a loss made of ops only is traced", {
  model <- expect_same_bits(plain, loss = function(y_true, y_pred) op_mean(op_abs(y_pred - y_true), axis = -1))
  expect_equal(counts_of_a_step(model, x, y), c(plan_runs = 1, eager_ops = 0))
})

test_that("a layer that looks at numbers is alone in doing so, and its weights are trained", {
  build <- function() {
    keras_model_sequential(input_shape = c(5, 3)) |>
      layer_gru(units = 4, return_sequences = TRUE) |>
      scaling_layer(name = "middle") |>
      layer_lstm(units = 3) |>
      layer_dense(2, kernel_regularizer = "l2")
  }
  model <- expect_same_bits(build, metrics = "mae")
  expect_equal(counts_of_a_step(model, x, y), c(plan_runs = 2, eager_ops = 1))
  scale <- as.array(get_layer(model, "middle")$scale)
  expect_false(any(scale == 1))
})

sequence_model <- function(...) {
  function() {
    model <- keras_model_sequential(input_shape = c(5, 3)) |> layer_gru(units = 4, return_sequences = TRUE)
    for (layer in list(...)) model <- layer()(model)
    model |> layer_lstm(units = 3) |> layer_dense(2)
  }
}

test_that("lambdas, activations, regularizers and constraints that look at numbers are left to R as well", {
  grows <- function(x) if (sum(as.array(x)) > 0) op_tanh(x) else op_multiply(x, 0.5)
  as_layer <- function(x) op_multiply(x, max(abs(as.array(x))))
  largest <- function(w) op_multiply(op_max(op_abs(w)), if (any(as.array(w) > 0)) 0.1 else 0.2)
  shrink <- function(w) if (max(abs(as.array(w))) > 0.1) op_multiply(w, 0.9) else w
  expect_same_bits(sequence_model(function() layer_lambda(f = as_layer, output_shape = c(5L, 4L))))
  expect_same_bits(function() plain() |> layer_dense(2, activation = grows, input_shape = 2))
  expect_same_bits(function() plain() |> layer_dense(2, kernel_regularizer = largest))
  expect_same_bits(function() plain() |> layer_dense(2, kernel_constraint = shrink))
})

test_that("what goes around, through and into such a layer comes out right: skips, masks, lists, random numbers", {
  noisy <- Layer("Noisy",
    initialize = function(...) {
      super$initialize(...)
      self$supports_masking <- TRUE
      self$seed <- random_seed_generator(4)
      self$drop <- layer_dropout(rate = 0.4)
      self$calls <- self$add_weight(shape(), initializer = "zeros", trainable = FALSE, name = "calls")
    },
    call = function(inputs, mask = NULL, training = FALSE) {
      stopifnot(is.null(mask) || is.logical(as.array(mask[[1]])))
      self$calls$assign_add(1)
      self$add_loss(op_multiply(op_mean(op_square(inputs[[1]])), 0.01 + 0 * as.numeric(op_sum(inputs[[2]]))))
      shift <- as_tensor(array(stats::runif(4), c(1, 1, 4)))
      list(self$drop(op_add(inputs[[1]], shift), training = training), inputs[[2]])
    },
    compute_output_shape = function(input_shape) input_shape
  )
  build <- function() {
    input <- keras_input(c(5, 3))
    masked <- layer_masking(input, 0)
    first <- layer_gru(masked, units = 4, return_sequences = TRUE, dropout = 0.2)
    second <- layer_batch_normalization(layer_dense(masked, 4))
    mixed <- noisy()(list(first, second))
    joined <- layer_add(list(mixed[[1]], mixed[[2]], first, second))
    keras_model(input, layer_dense(layer_lstm(joined, units = 3, recurrent_dropout = 0.1), 2))
  }
  padded <- x
  padded[1:9, 3:5, ] <- 0
  expect_same_bits(build, inputs = padded, metrics = list("mae", function(a, b) abs(as.array(b) - as.array(a))))
})

test_that("a layer inside a layer, a layer that only looks, and a cell work", {
  looking <- Layer("Looking", call = function(inputs) {
    stopifnot(all(is.finite(as.array(inputs))))
    inputs
  }, compute_output_shape = function(input_shape) input_shape)
  outer <- Layer("Outer",
    initialize = function(...) {
      super$initialize(...)
      self$inner <- list(looking(), scaling_layer())
    },
    build = function(input_shape) for (layer in self$inner) layer$build(input_shape),
    call = function(inputs) {
      for (layer in self$inner) inputs <- op_add(inputs, layer(inputs))
      if (is.nan(as.numeric(op_max(inputs)))) inputs else op_tanh(inputs)
    },
    compute_output_shape = function(input_shape) input_shape
  )
  expect_same_bits(sequence_model(looking, outer, looking))
  cell <- Layer("LookingCell",
    initialize = function(units, ...) {
      super$initialize(...)
      self$units <- self$state_size <- units
    },
    build = function(input_shape) self$kernel <- self$add_weight(shape(tail(input_shape, 1), self$units)),
    call = function(inputs, states) {
      h <- op_tanh(op_add(op_matmul(inputs, self$kernel), states[[1]]))
      if (any(as.array(h) > 2)) stop("large")
      list(h, list(h))
    },
    compute_output_shape = function(input_shape) shape(input_shape[[1]], self$units)
  )
  expect_same_bits(function() keras_model_sequential(input_shape = c(5, 3)) |> layer_rnn(cell(units = 4)) |> layer_dense(2))
})

test_that("losses of classes and of models, and one of several losses, are left to R alone", {
  class <- Loss("Looking", call = function(y_true, y_pred) looking_loss(y_true, y_pred))
  expect_same_bits(plain, loss = class())
  two <- function() {
    input <- keras_input(c(5, 3))
    state <- layer_lstm(input, units = 3)
    keras_model(input, list(a = layer_dense(state, 2, name = "a"), b = layer_dense(state, 2, name = "b")))
  }
  expect_same_bits(two, loss = list(a = looking_loss, b = "mae"), targets = list(a = y, b = y))
  own <- Model("Own",
    initialize = function(...) {
      super$initialize(...)
      self$state <- layer_gru(units = 3)
      self$top <- layer_dense(units = 2)
    },
    call = function(inputs) self$top(self$state(inputs)),
    compute_loss = function(x, y, y_pred, sample_weight = NULL, training = TRUE) op_mean(looking_loss(y, y_pred))
  )
  expect_same_bits(own)
})

test_that("a weight that only unused outputs know is left alone", {
  build <- function() {
    input <- keras_input(c(5, 3))
    state <- layer_lstm(input, units = 3)
    keras_model(input, list(a = layer_dense(state, 2, name = "a"), b = layer_dense(state, 2, name = "b")))
  }
  model <- expect_same_bits(build, loss = list(a = looking_loss, b = NULL), targets = list(a = y, b = y),
                            metrics = list(b = "mae"))
  expect_identical(as.array(get_layer(model, "b")$bias), array(0, 2))
})

test_that("an error in such code leaves everything as it was, and the next batch goes on", {
  for (eager in c(TRUE, FALSE)) {
    state <- new.env()
    state$fails <- FALSE
    loss <- function(y_true, y_pred) {
      if (state$fails) stop("not today")
      looking_loss(y_true, y_pred)
    }
    set_random_seed(2)
    model <- keras_model_sequential(input_shape = c(5, 3)) |> layer_gru(units = 2) |> layer_batch_normalization() |>
      layer_dense(2)
    model |> compile("adam", loss = loss, run_eagerly = eager)
    train_on_batch(model, x, y)
    before <- list(get_weights(model), lapply(model$optimizer$variables, as.array))
    state$fails <- TRUE
    expect_error(train_on_batch(model, x, y), "not today")
    expect_identical(list(get_weights(model), lapply(model$optimizer$variables, as.array)), before)
    state$fails <- FALSE
    found <- list(train_on_batch(model, x, y), get_weights(model))
    if (eager) expected <- found else expect_identical(found, expected)
  }
})

test_that("a loss that is not finite changes nothing", {
  set_random_seed(2)
  model <- plain()
  model |> compile("adam", loss = looking_loss)
  before <- get_weights(model)
  expect_error(train_on_batch(model, x, replace(y, 3, NaN)), class = "birnn_error_numeric")
  expect_identical(get_weights(model), before)
})

test_that("what such code returns may change its form from batch to batch", {
  changing <- function(x) {
    values <- as.array(x)
    if (values[[1]] > 0) op_multiply(x, 2) else op_concatenate(list(x, x), axis = 2)
  }
  build <- function() {
    keras_model_sequential(input_shape = c(5, 3)) |>
      layer_lambda(changing, output_shape = c(NA, 3)) |>
      layer_gru(units = 3) |>
      layer_dense(2)
  }
  expect_same_bits(build)
})

test_that("a model with such code trains on after it was stored, and tells no work space", {
  set_random_seed(2)
  model <- plain()
  model |> compile("adam", loss = looking_loss)
  train_on_batch(model, x, y)
  again <- unserialize(serialize(model, NULL))
  expect_identical(train_on_batch(again, x, y), train_on_batch(model, x, y))
  expect_identical(is.na(work_space(model)), c(predict = FALSE, train = TRUE))
})
