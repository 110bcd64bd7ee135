# clone_model(): the same architecture anew; what may be exchanged on the way.

config_of <- function(layer) layer$get_config()

# The same names and configs of all layers, other objects, other weights; with the same weights the same results.
expect_clone <- function(clone, model, ...) {
  expect_identical(class(clone), class(model))
  expect_equal(clone$name, model$name)
  expect_equal(lapply(clone$layers, config_of), lapply(model$layers, config_of))
  expect_false(any(unlist(Map(identical, clone$layers, model$layers))))
  expect_false(clone$compiled)
  expect_equal(lapply(get_weights(clone), dim), lapply(get_weights(model), dim))
  expect_false(same_bits(get_weights(clone), get_weights(model)))
  before <- get_weights(model)
  set_weights(clone, get_weights(model))
  expect_same_bits(clone(...), model(...), "a clone with the same weights")
  set_weights(clone, lapply(before, `*`, 0))
  expect_same_bits(get_weights(model), before, "the model after its clone was changed")
}

chain <- function(...) {
  keras_model_sequential(..., name = "chain") |>
    layer_masking(mask_value = -1) |>
    layer_bidirectional(layer_lstm(units = 3, dropout = 0.2, return_sequences = TRUE), merge_mode = "sum") |>
    layer_gru(units = 2, kernel_regularizer = regularizer_l2(0.5), name = "last") |>
    layer_dense(1, trainable = FALSE)
}

# Two inputs, a layer used twice, states, an op between layers, a model inside.
graph <- function() {
  x <- keras_input(c(NA, 4), name = "x")
  z <- keras_input(4, name = "z")
  memory <- layer_gru(units = 3, return_state = TRUE, name = "memory")
  first <- memory(x)
  second <- memory(x, initial_state = first[[2]])
  inside <- keras_model_sequential(input_shape = 3, name = "inside") |> layer_dense(2, name = "inner")
  y <- op_add(inside(second[[1]]), layer_dense(z, 2))
  keras_model(list(x = x, z = z), list(a = y, b = layer_dense(first[[1]], 1)), name = "graph")
}

x <- array(sin(1:24), c(2, 3, 4))

test_that("sequential models are cloned, built or not, trained or not", {
  set.seed(1)
  model <- chain(input_shape = c(3, 4))
  compile(model, "sgd", loss = "mse")
  fit(model, x, c(0, 1), verbose = 0)
  expect_clone(clone_model(model), model, x)
  expect_equal(clone_model(model)$input_shape, c(NA, 3L, 4L))
  unbuilt <- chain()
  clone <- clone_model(unbuilt)
  expect_false(clone$built)
  unbuilt(x)
  clone(x)
  expect_clone(clone_model(unbuilt), unbuilt, x)
  # A length that only the first data had binds neither of the two.
  expect_equal(dim(predict(clone_model(unbuilt), array(0, c(2, 7, 4)), verbose = 0)), c(2, 1))
})

test_that("functional models are cloned with shared layers, states, ops and models inside", {
  set.seed(2)
  model <- graph()
  clone <- clone_model(model)
  expect_clone(clone, model, list(x, matrix(1:8 / 8, 2)))
  expect_equal(names(predict(clone, list(x = x, z = matrix(0, 2, 4)), verbose = 0)), c("a", "b"))
  inner <- list(get_layer(model, "inside"), get_layer(clone, "inside"))
  expect_false(identical(inner[[1]]$layers[[1]], inner[[2]]$layers[[1]]))
  compile(clone, "sgd", loss = "mse")
  expect_true(is.finite(train_on_batch(clone, list(x, matrix(0, 2, 4)), list(matrix(0, 2, 2), matrix(0, 2, 1)))$loss))
})

test_that("classes of layers and models of users are cloned", {
  Twice <- Layer("Twice", initialize = function(units, ...) {
    super$initialize(...)
    self$inner <- layer_dense(units = units)
    self$units <- units
  }, call = function(inputs) op_multiply(self$inner(inputs), 2))
  model <- keras_model_sequential(input_shape = 4) |> Twice(units = 3)
  expect_clone(clone_model(model), model, matrix(1, 2, 4))
  Net <- Model("Net", initialize = function(units, ...) {
    super$initialize(...)
    self$top <- layer_dense(units = units)
    self$units <- units
  }, call = function(inputs) self$top(inputs))
  net <- Net(units = 3)
  net(matrix(1, 2, 4))
  clone <- clone_model(net)
  expect_equal(dim(clone(matrix(1, 2, 4))), c(2L, 3L))
  expect_refused(clone_model(net, clone_function = identity), "config")
})

