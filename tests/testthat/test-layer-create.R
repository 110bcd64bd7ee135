# create_layer() and create_layer_wrapper().

test_that("a layer is made of a name, a layer function, a class of one's own and an R6 class", {
  clear_session()
  expect_equal(create_layer("Dense", args = list(units = 3))$units, 3)
  expect_equal(create_layer(layer_lstm, args = list(units = 2, return_sequences = TRUE))$units, 2)
  Scale <- Layer("Scale", initialize = function(factor = 2) {
    super$initialize()
    self$factor <- factor
  }, call = function(inputs) inputs * self$factor)
  expect_equal(as.array(create_layer(Scale, as_tensor(1:2), list(factor = 3))), array(c(3, 6)))
  Shift <- R6::R6Class("Shift", public = list(
    initialize = function(by = 1) {
      super$initialize()
      self$by <- by
    },
    call = function(inputs) inputs + self$by
  ))
  expect_equal(as.array(create_layer(Shift, as_tensor(1:2))), array(c(2, 3)))
})

test_that("the layer is composed as those of layer_*() are", {
  model <- keras_model_sequential(input_shape = 2)
  expect_identical(withVisible(create_layer("Dense", model, list(units = 3)))$visible, FALSE)
  expect_equal(count_params(model), 9)
  output <- create_layer("Dense", keras_input(2), list(units = 4))
  expect_equal(dim(output), c(NA, 4L))
})

test_that("a wrapper has the arguments of the class, and modifiers go before", {
  Scale <- Layer("Scale", initialize = function(factor = 2) super$initialize())
  expect_identical(create_layer_wrapper(Scale), Scale)
  layer_half <- create_layer_wrapper(layer_dense, modifiers = list(units = function(n) n / 2))
  expect_identical(formals(layer_half), formals(layer_dense))
  expect_equal(layer_half(units = 8)$units, 4)
  model <- keras_model_sequential(input_shape = 3) |> layer_half(4, use_bias = FALSE)
  expect_equal(count_params(model), 6)
  Shift <- R6::R6Class("Shift", public = list(initialize = function(by = 1) super$initialize()))
  expect_named(formals(create_layer_wrapper(Shift)), c("object", "by"))
})

test_that("what is no class is refused", {
  expect_refused(create_layer("Dens", args = list(units = 1)), "config")
  expect_refused(create_layer(3), "value")
  expect_refused(create_layer(layer_dense(units = 1)), "value")
  expect_refused(create_layer("Dense", args = list(unit = 1)), "value")
})
