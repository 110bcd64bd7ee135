# compile(): losses, weights and metrics for each output, and the names of what is reported.

two_outputs <- function() {
  x <- keras_input(3)
  keras_model(x, list(score = layer_dense(x, 1), kind = layer_dense(x, 2, activation = "softmax")))
}

one_output <- function(units = 1, ...) keras_model_sequential(input_shape = 3) |> layer_dense(units, ...)

x <- matrix(sin(1:24), 8, 3)
targets <- list(score = cos(1:8), kind = rep(0:1, 4))

log_names <- function(model, y, ...) {
  compile(model, "sgd", ...)
  names(fit(model, x, y, verbose = 0)$metrics)
}

test_that("compile() returns the model invisibly and takes a trailing comma", {
  model <- one_output()
  expect_invisible(compile(model, "sgd", loss = "mse"))
  expect_identical(compile(model, loss = "mse", optimizer = "sgd", metrics = "mae", ), model)
  expect_equal(model$optimizer$class_name, "SGD")
})

test_that("losses come by order, by name, for some outputs, or one for all", {
  by_order <- log_names(two_outputs(), targets, loss = list("mse", "sparse_categorical_crossentropy"))
  expect_equal(by_order, c("kind_loss", "loss", "score_loss"))
  by_name <- list(kind = "sparse_categorical_crossentropy", score = "mse")
  expect_equal(log_names(two_outputs(), targets, loss = by_name), by_order)
  expect_equal(log_names(two_outputs(), targets["score"], loss = list(score = "mse")), c("loss", "score_loss"))
  one_hot <- list(cos(1:8), to_categorical(rep(0:1, 4)))
  expect_equal(log_names(two_outputs(), one_hot, loss = "mse"), by_order)
  expect_error(compile(two_outputs(), loss = list("mse", "mse", "mse")), class = "birnn_error_config")
  expect_error(compile(two_outputs(), loss = list(scoer = "mse")), "scoer", class = "birnn_error_config")
})

test_that("loss_weights enter the total only", {
  model <- two_outputs()
  compile(model, "sgd", loss = list("mse", "sparse_categorical_crossentropy"), loss_weights = list(kind = 0.25))
  result <- evaluate(model, x, targets)
  expect_equal(result$loss, result$score_loss + 0.25 * result$kind_loss, tolerance = 1e-6)
  expect_error(compile(model, loss = "mse", loss_weights = list("a", "b")), class = "birnn_error_value")
})

test_that("metrics keep the names they were given", {
  y <- rep(0:1, 4)
  names <- log_names(one_output(activation = "sigmoid"), y, loss = "binary_crossentropy",
                     metrics = list("acc", "mae", metric_mean_squared_error(), bias = function(y_true, y_pred) {
                       op_mean(y_pred - op_cast(y_true, y_pred$dtype), axis = -1)
                     }))
  expect_equal(names, c("acc", "bias", "loss", "mae", "mean_squared_error"))
  expect_equal(log_names(one_output(), y, loss = "mse", metrics = c("mae", "mse")), c("loss", "mae", "mse"))
})

test_that("metrics of the same name get a number, weighted ones a prefix", {
  y <- cos(1:8)
  expect_equal(log_names(one_output(), y, loss = "mse", metrics = list("mae", "mae")), c("loss", "mae", "mae_1"))
  expect_equal(log_names(one_output(), y, loss = "mse", metrics = "mae", weighted_metrics = list("mae", "mae", "mse")),
               c("loss", "mae", "mse", "weighted_mae", "weighted_mae_1"))
})

test_that("metrics of several outputs are prefixed by the output", {
  loss <- list("mse", "sparse_categorical_crossentropy")
  losses <- c("kind_loss", "loss", "score_loss")
  expect_setequal(log_names(two_outputs(), targets, loss = loss, metrics = list("mae", c("accuracy", "acc"))),
                  c(losses, "score_mae", "kind_accuracy", "kind_acc"))
  expect_setequal(log_names(two_outputs(), targets, loss = loss, metrics = list(kind = "accuracy")),
                  c(losses, "kind_accuracy"))
  expect_error(log_names(two_outputs(), targets, loss = loss, metrics = list("mae", "mae", "mae")),
               class = "birnn_error_config")
})

