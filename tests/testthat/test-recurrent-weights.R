# How the weights of recurrent layers start, what they cost, what they are projected onto: every argument in every form.

x <- withr::with_seed(1, random_array(2, 4, 3))
roles <- c("kernel", "recurrent", "bias")

# The layer of each kind alone and inside a bidirectional one, which makes both directions from its config.
kinds <- list(
  simple_rnn = function(...) layer_simple_rnn(units = 2, ...),
  lstm = function(...) layer_lstm(units = 2, ...),
  gru = function(...) layer_gru(units = 2, ...),
  gru_reset_before = function(...) layer_gru(units = 2, reset_after = FALSE, ...),
  generic_lstm = function(...) layer_rnn(cell = rnn_cell_lstm(units = 2, ...)),
  bidirectional_gru = function(...) layer_bidirectional(layer = layer_gru(units = 2, ...)),
  bidirectional_lstm = function(...) layer_bidirectional(layer = layer_lstm(units = 2, ...))
)

is_lstm <- function(kind) grepl("lstm", kind)

# Arguments for the three weights; LSTM's bias is to start as a whole.
for_weights <- function(kind, suffix, values) {
  args <- rlang::set_names(values, paste0(roles, "_", suffix))
  if (is_lstm(kind)) args$unit_forget_bias <- FALSE
  args
}

built_of_kind <- function(kind, ...) {
  layer <- kinds[[kind]](...)
  layer(x)
  layer
}

shapes_of_kind <- function(kind) lapply(get_weights(built_of_kind(kind))[1:3], function(w) dim(w) %||% length(w))

