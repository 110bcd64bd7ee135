# One case of the layer fixtures: run it, and compare everything with what Keras computed.

run_layer_case <- function(case) {
  clear_session(free_memory = FALSE)
  layer <- suppressWarnings(fixture_call(case[["call"]]), classes = "birnn_warning")
  tensors <- lapply(c(case[["inputs"]], case[["initial_state"]]), fixture_tensor)
  call_layer_case(layer, tensors, case)
  config <- layer$get_config()
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

# Every case of a fixture file: both float types, one and two threads with the same bits, the config.
test_layer_fixture <- function(name) {
  for (case in load_fixture(name)) {
    testthat::test_that(paste(case$name, "is what Keras computes"), {
      skip_without(case[["call"]])
      for (floatx in both_floatx) {
        with_floatx(floatx, {
          result <- with_threads(1, run_layer_case(case))
          expect_layer_case(case, result, floatx)
          expect_same_bits(
            layer_case_numbers(with_threads(2, run_layer_case(case))), layer_case_numbers(result),
            paste(case$name, floatx, "with two threads")
          )
        })
      }
      if (!is.null(case[["config"]])) {
        testthat::expect_mapequal(comparable_config(result$config), comparable_config(case$config))
      }
    })
  }
}
