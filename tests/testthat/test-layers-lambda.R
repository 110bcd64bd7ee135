# Lambda: arguments of the function, masks, shapes, models, errors.

test_that("the function gets its arguments, the mask and training only if it asks for them", {
  x <- matrix(1:4, 2)
  expect_equal(as.array(layer_lambda(x, f = function(x) x * 2)), x * 2)
  expect_equal(as.array(layer_lambda(x, f = function(x, by) x * by, arguments = list(by = 3))), x * 3)
  expect_equal(as.array(layer_lambda(x, f = sqrt)), sqrt(x), tolerance = 1e-6)
  in_training <- layer_lambda(f = function(x, training) if (training) x else -x)
  expect_equal(as.array(in_training(x, training = TRUE)), x)
  expect_equal(as.array(in_training(x)), -x)
  masked <- layer_lambda(f = function(x, mask) op_where(op_expand_dims(mask, -1), x, 9))
  y <- masked(array(1, c(1, 2, 1)), mask = matrix(c(TRUE, FALSE), 1))
  expect_equal(as.vector(as.array(y)), c(1, 9))
})

test_that("lists of inputs come as a list", {
  x <- matrix(1:4, 2)
  expect_equal(as.array(layer_lambda(list(x, x), f = function(x) x[[1]] + 2 * x[[2]])), 3 * x)
})

test_that("the mask ends unless the layer says what it becomes", {
  x <- layer_masking()(array(c(1, 0, 1), c(1, 3, 1)))
  expect_null(tensor_mask(suppressWarnings(layer_lambda(x, f = function(x) x))))
  kept <- layer_lambda(x, f = function(x) x, mask = function(inputs, mask) mask)
  expect_same_bits(tensor_mask(kept), tensor_mask(x))
  fixed <- layer_lambda(x, f = function(x) x, mask = matrix(TRUE, 1, 3))
  expect_equal(as.array(tensor_mask(fixed)), matrix(TRUE, 1, 3))
})

test_that("a model of a function trains, planned and eager with the same bits", {
  x <- matrix(stats::rnorm(12), 4)
  start <- NULL
  results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
    model <- keras_model_sequential(input_shape = 3) |>
      layer_dense(units = 2) |>
      layer_lambda(f = function(x) op_tanh(x) + 1)
    if (is.null(start)) start <<- get_weights(model)
    set_weights(model, start)
    compile(model, "sgd", "mse", run_eagerly = run_eagerly)
    fit(model, x, matrix(1, 4, 2), shuffle = FALSE, verbose = 0)
    get_weights(model)
  })
  expect_same_bits(results[[2]], results[[1]])
})

test_that("a function that looks at the numbers needs output_shape, and runs in models", {
  look <- function(x) as_tensor(as.array(x)[, 1, drop = FALSE])
  input <- keras_input(3)
  expect_error(layer_lambda(input, f = look), class = "birnn_error_symbolic")
  output <- layer_lambda(input, f = look, output_shape = 1)
  expect_equal(tensor_shape(output), c(NA, 1))
  model <- keras_model(input, output)
  x <- matrix(1:6, 2)
  expect_equal(predict(model, x, verbose = 0), x[, 1, drop = FALSE])
  by_function <- layer_lambda(f = look, output_shape = function(shape) c(shape[[1]], 1))
  expect_equal(by_function$compute_output_shape(c(NA, 3)), c(NA, 1L))
})

test_that("what is no function is refused", {
  clear_session(free_memory = FALSE)
  expect_refused(layer_lambda(f = "relu"), "value")
  expect_refused(layer_lambda(f = layer_dense(units = 1)), "value")
  expect_refused(layer_lambda(), "value")
  expect_refused(layer_lambda(f = list("function (x) x")), "value")
  expect_refused(layer_lambda(f = identity, arguments = list(1)), "value")
  expect_refused(layer_lambda(f = identity, output_shape = "wide"), "value")
})
