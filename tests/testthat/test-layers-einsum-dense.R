# EinsumDense: equations, shapes of the weights, errors.

test_that("a dense layer is one of its equations, also with dots", {
  with_floatx("float64", {
    x <- array(stats::rnorm(24), c(2, 3, 4))
    dense <- layer_dense(units = 5, activation = "tanh", bias_initializer = "random_normal")
    expected <- dense(x)
    for (equation in c("abc,cd->abd", "...c,cd->...d", "...bc,cd->...bd", " abc , cd -> abd ")) {
      sizes <- if (grepl("b", equation)) c(NA, 5) else 5
      layer <- layer_einsum_dense(equation = equation, output_shape = sizes, activation = "tanh", bias_axes = "d")
      layer(x)
      set_weights(layer, get_weights(dense))
      expect_close(layer(x), expected, 1e-12, equation)
    }
  })
})

test_that("kernel and bias have the shapes that Keras gives them", {
  x <- array(0, c(2, 3, 4, 5))
  shapes <- function(...) {
    layer <- layer_einsum_dense(...)
    y <- layer(x)
    list(dim(layer$kernel), dim(layer$bias), tensor_shape(y))
  }
  expect_equal(shapes(equation = "abcd,def->abcef", output_shape = c(NA, 4, 6, 7), bias_axes = "ef"),
               list(c(5L, 6L, 7L), c(6L, 7L), c(2L, 3L, 4L, 6L, 7L)))
  expect_equal(shapes(equation = "abcd,be->aecd", output_shape = c(6, 4, 5), bias_axes = "e"),
               list(c(3L, 6L), c(6L, 1L, 1L), c(2L, 6L, 4L, 5L)))
  expect_equal(shapes(equation = "ab...,bc->ac...", output_shape = 6, bias_axes = "c"),
               list(c(3L, 6L), c(6L, 1L, 1L), c(2L, 6L, 4L, 5L)))
  expect_equal(shapes(equation = "...cd,cde->...de", output_shape = c(5, 6), bias_axes = NULL),
               list(c(4L, 5L, 6L), NULL, c(2L, 3L, 5L, 6L)))
  expect_equal(shapes(equation = "abcd,cd->ab", output_shape = 3)[[3]], c(2, 3))
})

test_that("unknown sizes stay unknown", {
  input <- keras_input(c(NA, 4))
  layer <- layer_einsum_dense(input, equation = "abc,cd->abd", output_shape = c(NA, 2))
  expect_equal(tensor_shape(layer), c(NA, NA, 2))
})

test_that("equations that do not fit are refused", {
  clear_session(free_memory = FALSE)
  x <- array(0, c(2, 3, 4))
  dense <- function(...) layer_einsum_dense(x, ...)
  expect_refused(dense(equation = "abc", output_shape = 2), "value")
  expect_refused(dense(equation = "...c,cd->d", output_shape = 2), "value")
  expect_refused(dense(equation = "abc,cd->abe", output_shape = c(NA, 2)), "value")
  expect_refused(dense(equation = "abc,ce->abd", output_shape = c(NA, 2)), "value")
  expect_refused(dense(equation = "ab,bc->ac", output_shape = 2), "shape")
  expect_refused(dense(equation = "abcd,de->abce", output_shape = c(NA, NA, 2)), "shape")
  expect_refused(dense(equation = "abc,cd->abd", output_shape = 2), "shape")
  expect_refused(dense(equation = "abc,cd->abd", output_shape = c(5, 2)), "shape")
  expect_refused(dense(equation = "abc,cd->abd", output_shape = c(NA, NA)), "shape")
  expect_refused(dense(equation = "abc,cd->abd", output_shape = c(NA, 2), bias_axes = "c"), "value")
})
