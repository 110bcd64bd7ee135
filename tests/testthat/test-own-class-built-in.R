# Users' classes that start from objects of birnn.

# The functions that make objects of a kind, but for those that need arguments, by class name.
makers_of <- function(kind) {
  makers <- lapply(registered_names(kind), registered, kind = kind)
  makers <- makers[!duplicated(makers)]
  needs_argument <- function(maker) {
    any(vapply(formals(maker)[setdiff(names(formals(maker)), c("y_true", "y_pred", "..."))], identical, NA, quote(expr = )))
  }
  Filter(Negate(needs_argument), makers)
}

test_that("a class that changes nothing is like what it starts from", {
  y_true <- matrix(c(0, 1, 1, 0, 0, 1), 3)
  y_pred <- matrix(c(0.2, 0.7, 0.4, 0.8, 0.3, 0.6), 3)
  for (maker in makers_of("loss")) {
    expected <- tryCatch(as.array(maker()(y_true, y_pred)), error = function(e) NULL)
    if (is.null(expected)) next
    expect_equal(as.array(Loss("Same", inherit = maker)()(y_true, y_pred)), expected)
  }
  for (maker in makers_of("metric")) {
    value <- function(metric) {
      metric$update_state(y_true, y_pred)
      lapply(flatten_structure(metric$result()), as.array)
    }
    expected <- tryCatch(value(maker()), error = function(e) NULL)
    if (is.null(expected)) next
    # Sums that some metrics begin with the first batch have the type of users' variables.
    expect_equal(value(Metric("Same", inherit = maker)()), expected, tolerance = 1e-5)
  }
  for (maker in makers_of("constraint")) {
    expect_equal(as.array(Constraint("Same", inherit = maker)()(y_pred)), as.array(maker()(y_pred)))
  }
})

test_that("a metric class starts from a metric", {
  Doubled <- Metric("Doubled", inherit = metric_mean, result = function() 2 * super$result())
  metric <- Doubled(name = "twice")
  metric$update_state(c(1, 3))
  metric$update_state(8)
  expect_equal(as.numeric(metric$result()), 8)
  expect_equal(metric$name, "twice")
  expect_length(metric$variables, 2)
  metric$reset_state()
  expect_equal(as.numeric(metric$result()), 0)
  expect_error(Doubled(nmae = "x"), "nmae", class = "birnn_error_value")
})

test_that("a metric class may replace any method of the metric, and takes part in training", {
  Part <- Metric("Part",
    inherit = metric_mean_absolute_error,
    initialize = function(share = 0.5, name = "part", ...) {
      super$initialize(name = name, ...)
      self$share <- share
    },
    update_state = function(y_true, y_pred, sample_weight = NULL) {
      super$update_state(self$share * y_true, self$share * y_pred, sample_weight)
    },
    get_config = function() c(super$get_config(), share = self$share)
  )
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1, kernel_initializer = "ones")
  model |> compile("sgd", loss = "mse", metrics = list("mae", Part(share = 0.25), Part(name = "half")))
  logs <- evaluate(model, matrix(1:4), matrix(c(1, 3, 3, 6)), verbose = 0)
  expect_equal(logs$part, logs$mae / 4)
  expect_equal(logs$half, logs$mae / 2)
  expect_equal(Part(share = 2)$get_config()$share, 2)
  Again <- Metric("Again", inherit = Part, result = function() -super$result())
  metric <- Again(share = 1)
  metric$update_state(1, 3)
  expect_equal(as.numeric(metric$result()), -2)
})

test_that("a loss class starts from a loss", {
  Asymmetric <- Loss("AsymmetricHuber", inherit = loss_huber, call = function(y_true, y_pred) {
    super$call(y_true, y_pred) * op_mean(op_where(y_pred > y_true, 3, 1), axis = -1)
  })
  loss <- Asymmetric(delta = 2)
  plain <- loss_huber(delta = 2)
  y <- matrix(c(1, 2, 3))
  expect_equal(as.numeric(loss(y, y - 5)), as.numeric(plain(y, y - 5)), tolerance = 1e-6)
  expect_equal(as.numeric(loss(y, y + 5)), 3 * as.numeric(plain(y, y + 5)), tolerance = 1e-6)
  expect_equal(loss$get_config()$delta, 2)
  config <- serialize_keras_object(loss)
  again <- with_custom_object_scope(list(AsymmetricHuber = Asymmetric), deserialize_keras_object(config))
  expect_equal(as.numeric(again(y, y + 5)), as.numeric(loss(y, y + 5)))
})

test_that("a constraint class starts from a constraint", {
  Doubled <- Constraint("Doubled", inherit = constraint_nonneg, call = function(w) 2 * super$call(w))
  expect_equal(as.array(Doubled()(matrix(c(-1, 2)))), matrix(c(0, 4)))
})

test_that("a callback class starts from a callback", {
  Counting <- Callback("Counting",
    inherit = callback_early_stopping,
    initialize = function(...) {
      super$initialize(monitor = "loss", ...)
      self$count <- 0
    },
    on_epoch_end = function(epoch, logs) {
      self$count <- self$count + 1
      super$on_epoch_end(epoch, logs)
    }
  )
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile("sgd", loss = "mse")
  callback <- Counting(patience = 2, min_delta = 1e6)
  model |> fit(matrix(1:4), 1:4, epochs = 9, verbose = 0, callbacks = callback)
  expect_equal(callback$count, 3)
  expect_true(is_callback(callback))
})
