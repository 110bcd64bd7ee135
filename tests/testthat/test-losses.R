# Losses: values, reductions, weights and masks as Keras has them, and what is refused.

loss_of_case <- function(case, ...) {
  do.call(getExportedValue("birnn", case$fn), c(as.list(case$args), list(...)), quote = TRUE)
}

values_of_case <- function(case, y_true, y_pred) {
  do.call(getExportedValue("birnn", case$fn), c(list(y_true, y_pred), as.list(case$args)), quote = TRUE)
}

expect_loss_case <- function(case, floatx) {
  with_floatx(floatx, {
    tolerance <- op_tolerance(floatx)
    y_true <- fixture_array(case$y_true)
    y_pred <- fixture_tensor(case$y_pred)
    expect_close(values_of_case(case, y_true, y_pred), fixture_array(case$values), tolerance, case$name)
    for (reduction in names(case$reduced)) {
      loss <- loss_of_case(case, reduction = reduction)
      expect_close(loss(y_true, y_pred), case$reduced[[reduction]], tolerance, paste(case$name, reduction))
    }
    loss <- loss_of_case(case)
    found <- value_and_gradients(function(x) loss(y_true, x[[1]]), list(y_pred))
    expect_close(found$inputs[[1]], fixture_array(case$gradient), tolerance, paste(case$name, "gradient"))
    if (length(dim(fixture_array(case$values))) == 0) return()   # one value for the whole batch: nothing to weigh
    weighted <- loss(y_true, y_pred, sample_weight = fixture_array(case$sample_weight))
    expect_close(weighted, case$weighted, tolerance, paste(case$name, "weighted"))
    masked <- loss(y_true, with_mask(y_pred, fixture_tensor(case$mask)))
    expect_close(masked, case$masked, tolerance, paste(case$name, "masked"))
  })
}

for (floatx in both_floatx) {
  test_that(paste("losses give Keras' values and gradients in", floatx), {
    for (case in load_fixture("losses")) expect_loss_case(case, floatx)
  })
}

test_that("a loss has the same bits in a plan, with weights and masks, at two batch sizes", {
  for (case in load_fixture("losses")) {
    loss <- loss_of_case(case)
    fn <- function(inputs) {
      y_pred <- with_mask(inputs[[2]], inputs[[4]])
      list(outputs = list(loss(inputs[[1]], y_pred, sample_weight = inputs[[3]])), loss = NULL)
    }
    tensors <- lapply(c("y_true", "y_pred", "sample_weight", "mask"), function(name) fixture_tensor(case[[name]]))
    plan <- new_step(fn)
    for (rows in list(1:4, 2:3)) {
      eager <- run_step(new_step(fn, eager = TRUE), tensors, rows)$outputs
      expect_same_bits(run_step(plan, tensors, rows)$outputs, eager, case$name)
    }
    expect_false(plan$eager)
  }
})

test_that("reductions divide by what the documentation says", {
  y <- rbind(c(1, 1), c(2, 2), c(3, 3))
  p <- y * 0
  weight <- c(1, 0, 3)
  of <- function(reduction, ...) as.array(loss_mean_squared_error(reduction = reduction)(y, p, ...))
  expect_equal(of("sum_over_batch_size"), 14 / 3, tolerance = 1e-6)
  expect_equal(of("mean", sample_weight = weight), 28 / 3, tolerance = 1e-6)
  expect_equal(of("sum", sample_weight = weight), 28)
  expect_equal(of("mean_with_sample_weight", sample_weight = weight), 7)
  expect_equal(of("none", sample_weight = weight), array(c(1, 0, 27)))
  expect_equal(of("mean_with_sample_weight", sample_weight = c(0, 0, 0)), 0)
  expect_refused(loss_mean_squared_error(reduction = "average"), "value")
})

test_that("masked steps have no effect, whatever their targets hold", {
  y <- array(c(1, 2, 3, 4, 5, 6), c(2, 3, 1))
  mask <- rbind(c(TRUE, TRUE, FALSE), c(TRUE, FALSE, FALSE))
  spoilt <- y
  spoilt[1, 3, 1] <- NaN
  spoilt[2, 2:3, 1] <- c(-99, Inf)
  p <- with_mask(as_tensor(y * 0.5), as_tensor(mask))
  loss <- loss_mean_squared_error()
  expect_equal(as.numeric(loss(y, p)), mean((y[1, 1:2, ] * 0.5)^2 * 2 + (y[2, 1, ] * 0.5)^2) / 3 * 1, tolerance = 1e-6)
  expect_identical(as.numeric(loss(spoilt, p)), as.numeric(loss(y, p)))
  expect_identical(as.numeric(loss(y, with_mask(p, as_tensor(mask & FALSE)))), 0)

  found <- value_and_gradients(function(x) loss(spoilt, with_mask(x[[1]], as_tensor(mask))), list(p))
  expect_true(all(is.finite(found$inputs[[1]])))
  expect_identical(found$inputs[[1]][!mask], rep(0, 3))
})

