# Steps of users' model classes: train_step() and its kin.

x <- matrix(round(sin(1:24), 3), 12)
y <- x[, 1] - x[, 2]

# A linear model with the given methods; all start from the same weights.
linear <- function(...) {
  make <- Model("Linear",
    initialize = function(...) {
      super$initialize(...)
      self$top <- layer_dense(units = 1, kernel_initializer = "ones", kernel_regularizer = regularizer_l2(0.01))
    },
    call = function(inputs) self$top(inputs), ..., parent_env = parent.frame()
  )
  make()
}

trained <- function(model, ..., metrics = "mae") {
  model |> compile(optimizer_adam(0.1), loss = "mse", metrics = metrics)
  history <- fit(model, x, y, epochs = 2, batch_size = 5, shuffle = FALSE, ...)
  list(history$metrics, if (model$built) get_weights(model))
}

plain <- function(...) trained(linear(), ...)

test_that("a train_step() that does what fit() does gives what fit() gives", {
  model <- linear(train_step = function(data) {
    c(x, y) %<-% data
    with(GradientTape() %as% tape, {
      y_pred <- self(x, training = TRUE)
      loss <- self$compute_loss(y = y, y_pred = y_pred)
    })
    gradients <- tape$gradient(loss, self$trainable_variables)
    self$optimizer$apply(gradients, self$trainable_variables)
    for (metric in self$metrics) {
      if (metric$name == "loss") metric$update_state(loss, sample_weight = nrow(x)) else metric$update_state(y, y_pred)
    }
    rlang::set_names(lapply(self$metrics, function(m) m$result()), vapply(self$metrics, function(m) m$name, ""))
  })
  expect_equal(trained(model), plain(), tolerance = 1e-6)
  expect_identical(trained(model)[[2]] |> length(), 2L)
})

test_that("the inherited steps can be called", {
  want <- plain(validation_data = list(x, y))
  model <- linear(
    train_step = function(data) super$train_step(data),
    test_step = function(data) super$test_step(data),
    predict_step = function(data) super$predict_step(data)
  )
  expect_equal(trained(model, validation_data = list(x, y)), want, tolerance = 1e-6)
  expect_equal(predict(model, x), as.array(model(x)), tolerance = 1e-6)
  expect_equal(evaluate(model, x, y), { other <- linear(); trained(other); evaluate(other, x, y) }, tolerance = 1e-6)
})

test_that("sample weights, class weights and validation splits reach the steps", {
  weights <- seq(0.5, 1.6, by = 0.1)
  seen <- list()
  model <- linear(train_step = function(data) {
    seen[[length(seen) + 1]] <<- lapply(data, dim)
    super$train_step(data)
  })
  want <- plain(sample_weight = weights, validation_split = 0.25)
  expect_equal(trained(model, sample_weight = weights, validation_split = 0.25), want, tolerance = 1e-6)
  expect_equal(seen[[2]], list(c(4L, 2L), 4L, 4L))
  labels <- as.integer(y > 0)
  classified <- function(model) {
    model |> compile("sgd", loss = "mse")
    fit(model, x, labels, class_weight = list("0" = 1, "1" = 3), shuffle = FALSE)$metrics$loss
  }
  expect_equal(classified(linear(train_step = function(data) super$train_step(data))), classified(linear()),
               tolerance = 1e-6)
})

test_that("logs are what a step returns", {
  model <- linear(train_step = function(data) list(b = as_tensor(2), a = 1, inner = list(c = 3)),
                  test_step = function(data) list(a = 5))
  history <- trained(model, validation_data = list(x, y))[[1]]
  expect_equal(history, list(a = c(1, 1), b = c(2, 2), c = c(3, 3), val_a = c(5, 5)))
  expect_equal(evaluate(model, x, y), list(a = 5))
  expect_equal(train_on_batch(model, x, y), list(a = 1, b = 2, c = 3))
  expect_equal(test_on_batch(model, x, y), 5)
})

test_that("metrics of the model's own are reset in every epoch", {
  model <- linear(
    build = function(input_shape) self$tracker <- metric_mean(name = "rows"),
    metrics = active_property(function() list(self$tracker)),
    train_step = function(data) {
      self(data[[1]])
      self$tracker$update_state(nrow(data[[1]]))
      self$get_metrics_result()
    }
  )
  expect_equal(trained(model)[[1]]$rows, c(4, 4))
})

