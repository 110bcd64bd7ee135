# Learning rate schedules: Keras' values, their place in optimizers, arguments, configs.

schedule_cases <- function() {
  cases <- load_fixture("small-things")
  cases[startsWith(names(cases), "schedule")]
}

for (floatx in both_floatx) {
  test_that(paste("schedules give Keras' rates in", floatx), {
    with_floatx(floatx, {
      cases <- schedule_cases()
      expect_length(cases, 9)
      for (case in cases) {
        schedule <- fixture_call(case)
        rates <- vapply(case$steps, function(step) as.numeric(schedule(step)), 1)
        expect_close(rates, case$values, if (floatx == "float64") 1e-5 else 2e-4, case$name)
        expect_identical(as.numeric(schedule(as_tensor(8L))), as.numeric(schedule(8)))
      }
    })
  })
}

# Printed by Keras for the steps 0, 1, 5, 7, 10, 13, to six decimals.
test_that("restarts and warm-ups are where Keras has them", {
  rates <- function(schedule) vapply(c(0, 1, 5, 7, 10, 13), function(step) as.numeric(schedule(step)), 1)
  expect_equal(rates(learning_rate_schedule_cosine_decay_restarts(0.1, 4)),
               c(0.1, 0.085355, 0.096194, 0.069134, 0.014645, 0.099039), tolerance = 1e-5)
  expect_equal(rates(learning_rate_schedule_cosine_decay(0.01, 10, warmup_target = 0.1, warmup_steps = 4)),
               c(0.01, 0.0325, 0.097553, 0.079389, 0.034549, 0.002447), tolerance = 1e-4)
  expect_equal(rates(learning_rate_schedule_polynomial_decay(0.1, 10, 0.01, cycle = TRUE)),
               c(0.1, 0.091, 0.055, 0.037, 0.01, 0.0415), tolerance = 1e-5)
  # Each restart begins at full height, also where logarithms are rounded.
  for (t in c(1, 1.5, 2, 3)) {
    starts <- cumsum(c(4, 4 * t, 4 * t^2, 4 * t^3))
    schedule <- learning_rate_schedule_cosine_decay_restarts(0.1, 4, t_mul = t)
    expect_equal(vapply(starts, function(step) as.numeric(schedule(step)), 1), rep(0.1, 4), tolerance = 1e-6)
  }
})

# Rates that an optimizer with gradient 1 used at each step.
rates_used <- function(learning_rate, steps = 4, ...) {
  w <- keras_variable(0, name = "w")
  optimizer <- optimizer_sgd(learning_rate, ...)
  values <- 0
  for (k in seq_len(steps)) {
    optimizer$apply(list(as_tensor(1)), list(w))
    values <- c(values, as.numeric(w))
  }
  -diff(values)
}

test_that("an optimizer follows a schedule, a function of nothing, or a function of the step", {
  with_floatx("float64", {
    schedule <- learning_rate_schedule_piecewise_constant_decay(c(1, 2), c(0.3, 0.2, 0.1))
    expect_equal(rates_used(schedule), c(0.3, 0.3, 0.2, 0.1))
    expect_equal(rates_used(function() 0.5), rep(0.5, 4))
    expect_equal(rates_used(function(step) as_tensor(0.1) / (step + 1)), 0.1 / 1:4)
    # With accumulation the schedule counts every call, Keras' iterations.
    expect_equal(rates_used(function(step) step + 1, gradient_accumulation_steps = 2), c(0, 2, 0, 4))
  })
})

test_that("a scheduled rate can be read, but not set", {
  optimizer <- optimizer_adam(learning_rate_schedule_inverse_time_decay(0.2, 1, 1))
  expect_equal(as.numeric(optimizer$learning_rate), 0.2, tolerance = 1e-6)
  optimizer$iteration$assign(3L)
  expect_equal(as.numeric(optimizer$learning_rate), 0.05, tolerance = 1e-6)
  expect_refused(optimizer$learning_rate <- 0.1, "type")
  expect_identical(vapply(optimizer$variables, function(v) v$name, ""), "iteration")

  plain <- optimizer_sgd(0.1)
  plain$learning_rate <- learning_rate_schedule_inverse_time_decay(0.2, 1, 1)
  expect_equal(as.numeric(plain$learning_rate), 0.2, tolerance = 1e-6)
})

test_that("a training with a schedule has the same bits as a plan and eagerly, and as with rates set by hand", {
  x <- matrix(sin(1:24), 8)
  y <- rowSums(x)
  train <- function(learning_rate, ...) {
    clear_session(free_memory = FALSE)
    model <- keras_model_sequential(input_shape = 3) |> layer_dense(1, kernel_initializer = "ones")
    model |> compile(optimizer_sgd(learning_rate), loss = "mse", ...)
    for (k in 1:5) {
      if (is.null(model$optimizer$schedule)) model$optimizer$learning_rate <- 0.1 / (1 + (k - 1))
      train_on_batch(model, x, y)
    }
    get_weights(model)
  }
  schedule <- learning_rate_schedule_inverse_time_decay(0.1, 1, 1)
  planned <- train(schedule)
  expect_same_bits(train(schedule, run_eagerly = TRUE), planned)
  expect_same_bits(train(0.5), planned)
})

test_that("schedules come back from their configs, alone and within optimizers", {
  for (case in schedule_cases()) {
    config <- serialize_keras_object(fixture_call(case))
    expect_identical(config$module, "keras.optimizers.schedules")
    expect_identical(serialize_keras_object(deserialize_keras_object(config)), config)
  }
  config <- serialize_keras_object(optimizer_sgd(learning_rate_schedule_cosine_decay(0.1, 10)))
  expect_identical(config$config$learning_rate$class_name, "CosineDecay")
  optimizer <- deserialize_keras_object(config)
  optimizer$iteration$assign(5L)
  expect_equal(as.numeric(optimizer$learning_rate), 0.05, tolerance = 1e-6)
})

test_that("arguments of schedules are checked", {
  expect_refused(learning_rate_schedule_exponential_decay(0.1, 0, 0.5), "value")
  expect_refused(learning_rate_schedule_cosine_decay("a", 10), "value")
  expect_refused(learning_rate_schedule_piecewise_constant_decay(c(1, 2), c(0.1, 0.2)), "value")
  expect_refused(learning_rate_schedule_cosine_decay_restarts(0.1, 4, t_mul = -1), "value")
  expect_refused(optimizer_sgd("fast"), "value")
  expect_refused(rates_used(function(step) "a"), "value")
  expect_refused(learning_rate_schedule_cosine_decay(0.1, 10)(-1), "value")
})
