# Initializers: values, distributions, seeds, look-up.

initializer_names <- grep("^initializer_", getNamespaceExports("birnn"), value = TRUE)

test_that("constants fill the shape", {
  expect_identical(as.array(initializer_zeros()(c(2, 3))), matrix(0, 2, 3))
  expect_identical(as.array(initializer_ones()(shape(2), dtype = "int32")), array(c(1L, 1L)))
  expect_identical(as.array(initializer_constant(0.5)(c(2, 1))), matrix(0.5, 2, 1))
  expect_identical(as.array(initializer_constant(matrix(1:4, 2))(c(2, 2))), matrix(c(1, 2, 3, 4), 2))
  expect_identical(as.array(initializer_identity(2)(c(2, 3))), rbind(c(2, 0, 0), c(0, 2, 0)))
  expect_refused(initializer_constant(matrix(1:4, 2))(c(4, 1)), "shape")
  expect_refused(initializer_identity()(c(2, 2, 2)), "shape")
})

test_that("random initializers have the moments of their distributions", {
  moments <- function(initializer, shape = c(300, 200)) {
    x <- as.array(initializer(shape, dtype = "float64"))
    c(mean(x), stats::sd(x), range(x))
  }
  expect_equal(moments(initializer_random_normal(1, 2, seed = 1))[1:2], c(1, 2), tolerance = 0.02)
  expect_equal(moments(initializer_random_uniform(-1, 3, seed = 1)), c(1, 4 / sqrt(12), -1, 3), tolerance = 0.02)
  truncated <- moments(initializer_truncated_normal(0, 1, seed = 1))
  expect_equal(truncated[2], 0.87962566, tolerance = 0.01)
  expect_true(all(abs(truncated[3:4]) <= 2))

  limit <- sqrt(6 / 500)
  expect_equal(moments(initializer_glorot_uniform(seed = 1))[3:4], c(-limit, limit), tolerance = 0.01)
  expect_equal(moments(initializer_glorot_normal(seed = 1))[2], sqrt(2 / 500), tolerance = 0.01)
  expect_equal(moments(initializer_he_normal(seed = 1))[2], sqrt(2 / 300), tolerance = 0.01)
  expect_equal(moments(initializer_he_uniform(seed = 1))[4], sqrt(6 / 300), tolerance = 0.01)
  expect_equal(moments(initializer_lecun_normal(seed = 1))[2], sqrt(1 / 300), tolerance = 0.01)
  expect_equal(moments(initializer_lecun_uniform(seed = 1))[4], sqrt(3 / 300), tolerance = 0.01)
  scaled <- initializer_variance_scaling(3, "fan_out", "untruncated_normal", seed = 1)
  expect_equal(moments(scaled)[2], sqrt(3 / 200), tolerance = 0.01)
})

test_that("fans of more than two axes have a receptive field", {
  expect_identical(fans_of(c(3, 4, 5, 6)), c(60, 72))
  expect_identical(fans_of(7), c(7, 7))
})

test_that("orthogonal matrices have orthonormal rows or columns", {
  wide <- as.array(initializer_orthogonal(seed = 1)(c(5, 20), dtype = "float64"))
  expect_equal(wide %*% t(wide), diag(5), tolerance = 1e-12)
  tall <- as.array(initializer_orthogonal(gain = 2, seed = 1)(c(20, 5), dtype = "float64"))
  expect_equal(t(tall) %*% tall, 4 * diag(5), tolerance = 1e-12)
  deep <- as.array(op_reshape(initializer_orthogonal(seed = 1)(c(3, 4, 5), dtype = "float64"), c(12, 5)))
  expect_equal(t(deep) %*% deep, diag(5), tolerance = 1e-12)
  expect_refused(initializer_orthogonal()(5), "shape")
})

test_that("an initializer gives equal values for equal shapes, and set.seed() decides about them", {
  for (name in initializer_names) {
    make <- getExportedValue("birnn", name)
    set.seed(7)
    first <- make()
    values <- as.array(first(c(3, 4)))
    expect_identical(as.array(first(c(3, 4))), values, info = name)
    set.seed(7)
    expect_identical(as.array(make()(c(3, 4))), values, info = name)
    if ("seed" %in% names(formals(make))) {
      expect_false(identical(as.array(make()(c(3, 4))), values), info = name)
      expect_identical(as.array(make(seed = 3)(c(3, 4))), as.array(make(seed = 3)(c(3, 4))), info = name)
      expect_null(first$get_config()$seed, info = name)
    }
  }
})

test_that("an initializer is found by name, as a function, as values, as a closure or from its config", {
  for (name in initializer_names) {
    make <- getExportedValue("birnn", name)
    object <- make()
    config <- serialize_keras_object(object)
    expect_identical(config$module, "keras.initializers", info = name)
    expect_identical(serialize_keras_object(get_initializer(make)), config, info = name)
    expect_identical(serialize_keras_object(get_initializer(sub("^initializer_", "", name))), config, info = name)
    expect_identical(serialize_keras_object(get_initializer(config)), config, info = name)
    expect_identical(get_initializer(object), object, info = name)
  }
  for (alias in c("uniform", "normal", "zero", "one", "OrthogonalInitializer", "IdentityInitializer")) {
    expect_s3_class(get_initializer(alias), "birnn_initializer")
  }
  expect_identical(as.array(get_initializer(matrix(1:2, 1))(c(1, 2))), matrix(c(1, 2), 1))
  threes <- list(function(shape, dtype = NULL) array(3, shape), function(shape) array(3, shape))
  for (fn in threes) expect_identical(as.array(get_initializer(fn)(c(1, 2))), matrix(c(3, 3), 1))
  expect_null(get_initializer(NULL))
  expect_refused(get_initializer("glorot"), "value")
  expect_refused(get_initializer(TRUE), "value")
  expect_refused(get_initializer(loss_huber()), "value")
})

test_that("arguments are checked", {
  expect_refused(initializer_random_normal(stddev = -1), "value")
  expect_refused(initializer_variance_scaling(scale = 0), "value")
  expect_refused(initializer_variance_scaling(mode = "fan"), "value")
  expect_refused(initializer_glorot_uniform(seed = 1.5), "value")
})

test_that("an initializer prints its class and arguments", {
  expect_output(print(initializer_orthogonal(gain = 2)), "<Orthogonal gain=2, seed=NULL>", fixed = TRUE)
})
