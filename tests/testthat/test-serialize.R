# Objects to configs and back, in Keras' schema. A config is data: nothing in it is evaluated.

test_that("configs have Keras' keys in Keras' order", {
  config <- serialize_keras_object(initializer_orthogonal(gain = 2))
  expect_identical(names(config), c("module", "class_name", "config", "registered_name"))
  expect_identical(config$module, "keras.initializers")
  expect_identical(config$class_name, "Orthogonal")
  expect_null(config$registered_name)
  expect_identical(serialize_keras_object(initializer_zeros())$config, rlang::set_names(list(), character()))
})

test_that("activations are bare strings, functions of one's own stay functions", {
  expect_identical(serialize_keras_object(get_activation("tanh")), "tanh")
  own <- function(x) x
  expect_identical(serialize_keras_object(own), own)
  expect_identical(serialize_keras_object(get_initializer(own)), own)
})

test_that("numbers, strings, NULL and lists of objects pass through", {
  expect_identical(serialize_keras_object(list(a = 1, b = NULL, c = "x")), list(a = 1, b = NULL, c = "x"))
  configs <- serialize_keras_object(list(regularizer_l1(), regularizer_l2()))
  expect_identical(vapply(configs, `[[`, "", "class_name"), c("L1", "L2"))
  expect_identical(vapply(deserialize_keras_object(configs), function(x) x$class_name, ""), c("L1", "L2"))
})

test_that("arrays and tensors are written row by row and come back", {
  x <- array(1:24 / 8, c(2, 3, 4))
  config <- serialize_keras_object(x)
  expect_identical(config$class_name, "__numpy__")
  expect_identical(unlist(config$config$value)[1:4], x[1, 1, ])
  expect_identical(deserialize_keras_object(config), x)
  tensor <- as_tensor(matrix(1:6, 2), "float64")
  back <- deserialize_keras_object(serialize_keras_object(tensor))
  expect_identical(tensor_dtype(back), "float64")
  expect_same_bits(back, tensor)
})

test_that("unknown keys of newer versions are left out with a warning, empty ones silently", {
  config <- serialize_keras_object(initializer_glorot_uniform(seed = 1))
  config$config["input_axes"] <- list(NULL)
  expect_silent(deserialize_keras_object(config))
  config$config$input_axes <- 1
  expect_warning(object <- deserialize_keras_object(config), class = "birnn_warning_config")
  expect_identical(object$get_config(), list(seed = 1L))
})

test_that("unknown classes are refused, those in custom_objects are made", {
  config <- list(module = "my_package", class_name = "MyDoubling", config = list(factor = 3), registered_name = "pkg>MyDoubling")
  expect_refused(deserialize_keras_object(config), "config")
  twice <- function(factor) list(factor = 2 * factor)
  expect_identical(deserialize_keras_object(config, list(MyDoubling = twice)), list(factor = 6))
  misspelt <- list(module = "keras.initializers", class_name = "GlorotUnifrom", config = list())
  expect_refused(deserialize_keras_object(misspelt), "config")
  expect_refused(get_initializer(serialize_keras_object(regularizer_l1())), "config")
})

test_that("names in configs never reach R's own functions", {
  for (name in c("Sys.getenv", "system", "quit", "base::system")) {
    expect_error(deserialize_keras_object(list(module = "builtins", class_name = name, config = list())),
                 class = "birnn_error_config")
    expect_error(get_activation(name), class = "birnn_error_value")
    expect_error(get_loss(name), class = "birnn_error_value")
  }
})

test_that("Keras' functions and dtype policies are read", {
  fn <- list(module = "builtins", class_name = "function", config = "mean_squared_error",
             registered_name = "mean_squared_error")
  expect_identical(deserialize_keras_object(fn), "mean_squared_error")
  expect_identical(get_loss(deserialize_keras_object(fn))$class_name, "MeanSquaredError")
  policy <- list(module = "keras", class_name = "DTypePolicy", config = list(name = "float32"), registered_name = NULL)
  expect_identical(deserialize_keras_object(policy), "float32")
})

test_that("objects keep their values through saveRDS()", {
  path <- withr::local_tempfile()
  objects <- list(initializer_glorot_uniform(), regularizer_l2(0.1), constraint_maxnorm(), loss_huber(delta = 2),
                  metric_mean(), optimizer_adam(0.5))
  objects[[5]]$update_state(c(1, 2))
  saveRDS(objects, path)
  back <- readRDS(path)
  expect_identical(lapply(back, serialize_keras_object), lapply(objects, serialize_keras_object))
  expect_same_bits(back[[1]](c(2, 2)), objects[[1]](c(2, 2)))
  expect_identical(as.numeric(back[[5]]$result()), 1.5)
})
