# One case of the layer fixtures: run it, and compare everything with what Keras computed.

run_layer_case <- function(case, layer = new_case_layer(case)) {
  tensors <- lapply(c(case[["inputs"]], case[["initial_state"]]), fixture_tensor)
  call_layer_case(layer, tensors, case)
  config <- get_config(layer)
  set_weights(layer, lapply(case[["weights"]], fixture_array))
  outputs <- penalty <- NULL
  found <- value_and_gradients(function(tensors) {
    in_call_context({
      outputs <<- call_layer_case(layer, tensors, case)
      losses <- c(collected_losses(), regularization_losses(layer))
    })
    if (length(losses) > 0) penalty <<- Reduce(op_add, losses)
    fixture_loss(flatten_structure(outputs), penalty)
  }, tensors, layer_variables(layer, trainable = TRUE))
  list(outputs = outputs, penalty = penalty, loss = found$value, inputs = found$inputs, variables = found$variables,
       weights_after = get_weights(layer), config = config)
}

new_case_layer <- function(case) {
  clear_session(free_memory = FALSE)
  suppressWarnings(fixture_call(case[["call"]]), classes = "birnn_warning")
}

# `tensors`: inputs, then initial states. Inputs are one tensor, a list of them (`input_is_list`) or several arguments
# (`positional_inputs`). Masks reach a layer through `mask =` and on the tensors: only the second kind travels on.
call_layer_case <- function(layer, tensors, case) {
  masks <- case_masks(case[["mask"]])
  is_input <- seq_along(tensors) <= length(case[["inputs"]])
  inputs <- tensors[is_input]
  inputs[seq_along(masks)] <- Map(with_mask, inputs[seq_along(masks)], masks)
  arguments <- if (isTRUE(case[["input_is_list"]])) list(inputs) else inputs
  if (!is.null(masks)) arguments$mask <- one_or_list(unname(masks))
  if (!all(is_input)) arguments$initial_state <- nested_states(tensors[!is_input], case[["initial_state_structure"]])
  if (isTRUE(case[["training"]])) arguments$training <- TRUE
  do.call(layer, c(arguments, as.list(case[["call_args"]])))
}

# States of a stack of cells: one list for each cell. Those of a single cell are not nested.
nested_states <- function(states, structure) {
  if (!is.list(structure)) return(states)
  unname(split(states, rep(seq_along(structure), lengths(structure))))
}

# A case has no mask, one, or a list with one for each input.
case_masks <- function(mask) {
  if (is.null(mask)) return(NULL)
  lapply(if (is.null(names(mask))) mask else list(mask), fixture_tensor)
}

# What two runs of a case must share bit for bit.
layer_case_numbers <- function(result) {
  flatten_structure(result[c("outputs", "penalty", "loss", "inputs", "variables", "weights_after")])
}

expect_layer_case <- function(case, result, floatx) {
  tolerance <- layer_tolerance(floatx, case$name)
  compare <- function(got, want, what) {
    testthat::expect_equal(length(got), length(want), info = paste(case$name, floatx, what))
    for (k in seq_along(want)) {
      expect_close(got[[k]], fixture_array(want[[k]]), tolerance, paste(case$name, floatx, what, k))
    }
  }
  testthat::expect_equal(is_plain_list(result$outputs), length(case$structure) > 1)
  outputs <- flatten_structure(result$outputs)
  compare(outputs, case$outputs, "output")
  expect_output_masks(outputs, case)
  compare(result$inputs, c(case$gradients$inputs, case$gradients[["initial_state"]]), "gradient of input")
  compare(result$variables, case$gradients$trainable_weights, "gradient of weight")
  if (!is.null(case[["weights_after"]])) compare(result$weights_after, case[["weights_after"]], "weight after")
  expect_close(result$loss, case$loss, tolerance, paste(case$name, floatx, "loss"))
  if (!is.null(case[["penalty"]])) {
    expect_close(as.numeric(result$penalty), case$penalty, tolerance, paste(case$name, floatx, "penalty"))
  }
}

expect_output_masks <- function(outputs, case) {
  for (k in seq_along(outputs)) {
    want <- if (k <= length(case[["output_masks"]])) case[["output_masks"]][[k]]
    mask <- tensor_mask(outputs[[k]])
    testthat::expect_equal(
      if (!is.null(mask)) as.array(mask), if (!is.null(want)) fixture_array(want), info = paste(case$name, "mask", k)
    )
  }
}

# The config is Keras' own, and makes the same layer again, directly and by way of JSON.
expect_case_config <- function(case, config) {
  if (!is.null(case[["config"]])) {
    testthat::expect_mapequal(comparable_config(config), comparable_config(case$config))
  }
  layer <- from_config(config)
  in_file <- read_json(charToRaw(write_json(serialize_keras_object(layer))))
  for (copy in list(layer, deserialize_keras_object(in_file))) {
    testthat::expect_identical(class(layer_object(copy)), class(layer_object(layer)))
    testthat::expect_equal(
      comparable_config(get_config(copy), "build_config"), comparable_config(config, "build_config"), info = case$name
    )
  }
}

# Every case of a fixture file, `count` in all: both float types, the config, and the same bits from a layer that is
# made of the config and runs on two threads.
test_layer_fixture <- function(name, count) {
  cases <- load_fixture(name)
  testthat::test_that(paste("no case of", name, "is missing"), {
    testthat::expect_length(unique(names(cases)), count)
    testthat::expect_length(setdiff(fixture_functions(lapply(cases, `[[`, "call")), getNamespaceExports("birnn")), 0)
  })
  for (case in cases) {
    testthat::test_that(paste(case$name, "is what Keras computes"), {
      for (floatx in both_floatx) {
        with_floatx(floatx, {
          result <- with_threads(1, run_layer_case(case))
          expect_layer_case(case, result, floatx)
          again <- with_threads(2, run_layer_case(case, from_config(result$config)))
          expect_same_bits(
            layer_case_numbers(again), layer_case_numbers(result), paste(case$name, floatx, "from its config")
          )
        })
      }
      expect_case_config(case, result$config)
    })
  }
}
