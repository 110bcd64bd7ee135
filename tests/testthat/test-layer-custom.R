# Layer(): classes written by users, in the ways users write them. Objects, self and super: test-layer-custom-object.R.

x <- matrix(sin(1:12), 4)

# --- a class --------------------------------------------------------------------------------------------------------

test_that("a class makes layers with weights, used like any layer", {
  layer <- layer_linear(units = 2)
  expect_false(layer$built)
  y <- layer(x)
  expect_equal(dim(y), c(4L, 2L))
  expect_equal(as.array(y), x %*% as.array(layer$kernel), tolerance = 1e-6)
  expect_equal(vapply(layer$weights, function(v) v$path, ""), paste0(layer$name, c("/kernel", "/bias")))
  expect_equal(count_params(layer), 8L)
})

test_that("`object` may be nothing, a sequential model, a symbolic tensor, a tensor or an array", {
  model <- keras_model_sequential(input_shape = 3) |>
    layer_linear(5) |>
    layer_linear(units = 2)
  expect_equal(lapply(model$layers, function(layer) layer$units), list(5L, 2L))
  expect_invisible(layer_linear(model, 2))
  expect_length(model$layers, 3)
  expect_equal(tensor_shape(keras_input(3) |> layer_linear(2)), c(NA, 2L))
  expect_equal(dim(layer_linear(x, 2)), c(4L, 2L))
  expect_equal(dim(as_tensor(x) %>% layer_linear(units = 2)), c(4L, 2L))
  expect_s3_class(layer_linear(NULL, 2), "birnn_layer")
  expect_s3_class(layer_linear(, 2), "birnn_layer")
  layer <- layer_linear(units = 2)
  expect_equal(dim(x |> layer()), c(4L, 2L))
  expect_error(layer_linear(layer_dense(units = 1), 2), "must be a tensor", class = "ValueError")
})

test_that("the function has the arguments of initialize()", {
  layer_two <- Layer("Two", initialize = function(units, activation = NULL) super$initialize(), call = identity)
  expect_identical(formals(layer_two), formals(function(object, units, activation = NULL) NULL))
  expect_identical(formals(layer_linear), formals(function(object, units = 4, ...) NULL))
  layer_plain <- Layer("Plain", call = function(x) x)
  expect_identical(formals(layer_plain), formals(function(object, ...) NULL))
  layer_own_dense <- Layer("OwnDense", inherit = layer_dense)
  expect_identical(formals(layer_own_dense), formals(layer_dense))
  layer_more <- Layer("More", inherit = layer_linear)
  expect_identical(formals(layer_more), formals(layer_linear))
  expect_identical(new_layer_class, Layer)
})

test_that("arguments of every layer and older spellings come through `...`", {
  layer <- layer_linear(units = 2, name = "a", trainable = FALSE, dtype = "float64")
  expect_equal(tensor_dtype(layer(x)), "float64")
  expect_length(layer$trainable_weights, 0)
  model <- keras_model_sequential() |> layer_linear(2, input_shape = 3)
  expect_equal(model$input_shape, c(NA, 3L))
  penalized <- layer_linear(units = 2, activity_regularizer = "l2")
  penalized(x)
  expect_length(penalized$losses, 1)
})

test_that("automatic names follow the class", {
  clear_session(free_memory = FALSE)
  expect_equal(c(layer_linear()$name, layer_linear()$name, layer_linear(name = "b")$name), c("linear", "linear_1", "b"))
  expect_equal(Layer("MyOwnRNN", call = identity)()$name, "my_own_rnn")
})

test_that("classes and layers are printed, not built", {
  layer <- layer_linear(units = 2, name = "a")
  expect_snapshot_output({
    print(layer_linear)
    str(layer_linear)
    print(layer)
    str(list(layer))
  })
  expect_false(layer$built)
  expect_identical(format(Layer("Odd", call = function(x, mask = NULL, k = c(1, 2)) x)), "<Layer class Odd>")
})

