# The custom layers of Keras' guides: on masking (TemporalSplit, CustomEmbedding, MyActivation, TemporalSoftmax), and
# the recurrent layer with a loop in R of the guide on functional models.

words <- rbind(c(711L, 632L, 71L, 0L, 0L, 0L), c(73L, 8L, 3215L, 55L, 927L, 0L), c(83L, 91L, 1L, 645L, 1253L, 927L))

layer_temporal_split <- Layer("TemporalSplit",
  call = function(inputs) op_split(inputs, 2, axis = 2),
  compute_mask = function(inputs, mask = NULL) if (!is.null(mask)) op_split(mask, 2, axis = 2)
)

test_that("TemporalSplit changes the mask", {
  embedded <- layer_embedding(input_dim = 5000, output_dim = 4, mask_zero = TRUE)(words)
  c(first, second) %<-% layer_temporal_split(embedded)
  expect_equal(as.array(first$`_keras_mask`), words[, 1:3] != 0)
  expect_equal(as.array(second$`_keras_mask`), words[, 4:6] != 0)
  expect_equal(as.array(second), as.array(embedded)[, 4:6, ])
  bare <- layer_temporal_split(array(1, c(2, 4, 3)))
  expect_null(bare[[1]]$`_keras_mask`)
  c(first, second) %<-% layer_temporal_split(
    keras_input(shape(6), dtype = "int32") |> layer_embedding(5000, 4, mask_zero = TRUE)
  )
  expect_equal(tensor_shape(first$`_keras_mask`), c(NA, 3L))
})

layer_custom_embedding <- Layer("CustomEmbedding",
  initialize = function(input_dim, output_dim, mask_zero = FALSE, ...) {
    super$initialize(...)
    self$input_dim <- input_dim
    self$output_dim <- output_dim
    self$mask_zero <- mask_zero
  },
  build = function(input_shape) {
    self$embeddings <- self$add_weight(
      shape = c(self$input_dim, self$output_dim), initializer = "random_normal", dtype = "float32"
    )
  },
  call = function(inputs) op_take(self$embeddings, op_cast(inputs, "int32"), axis = 1, zero_indexed = TRUE),
  compute_mask = function(inputs, mask = NULL) if (self$mask_zero) op_not_equal(inputs, 0)
)

test_that("CustomEmbedding makes a mask", {
  layer <- layer_custom_embedding(input_dim = 10, output_dim = 32, mask_zero = TRUE)
  x <- matrix(c(0L, 3L, 9L, 1L, 0L, 2L), 2)
  y <- layer(x)
  expect_equal(dim(y), c(2L, 3L, 32L))
  expect_equal(as.array(y)[2, 1, ], as.array(layer$embeddings)[4, ])
  expect_equal(as.array(layer$compute_mask(x)), x != 0)
  expect_equal(as.array(y$`_keras_mask`), x != 0)
  unmasked <- layer_custom_embedding(input_dim = 10, output_dim = 2)
  expect_null(unmasked(x)$`_keras_mask`)
  with_floatx("float64", {
    both <- layer_bidirectional(layer = layer_gru(units = 2, return_sequences = TRUE))
    expect_true(all(as.array(both(layer(x)))[1, 1, ] == 0))
  })
})

layer_my_activation <- Layer("MyActivation",
  initialize = function(...) {
    super$initialize(...)
    self$supports_masking <- TRUE
  },
  call = function(inputs) op_relu(inputs)
)

test_that("MyActivation passes the mask on to a layer that uses it", {
  inputs <- keras_input(shape = shape(NULL), dtype = "int32")
  x <- inputs |> layer_embedding(input_dim = 5000, output_dim = 4, mask_zero = TRUE) |> layer_my_activation()
  expect_equal(tensor_shape(x$`_keras_mask`), c(NA_integer_, NA_integer_))
  model <- keras_model(inputs, x |> layer_lstm(3))
  y <- predict(model, words, verbose = 0)
  expect_same_bits(predict(model, words[1, 1:3, drop = FALSE], verbose = 0)[1, ], y[1, ])
  ends <- Layer("EndsMask", call = function(inputs) inputs)
  expect_warning(stopped <- ends(x), "does not support masks")
  expect_null(stopped$`_keras_mask`)
  expect_null(suppressWarnings(ends(with_mask(as_tensor(matrix(1, 2, 3)), as_tensor(matrix(TRUE, 2, 3)))))$`_keras_mask`)
})

