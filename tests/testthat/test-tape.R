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
  expect_identical(unname(r_tape_size(second$tape$pointer)[["ops"]]), 1)
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

test_that("GradientTape() records where it stands, and gives gradients in the structure asked for", {
  v <- keras_variable(3)
  w <- keras_variable(2)
  with(GradientTape() %as% tape, {
    square <- op_square(v)
    product <- square * w
  })
  expect_identical(as.numeric(product), 18)
  expect_identical(as.numeric(tape$gradient(product, v)), 12)
  grads <- tape$gradient(product, list(a = v, b = list(w, v)))
  expect_identical(lapply(grads, function(g) unlist(lapply(flatten_structure(g), as.numeric))),
                   list(a = 12, b = c(9, 12)))
  expect_identical(as.numeric(tape$gradient(square, v)), 6)
  expect_null(tape$gradient(square, w))
  expect_output(print(tape), "<GradientTape>")
})

test_that("a tape records several blocks, watches tensors, and can be given by name or not", {
  tape <- GradientTape()
  x <- tape$watch(as_tensor(2))
  with(tape, y <- op_square(x))
  z <- op_square(y)
  with(tape, u <- y * 5)
  expect_identical(as.numeric(tape$gradient(u, x)), 20)
  expect_null(tape$gradient(z, x))
})

test_that("a training loop by hand is fit(run_eagerly = TRUE)", {
  x <- array(round(sin(1:24), 3), c(4, 3, 2))
  y <- matrix(c(1, 0, -1, 0.5))
  new_model <- function() {
    set.seed(1)
    keras_model_sequential(input_shape = c(3, 2)) |> layer_lstm(units = 3) |> layer_dense(1)
  }
  by_hand <- new_model()
  optimizer <- optimizer_adam(0.1)
  loss_fn <- loss_mean_squared_error()
  for (step in 1:3) {
    with(GradientTape() %as% tape, loss <- loss_fn(y, by_hand(x, training = TRUE)))
    variables <- by_hand$trainable_weights
    optimizer$apply_gradients(Map(list, tape$gradient(loss, variables), variables))
  }
  fitted <- new_model()
  fitted |> compile(optimizer_adam(0.1), loss = "mse")
  fit(fitted, x, y, epochs = 3, shuffle = FALSE)
  expect_identical(get_weights(by_hand), get_weights(fitted))
})

test_that("gradients are asked for by variables and watched tensors only, one or several", {
  v <- keras_variable(c(1, 2))
  step <- with_gradient_tape(op_sum(v * v))
  expect_equal(lapply(tape_gradients(step$tape, step$value, v), as.numeric), list(c(2, 4)))
  expect_equal(as.numeric(step$tape$gradient(step$value, v)), c(2, 4))
  expect_null(step$tape$gradient(as_tensor(3), v))
  expect_null(step$tape$gradient(step$value, as_tensor(3)))
  expect_refused(tape_gradients(step$tape, step$value, 3), "state")
  expect_refused(step$tape$gradient(step$value, list(v, NULL, "v")), "state")
  expect_refused(tape_gradients(step$tape, 3, v), "state")
})
