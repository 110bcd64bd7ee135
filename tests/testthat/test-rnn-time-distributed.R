# TimeDistributed: golden values, inner layers of all kinds, the ways it computes, masks, refusals. Further cases of
# Keras are in test-fixtures-companions.R and test-golden.R.

steps <- function(...) withr::with_seed(1, random_array(...))

# What the inner layer gives for each step by itself, put together by hand.
by_hand <- function(layer, x, ...) {
  outputs <- lapply(seq_len(dim(x)[[2]]), function(t) {
    step <- array(x[slice.index(x, 2) == t], dim(x)[-2])
    as.array(layer(as_tensor(step, tensor_dtype(as_tensor(x))), ...))
  })
  as.array(op_stack(outputs, axis = 2))
}

test_that("Keras' own example comes out", {
  x <- from_row_major(0:23, c(3, 2, 4))
  dense <- layer_dense(units = 1, use_bias = FALSE, kernel_initializer = initializer_constant(0.01))
  y <- layer_time_distributed(x, dense)
  expect_close(y, from_row_major(c(0.06, 0.22, 0.38, 0.54, 0.7, 0.86), c(3, 2, 1)), 1e-6)
})

test_that("an inner layer is given the mask of its step", {
  layer_masked_dense <- Layer("MaskedDense",
    initialize = function(units, ...) {
      super$initialize(...)
      self$layer <- layer_dense(units = units, use_bias = FALSE, kernel_initializer = initializer_constant(0.01))
    },
    call = function(inputs, training = FALSE, mask = NULL) {
      y <- self$layer(inputs)
      if (is.null(mask)) y else y * op_expand_dims(op_cast(mask, "float32"), -1)
    }
  )
  x <- from_row_major(0:23, c(3, 2, 4))
  mask <- rbind(c(FALSE, TRUE), c(TRUE, FALSE), c(TRUE, TRUE))
  layer <- layer_time_distributed(layer = layer_masked_dense(units = 1))
  expect_close(layer(x, mask = mask), from_row_major(c(0, 0.22, 0.38, 0, 0.7, 0.86), c(3, 2, 1)), 1e-6)
  masked <- layer(with_mask(as_tensor(x), as_tensor(mask)))
  expect_same_bits(masked, layer(x, mask = mask))
  expect_equal(as.array(tensor_mask(masked)), mask)
})

# Inner layers that are computed at once, with inputs.
at_once <- list(
  list(quote(layer_dense(units = 3, activation = "tanh")), c(2, 5, 4)),
  list(quote(layer_dense(units = 3, activation = "softmax")), c(2, 3, 2, 4)),
  list(quote(layer_lstm(units = 3, return_sequences = TRUE)), c(2, 3, 4, 2)),
  list(quote(layer_bidirectional(layer = layer_gru(units = 3))), c(2, 3, 4, 2)),
  list(quote(layer_conv_1d(filters = 3, kernel_size = 2)), c(2, 3, 4, 2)),
  list(quote(layer_max_pooling_1d(pool_size = 2)), c(2, 3, 4, 2)),
  list(quote(layer_time_distributed(layer = layer_simple_rnn(units = 2))), c(2, 2, 3, 4, 2)),
  list(quote(keras_model_sequential(layers = list(layer_dense(units = 3), layer_dense(units = 2)))), c(2, 5, 4))
)

test_that("all steps at once, step by step and by hand give the same bits", {
  for (floatx in both_floatx) {
    with_floatx(floatx, {
      for (case in at_once) {
        inner <- eval(case[[1]])
        layer <- layer_time_distributed(layer = inner)
        x <- steps(case[[2]])
        y <- layer(x)
        self <- layer_object(inner)
        expect_true(is_rowwise(self))
        slow <- in_layer_call(apply_one_by_one(self, as_tensor(x), NULL, FALSE))
        expect_same_bits(slow, y, deparse1(case[[1]]))
        expect_same_bits(by_hand(inner, x), y, deparse1(case[[1]]))
        expect_identical(as_shape(layer$compute_output_shape(dim(x))), dim(y))
      }
    })
  }
})

