# Layers of users' classes from inside: self, super, private, what becomes part of them, calls, masks, configs.

x <- matrix(sin(1:12), 4)
sequences <- array(cos(1:30), c(2, 5, 3))

# A class around one function.
simple <- function(call, ..., parent_env = parent.frame()) Layer("Simple", call = call, ..., parent_env = parent_env)

# --- self, super, private -------------------------------------------------------------------------------------------

test_that("self is the layer that users hold", {
  kept <- NULL
  layer_kept <- Layer("Kept",
    initialize = function(...) {
      super$initialize(...)
      kept <<- self
    },
    call = function(inputs) self$double(inputs),
    double = function(x) x * 2
  )
  layer <- layer_kept()
  expect_identical(kept, layer)
  expect_s3_class(kept, "birnn_layer")
  expect_equal(as.numeric(kept(3)), 6)
  expect_equal(layer$double(5), 10)
  layer$later <- "a"
  expect_equal(kept$later, "a")
  expect_equal(kept[["later"]], "a")
})

test_that("`self` may be an argument of methods", {
  layer <- simple(function(self, inputs) inputs * self$k, public = list(k = 3))()
  expect_equal(as.numeric(layer(2)), 6)
  two <- simple(function(self, a, b) a + b)()
  expect_equal(as.array(two(as_tensor(c(1, 2)), as_tensor(c(3, 4)))), array(c(4, 6)))
})

test_that("private members are there, and each layer has its own", {
  layer_private <- Layer("Private",
    call = function(inputs) {
      private$calls <- private$calls + 1
      private$scaled(inputs)
    },
    count = function() private$calls,
    private = list(calls = 0, scaled = function(x) x * self$k), k = 4
  )
  one <- layer_private()
  two <- layer_private()
  expect_equal(as.numeric(one(2)), 8)
  one(2)
  two(2)
  expect_equal(c(one$count(), two$count()), c(2, 1))
  expect_null(one$calls)
  free <- Layer("Free", call = identity, note = function(x) private$x <- x, read = function() private$x)
  layer <- free()
  layer$note(5)
  expect_equal(layer$read(), 5)
})

test_that("active_property() computes a field", {
  layer <- Layer("Active",
    initialize = function() {
      super$initialize()
      self$k <- 2
    },
    call = function(x) x * self$twice,
    twice = active_property(function(value) if (missing(value)) 2 * self$k else self$k <- value / 2)
  )()
  expect_equal(as.numeric(layer(1)), 4)
  layer$twice <- 20
  expect_equal(layer$k, 10)
})

test_that("`parent_env` is where methods look", {
  make <- function(factor) simple(function(x) x * factor)
  expect_equal(as.numeric(make(3)()(2)), 6)
  there <- rlang::env(factor = 5)
  expect_equal(as.numeric(simple(function(x) x * factor, parent_env = there)()(2)), 10)
})

test_that("initialize() must call super$initialize()", {
  layer_forgets <- Layer("Forgets", initialize = function(units) self$units <- units, call = identity)
  expect_refused(layer_forgets(units = 1), "config")
  late <- Layer("Late",
    initialize = function(units, ...) {
      self$units <- units
      super$initialize(...)
    },
    call = identity
  )
  expect_equal(late(units = 3, name = "a")$units, 3)
})

test_that("names that birnn needs cannot be set", {
  layer <- simple(function(x) x)(name = "a")
  expect_refused(layer$sublayers <- list(), "value")
  expect_refused(layer$call <- 3, "value")
  expect_refused(simple(identity, initialize = function() {
    super$initialize(name = "a")
    self$arguments <- 1
  })(), "value")
})

# --- what becomes part of a layer -----------------------------------------------------------------------------------

layer_names <- function(layer) vapply(layer$sublayers(), function(inner) inner$name, "")

