# Recurrent layers: states, stateful layers, dropout, what they return.

x <- array(sin(1:40), c(2, 5, 4))

test_that("outputs and states have the structure of Keras", {
  expect_equal(dim(layer_lstm(x, units = 3)), c(2L, 3L))
  expect_equal(dim(layer_lstm(x, units = 3, return_sequences = TRUE)), c(2L, 5L, 3L))
  expect_equal(lapply(layer_lstm(x, units = 3, return_state = TRUE), dim), rep(list(c(2L, 3L)), 3))
  expect_length(layer_gru(x, units = 3, return_state = TRUE), 2)
  sequences <- layer_simple_rnn(x, units = 3, return_sequences = TRUE, return_state = TRUE)
  expect_same_bits(as.array(sequences[[1]])[, 5, ], sequences[[2]])
})

test_that("backwards, the sequence stays in the order of computation", {
  forward <- layer_gru(units = 3, return_sequences = TRUE)
  y <- forward(reverse_time(x))
  backward <- with_weights(layer_gru(units = 3, return_sequences = TRUE, go_backwards = TRUE), get_weights(forward), x)
  expect_same_bits(backward(x), y)
})

test_that("a stateful layer goes on where it ended, until it is reset", {
  layer <- layer_lstm(units = 3, stateful = TRUE)
  expect_null(layer$states)
  first <- as.array(layer(x[, 1:2, ]))
  second <- as.array(layer(x[, 3:5, ]))
  plain <- with_weights(layer_lstm(units = 3), get_weights(layer), x)
  expect_equal(second, as.array(plain(x)), tolerance = 1e-6)
  expect_equal(as.array(layer$states[[1]]), second)
  expect_length(layer$weights, 3)
  reset_state(layer)
  expect_equal(as.array(layer$states[[2]]), matrix(0, 2, 3))
  expect_same_bits(layer(x[, 1:2, ]), first)
  layer$reset_states()
  expect_same_bits(layer(x[, 1:2, ]), first)
})

test_that("kept states can start another layer, and given states win over kept ones", {
  layer <- layer_lstm(units = 3, stateful = TRUE)
  layer(x)
  states <- layer$states
  other <- layer_lstm(units = 3)
  expect_same_bits(other(x, initial_state = states), other(x, initial_state = lapply(states, as.array)))
  zero <- list(matrix(0, 2, 3), matrix(0, 2, 3))
  expect_same_bits(layer(x, initial_state = zero), with_weights(layer_lstm(units = 3), get_weights(layer), x)(x))
})

test_that("stateful layers need one batch size", {
  layer <- layer_gru(units = 2, stateful = TRUE)
  layer(x)
  expect_error(layer(x[c(1, 2, 2), , ]), "batch size of 2.*batch size of 3", class = "birnn_error_state")
  expect_error(keras_model_sequential(input_shape = c(5, 4)) |> layer_gru(units = 2, stateful = TRUE), "batch size",
               class = "birnn_error_state")
})

test_that("a stateful model carries states through fit() and predict(), and forgets them when it is told", {
  withr::local_seed(1)
  model <- keras_model_sequential(input_batch_shape = c(2, 5, 4)) |>
    layer_gru(units = 3, stateful = TRUE) |>
    layer_dense(1)
  model |> compile(optimizer = "sgd", loss = "mse")
  first <- predict(model, x, batch_size = 2, verbose = 0)
  second <- predict(model, x, batch_size = 2, verbose = 0)
  expect_false(same_bits(first, second))
  reset_state(model)
  expect_same_bits(predict(model, x, batch_size = 2, verbose = 0), first)
  fit(model, x, c(0, 1), batch_size = 2, epochs = 2, shuffle = FALSE, verbose = 0)
  expect_gt(sum(abs(as.array(model$layers[[1]]$states[[1]]))), 0)
})

test_that("dropout 1 sets everything to zero", {
  layer <- layer_gru(units = 3, dropout = 1)
  y <- layer(x, training = TRUE)
  plain <- with_weights(layer_gru(units = 3), get_weights(layer), x)
  expect_same_bits(y, plain(0 * x))
})

test_that("directions draw differently from one seed, layers of one direction alike", {
  draw <- function(...) {
    layer <- with_weights(
      layer_simple_rnn(units = 40, dropout = 0.5, seed = 9, activation = "linear", ...),
      list(diag(40), diag(0, 40), rep(0, 40)), array(1, c(1, 1, 40))
    )
    as.array(layer(array(1, c(1, 1, 40)), training = TRUE))
  }
  expect_same_bits(draw(), draw())
  expect_false(same_bits(draw(), draw(go_backwards = TRUE)))
  expect_same_bits(draw(go_backwards = TRUE), draw(go_backwards = TRUE))
})

test_that("the simple layer forgets its activity regularizer, as Keras' does, and says so once", {
  rm(list = intersect(ls(warned), "simple-rnn-activity-regularizer"), envir = warned)
  expect_warning(layer <- layer_simple_rnn(units = 2, activity_regularizer = "l2"), "no effect")
  expect_no_warning(layer_simple_rnn(units = 2, activity_regularizer = "l2"))
  layer(x)
  expect_length(layer$losses, 0)
  expect_null(layer$get_config()$activity_regularizer)
})

test_that("a subclass that redefines the call is not run by the compiled core alone", {
  Doubled <- R6::R6Class("Doubled", inherit = GRU, lock_objects = FALSE, public = list(
    call = function(sequences, initial_state = NULL, mask = NULL, training = FALSE) {
      op_multiply(super$call(sequences, initial_state, mask, training), 2)
    },
    from_config = function(config) do.call(Doubled$new, config_arguments(full_table(self$arguments), config))$handle
  ))
  wrapper <- layer_bidirectional(layer = Doubled$new(units = 2)$handle)
  y <- as.array(wrapper(x))
  plain <- with_weights(layer_bidirectional(layer = layer_gru(units = 2)), get_weights(wrapper), x)
  expect_equal(y, 2 * as.array(plain(x)), tolerance = 1e-6)
})
