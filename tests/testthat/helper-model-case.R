# One case of the model fixtures: build the graph, predict, train, and compare with what Keras computed.

build_graph <- function(graph) {
  values <- list()
  layers <- list()
  for (node in graph$nodes) {
    id <- node[["id"]]
    if (!is.null(node[["input"]])) {
      values[[id]] <- do.call(keras_input, node[["input"]])
    } else {
      layers[[id]] <- if (is.null(node[["same_as"]])) fixture_call(node[["layer"]]) else layers[[node[["same_as"]]]]
      values[[id]] <- call_graph_node(layers[[id]], node, values)
    }
  }
  is_input <- vapply(graph$nodes, function(node) !is.null(node[["input"]]), logical(1))
  inputs <- unname(values[vapply(graph$nodes[is_input], `[[`, character(1), "id")])
  keras_model(one_or_list(inputs), one_or_list(lapply(graph$outputs, graph_value, values)))
}

# "id", or "id:k" for the k-th output (from 1).
graph_value <- function(reference, values) {
  parts <- strsplit(reference, ":", fixed = TRUE)[[1]]
  value <- values[[parts[[1]]]]
  if (length(parts) == 1) value else value[[as.integer(parts[[2]])]]
}

call_graph_node <- function(layer, node, values) {
  arguments <- list(one_or_list(lapply(node[["in"]], graph_value, values)))
  if (!is.null(node[["initial_state"]])) {
    arguments$initial_state <- lapply(node[["initial_state"]], graph_value, values)
  }
  do.call(layer, arguments)
}

fixture_arrays <- function(tensors) one_or_list(lapply(tensors, fixture_array))

run_model_case <- function(case, run_eagerly = FALSE) {
  clear_session(free_memory = FALSE)
  model <- build_graph(case$graph)
  set_weights(model, lapply(case[["weights"]], fixture_array))
  batch_size <- case$fit$batch_size
  x <- fixture_arrays(case[["x"]])
  y <- fixture_arrays(case[["y"]])
  before <- predict(model, x, batch_size = batch_size, verbose = 0)
  do.call(compile, c(list(model, run_eagerly = run_eagerly), lapply(case$compile, fixture_call)))
  history <- do.call(fit, c(list(model, x, y, verbose = 0), model_fit_arguments(case)))
  list(
    before = before, history = history$metrics, weights = get_weights(model),
    after = predict(model, x, batch_size = batch_size, verbose = 0),
    evaluate = evaluate(model, x, y, batch_size = batch_size, verbose = 0),
    iterations = as.numeric(model$optimizer$iterations), count_params = count_params(model)
  )
}

# Models with one output predict an array, others a list of them.
prediction_list <- function(prediction) if (is.list(prediction)) prediction else list(prediction)

model_fit_arguments <- function(case) {
  arguments <- case$fit
  if (!is.null(arguments$class_weight)) arguments$class_weight <- as.list(arguments$class_weight)
  if (!is.null(case[["sample_weight"]])) arguments$sample_weight <- fixture_array(case[["sample_weight"]])
  if (!is.null(case[["validation"]])) arguments$validation_data <- unname(lapply(case$validation, fixture_arrays))
  arguments
}

expect_model_case <- function(case, result, floatx) {
  close_to <- function(got, want, tolerance, what) {
    testthat::expect_equal(length(got), length(want), info = paste(case$name, floatx, what))
    for (k in seq_along(want)) expect_close(got[[k]], want[[k]], tolerance, paste(case$name, floatx, what, k))
  }
  trained <- if (floatx == "float64") 1e-5 else 2e-4
  arrays <- function(tensors) lapply(tensors, fixture_array)
  close_to(prediction_list(result$before), arrays(case$predict_before), layer_tolerance(floatx), "prediction before")
  close_to(result$weights, arrays(case$weights_after), trained, "weight")
  close_to(prediction_list(result$after), arrays(case$predict_after), trained, "prediction")
  testthat::expect_equal(names(result$history), names(case$history))
  close_to(result$history, case$history, trained, "history")
  testthat::expect_equal(names(result$evaluate), names(case$evaluate))
  close_to(result$evaluate, case$evaluate, trained, "evaluate")
  testthat::expect_equal(result$iterations, case$iterations)
  testthat::expect_equal(as.numeric(result$count_params), case$count_params)
}