test_that("layers assigned to fields belong to the layer, in the order of their first assignment", {
  dense <- function(name) layer_dense(units = 3, name = name)
  layer_nest <- Layer("Nest",
    initialize = function() {
      super$initialize()
      self$one <- dense("b")
      self$many <- list(dense("a"), list(deep = dense("d"), none = NULL, 3))
      self$last <- dense("c")
      self$again <- self$one
      self$many[[3]] <- dense("e")
    },
    call = function(x) {
      for (inner in list(self$one, self$many[[1]], self$many[[2]]$deep, self$last, self$many[[3]])) x <- inner(x)
      x
    }
  )
  layer <- layer_nest()
  expect_equal(layer_names(layer), c("b", "a", "d", "c", "e"))
  layer(x)
  expect_length(layer$weights, 10)
  expect_equal(layer$weights[[3]]$path, paste0(layer$name, "/a/kernel"))
  layer$trainable <- FALSE
  expect_length(layer$trainable_weights, 0)
  layer$trainable <- TRUE
  layer$many <- layer$many[-1]
  expect_equal(layer_names(layer), c("b", "d", "c", "e"))
  layer$one <- NULL
  expect_equal(layer_names(layer), c("b", "d", "c", "e"))
  layer$again <- NULL
  layer$last <- "none"
  expect_equal(layer_names(layer), c("d", "e"))
})

test_that("layers made in build() and in call() belong to the layer", {
  layer <- Layer("Lazy",
    build = function(input_shape) self$first <- layer_dense(units = input_shape[[2]]),
    call = function(x) {
      if (is.null(self$second)) self$second <- layer_dense(units = 2)
      self$second(self$first(x))
    }
  )()
  layer(x)
  expect_length(layer$weights, 4)
  expect_length(layer$sublayers(), 2)
  model <- keras_model_sequential(input_shape = 3) |> layer_linear(2)
  holder <- simple(function(x) self$model(x), initialize = function() {
    super$initialize()
    self$model <- model
  })()
  holder(x)
  expect_identical(holder$weights, model$weights)
})

test_that("variables and random streams assigned to fields belong to the layer", {
  layer <- Layer("Holder",
    initialize = function() {
      super$initialize()
      self$scale <- keras_variable(2, name = "scale")
      self$counts <- list(keras_variable(c(0, 0), trainable = FALSE))
      self$generator <- random_seed_generator(3)
    },
    build = function(input_shape) self$kernel <- self$add_weight(tail(input_shape, 1), name = "kernel"),
    call = function(x) x * self$scale * self$kernel
  )()
  layer(x)
  expect_equal(vapply(layer$trainable_weights, function(v) v$name, ""), c("scale", "kernel"))
  expect_length(layer$non_trainable_weights, 1)
  expect_length(seed_variables(layer), 1)
  # A weight stays one, whatever its field holds; a variable goes with its field.
  layer$kernel <- op_abs(layer$kernel)
  layer$counts <- NULL
  expect_equal(vapply(layer$weights, function(v) v$name, ""), c("scale", "kernel"))
})

test_that("weights may be made in initialize(), below the layer's name", {
  layer <- Layer("Early",
    initialize = function(units, ...) {
      super$initialize(...)
      self$kernel <- self$add_weight(c(3, units), "ones", name = "kernel", regularizer = "l2")
    },
    call = function(x) op_matmul(x, self$kernel)
  )(units = 2, name = "early")
  expect_equal(layer$weights[[1]]$path, "early/kernel")
  layer(x)
  expect_equal(vapply(layer$losses, as.numeric, 0), 0.06, tolerance = 1e-6)
})

test_that("a build() that fails leaves nothing behind", {
  fails <- TRUE
  layer <- Layer("Fails",
    build = function(input_shape) {
      self$kernel <- self$add_weight(c(3, 2), name = "kernel")
      self$inner <- layer_dense(units = 1)
      if (fails) stop("not today")
      self$bias <- self$add_weight(2, name = "bias")
    },
    call = function(x) self$inner(op_matmul(x, self$kernel) + self$bias)
  )()
  expect_error(layer(x), "not today")
  expect_false(layer$built)
  expect_length(layer$weights, 0)
  fails <- FALSE
  layer(x)
  expect_length(layer$weights, 4)
})

# --- building and calling -------------------------------------------------------------------------------------------