test_that("clone_function exchanges layers, call_function calls, recursive reaches models inside", {
  model <- graph()
  seen <- character()
  wider <- function(layer) {
    seen <<- c(seen, layer$name)
    if (layer$name == "inner") return(layer_dense(units = 2, activation = "tanh", name = "inner"))
    if (inherits(layer, "birnn_model")) clone_model(layer) else deserialize_keras_object(serialize_keras_object(layer))
  }
  clone <- clone_model(model, clone_function = wider)
  expect_setequal(seen, c("memory", "inside", setdiff(vapply(model$layers, function(l) l$name, ""), c("x", "z"))))
  expect_equal(sum(seen == "memory"), 1)
  clone <- clone_model(model, clone_function = wider, recursive = TRUE)
  expect_true("inner" %in% seen)
  expect_equal(get_layer(get_layer(clone, "inside"), "inner")$get_config()$activation, "tanh")
  called <- character()
  clone_model(model, recursive = TRUE, call_function = function(layer, ...) {
    called <<- c(called, layer$name)
    layer(...)
  })
  expect_equal(sum(called == "memory"), 2)
  shared <- clone_model(model, clone_function = identity)
  expect_true(identical(get_layer(shared, "memory"), get_layer(model, "memory")))
})

test_that("input_tensors are what the clone starts at", {
  model <- chain(input_shape = c(3, 4))
  longer <- clone_model(model, input_tensors = keras_input(c(8, 4), name = "other"))
  expect_equal(longer$input_shape, c(NA, 8L, 4L))
  graph_model <- graph()
  tensors <- list(keras_input(c(5, 4), batch_size = 2), keras_input(4, batch_size = 2))
  clone <- clone_model(graph_model, input_tensors = tensors)
  expect_equal(clone$input_shape, list(x = c(2L, 5L, 4L), z = c(2L, 4L)))
  expect_clone(clone_model(graph_model), graph_model, list(x, matrix(0, 2, 4)))
})

test_that("what clone_model() cannot do is refused", {
  clear_session(free_memory = FALSE)
  model <- graph()
  sequential <- chain(input_shape = c(3, 4))
  expect_refused(clone_model(layer_dense(units = 1)), "value")
  expect_refused(clone_model(model, clone_function = "dense"), "value", list(model))
  expect_refused(clone_model(model, clone_function = function(layer) 1), "value", list(model))
  expect_refused(clone_model(model, call_function = function(layer, ...) NULL), "config", list(model))
  expect_refused(clone_model(sequential, call_function = function(layer, ...) layer(...)), "config")
  expect_refused(clone_model(model, input_tensors = keras_input(4)), "value", list(model))
  expect_refused(clone_model(model, input_tensors = list(1, 2)), "type", list(model))
  expect_refused(clone_model(model, clone_fn = identity), "value", list(model))
})

test_that("pop_layer() takes the last layer away, in place", {
  clear_session(free_memory = FALSE)
  set.seed(3)
  model <- chain(input_shape = c(3, 4))
  compile(model, "adam", loss = "mse")
  fit(model, x, c(0, 1), verbose = 0)
  top <- model$layers[[4]]
  expect_identical(pop_layer(model), top)
  expect_length(model$layers, 3)
  expect_equal(model$output_shape, c(NA, 2L))
  expect_equal(dim(predict(model, x, verbose = 0)), c(2, 2))
  expect_length(fit(model, x, matrix(0, 2, 2), verbose = 0)$metrics$loss, 1)
  model |> layer_dense(5)
  expect_equal(dim(predict(model, x, verbose = 0)), c(2, 5))
  for (k in 1:4) model$pop()
  expect_length(model$layers, 0)
  expect_refused(pop_layer(model), "state", list(model))
  expect_refused(pop_layer(graph()), "config")
  unbuilt <- keras_model_sequential() |> layer_dense(2)
  pop_layer(unbuilt)
  expect_equal(dim((unbuilt |> layer_dense(3))(matrix(0, 2, 4))), c(2L, 3L))
})
