# Whatever is registered goes through the text of a config and back; whatever users define does, told by name. That
# every registered layer goes through a file is part of the contract of layers: helper-contract.R.

through_json <- function(object) read_json(write_json(serialize_keras_object(object)))

for (kind in c("optimizer", "loss", "metric", "initializer", "regularizer", "constraint")) {
  test_that(paste("every", kind, "comes back from the text of its config"), {
    classes <- grep("^[A-Z]", registered_names(kind), value = TRUE)
    expect_gt(length(classes), 2)
    for (class_name in classes) {
      make <- registered(kind, class_name)
      if (!is.function(make)) next
      object <- tryCatch(make(), error = function(error) NULL)   # those with arguments that must be given
      if (is.null(object) || !is_handle(object)) next
      config <- through_json(object)
      again <- through_json(deserialize_keras_object(config))
      expect_identical(again, config, info = class_name)
    }
  })
}

test_that("models that are not built cannot be saved, others without weights can", {
  expect_error(save_model(keras_model_sequential() |> layer_dense(2)), class = "birnn_error_state")
  model <- keras_model_sequential(input_shape = c(4, 3)) |> layer_permute(c(2, 1)) |> layer_flatten()
  x <- array(1, c(2, 4, 3))
  expect_identical(predict(load_model(save_model(model)), x, verbose = 0), predict(model, x, verbose = 0))
})

test_that("nested and shared layers, and classes of the user's, come back", {
  layer_scaled <- Layer("Scaled",
    initialize = function(factor = 2, ...) {
      super$initialize(...)
      self$factor <- factor
    },
    build = function(input_shape) {
      self$kernel <- self$add_weight(shape = list(input_shape[[length(input_shape)]]), name = "kernel")
    },
    call = function(inputs) inputs * self$factor * self$kernel,
    get_config = function() c(super$get_config(), list(factor = self$factor))
  )
  input <- keras_input(c(4, 3))
  inner <- keras_model_sequential(input_shape = c(4, 3)) |> layer_lstm(3) |> layer_dense(2)
  shared <- layer_scaled(factor = 3)
  output <- layer_add(list(inner(shared(input)), inner(shared(input * 2))))
  model <- keras_model(input, output)
  x <- array(stats::rnorm(24), c(2, 4, 3))
  bytes <- save_model(model)
  expect_error(load_model(bytes), "Scaled", class = "birnn_error_config")
  again <- load_model(bytes, custom_objects = list(layer_scaled))
  expect_identical(predict(again, x, verbose = 0), predict(model, x, verbose = 0))
  expect_length(again$layers, length(model$layers))
  before <- set_custom_objects()
  withr::defer(set_custom_objects(before))
  register_keras_serializable(layer_scaled, package = "tests")
  expect_identical(get_weights(load_model(save_model(model))), get_weights(model))
  set_custom_objects()
  again <- with_custom_object_scope(list(Scaled = layer_scaled), load_model(bytes))
  expect_identical(get_weights(again), get_weights(model))
})

test_that("models of classes of the user's come back: told by name, registered, in a scope", {
  new_net <- Model("Net",
    initialize = function(units = 2, ...) {
      super$initialize(...)
      self$units <- units
      self$memory <- layer_bidirectional(layer = layer_gru(units = units))
      self$tops <- list(layer_dense(units = 2), layer_dense(units = 1))
    },
    call = function(inputs) self$tops[[2]](self$tops[[1]](self$memory(inputs))),
    get_config = function() c(super$get_config(), list(units = self$units))
  )
  model <- new_net(units = 3)
  x <- array(stats::rnorm(24), c(2, 4, 3))
  expect_error(save_model(model), class = "birnn_error_state")
  compile(model, optimizer_adam(0.1), loss = "mse")
  fit(model, x, c(0, 1), epochs = 1, verbose = 0)
  bytes <- save_model(model)
  expect_error(load_model(bytes), "Net", class = "birnn_error_config")
  expect_whole <- function(again) {
    expect_identical(model_state(again), model_state(model))
    expect_identical(predict(again, x, verbose = 0), predict(model, x, verbose = 0))
    # The groups of weights have the names of the layers, which initialize() gives anew.
    expect_identical(r_zip_read(save_model(again), "config.json"), r_zip_read(bytes, "config.json"))
  }
  expect_whole(load_model(bytes, custom_objects = list(new_net)))
  expect_whole(load_model(bytes, custom_objects = list(Net = new_net)))
  expect_whole(with_custom_object_scope(list(Net = new_net), load_model(bytes)))
  before <- set_custom_objects()
  withr::defer(set_custom_objects(before))
  register_keras_serializable(new_net, package = "tests")
  bytes <- save_model(model)
  expect_match(rawToChar(r_zip_read(bytes, "config.json")[[1]]), "\"registered_name\": \"tests>Net\"", fixed = TRUE)
  expect_whole(load_model(bytes))
})