test_that("build() gets shapes as lists with NULL, for several inputs a list of them", {
  shapes <- NULL
  layer_seen <- Layer("Seen", build = function(input_shape) shapes <<- input_shape, call = function(inputs) inputs)
  layer_seen()(keras_input(shape(NULL, 3)))
  expect_identical(shapes, shape(NULL, NULL, 3))
  layer_seen()(list(a = x, b = sequences))
  expect_identical(shapes, list(a = shape(4, 3), b = shape(2, 5, 3)))
  layer <- layer_seen()
  layer$build(c(NA, 7))
  expect_identical(shapes, shape(NULL, 7))
  expect_true(layer$built)
})

test_that("a layer without build() is built by a call, if it holds layers", {
  layer_pair <- Layer("Pair",
    initialize = function() {
      super$initialize()
      self$first <- layer_linear(units = 2)
      self$second <- layer_linear(units = 1)
    },
    call = function(x) self$second(self$first(x))
  )
  layer <- layer_pair()
  layer$build(shape(NULL, 3))
  expect_length(get_weights(layer), 4)
  expect_equal(layer$compute_output_shape(c(NA, 3)), c(NA, 1L))
  odd <- Layer("Odd",
    initialize = function(...) {
      super$initialize(...)
      self$inner <- layer_linear(units = 2)
    },
    call = function(x) self$inner(x)[["nothing"]]$there + if (as.numeric(op_sum(x)) > 0) 1 else 2
  )
  expect_refused(odd(name = "odd")$build(shape(NULL, 3)), "config")
})

test_that("whole numbers stay whole, decimals take the type of the layer", {
  types <- NULL
  layer_types <- simple(function(inputs) {
    types <<- vapply(inputs, tensor_dtype, "")
    inputs[[1]] * 1
  })
  layer_types(dtype = "float64")(list(as_tensor(x, "float32"), 1:3, c(TRUE, FALSE)))
  expect_equal(types, c("float64", "int32", "bool"))
  layer_types(autocast = FALSE, dtype = "float64")(list(as_tensor(x, "float32"), 1:3))
  expect_equal(types, c("float32", "int32"))
})

test_that("outputs are tensors, also in lists; variables and numbers become such", {
  layer <- simple(function(x) list(a = x, b = list(self$v, 2)), initialize = function() {
    super$initialize()
    self$v <- self$add_weight(2, "ones")
  })()
  outputs <- layer(x)
  expect_identical(names(outputs), c("a", "b"))
  expect_true(all(vapply(flatten_structure(outputs), is_tensor, NA)))
  expect_refused(simple(function(x) "text")(name = "a")(x), "type")
  expect_refused(Layer("Empty")(name = "a")(x), "config")
})

test_that("mask, training and further tensors are arguments of call() if it has them", {
  seen <- NULL
  layer_seen <- simple(function(inputs, other = NULL, mask = NULL, training = NULL) {
    seen <<- list(other = other, mask = mask, training = training)
    inputs
  }, public = list(supports_masking = TRUE))
  layer <- layer_seen()
  layer(sequences)
  expect_equal(seen, list(other = NULL, mask = NULL, training = FALSE))
  mask <- matrix(c(TRUE, FALSE), 2, 5)
  layer(with_mask(as_tensor(sequences), as_tensor(mask)), training = TRUE)
  expect_equal(as.array(seen$mask), mask)
  expect_true(seen$training)
  layer(sequences, matrix(1, 2, 2))
  expect_equal(as.array(seen$other), matrix(1, 2, 2))
  outer <- simple(function(x, training = FALSE) self$inner(x), initialize = function() {
    super$initialize()
    self$inner <- layer
  })()
  outer(sequences, training = TRUE)
  expect_true(seen$training)
  expect_refused(layer_seen(name = "a")(x, otehr = 1), "value")
})

test_that("compute_output_shape() stands for a call() that cannot run without numbers", {
  layer_loop <- Layer("Loop",
    build = function(input_shape) self$w <- self$add_weight(c(3, 3)),
    call = function(x) {
      state <- op_zeros(c(dim(x)[[1]], 3))
      for (step in op_unstack(x, axis = 2)) state <- op_tanh(step + op_matmul(state, self$w))
      state
    },
    compute_output_shape = function(input_shape) list(input_shape[[1]], input_shape[[3]])
  )
  input <- keras_input(shape(NULL, 3))
  output <- layer_loop()(input)
  expect_equal(tensor_shape(output), c(NA, 3L))
  model <- keras_model(input, output |> layer_dense(1))
  expect_equal(dim(predict(model, sequences, verbose = 0)), c(2, 1))
  compile(model, "sgd", "mse")
  before <- get_weights(model)
  fit(model, sequences, c(0, 1), epochs = 2, verbose = 0)
  expect_false(same_bits(get_weights(model)[[1]], before[[1]]))
})

