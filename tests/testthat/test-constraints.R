# Constraints: Keras' values, axes, look-up.

for (floatx in both_floatx) {
  test_that(paste("constraints give Keras' values in", floatx), {
    with_floatx(floatx, {
      cases <- load_fixture("small-things")
      for (case in cases[startsWith(names(cases), "constraint")]) {
        expect_close(fixture_call(case)(fixture_tensor(case$x)), fixture_array(case$y), op_tolerance(floatx), case$name)
      }
    })
  })
}

test_that("axes count from 1 in R and from 0 in configs", {
  w <- rbind(c(3, 4), c(6, 8))
  expect_equal(as.array(constraint_unitnorm(axis = 2)(w)), rbind(c(0.6, 0.8), c(0.6, 0.8)), tolerance = 1e-6)
  expect_equal(sum(as.array(constraint_unitnorm(axis = c(1, 2))(w))^2), 1, tolerance = 1e-6)
  config <- serialize_keras_object(constraint_maxnorm(axis = 2))
  expect_identical(config$config, list(max_value = 2, axis = 1L))
  expect_identical(deserialize_keras_object(config)$config$axis, 2L)
  expect_refused(constraint_maxnorm(axis = 0), "value")
})

test_that("a constraint is found by name, as a function, as a closure or from its config", {
  for (name in c("maxnorm", "minmaxnorm", "nonneg", "unitnorm")) {
    object <- getExportedValue("birnn", paste0("constraint_", name))()
    config <- serialize_keras_object(object)
    expect_identical(config$module, "keras.constraints")
    expect_identical(serialize_keras_object(get_constraint(name)), config)
    expect_identical(serialize_keras_object(deserialize_keras_object(config)), config)
  }
  expect_equal(as.numeric(get_constraint(function(w) w * 0)(c(1, 2))), c(0, 0))
  expect_refused(get_constraint("max"), "value")
  expect_refused(constraint_maxnorm(-1), "value")
})

test_that("weights of zero stay finite", {
  for (constraint in list(constraint_maxnorm(), constraint_unitnorm(), constraint_minmaxnorm())) {
    expect_identical(as.array(constraint(matrix(0, 2, 2))), matrix(0, 2, 2))
  }
})
