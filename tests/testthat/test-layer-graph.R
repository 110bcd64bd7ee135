# Calls on symbolic tensors: nodes, histories, single ops.

test_that("outputs know the layer, the call and the place they come from", {
  layer <- layer_lstm(units = 2, return_state = TRUE)
  input <- keras_input(c(NA, 3))
  outputs <- layer(input)
  again <- layer(keras_input(c(4, 3)))
  expect_length(layer$inbound_nodes, 2)
  history <- outputs[[3]][["history"]]
  expect_identical(history$layer, layer)
  expect_equal(c(history$node, history$tensor), c(1, 3))
  expect_equal(again[[1]][["history"]]$node, 2)
  expect_identical(layer$inbound_nodes[[1]]$inputs, list(input))
  expect_error(layer$output, "several times", class = "birnn_error_state")
  expect_error(layer_dense(units = 1)$input, "has not been called", class = "birnn_error_state")
})

test_that("states given to a call are inputs of its node", {
  state <- keras_input(2)
  layer <- layer_gru(units = 2)
  layer(keras_input(c(NA, 3)), initial_state = list(state))
  expect_length(layer$inbound_nodes[[1]]$inputs, 2)
  expect_identical(layer$inbound_nodes[[1]]$kwargs$initial_state[[1]], state)
})

test_that("calls of layers inside a layer make no nodes", {
  wrapper <- layer_bidirectional(layer = layer_gru(units = 2, activity_regularizer = "l2"))
  wrapper(keras_input(c(NA, 3)))
  expect_length(wrapper$inbound_nodes, 1)
  expect_length(wrapper$forward_layer$inbound_nodes, 0)
})

test_that("symbolic masks travel with symbolic tensors", {
  masked <- layer_masking(keras_input(c(NA, 3)))
  expect_equal(tensor_shape(tensor_mask(masked)), c(NA_integer_, NA_integer_))
  y <- layer_bidirectional(masked, layer_gru(units = 2, return_sequences = TRUE))
  expect_equal(tensor_dtype(tensor_mask(y)), "bool")
})

test_that("ops on symbolic tensors become part of a model", {
  input <- keras_input(3)
  y <- op_add(op_multiply(input, 2), matrix(1, 1, 3))
  expect_s3_class(layer_object(y[["history"]]$layer), "OpLayer")
  model <- keras_model(input, list(y, op_split(input, 3L, axis = 2L)[[2]]))
  result <- model(matrix(1:3, 1))
  expect_equal(as.array(result[[1]]), matrix(c(3, 5, 7), 1))
  expect_equal(as.array(result[[2]]), matrix(2, 1, 1))
})
