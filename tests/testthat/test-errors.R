# Bad input: every refusal has its classes, its words (see _snaps), and leaves everything as it was.

lstm_model <- function(loss = "mse", units = 1, activation = NULL) {
  clear_session(free_memory = FALSE)
  set.seed(1)
  model <- keras_model_sequential(input_shape = c(10, 3)) |>
    layer_lstm(units = 4) |>
    layer_dense(units, activation = activation)
  model |> compile(optimizer = "sgd", loss = loss)
  model
}

built_bidirectional <- function(...) {
  clear_session(free_memory = FALSE)
  layer <- layer_bidirectional(layer = layer_lstm(units = 4, return_sequences = TRUE), ...)
  layer(array(0, c(2, 5, 3)))
  layer
}

test_that("arrays of the wrong rank or size are refused", {
  model <- lstm_model()
  layer <- built_bidirectional()
  expect_refused(predict(model, matrix(0, 10, 3)), "shape", list(model))
  expect_refused(predict(model, array(0, c(2, 10, 3, 1))), "shape", list(model))
  expect_refused(predict(model, array(0, c(2, 10, 5))), "shape", list(model))
  expect_refused(predict(model, array(0, c(2, 9, 3))), "shape", list(model))
  expect_refused(predict(model, 1:30), "shape", list(model))
  expect_refused(fit(model, matrix(0, 10, 3), rep(0, 10)), "shape", list(model))
  expect_refused(layer(matrix(0, 5, 3)), "shape", list(layer))
  expect_refused(layer(array(0, c(2, 5, 4))), "shape", list(layer))
})

test_that("what is not numbers is refused", {
  model <- lstm_model()
  expect_refused(predict(model, array("a", c(2, 10, 3))), "type", list(model))
  expect_refused(predict(model, factor(letters)), "type", list(model))
  expect_refused(predict(model, array(1i, c(2, 10, 3))), "type", list(model))
  expect_refused(predict(model, data.frame(a = letters)), "type", list(model))
  expect_refused(predict(model, Sys.Date()), "type", list(model))
})

test_that("data that do not fit together are refused", {
  model <- lstm_model()
  x <- array(0, c(4, 10, 3))
  expect_refused(fit(model, x, rep(0, 3), verbose = 0), "shape", list(model))
  expect_refused(fit(model, x, verbose = 0), "value", list(model))
  expect_refused(fit(model, x, matrix(0, 4, 2), verbose = 0), "shape", list(model))
  expect_refused(fit(model, x, rep(0, 4), sample_weight = rep(1, 3), verbose = 0), "shape", list(model))
  expect_refused(fit(model, x, rep(0, 4), batch_size = 0, verbose = 0), "value", list(model))
  expect_refused(fit(model, x, rep(0, 4), epochs = -1, verbose = 0), "value", list(model))
  expect_refused(fit(model, x, rep(0, 4), validation_split = 1, verbose = 0), "value", list(model))
  expect_refused(fit(model, x, rep(0, 4), validation_data = x, verbose = 0), "type", list(model))
  expect_refused(fit(model, x, rep(0, 4), callbacks = "stop", verbose = 0), "value", list(model))
  classifier <- lstm_model("sparse_categorical_crossentropy", 3, "softmax")
  expect_refused(fit(classifier, x, c(0, 1, 2, 3), verbose = 0), "value", list(classifier))
  expect_refused(fit(classifier, x, c(0, 1, -1, 2), verbose = 0), "value", list(classifier))
  expect_refused(fit(classifier, x, 0:3 %% 3, class_weight = list(a = 1), verbose = 0), "value", list(classifier))
})

