# Memory: calls that are repeated leave nothing behind, and graphs of many operations are freed at once.

# Bytes in use in the process, and R's cells and vectors. R gives empty pages of its heap back in several collections.
memory_use <- function() {
  for (k in 1:6) counts <- gc()
  c(bytes = birnn:::r_session_bytes(), cells = counts[1, 1], vectors = counts[2, 1])
}
environment(memory_use) <- globalenv()

# What each of `spans` times `calls` rounds of fit(), evaluate(), predict() and train_on_batch() adds to it.
growth_of_calls <- function(memory_use, spans, calls) {
  set.seed(1)
  model <- keras_model_sequential(input_shape = c(NA, 4)) |>
    layer_masking() |>
    layer_bidirectional(layer_lstm(units = 8, dropout = 0.1)) |>
    layer_batch_normalization() |>
    layer_dense(1)
  model |> compile("adam", "mse", metrics = "mae")
  x <- array(rnorm(320), c(32, 10, 4))
  y <- rnorm(32)
  run <- function(calls) {
    for (k in seq_len(calls)) {
      fit(model, x, y, batch_size = 16, verbose = 0)
      evaluate(model, x, y, verbose = 0)
      predict(model, x[seq_len(1 + k %% 8), seq_len(1 + k %% 10), , drop = FALSE], verbose = 0)
      train_on_batch(model, x, y)
    }
    memory_use()
  }
  run(40)
  apply(vapply(seq_len(spans + 1), function(k) run(calls), c(bytes = 0, cells = 0, vectors = 0)), 1, diff)
}
environment(growth_of_calls) <- globalenv()

test_that("calls of fit(), evaluate(), predict() and train_on_batch() do not grow the process", {
  # What a call leaves behind shows in every span; R's own tables grow now and then.
  growth <- in_fresh_r(growth_of_calls, memory_use, 4, 25)
  expect_lte(min(growth[, "cells"]), 0)
  expect_lte(min(growth[, "vectors"]), 0)
  if (!anyNA(growth)) expect_lte(min(growth[, "bytes"]), 0)
})

test_that("1,000 calls of each do not grow it either", {
  skip_unless_all()
  growth <- in_fresh_r(growth_of_calls, memory_use, 10, 100, limit = 900)
  later <- colSums(growth[-1, ])
  expect_lte(later[["cells"]], 100)
  if (!anyNA(growth)) expect_lte(later[["bytes"]], 64 * 1024)
})

test_that("models that are made, trained and dropped leave nothing behind", {
  growth <- in_fresh_r(function(memory_use) {
    once <- function() {
      model <- keras_model_sequential(input_shape = c(5, 3)) |> layer_gru(units = 32) |> layer_dense(1)
      model |> compile("adam", "mse")
      fit(model, array(1, c(16, 5, 3)), rep(1, 16), verbose = 0)
      clear_session()
    }
    for (k in 1:10) once()
    before <- memory_use()
    for (k in 1:30) once()
    memory_use() - before
  }, memory_use)
  expect_lte(growth[["vectors"]], 30 * 100)
  # The weights and moments of one model are 42 kB, so 30 of them would be 1.2 MB.
  if (!is.na(growth[["bytes"]])) expect_lte(growth[["bytes"]], 256 * 1024)
})

test_that("a recorded graph of 10,000 operations is freed at once", {
  sizes <- in_fresh_r(function(memory_use) {
    v <- keras_variable(matrix(0.5, 10, 100))
    record <- function(operations) {
      with_gradient_tape({
        x <- op_tanh(v)
        for (k in seq_len(operations - 1)) x <- op_tanh(x)
        op_sum(x)
      })
    }
    # R's own heap grows with the first.
    record(10000)$tape$reset()
    before <- memory_use()
    step <- record(10000)
    while_held <- memory_use()
    step$tape$reset()
    after_reset <- memory_use()
    rm(step)
    list(held = while_held - before, reset = after_reset - before, gone = memory_use() - before)
  }, memory_use)
  # 10,000 times 1,000 numbers of 4 bytes.
  expect_gte(sizes$held[["vectors"]], 4e7 / 8)
  expect_lte(sizes$reset[["vectors"]], 5000)
  expect_lte(sizes$gone[["cells"]], 500)
  if (!is.na(sizes$gone[["bytes"]])) {
    expect_gte(sizes$held[["bytes"]], 4e7)
    # R's heap keeps some pages.
    expect_lte(sizes$gone[["bytes"]], 0.1 * sizes$held[["bytes"]])
  }
})

test_that("a model of thousands of operations is built, used and freed", {
  operations <- if (all_tests()) 10000 else 400
  found <- in_fresh_r(function(memory_use, operations) {
    use <- function(operations) {
      inputs <- x <- keras_input(3)
      for (k in seq_len(operations)) x <- x + 1
      predict(keras_model(inputs, x), matrix(0, 2, 3), verbose = 0)
    }
    use(3)
    clear_session()
    before <- memory_use()
    result <- use(operations)
    clear_session()
    list(result = result, growth = memory_use() - before)
  }, memory_use, operations, limit = 900)
  expect_equal(found$result, matrix(operations, 2, 3))
  # An operation takes hundreds of cells while the model lives. R never frees the names of variables, of which the search
  # in the graph makes a few for each.
  expect_lte(found$growth[["cells"]], 12 * operations)
})
