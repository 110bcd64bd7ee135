# Random tensors: reproducible, distributed as they should be, counted by generators.

test_that("the same seed gives the same numbers, whatever the type of call", {
  expect_identical(as.array(random_normal(c(2, 3), seed = 1)), as.array(random_normal(c(2, 3), seed = 1)))
  expect_false(identical(as.array(random_normal(3, seed = 1)), as.array(random_normal(3, seed = 2))))
  set.seed(1)
  first <- as.array(random_uniform(3))
  expect_false(identical(as.array(random_uniform(3)), first))
  set.seed(1)
  expect_identical(as.array(random_uniform(3)), first)
  set_random_seed(1)
  expect_identical(as.array(random_uniform(3)), first)
})

test_that("distributions have their moments and ranges", {
  moments <- function(x) c(mean(as.array(x)), stats::sd(as.array(x)))
  expect_equal(moments(random_normal(20000, 1, 2, seed = 1)), c(1, 2), tolerance = 0.03)
  expect_equal(moments(random_uniform(20000, 2, 4, seed = 1)), c(3, 2 / sqrt(12)), tolerance = 0.03)
  truncated <- random_truncated_normal(20000, 0, 1, seed = 1)
  expect_true(all(abs(as.array(truncated)) <= 2))
  whole <- as.array(random_integer(20000, 0, 4, seed = 1))
  expect_identical(sort(unique(as.vector(whole))), 0:3)
  expect_equal(as.vector(table(whole)) / 20000, rep(0.25, 4), tolerance = 0.05)
})

test_that("a generator moves on, and its whole sequence depends on the seed", {
  generator <- random_seed_generator(seed = 5)
  draws <- lapply(1:3, function(k) as.array(random_uniform(4, seed = generator)))
  expect_length(unique(draws), 3L)
  again <- random_seed_generator(seed = 5)
  expect_identical(lapply(1:3, function(k) as.array(random_uniform(4, seed = again))), draws)
  expect_identical(as.array(generator$state), array(c(5L, 3L)))
  expect_identical(generator$get_config(), list(seed = 5L))
  expect_refused(random_seed_generator(seed = "a"), "value")
  expect_refused(random_seed_generator(sed = 1), "value")
})

test_that("a generator moves on by steps that run, in plans as well", {
  results <- lapply(c(TRUE, FALSE), function(eager) {
    generator <- new_seed_generator(3)
    step <- new_step(function(inputs) {
      list(outputs = list(random_dropout(inputs[[1]], 0.5, seed = generator)), loss = NULL)
    }, eager = eager)
    runs <- lapply(1:3, function(k) as.array(run_step(step, list(as_tensor(matrix(1, 4, 5))))$outputs[[1]]))
    list(runs, as.array(generator$state))
  })
  expect_identical(results[[1]], results[[2]])
  expect_length(unique(results[[1]][[1]]), 3L)
  expect_identical(results[[1]][[2]], array(c(3L, 3L)))
})

test_that("draws without a seed differ from step to step of a plan", {
  step <- new_step(function(inputs) list(outputs = list(random_uniform(3) + op_sum(inputs[[1]])), loss = NULL))
  runs <- lapply(1:3, function(k) as.array(run_step(step, list(op_zeros(c(2, 2))))$outputs[[1]]))
  expect_false(step$eager)
  expect_length(unique(runs), 3L)
})

test_that("dropout keeps the mean, and shares decisions along axes of size one", {
  x <- array(1, c(50, 40, 10))
  dropped <- as.array(random_dropout(x, 0.3, seed = 1))
  expect_equal(mean(dropped), 1, tolerance = 0.02)
  expect_equal(sort(unique(as.vector(dropped))), c(0, 1 / 0.7), tolerance = 1e-6)
  shared <- as.array(random_dropout(x, 0.3, noise_shape = c(NA, 1, NA), seed = 1))
  expect_identical(shared, shared[, rep(1, 40), ])
  expect_identical(as.array(random_dropout(c(1, 2), 1, seed = 1)), array(c(0, 0)))
  expect_identical(as.array(random_dropout(c(1, 2), 0, seed = 1)), array(c(1, 2)))
  expect_refused(random_dropout(x, 1.5), "value")
  expect_refused(random_dropout(x, 0.5, noise_shape = 3), "shape")
})