test_that("models of classes of the user's may have inputs with names and a build() of their own", {
  new_sum <- Model("Sum",
    initialize = function(...) {
      super$initialize(...)
      self$top <- layer_dense(units = 1)
    },
    build = function(input_shape) self$top$build(input_shape$b),
    call = function(inputs) self$top(inputs$a + inputs$b)
  )
  model <- new_sum()
  x <- list(a = matrix(1:6 / 6, 2), b = matrix(6:1, 2))
  before <- predict(model, x, verbose = 0)
  expect_identical(predict(load_model(save_model(model), custom_objects = list(new_sum)), x, verbose = 0), before)
})

test_that("chains are made of a list of layers, also for samples that are single numbers", {
  for (shape in list(list(), c(4, 3))) {
    layers <- if (length(shape)) list(layer_lstm(units = 2)) else list(layer_embedding(input_dim = 9, output_dim = 2))
    model <- keras_model_sequential(shape, layers = c(layers, layer_dense(units = 1)))
    x <- array(1:24 %% 9, if (length(shape)) c(2, 4, 3) else 24)
    bytes <- save_model(model)
    again <- load_model(bytes)
    expect_identical(again$get_config(), model$get_config())
    expect_identical(predict(again, x, verbose = 0), predict(model, x, verbose = 0))
  }
})

test_that("R functions in layers are written by their registered names, and found again by these", {
  before <- set_custom_objects()
  withr::defer(set_custom_objects(before))
  squared <- register_keras_serializable(function(x) x * x, "squared", package = "tests")
  start <- register_keras_serializable(function(shape, dtype) op_ones(shape) / 2, "start")
  penalty <- register_keras_serializable(function(w) op_sum(w * w), "penalty")
  positive <- register_keras_serializable(function(w) op_maximum(w, 0), "positive")
  model <- keras_model_sequential(input_shape = c(4, 3)) |>
    layer_bidirectional(layer_lstm(units = 2, activation = squared, kernel_initializer = start)) |>
    layer_lambda(squared) |>
    layer_dense(2, kernel_regularizer = penalty, kernel_constraint = positive) |>
    layer_activation(squared)
  x <- array(stats::rnorm(24), c(2, 4, 3))
  for (bytes in list(save_model(model), save_model(load_model(save_model(model))))) {
    again <- load_model(bytes)
    expect_identical(predict(again, x, verbose = 0), predict(model, x, verbose = 0))
    expect_identical(get_config(again), get_config(model))
  }
  config <- read_json(r_zip_read(bytes, "config.json")[[1]])
  dense <- config$config$layers[[4]]$config
  named <- function(name) list(module = NULL, class_name = "function", config = sub(".*>", "", name),
                               registered_name = name)
  expect_identical(dense$kernel_regularizer, named("Custom>penalty"))
  expect_identical(config$config$layers[[3]]$config$`function`, named("tests>squared"))
  set_custom_objects()
  expect_error(load_model(bytes), class = "ValueError")
  given <- list(squared = squared, start = start, penalty = penalty, positive = positive)
  expect_identical(predict(load_model(bytes, custom_objects = given), x, verbose = 0), predict(model, x, verbose = 0))
  expect_identical(with_custom_object_scope(given, get_weights(load_model(save_model(model)))), get_weights(model))
})

test_that("an R function without a name is an error that says where it stands; names of other functions lead nowhere", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2, activation = function(x) x * 2, name = "twice")
  expect_error(save_model(model), "`activation` of layer \"twice\" has no name", class = "birnn_error_config")
  expect_error(save_model_config(model), "register_keras_serializable", class = "birnn_error_config")
  config <- serialize_keras_object(layer_lambda(f = function(x) x, name = "same"))
  config$config$`function` <- list(module = "base", class_name = "function", config = "system", registered_name = "system")
  expect_error(deserialize_keras_object(config), "custom_objects", class = "ValueError")
})
