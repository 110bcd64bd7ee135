# The step-by-step loop: whatever the compiled core can do, it does the same.

# The same layer twice: compiled, and with an activation that only R knows.
both_ways <- function(make, x, ...) {
  compiled <- make(units = 3, ..., return_state = TRUE)
  compiled(x)
  scanned <- make(units = 3, activation = function(x) op_tanh(x), ..., return_state = TRUE)
  list(compiled = compiled, scanned = with_weights(scanned, get_weights(compiled), x))
}

cells <- list(layer_simple_rnn, layer_lstm, layer_gru)

test_that("masks, directions, states and options are the same", {
  withr::local_seed(1)
  with_floatx("float64", for (make in cells) for (mask in mask_kinds) for (backwards in c(FALSE, TRUE)) {
    x <- random_array(3, 4, 2)
    zero <- mask == "gaps"
    layers <- both_ways(make, x, return_sequences = backwards, go_backwards = backwards, zero_output_for_mask = zero)
    states <- lapply(seq_len(layers$compiled$state_count()), function(k) random_array(3, 3))
    for (given in list(NULL, states)) {
      steps <- random_mask(mask, 3, 4)
      one <- arrays_of(call_with(layers$compiled, x, steps, given))
      other <- arrays_of(call_with(layers$scanned, x, steps, given))
      expect_equal(other, one, tolerance = 1e-12, info = paste(mask, backwards))
    }
  })
})

test_that("dropout draws the same masks", {
  withr::local_seed(3)
  x <- random_array(3, 4, 5)
  with_floatx("float64", for (make in c(cells, function(...) layer_gru(..., reset_after = FALSE))) {
    for (rates in list(c(0.4, 0), c(0, 0.4), c(0.4, 0.4), c(1, 0), c(0, 1))) {
      layers <- both_ways(make, x, dropout = rates[[1]], recurrent_dropout = rates[[2]], seed = 7)
      results <- lapply(layers, function(layer) arrays_of(layer(x, training = TRUE)))
      expect_equal(results$scanned, results$compiled, tolerance = 1e-12, info = toString(rates))
      expect_false(isTRUE(all.equal(results$compiled, arrays_of(layers$compiled(x)))))
    }
  })
})

test_that("gradients are the same", {
  withr::local_seed(4)
  x <- random_array(3, 4, 2)
  mask <- random_mask("gaps", 3, 4)
  with_floatx("float64", for (make in cells) {
    layers <- both_ways(make, x, return_sequences = TRUE)
    found <- lapply(layers, function(layer) {
      loss <- function(inputs) fixture_loss(flatten_structure(layer(inputs[[1]], mask = mask)))
      value_and_gradients(loss, list(as_tensor(x)), layer$trainable_weights)
    })
    expect_equal(found$scanned, found$compiled, tolerance = 1e-10)
  })
})

test_that("functional models with an unknown number of steps know the shapes, and train", {
  withr::local_seed(5)
  input <- keras_input(c(NA, 2))
  y <- layer_bidirectional(input, layer_lstm(units = 3, activation = "softmax", return_sequences = TRUE))
  expect_equal(dim(y), c(NA, NA, 6L))
  model <- keras_model(input, layer_dense(y, 1))
  model |> compile(optimizer = "sgd", loss = "mse")
  before <- get_weights(model)
  for (time in c(3, 5)) fit(model, random_array(4, time, 2), random_array(4, time, 1), epochs = 1, verbose = 0)
  expect_false(same_bits(get_weights(model), before))
})
