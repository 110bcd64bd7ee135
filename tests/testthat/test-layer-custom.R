# Layer(): classes written by users, in the ways users write them.

layer_linear <- Layer("Linear",
  initialize = function(units = 4, ...) {
    super$initialize(...)
    self$units <- as.integer(units)
  },
  build = function(input_shape) {
    self$kernel <- self$add_weight(shape(tail(input_shape, 1), self$units), name = "kernel")
    self$bias <- self$add_weight(shape(self$units), initializer = "zeros", name = "bias")
  },
  call = function(inputs) op_matmul(inputs, self$kernel) + self$bias
)

x <- matrix(sin(1:12), 4)

test_that("a class makes layers with weights, used like any layer", {
  layer <- layer_linear(units = 2)
  expect_false(layer$built)
  y <- layer(x)
  expect_equal(dim(y), c(4L, 2L))
  expect_equal(as.array(y), x %*% as.array(layer$kernel), tolerance = 1e-6)
  expect_length(layer$weights, 2)
  expect_equal(layer$weights[[1]]$path, paste0(layer$name, "/kernel"))
})

test_that("a model is made by the pipe, also with arguments by position", {
  model <- keras_model_sequential(input_shape = 3) |>
    layer_linear(5) |>
    layer_linear(units = 2)
  expect_equal(lapply(model$layers, function(layer) layer$units), list(5L, 2L))
  input <- keras_input(3)
  expect_equal(tensor_shape(input |> layer_linear(2)), c(NA, 2L))
  expect_equal(dim(layer_linear(x, 2)), c(4L, 2L))
})
