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

# --- criteria for layers of one's own -------------------------------------------------------------------------------

# A running mean of the steps, as a user would write it.
mean_call <- function(sequences) {
  steps <- if (self$go_backwards) op_flip(sequences, axis = 2) else sequences
  counts <- op_reshape(op_cast(op_arange(1, dim(steps)[[2]]), self$dtype), c(1, -1, 1))
  last <- op_mean(steps, axis = 2)
  output <- if (self$return_sequences) op_cumsum(steps, axis = 2) / counts else last
  if (self$return_state) list(output, last) else output
}

# `without`: fields the class lacks; `extra`: fields it has besides; `...`: methods.
running_mean <- function(without = character(), ..., extra = list(), call = mean_call) {
  Layer("RunningMean",
    initialize = function(units = 2, return_sequences = FALSE, return_state = FALSE, go_backwards = FALSE, ...) {
      super$initialize(...)
      self$units <- units
      for (field in setdiff(c("return_sequences", "return_state", "go_backwards"), without)) {
        self[[field]] <- get(field)
      }
      for (field in names(extra)) self[[field]] <- extra[[field]]
    },
    call = call,
    ...
  )
}

test_that("each criterion that a layer of one's own lacks is named", {
  for (lacking in c("go_backwards", "return_sequences", "return_state")) {
    layer_mean <- running_mean(without = lacking)
    expect_refused(layer_bidirectional(layer = layer_mean(name = "mean")), "config")
  }
  both <- running_mean(without = c("return_sequences", "return_state"))
  expect_refused(
    layer_bidirectional(layer = layer_gru(units = 2), backward_layer = both(go_backwards = TRUE, name = "mean")), "config"
  )
  layer_mean <- running_mean()
  expect_refused(layer_bidirectional(layer = layer_mean(go_backwards = "no", name = "mean")), "config")
  layer_mean <- running_mean(extra = list(input_spec = "3 axes"))
  expect_refused(layer_bidirectional(layer = layer_mean(name = "mean")), "config")
  layer <- running_mean()(name = "mean")
  rm("input_spec", envir = layer_object(layer))
  expect_refused(layer_bidirectional(layer = layer), "config")
})

test_that("a config that does not keep every argument is refused, naming what is lost", {
  loses <- running_mean(get_config = function() {
    config <- super$get_config()
    config$return_sequences <- self$return_sequences
    config
  })
  expect_refused(layer_bidirectional(layer = loses(units = 3, name = "mean")), "config")
  # Nothing is lost where the default is meant.
  expect_length(layer_bidirectional(layer = loses(return_sequences = TRUE))$sublayers(), 2)

  no_config <- running_mean(get_config = function() stop("not written yet"))
  expect_refused(layer_bidirectional(layer = no_config(name = "mean")), "config")
  odd_config <- running_mean(get_config = function() 3)
  expect_refused(layer_bidirectional(layer = odd_config(name = "mean")), "config")
  no_clone <- running_mean(from_config = function(config) stop("not written yet"))
  expect_refused(layer_bidirectional(layer = no_clone(name = "mean")), "config")
  other_class <- running_mean(from_config = function(config) layer_dense(units = 2))
  expect_refused(layer_bidirectional(layer = other_class(name = "mean")), "config")
  no_layer <- running_mean(from_config = function(config) config)
  expect_refused(layer_bidirectional(layer = no_layer(name = "mean")), "config")
  forgets <- running_mean(from_config = function(cls, config) cls(name = config$name))
  expect_refused(layer_bidirectional(layer = forgets(return_sequences = TRUE, name = "mean")), "config")
  ahead_only <- Layer("AheadOnly",
    initialize = function() {
      super$initialize()
      self$go_backwards <- self$return_sequences <- self$return_state <- FALSE
    },
    call = function(inputs) inputs
  )
  expect_refused(layer_bidirectional(layer = ahead_only()), "config")
  expect_identical(lapply(list(no_clone(), ahead_only()), function(layer) layer$built), list(FALSE, FALSE))
})

test_that("what comes back from a layer of one's own must be what it promises", {
  says <- function(call) {
    layer_says <- running_mean(call = call)
    function(...) layer_says(name = "mean", ...)
  }
  one <- says(function(inputs) op_sum(inputs, axis = 2))
  expect_refused(layer_bidirectional(layer = one(return_state = TRUE))(x), "config")
  expect_refused(layer_bidirectional(layer = one(return_sequences = TRUE))(x), "shape")
  two <- says(function(inputs) list(inputs, inputs))
  expect_refused(layer_bidirectional(layer = two())(x), "config")
  flat <- says(function(inputs) op_sum(inputs, axis = c(2, 3)))
  expect_refused(layer_bidirectional(layer = flat())(x), "shape")
  unequal <- layer_bidirectional(
    layer = running_mean()(name = "mean"), backward_layer = layer_gru(units = 2, go_backwards = TRUE, name = "gru"),
    merge_mode = "sum"
  )
  expect_refused(unequal(x), "config")
  mean_layer <- running_mean()
  expect_refused(layer_bidirectional(layer = mean_layer(name = "mean"), name = "both")(x[, 1, ]), "shape")
  expect_refused(layer_bidirectional(layer = mean_layer(name = "mean"))(x, initial_state = list(1, 1)), "value")
  expect_refused(layer_bidirectional(layer = mean_layer(name = "mean"), name = "both")(x, mask = mask[, 1:3]), "mask")
})