test_that("compute_loss() alone runs in the plan", {
  calls <- 0
  model <- linear(compute_loss = function(x = NULL, y = NULL, y_pred = NULL, sample_weight = NULL, training = TRUE) {
    calls <<- calls + 1
    2 * super$compute_loss(x, y, y_pred, sample_weight, training)
  })
  history <- trained(model)[[1]]
  expect_lt(calls, 4)
  other <- linear()
  other |> compile(optimizer_adam(0.1), loss = function(y_true, y_pred) 2 * loss_mean_squared_error(y_true, y_pred))
  first <- fit(other, x[1:5, ], y[1:5])$metrics$loss
  again <- linear(compute_loss = function(x = NULL, y = NULL, y_pred = NULL, sample_weight = NULL, training = TRUE) {
    op_mean(op_square(y - op_squeeze(y_pred, axis = 2))) * 2
  })
  again |> compile(optimizer_adam(0.1), metrics = "mae")
  found <- fit(again, x[1:5, ], y[1:5])$metrics
  expect_named(found, c("loss", "mae"))
  expect_equal(found$loss, first - 0.01 * 2, tolerance = 1e-5)
})

test_that("a loss of the inputs alone needs no targets", {
  model <- linear(compute_loss = function(x = NULL, y = NULL, y_pred = NULL, sample_weight = NULL, training = TRUE) {
    op_mean(op_square(x))
  })
  model |> compile("sgd")
  expect_equal(fit(model, x)$metrics$loss, mean(x^2), tolerance = 1e-6)
  expect_equal(evaluate(model, x)$loss, mean(x^2), tolerance = 1e-6)
})

test_that("compute_metrics() adds its own values", {
  model <- linear(compute_metrics = function(x, y, y_pred, sample_weight = NULL) {
    values <- super$compute_metrics(x, y, y_pred, sample_weight)
    values$largest <- op_max(y_pred)
    values
  })
  found <- trained(model)
  expect_equal(found[[1]][c("loss", "mae")], plain()[[1]], tolerance = 1e-6)
  expect_equal(found[[2]], plain()[[2]], tolerance = 1e-6)
  expect_length(found[[1]]$largest, 2)
})

test_that("predict_step() may return any structure", {
  model <- linear(predict_step = function(data) {
    y_pred <- self(data[[1]])
    list(value = y_pred, positive = y_pred > 0)
  })
  found <- predict(model, x, batch_size = 5)
  expect_named(found, c("value", "positive"))
  expect_equal(found$value, as.array(model(x)), tolerance = 1e-6)
  expect_equal(found$positive == 1, found$value > 0)
  expect_equal(predict_on_batch(model, x), found, tolerance = 1e-6)
})

test_that("a class may be compiled with other things", {
  model <- linear(
    compile = function(rate, ...) {
      super$compile(...)
      self$rate <- rate
    },
    train_step = function(data) list(rate = self$rate)
  )
  expect_s3_class(compile(model, rate = 0.5, loss = "mse"), "birnn_model")
  expect_equal(fit(model, x, y)$metrics$rate, 0.5)
  model$compile(rate = 0.25)
  expect_equal(fit(model, x, y)$metrics$rate, 0.25)
})

test_that("two networks against each other train by their own steps", {
  set.seed(1)
  new_gan <- Model("Gan",
    initialize = function(...) {
      super$initialize(...)
      self$generator <- keras_model_sequential(input_shape = 2) |> layer_dense(4, activation = "tanh") |> layer_dense(1)
      self$critic <- keras_model_sequential(input_shape = 1) |> layer_dense(4, activation = "tanh") |>
        layer_dense(1, activation = "sigmoid")
    },
    compile = function(g_optimizer, d_optimizer, loss_fn, ...) {
      super$compile(...)
      self$g_optimizer <- g_optimizer
      self$d_optimizer <- d_optimizer
      self$loss_fn <- loss_fn
    },
    train_step = function(data) {
      real <- data[[1]]
      n <- nrow(real)
      noise <- random_normal(c(n, 2))
      both <- op_concatenate(list(self$generator(noise), real), axis = 1)
      labels <- matrix(rep(c(1, 0), each = n))
      with(GradientTape() %as% tape, d_loss <- self$loss_fn(labels, self$critic(both)))
      self$d_optimizer$apply(tape$gradient(d_loss, self$critic$trainable_weights), self$critic$trainable_weights)
      with(GradientTape() %as% tape, {
        g_loss <- self$loss_fn(matrix(0, n, 1), self$critic(self$generator(random_normal(c(n, 2)))))
      })
      self$g_optimizer$apply(tape$gradient(g_loss, self$generator$trainable_weights), self$generator$trainable_weights)
      list(d_loss = d_loss, g_loss = g_loss)
    }
  )
  gan <- new_gan()
  gan |> compile(g_optimizer = optimizer_adam(0.01), d_optimizer = optimizer_adam(0.01),
                 loss_fn = loss_binary_crossentropy())
  before <- get_weights(gan$generator)
  history <- fit(gan, matrix(rnorm(32, 3)), epochs = 2, batch_size = 8)
  expect_named(history$metrics, c("d_loss", "g_loss"))
  expect_false(identical(get_weights(gan$generator), before))
})

test_that("a step that returns something else is refused", {
  model <- linear(train_step = function(data) 3)
  model |> compile("sgd", loss = "mse")
  expect_refused(fit(model, x, y), "type", list(model))
})
