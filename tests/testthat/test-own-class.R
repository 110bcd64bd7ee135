# Loss(), Metric(), Constraint(), new_learning_rate_schedule_class(), %py_class%: classes of users.

Asymmetric <- Loss("Asymmetric",
  initialize = function(above = 2, ...) {
    super$initialize(...)
    self$above <- above
  },
  call = function(y_true, y_pred) {
    error <- y_pred - y_true
    op_mean(op_where(error > 0, self$above * error, -error), axis = -1)
  }
)

LargestError <- Metric("LargestError",
  initialize = function(name = "largest_error", ...) {
    super$initialize(name = name, ...)
    self$largest <- self$add_variable(shape(), "zeros", name = "largest")
  },
  update_state = function(y_true, y_pred) {
    self$largest$assign(op_maximum(self$largest, op_max(op_abs(y_pred - y_true))))
  },
  result = function() self$largest
)

data_x <- matrix(c(0.2, -1, 0.4, 2, 1, -0.5), 6)
data_y <- c(1, 0, 2, -1, 0, 1)

train_with <- function(loss, metrics = NULL, optimizer = "sgd", run_eagerly = FALSE, ...) {
  set.seed(3)
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile(optimizer, loss = loss, metrics = metrics, run_eagerly = run_eagerly)
  history <- model |> fit(data_x, data_y, epochs = 3, batch_size = 4, shuffle = FALSE, verbose = 0, ...)
  list(metrics = history$metrics, weights = get_weights(model))
}

test_that("a loss class reduces, weighs and masks as built-in losses do", {
  y <- rbind(c(1, 1), c(2, 2))
  p <- rbind(c(2, 0), c(2, 5))
  loss <- Asymmetric(above = 3)
  expect_equal(as.array(loss(y, p)), mean(c(2, 4.5)))
  expect_equal(as.array(loss(y, p, sample_weight = c(1, 0))), 1)
  expect_equal(as.array(Asymmetric(reduction = "none")(y, p)), array(c(1.5, 3)))
  expect_equal(as.array(loss(y, with_mask(as_tensor(p), as_tensor(c(FALSE, TRUE))))), 4.5)
  # Targets come in the type of the predictions, as in Keras.
  Typed <- Loss("Typed", call = function(y_true, y_pred) {
    expect_identical(y_true$dtype, "float32")
    op_mean(y_pred, axis = -1)
  })
  expect_equal(as.array(Typed()(matrix(1:2), matrix(c(1, 3)))), 2)
})

test_that("loss and metric classes train like functions, with equal bits in a plan and eagerly", {
  by_class <- train_with(Asymmetric(above = 2), list(LargestError()))
  eager <- train_with(Asymmetric(above = 2), list(LargestError()), run_eagerly = TRUE)
  expect_same_bits(by_class$weights, eager$weights)
  expect_identical(by_class$metrics, eager$metrics)
  expect_named(by_class$metrics, c("largest_error", "loss"))
  by_function <- train_with(function(y_true, y_pred) {
    error <- y_pred - y_true
    op_mean(op_where(error > 0, 2 * error, -error), axis = -1)
  })
  expect_same_bits(by_function$weights, by_class$weights)
  expect_identical(train_with(Asymmetric)$metrics, by_function$metrics)
})

test_that("a metric class has a state that update_state() changes and reset_state() clears", {
  metric <- LargestError()
  metric$update_state(c(1, 2), c(1.5, 2))
  expect_equal(as.numeric(metric(c(1, 2), c(1, 2.25))), 0.5)
  metric$reset_state()
  expect_equal(as.numeric(metric$result()), 0)
  expect_equal(metric$variables[[1]]$path, "largest_error/largest")
  expect_equal(LargestError(name = "worst")$name, "worst")
})

test_that("a metric may report several values, hold metrics, and take weights", {
  Spread <- Metric("Spread",
    initialize = function(...) {
      super$initialize(...)
      self$mean <- metric_mean()
      self$count <- self$add_weight(name = "count")
    },
    update_state = function(y_true, y_pred, sample_weight = NULL) {
      self$mean$update_state(y_pred, sample_weight)
      self$count$assign_add(1)
    },
    result = function() list(center = self$mean$result(), batches = self$count)
  )
  trained <- train_with("mse", list(Spread(), "mae"))
  expect_named(trained$metrics, c("batches", "center", "loss", "mae"))
  expect_equal(trained$metrics$batches, c(2, 2, 2))
  metric <- Spread()
  metric$update_state(0, c(1, 3))
  metric$update_state(0, c(1, 5), sample_weight = c(1, 3))
  metric$reset_state()
  expect_equal(as.numeric(metric$result()$center), 0)
  metric$update_state(0, c(1, 5), sample_weight = c(1, 3))
  expect_equal(as.numeric(metric$result()$center), 4)
})

test_that("constraint and schedule classes do their work in training", {
  MeanZero <- Constraint("MeanZero", call = function(w) w - op_mean(w))
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2, kernel_constraint = MeanZero())
  model |> compile(optimizer_sgd(0.1), loss = "mse")
  model |> fit(matrix(1:12 / 12, 4), matrix(1:8, 4), verbose = 0)
  expect_equal(mean(get_weights(model)[[1]]), 0, tolerance = 1e-6)

  Falling <- new_learning_rate_schedule_class("Falling",
    initialize = function(start) self$start <- start,
    call = function(step) self$start / (step + 1)
  )
  schedule <- Falling(start = 0.5)
  expect_equal(as.numeric(schedule(4)), 0.1)
  by_class <- train_with("mse", optimizer = optimizer_sgd(schedule))
  expect_same_bits(train_with("mse", optimizer = optimizer_sgd(function(step) 0.5 / (step + 1)))$weights, by_class$weights)
})