test_that("both ways have the same gradients", {
  with_floatx("float64", {
    for (case in at_once[-6]) {
      inner <- eval(case[[1]])
      x <- steps(case[[2]])
      layer_time_distributed(x, inner)
      gradients <- lapply(list(apply_at_once, apply_one_by_one), function(way) {
        f <- function(inputs) {
          fixture_loss(flatten_structure(in_layer_call(way(layer_object(inner), inputs[[1]], NULL, FALSE))))
        }
        value_and_gradients(f, list(as_tensor(x)), inner$weights)
      })
      Map(expect_close, gradients[[1]]$inputs, gradients[[2]]$inputs, 1e-12)
      Map(expect_close, gradients[[1]]$variables, gradients[[2]]$variables, 1e-12)
    }
  })
})

test_that("what looks at other rows, draws or keeps something goes step by step", {
  for (inner in list(
    layer_dropout(rate = 0.5), layer_lstm(units = 2, dropout = 0.1), layer_gru(units = 2, stateful = TRUE),
    layer_dense(units = 2, activation = function(x) op_divide(x, op_max(x))),
    layer_lstm(units = 2, activation = "softmax"),
    layer_bidirectional(layer = layer_lstm(units = 2, activity_regularizer = "l2"))
  )) expect_false(is_rowwise(layer_object(inner)), info = inner$name)
  x <- steps(3, 4, 2)
  scaled <- layer_dense(units = 2, activation = function(x) op_divide(x, op_max(x)))
  expect_same_bits(layer_time_distributed(x, scaled), by_hand(scaled, x))
})

test_that("a mask of words reaches the inner layer, and travels on as it is", {
  x <- steps(2, 3, 4, 2)
  mask <- array(TRUE, c(2, 3, 4))
  mask[1, 2, 3:4] <- FALSE
  mask[2, 3, ] <- FALSE
  lstm <- layer_lstm(units = 3)
  layer <- layer_time_distributed(layer = lstm)
  y <- layer(with_mask(as_tensor(x), as_tensor(mask)))
  expect_same_bits(in_layer_call(apply_one_by_one(layer_object(lstm), as_tensor(x), as_tensor(mask), FALSE)), y)
  for (t in 1:3) expect_same_bits(as.array(y)[, t, ], lstm(x[, t, , ], mask = mask[, t, ]))
  expect_true(all(as.array(y)[2, 3, ] == 0))
  expect_equal(as.array(tensor_mask(y)), mask)
})

test_that("a mask of outer steps holds for all inner steps of a layer of sequences", {
  x <- steps(2, 3, 4, 2)
  mask <- rbind(c(TRUE, FALSE, TRUE), c(FALSE, TRUE, TRUE))
  in_all <- array(mask, c(2, 3, 4))
  x[in_all == FALSE] <- NaN
  sequential <- keras_model_sequential(layers = list(layer_gru(units = 2)))
  for (inner in list(layer_lstm(units = 3), layer_bidirectional(layer = layer_gru(units = 2)), sequential,
                     layer_rnn(cell = minimal_gated_cell(units = 2)), layer_lstm(units = 2, activation = "softmax"))) {
    layer <- layer_time_distributed(layer = inner)
    y <- layer(x, mask = mask)
    expect_same_bits(y, layer(x, mask = in_all), inner$name)
    expect_identical(unique(as.array(y)[1, 2, ]), 0)
    expect_same_bits(layer(with_mask(as_tensor(x), as_tensor(mask))), y)
    expect_equal(as.array(tensor_mask(layer(with_mask(as_tensor(x), as_tensor(mask))))), mask)
  }
  # Through a model, for any number of steps.
  input <- keras_input(c(NA, NA, 2))
  valid <- keras_input(NA, dtype = "bool")
  lstm <- layer_lstm(units = 3)
  model <- keras_model(list(input, valid), layer_time_distributed(layer = lstm)(input, mask = valid))
  expect_equal(predict(model, list(x, mask), verbose = 0), as.array(layer_time_distributed(layer = lstm)(x, mask = mask)),
               tolerance = 1e-6)
})