test_that("'accuracy' and 'crossentropy' follow the shapes", {
  accuracy_of <- function(model, y) {
    compile(model, "sgd", loss = "crossentropy", metrics = "accuracy")
    test_on_batch(model, x, y)
    model$metrics[[2]]$class_name
  }
  expect_equal(accuracy_of(one_output(activation = "sigmoid"), rep(0:1, 4)), "BinaryAccuracy")
  expect_equal(accuracy_of(one_output(2, activation = "softmax"), rep(0:1, 4)), "SparseCategoricalAccuracy")
  expect_equal(accuracy_of(one_output(2, activation = "softmax"), matrix(rep(0:1, 4))), "SparseCategoricalAccuracy")
  expect_equal(accuracy_of(one_output(2, activation = "softmax"), diag(2)[rep(1:2, 4), ]), "CategoricalAccuracy")
})

test_that("losses and metrics may be objects, bare functions and functions of one's own", {
  y <- cos(1:8)
  squared <- function(y_true, y_pred) op_mean((y_true - y_pred)^2, axis = -1)
  values <- vapply(list("mse", loss_mean_squared_error, loss_mean_squared_error(), squared), function(loss) {
    set.seed(1)
    model <- one_output()
    compile(model, "sgd", loss = loss)
    test_on_batch(model, x, y)
  }, 1)
  expect_equal(values, rep(values[[1]], 4), tolerance = 1e-6)
})

test_that("a function that looks at numbers works as well", {
  model <- one_output()
  largest <- function(y_true, y_pred) as_tensor(max(abs(as.array(y_true) - as.array(y_pred))))
  compile(model, "sgd", loss = "mse", metrics = list(largest = largest))
  result <- test_on_batch(model, x, cos(1:8))
  expect_equal(result$largest, max(abs(cos(1:8) - predict(model, x))), tolerance = 1e-6)
})

test_that("mistakes are found at once", {
  model <- one_output()
  expect_error(compile(model, loss = "msee"), "mse", class = "birnn_error_value")
  expect_error(compile(model, loss = "mse", metrics = list("mae", "accurcy")), class = "birnn_error_value")
  expect_error(compile(model, loss = "mse", weighted_metric = "mae"), "weighted_metrics", class = "birnn_error_value")
  expect_null(model$setup)
  expect_error(fit(model, x, cos(1:8)), "compile", class = "birnn_error_state")
})

test_that("a model without any loss has nothing to train on", {
  model <- one_output()
  compile(model, "sgd")
  expect_error(fit(model, x), "No loss", class = "birnn_error_value")
})

test_that("metrics come in every form: strings, metrics, bare functions, losses, closures, lists by name", {
  x <- matrix(c(0.1, 0.7, -0.4, 1), 4)
  reported <- function(...) {
    set.seed(1)
    model <- keras_model_sequential(input_shape = 1) |> layer_dense(1, name = "out")
    model |> compile("sgd", loss = "mse", ...)
    fit(model, x, c(1, 0, 2, -1), verbose = 0)$metrics
  }
  error <- function(y_true, y_pred) op_mean(op_abs(y_true - y_pred), axis = -1)
  forms <- list(
    mae = "mae", mean_absolute_error = metric_mean_absolute_error, mean_absolute_error = metric_mean_absolute_error(),
    mean_absolute_error = loss_mean_absolute_error, mean_absolute_error = loss_mean_absolute_error(), metric = error,
    own = list(own = error), own = custom_metric("own", error), mae = list(out = "mae"), a = c(a = "mae")
  )
  value <- reported(metrics = "mae")$mae
  for (k in seq_along(forms)) {
    metrics <- reported(metrics = forms[[k]])
    expect_setequal(names(metrics), c("loss", names(forms)[[k]]))
    expect_equal(metrics[[names(forms)[[k]]]], value, tolerance = 1e-6)
  }
  expect_named(reported(metrics = list("mae", error), weighted_metrics = "mae"), c("loss", "mae", "metric", "weighted_mae"))
})