test_that("compute_output_spec() stands for call() likewise", {
  layer <- Layer("Spec",
    call = function(inputs, k = 1) as_tensor(as.array(inputs)[, seq_len(2)]),
    compute_output_spec = function(inputs, k = 1) op_slice(inputs, c(1, 1), c(NA, 2))
  )()
  expect_equal(tensor_shape(layer(keras_input(3), k = 2)), c(NA, 2L))
  expect_equal(dim(layer(x)), c(4L, 2L))
})

test_that("losses of call() are those of the layer and of its model", {
  layer_penalty <- simple(function(x) {
    self$add_loss(list(5, op_square(x)))
    x
  })
  layer <- layer_penalty()
  layer(x)
  layer(x)
  expect_equal(vapply(layer$losses, as.numeric, 0), c(5, sum(x^2)), tolerance = 1e-6)
  model <- keras_model_sequential(input_shape = 3) |> layer_penalty()
  compile(model, "sgd", "mse")
  loss <- evaluate(model, x, x, batch_size = 4, verbose = 0)$loss
  expect_equal(loss, 5 + sum(x^2), tolerance = 1e-6)
})

test_that("states change by assign(): at once in a call, with the step in training", {
  layer_total <- Layer("Total",
    initialize = function(input_dim) {
      super$initialize()
      self$total <- self$add_weight(shape = input_dim, initializer = "zeros", trainable = FALSE)
    },
    call = function(inputs) {
      self$total$assign_add(op_sum(inputs, axis = 1))
      self$total
    }
  )
  layer <- layer_total(input_dim = 2)
  expect_equal(as.array(layer(matrix(1, 3, 2))), array(c(3, 3)))
  expect_equal(as.array(layer(matrix(1, 3, 2))), array(c(6, 6)))
  layer$total$assign_sub(c(1, 2))
  expect_equal(as.array(layer$total), array(c(5, 4)))
  expect_error(layer$total$assign(matrix(0, 2, 2)), class = "birnn_error_weights")
  moving <- Layer("Moving",
    build = function(input_shape) self$mean <- self$add_weight(tail(input_shape, 1), "zeros", trainable = FALSE),
    call = function(inputs, training = FALSE) {
      if (training) self$mean$assign(0.5 * self$mean + 0.5 * op_mean(inputs, axis = 1))
      inputs - self$mean
    }
  )
  results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
    set.seed(1)
    model <- keras_model_sequential(input_shape = 3) |> moving() |> layer_dense(1)
    compile(model, "sgd", "mse", run_eagerly = run_eagerly)
    fit(model, x, 1:4, batch_size = 4, epochs = 2, verbose = 0, shuffle = FALSE)
    get_weights(model)
  })
  expect_equal(results[[1]][[1]], array(0.75 * colMeans(x)), tolerance = 1e-6)
  expect_same_bits(results[[1]], results[[2]])
})

# --- training -------------------------------------------------------------------------------------------------------

layer_block <- Layer("Block",
  initialize = function(units, ...) {
    super$initialize(...)
    self$inner <- list(layer_linear(units = units), layer_own_gru(units = 2, return_sequences = TRUE))
  },
  call = function(inputs, training = FALSE) {
    y <- self$inner[[2]](op_tanh(self$inner[[1]](inputs)))
    self$add_loss(0.1 * op_mean(op_square(y)))
    y
  }
)

test_that("the gradient of users' layers is right", {
  with_floatx("float64", {
    layer <- layer_block(units = 2)
    layer(sequences)
    loss <- function(inputs) {
      in_call_context({
        y <- layer(inputs[[1]])
        penalty <- collected_losses()
      })
      fixture_loss(list(y), penalty[[1]])
    }
    expect_gradients(loss, list(sequences), layer$trainable_weights)
    tape <- with_gradient_tape(op_sum(layer(sequences)))
    gradients <- tape_gradients(tape$tape, tape$value, layer$trainable_weights)
    expect_equal(lapply(gradients, dim), lapply(layer$trainable_weights, dim))
  })
})

