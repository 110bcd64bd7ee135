# What is measured. A measurement is a request with several entrants: programs, or birnn with other words. They are
# asked one after the other, and again in every round, so that ratios are formed of times from the same second.

configs <- list(
  S = c(B = 32, T = 50, F = 32, U = 32),
  M = c(B = 32, T = 100, F = 64, U = 128),
  L = c(B = 64, T = 200, F = 128, U = 256),
  lat = c(B = 1, T = 100, F = 64, U = 128)
)
cells <- c("lstm", "gru", "simple_rnn")
modes <- c(infer = 0, train = 1)

words_of <- function(...) {
  values <- c(...)
  paste(names(values), values, sep = "=", collapse = " ")
}

# Floating point operations of a call: both directions, input and recurrent products; training does three times that.
operations <- function(cell, sizes, mode) {
  gates <- c(lstm = 4, gru = 3, simple_rnn = 1)[[cell]]
  unname(2 * 2 * sizes[["B"]] * sizes[["T"]] * gates * sizes[["U"]] * (sizes[["F"]] + sizes[["U"]])) *
    (if (mode == "train") 3 else 1)
}

# An entrant: the name under which its times are kept, the program, words of its own, and whether it is asked in every
# round or only in every k-th.
entrant <- function(label, program = label, words = "", every = 1) {
  list(label = label, program = program, words = words, every = every)
}

# threads: of the whole measurement; `clock` follows from it.
measurement <- function(key, words, entrants, threads = 1, ms = 40, min = 2) {
  clock <- if (threads == 1) "cpu" else "wall"
  list(
    key = paste0(key, "/", threads), threads = threads, entrants = entrants,
    words = paste(words, words_of(threads = threads, clock = clock, ms = ms, min = min))
  )
}

layer_words <- function(cell, sizes, mode, rs = 1) {
  words_of(cell = cell, sizes, train = modes[[mode]], rs = rs)
}

# Every layer, size and mode, against every peer that has it.
layer_measurement <- function(cell, config, mode, threads, rs) {
  large <- config == "L"
  now_and_then <- if (rs == 0) 3 else 1
  entrants <- list(entrant("birnn", every = now_and_then), entrant("onednn", every = now_and_then))
  if (mode == "infer" && cell != "simple_rnn") {
    entrants <- c(entrants, list(entrant("onnxruntime", every = now_and_then)))
  }
  # torch 1.13 takes minutes for some large steps on two threads.
  if (rs == 1 && !(large && threads > 1)) {
    entrants <- c(entrants, list(entrant("torch", every = if (large || threads > 1) 3 else 1)))
  }
  measurement(
    paste("layer", cell, config, mode, paste0("rs", rs), sep = "/"), layer_words(cell, configs[[config]], mode, rs),
    entrants, threads, min = if (large) 1 else 2
  )
}

layer_measurements <- function() {
  grid <- expand.grid(
    mode = names(modes), rs = 1:0, threads = 1:2, cell = cells, config = names(configs), stringsAsFactors = FALSE
  )
  Map(layer_measurement, grid$cell, grid$config, grid$mode, grid$threads, grid$rs)
}

small_batches <- c(1, 2, 3, 7)
large_units <- c(512, 1024)
large_sizes <- function(units) c(B = 32, T = 50, F = 128, U = units)

batch_measurements <- function() {
  grid <- expand.grid(mode = names(modes), batch = small_batches, cell = c("lstm", "gru"), stringsAsFactors = FALSE)
  Map(function(cell, batch, mode) {
    sizes <- replace(configs$M, "B", batch)
    measurement(paste("batch", cell, batch, mode, sep = "/"), layer_words(cell, sizes, mode),
      list(entrant("birnn"), entrant("onednn")))
  }, grid$cell, grid$batch, grid$mode)
}

# birnn against itself.
variant_measurements <- function(isas) {
  grid <- expand.grid(config = c("S", "M"), mode = names(modes), stringsAsFactors = FALSE)
  masks <- Map(function(config, mode) {
    measurement(paste("mask", config, mode, sep = "/"), layer_words("lstm", configs[[config]], mode), list(
      entrant("none", "birnn"), entrant("uniform", "birnn", "mask=uniform"), entrant("true", "birnn", "mask=true")
    ))
  }, grid$config, grid$mode)
  tiers <- lapply(names(modes), function(mode) {
    measurement(paste("tier/M", mode, sep = "/"), layer_words("lstm", configs$M, mode), c(
      lapply(isas, function(isa) entrant(isa, "birnn", paste0("isa=", isa))),
      list(entrant("arma_reference", every = 3), entrant("arma_openblas"))
    ))
  })
  # Rows of both directions side by side, where units do not fill cache lines, or in two outputs.
  shared_lines <- measurement("lines/20_units", layer_words("lstm", replace(configs$M, "U", 20), "infer"), list(
    entrant("side_by_side", "birnn"), entrant("apart", "birnn", "merge=none")
  ), threads = 2)
  # Recurrent weights of 4 and 16 MiB a direction, and the peak in the same seconds.
  large <- lapply(large_units, function(units) {
    measurement(paste0("large/", units), "", list(
      entrant("layer", "birnn", layer_words("lstm", large_sizes(units), "infer")),
      entrant("gemm_1024", "birnn", words_of(task = "gemm", n = 1024))
    ), min = 1)
  })
  types <- lapply(names(modes), function(mode) {
    measurement(paste("type/M", mode, sep = "/"), layer_words("lstm", configs$M, mode), list(
      entrant("float32", "birnn"), entrant("float64", "birnn", "dtype=float64")
    ))
  })
  c(masks, tiers, types, list(shared_lines), large)
}

peak_measurement <- function() {
  measurement("peak", words_of(task = "gemm", n = 1024), list(
    entrant("birnn"), entrant("onednn"), entrant("arma_openblas")
  ), ms = 60, min = 3)
}

# birnn through R, next to the layer alone.
r_measurements <- function() {
  layer <- function(mode) entrant("layer", "birnn", paste(layer_words("lstm", configs$M, mode, 0), "dx=0"))
  r_task <- function(task, program = "r", label = task) entrant(label, program, paste0("task=", task))
  alone <- lapply(c("tiny_fit", "tiny_predict", "new_shape_predict", "new_shape_train", "convert"), function(task) {
    measurement(paste0("r/", task), "", list(r_task(task)), ms = 100)
  })
  c(alone, list(
    measurement("r/predict", "", list(layer("infer"), r_task("predict"), r_task("evaluate")), ms = 150, min = 5),
    measurement("r/fit", "", list(layer("train"), r_task("fit"), r_task("fit_eager")), ms = 300, min = 5),
    measurement("r/blas", "", list(
      r_task("predict", "r_reference", "reference"), r_task("predict", "r_openblas", "openblas")
    ), ms = 150)
  ))
}

all_measurements <- function(isas) {
  c(list(peak_measurement()), layer_measurements(), batch_measurements(), variant_measurements(isas), r_measurements())
}
