# Everything built in trains in the plan: one call for each batch, no op by itself, and nothing allocated once it runs.
# (Layers: in their contract, see expect_trains().)

# Trains with one pass of two batches, then, as the optimizer has its slots, again with two and with six. Nothing but
# four runs of the plan may come on top.
expect_one_call_a_batch <- function(model, x, y, ..., info = NULL) {
  counts <- lapply(list(1:8, 1:8, 1:24), function(rows) {
    pick <- function(data) if (is.list(data)) lapply(data, pick) else rows_of(data, rep_len(rows, length(rows)))
    before <- r_counts()
    fit(model, pick(x), pick(y), ..., batch_size = 4, epochs = 1, verbose = 0)
    r_counts() - before
  })
  extra <- counts[[3]] - counts[[2]]
  expect_identical(extra[["plan_runs"]], 4, info = info)
  expect_identical(extra[["eager_ops"]], 0, info = info)
}

rows_of <- function(x, rows) if (is.null(dim(x))) x[rows] else if (length(dim(x)) == 2) x[rows, , drop = FALSE] else x[rows, , , drop = FALSE]

classes_of <- function(kind) grep("^[A-Z]", registered_names(kind), value = TRUE)

set.seed(1)
x <- array(rnorm(24 * 5 * 3), c(24, 5, 3))
labels <- rep_len(0:2, 24)
one_hot <- diag(3)[labels + 1, ]

classifier <- function(units = 3) {
  keras_model_sequential(input_shape = c(5, 3)) |> layer_gru(units = 2) |> layer_dense(units, activation = "softmax")
}

test_that("every loss trains in the plan", {
  for (class in setdiff(classes_of("loss"), "CTC")) {
    model <- classifier()
    sparse <- class == "SparseCategoricalCrossentropy"
    model |> compile("sgd", loss = registered("loss", class)())
    expect_one_call_a_batch(model, x, if (sparse) labels else one_hot, info = class)
  }
})

test_that("the CTC loss, whose labels have a length of their own, runs in the plan", {
  loss <- loss_ctc()
  step <- new_step(function(inputs) list(outputs = list(), loss = loss(inputs[[1]], inputs[[2]])))
  found <- run_step(step, list(matrix(c(1, 2, 1, 0), 2), array(seq(-1, 1, length.out = 30), c(2, 5, 3))))
  expect_true(is.finite(found$loss))
  expect_false(step$eager)
})

test_that("every metric is counted in the plan", {
  needs <- list(PrecisionAtRecall = list(recall = 0.5), RecallAtPrecision = list(precision = 0.5),
                SensitivityAtSpecificity = list(specificity = 0.5), SpecificityAtSensitivity = list(sensitivity = 0.5),
                FBetaScore = list(average = "macro"), F1Score = list(average = "macro"))
  for (class in setdiff(classes_of("metric"), c("Mean", "Sum"))) {
    metric <- do.call(registered("metric", class), as.list(needs[[class]]), quote = TRUE)
    sparse <- grepl("^Sparse", class)
    model <- classifier()
    model |> compile("sgd", loss = if (sparse) "sparse_categorical_crossentropy" else "mse", metrics = list(metric))
    expect_one_call_a_batch(model, x, if (sparse) labels else one_hot, info = class)
  }
})

test_that("every optimizer, and all that it can do to gradients and weights, is in the plan", {
  settings <- list(
    list(), list(clipnorm = 1), list(clipvalue = 0.1), list(global_clipnorm = 1), list(weight_decay = 0.1),
    list(use_ema = TRUE, ema_overwrite_frequency = 2L), list(gradient_accumulation_steps = 2L)
  )
  for (class in classes_of("optimizer")) {
    for (extra in if (class == "Adam") settings else settings[1]) {
      model <- classifier()
      model |> compile(do.call(registered("optimizer", class), extra), loss = "mse")
      expect_one_call_a_batch(model, x, one_hot, info = paste(class, names(extra)[1]))
    }
  }
})

