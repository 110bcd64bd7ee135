# The contract of a layer, after Keras' run_layer_test(): one call proves that a layer is a good citizen.

# `make(...)`: makes the layer (with further arguments). `input_shape`: with the batch size; a list of shapes for layers
# of several inputs. `output_shape`: one shape, or a list of them for several outputs. `weights`: numbers of trainable
# and of other weights. `seeds`: numbers of random streams. `losses`: number of losses of a call. `ids`: for integer
# inputs, how many different ones. `custom_objects`: the classes that a config in a file needs.
# `in_file = FALSE`: the config holds an R function, which no file can hold.
expect_layer_contract <- function(make, input_shape, output_shape = input_shape,
                                  weights = c(trainable = 0, non_trainable = 0), seeds = 0, losses = 0,
                                  supports_masking = TRUE, ids = NULL, trains = TRUE, custom_objects = NULL,
                                  in_file = TRUE) {
  spec <- list(
    make = make, input_shape = map_structure(input_shape, as.integer),
    output_shapes = lapply(if (is.list(output_shape)) output_shape else list(output_shape), as.integer),
    weights = weights, seeds = seeds, losses = losses, supports_masking = supports_masking, ids = ids,
    custom_objects = custom_objects, in_file = in_file
  )
  withr::local_seed(1)
  expect_config_round_trip(spec)
  expect_build_contract(spec)
  expect_symbolic_contract(spec)
  for (floatx in both_floatx) with_floatx(floatx, expect_eager_contract(spec))
  expect_weights_round_trip(spec)
  with_floatx("float64", expect_gradient_contract(spec))
  expect_survives_serialize(spec)
  expect_survives_file(spec)
  if (trains) expect_trains(spec)
}

contract_input <- function(spec) {
  map_structure(spec$input_shape, function(shape) {
    if (is.null(spec$ids)) return(random_array(shape))
    array(sample.int(spec$ids, prod(shape), replace = TRUE) - 1L, shape)
  })
}

symbolic_input <- function(spec) {
  map_structure(spec$input_shape, function(shape) keras_input(shape[-1], dtype = contract_dtype(spec)))
}

contract_dtype <- function(spec) if (is.null(spec$ids)) floatx() else "int32"

built_layer <- function(spec) {
  layer <- spec$make()
  layer$build(spec$input_shape)
  layer
}

expect_config_round_trip <- function(spec) {
  layer <- spec$make(name = "layer_under_test")
  config <- layer$get_config()
  copy <- deserialize_keras_object(serialize_keras_object(layer))
  testthat::expect_identical(class(layer_object(copy)), class(layer_object(layer)))
  testthat::expect_equal(copy$get_config(), config)
  testthat::expect_setequal(names(copy), names(layer))
  if (!spec$in_file) return(invisible())
  as_json <- function(x) jsonlite::toJSON(x, auto_unbox = TRUE, null = "null", digits = NA)
  testthat::expect_identical(as_json(copy$get_config()), as_json(config))
  in_file <- jsonlite::parse_json(as_json(serialize_keras_object(layer)))
  through_json <- deserialize_keras_object(in_file, custom_objects = spec$custom_objects)
  testthat::expect_equal(comparable_config(through_json$get_config()), comparable_config(config))
}

expect_weight_counts <- function(layer, spec) {
  testthat::expect_length(layer$trainable_weights, spec$weights[[1]])
  testthat::expect_length(layer$non_trainable_weights, spec$weights[[2]])
  testthat::expect_length(seed_variables(layer), spec$seeds)
}

expect_build_contract <- function(spec) {
  layer <- spec$make()
  testthat::expect_equal(layer$supports_masking, spec$supports_masking)
  layer$build(spec$input_shape)
  testthat::expect_true(layer$built)
  expect_weight_counts(layer, spec)
  sizes <- vapply(layer$weights, function(v) prod(tensor_shape(v)), numeric(1))
  testthat::expect_equal(as.numeric(count_params(layer)), sum(sizes))
  testthat::expect_true(all(vapply(layer$trainable_weights, tensor_dtype, "") == floatx()))
  testthat::expect_true(all(vapply(layer$weights, tensor_dtype, "") %in% c(floatx(), "int32")))
  layer$trainable <- FALSE
  testthat::expect_length(layer$trainable_weights, 0)
}

# On a symbolic input of unknown batch size: types and shapes, as compute_output_shape() says, and the same weights.
expect_symbolic_contract <- function(spec) {
  layer <- spec$make()
  outputs <- flatten_structure(layer(symbolic_input(spec)))
  expected <- lapply(spec$output_shapes, function(shape) c(NA, shape[-1]))
  testthat::expect_equal(lapply(outputs, tensor_shape), expected)
  input_shape <- map_structure(spec$input_shape, function(shape) c(NA, shape[-1]))
  testthat::expect_equal(shapes_of(layer$compute_output_shape(input_shape)), expected)
  for (output in outputs) testthat::expect_equal(tensor_dtype(output), floatx())
  expect_weight_counts(layer, spec)
}

# One shape or a list of them, also nested, in whatever spelling, as a list of integer vectors.
shapes_of <- function(x) {
  is_shape <- function(part) is.list(part) || length(part) > 1
  nested <- is.list(x) && !inherits(x, "keras_shape") && any(vapply(x, is_shape, NA))
  if (nested) do.call(c, lapply(unname(x), shapes_of)) else list(as_shape(x))
}