test_that("empty arrays: no steps, features or units are errors, no rows are an error for fit() only", {
  clear_session(free_memory = FALSE)
  model <- keras_model_sequential(input_shape = c(NA, 3)) |>
    layer_bidirectional(layer_lstm(units = 4)) |>
    layer_dense(1)
  model |> compile(optimizer = "sgd", loss = "mse")
  expect_equal(dim(predict(model, array(0, c(0, 10, 3)), verbose = 0)), c(0, 1))
  expect_refused(fit(model, array(0, c(0, 10, 3)), numeric(), verbose = 0), "value", list(model))
  expect_refused(predict(model, array(0, c(2, 0, 3))), "shape", list(model))
  expect_refused(layer_lstm(units = 4)(array(0, c(2, 5, 0))), "shape")
  expect_refused(layer_lstm(units = 0), "value")
  expect_refused(keras_model_sequential(input_shape = c(0, 3)) |> layer_lstm(units = 4), "shape")
})

test_that("numbers of units, rates and other arguments out of range are refused", {
  clear_session(free_memory = FALSE)
  expect_refused(layer_lstm(units = -1), "value")
  expect_refused(layer_lstm(units = 1.5), "value")
  expect_refused(layer_gru(units = NA), "value")
  expect_refused(layer_gru(units = "8"), "value")
  expect_refused(layer_simple_rnn(units = c(4, 8)), "value")
  expect_refused(layer_lstm(units = 1e10), "value")
  expect_refused(layer_dropout(rate = 1.2), "value")
  expect_refused(layer_dropout(rate = NA), "value")
  expect_refused(layer_lstm(units = 2, return_sequences = "yes"), "value")
  expect_refused(layer_lstm(units = 2, return_sequences = c(TRUE, FALSE)), "value")
  expect_refused(layer_embedding(input_dim = 0, output_dim = 2), "value")
})

test_that("misspelt names and arguments are refused with a suggestion", {
  clear_session(free_memory = FALSE)
  expect_refused(layer_lstm(units = 2, activation = "tahn"), "value")
  expect_refused(layer_dense(units = 2, kernel_initializer = "glorot_unifrom"), "value")
  expect_refused(layer_dense(units = 2, kernel_regularizer = "l3"), "value")
  expect_refused(layer_dense(units = 2, kernel_constraint = "max_nrm"), "value")
  expect_refused(layer_lstm(units = 2, retrun_sequences = TRUE), "value")
  expect_refused(layer_bidirectional(layer = layer_lstm(units = 2), mergemode = "sum"), "value")
  expect_refused(layer_dense(units = 2, colour = "red"), "value")
  model <- lstm_model()
  expect_refused(compile(model, loss = "msee"), "value", list(model))
  expect_refused(compile(model, optimizer = "adamm", loss = "mse"), "value", list(model))
  expect_refused(compile(model, loss = "mse", metrics = "acuracy"), "value", list(model))
  expect_refused(optimizer_adam(lerning_rate = 0.1), "value")
  expect_refused(optimizer_adam(learning_rate = -1), "value")
  expect_refused(fit(model, array(0, c(2, 10, 3)), c(0, 0), epoch = 2), "value", list(model))
})

test_that("a model must be compiled and built first", {
  clear_session(free_memory = FALSE)
  model <- keras_model_sequential(input_shape = c(10, 3)) |> layer_lstm(units = 1)
  expect_refused(fit(model, array(0, c(2, 10, 3)), c(0, 0)), "state", list(model))
  expect_refused(evaluate(model, array(0, c(2, 10, 3)), c(0, 0)), "state", list(model))
  expect_refused(count_params(layer_lstm(units = 2)), "state")
})

