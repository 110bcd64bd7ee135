# Summaries: Keras' layout to the letter, unbuilt models, plain characters.

graph_with_names <- function(graph) {
  graph$nodes <- lapply(graph$nodes, function(node) {
    if (!is.null(node[["input"]])) node$input$name <- node$id
    node
  })
  graph
}

for (case in load_fixture("summaries")) {
  test_that(paste("the summary", case$name, "is that of Keras"), {
    skip_if_not(l10n_info()[["UTF-8"]])
    withr::local_options(cli.unicode = TRUE)
    functions <- vapply(case$graph$nodes, function(node) node$layer$fn %||% "keras_input", "")
    skip_if_not(all(functions %in% getNamespaceExports("birnn")), paste(functions, collapse = ", "))
    clear_session(free_memory = FALSE)
    model <- build_graph(graph_with_names(case$graph))
    lines <- format(model, line_length = case$line_length, show_trainable = FALSE)
    # Keras wrote them to a console of 80 columns.
    expect_equal(trimws(substr(lines, 1, 80), "right"), trimws(unlist(case$text)[nzchar(unlist(case$text))], "right"))
  })
}

test_that("without UTF-8 the table is drawn in plain characters", {
  withr::local_options(cli.unicode = FALSE, width = 76)
  clear_session(free_memory = FALSE)
  model <- keras_model_sequential(input_shape = c(5, 3)) |>
    layer_bidirectional(layer_lstm(units = 2)) |>
    layer_dense(1)
  expect_snapshot_output(print(model))
})

test_that("print() never builds and never fails", {
  model <- keras_model_sequential() |> layer_lstm(units = 2) |> layer_dense(1)
  expect_output(print(model), "0 (unbuilt)", fixed = TRUE)
  expect_false(model$built)
  expect_output(print(keras_model_sequential()), "Total params: 0")
  expect_output(str(model), "<Sequential name=.*, layers=2, built=FALSE>")
})

test_that("summary() and print() return invisibly", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  expect_output(result <- withVisible(summary(model)))
  expect_false(result$visible)
  expect_type(result$value, "character")
  expect_output(result <- withVisible(print(model)))
  expect_identical(result$value, model)
})

test_that("a trained model shows the optimizer's numbers, a frozen layer the column Trainable", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2) |> layer_dense(1)
  model |> compile("adam", loss = "mse")
  fit(model, matrix(0, 4, 3), rep(0, 4))
  expect_equal(tail(format(model), 4), c(
    " Total params: 35 (140.00 B)", " Trainable params: 11 (44.00 B)", " Non-trainable params: 0 (0.00 B)",
    " Optimizer params: 24 (96.00 B)"
  ))
  expect_false(any(grepl("Train", format(model)[3])))
  model$layers[[1]]$trainable <- FALSE
  lines <- format(model, line_length = 120)
  expect_match(lines[3], "Trainable")
  expect_match(lines[5], "N  ")
  expect_match(format(model, line_length = 120, show_trainable = FALSE)[3], "Param # .$")
})

test_that("nested models can be shown with their layers, and a range of layers alone", {
  clear_session(free_memory = FALSE)
  inner <- keras_model_sequential(input_shape = 3, name = "inner") |> layer_dense(2, name = "deep")
  model <- keras_model_sequential(layers = list(inner, layer_dense(units = 1, name = "last")))
  expect_false(any(grepl("deep", format(model))))
  expect_match(format(model, expand_nested = TRUE), "^.    . deep \\(Dense\\)", all = FALSE)
  expect_length(format(model, layer_range = c("last", "last")), 9)
  expect_error(format(model, layer_range = c("first", "last")), class = "birnn_error_value")
})

test_that("what is too long for a cell is cut as Keras does, columns as wide as there", {
  skip_if_not(l10n_info()[["UTF-8"]])
  withr::local_options(cli.unicode = TRUE)
  clear_session(free_memory = FALSE)
  input <- keras_input(c(500, 1))
  state <- layer_conv_1d(input, filters = 64, kernel_size = 3) |> layer_batch_normalization() |>
    layer_global_average_pooling_1d()
  chain <- format(keras_model(input, layer_dense(state, 1)), line_length = 76)
  border <- function(widths) paste0("\u250f", paste(strrep("\u2501", widths), collapse = "\u2533"), "\u2513")
  cells <- function(line) trimws(strsplit(line, "[\u2502\u2503]")[[1]][-1])
  expect_equal(chain[[2]], border(c(29, 23, 12, 7)))
  expect_equal(cells(chain[[3]]), c("Layer (type)", "Output Shape", "Param #", "Trai\u2026"))
  expect_equal(cells(chain[[5]]), c("input_layer (InputLayer)", "(None, 500, 1)", "0", "-"))
  expect_equal(cells(chain[[9]]), c("batch_normalization", "(None, 498, 64)", "256", "Y"))
  lines <- format(keras_model(input, layer_add(list(layer_dense(state, 1), layer_dense(state, 1)))), line_length = 76)
  expect_equal(lines[[2]], border(c(19, 17, 11, 16, 7)))
  expect_equal(cells(lines[[8]]), c("conv1d (Conv1D)", "(None, 498, 64)", "256", "input_layer[0\u2026", "Y"))
  expect_equal(cells(lines[[10]]), c("batch_normalizat\u2026", "(None, 498, 64)", "256", "conv1d[0][0]", "Y"))
  expect_equal(cells(lines[[11]])[[1]], "(BatchNormalizat\u2026")
})

test_that("names are cut on narrow consoles as well", {
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2, name = paste(rep("long", 15), collapse = "_"))
  for (width in c(10, 40, 76)) {
    lines <- format(model, line_length = width)
    expect_true(all(nchar(lines[2:5], "width") == max(width, 40)))
  }
})

test_that("sizes are written in units of 1024", {
  expect_equal(vapply(c(0, 404, 651264, 5 * 1024^3), format_bytes, ""), c("0.00 B", "404.00 B", "636.00 KB", "5.00 GB"))
  expect_equal(format_count(1234567), "1,234,567")
})