test_that("objects of such classes go to configs and back, with and without a get_config() of their own", {
  Other <- Constraint("Other",
    initialize = function(bound) self$bound <- bound,
    call = function(w) op_minimum(w, self$bound),
    get_config = function() list(bound = self$bound)
  )
  for (object in list(Asymmetric(above = 5, name = "a"), LargestError(name = "m"), Other(bound = 2))) {
    config <- serialize_keras_object(object)
    again <- deserialize_keras_object(config)
    expect_identical(serialize_keras_object(again), config)
    expect_identical(class(again), class(object))
  }
  expect_equal(Asymmetric(4)$get_config()$above, 4)
  layer <- layer_dense(units = 1, kernel_constraint = Other(bound = 3))
  expect_equal(from_config(get_config(layer))$kernel_constraint$bound, 3)
  expect_error(
    deserialize_keras_object(list(class_name = "Asymmetric", config = list(), registered_name = "Asymmetric")),
    class = "birnn_error_config"
  )
  found <- deserialize_keras_object(
    list(class_name = "Asymmetric", config = list(above = 7), registered_name = "Asymmetric"),
    custom_objects = list(Asymmetric)
  )
  expect_equal(found$above, 7)
})

test_that("losses and metrics have private members and computed fields, and arguments of any name", {
  Scaled <- Loss("Scaled",
    initialize = function(f = 2, ...) {
      super$initialize(...)
      private$factor <- f
    },
    private = list(factor = NULL, scale = function(x) x * private$factor),
    call = function(y_true, y_pred) private$scale(op_mean(op_abs(y_true - y_pred), axis = -1)),
    twice = active_property(function() 2 * private$factor)
  )
  loss <- Scaled(f = 3)
  expect_equal(as.array(loss(matrix(1), matrix(3))), 6)
  expect_equal(loss$twice, 6)
  expect_equal(get_config(loss)$f, 3)
  again <- deserialize_keras_object(serialize_keras_object(loss), custom_objects = list(Scaled))
  expect_equal(again$twice, 6)
  Counted <- Metric("Counted",
    initialize = function(f = 1, name = "counted", ...) {
      super$initialize(name = name, ...)
      private$factor <- f
      self$count <- self$add_weight(name = "count")
    },
    update_state = function(y_true, y_pred, sample_weight = NULL) self$count$assign_add(op_sum(y_true) * private$factor),
    result = function() self$count,
    private = list(factor = NULL),
    twice = active_property(function() 2 * as.numeric(self$count))
  )
  metric <- Counted(f = 4)
  metric$update_state(c(1, 2), c(1, 2))
  expect_equal(metric$twice, 24)
  path <- withr::local_tempfile(fileext = ".keras")
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile("sgd", loss = loss, metrics = metric)
  fit(model, data_x, data_y)
  save_model(model, path)
  loaded <- load_model(path, custom_objects = list(Scaled, Counted))
  expect_identical(evaluate(loaded, data_x, data_y), evaluate(model, data_x, data_y))
})

test_that("classes inherit from each other", {
  Doubled <- Loss("Doubled", inherit = Asymmetric, call = function(y_true, y_pred) 2 * super$call(y_true, y_pred))
  expect_equal(as.array(Doubled(above = 3)(matrix(1), matrix(2))), 6)
  expect_equal(names(formals(Doubled)), c("above", "..."))
  expect_identical(new_loss_class, Loss)
  expect_identical(new_metric_class, Metric)
  expect_output(print(Doubled), "<Loss class Doubled>")
})

test_that("what is wrong with a class is said when it is defined", {
  expect_refused(Loss("A", call = 3), "value")
  expect_refused(Metric("A", update_state = "x"), "value")
  expect_refused(Loss("A", inherit = LargestError), "value")
  expect_refused(Loss("2a"), "value")
  expect_refused(Metric("A", handle = 1), "value")
  expect_refused(Loss("A")()(matrix(1), matrix(2)), "state")
  expect_refused(Asymmetric(redution = "sum"), "value")
})

test_that("%py_class% defines classes of every kind, with arguments by position", {
  Times(keras$layers$Layer) %py_class% {
    initialize <- function(factor, ...) {
      super$initialize(...)
      self$factor <- factor
    }
    call <- function(inputs) self$factor * inputs
  }
  expect_equal(as.array(Times(3)(c(1, 2))), array(c(3, 6)))
  expect_equal(Times(3)$name, "times_1")
  Shifted(Times) %py_class% {
    call <- function(inputs) super$call(inputs) + 1
  }
  expect_equal(as.array(Shifted(2)(1)), 3)
  seen <- numeric()
  Noting(Callback) %py_class% {
    on_epoch_end <- function(epoch, logs = NULL) seen <<- c(seen, epoch)
  }
  train_with("mse", callbacks = Noting())
  expect_equal(seen, 1:3)
  expect_refused(3 %py_class% {}, "value")
})