test_that("penalties and constraints of weights are in the plan", {
  for (kind in c("regularizer", "constraint")) {
    for (class in classes_of(kind)) {
      args <- rlang::set_names(list(registered(kind, class)()), paste0("kernel_", kind))
      layer <- do.call(layer_dense, c(list(units = 3), args))
      model <- keras_model_sequential(input_shape = c(5, 3)) |> layer_lstm(units = 2) |> layer()
      model |> compile("sgd", loss = "mse")
      expect_one_call_a_batch(model, x, one_hot, info = class)
    }
  }
})

test_that("weights of samples and classes, several inputs and outputs are in the plan", {
  model <- classifier()
  model |> compile("adam", loss = "sparse_categorical_crossentropy", metrics = "accuracy",
                   weighted_metrics = "accuracy")
  expect_one_call_a_batch(model, x, labels, class_weight = list(`0` = 1, `1` = 2, `2` = 3))
  a <- keras_input(c(5, 3), name = "a")
  b <- keras_input(3, name = "b")
  state <- layer_lstm(a, units = 2)
  both <- layer_concatenate(list(state, b))
  model <- keras_model(list(a, b), list(p = layer_dense(both, 3, name = "p"), q = layer_dense(both, 1, name = "q")))
  model |> compile("rmsprop", loss = list(p = "mse", q = "mae"), loss_weights = list(p = 1, q = 0.5),
                   metrics = list(p = "mae", q = "mse"))
  expect_one_call_a_batch(model, list(x, one_hot), list(p = one_hot, q = labels))
})

test_that("stateful layers, masks, dropout and batch normalization are in the plan", {
  model <- keras_model_sequential(input_shape = c(5, 3), input_batch_size = 4) |>
    layer_masking(0) |>
    layer_lstm(units = 3, stateful = TRUE, return_sequences = TRUE, dropout = 0.2, recurrent_dropout = 0.2) |>
    layer_bidirectional(layer_gru(units = 2, activity_regularizer = "l2")) |>
    layer_batch_normalization() |>
    layer_dropout(0.5) |>
    layer_dense(3)
  model |> compile("adam", loss = "mse", metrics = "mae")
  padded <- x
  padded[, 4:5, ] <- 0
  expect_one_call_a_batch(model, padded, one_hot)
})

test_that("evaluate() and predict() are one call a batch", {
  model <- classifier()
  model |> compile("sgd", loss = "mse", metrics = "mae")
  evaluate(model, x, one_hot, batch_size = 4, verbose = 0)
  predict(model, x, batch_size = 4, verbose = 0)
  before <- r_counts()
  evaluate(model, x, one_hot, batch_size = 4, verbose = 0)
  expect_identical((r_counts() - before)[["plan_runs"]], 6)
  before <- r_counts()
  predict(model, x, batch_size = 4, verbose = 0)
  expect_identical((r_counts() - before)[["plan_runs"]], 6)
})

test_that("a training loop allocates no work space once it runs", {
  steps <- if (nzchar(Sys.getenv("BIRNN_TEST_ALL"))) 10000L else 200L
  model <- keras_model_sequential(input_shape = c(5, 3)) |>
    layer_bidirectional(layer_lstm(units = 2, dropout = 0.1)) |>
    layer_dense(3, activation = "softmax")
  model |> compile("adam", loss = "categorical_crossentropy", metrics = "accuracy")
  fit(model, x, one_hot, batch_size = 10, verbose = 0)   # the last batch is a smaller one
  before <- r_counts()
  fit(model, x, one_hot, batch_size = 10, epochs = ceiling(steps / 3), verbose = 0)
  counts <- r_counts() - before
  expect_gte(counts[["plan_runs"]], steps)
  expect_identical(counts[["work_allocations"]], 0)
  expect_lte(counts[["work_bytes"]], 0)   # models of other tests may be freed meanwhile
})