test_that("training is the same by plan and op by op", {
  y <- array(sin(1:20), c(2, 5, 2))
  results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
    set.seed(2)
    model <- keras_model_sequential(input_shape = c(5, 3)) |>
      layer_block(units = 3) |>
      layer_bidirectional(layer_own_lstm(units = 2, return_sequences = TRUE), merge_mode = "sum")
    compile(model, "adam", "mse", run_eagerly = run_eagerly)
    history <- fit(model, sequences, y, epochs = 3, verbose = 0)
    list(get_weights(model), history$metrics$loss, predict(model, sequences, verbose = 0))
  })
  expect_same_bits(results[[1]], results[[2]])
  expect_lt(results[[1]][[2]][[3]], results[[1]][[2]][[1]])
})

test_that("R code that looks at numbers runs, op by op", {
  layer_peek <- simple(function(x) if (as.numeric(op_sum(x)) > 0) x * 2 else x)
  expect_equal(as.numeric(layer_peek()(3)), 6)
  layer_static <- Layer("Static",
    build = function(input_shape) self$w <- self$add_weight(c(3, 3)),
    call = function(x) op_matmul(x, self$w) + op_ones(c(dim(x)[[1]], 3))
  )
  model <- keras_model_sequential(input_batch_shape = c(2, 3)) |> layer_static() |> layer_dense(1)
  compile(model, "sgd", "mse")
  expect_true(is.finite(fit(model, x, 1:4, batch_size = 2, verbose = 0)$metrics$loss))
  works <- TRUE
  layer_broken <- simple(function(x) if (works) x else stop("a mistake in call()"))
  model <- keras_model_sequential(input_shape = 3) |> layer_broken() |> layer_dense(1)
  works <- FALSE
  expect_error(predict(model, x, verbose = 0), "a mistake in call()", fixed = TRUE)
})

# --- configs --------------------------------------------------------------------------------------------------------

test_that("without get_config() the config holds the arguments that were given", {
  layer <- layer_linear(units = 2, name = "a", activity_regularizer = "l2")
  config <- layer$get_config()
  expect_equal(config$units, 2)
  expect_equal(config$activity_regularizer$class_name, "L2")
  expect_false("units" %in% names(layer_linear()$get_config()))
  copy <- layer$from_config(config)
  expect_equal(copy$get_config(), config)
  expect_false(copy$built)
  many <- Layer("Many",
    initialize = function(inner, start, shape = NULL, fn = NULL, flag = TRUE) {
      super$initialize()
      self$inner <- inner
      self$start <- start
      self$shape <- shape
      self$fn <- fn
      self$flag <- flag
    },
    call = function(x) self$inner(x)
  )
  layer <- many(inner = layer_dense(units = 2, name = "in"), start = initializer_ones(), shape = shape(NULL, 3),
                fn = function(x) x + 1, flag = NULL)
  copy <- layer$from_config(layer$get_config())
  expect_equal(copy$inner$name, "in")
  expect_equal(copy$start$class_name, "Ones")
  expect_equal(as_shape(copy$shape), c(NA, 3L))
  expect_equal(copy$fn(1), 2)
  expect_null(copy$flag)
  expect_equal(copy$name, layer$name)
})

test_that("get_config() and from_config() of the class are used", {
  layer_kept <- Layer("KeptConfig",
    initialize = function(inner, k, ...) {
      super$initialize(...)
      self$inner <- inner
      self$k <- k
    },
    call = function(x) self$inner(x) * self$k,
    get_config = function() {
      c(super$get_config(), list(inner = serialize_keras_object(self$inner), k = self$k))
    },
    from_config = function(cls, config) {
      config$inner <- deserialize_keras_object(config$inner)
      do.call(cls, config)
    }
  )
  layer <- layer_kept(inner = layer_dense(units = 2), k = 3, name = "kept")
  config <- layer$get_config()
  expect_identical(names(config), c("name", "trainable", "dtype", "inner", "k"))
  copy <- deserialize_keras_object(serialize_keras_object(layer))
  expect_equal(copy$get_config(), config)
  expect_equal(copy$inner$units, 2L)
  next_class <- Layer("NextConfig",
    inherit = layer_kept,
    from_config = function(config) {
      config$k <- config$k + 1
      super$from_config(config)
    }
  )
  one <- next_class(inner = layer_dense(units = 2), k = 3)
  two <- one$from_config(utils::modifyList(one$get_config(), list(inner = layer_dense(units = 1))))
  expect_equal(two$k, 4)
})

