# The order of layers in a functional model: Keras' order, which is that of the weights.

layer_names <- function(model) vapply(model$layers, function(layer) layer$name, "")

test_that("layers are sorted by depth, then as a walk back from the outputs meets them", {
  clear_session(free_memory = FALSE)
  a <- keras_input(2, name = "a")
  b <- keras_input(2, name = "b")
  left <- layer_dense(a, 2, name = "left")
  right <- layer_dense(layer_dense(b, 2, name = "below"), 2, name = "right")
  model <- keras_model(list(a, b), layer_dense(right + left, 1, name = "top"))
  expect_equal(layer_names(model), c("b", "below", "a", "right", "left", "top"))
})

test_that("a shared layer stands at its deepest place", {
  x <- keras_input(2, name = "x")
  shared <- layer_dense(units = 2, name = "shared")
  model <- keras_model(x, layer_dense(shared(layer_dense(shared(x), 2, name = "between")), 1, name = "end"))
  expect_equal(layer_names(model), c("x", "shared", "between", "end"))
})

test_that("an input that no output needs is kept", {
  x <- keras_input(2, name = "x")
  spare <- keras_input(1, name = "spare")
  model <- keras_model(list(x, spare), layer_dense(x, 1))
  expect_setequal(layer_names(model)[1:3], c("x", "spare", model$layers[[3]]$name))
  expect_equal(dim(predict(model, list(matrix(0, 3, 2), matrix(0, 3, 1)))), c(3, 1))
})

test_that("a chain of many nodes needs no deep recursion", {
  x <- keras_input(1)
  y <- x
  for (k in seq_len(1500)) y <- op_tanh(y)
  graph <- map_graph(list(x), list(y))
  expect_length(graph$nodes, 1501)
  expect_equal(graph$nodes[[1]]$depth, 1500)
})
