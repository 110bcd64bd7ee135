# Same seed, same bits: rows, batches, padding, threads, repeated runs, plan and eager.

test_that("a row gives the same bits alone, in any batch, with any padding", {
  for_random_cases(masks = "gaps", merges = "concat", code = function(case) {
    case <- rows_of_case(case, rep(seq_len(nrow(case$x)), length.out = 19))
    case$x <- case$x * rep(stats::runif(nrow(case$x), 0.5, 2), times = length(case$x) / nrow(case$x))
    whole <- run_bidirectional(case)
    for (rows in list(1, 7, 19, 2:3, c(5, 1, 18), 3:16)) {
      expect_same_bits(run_bidirectional(rows_of_case(case, rows)), take_rows(whole, rows), "rows")
    }
    steps <- ncol(case$mask)
    padded <- case
    padded$x <- pad_steps(case$x, before = 2, after = 5)
    padded$mask <- pad_steps(case$mask, before = 2, after = 5)
    result <- run_bidirectional(padded)
    expect_same_bits(take_steps(result[[1]], 2 + seq_len(steps)), whole[[1]], "padded")
    expect_same_bits(result[-1], whole[-1], "states, padded")
  })
})

test_that("layers of many sizes give a row the same bits in any batch and with one or two threads", {
  withr::local_seed(1)
  for (floatx in both_floatx) with_floatx(floatx, {
    for (cell in names(recurrent_cells)) for (units in c(1, 5, 16, 33, 64)) {
      case <- random_case(cell, "right", batch = 21, time = 5, features = 1 + units %% 4, units = units)
      one <- with_threads(1, run_bidirectional(case))
      expect_same_bits(with_threads(2, run_bidirectional(case)), one, paste(cell, units, "threads"))
      for (rows in list(1, 20, 4:8, 1:16)) {
        expect_same_bits(run_bidirectional(rows_of_case(case, rows)), take_rows(one, rows), paste(cell, units))
      }
    }
  })
})

test_that("gradients have the same bits with one and two threads", {
  withr::local_seed(2)
  for (floatx in both_floatx) with_floatx(floatx, {
    for (cell in names(recurrent_cells)) for (batch in c(3, 14, 40)) {
      case <- random_case(cell, "gaps", batch = batch, time = 7, features = 5, units = 17)
      layer <- bidirectional_of(case)
      gradients <- function() {
        f <- function(inputs) op_sum(op_square(call_with(layer, inputs[[1]], case$mask)[[1]]))
        value_and_gradients(f, list(as_tensor(case$x)), layer_variables(layer))
      }
      expect_same_bits(with_threads(2, gradients()), with_threads(1, gradients()), paste(cell, floatx, batch))
    }
  })
})

# Ragged sequences, padded and masked, with all that is random in training.
training_model <- function(run_eagerly = FALSE, optimizer = "adam", loss = "sparse_categorical_crossentropy") {
  model <- keras_model_sequential(input_shape = c(NA, 3)) |>
    layer_masking(mask_value = -9) |>
    layer_bidirectional(layer_lstm(units = 7, dropout = 0.2, recurrent_dropout = 0.1, return_sequences = TRUE)) |>
    layer_bidirectional(layer_lstm(units = 5)) |>
    layer_dropout(0.3) |>
    layer_dense(4, activation = "softmax")
  model |> compile(optimizer = optimizer, loss = loss, metrics = "accuracy", run_eagerly = run_eagerly)
  model
}

training_data <- function(rows = 46, time = 6) {
  x <- random_array(rows, time, 3)
  lengths <- sample.int(time, rows, replace = TRUE)
  x[array(slice.index(x, 2) > lengths, dim(x))] <- -9
  list(x = x, y = sample.int(4, rows, replace = TRUE) - 1L)
}

# Weights, history and predictions of one training that starts with `set.seed()`.
train_from_seed <- function(seed, data, batch_size = 16, epochs = 2, ...) {
  clear_session(free_memory = FALSE)
  set.seed(seed)
  model <- training_model(...)
  history <- fit(model, data$x, data$y, batch_size = batch_size, epochs = epochs, verbose = 0)
  prediction <- predict(model, data$x, verbose = 0)
  list(weights = get_weights(model), history = unname(history$metrics), prediction = prediction)
}

test_that("set.seed() alone decides weights, history and predictions", {
  withr::local_seed(3)
  data <- training_data()
  first <- train_from_seed(1, data)
  stats::runif(3)
  expect_same_bits(train_from_seed(1, data), first)
  expect_same_bits(with_threads(1, train_from_seed(1, data)), first, "one thread")
  expect_same_bits(with_threads(2, train_from_seed(1, data)), first, "two threads")
  other <- train_from_seed(2, data)
  expect_false(same_bits(other$weights, first$weights))
  expect_false(same_bits(other$history, first$history))
})

