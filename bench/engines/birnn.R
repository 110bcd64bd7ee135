# birnn through its public R functions, as a user calls them. Requests and answers as in serve.h, with task = version,
# blas (the library that R uses), predict, evaluate, fit, fit_eager (M, last output; milliseconds a batch), tiny_fit,
# tiny_predict (milliseconds a step, a call), new_shape_predict, new_shape_train (what the first call with a batch size
# costs more), convert (GB/s of R numbers).
library(birnn)
options(birnn.threads = 1)

# --- measuring ----------------------------------------------------------------------------------------------------

# CPU time of this process, in milliseconds; R counts in whole ones, so that blocks of calls are measured.
cpu_ms <- function() sum(proc.time()[1:2]) * 1e3
wall_ms <- function() as.numeric(Sys.time()) * 1e3

# Milliseconds a unit: blocks of calls that take about `ms` together, `units` in each call.
sample_calls <- function(request, call, units = 1) {
  clock <- if (identical(request$clock, "wall")) wall_ms else cpu_ms
  call()
  # As many calls as take a third of the time, by the clock that counts.
  calls <- 1
  repeat {
    before <- clock()
    for (k in seq_len(calls)) call()
    if (clock() - before >= as.numeric(request$ms) / 6 || calls >= 1e5) break
    calls <- 2 * calls
  }
  times <- vapply(1:3, function(block) {
    before <- clock()
    for (k in seq_len(calls)) call()
    (clock() - before) / calls / units
  }, numeric(1))
  sprintf("%.6f %.6f %d", stats::median(times), min(times), 3L * calls)
}

# --- models and data ----------------------------------------------------------------------------------------------

random_array <- function(...) array(stats::runif(prod(c(...)), -1, 1), c(...))

# Bidirectional LSTM of configuration M, last output only.
middle_model <- function(eagerly = FALSE) {
  model <- keras_model_sequential(input_shape = c(100, 64)) |> layer_bidirectional(layer_lstm(units = 128))
  model |> compile(optimizer = optimizer_sgd(1e-4), loss = "mse", run_eagerly = eagerly)
  model
}
tiny_model <- function() {
  model <- keras_model_sequential(input_shape = c(10, 4)) |> layer_lstm(units = 8) |> layer_dense(units = 1)
  model |> compile(optimizer = optimizer_sgd(1e-4), loss = "mse")
  model
}

fit_calls <- function(model, x, y) {
  function() model |> fit(x, y, batch_size = 32, epochs = 1, shuffle = FALSE, verbose = 0)
}

# --- tasks --------------------------------------------------------------------------------------------------------

fit_middle <- function(request, eagerly) {
  batches <- 8
  x <- random_array(32 * batches, 100, 64)
  y <- random_array(32 * batches, 256)
  sample_calls(request, fit_calls(middle_model(eagerly), x, y), batches)
}

predict_middle <- function(request) {
  model <- middle_model()
  x <- random_array(32, 100, 64)
  sample_calls(request, function() model |> predict(x, batch_size = 32, verbose = 0))
}

evaluate_middle <- function(request) {
  model <- middle_model()
  x <- random_array(32, 100, 64)
  y <- random_array(32, 256)
  sample_calls(request, function() model |> evaluate(x, y, batch_size = 32, verbose = 0))
}

tiny_fit <- function(request) {
  batches <- 200
  call <- fit_calls(tiny_model(), random_array(32 * batches, 10, 4), random_array(32 * batches, 1))
  sample_calls(request, call, batches)
}

tiny_predict <- function(request) {
  model <- tiny_model()
  x <- random_array(1, 10, 4)
  sample_calls(request, function() model |> predict(x, verbose = 0))
}

# The median over batch sizes of the first call minus the second, by wall time: each is too short for R's CPU clock.
new_shape <- function(call) {
  extra <- vapply(33:72, function(rows) {
    x <- random_array(rows, 10, 4)
    y <- random_array(rows, 1)
    times <- vapply(1:3, function(k) {
      before <- wall_ms()
      call(x, y)
      wall_ms() - before
    }, numeric(1))
    times[[1]] - min(times[2:3])
  }, numeric(1))
  sprintf("%.6f %.6f %d", stats::median(extra), min(extra), length(extra))
}

new_shape_predict <- function(request) {
  model <- tiny_model()
  model |> predict(random_array(32, 10, 4), verbose = 0)
  new_shape(function(x, y) model |> predict(x, batch_size = nrow(x), verbose = 0))
}

new_shape_train <- function(request) {
  model <- tiny_model()
  model |> train_on_batch(random_array(32, 10, 4), random_array(32, 1))
  new_shape(function(x, y) model |> train_on_batch(x, y))
}

# What as.array() takes longer than R takes for an array of zeros, which it has to allocate either way: the best of many
# calls of each in turn, since R's collector of garbage and page faults fall on both at random.
convert <- function(request) {
  sizes <- c(32, 100, 256)
  tensor <- as_tensor(random_array(32, 100, 256))
  best <- c(array = Inf, zeros = Inf)
  for (k in 1:60) {
    start <- wall_ms()
    array <- as.array(tensor)
    middle <- wall_ms()
    zeros <- numeric(prod(sizes))
    best <- pmin(best, c(middle - start, wall_ms() - middle))
  }
  rate <- prod(sizes) * 8 / 1e6 / (best[["array"]] - best[["zeros"]])
  sprintf("%.6f %.6f 60", rate, rate)
}

answer <- function(request) {
  switch(request$task,
    version = as.character(utils::packageVersion("birnn")),
    blas = basename(dirname(normalizePath(extSoftVersion()[["BLAS"]]))),
    predict = predict_middle(request),
    evaluate = evaluate_middle(request),
    fit = fit_middle(request, FALSE),
    fit_eager = fit_middle(request, TRUE),
    tiny_fit = tiny_fit(request),
    tiny_predict = tiny_predict(request),
    new_shape_predict = new_shape_predict(request),
    new_shape_train = new_shape_train(request),
    convert = convert(request),
    stop("no task ", request$task)
  )
}

read_request <- function(line) {
  words <- strsplit(strsplit(trimws(line), " +")[[1]], "=", fixed = TRUE)
  request <- list(ms = "40", clock = "cpu")
  for (word in words) request[[word[[1]]]] <- word[[2]]
  request
}

input <- file("stdin", "r")
while (length(line <- readLines(input, 1)) > 0) {
  reply <- tryCatch(paste("ok", answer(read_request(line))), error = function(e) {
    paste("error", gsub("\n", " ", conditionMessage(e)))
  })
  cat(reply, "\n", sep = "")
}