test_that("layers and models inside come back from the config and from files", {
  x <- steps(2, 3, 4)
  input <- keras_input(4)
  for (inner in list(
    layer_dense(units = 2), keras_model_sequential(input_shape = 4) |> layer_dense(3) |> layer_dense(2),
    keras_model(input, layer_dense(input, 2))
  )) {
    layer <- layer_time_distributed(layer = inner)
    y <- layer(x)
    in_file <- read_json(charToRaw(write_json(serialize_keras_object(layer))))
    for (copy in list(from_config(get_config(layer)), deserialize_keras_object(in_file))) {
      expect_equal(comparable_config(get_config(copy), "build_config"),
                   comparable_config(get_config(layer), "build_config"))
      copy(x)
      set_weights(copy, get_weights(layer))
      expect_same_bits(copy(x), y, inner$name)
    }
    expect_identical(layer$layer, inner)
  }
})

test_that("dropout draws anew for each step, in training only", {
  x <- array(1, c(1, 6, 40))
  layer <- layer_time_distributed(layer = layer_dropout(rate = 0.5, seed = 5))
  y <- as.array(layer(x, training = TRUE))
  expect_setequal(unique(as.vector(y)), c(0, 2))
  expect_length(unique(apply(y, 2, paste, collapse = "")), 6)
  expect_same_bits(layer(x), x)
  twin <- layer_time_distributed(layer = layer_dropout(rate = 0.5, seed = 5))
  expect_same_bits(twin(x, training = TRUE), y)
  model <- keras_model_sequential(layers = list(layer_dropout(rate = 0.5)))
  expect_true(any(as.array(layer_time_distributed(layer = model)(x, training = TRUE)) == 0))
})

test_that("a stateful inner layer goes on from step to step, and is reset through the wrapper", {
  x <- steps(2, 3, 1, 2)
  inner <- layer_lstm(units = 3, stateful = TRUE)
  layer <- layer_time_distributed(layer = inner)
  y <- layer(x)
  whole <- with_weights(layer_lstm(units = 3, return_sequences = TRUE), get_weights(inner), x[, , 1, ])
  expect_close(layer(x)[, 1, ], as.array(whole(x[, c(1, 2, 3, 1), 1, ]))[, 4, ], 1e-6)
  reset_state(layer)
  expect_same_bits(layer(x), y)
  reset_state(layer)
  expect_close(layer(x), whole(x[, , 1, ]), 1e-6)
})

test_that("models of every kind can be inside", {
  x <- steps(2, 3, 4)
  input <- keras_input(4)
  functional <- keras_model(input, layer_dense(layer_dense(input, 3, activation = "relu"), 2))
  expect_same_bits(layer_time_distributed(x, functional), by_hand(functional, x))
  two <- keras_model(input, list(layer_dense(input, 3), layer_dense(input, 2)))
  expect_equal(lapply(layer_time_distributed(x, two), dim), list(c(2L, 3L, 3L), c(2L, 3L, 2L)))
  sequential <- keras_model_sequential(input_shape = 4) |> layer_dense(3) |> layer_dense(2)
  layer <- layer_time_distributed(layer = sequential)
  expect_same_bits(layer(x), by_hand(sequential, x))
  expect_identical(length(layer$weights), 4L)
  other <- keras_input(2)
  pair <- keras_model(list(input, other), layer_concatenate(list(input, other)))
  z <- steps(2, 3, 2)
  expect_equal(as.array(layer_time_distributed(list(x, z), pair)), array(c(x, z), c(2, 3, 6)), tolerance = 1e-6)
})

