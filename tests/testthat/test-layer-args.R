# Arguments: tables, defaults, legacy spellings, configs.

test_that("every layer's arguments are the formals of its function, and the other way round", {
  for (class_name in setdiff(registered_names("layer"), c("InputLayer", "Sequential", "Functional", "Model"))) {
    entry <- registered("layer", class_name)
    table <- full_table(class_arguments(entry$generator))
    formal <- setdiff(names(formals(entry$constructor)), c("object", "inputs", "..."))
    expect_identical(setdiff(formal, names(table)), character(), info = class_name)
    through_dots <- Filter(function(argument) !is.null(argument$default), table)
    expect_setequal(setdiff(names(table), formal), setdiff(names(through_dots), formal))
  }
})

test_that("arguments in `...` must be named and known", {
  expect_error(layer_dropout(, 0.1, NULL, 1L, 5), "must be named", class = "ValueError")
  expect_error(layer_dense(units = 2, nmae = "a"), "Did you mean `name`", class = "ValueError")
  expect_error(layer_simple_rnn(units = 2, implementation = 1), "no argument", class = "ValueError")
  expect_error(layer_dense(units = 2, units = 3))
})

test_that("abbreviated arguments are refused, not completed", {
  lstm <- layer_lstm(units = 1)
  expect_error(layer_bidirectional(layer = lstm, merge_mod = "sum"), "merge_mode", class = "ValueError")
  expect_error(layer_gru(unit = 2), "Did you mean `units`", class = "ValueError")
})

test_that("empty arguments count as not given", {
  expect_equal(layer_dense(, 3)$units, 3L)
  expect_equal(layer_dense(object = , units = 3)$units, 3L)
  expect_equal(layer_dense(units = 3, )$units, 3L)
})

test_that("names are strings without slashes", {
  expect_error(layer_dense(units = 2, name = "a/b"), class = "ValueError")
  expect_error(layer_dense(units = 2, name = 1), class = "ValueError")
})

test_that("recurrent layers take rates beyond 0 and 1 as 0 and 1", {
  layer <- layer_lstm(units = 2, dropout = 1.5, recurrent_dropout = -1)
  expect_equal(c(layer$dropout, layer$recurrent_dropout), c(1, 0))
})

test_that("arguments for other hardware are accepted without effect", {
  layer <- layer_gru(units = 2, use_cudnn = TRUE, implementation = 1, unroll = TRUE)
  expect_false(any(c("use_cudnn", "implementation") %in% names(layer$get_config())))
  expect_error(layer_gru(units = 2, use_cudnn = "never"), class = "ValueError")
  expect_error(layer_dense(units = 2, lora_rank = 4), "not supported", class = "ValueError")
})

test_that("older spellings of the input shape make a sequential model know its input", {
  shape_of <- function(...) {
    model <- keras_model_sequential() |> layer_lstm(units = 2, ...)
    model$input_shape
  }
  expect_equal(shape_of(input_shape = c(5, 3)), c(NA, 5L, 3L))
  expect_equal(shape_of(batch_input_shape = c(2, 5, 3)), c(2L, 5L, 3L))
  expect_equal(shape_of(input_shape = c(5, 3), batch_size = 2), c(2L, 5L, 3L))
  model <- keras_model_sequential() |> layer_embedding(10, 4, input_length = 6)
  expect_equal(model$output_shape, c(NA, 6L, 4L))
})

test_that("a layer comes back from its config, with fresh weights", {
  layer <- layer_lstm(units = 3, activation = "relu", kernel_regularizer = regularizer_l2(0.1), dropout = 0.2, seed = 4,
                      zero_output_for_mask = TRUE, name = "memory")
  x <- array(1, c(1, 2, 3))
  layer(x)
  copy <- deserialize_keras_object(serialize_keras_object(layer))
  expect_false(copy$built)
  expect_equal(copy$get_config(), layer$get_config())
  copy(x)
  expect_false(same_bits(get_weights(copy)[[1]], get_weights(layer)[[1]]))
})

test_that("functions of your own survive in configs", {
  layer <- layer_dense(units = 2, activation = function(x) op_square(x))
  layer(matrix(1, 1, 3))
  copy <- deserialize_keras_object(serialize_keras_object(layer))
  expect_equal(as.array(copy$activation(3)), 9)
})

test_that("unknown keys of a config are refused unless they are NULL", {
  config <- serialize_keras_object(layer_dense(units = 2))
  config$config["quantization_config"] <- list(NULL)
  expect_equal(deserialize_keras_object(config)$units, 2L)
  config$config$quantization_config <- "int8"
  expect_error(deserialize_keras_object(config), class = "ValueError")
})

test_that("axes count from 1 in R and from 0 in configs", {
  layer <- layer_activation_softmax(axis = 2)
  expect_equal(layer$get_config()$axis, 1L)
  expect_equal(deserialize_keras_object(serialize_keras_object(layer))$axis, 2L)
  expect_equal(layer_activation_softmax()$get_config()$axis, -1L)
  expect_error(layer_activation_softmax(axis = 0), class = "ValueError")
})
