# freeze_weights(), unfreeze_weights(): which layers, in whatever form they are named.

model_of <- function() {
  keras_model_sequential(input_shape = c(5, 3)) |>
    layer_bidirectional(layer_lstm(units = 2), name = "memory") |>
    layer_dense(4, name = "hidden") |>
    layer_activation("relu", name = "relu") |>
    layer_dense(1, name = "top")
}

trains <- function(model) vapply(model$layers, function(layer) layer$trainable, NA)

test_that("a whole model or layer is frozen and unfrozen", {
  model <- model_of()
  expect_invisible(frozen <- freeze_weights(model))
  expect_identical(frozen, model)
  expect_length(model$trainable_weights, 0)
  expect_length(model$non_trainable_weights, 10)
  unfreeze_weights(model)
  expect_length(model$trainable_weights, 10)
  layer <- model$layers[[1]]
  freeze_weights(layer)
  expect_false(layer$forward_layer$trainable)
  expect_length(model$trainable_weights, 4)
})

# What is chosen, in every form, and the layers it means.
choices <- list(
  list(args = list(from = 2, to = 3), layers = 2:3),
  list(args = list(from = "hidden"), layers = 2:4),
  list(args = list(to = "hidden"), layers = 1:2),
  list(args = list(from = -2), layers = 3:4),
  list(args = list(to = -2), layers = 1:3),
  list(args = list(from = "top", to = 4), layers = 4),
  list(args = list(which = c(1, 4)), layers = c(1, 4)),
  list(args = list(which = -1), layers = 4),
  list(args = list(which = c("relu", "top")), layers = 3:4),
  list(args = list(which = c(TRUE, FALSE, FALSE, TRUE)), layers = c(1, 4)),
  list(args = list(which = function(layer) startsWith(layer$name, "h")), layers = 2),
  list(args = list(which = ~ .x$name == "top"), layers = 4),
  list(args = list(which = list("top", 1)), layers = c(1, 4))
)

test_that("some layers are chosen in any form, the others become the opposite", {
  for (choice in choices) {
    model <- model_of()
    label <- paste(deparse(choice$args), collapse = "")
    do.call(freeze_weights, c(list(model), choice$args))
    expect_equal(trains(model), !(1:4 %in% choice$layers), info = label)
    do.call(unfreeze_weights, c(list(model), choice$args))
    expect_equal(trains(model), 1:4 %in% choice$layers, info = label)
    freeze_weights(model)
    do.call(freeze_weights, c(list(model), choice$args))
    expect_equal(trains(model), !(1:4 %in% choice$layers), info = label)
  }
  model <- model_of()
  freeze_weights(model, from = model$layers[[2]], to = model$layers[[3]])
  expect_equal(trains(model), c(TRUE, FALSE, FALSE, TRUE))
  freeze_weights(model, which = model$layers[[4]])
  expect_equal(trains(model), c(TRUE, TRUE, TRUE, FALSE))
})

test_that("training leaves frozen weights alone, also those inside a bidirectional layer", {
  set.seed(1)
  model <- model_of()
  compile(model, "sgd", loss = "mse")
  freeze_weights(model, to = "memory")
  before <- get_weights(model)
  fit(model, random_array(6, 5, 3), rep(1, 6), verbose = 0)
  after <- get_weights(model)
  expect_same_bits(after[1:6], before[1:6])
  expect_false(same_bits(after[7:10], before[7:10]))
})

test_that("layers that do not exist are refused, and nothing changes", {
  clear_session(free_memory = FALSE)
  model <- model_of()
  expect_refused(freeze_weights("model"), "value")
  expect_refused(freeze_weights(model, from = 5), "value", list(model))
  expect_refused(freeze_weights(model, from = 0), "value", list(model))
  expect_refused(freeze_weights(model, from = "hiden"), "value", list(model))
  expect_refused(freeze_weights(model, from = 3, to = 2), "value", list(model))
  expect_refused(freeze_weights(model, from = 1, which = 2), "value", list(model))
  expect_refused(freeze_weights(model, which = c(TRUE, FALSE)), "value", list(model))
  expect_refused(freeze_weights(model, which = layer_dense(units = 1)), "value", list(model))
  expect_refused(freeze_weights(model, which = function(layer) "yes"), "value", list(model))
  expect_refused(freeze_weights(model$layers[[1]], from = 1), "value", list(model))
  expect_equal(trains(model), rep(TRUE, 4))
})
