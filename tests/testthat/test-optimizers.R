# Optimizers: updates as Keras does them, slots, arguments, look-up.

gradient_steps <- list(c(0.1, -0.2, 0.3), c(0.3, 0.1, -5), c(0, 1, 0.2))

# Weights (1, -2, 3) after the three gradients above.
weights_after <- function(optimizer, steps = gradient_steps) {
  w <- keras_variable(c(1, -2, 3), name = "w")
  for (gradient in steps) optimizer$apply(list(as_tensor(gradient)), list(w))
  as.numeric(w)
}

# Printed by Keras, to six decimals.
keras_updates <- list(
  list(quote(optimizer_sgd(0.1)), c(0.96, -2.09, 3.45)),
  list(quote(optimizer_sgd(0.1, momentum = 0.9)), c(0.9159, -2.0648, 3.8487)),
  list(quote(optimizer_sgd(0.1, momentum = 0.9, nesterov = TRUE)), c(0.88431, -2.14832, 4.21383)),
  list(quote(optimizer_rmsprop(0.01)), c(0.938228, -2.014109, 2.998619)),
  list(quote(optimizer_rmsprop(0.01, momentum = 0.5, centered = TRUE)), c(0.892510, -1.996293, 2.989908)),
  list(quote(optimizer_adam(0.01)), c(0.973728, -1.993123, 3.0022)),
  list(quote(optimizer_adam(0.01, amsgrad = TRUE)), c(0.973732, -1.993123, 3.0022)),
  list(quote(optimizer_adam_w(0.01)), c(0.97361, -1.992883, 3.00184)),
  list(quote(optimizer_adagrad(0.1)), c(0.902767, -2.065618, 3.026816)),
  list(quote(optimizer_adadelta(1)), c(0.996684, -2.001626, 3.000467)),
  list(quote(optimizer_nadam(0.01)), c(0.978393, -2.00366, 2.99991)),
  list(quote(optimizer_adamax(0.01)), c(0.978836, -1.991317, 2.997976)),
  list(quote(optimizer_lion(0.01)), c(0.97, -2.01, 3.01)),
  list(quote(optimizer_sgd(0.1, weight_decay = 0.1)), c(0.930798, -2.030896, 3.356494)),
  list(quote(optimizer_sgd(0.1, clipnorm = 1)), c(0.984012, -2.080054, 3.050189)),
  list(quote(optimizer_sgd(0.1, global_clipnorm = 1)), c(0.984012, -2.080054, 3.050189)),
  list(quote(optimizer_sgd(0.1, clipvalue = 0.15)), c(0.975, -2.01, 2.985)),
  list(quote(optimizer_sgd(0.1, use_ema = TRUE, ema_momentum = 0.9, ema_overwrite_frequency = 2)), c(0.987, -2.081, 3)),
  list(quote(optimizer_sgd(0.1, gradient_accumulation_steps = 2)), c(0.98, -1.995, 3.235))
)

for (floatx in both_floatx) {
  test_that(paste("updates are those of Keras in", floatx), {
    with_floatx(floatx, {
      for (case in keras_updates) {
        expect_close(weights_after(eval(case[[1]])), case[[2]], 2e-6, deparse(case[[1]]))
      }
    })
  })
}

test_that("slots come in Keras' order", {
  a <- keras_variable(1, name = "a")
  b <- keras_variable(1, name = "b")
  names_of <- function(optimizer) {
    optimizer$build(list(a, b))
    vapply(optimizer$variables, function(v) v$name, "")
  }
  expect_identical(names_of(optimizer_sgd()), c("iteration", "learning_rate"))
  expect_identical(
    names_of(optimizer_adam(amsgrad = TRUE)),
    c("iteration", "learning_rate", "a_momentum", "a_velocity", "b_momentum", "b_velocity", "a_velocity_hat",
      "b_velocity_hat")
  )
  expect_identical(
    names_of(optimizer_rmsprop(momentum = 0.5, centered = TRUE, use_ema = TRUE, gradient_accumulation_steps = 2)),
    c("iteration", "learning_rate", "a_average", "b_average", "a_gradient_accumulator", "b_gradient_accumulator",
      "a_velocity", "b_velocity", "a_momentum", "b_momentum", "a_average_gradient", "b_average_gradient")
  )
  expect_identical(names_of(optimizer_nadam())[[7]], "u_product")
})