expect_eager_contract <- function(spec) {
  x <- contract_input(spec)
  before <- serialize(x, NULL)
  layer <- spec$make()
  outputs <- NULL
  in_call_context({
    outputs <- flatten_structure(layer(x))
    losses <- length(collected_losses()) + length(regularization_losses(layer))
  })
  testthat::expect_identical(serialize(x, NULL), before)
  testthat::expect_equal(losses, spec$losses)
  testthat::expect_equal(lapply(outputs, tensor_shape), spec$output_shapes)
  for (output in outputs) {
    testthat::expect_equal(tensor_dtype(output), floatx())
    testthat::expect_true(all(is.finite(as.array(output))))
  }
  expect_same_bits(layer(map_structure(x, as_tensor)), outputs, "the second call")
  expect_rows_independent(layer, x, outputs)
  expect_mask_contract(layer, x, spec)
}

expect_rows_independent <- function(layer, x, outputs) {
  one <- lapply(flatten_structure(layer(map_structure(x, function(part) rows_of(part, 1)))), as.array)
  first <- lapply(outputs, function(output) rows_of(as.array(output), 1))
  expect_same_bits(one, first, "the first row alone")
}

rows_of <- function(x, rows) {
  do.call(`[`, c(list(x, rows), rep(list(TRUE), length(dim(x)) - 1), drop = FALSE))
}

# A mask is taken, and what compute_mask() gives has the sizes of batch and time of the output.
expect_mask_contract <- function(layer, x, spec) {
  if (!spec$supports_masking || any(lengths(flatten_structure(spec$input_shape)) != 3)) return(invisible())
  outputs <- flatten_structure(layer(map_structure(x, masked_tensor)))
  testthat::expect_equal(lapply(outputs, tensor_shape), spec$output_shapes)
  for (output in outputs) {
    mask <- tensor_mask(output)
    if (!is.null(mask)) testthat::expect_equal(tensor_shape(mask), tensor_shape(output)[1:2])
  }
}

# The last step of the first row is masked.
masked_tensor <- function(x) {
  mask <- matrix(TRUE, dim(x)[[1]], dim(x)[[2]])
  mask[1, ncol(mask)] <- FALSE
  with_mask(as_tensor(x), as_tensor(mask))
}

expect_weights_round_trip <- function(spec) {
  layer <- built_layer(spec)
  twin <- built_layer(spec)
  x <- contract_input(spec)
  weights <- lapply(get_weights(layer), function(weight) weight + 0.25)
  set_weights(layer, weights)
  set_weights(twin, get_weights(layer))
  expect_same_bits(get_weights(twin), get_weights(layer))
  expect_same_bits(twin(x), layer(x), "a layer with the same weights")
}

expect_gradient_contract <- function(spec) {
  x <- contract_input(spec)
  layer <- built_layer(spec)
  f <- function(inputs) {
    fixture_loss(flatten_structure(layer(if (is.null(spec$ids)) pack_structure(x, inputs) else x)))
  }
  inputs <- if (is.null(spec$ids)) flatten_structure(x) else list()
  variables <- layer$trainable_weights
  if (length(inputs) + length(variables) > 0) expect_gradients(f, inputs, variables, directions = 2)
}

expect_survives_serialize <- function(spec) {
  layer <- built_layer(spec)
  x <- contract_input(spec)
  copy <- unserialize(serialize(layer, NULL))
  expect_same_bits(copy(x), layer(x), "a copy by serialize()")
}

# A model with the layer in it comes back from a file: the same config, the same numbers, and the same file again.
expect_survives_file <- function(spec) {
  x <- contract_input(spec)
  input <- symbolic_input(spec)
  model <- keras_model(input, spec$make()(input))
  if (!spec$in_file) return(testthat::expect_error(save_model(model), class = "birnn_error_config"))
  bytes <- save_model(model)
  copy <- load_model(bytes, custom_objects = spec$custom_objects)
  testthat::expect_identical(copy$get_config(), model$get_config())
  expect_same_bits(get_weights(copy), get_weights(model))
  expect_same_bits(copy(x), model(x), "a model from a file")
  members <- c("config.json", "model.weights.h5")   # the third holds the time
  testthat::expect_identical(r_zip_read(save_model(copy), members), r_zip_read(bytes, members))
}

# One step of training, by plan and eagerly.
expect_trains <- function(spec) {
  x <- contract_input(spec)
  start <- NULL
  results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
    layer <- spec$make()
    input <- symbolic_input(spec)
    model <- keras_model(input, flatten_structure(layer(input))[[1]])
    if (is.null(start)) start <<- get_weights(model)
    set_weights(model, start)
    set.seed(3)
    compile(model, optimizer = "sgd", loss = "mse", run_eagerly = run_eagerly)
    loss <- train_on_batch(model, x, array(0.5, spec$output_shapes[[1]]))
    testthat::expect_identical(layer_object(model)$steps$train$run$eager, run_eagerly)
    testthat::expect_true(is.finite(as.numeric(loss)))
    list(loss, get_weights(model))
  })
  if (spec$seeds == 0) expect_same_bits(results[[2]], results[[1]], "eager and planned training")
}
