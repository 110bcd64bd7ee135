test_that("gradients of variables and watched tensors come out", {
  v <- keras_variable(3)
  step <- with_gradient_tape(op_multiply(op_square(v), watched[[1]]), watch = list(2))
  grads <- tape_gradients(step$tape, step$value, list(v, step$watched[[1]], keras_variable(1)))
  expect_identical(as.numeric(grads[[1]]), 12)
  expect_identical(as.numeric(grads[[2]]), 9)
  expect_null(grads[[3]])
})

test_that("a value used several times, also by one op, gathers all its gradients", {
  v <- keras_variable(c(1, 2, 3), dtype = "float64")
  step <- with_gradient_tape(op_sum(op_add(op_multiply(v, v), op_multiply(3, v))))
  expect_equal(as.numeric(tape_gradients(step$tape, step$value, list(v))[[1]]), 2 * c(1, 2, 3) + 3)
})

test_that("variables that are not trainable are not followed", {
  v <- keras_variable(3, trainable = FALSE)
  step <- with_gradient_tape(op_square(v))
  expect_null(tape_gradients(step$tape, step$value, list(v))[[1]])
})

test_that("going back through a changed variable is an error", {
  v <- keras_variable(3)
  step <- with_gradient_tape(op_square(v))
  v$assign(4)
  expect_error(tape_gradients(step$tape, step$value, list(v)), class = "birnn_error_state")
})

test_that("a freed tape says so", {
  v <- keras_variable(3)
  step <- with_gradient_tape(op_square(v))
  tape_free(step$tape)
  expect_error(tape_gradients(step$tape, step$value, list(v)), class = "birnn_error_stale")
})

test_that("nothing is recorded without a tape, and tensors of another tape are constants", {
  v <- keras_variable(3)
  first <- with_gradient_tape(op_square(v))
  second <- with_gradient_tape(op_add(first$value, v))
  expect_identical(as.numeric(tape_gradients(second$tape, second$value, list(v))[[1]]), 1)
  expect_identical(unname(r_tape_size(second$tape)[["ops"]]), 1)
})

test_that("a long chain of ops is followed and freed without recursion", {
  v <- keras_variable(0)
  step <- with_gradient_tape({
    x <- op_add(v, 0)
    for (k in seq_len(20000)) x <- op_add(x, 1)
    x
  })
  expect_identical(as.numeric(tape_gradients(step$tape, step$value, list(v))[[1]]), 1)
  tape_free(step$tape)
})