test_that("a fresh R process with the same seed gets the same bits", {
  withr::local_seed(4)
  data <- training_data()
  helpers <- list(training_model = training_model, train_from_seed = train_from_seed)
  elsewhere <- in_fresh_r(function(helpers, data) {
    helpers <- list2env(helpers, parent = globalenv())
    for (name in ls(helpers)) environment(helpers[[name]]) <- helpers
    helpers$train_from_seed(5, data)
  }, lapply(helpers, `environment<-`, globalenv()), data)
  expect_same_bits(elsewhere, train_from_seed(5, data))
})

test_that("predictions do not depend on the batch size", {
  withr::local_seed(5)
  data <- training_data()
  model <- training_model()
  whole <- predict(model, data$x, batch_size = 46, verbose = 0)
  for (batch_size in c(1, 5, 16, 32)) {
    expect_same_bits(predict(model, data$x, batch_size = batch_size, verbose = 0), whole, batch_size)
  }
})

test_that("a plan and eager code train with the same bits, with dropout and masks, at batch 32 and 14", {
  withr::local_seed(6)
  data <- training_data(rows = 46)
  optimizers <- list(
    function() optimizer_adam(), function() optimizer_sgd(learning_rate = 0.1, momentum = 0.9),
    function() optimizer_rmsprop()
  )
  for (floatx in both_floatx) with_floatx(floatx, {
    for (optimizer in optimizers) for (batch_size in c(32, 14)) {
      plan <- train_from_seed(7, data, batch_size, optimizer = optimizer())
      eager <- train_from_seed(7, data, batch_size, optimizer = optimizer(), run_eagerly = TRUE)
      expect_same_bits(eager, plan, paste(floatx, batch_size))
    }
    one_hot <- list(x = data$x, y = diag(4)[data$y + 1, ])
    for (loss in c("categorical_crossentropy", "mse")) {
      plan <- train_from_seed(8, one_hot, 14, loss = loss)
      expect_same_bits(train_from_seed(8, one_hot, 14, loss = loss, run_eagerly = TRUE), plan, paste(floatx, loss))
    }
  })
})

test_that("weights set after training are seen by predict() and evaluate()", {
  withr::local_seed(11)
  data <- training_data()
  model <- training_model()
  look <- function() list(predict(model, data$x, verbose = 0), evaluate(model, data$x, data$y, verbose = 0))
  weights <- get_weights(model)
  before <- look()
  fit(model, data$x, data$y, verbose = 0)
  expect_false(same_bits(look(), before))
  set_weights(model, weights)
  expect_same_bits(look(), before)
})

test_that("dropout needs training, and its mask depends on the seed alone", {
  x <- matrix(1, 20, 30)
  layer <- layer_dropout(rate = 0.4, seed = 3)
  expect_same_bits(layer(as_tensor(x)), as_tensor(x))
  first <- as.array(layer(as_tensor(x), training = TRUE))
  second <- as.array(layer(as_tensor(x), training = TRUE))
  expect_false(same_bits(first, second))
  expect_same_bits(layer_dropout(rate = 0.4, seed = 3)(as_tensor(x), training = TRUE), first)
  expect_equal(sort(unique(as.vector(first))), c(0, 1 / 0.6), tolerance = 1e-6)
  # 600 draws: four standard deviations are 0.08.
  expect_lt(abs(mean(first == 0) - 0.4), 0.08)
  expect_same_bits(layer_dropout(rate = 1, seed = 3)(as_tensor(x), training = TRUE), matrix(0, 20, 30))
})

test_that("the two directions of a bidirectional layer draw different dropout masks from one seed", {
  layer <- layer_bidirectional(layer = layer_simple_rnn(units = 40, dropout = 0.5, seed = 9), merge_mode = NULL)
  x <- array(1, c(1, 1, 40))
  layer(as_tensor(x))
  weights <- list(diag(40), diag(0, 40), rep(0, 40))
  set_weights(layer, c(weights, weights))
  halves <- arrays_of(layer(as_tensor(x), training = TRUE))
  expect_false(same_bits(halves[[1]], halves[[2]]))
})

test_that("the random numbers of R move only when something new is seeded", {
  data <- withr::with_seed(9, training_data(rows = 8))
  model <- withr::with_seed(9, training_model())
  set.seed(10)
  before <- .Random.seed
  predict(model, data$x, verbose = 0)
  evaluate(model, data$x, data$y, verbose = 0)
  get_weights(model)
  expect_identical(.Random.seed, before)
})

test_that("two threads are two threads", {
  skip_if_not(file.exists("/proc/self/status"), "reads the number of threads from /proc")
  skip_if(r_threads() < 2, "two threads are not allowed here")
  started <- in_fresh_r(function() {
    count <- function() as.integer(sub("\\D+", "", grep("^Threads:", readLines("/proc/self/status"), value = TRUE)))
    layer <- layer_bidirectional(layer = layer_lstm(units = 8))
    x <- array(1, c(400, 10, 4))   # less is not worth a second thread
    threads <- vapply(1:2, function(n) {
      options(birnn.threads = n)
      layer(x)
      count()
    }, 0L)
    diff(threads)
  })
  expect_identical(started, 1L)
})
