# What training prints: when, and how numbers and times are written.

test_that("'auto' is a bar at the console, and silent in tests, scripts and documents; numbers say what to print", {
  withr::local_envvar(TESTTHAT = "true")
  expect_equal(resolve_verbose("auto"), 0L)
  withr::local_envvar(TESTTHAT = "")
  expect_equal(withr::with_options(list(rlang_interactive = TRUE), resolve_verbose("auto")), 1L)
  expect_equal(withr::with_options(list(rlang_interactive = FALSE), resolve_verbose("auto")), 0L)
  # testthat asks withr, and withr asks knitr, if the option is still set when an expectation is checked.
  in_document <- function(verbose) {
    withr::with_options(list(knitr.in.progress = TRUE, rlang_interactive = TRUE), resolve_verbose(verbose))
  }
  found <- lapply(list("auto", 1, 2), in_document)
  expect_equal(found, list(0L, 1L, 2L))
  expect_equal(resolve_verbose(TRUE), 1L)
  expect_error(resolve_verbose(3), class = "birnn_error_value")
  expect_error(resolve_verbose("loud"), class = "birnn_error_value")
})

test_that("a script prints nothing unless it asks for it", {
  printed <- in_fresh_r(function() {
    Sys.unsetenv("TESTTHAT")
    model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
    model |> compile("sgd", loss = "mse")
    x <- matrix(0, 4, 2)
    y <- rep(1, 4)
    lapply(list("auto", 1, 2), function(verbose) {
      utils::capture.output({
        fit(model, x, y, epochs = 2, verbose = verbose)
        unused <- evaluate(model, x, y, verbose = verbose)
        unused <- predict(model, x, verbose = verbose)
      })
    })
  })
  expect_identical(printed[[1]], character())
  expect_match(printed[[2]][[1]], "Epoch 1/2")
  expect_length(printed[[3]], 6)
})

test_that("values have four digits, small ones in scientific notation; validation comes last", {
  expect_equal(format_logs(list(loss = 0.12345, mae = 0.0001)), " - loss: 0.1235 - mae: 1.0000e-04")
  expect_equal(format_logs(list(val_loss = 2, loss = 1)), " - loss: 1.0000 - val_loss: 2.0000")
  expect_equal(format_logs(list(loss = NaN)), " - loss: NaN")
  expect_equal(format_logs(list()), "")
})

test_that("times are short", {
  expect_equal(vapply(c(3, 75, 3700), format_seconds, ""), c("3s", "1:15", "1:01:40"))
  expect_equal(vapply(c(2, 0.012, 3e-5), format_step_time, ""), c("2s/step", "12ms/step", "30us/step"))
})

test_that("the bar has 20 cells and fits the console", {
  withr::local_options(cli.unicode = FALSE, cli.num_colors = 1L, cli.width = 60, width = 60)
  expect_equal(progress_bar(5, 10), "==========..........")
  expect_equal(progress_bar(3, NA), "....................")
  line <- fit_console(live_line(5, 10, 1, list(loss = 1, mean_absolute_error = 2)))
  expect_match(line, "^ 5/10 ==========\\.{10} 1s 200ms/step")
  expect_lte(cli::ansi_nchar(line), 59)
})

test_that("fit() prints epochs and a line for each (2), or a bar (1)", {
  withr::local_options(cli.unicode = FALSE, cli.num_colors = 1L)
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
  model |> compile("sgd", loss = "mse")
  x <- matrix(0, 4, 2)
  lines <- capture.output(fit(model, x, rep(1, 4), epochs = 2, batch_size = 2, verbose = 2))
  expect_equal(lines[c(1, 3)], c("Epoch 1/2", "Epoch 2/2"))
  expect_match(lines[c(2, 4)], "^2/2 - 0s - .*/step - loss: [0-9.]+$")
  bar <- capture.output(fit(model, x, rep(1, 4), batch_size = 2, verbose = 1))
  expect_match(bar[[1]], "\r2/2 ={20} 0s .*/step - loss: [0-9.]+$")
  expect_silent(fit(model, x, rep(1, 4), verbose = 0))
  expect_match(capture.output(e <- evaluate(model, x, rep(1, 4), verbose = 2)), "^1/1 - 0s")
  expect_silent(predict(model, x, verbose = 0))
})

test_that("what fit(), evaluate() and predict() print looks like this", {
  withr::local_options(cli.unicode = FALSE, cli.num_colors = 1L, cli.width = 80, width = 80)
  model <- keras_model_sequential(input_shape = 2, layers = list(layer_dense(units = 1, kernel_initializer = "zeros")))
  model |> compile(optimizer_sgd(1e-9), loss = "mse", metrics = "mae")
  x <- matrix(0, 4, 2)
  without_times <- function(lines) gsub("[0-9.]+(us|ms|s)(/step)?", "<time>", gsub(".*\r(?=.)", "", lines, perl = TRUE))
  expect_snapshot(for (verbose in 0:2) fit(model, x, rep(1, 4), epochs = 2, validation_split = 0.5, verbose = verbose),
                  transform = without_times)
  expect_snapshot(for (verbose in 0:2) evaluate(model, x, rep(1, 4), batch_size = 2, verbose = verbose),
                  transform = without_times)
  expect_snapshot(for (verbose in 0:2) predict(model, x, verbose = verbose), transform = without_times)
})