for (kind in names(kinds)) {
  test_that(paste("initializers of", kind, "come by name, as objects, functions and arrays"), {
    shapes <- shapes_of_kind(kind)
    seen <- list()
    counted <- function(shape, dtype = NULL) {
      seen <<- c(seen, list(as.integer(unlist(shape))))
      op_ones(unlist(shape), dtype = dtype)
    }
    forms <- list(
      name = "ones", object = initializer_constant(1), constructor = initializer_ones, closure = counted,
      config = serialize_keras_object(initializer_ones()), number = initializer_constant(value = 1)
    )
    for (form in names(forms)) {
      layer <- do.call(built_of_kind, c(list(kind), for_weights(kind, "initializer", rep(forms[form], 3))))
      expect_true(all(unlist(get_weights(layer)) == 1), info = paste(kind, form))
    }
    # The weights of all gates are one array.
    expect_equal(unique(seen[1:3]), unique(lapply(shapes, as.integer)))
    arrays <- lapply(shapes, function(size) array(seq_len(prod(size)) / 10, size))
    layer <- do.call(built_of_kind, c(list(kind), for_weights(kind, "initializer", arrays)))
    for (half in seq_len(length(get_weights(layer)) / 3)) {
      expect_equal(lapply(get_weights(layer)[3 * (half - 1) + 1:3], as.vector), lapply(arrays, as.vector),
                   tolerance = 1e-6)
    }
    wrong <- rep(list(matrix(1, 5, 5)), 3)
    expect_error(do.call(built_of_kind, c(list(kind), for_weights(kind, "initializer", wrong))),
                 class = "birnn_error_shape")
  })

  test_that(paste("penalties of the weights of", kind, "are those of Keras, in layer$losses and in fit()"), {
    forms <- list("l2", regularizer_l1(0.1), function(w) op_multiply(op_sum(op_square(w)), 0.3))
    layer <- do.call(built_of_kind, c(list(kind), for_weights(kind, "regularizer", forms)))
    weights <- get_weights(layer)
    factor <- list(function(w) 0.01 * sum(w^2), function(w) 0.1 * sum(abs(w)), function(w) 0.3 * sum(w^2))
    expected <- unlist(Map(function(w, k) factor[[(k - 1) %% 3 + 1]](w), weights, seq_along(weights)))
    expect_equal(vapply(layer$losses, as.numeric, numeric(1)), unname(expected), tolerance = 1e-5)
    input <- keras_input(c(4, 3))
    model <- keras_model(input, layer(input))
    compile(model, optimizer = optimizer_sgd(learning_rate = 1e-20), loss = "mse")
    y <- predict(model, x, verbose = 0)
    loss <- evaluate(model, x, y, verbose = 0)[["loss"]]
    expect_equal(loss, sum(expected), tolerance = 1e-5)
    expect_equal(fit(model, x, y, verbose = 0)$metrics$loss, sum(expected), tolerance = 1e-5)
    layer$trainable <- FALSE
    expect_length(layer$losses, 0)
  })

  test_that(paste("the gradient of a penalty moves the weights of", kind), {
    values <- rep(list(regularizer_l2(0.25)), 3)
    layer <- do.call(built_of_kind, c(list(kind), for_weights(kind, "regularizer", values)))
    input <- keras_input(c(4, 3))
    model <- keras_model(input, layer(input))
    set_weights(model, lapply(get_weights(model), function(w) w * 0 + 0.5))
    compile(model, optimizer = optimizer_sgd(learning_rate = 0.1), loss = "mse")
    train_on_batch(model, x, predict(model, x, verbose = 0))
    # w - 0.1 * 2 * 0.25 * w: the error is 0, and so is its gradient.
    expect_equal(unique(round(unlist(get_weights(model)), 5)), 0.475)
  })

  test_that(paste("constraints of", kind, "hold after every update"), {
    halved <- function(w) op_multiply(w, 0.5)
    values <- list(constraint_maxnorm(0.2), "nonneg", halved)
    layer <- do.call(built_of_kind, c(list(kind), for_weights(kind, "constraint", values)))
    input <- keras_input(c(4, 3))
    model <- keras_model(input, layer(input))
    for (run_eagerly in c(FALSE, TRUE)) {
      set_weights(model, lapply(get_weights(model), function(w) w * 0 + 1))
      compile(model, optimizer = optimizer_sgd(learning_rate = 1e-20), loss = "mse", run_eagerly = run_eagerly)
      fit(model, x, array(0, dim(predict(model, x, verbose = 0))), epochs = 2, verbose = 0)
      for (half in seq_len(length(get_weights(model)) / 3)) {
        of_half <- get_weights(model)[3 * (half - 1) + 1:3]
        # Columns of the kernel as a whole: the norm along the axis of the inputs.
        expect_equal(sqrt(colSums(of_half[[1]]^2)), rep(0.2, ncol(of_half[[1]])), tolerance = 1e-5)
        expect_equal(unique(as.vector(of_half[[2]])), 1)
        expect_equal(unique(as.vector(of_half[[3]])), 0.25)
      }
      set_weights(model, lapply(get_weights(model), function(w) w * 0 - 1))
      train_on_batch(model, x, array(0, dim(predict(model, x, verbose = 0))))
      expect_equal(unique(as.vector(get_weights(model)[[2]])), 0)
    }
  })
}

test_that("the forget gate's bias starts at 1, the other blocks as bias_initializer says", {
  blocks <- function(layer) matrix(get_weights(layer)[[3]], nrow = 2)
  expect_equal(blocks(built_of_kind("lstm", bias_initializer = initializer_constant(0.3))),
               matrix(c(0.3, 1, 0.3, 0.3), 2, 4, byrow = TRUE), tolerance = 1e-6)
  expect_equal(blocks(built_of_kind("lstm", bias_initializer = "ones", unit_forget_bias = FALSE)), matrix(1, 2, 4))
  expect_equal(blocks(built_of_kind("lstm")), matrix(c(0, 1, 0, 0), 2, 4, byrow = TRUE))
})

test_that("without bias there is no bias, no penalty and no constraint of it", {
  for (kind in names(kinds)) {
    layer <- built_of_kind(kind, use_bias = FALSE, bias_regularizer = "l2", bias_constraint = "nonneg")
    expect_equal(length(get_weights(layer)) %% 2, 0)
    expect_length(layer$losses, 0)
  }
})