test_that("Layer() is checked when the class is defined", {
  expect_refused(Layer(3), "value")
  expect_refused(Layer("my layer"), "value")
  expect_refused(Layer("A", call = 3), "value")
  expect_refused(Layer("A", call = function() 1), "value")
  expect_refused(Layer("A", function(x) x, function(x) x, NULL, NULL, function(x) x), "value")
  expect_refused(Layer("A", sublayers = list()), "value")
  expect_refused(Layer("A", weights = function() list()), "value")
  expect_refused(Layer("A", self = 1), "value")
  expect_refused(Layer("A", initialize = function(object) NULL), "value")
  expect_refused(Layer("A", public = function(x) x), "value")
  expect_refused(Layer("A", private = list(1)), "value")
  expect_refused(Layer("A", units = 1, private = list(units = 2)), "value")
  expect_refused(Layer("A", parent_env = 1), "value")
  expect_refused(Layer("A", inherit = "layer_dense"), "type")
  expect_refused(Layer("A", inherit = layer_dense(units = 1)), "type")
  expect_refused(Layer("A", inherit = mean), "type")
  expect_refused(active_property(1), "value")
})

test_that("unknown and abbreviated arguments of a layer are refused", {
  expect_refused(layer_linear(units = 2, nmae = "a"), "value")
  expect_refused(layer_linear(unit = 2), "value")
  strict <- Layer("Strict", initialize = function(units) super$initialize(), call = identity)
  expect_error(strict(units = 1, name = "a"), "unused argument")
  expect_refused(strict(unit = 1), "value")
})

# --- inheritance ----------------------------------------------------------------------------------------------------

test_that("a class goes on from a built-in layer", {
  layer_scaled <- Layer("ScaledDense",
    inherit = layer_dense,
    initialize = function(units, factor = 1, ...) {
      super$initialize(units, ...)
      self$factor <- factor
    },
    call = function(inputs) super$call(inputs) * self$factor
  )
  layer <- layer_scaled(units = 2, factor = 10, activation = "tanh", name = "a")
  y <- layer(x)
  plain <- layer_dense(units = 2, activation = "tanh")
  plain(x)
  set_weights(plain, get_weights(layer))
  expect_equal(as.array(y), 10 * as.array(plain(x)), tolerance = 1e-6)
  expect_equal(layer$get_config()$factor, 10)
  expect_error(layer_scaled(units = 0), "units", class = "ValueError")
  expect_error(layer_scaled(units = 1, activatoin = "relu"), "Did you mean `activation`", class = "ValueError")
})

test_that("build() and shapes pass between users' methods and built-in ones", {
  layer_watched <- Layer("Watched",
    inherit = layer_dense,
    build = function(input_shape) {
      self$seen <- input_shape
      super$build(input_shape)
      self$extra <- self$add_weight(shape = tail(input_shape, 1), name = "extra")
    },
    call = function(inputs) super$call(inputs * self$extra),
    compute_output_shape = function(input_shape) super$compute_output_shape(input_shape)
  )
  layer <- layer_watched(units = 2)
  output <- layer(keras_input(shape(NULL, 3)))
  expect_identical(layer$seen, shape(NULL, NULL, 3))
  expect_equal(tensor_shape(output), c(NA, NA, 2L))
  expect_length(layer$weights, 3)
  expect_equal(layer$compute_output_shape(list(NULL, 5, 3)), c(NA, 5L, 2L))
})

test_that("a class goes on from another one, by R's and by Python's words", {
  layer_base <- Layer("Base",
    initialize = function(x) {
      super()$`__init__`()
      self$x <- x
    },
    build = function(input_shape) self$k <- 3,
    call = function(x) x
  )
  layer_next <- Layer(
    inherit = layer_base, classname = "Next",
    `__init__` = function(self, x) super(`__class__`, self)$`__init__`(x^2),
    call = function(x, ...) x * self$k * self$x
  )
  expect_equal(as.numeric(layer_next(x = 2)(1)), 12)
  layer_last <- Layer("Last", inherit = layer_next, call = function(x) super$call(x) + 1)
  expect_equal(as.numeric(layer_last(x = 2)(1)), 13)
  expect_identical(`attr<-`(layer_last, "x", NULL), layer_last)
})

