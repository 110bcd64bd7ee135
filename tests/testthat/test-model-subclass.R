# Model(): classes of models, their layers, and how data build them. Steps of their own: test-train-subclass.R.

new_pair <- Model("Pair",
  initialize = function(units, ...) {
    super$initialize(...)
    self$memory <- layer_lstm(units = units)
    self$top <- layer_dense(units = 1)
  },
  call = function(inputs, training = FALSE, mask = NULL) inputs |> self$memory(mask = mask) |> self$top()
)

pair_by_layers <- function(units = 3, shape = c(NA, 2)) {
  keras_model_sequential(input_shape = shape) |> layer_lstm(units = units) |> layer_dense(1)
}

x <- array(round(sin(1:48), 3), c(6, 4, 2))
y <- x[, 1, 1]

test_that("a class makes models that are called, built and counted like others", {
  model <- new_pair(units = 3)
  expect_s3_class(model, "birnn_model")
  expect_false(model$built)
  expect_equal(names(formals(new_pair)), c("units", "..."))
  expect_equal(dim(model(x)), c(6, 1))
  expect_true(model$built)
  expect_equal(count_params(model), count_params(pair_by_layers()))
  expect_length(model$layers, 2)
  expect_equal(model$layers[[1]]$name, model$memory$name)
  expect_match(new_pair(2)$name, "^pair")
  expect_equal(new_pair(2, name = "mine")$name, "mine")
})

test_that("fit(), evaluate() and predict() give the bits of the same model made of layers", {
  train <- function(model, ...) {
    if (!model$built) model(x)
    set.seed(2)
    weights <- lapply(get_weights(model), function(w) array(rnorm(length(w)), dim(w) %||% length(w)))
    set_weights(model, weights)
    model |> compile(optimizer_adam(0.05), loss = "mse", metrics = list("mae"), ...)
    history <- fit(model, x, y, epochs = 3, batch_size = 4, validation_split = 0.34)
    list(history$metrics, get_weights(model), evaluate(model, x, y), predict(model, x))
  }
  want <- train(pair_by_layers())
  expect_identical(train(new_pair(3)), want)
  expect_identical(train(new_pair(3), run_eagerly = TRUE), want)
})

test_that("a model that has not been called is built by its first data", {
  model <- new_pair(3)
  model |> compile("sgd", loss = "mse", metrics = "mae")
  history <- fit(model, x, y, epochs = 1)
  expect_named(history$metrics, c("loss", "mae"))
  expect_equal(dim(predict(new_pair(2), x)), c(6, 1))
  expect_equal(dim(predict(new_pair(2), x[0, , ])), c(0, 1))
})

test_that("a summary shows the layers, built or not", {
  clear_session()
  model <- new_pair(3, name = "pair")
  expect_output(summary(model), "unbuilt")
  model(x)
  expect_output(summary(model), "lstm \\(LSTM\\).*Total params: 76")
  expect_output(print(new_pair), "<Model class Pair>\n signature: \\(units, ...\\)")
})

new_two_way <- Model("TwoWay",
  initialize = function(...) {
    super$initialize(...)
    self$blocks <- list(layer_dense(units = 2), layer_dense(units = 1))
  },
  call = function(inputs) {
    both <- inputs$a + inputs$b
    list(left = self$blocks[[1]](both), right = self$blocks[[2]](both))
  }
)

test_that("inputs and outputs keep the names of the lists they come in", {
  model <- new_two_way()
  data <- list(b = matrix(1:6 / 6, 3), a = matrix(6:1 / 6, 3))
  predicted <- predict(model, data)
  expect_named(predicted, c("left", "right"))
  expect_equal(dim(predicted$left), c(3, 2))
  expect_length(model$weights, 4)
  model |> compile("sgd", loss = list(right = "mse", left = "mae"), metrics = list(left = "mse"))
  targets <- list(right = 1:3, left = matrix(0, 3, 2))
  history <- fit(model, data, targets, epochs = 1)
  expect_named(history$metrics, c("left_loss", "left_mse", "loss", "right_loss"))
  expect_equal(history$metrics$loss, history$metrics$left_loss + history$metrics$right_loss, tolerance = 1e-6)
})

