# R's own operators and functions on tensors, symbolic tensors and variables.

x <- c(1.5, -2, 3)

test_that("operators act on tensors as op_*() does, on either side", {
  a <- as_tensor(x)
  for (op in c("+", "-", "*", "/", "%%", "%/%", "==", "!=", "<", "<=", ">", ">=")) {
    fn <- match.fun(op)
    expect_equal(as.array(fn(a, 2)), array(fn(x, 2)), tolerance = 1e-6, info = op)
    expect_equal(as.array(fn(2, a)), array(fn(2, x)), tolerance = 1e-6, info = op)
    expect_equal(as.array(fn(a, a)), array(fn(x, x)), info = op)
  }
  expect_equal(as.array(a^2), array(x^2))
  expect_equal(as.array(-a), array(-x))
  expect_equal(as.array(+a), array(x))
  expect_identical(as.array(!(a > 0)), array(!(x > 0)))
  expect_identical(as.array(a > 0 & a < 2), array(x > 0 & x < 2))
  expect_identical(as.array(a > 2 | a < 0), array(x > 2 | x < 0))
})

test_that("tensors, variables and symbolic tensors mix without warnings", {
  variable <- keras_variable(x)
  symbolic <- new_symbolic(c(NA, 3L), "float32")
  expect_silent(sums <- list(as_tensor(x) + variable, variable + as_tensor(x), variable + variable))
  for (sum in sums) expect_equal(as.array(sum), array(2 * x))
  expect_silent(results <- in_layer_call(list(symbolic + variable, variable * symbolic, symbolic - as_tensor(x))))
  for (result in results) expect_identical(tensor_shape(result), c(NA, 3L))
})

test_that("mathematical functions act on tensors", {
  a <- as_tensor(abs(x))
  for (name in c("abs", "sign", "sqrt", "floor", "ceiling", "round", "exp", "expm1", "log", "log1p", "log2", "log10",
                 "sin", "cos", "tan", "sinh", "cosh", "tanh", "trunc", "cumsum", "cumprod")) {
    expect_equal(as.numeric(match.fun(name)(a)), match.fun(name)(abs(x)), tolerance = 1e-6, info = name)
  }
  expect_equal(as.numeric(log(a, base = 2)), log2(abs(x)), tolerance = 1e-6)
  expect_equal(as.numeric(round(as_tensor(1.26), 1)), 1.3, tolerance = 1e-6)
  expect_equal(as.numeric(trunc(as_tensor(c(-1.7, 1.7)))), c(-1, 1))
  expect_error(gamma(a), class = "birnn_error_type")
})

test_that("summaries give scalars", {
  a <- as_tensor(x)
  for (name in c("sum", "prod", "max", "min", "range", "mean")) {
    expect_equal(as.numeric(match.fun(name)(a)), match.fun(name)(x), tolerance = 1e-6, info = name)
  }
  expect_equal(as.numeric(sum(a, 1)), sum(x) + 1)
  expect_equal(as.numeric(max(a, 7)), 7)
  expect_true(as.array(any(a > 2)))
  expect_false(as.array(all(a > 2)))
  expect_error(sum(a, na.rm = TRUE), class = "birnn_error_value")
})

test_that("t() and aperm() reorder axes", {
  m <- matrix(1:6 / 2, 2)
  expect_equal(as.array(t(as_tensor(m))), t(m))
  a <- array(1:24, c(2, 3, 4))
  expect_equal(as.array(aperm(as_tensor(a), c(3, 1, 2))), aperm(a, c(3, 1, 2)))
  expect_equal(dim(t(keras_variable(m))), c(3L, 2L))
})

test_that("%*% multiplies tensors of all kinds, with arrays on either side", {
  m <- matrix(1:6 / 2, 2)
  products <- list(as_tensor(m) %*% t(m), m %*% as_tensor(t(m)), as_tensor(m) %*% as_tensor(t(m)),
                   keras_variable(m) %*% t(m))
  for (product in products) expect_equal(as.array(product), m %*% t(m))
  expect_identical(dim(keras_input(3) %*% op_ones(c(3, 5))), c(NA, 5L))
  expect_identical(dim(op_ones(c(2, 3)) %*% keras_variable(t(m))), c(2L, 2L))
  expect_identical(m %*% t(m), base::`%*%`(m, t(m)))
  tape <- GradientTape()
  with(tape, loss <- sum((v <- keras_variable(m)) %*% t(m)))
  expect_equal(as.array(tape$gradient(loss, v)), matrix(colSums(m), 2, 3, byrow = TRUE))
})

test_that("missing and infinite numbers are found element by element", {
  a <- as_tensor(c(1, NaN, Inf, -Inf))
  expect_identical(as.logical(is.na(a)), c(FALSE, TRUE, FALSE, FALSE))
  expect_identical(as.logical(is.nan(a)), c(FALSE, TRUE, FALSE, FALSE))
  expect_identical(as.logical(is.finite(a)), c(TRUE, FALSE, FALSE, FALSE))
  expect_identical(as.logical(is.infinite(keras_variable(c(1, NaN, Inf, -Inf)))), c(FALSE, FALSE, TRUE, TRUE))
  expect_identical(dim(is.na(keras_input(3))), c(NA, 3L))
})

test_that("rev() and head() are those of arrays", {
  m <- matrix(1:6, 2)
  expect_equal(as.array(rev(as_tensor(1:3))), array(3:1))
  expect_equal(as.array(rev(as_tensor(m))), m[2:1, ])
  expect_equal(as.array(head(as_tensor(m), 1)), m[1, , drop = FALSE])
})

test_that("all.equal() compares numbers with tensors and arrays", {
  a <- as_tensor(c(0.1, 2))
  expect_true(all.equal(a, as_tensor(c(0.1, 2))))
  expect_true(all.equal(a, c(0.1, 2), check.attributes = FALSE))
  expect_true(all.equal(a, array(c(0.1, 2))))
  expect_true(all.equal(keras_variable(c(0.1, 2)), a))
  expect_true(all.equal(a, keras_variable(c(0.1, 2))))
  expect_match(all.equal(a, a + 1), "difference")
  expect_match(all.equal(as_tensor(1:2), as_tensor(c(1, 2))), "dtypes differ")
  expect_match(all.equal(a, "a"), "neither")
})

test_that("sizes and numbers of all kinds of tensors", {
  variable <- keras_variable(matrix(1:6, 2))
  expect_identical(length(variable), 6L)
  expect_identical(dim(variable), c(2L, 3L))
  expect_identical(as.logical(keras_variable(c(0, 1))), c(FALSE, TRUE))
  symbolic <- new_symbolic(c(NA, 3L), "float32")
  expect_identical(dim(symbolic), c(NA, 3L))
  expect_identical(length(symbolic), NA_integer_)
  for (convert in list(as.array, as.numeric, as.integer, as.logical, as.matrix)) {
    expect_error(convert(symbolic), class = "birnn_error_symbolic")
  }
})