test_that("a class goes on from recurrent layers, which then run its call()", {
  sequences <- array(sin(1:30), c(2, 5, 3))
  layer_doubled <- Layer("DoubledGRU",
    inherit = layer_gru,
    initialize = function(units, times = 2, ...) {
      super$initialize(units, ...)
      self$times <- times
    },
    call = function(sequences, initial_state = NULL, mask = NULL, training = FALSE) {
      super$call(sequences, initial_state, mask, training) * self$times
    }
  )
  both <- layer_bidirectional(layer = layer_doubled(units = 3, times = 4, return_sequences = TRUE))
  plain <- layer_bidirectional(layer = layer_gru(units = 3, return_sequences = TRUE))
  y <- both(sequences)
  plain(sequences)
  set_weights(plain, get_weights(both))
  expect_equal(as.array(y), 4 * as.array(plain(sequences)), tolerance = 1e-6)
  expect_equal(both$backward_layer$times, 4)
  expect_true(both$backward_layer$go_backwards)
})

test_that("R6 classes that know nothing of layers are taken over", {
  Counted <- R6::R6Class("Counted",
    public = list(
      calls = 0,
      initialize = function(...) super$initialize(...),
      count = function() {
        self$calls <- self$calls + 1
        private$last <- "counted"
      }
    ),
    private = list(last = NULL),
    active = list(status = function() paste(private$last, self$calls))
  )
  Deeper <- R6::R6Class("Deeper", inherit = Counted, public = list(twice = function(x) x * 2))
  layer_counted <- Layer("CountedLayer", inherit = Deeper, call = function(inputs) {
    self$count()
    self$twice(inputs)
  })
  layer <- layer_counted(name = "a")
  expect_equal(as.numeric(layer(3)), 6)
  expect_equal(layer$status, "counted 1")
  expect_equal(layer$name, "a")
})

test_that("a class may have the name of a built-in one without becoming it", {
  layer_rnn_named <- Layer("RNN", initialize = function(units) super$initialize(), call = function(inputs) inputs * 2)
  layer <- layer_rnn_named(units = 1)
  expect_equal(as.numeric(layer(2)), 4)
  expect_equal(layer_class_name(layer), "RNN")
  dense <- Layer("Dense", call = function(inputs) inputs * 3)
  expect_equal(as.numeric(dense()(2)), 6)
  copy <- deserialize_keras_object(serialize_keras_object(dense()))
  expect_equal(as.numeric(copy(2)), 6)
})

# --- the contract of layers -----------------------------------------------------------------------------------------

test_that("users' layers keep the contract of layers", {
  expect_layer_contract(
    function(...) layer_linear(units = 2, ...), c(3, 4), c(3, 2), c(trainable = 2, non_trainable = 0),
    supports_masking = FALSE, custom_objects = list(layer_linear)
  )
  layer_noisy <- Layer("Noisy",
    initialize = function(rate, ...) {
      super$initialize(...)
      self$rate <- rate
      self$supports_masking <- TRUE
      self$generator <- random_seed_generator(1)
      self$inner <- layer_dense(units = 2, name = "inner")   # a file holds the name, and must come out the same
    },
    call = function(inputs, training = FALSE) {
      y <- self$inner(inputs)
      self$add_loss(op_mean(op_square(y)))
      if (training) random_dropout(y, self$rate, seed = self$generator) else y
    }
  )
  expect_layer_contract(
    function(...) layer_noisy(rate = 0.5, ...), c(3, 5, 4), c(3, 5, 2), c(trainable = 2, non_trainable = 0), seeds = 1,
    losses = 1, custom_objects = list(layer_noisy)
  )
})

test_that("users' recurrent layers keep the contract of layers, also as directions", {
  expect_layer_contract(
    function(...) layer_own_gru(units = 2, return_sequences = TRUE, ...), c(3, 5, 2), c(3, 5, 2),
    c(trainable = 3, non_trainable = 0), supports_masking = FALSE, custom_objects = list(layer_own_gru)
  )
  expect_layer_contract(
    function(...) layer_bidirectional(layer = layer_own_lstm(units = 2, return_state = TRUE), ...), c(3, 5, 2),
    list(c(3, 4), c(3, 2), c(3, 2), c(3, 2), c(3, 2)), c(trainable = 6, non_trainable = 0),
    custom_objects = list(layer_own_lstm)
  )
})