test_that("losses of layers and regularizers of weights count", {
  new_penalized <- Model("Penalized",
    initialize = function(...) {
      super$initialize(...)
      self$top <- layer_dense(units = 1, kernel_regularizer = regularizer_l2(0.5), kernel_initializer = "ones")
    },
    call = function(inputs) {
      self$add_loss(op_mean(op_square(inputs)))
      self$top(inputs)
    }
  )
  model <- new_penalized()
  model |> compile("sgd", loss = "mse")
  inputs <- matrix(c(1, 2), 1)
  expect_equal(evaluate(model, inputs, 3)$loss, 2.5 + 0.5 * 2)
})

test_that("a call that looks at numbers runs eagerly", {
  new_looking <- Model("Looking",
    initialize = function(...) {
      super$initialize(...)
      self$top <- layer_dense(units = 1)
    },
    call = function(inputs) if (as.numeric(op_sum(inputs)) > 0) self$top(inputs) else self$top(-inputs)
  )
  model <- new_looking()
  model |> compile("sgd", loss = "mse")
  expect_length(fit(model, matrix(1:4), 1:4, epochs = 2)$metrics$loss, 2)
  expect_equal(predict(model, matrix(-2)), predict(model, matrix(2)))
})

test_that("models are parts of models, and layers and classes inherit", {
  new_outer <- Model("Outer",
    initialize = function(...) {
      super$initialize(...)
      self$inner <- new_pair(2)
    },
    call = function(inputs) op_tanh(self$inner(inputs))
  )
  model <- new_outer()
  expect_equal(as.array(model(x)), tanh(as.array(model$inner(x))), tolerance = 1e-6)
  expect_length(model$weights, 5)
  new_scaled <- Model("Scaled", inherit = new_pair, call = function(inputs) super$call(inputs) * 10)
  scaled <- new_scaled(2)
  expect_equal(as.array(scaled(x)), 10 * as.array(scaled$top(scaled$memory(x))), tolerance = 1e-6)
  input <- keras_input(c(4, 2))
  functional <- keras_model(input, layer_dense(new_pair(2)(input), 3))
  expect_equal(dim(predict(functional, x)), c(6, 3))
})

test_that("freezing a layer takes its weights out of training", {
  model <- new_pair(3)
  model(x)
  model$memory$trainable <- FALSE
  before <- get_weights(model$memory)
  model |> compile(optimizer_sgd(0.1), loss = "mse")
  fit(model, x, y)
  expect_identical(get_weights(model$memory), before)
  expect_length(model$trainable_weights, 2)
})

test_that("wrong definitions are refused", {
  expect_refused(Model("a b"), "value")
  expect_refused(Model("A", train_step = 3), "value")
  expect_refused(Model("A", inherit = layer_dense), "value")
  expect_refused(Layer("A", inherit = new_pair), "type")
  expect_refused(new_pair(), "value")
  empty <- Model("Empty")()
  expect_refused(empty(x), "config")
})

# --- made with inputs and outputs ---------------------------------------------------------------------------------

new_counted <- Model("Counted",
  train_step = function(data) {
    c(x, y) %<-% data
    with(GradientTape() %as% tape, {
      loss <- self$compute_loss(y = y, y_pred = self(x, training = TRUE))
    })
    self$optimizer$apply(tape$gradient(loss, self$trainable_variables), self$trainable_variables)
    list(loss = loss, steps = 1)
  }
)

counted_model <- function(make = new_counted, ...) {
  clear_session()
  input <- keras_input(c(4, 3))
  state <- input |> layer_bidirectional(layer_gru(units = 2))
  make(inputs = input, outputs = layer_dense(state, 1), ...)
}

