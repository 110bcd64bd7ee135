# What may be a direction of a bidirectional layer: layers of your own that meet the criteria.

# A recurrent layer that inherits nothing from the built-in ones: a running sum of dense outputs.
RunningSum <- R6::R6Class("RunningSum",
  inherit = BaseLayer, lock_objects = FALSE,
  public = list(
    arguments = list(units = arg_units, go_backwards = arg_flag, return_sequences = arg_flag, return_state = arg_flag),
    initialize = function(..., .call = NULL) super$initialize(..., .call = .call),
    from_config = function(config) do.call(RunningSum$new, config_arguments(full_table(self$arguments), config))$handle,
    build = function(input_shape) {
      self$kernel <- self$add_weight(c(input_shape[[3]], self$units), name = "kernel")
    },
    call = function(sequences, initial_state = NULL) {
      steps <- op_matmul(sequences, self$kernel)
      if (self$go_backwards) steps <- op_flip(steps, axis = 2L)
      sums <- op_cumsum(steps, axis = 2L)
      if (!is.null(initial_state)) sums <- op_add(sums, op_expand_dims(initial_state[[1]], 2L))
      last <- op_sum(steps, axis = 2L)
      if (!is.null(initial_state)) last <- op_add(last, initial_state[[1]])
      output <- if (self$return_sequences) sums else last
      if (self$return_state) list(output, last) else output
    }
  )
)

running_sum <- function(units, go_backwards = FALSE, return_sequences = FALSE, return_state = FALSE, ...) {
  RunningSum$new(units = units, go_backwards = go_backwards, return_sequences = return_sequences,
                 return_state = return_state, ...)$handle
}

x <- array(cos(1:30), c(2, 5, 3))
mask <- rbind(c(TRUE, TRUE, TRUE, FALSE, FALSE), TRUE)

test_that("a layer of your own is cloned, called in both directions and merged", {
  layer <- layer_bidirectional(layer = running_sum(2, return_sequences = TRUE), merge_mode = "sum")
  expect_equal(layer$forward_layer$name, paste0("forward_", sub("backward_", "", layer$backward_layer$name)))
  y <- as.array(layer(x))
  kernels <- get_weights(layer)
  step <- function(k, t) x[1, t, ] %*% kernels[[k]]
  expected <- step(1, 1) + step(1, 2) + step(2, 2) + step(2, 3) + step(2, 4) + step(2, 5)
  expect_equal(y[1, 2, ], as.vector(expected), tolerance = 1e-5)
})

test_that("masked steps are set to zero for a layer that does not do it", {
  layer <- layer_bidirectional(layer = running_sum(2, return_sequences = TRUE))
  y <- as.array(layer(x, mask = mask))
  expect_true(all(y[1, 4:5, ] == 0))
  expect_true(all(y[2, , ] != 0))
})

test_that("states and mixed directions work", {
  layer <- layer_bidirectional(
    layer = running_sum(2, return_state = TRUE),
    backward_layer = layer_gru(units = 3, return_state = TRUE, go_backwards = TRUE)
  )
  outputs <- layer(x)
  expect_equal(lapply(outputs, dim), list(c(2L, 5L), c(2L, 2L), c(2L, 3L)))
  both <- layer_bidirectional(layer = running_sum(2, return_state = TRUE))
  started <- both(x, initial_state = list(matrix(1, 2, 2), matrix(2, 2, 2)))
  expect_equal(as.array(started[[3]]) - as.array(both(x)[[3]]), matrix(2, 2, 2), tolerance = 1e-5)
  expect_error(both(x, initial_state = list(matrix(1, 2, 2))), class = "birnn_error_state")
})

test_that("the gradient goes through layers of your own", {
  with_floatx("float64", {
    layer <- layer_bidirectional(layer = running_sum(2, return_sequences = TRUE), merge_mode = "mul")
    layer(x)
    loss <- function(inputs) fixture_loss(list(layer(inputs[[1]], mask = mask)))
    expect_gradients(loss, list(x), layer$trainable_weights)
  })
})

test_that("a layer without a criterion is refused, naming it", {
  Lacking <- R6::R6Class("Lacking", inherit = BaseLayer, lock_objects = FALSE, public = list(
    go_backwards = FALSE, return_sequences = FALSE
  ))
  expect_error(layer_bidirectional(layer = Lacking$new()$handle), "return_state", class = "birnn_error_config")
})

test_that("checks come in the order of Keras, before anything is made", {
  clear_session(free_memory = FALSE)
  forward <- function(...) layer_gru(units = 1, name = "gru", ...)
  refused <- function(message, ...) expect_error(layer_bidirectional(...), message, class = "ValueError")
  refused("`layer` must be", layer = 1, backward_layer = 2, merge_mode = "x")
  refused("`backward_layer` must be", layer = forward(), backward_layer = 2, merge_mode = "x")
  refused("merge_mode", layer = forward(go_backwards = TRUE), merge_mode = "x")
  refused("go_backwards", layer = forward(go_backwards = TRUE), weights = 1)
  expect_equal(layer_bidirectional(layer = forward())$name, "bidirectional")
})