layer_temporal_softmax <- Layer("TemporalSoftmax",
  initialize = function(...) {
    super$initialize(...)
    self$supports_masking <- TRUE
  },
  call = function(inputs, mask = NULL) {
    if (is.null(mask)) stop("TemporalSoftmax needs a mask")
    valid <- op_expand_dims(op_cast(mask, "float32"), -1)
    weights <- op_exp(inputs) * valid
    weights / op_sum(weights * valid, axis = 2, keepdims = TRUE)
  }
)

test_that("TemporalSoftmax uses the mask", {
  inputs <- keras_input(shape = shape(NULL), dtype = "int32")
  outputs <- inputs |>
    layer_embedding(input_dim = 10, output_dim = 8, mask_zero = TRUE) |>
    layer_dense(1) |>
    layer_temporal_softmax()
  model <- keras_model(inputs, outputs)
  x <- rbind(c(1L, 2L, 0L, 0L), c(3L, 4L, 5L, 6L))
  y <- predict(model, x, verbose = 0)
  expect_true(all(y[1, 3:4, ] == 0))
  expect_equal(rowSums(y[, , 1]), c(1, 1), tolerance = 1e-6)
  expect_error(layer_temporal_softmax(array(1, c(1, 2, 1))), "needs a mask")
})

test_that("an explicit mask goes to a layer inside", {
  layer <- Layer("MyLayer",
    initialize = function(...) {
      super$initialize(...)
      self$embedding <- layer_embedding(input_dim = 5000, output_dim = 4, mask_zero = TRUE)
      self$lstm <- layer_lstm(units = 3)
    },
    call = function(inputs) {
      self$lstm(self$embedding(inputs), mask = self$embedding$compute_mask(inputs))
    }
  )()
  y <- as.array(layer(words))
  expect_equal(as.array(layer(words[1, 1:3, drop = FALSE]))[1, ], y[1, ])
})

# As in the guide: a state made of the batch size, which must be known then.
start <- NULL

layer_custom_rnn <- Layer("CustomRNN",
  initialize = function(units = 4) {
    super$initialize()
    self$units <- units
    self$projection_1 <- layer_dense(units = units, activation = "tanh")
    self$projection_2 <- layer_dense(units = units, activation = "tanh")
    self$classifier <- layer_dense(units = 1)
  },
  call = function(inputs) {
    state <- op_zeros(shape(inputs$shape[[1]], self$units))
    outputs <- list()
    for (x in op_unstack(inputs, axis = 2)) {
      state <- self$projection_1(x) + self$projection_2(state)
      outputs <- c(outputs, state)
    }
    self$classifier(op_stack(outputs, axis = 2))
  }
)

test_that("a recurrent layer with a loop in R works eagerly and in a functional model", {
  expect_equal(dim(layer_custom_rnn()(op_zeros(c(1, 10, 5)))), c(1L, 10L, 1L))
  inputs <- keras_input(batch_shape = c(4, 6, 3))
  model <- keras_model(inputs, layer_custom_rnn(inputs))
  expect_equal(count_params(model), 3L * 4L + 4L + 4L * 4L + 4L + 4L + 1L)
  set.seed(1)
  x <- random_array(8, 6, 3)
  y <- random_array(8, 6, 1)
  results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
    if (run_eagerly) set_weights(model, start) else start <<- get_weights(model)
    compile(model, "sgd", "mse", run_eagerly = run_eagerly)
    fit(model, x, y, batch_size = 4, epochs = 2, verbose = 0, shuffle = FALSE)
    get_weights(model)
  })
  expect_same_bits(results[[1]], results[[2]])
  expect_equal(dim(predict(model, x, batch_size = 4, verbose = 0)), c(8L, 6L, 1L))
})