test_that("layer_bidirectional() takes a recurrent layer and a known merge mode only", {
  clear_session(free_memory = FALSE)
  expect_refused(layer_bidirectional(layer = layer_lstm), "value")
  expect_refused(layer_bidirectional(layer = "lstm"), "value")
  expect_refused(layer_bidirectional(layer = NULL), "value")
  expect_refused(layer_bidirectional(), "value")
  expect_refused(layer_bidirectional(layer = layer_dense(units = 2)), "config")
  expect_refused(layer_bidirectional(layer = layer_lstm(units = 2), backward_layer = "lstm"), "value")
  expect_refused(layer_bidirectional(layer = layer_lstm(units = 2), backward_layer = layer_dense(units = 2)), "config")
  expect_refused(layer_bidirectional(layer = layer_lstm(units = 2), merge_mode = "concatenate"), "value")
  expect_refused(layer_bidirectional(layer = layer_lstm(units = 2), merge_mode = NA), "value")
  expect_refused(layer_bidirectional(layer = layer_lstm(units = 2), merge_mode = character()), "value")
  input <- keras_input(c(5, 3))
  functional <- keras_model(input, layer_lstm(input, units = 2))
  expect_refused(layer_bidirectional(functional, layer_lstm(units = 2)), "value", list(functional))
  expect_refused(layer_bidirectional("text", layer_lstm(units = 2)), "type")
})

test_that("unequal units are refused where outputs are added, averaged or multiplied", {
  forward <- layer_lstm(units = 2)
  for (merge_mode in c("sum", "ave", "mul")) {
    backward <- layer_lstm(units = 3, go_backwards = TRUE)
    wrap <- function() layer_bidirectional(layer = forward, backward_layer = backward, merge_mode = merge_mode)
    expect_refused(wrap()(array(0, c(1, 4, 2))), "config")
  }
  backward <- layer_gru(units = 3, go_backwards = TRUE)
  layer <- layer_bidirectional(layer = layer_lstm(units = 2), backward_layer = backward)
  expect_equal(dim(layer(array(0, c(1, 4, 2)))), c(1, 5))
  expect_equal(dim(layer(keras_input(c(4, 2)))), c(NA, 5))
})

# What must agree, or differ, between the two layers: a ValueError that names it, and nothing is wrapped.
backward_layers <- list(
  go_backwards = function() layer_lstm(units = 2),
  stateful = function() layer_lstm(units = 2, go_backwards = TRUE, stateful = TRUE),
  return_sequences = function() layer_lstm(units = 2, go_backwards = TRUE, return_sequences = TRUE),
  return_state = function() layer_lstm(units = 2, go_backwards = TRUE, return_state = TRUE)
)

for (attribute in names(backward_layers)) {
  test_that(paste("a backward_layer that does not agree on", attribute, "is a ValueError"), {
    clear_session(free_memory = FALSE)
    forward <- layer_lstm(units = 2)
    backward <- backward_layers[[attribute]]()
    caught <- tryCatch(
      layer_bidirectional(layer = forward, backward_layer = backward),
      ValueError = function(e) e, error = function(e) NULL
    )
    expect_s3_class(caught, "ValueError")
    expect_match(conditionMessage(caught), attribute)
    expect_refused(layer_bidirectional(layer = forward, backward_layer = backward), "config", list(forward, backward))
  })
}

test_that("weights of an odd number or of wrong shapes are refused", {
  clear_session(free_memory = FALSE)
  good <- get_weights(built_bidirectional())
  x <- array(0, c(2, 5, 3))
  wrong <- function(weights) layer_bidirectional(layer = layer_lstm(units = 4), weights = weights)
  expect_refused(wrong(good[1:5]), "weights")
  expect_refused(wrong(good[c(2, 1, 3:6)])(x), "weights")
  expect_refused(wrong(good[1:4])(x), "weights")
  expect_refused(wrong("heavy"), "weights")
  layer <- built_bidirectional()
  expect_refused(set_weights(layer, good[-1]), "weights", list(layer))
  expect_refused(set_weights(layer, good[c(2, 1, 3:6)]), "weights", list(layer))
  transposed <- good
  transposed[[1]] <- t(good[[1]])
  expect_refused(set_weights(layer, transposed), "weights", list(layer))
  halfway <- lapply(good, function(x) x + 1)
  halfway[[6]] <- 0
  expect_refused(set_weights(layer, halfway), "weights", list(layer))
})