test_that("configs in files find classes by their exact names in custom_objects", {
  json <- jsonlite::toJSON(serialize_keras_object(layer_linear(units = 2, name = "a")), auto_unbox = TRUE, null = "null")
  config <- jsonlite::parse_json(json)
  expect_null(config$module)
  expect_identical(config$registered_name, "Linear")
  expect_equal(deserialize_keras_object(config, list(Linear = layer_linear))$name, "a")
  expect_equal(deserialize_keras_object(config, list(layer_linear))$units, 2L)
  expect_equal(deserialize_keras_object(config, layer_linear)$units, 2L)
  expect_error(deserialize_keras_object(config), "no class", class = "birnn_error_config")
  expect_error(deserialize_keras_object(config, list(Line = layer_linear)), class = "birnn_error_config")
  expect_error(deserialize_keras_object(config, list(function(x) x)), "must be a named list", class = "ValueError")
  both <- layer_bidirectional(layer = layer_own_gru(units = 2))
  json <- jsonlite::toJSON(serialize_keras_object(both), auto_unbox = TRUE, null = "null")
  copy <- deserialize_keras_object(jsonlite::parse_json(json), list(OwnGRU = layer_own_gru))
  expect_equal(copy$backward_layer$name, both$backward_layer$name)
  expect_error(deserialize_keras_object(jsonlite::parse_json(json)), class = "birnn_error_config")
})

test_that("layers of users' classes go through saveRDS() into a fresh session", {
  skip_if_not_installed("callr")
  factor <- 3
  layer_scaled <- Layer("Scaled", inherit = layer_linear, call = function(inputs) super$call(inputs) * factor)
  model <- keras_model_sequential(input_shape = c(5, 3)) |>
    layer_scaled(2) |>
    layer_bidirectional(layer_own_gru(units = 2))
  y <- predict(model, sequences, verbose = 0)
  path <- withr::local_tempfile()
  saveRDS(list(model = model, class = layer_scaled), path)
  there <- callr::r(function(path, x) {
    library(birnn)
    kept <- readRDS(path)
    compile(kept$model, "sgd", "mse")
    y <- predict(kept$model, x, verbose = 0)
    fit(kept$model, x, matrix(0, 2, 4), verbose = 0)
    list(y, dim(kept$class(x, units = 4)), format(kept$model$layers[[1]]))
  }, list(path, sequences), libpath = .libPaths())
  expect_identical(there, list(y, c(2L, 5L, 4L), format(model$layers[[1]])))
})

test_that("weights of a size that is not known, and outputs that are no tensors, are refused in plain words", {
  clear_session(free_memory = FALSE)
  layer_features <- Layer("Features",
    build = function(input_shape) self$kernel <- self$add_weight(shape(tail(input_shape, 1), 3), name = "kernel"),
    call = function(inputs) op_matmul(inputs, self$kernel)
  )
  layer <- layer_features()
  expect_refused(layer(keras_input(NA)), "shape", list(layer))
  expect_equal(dim(layer(matrix(1, 2, 4))), c(2L, 3L))
  returning <- function(value) {
    force(value)
    Layer("Odd", call = function(inputs) value, parent_env = environment())(name = "odd")
  }
  x <- matrix(1, 2, 4)
  expect_refused(returning("text")(x), "type")
  expect_refused(returning(NULL)(x), "type")
  expect_refused(returning(mean)(x), "type")
  expect_refused(returning(list(1, "text"))(x), "type")
  expect_refused(returning(data.frame(a = 1))(x), "type")
  expect_refused(returning(quote(a))(x), "type")
  expect_equal(as.numeric(returning(3)(x)), 3)
})