test_that("slots belong to their weights, also if only some are trained or new ones come", {
  a <- keras_variable(1, name = "a")
  b <- keras_variable(c(1, 2), name = "b")
  optimizer <- optimizer_adam()
  optimizer$build(list(a, b))
  only_b <- optimizer$slots_of(list(b))
  expect_identical(only_b[[1]], optimizer$slots[[2]])
  c <- keras_variable(c(1, 2, 3), name = "c")
  expect_identical(dim(optimizer$slots_of(list(c, a))[[1]]$momentum), 3L)
  expect_length(optimizer$slots, 3L)
})

test_that("the core is told the rule and its numbers, but nothing that is not set", {
  spec <- optimizer_adam(clipnorm = 1)$spec()
  expect_identical(spec$kind, "adam")
  expect_identical(spec$clipnorm, 1)
  expect_false(any(c("name", "learning_rate", "weight_decay", "clipvalue") %in% names(spec)))
  expect_identical(optimizer_adam_w()$spec()$weight_decay, 0.004)
})

test_that("the learning rate can be read and set", {
  optimizer <- optimizer_sgd(0.1)
  expect_equal(as.numeric(optimizer$learning_rate), 0.1, tolerance = 1e-6)
  optimizer$learning_rate <- 0.5
  expect_identical(as.numeric(optimizer$learning_rate), 0.5)
  optimizer$learning_rate$assign(0.25)
  expect_identical(optimizer$get_config()$learning_rate, 0.25)
  expect_error(optimizer$learning_rate <- "fast", class = "birnn_error_value")
  expect_identical(as.numeric(optimizer$iterations), 0)
})

test_that("with use_ema the weights become their averages at the end", {
  w <- keras_variable(0, name = "w")
  optimizer <- optimizer_sgd(1, use_ema = TRUE, ema_momentum = 0.5)
  for (k in 1:2) optimizer$apply(list(as_tensor(-1)), list(w))
  expect_equal(as.numeric(w), 2)
  optimizer$finalize(list(w))
  expect_equal(as.numeric(w), 1.5)
})

test_that("arguments are checked", {
  expect_refused(optimizer_adam(learning_rate = "0.1"), "value")
  expect_refused(optimizer_adam(learning_rate = 0), "value")
  expect_refused(optimizer_adam(learning_rate = -1), "value")
  expect_refused(optimizer_adam(learning_rate = Inf), "value")
  expect_refused(optimizer_adam(learning_rate = 1L), "value")
  expect_refused(optimizer_sgd(momentum = 2), "value")
  expect_refused(optimizer_sgd(clipnorm = 1, clipvalue = 1), "value")
  expect_refused(optimizer_sgd(gradient_accumulation_steps = 1), "value")
  expect_refused(optimizer_sgd(ema_overwrite_frequency = 0), "value")
  expect_refused(optimizer_adam(beta1 = 0.9), "value")
  expect_refused(optimizer_adam_w(weight_decay = NULL), "value")
  expect_refused(optimizer_lion(beta_1 = 0), "value")
  expect_equal(as.numeric(optimizer_adam(lr = 0.5)$learning_rate), 0.5)
})

test_that("an optimizer is found by name in any case, as a function or from its config", {
  for (name in c("adam", "Adam", "ADAM")) expect_identical(get_optimizer(name)$class_name, "Adam")
  expect_identical(get_optimizer(optimizer_sgd)$class_name, "SGD")
  expect_refused(get_optimizer("adamm"), "value")
  expect_refused(get_optimizer(function(x) x), "value")
  for (name in grep("^optimizer_", getNamespaceExports("birnn"), value = TRUE)) {
    config <- serialize_keras_object(getExportedValue("birnn", name)(0.5))
    expect_identical(config$module, "keras.optimizers")
    expect_identical(names(config$config)[c(1, 2, 11)], c("name", "learning_rate", "gradient_accumulation_steps"))
    expect_identical(serialize_keras_object(deserialize_keras_object(config)), config, info = name)
    expect_identical(get_optimizer(config$class_name)$class_name, config$class_name)
  }
})