test_that("initial states must be as many as there are states, and of their shape", {
  layer <- built_bidirectional()
  x <- array(0, c(2, 5, 3))
  state <- matrix(0, 2, 4)
  expect_refused(layer(x, initial_state = list(state, state)), "state", list(layer))
  expect_refused(layer(x, initial_state = list(state, state, state)), "state", list(layer))
  expect_refused(layer(x, initial_state = state), "state", list(layer))
  expect_refused(layer(x, initial_state = rep(list(matrix(0, 2, 5)), 4)), "state", list(layer))
  expect_refused(layer(x, initial_state = rep(list(matrix(0, 3, 4)), 4)), "state", list(layer))
  expect_refused(layer_lstm(units = 4)(x, initial_state = state), "state")
  expect_refused(layer_gru(units = 4)(x, initial_state = list(state, state)), "state")
})

test_that("masks must have the sizes of the batch and of time, and be logical", {
  layer <- built_bidirectional()
  x <- array(0, c(2, 5, 3))
  expect_refused(layer(x, mask = matrix(TRUE, 3, 5)), "mask", list(layer))
  expect_refused(layer(x, mask = matrix(TRUE, 2, 4)), "mask", list(layer))
  expect_refused(layer(x, mask = array(TRUE, c(2, 5, 3))), "mask", list(layer))
  expect_refused(layer(x, mask = matrix("a", 2, 5)), "mask", list(layer))
})

test_that("states can be reset only where they are kept, and need a known batch size", {
  layer <- built_bidirectional()
  expect_refused(layer$reset_state(), "state", list(layer))
  expect_refused(layer(keras_input(c(5, 3)), initial_state = list()), "state", list(layer))
  expect_refused(layer_lstm(keras_input(c(5, 3)), units = 2, stateful = TRUE), "state")
  stateful <- layer_lstm(units = 2, stateful = TRUE)
  stateful(array(0, c(2, 5, 3)))
  expect_refused(stateful(array(0, c(3, 5, 3))), "state", list(stateful))
})

test_that("a loss that is not finite stops fit() before the update, naming epoch and batch", {
  clear_session(free_memory = FALSE)
  set.seed(2)
  model <- lstm_model()
  x <- array(stats::rnorm(240), c(8, 10, 3))
  y <- replace(rep(0, 8), 5, NaN)
  before <- get_weights(model)
  condition <- expect_refused(fit(model, x[5:8, , ], y[5:8], batch_size = 4, verbose = 0), "numeric", list(model))
  expect_match(conditionMessage(condition), "epoch 1")
  x[1, 1, 1] <- NaN
  expect_refused(fit(model, x, rep(0, 8), batch_size = 8, verbose = 0), "numeric", list(model))
  expect_same_bits(get_weights(model), before)
  # The batch before the bad one counts: a whole number of steps.
  expect_error(
    fit(model, x[8:1, , ], rep(0, 8), batch_size = 4, shuffle = FALSE, verbose = 0), class = "birnn_error_numeric"
  )
  expect_equal(as.numeric(model$optimizer$iterations), 1)
  withr::local_options(birnn.nonfinite = "warn")
  expect_warning(fit(model, x, rep(0, 8), batch_size = 8, verbose = 0), class = "birnn_warning")
})

test_that("the words are the same in the C locale", {
  words <- function() {
    condition <- tryCatch(layer_bidirectional(layer = layer_lstm(units = 2), merge_mode = "add"), error = identity)
    c(conditionMessage(condition), class(condition))
  }
  plain_words <- function(words) {
    options(cli.num_colors = 1L, cli.unicode = FALSE, cli.condition_width = Inf, width = 80L)
    words()
  }
  there <- in_fresh_r(plain_words, `environment<-`(words, globalenv()), env = c(LC_ALL = "C", LANG = "C"))
  expect_identical(there, words())
})
