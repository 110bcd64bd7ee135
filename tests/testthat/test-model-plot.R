# plot(model): boxes, arrows, places.

test_that("a chain stands in one column, its input on top", {
  clear_session()
  model <- keras_model_sequential(input_shape = c(NA, 3)) |> layer_lstm(units = 2) |> layer_dense(1)
  withr::with_pdf(NULL, expect_invisible(boxes <- plot(model)))
  expect_equal(boxes$class, c("InputLayer", "LSTM", "Dense"))
  expect_equal(boxes$shape, c("(None, None, 3)", "(None, 2)", "(None, 1)"))
  expect_equal(boxes$x, c(0, 0, 0))
  expect_true(all(diff(boxes$y) < 0))
  expect_equal(model_drawing(layer_object(model))$arrows, data.frame(from = 1:2, to = 2:3))
})

test_that("a graph has an arrow for each input of a call, from a higher row to a lower one", {
  a <- keras_input(c(NA, 3), name = "a")
  shared <- layer_lstm(units = 2, name = "shared")
  b <- keras_input(c(NA, 3), name = "b")
  model <- keras_model(list(a, b), layer_dense(shared(a) + shared(b), 1))
  drawing <- model_drawing(layer_object(model))
  boxes <- drawing$boxes
  expect_equal(sum(boxes$label == "shared"), 2)
  expect_equal(nrow(drawing$arrows), 5)
  expect_true(all(boxes$y[drawing$arrows$from] > boxes$y[drawing$arrows$to]))
  expect_equal(anyDuplicated(boxes[c("x", "y")]), 0)
  expect_equal(sort(boxes$x[boxes$class == "InputLayer"]), c(-0.5, 0.5))
})

test_that("models without an input, and classes of models, are drawn too; empty ones are refused", {
  withr::local_pdf(NULL)
  expect_equal(nrow(plot(keras_model_sequential() |> layer_lstm(units = 2) |> layer_dense(1))), 2)
  Pair <- Model("Pair", initialize = function() {
    super$initialize()
    self$top <- layer_dense(units = 1)
  }, call = function(inputs) self$top(inputs))
  expect_equal(plot(Pair())$class, "Dense")
  expect_refused(plot(keras_model_sequential(name = "empty")), "state")
})