test_that("a class given inputs and outputs makes a functional model with the steps of the class", {
  model <- counted_model(name = "counted")
  plain <- counted_model(keras_model, name = "counted")
  set_weights(plain, get_weights(model))
  expect_s3_class(model, c("birnn_functional", "birnn_model"), exact = FALSE)
  expect_equal(model$name, "counted")
  expect_equal(lapply(model$layers, `[[`, "name"), lapply(plain$layers, `[[`, "name"))
  expect_equal(utils::capture.output(model), utils::capture.output(plain))
  x <- array(stats::rnorm(24), c(2, 4, 3))
  y <- c(1, -1)
  expect_identical(predict(model, x, verbose = 0), predict(plain, x, verbose = 0))
  for (m in list(model, plain)) compile(m, optimizer_adam(0.1), loss = "mse")
  history <- fit(model, x, y, epochs = 2, shuffle = FALSE, verbose = 0)
  expect_equal(history$metrics$steps, c(1, 1))
  fit(plain, x, y, epochs = 2, shuffle = FALSE, verbose = 0)
  expect_identical(get_weights(model), get_weights(plain))
  expect_identical(as.array(model(x)), predict(model, x, verbose = 0))
})

test_that("such models come back from files, configs and clones as what they are", {
  model <- counted_model()
  compile(model, optimizer_adam(0.1), loss = "mse")
  x <- array(stats::rnorm(24), c(2, 4, 3))
  fit(model, x, c(1, -1), epochs = 1, verbose = 0)
  bytes <- save_model(model)
  expect_error(load_model(bytes), "Counted", class = "birnn_error_config")
  again <- load_model(bytes, custom_objects = list(new_counted))
  expect_identical(get_weights(again), get_weights(model))
  expect_named(fit(again, x, c(1, -1), shuffle = FALSE, verbose = 0)$metrics, c("loss", "steps"))
  fit(model, x, c(1, -1), shuffle = FALSE, verbose = 0)
  expect_identical(get_weights(again), get_weights(model))
  for (copy in list(clone_model(model), from_config(get_config(model)))) {
    expect_identical(class(copy), class(model))
    expect_identical(get_config(copy), get_config(model))
    set_weights(copy, get_weights(model))
    expect_identical(predict(copy, x, verbose = 0), predict(model, x, verbose = 0))
  }
})

test_that("initialize() passes inputs and outputs on; own fields, arguments and layers stay", {
  new_scaled <- Model("Scaled",
    initialize = function(..., factor = 1) {
      super$initialize(...)
      self$factor <- factor
      self$tracker <- metric_mean(name = "loss")
    },
    test_step = function(data) {
      c(x, y) %<-% data
      self$tracker$update_state(self$factor * op_mean(op_square(self(x) - op_reshape(y, c(-1, 1)))))
      list(loss = self$tracker$result())
    },
    get_config = function() c(super$get_config(), list(factor = self$factor)),
    inherit = new_counted
  )
  model <- counted_model(new_scaled, factor = 3)
  compile(model, "sgd", loss = "mse")
  x <- array(stats::rnorm(24), c(2, 4, 3))
  expected <- 3 * mean(predict(model, x, verbose = 0)^2)
  expect_equal(evaluate(model, x, c(0, 0), verbose = 0)$loss, expected, tolerance = 1e-6)
  expect_named(fit(model, x, c(0, 0), epochs = 1, verbose = 0)$metrics, c("loss", "steps"))
  again <- load_model(save_model(model), custom_objects = list(new_scaled))
  expect_equal(again$factor, 3)
  expect_identical(get_weights(again), get_weights(model))
  # Without inputs and outputs the class is an ordinary one.
  expect_error(new_scaled()(x), "no `call()`", fixed = TRUE, class = "birnn_error_config")
})

test_that("the number type int64 of inputs is int32", {
  expect_identical(tensor_dtype(keras_input(3, dtype = "int64")), "int32")
  expect_error(keras_input(3, dtype = "int63"), "int32", class = "ValueError")
})