# --- activity -----------------------------------------------------------------------------------------------------

test_that("an activity penalty counts every tensor that a layer returns, divided by the rows", {
  square <- function(x) 0.5 * sum(as.array(x)^2) / nrow(as.array(x))
  half_square <- function(x) op_multiply(op_sum(op_square(x)), 0.5)
  for (regularizer in list(regularizer_l2(0.5), half_square)) for (make in list(layer_lstm, layer_gru)) {
    for (state in c(FALSE, TRUE)) for (sequences in c(FALSE, TRUE)) {
      layer <- make(units = 2, activity_regularizer = regularizer, return_state = state, return_sequences = sequences)
      outputs <- flatten_structure(layer(x))
      expect_length(layer$losses, length(outputs))
      expect_equal(sum(vapply(layer$losses, as.numeric, 1)), sum(vapply(outputs, square, 1)), tolerance = 1e-5)
      # A second call starts anew.
      layer(x)
      expect_length(layer$losses, length(outputs))
    }
  }
})

test_that("inside a bidirectional layer each direction pays for its own outputs, before they are merged", {
  for (merge in names(merge_modes)) {
    inner <- layer_gru(units = 2, activity_regularizer = regularizer_l1(0.1))
    wrapper <- layer_bidirectional(layer = inner, merge_mode = merge_modes[[merge]])
    wrapper(x)
    weights <- get_weights(wrapper)
    one <- with_weights(layer_gru(units = 2), weights[1:3], x)(x)
    other <- with_weights(layer_gru(units = 2, go_backwards = TRUE), weights[4:6], x)(x)
    expected <- 0.1 * c(sum(abs(as.array(one))), sum(abs(as.array(other)))) / 2
    expect_equal(vapply(wrapper$losses, as.numeric, 1), expected, tolerance = 1e-5)
  }
  # The wrapper's own penalty sees what it returns.
  wrapper <- layer_bidirectional(layer = layer_gru(units = 2), activity_regularizer = "l2")
  y <- as.array(wrapper(x))
  expect_equal(as.numeric(wrapper$losses[[1]]), 0.01 * sum(y^2) / 2, tolerance = 1e-5)
})

test_that("activity penalties are part of fit()'s and evaluate()'s loss, and of its gradient", {
  model <- keras_model_sequential(input_shape = c(4, 3)) |>
    layer_bidirectional(layer_lstm(units = 2, activity_regularizer = regularizer_l2(0.3))) |>
    layer_dense(1)
  compile(model, optimizer = optimizer_sgd(learning_rate = 0.05), loss = "mse")
  y <- predict(model, x, verbose = 0)
  hidden <- as.array(model$layers[[1]](x))
  expected <- 0.3 * sum(hidden^2) / 2
  expect_equal(evaluate(model, x, y, verbose = 0)[["loss"]], expected, tolerance = 1e-5)
  before <- get_weights(model)
  expect_equal(fit(model, x, y, verbose = 0)$metrics$loss, expected, tolerance = 1e-5)
  expect_false(same_bits(get_weights(model)[[1]], before[[1]]))
  expect_lt(0.3 * sum(as.array(model$layers[[1]](x))^2) / 2, expected)
})

test_that("configs keep initializers, regularizers and constraints: a layer from a config has them", {
  for (kind in c("lstm", "gru", "bidirectional_gru", "generic_lstm")) {
    layer <- kinds[[kind]](
      kernel_initializer = initializer_random_normal(stddev = 0.2, seed = 3), recurrent_regularizer = "l1_l2",
      bias_constraint = constraint_minmaxnorm(0, 0.5), kernel_regularizer = regularizer_l2(0.3)
    )
    layer(x)
    copy <- deserialize_keras_object(serialize_keras_object(layer))
    copy(x)
    expect_equal(copy$get_config(), layer$get_config())
    expect_same_bits(get_weights(copy)[[1]], get_weights(layer)[[1]], kind)
    expect_length(copy$losses, length(layer$losses))
    expect_gt(length(copy$losses), 1)
  }
})
