# Regularizers: Keras' values, gradients, look-up.

small_things <- function(kind) {
  cases <- load_fixture("small-things")
  cases[startsWith(names(cases), kind)]
}

for (floatx in both_floatx) {
  test_that(paste("regularizers give Keras' values in", floatx), {
    with_floatx(floatx, {
      for (case in small_things("regularizer")) {
        expect_close(fixture_call(case)(fixture_tensor(case$x)), case$value, op_tolerance(floatx), case$name)
      }
    })
  })
}

test_that("gradients of regularizers are exact", {
  with_floatx("float64", {
    set.seed(1)
    x <- matrix(stats::rnorm(12), 4)
    for (regularizer in list(regularizer_l1(0.1), regularizer_l2(0.1), regularizer_l1_l2(0.1, 0.2),
                             regularizer_orthogonal(0.1), regularizer_orthogonal(0.1, "columns"))) {
      expect_gradients(function(x) regularizer(x[[1]]), list(x), label = format(regularizer))
    }
  })
})

test_that("a regularizer is found by name, as a function, as a closure or from its config", {
  for (name in c("l1", "l2", "l1_l2", "orthogonal")) {
    object <- getExportedValue("birnn", paste0("regularizer_", name))()
    config <- serialize_keras_object(object)
    expect_identical(config$module, "keras.regularizers")
    expect_identical(serialize_keras_object(get_regularizer(name)), config)
    expect_identical(serialize_keras_object(deserialize_keras_object(config)), config)
  }
  own <- function(w) op_sum(w)
  expect_equal(as.numeric(get_regularizer(own)(c(1, 2))), 3)
  expect_identical(serialize_keras_object(get_regularizer(own)), own)
  expect_refused(get_regularizer("l3"), "value")
  expect_refused(regularizer_l1(-1), "value")
  expect_refused(regularizer_l2(NaN), "value")
  expect_refused(regularizer_orthogonal()(c(1, 2)), "shape")
})
