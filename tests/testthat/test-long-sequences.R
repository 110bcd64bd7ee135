# 200,000 time steps: no recursion over time, nothing kept after a call, freed in linear time.

long_input <- function(time, batch = 1, features = 1) {
  array(sin(0.1 * seq_len(batch * time * features)), c(batch, time, features))
}

# Memory cells of R in use: while a tape of `length` nodes lives (beyond what was there before), and after it is gone.
count_tape <- function(length) {
  # What an object with a finalizer protects goes with the second collection.
  cells <- function() {
    gc()
    sum(gc()[, 1] * c(7, 1))
  }
  multiply <- function(x, y) birnn:::apply_op("multiply", list(x, y))
  v <- birnn::keras_variable(1)
  before <- cells()
  step <- birnn::with_gradient_tape({
    x <- multiply(v, v)
    for (k in seq_len(length - 1)) x <- multiply(x, v)
    x
  })
  kept <- cells() - before
  gradient <- as.numeric(birnn::tape_gradients(step$tape, step$value, list(v))[[1]])
  rm(step, envir = environment())
  list(kept = kept, left = cells() - before, gradient = gradient)
}
environment(count_tape) <- globalenv()

test_that("every cell goes through 200,000 steps, forwards, backwards and for the gradients", {
  withr::local_seed(1)
  x <- long_input(200000)
  for (cell in names(recurrent_cells)) {
    layer <- layer_bidirectional(layer = make_recurrent(cell, 2))
    layer(as_tensor(x[, 1:2, , drop = FALSE]))
    f <- function(inputs) op_sum(layer(inputs[[1]]))
    found <- value_and_gradients(f, list(as_tensor(x)), layer_variables(layer))
    expect_true(is.finite(found$value), info = cell)
    expect_true(all(is.finite(unlist(found$variables))), info = cell)
    expect_equal(dim(found$inputs[[1]]), dim(x))
    expect_true(all(is.finite(found$inputs[[1]])), info = cell)
  }
})

test_that("a model trains on 200,000 steps", {
  withr::local_seed(2)
  model <- keras_model_sequential(input_shape = c(NA, 1)) |>
    layer_bidirectional(layer_lstm(units = 2)) |>
    layer_dense(1)
  model |> compile(optimizer = "sgd", loss = "mse")
  history <- model |> fit(long_input(200000), matrix(1), epochs = 2, verbose = 0)
  expect_true(all(is.finite(history$metrics$loss)))
  expect_true(all(is.finite(unlist(get_weights(model)))))
})

test_that("a tape of 200,000 nodes neither overflows nor leaks, and its memory grows with its length", {
  # The limit is a guard: freeing in quadratic time would take minutes.
  counts <- in_fresh_r(function(count_tape) lapply(c(2000, 50000, 200000), count_tape), count_tape, limit = 180)
  kept <- vapply(counts, `[[`, numeric(1), "kept")
  left <- vapply(counts, `[[`, numeric(1), "left")
  expect_equal(vapply(counts, `[[`, numeric(1), "gradient"), c(2001, 50001, 200001))
  expect_equal(kept[[3]] / kept[[2]], 4, tolerance = 0.25)
  expect_lt(max(left[-1]), 0.02 * kept[[2]])
})

resident_megabytes <- function() {
  line <- grep("^VmRSS:", readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}

test_that("repeated long calls keep nothing", {
  skip_if_not(file.exists("/proc/self/status"), "needs /proc to read the size of the process")
  withr::local_seed(3)
  layer <- layer_bidirectional(layer = layer_lstm(units = 8))
  x <- as_tensor(long_input(50000))
  run <- function() {
    value_and_gradients(function(inputs) op_sum(layer(inputs[[1]])), list(x), layer_variables(layer))
    gc()
    resident_megabytes()
  }
  layer(x)
  sizes <- vapply(1:8, function(k) run(), numeric(1))
  # One call saves more than 30 MB for its gradient.
  expect_lt(max(sizes[5:8]) - max(sizes[2:4]), 32)
})
