# Handles: a function outside, a layer to the eye.

test_that("a layer is a function with fields, not an R6 object", {
  layer <- layer_dense(units = 2)
  expect_true(is.function(layer))
  expect_true(is_layer(layer))
  expect_false(inherits(layer, "R6"))
  expect_equal(class(layer), "birnn_layer")
  expect_equal(layer$units, 2L)
  expect_equal(layer[["units"]], 2L)
  expect_null(layer$no_such_field)
  expect_length(layer, 1)
  expect_length(c(layer, layer_dense(units = 3)), 2)
})

test_that("fields can be set through every access", {
  layer <- layer_dense(units = 2)
  layer$note <- "mine"
  expect_equal(layer$note, "mine")
  layer[["note"]] <- "yours"
  expect_equal(layer$note, "yours")
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2) |> layer_dense(1)
  model$layers[[1]]$trainable <- FALSE
  expect_length(model$trainable_weights, 2)
  for (inner in model$layers) inner$trainable <- FALSE
  expect_length(model$trainable_weights, 0)
  expect_error(layer$call <- 1, "cannot be changed")
})

test_that("printing shows the layer and builds nothing", {
  clear_session(free_memory = FALSE)
  layers <- list(
    layer_lstm(units = 2), layer_bidirectional(layer = layer_gru(units = 2)), layer_dropout(rate = 0.5),
    layer_dense(units = 1)
  )
  expect_snapshot_output(for (layer in layers) {
    print(layer)
    str(layer)
  })
  expect_false(layers[[1]]$built)
  expect_output(str(list(a = layers[[1]])), "<LSTM name=lstm, built=FALSE>")
  layers[[1]](array(0, c(1, 2, 3)))
  expect_output(print(layers[[1]]), "built=TRUE")
})

test_that("completion offers fields and methods, not the inner life", {
  names <- .DollarNames(layer_lstm(units = 2), "")
  expect_true(all(c("units", "cell", "states", "weights", "get_config", "reset_state", "trainable") %in% names))
  expect_false(any(c("arguments", "handle", "is_trainable") %in% names))
  expect_equal(.DollarNames(layer_lstm(units = 2), "^unit"), c("unit_forget_bias", "units"))
})

test_that("a handle is the same as itself, and survives serialization", {
  layer <- layer_dense(units = 2)
  expect_true(identical(layer, layer$handle))
  layer(matrix(1, 1, 3))
  copy <- unserialize(serialize(layer, NULL))
  expect_same_bits(copy(matrix(1, 1, 3)), layer(matrix(1, 1, 3)))
  copy$trainable <- FALSE
  expect_true(layer$trainable)
})
