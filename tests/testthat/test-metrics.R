# Metrics: results after each batch as Keras has them, masks, weights, look-up.

metric_of_case <- function(case) do.call(getExportedValue("birnn", case$fn), as.list(case$args), quote = TRUE)

for (floatx in both_floatx) {
  test_that(paste("metrics give Keras' results in", floatx), {
    with_floatx(floatx, {
      for (case in load_fixture("metrics")) {
        metric <- metric_of_case(case)
        for (update in case$updates) {
          weight <- if (!is.null(update$sample_weight)) fixture_array(update$sample_weight)
          metric$update_state(fixture_array(update$y_true), fixture_array(update$y_pred), weight)
          tolerance <- if (floatx == "float64") 1e-5 else 2e-4
          expect_close(metric$result(), fixture_array(update$result), tolerance, case$name)
        }
      }
    })
  })
}

test_that("a metric has the same bits in a plan, with a mask, at two batch sizes", {
  for (case in load_fixture("metrics")) {
    update <- case$updates[[1]]
    tensors <- lapply(update[c("y_true", "y_pred")], fixture_tensor)
    lead <- utils::head(dim(tensors$y_pred), -1)
    tensors$mask <- as_tensor(array(rep_len(c(TRUE, TRUE, FALSE), prod(lead)), lead))
    results <- lapply(c(FALSE, TRUE), function(eager) {
      metric <- metric_of_case(case)
      step <- new_step(function(inputs) {
        metric$update_state(inputs[[1]], with_mask(inputs[[2]], inputs[[3]]))
        list(outputs = list(), loss = NULL)
      }, eager = eager)
      for (rows in list(1:4, 2:3)) run_step(step, unname(tensors), rows)
      list(metric$result(), metric$variables)
    })
    expect_same_bits(results[[1]], results[[2]], case$name)
  }
})

test_that("a masked metric is the mean over all valid steps of the epoch", {
  metric <- metric_mean_absolute_error()
  y <- array(0, c(2, 3, 1))
  p1 <- as_tensor(array(1:6, c(2, 3, 1)), "float32")
  metric$update_state(y, with_mask(p1, as_tensor(rbind(c(TRUE, FALSE, FALSE), c(TRUE, TRUE, TRUE)))))
  metric$update_state(y, with_mask(p1, as_tensor(rbind(c(FALSE, FALSE, FALSE), c(FALSE, TRUE, FALSE)))))
  expect_equal(as.numeric(metric$result()), (1 + 2 + 4 + 6 + 4) / 5)
})

test_that("masked steps have no effect on metrics, whatever their targets hold", {
  p <- with_mask(as_tensor(array(1, c(1, 2, 1))), as_tensor(matrix(c(TRUE, FALSE), 1)))
  metric <- metric_mean_squared_error()
  metric$update_state(array(c(3, NaN), c(1, 2, 1)), p)
  expect_identical(as.numeric(metric$result()), 4)
})

test_that("weights and mask multiply", {
  metric <- metric_mean_absolute_error()
  p <- with_mask(as_tensor(array(c(1, 2, 3, 4), c(2, 2, 1))), as_tensor(rbind(c(TRUE, TRUE), c(TRUE, FALSE))))
  metric$update_state(array(0, c(2, 2, 1)), p, sample_weight = rbind(c(1, 2), c(3, 4)))
  expect_equal(as.numeric(metric$result()), (1 * 1 + 3 * 2 + 2 * 3) / 6)
})

test_that("a metric without values is 0, and starts anew after reset_state()", {
  metric <- metric_mean()
  expect_identical(as.numeric(metric$result()), 0)
  expect_identical(as.numeric(metric(c(1, 3))), 2)
  metric$update_state(c(5, 7), sample_weight = c(0, 2))
  expect_equal(as.numeric(metric$result()), 18 / 4)
  metric$reset_state()
  expect_identical(as.numeric(metric$result()), 0)
})

test_that("functions of one's own are metrics", {
  metric <- custom_metric("bias", function(y_true, y_pred) op_mean(y_pred - y_true, axis = -1))
  expect_identical(metric$name, "bias")
  expect_equal(as.numeric(metric(matrix(0, 2, 2), matrix(c(1, 2, 3, 4), 2))), 2.5)
  scalar <- get_metric(function(y_true, y_pred) op_max(y_pred))
  expect_equal(as.numeric(scalar(matrix(0, 2, 2), matrix(c(1, 2, 3, 4), 2))), 4)
  expect_refused(custom_metric("x", 1), "value")
})

test_that("accuracy and crossentropy are chosen by the shapes, and keep the name they were given", {
  of <- function(name, y_true, y_pred) {
    metric <- resolve_metric(name, y_true, y_pred)
    c(metric$class_name, metric$name)
  }
  expect_identical(of("accuracy", c(NA, 1L), c(NA, 1L)), c("BinaryAccuracy", "accuracy"))
  expect_identical(of("acc", NA_integer_, c(NA, 3L)), c("SparseCategoricalAccuracy", "acc"))
  expect_identical(of("acc", c(NA, 7L, 1L), c(NA, 7L, 3L)), c("SparseCategoricalAccuracy", "acc"))
  expect_identical(of("acc", c(NA, 3L), c(NA, 3L)), c("CategoricalAccuracy", "acc"))
  expect_identical(of("ce", c(NA, 3L), c(NA, 3L)), c("CategoricalCrossentropy", "ce"))
  expect_identical(of("mae", c(NA, 3L), c(NA, 3L)), c("MeanAbsoluteError", "mae"))
})

test_that("metrics are found by name and come back from their configs", {
  expect_identical(get_metric("RootMeanSquaredError")$class_name, "RootMeanSquaredError")
  expect_identical(get_metric(metric_mean_squared_error)$name, "mean_squared_error")
  for (case in load_fixture("metrics")) {
    config <- serialize_keras_object(metric_of_case(case))
    expect_identical(config$module, "keras.metrics")
    expect_identical(names(config$config)[1:2], c("name", "dtype"))
    expect_identical(serialize_keras_object(deserialize_keras_object(config)), config)
  }
  expect_refused(get_metric("acuracy"), "value")
})
