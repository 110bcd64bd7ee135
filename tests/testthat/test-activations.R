# Activation functions: Keras' values and gradients, look-up, names.

for (floatx in both_floatx) {
  test_that(paste("activations give Keras' values and gradients in", floatx), {
    with_floatx(floatx, {
      for (case in load_fixture("activations")) {
        x <- fixture_tensor(case$x)
        by_function <- getExportedValue("birnn", case$fn)
        expect_close(by_function(x), fixture_array(case$y), op_tolerance(floatx), case$name)
        by_name <- get_activation(case$name)
        expect_same_bits(by_name(x), by_function(x), case$name)
        found <- value_and_gradients(function(x) sine_sum(list(by_name(x[[1]]))), list(x))
        expect_close(found$inputs[[1]], fixture_array(case$gradient_of_sum_y_sin), op_tolerance(floatx), case$name)
      }
    })
  })
}

test_that("an activation is found by name, as a function, or is a function of one's own", {
  for (name in registered_names("activation")) {
    found <- get_activation(name)
    expect_true(is.function(found))
    expect_identical(get_activation(found), found)
  }
  expect_identical(activation_name(get_activation(activation_tanh)), "tanh")
  expect_identical(activation_name(get_activation("swish")), "silu")
  expect_identical(activation_name(get_activation(NULL)), "linear")
  own <- function(x) op_tanh(x) * 2
  expect_identical(get_activation(own), own)
  expect_null(activation_name(get_activation(own)))
  expect_refused(get_activation("tahn"), "value")
  expect_refused(get_activation(3), "value")
})

test_that("the recurrent core knows all activations but those along an axis", {
  for (name in registered_names("activation")) {
    name <- activation_name(get_activation(name))
    known <- is_elementwise_activation(get_activation(name))
    expect_identical(known, !name %in% c("softmax", "log_softmax", "glu"))
    if (known) expect_identical(dim(activation_op(name, op_zeros(2))), 2L)
  }
  expect_false(is_elementwise_activation(function(x) x))
})

test_that("every exported activation is registered", {
  exported <- sub("^activation_", "", grep("^activation_", getNamespaceExports("birnn"), value = TRUE))
  expect_identical(setdiff(exported, registered_names("activation")), character())
})

test_that("parameters of relu act as in Keras", {
  x <- c(-2, 0.5, 3, 10)
  expect_equal(as.numeric(activation_relu(x, negative_slope = 0.1, max_value = 6, threshold = 1)), c(-0.3, -0.05, 3, 6),
               tolerance = 1e-6)
  expect_equal(as.numeric(activation_gelu(1, approximate = TRUE)), 0.841192, tolerance = 1e-6)
  expect_equal(as.array(activation_glu(rbind(c(1, 2, 0, 0)))), rbind(c(0.5, 1)))
  expect_equal(as.array(activation_softmax(matrix(1, 2, 2), axis = 1)), matrix(0.5, 2, 2))
})

test_that("what a function of one's own returns is a tensor of the shape it got", {
  clear_session(free_memory = FALSE)
  x <- matrix(0, 3, 4)
  sequences <- array(0, c(2, 3, 4))
  expect_refused(layer_dense(units = 2, activation = function() 1), "value")
  expect_refused(layer_dense(units = 2, activation = function(x) op_sum(x))(x), "value")
  expect_refused(layer_dense(units = 2, activation = function(x) "b")(x), "value")
  expect_refused(layer_activation(activation = function(x) NULL)(x), "value")
  expect_refused(layer_dense(keras_input(3), units = 2, activation = function(x) op_sum(x, axis = 2)), "value")
  halves <- function(x) op_split(x, 2, axis = -1)[[1]]
  expect_equal(dim(layer_dense(units = 4, activation = halves)(x)), c(3L, 2L))
  for (make in list(layer_simple_rnn, layer_lstm, layer_gru)) {
    expect_error(make(units = 2, activation = halves)(sequences), "2, 2.*2, 1", class = "birnn_error_value")
    expect_error(make(units = 2, activation = function(x) "b")(sequences), "not \"b\"", class = "birnn_error_value")
  }
  expect_refused(layer_gru(units = 2, recurrent_activation = function(x) op_sum(x))(sequences), "value")
  expect_refused(layer_lstm(keras_input(c(NA, 3)), units = 2, activation = halves), "value")
})