test_that("labels that are no class do not matter where they are masked", {
  p <- with_mask(as_tensor(array(0.5, c(1, 2, 2))), as_tensor(matrix(c(TRUE, FALSE), 1)))
  expect_equal(as.numeric(loss_sparse_categorical_crossentropy()(matrix(c(1, -1), 1), p)), log(2), tolerance = 1e-6)
})

test_that("targets and predictions may differ by a last axis of size one", {
  loss <- loss_mean_squared_error()
  expect_equal(as.numeric(loss(c(1, 2), matrix(c(0, 0), 2))), 2.5)
  expect_equal(as.numeric(loss(matrix(c(1, 2), 2), c(0, 0))), 2.5)
  expect_equal(dim(loss_mean_squared_error(array(1, c(2, 3, 1)), matrix(0, 2, 3))), 2L)
  expect_equal(as.numeric(loss_sparse_categorical_crossentropy()(matrix(c(0, 1), 2), diag(2) * 0.8 + 0.1)), -log(0.9),
               tolerance = 1e-6)
})

test_that("weights of the wrong shape are refused, not broadcast", {
  y <- array(0, c(2, 3, 1))
  loss <- loss_mean_squared_error()
  expect_refused(loss(y, y, sample_weight = c(1, 2)), "shape")
  expect_refused(loss(y, y, sample_weight = matrix(1, 2, 2)), "shape")
  expect_equal(as.numeric(loss(y, y + 1, sample_weight = matrix(c(1, 2), 2))), 1.5)
  expect_refused(loss(matrix(0, 3, 1), matrix(0, 3, 1), sample_weight = c(1, 2)), "shape")
})

test_that("a mask must fit the values; a single value goes with any mask", {
  mask <- as_tensor(matrix(c(TRUE, FALSE, TRUE, TRUE), 2))
  p <- with_mask(as_tensor(array(1, c(2, 2, 1))), mask)
  per_sample <- get_loss(function(y_true, y_pred) op_mean(y_pred, axis = c(2, 3)))
  expect_refused(per_sample(array(0, c(2, 2, 1)), with_mask(as_tensor(array(1, c(2, 3, 1))), op_ones(c(2, 3), "bool"))),
                 "mask")
  single <- get_loss(function(y_true, y_pred) op_mean(y_pred))
  expect_equal(as.numeric(single(array(0, c(2, 2, 1)), p)), 1)
})

test_that("a loss is found by name, as a function, as an object, as a closure or from its config", {
  for (name in c("mse", "MSE", "mean_squared_error", "MeanSquaredError")) {
    expect_identical(get_loss(name)$class_name, "MeanSquaredError")
  }
  expect_identical(get_loss(loss_huber)$get_config()$delta, 1)
  object <- loss_huber(delta = 2)
  expect_identical(get_loss(object), object)
  expect_null(get_loss(NULL))
  twice <- get_loss(function(y_true, y_pred) op_mean(op_abs(y_pred - y_true), axis = -1) * 2)
  expect_equal(as.numeric(twice(matrix(0, 2, 2), matrix(1, 2, 2))), 2)
  expect_refused(get_loss("msee"), "value")
  expect_refused(get_loss(1), "value")
  expect_refused(loss_huber(deltaa = 1), "value")
  expect_refused(loss_huber(2), "value")
})

test_that("crossentropy is chosen by the shapes", {
  expect_identical(resolve_loss("crossentropy", c(NA, 1L), c(NA, 1L))$class_name, "BinaryCrossentropy")
  expect_identical(resolve_loss("ce", NA_integer_, c(NA, 5L))$class_name, "SparseCategoricalCrossentropy")
  expect_identical(resolve_loss("ce", c(NA, 1L), c(NA, 5L))$class_name, "SparseCategoricalCrossentropy")
  expect_identical(resolve_loss("ce", c(NA, 5L), c(NA, 5L))$class_name, "CategoricalCrossentropy")
  expect_identical(resolve_loss("mae", c(NA, 5L), c(NA, 5L))$class_name, "MeanAbsoluteError")
})

test_that("every loss comes back from its config", {
  for (case in load_fixture("losses")) {
    loss <- loss_of_case(case, name = "mine", reduction = "sum")
    config <- serialize_keras_object(loss)
    expect_identical(config$module, "keras.losses")
    expect_identical(names(config$config)[1:2], c("name", "reduction"))
    expect_identical(serialize_keras_object(deserialize_keras_object(config)), config)
  }
})
