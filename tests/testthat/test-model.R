# What all models share: finding layers, methods by $, one thing at a time.

small <- function() {
  model <- keras_model_sequential(input_shape = 3, name = "small") |>
    layer_dense(2, name = "first") |>
    layer_dense(1, name = "second")
  model |> compile("sgd", loss = "mse", metrics = "mae")
  model
}

test_that("get_layer() finds by name and by position", {
  model <- small()
  expect_equal(get_layer(model, "second")$units, 1)
  expect_equal(get_layer(model, index = 1)$name, "first")
  expect_equal(get_layer(model, index = -1)$name, "second")
  expect_identical(model$get_layer("first"), model$layers[[1]])
  expect_error(get_layer(model, "frist"), "first", class = "birnn_error_value")
  expect_error(get_layer(model, index = 0), class = "birnn_error_value")
  expect_error(get_layer(model, index = 3), class = "birnn_error_value")
  expect_error(get_layer(model), class = "birnn_error_value")
  expect_error(get_layer(layer_dense(units = 1), "x"), class = "birnn_error_value")
})

test_that("the methods of a model are those of the functions", {
  model <- small()
  x <- matrix(0.5, 4, 3)
  history <- model$fit(x, rep(1, 4), verbose = 0)
  expect_s3_class(history, "keras_training_history")
  expect_equal(model$predict(x), predict(model, x))
  expect_equal(model$evaluate(x, rep(1, 4)), evaluate(model, x, rep(1, 4)))
  expect_output(model$summary(), "Model: \"small\"")
  expect_equal(model$count_params(), 11)
  model$set_weights(lapply(model$get_weights(), function(w) w * 0))
  expect_equal(model$predict_on_batch(x), matrix(0, 4, 1))
  expect_equal(model$metrics_names, c("loss", "compile_metrics"))
  expect_equal(model$compute_output_shape(c(NA, 3)), c(NA, 1L))
})

test_that("a model saves itself and its weights", {
  model <- small()
  x <- matrix(0.5, 4, 3)
  folder <- withr::local_tempdir()
  expect_false(withVisible(model$save(file.path(folder, "small.keras")))$visible)
  expect_equal(predict(load_model(file.path(folder, "small.keras")), x), predict(model, x))
  model$save_weights(file.path(folder, "small.weights.h5"))
  twin <- clone_model(model)
  twin$load_weights(file.path(folder, "small.weights.h5"))
  expect_equal(get_weights(twin), get_weights(model))
  expect_equal(model$to_json(), save_model_config(model))
  expect_error(model$save(file.path(folder, "small.keras")), "overwrite = TRUE", class = "birnn_error_file")
})

test_that("variables are trainable or not", {
  layer <- layer_batch_normalization()
  layer(op_ones(c(2, 3)))
  expect_length(layer$variables, 4)
  expect_identical(layer$non_trainable_variables, layer$non_trainable_weights)
  dropout <- layer_dropout(rate = 0.5)
  expect_identical(dropout$non_trainable_variables, dropout$variables)
})

test_that("what compile() set is readable, the learning rate can be changed, the rest only by compile()", {
  model <- small()
  expect_true(model$compiled)
  expect_equal(model$loss, "mse")
  model$optimizer$learning_rate <- 0.5
  expect_equal(as.numeric(model$optimizer$learning_rate), 0.5)
  expect_error(model$optimizer <- optimizer_adam(), "compile", class = "birnn_error_value")
  expect_error(model$layers <- list(), class = "birnn_error_value")
  expect_null(keras_model_sequential()$optimizer)
})

test_that("a model that is training refuses to be trained, compiled or changed, not to predict", {
  model <- small()
  x <- matrix(0.5, 4, 3)
  refused <- list()
  inside <- callback_lambda(on_epoch_end = function(epoch, logs) {
    refused <<- lapply(list(
      function() fit(model, x, rep(1, 4)), function() train_on_batch(model, x, rep(1, 4)),
      function() compile(model, "sgd", loss = "mse"), function() layer_dense(model, 1)
    ), function(call) tryCatch(call(), error = function(error) class(error)[[1]]))
    predict(model, x)
    evaluate(model, x, rep(1, 4))
    NULL
  })
  fit(model, x, rep(1, 4), callbacks = inside)
  expect_equal(unlist(refused), rep("birnn_error_busy", 4))
  expect_length(model$layers, 2)
})

test_that("nothing can start inside the computation of a batch", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  x <- matrix(0.5, 4, 3)
  nested <- function(y_true, y_pred) {
    predict(model, x)
    op_mean(op_square(y_true - y_pred), axis = -1)
  }
  model |> compile("sgd", loss = nested)
  expect_error(fit(model, x, rep(1, 4)), class = "birnn_error_busy")
  expect_equal(dim(predict(model, x)), c(4, 1))
})

test_that("a model that was saved while it trained is not busy when it is read", {
  model <- small()
  x <- matrix(0.5, 4, 3)
  path <- withr::local_tempfile(fileext = ".rds")
  fit(model, x, rep(1, 4), callbacks = callback_lambda(on_epoch_end = function(epoch, logs) saveRDS(model, path)))
  copy <- readRDS(path)
  expect_s3_class(fit(copy, x, rep(1, 4)), "keras_training_history")
  expect_equal(as.numeric(model$optimizer$iterations), 1)
})