test_that("a layer of one's own can be inside, and trains", {
  layer_shifted <- Layer("Shifted",
    build = function(input_shape) {
      self$shift <- self$add_weight(shape = input_shape[[length(input_shape)]], initializer = "zeros")
    },
    call = function(inputs) inputs + self$shift
  )
  x <- steps(8, 3, 2)
  model <- keras_model_sequential(input_shape = c(NA, 2)) |> layer_time_distributed(layer_shifted())
  model |> compile(optimizer = optimizer_sgd(1), loss = "mse")
  model |> fit(x, x + 1, epochs = 20, verbose = 0)
  expect_equal(get_weights(model)[[1]], c(1, 1), tolerance = 1e-3, ignore_attr = TRUE)
})

test_that("the numbers of rows and of steps may be unknown", {
  outputs <- layer_time_distributed(keras_input(c(NA, 6, 2)), layer_lstm(units = 3, return_state = TRUE))
  expect_identical(lapply(outputs, tensor_shape), rep(list(c(NA, NA, 3L)), 3))
  input <- keras_input(c(NA, 3))
  model <- keras_model(input, layer_time_distributed(input, layer_dense(units = 2)))
  expect_identical(dim(predict(model, steps(2, 5, 3), verbose = 0)), c(2L, 5L, 2L))
  expect_identical(dim(predict(model, steps(4, 7, 3), verbose = 0)), c(4L, 7L, 2L))
  expect_identical(dim(layer_time_distributed(array(0, c(0, 5, 3)), layer_dense(units = 2))), c(0L, 5L, 2L))
})

test_that("the inner layer keeps its names and paths, and adds its weight penalties but none of activity", {
  clear_session(FALSE)
  inner <- layer_dense(units = 2, kernel_regularizer = "l2", activity_regularizer = "l2", name = "inner")
  layer <- layer_time_distributed(layer = inner)
  layer(steps(2, 3, 4))
  expect_identical(layer$name, "time_distributed")
  expect_identical(vapply(layer$weights, function(v) v$path, ""),
                   paste0("time_distributed/inner/", c("kernel", "bias")))
  expect_length(layer$losses, 1)
  expect_identical(time_distributed, layer_time_distributed)
  layer$trainable <- FALSE
  expect_length(inner$trainable_weights, 0)
})

test_that("whole numbers reach an inner embedding as they are", {
  x <- array(c(0, 3, 1, 4, 2, 2), c(1, 3, 2))
  embedding <- layer_embedding(input_dim = 5, output_dim = 2)
  expect_same_bits(layer_time_distributed(x, embedding), by_hand(embedding, x))
  expect_same_bits(layer_time_distributed(as_tensor(x, "int32"), embedding), by_hand(embedding, x))
})

test_that("wrong arguments and inputs are refused", {
  clear_session(FALSE)
  expect_refused(layer_time_distributed(), "value")
  expect_refused(layer_time_distributed(layer = layer_dense), "value")
  expect_refused(layer_time_distributed(layer = 3), "value")
  expect_refused(layer_time_distributed(layer = layer_dense(units = 2), unit = 2), "value")
  dense <- function() layer_time_distributed(layer = layer_dense(units = 2))
  expect_refused(dense()(matrix(0, 2, 3)), "shape")
  expect_refused(dense()$compute_output_shape(c(NA, 3)), "shape")
  expect_refused(layer_time_distributed(layer = layer_lstm(units = 2))(array(0, c(2, 3, 4))), "shape")
  built <- dense()
  x <- array(0, c(4, 5, 3))
  built(x)
  expect_refused(built(array(0, c(4, 5, 2))), "shape", unchanged = list(built))
  expect_refused(built(x, mask = matrix(TRUE, 4, 6)), "mask", unchanged = list(built))
  expect_refused(built(x, mask = matrix(TRUE, 3, 5)), "mask", unchanged = list(built))
  expect_refused(built(x, mask = as_tensor(rep(TRUE, 4))), "mask", unchanged = list(built))
})
