# The floors and targets of the core's speed, and how each row is formed from the measured times.

# --- from results to numbers --------------------------------------------------------------------------------------

# Median times of one entrant by round: a named vector.
times_of <- function(results, key, label) {
  rows <- results[results$key == key & results$label == label, ]
  stats::setNames(rows$median, rows$round)
}

# The median over rounds of time(a) / time(b); NA if they never met.
ratio_of <- function(a, b) {
  both <- intersect(names(a), names(b))
  if (length(both)) stats::median(a[both] / b[both]) else NA_real_
}

# Rows of two threads count only where the machine was quiet.
usable <- function(results, quiet) results[results$threads == 1 | results$load < quiet, ]

peer_ratio <- function(results, key, peer) ratio_of(times_of(results, key, peer), times_of(results, key, "birnn"))

layer_key <- function(cell, config, mode, threads, rs = 1) {
  paste("layer", cell, config, mode, paste0("rs", rs), threads, sep = "/")
}

over_configs <- function(of, names = c("S", "M", "L", "lat")) {
  vapply(stats::setNames(names, names), of, numeric(1))
}

against <- function(results, peers, cell, mode, threads) {
  over_configs(function(config) {
    ratios <- vapply(peers, function(peer) {
      peer_ratio(results, layer_key(cell, config, mode, threads), peer)
    }, numeric(1))
    if (all(is.na(ratios))) NA_real_ else min(ratios, na.rm = TRUE)
  })
}

# The best rate of any library by round, in operations a millisecond.
peak_rates <- function(results) {
  rows <- results[results$key == "peak/1", ]
  fastest <- tapply(rows$median, rows$round, min)
  stats::setNames(2 * 1024^3 / as.vector(fastest), names(fastest))
}

peak_fraction <- function(results, mode) {
  peak <- peak_rates(results)
  over_configs(function(config) {
    times <- times_of(results, layer_key("lstm", config, mode, 1), "birnn")
    both <- intersect(names(times), names(peak))
    if (!length(both)) return(NA_real_)
    100 * stats::median(operations("lstm", configs[[config]], mode) / times[both] / peak[both])
  }, c("S", "M", "L"))
}

variant_ratio <- function(results, key, a, b) ratio_of(times_of(results, key, a), times_of(results, key, b))

mask_ratios <- function(results, mask) {
  of <- function(config, mode) variant_ratio(results, paste("mask", config, mode, 1, sep = "/"), mask, "none")
  c(
    "S infer" = of("S", "infer"), "M infer" = of("M", "infer"),
    "S train" = of("S", "train"), "M train" = of("M", "train")
  )
}

thread_gain <- function(results) {
  of <- function(config, mode) {
    ratio_of(times_of(results, layer_key("lstm", config, mode, 1), "birnn"),
      times_of(results, layer_key("lstm", config, mode, 2), "birnn"))
  }
  c(
    "M infer" = of("M", "infer"), "L infer" = of("L", "infer"),
    "M train" = of("M", "train"), "L train" = of("L", "train")
  )
}

by_mode <- function(of) c(infer = of("infer"), train = of("train"))

median_or_na <- function(x) if (length(x)) stats::median(x) else NA_real_
r_times <- function(results, task) median_or_na(times_of(results, paste0("r/", task, "/1"), task))

# --- the rows -----------------------------------------------------------------------------------------------------

# `floor`, `target`: recycled over the values. `higher`: larger is better.
row_of <- function(label, values, floor, target = NA, higher = TRUE, digits = 2, unit = "") {
  list(
    label = label, values = values, floor = rep_len(floor, length(values)),
    target = rep_len(target, length(values)), higher = higher, digits = digits, unit = unit
  )
}

peer_rows <- function(results) {
  onednn <- function(cell, mode, threads = 1) against(results, "onednn", cell, mode, threads)
  ort <- function(threads) against(results, "onnxruntime", "lstm", "infer", threads)
  simple <- function(mode) against(results, c("onednn", "torch"), "simple_rnn", mode, 1)
  list(
    row_of(
      "LSTM inference against oneDNN, 1 thread",
      onednn("lstm", "infer"), c(1.4, 1.07, 1, 1.2), c(1.5, 1.12, 1.05, 1.4)
    ),
    row_of("... 2 threads", onednn("lstm", "infer", 2), c(2, 1.2, 1.05, 2.2), c(2.5, 1.4, 1.12, 2.8)),
    row_of(
      "LSTM training against oneDNN, 1 thread", onednn("lstm", "train"), c(1.4, 1.12, 1, 1.2), c(1.6, 1.2, 1.06, 1.4)
    ),
    row_of("... 2 threads", onednn("lstm", "train", 2), c(2.3, 1.25, 1.05, 2), c(3, 1.5, 1.15, 3)),
    row_of(
      "GRU inference against oneDNN, 1 thread",
      onednn("gru", "infer"), c(1.5, 1.15, 1.08, 1.15), c(1.7, 1.25, 1.15, 1.4)
    ),
    row_of(
      "GRU training against oneDNN, 1 thread", onednn("gru", "train"), c(1.2, 1.05, 1, 1.1), c(1.5, 1.2, 1.06, 1.3)
    ),
    row_of("SimpleRNN inference against the better of oneDNN and torch", simple("infer"), 1, 1.3),
    row_of("SimpleRNN training against the better of oneDNN and torch", simple("train"), 1, 1.3),
    row_of("LSTM inference against ONNX Runtime, 1 thread", ort(1), c(1.6, 1.15, 1.12, 1.05), c(1.8, 1.25, 1.2, 1.2)),
    row_of("... 2 threads", ort(2), c(1.8, 1.2, 1.15, 1.8), c(2.2, 1.4, 1.3, 2.2))
  )
}

own_rows <- function(results) {
  tier <- function(mode, a, b) variant_ratio(results, paste("tier/M", mode, 1, sep = "/"), a, b)
  type <- function(mode) variant_ratio(results, paste("type/M", mode, 1, sep = "/"), "float32", "float64")
  list(
    row_of(
      "fraction of the sgemm peak, LSTM inference",
      peak_fraction(results, "infer"), c(78, 88, 88), c(82, 92, 95), digits = 1, unit = " %"
    ),
    row_of("... training", peak_fraction(results, "train"), c(83, 85, 88), c(88, 90, 93), digits = 1, unit = " %"),
    row_of("lengths spread over 1..T (mask) against no mask", mask_ratios(results, "uniform"), 0.62, 0.55, FALSE),
    row_of("mask of TRUE against no mask", mask_ratios(results, "true"), 1.05, 1.02, FALSE),
    row_of("two threads against one", thread_gain(results), 1.85, 1.95),
    row_of(
      "AVX2 tier against AVX-512 tier, M",
      by_mode(function(m) 100 * tier(m, "avx512", "avx2")), 45, 90, digits = 1, unit = " %"
    ),
    row_of(
      "base tier (SSE2, NEON) against Armadillo with reference BLAS, M",
      by_mode(function(m) tier(m, "arma_reference", "base")), 5, 7
    ),
    row_of("float64 against float32 rate, M", by_mode(function(m) 100 * type(m)), 35, 45, digits = 1, unit = " %")
  )
}

r_rows <- function(results, built) {
  through_r <- function(task, of, label) variant_ratio(results, paste0("r/", task, "/1"), of, label)
  list(
    row_of("tiny model through R: fit step", c(ms = r_times(results, "tiny_fit")), 0.12, 0.06, FALSE, 3),
    row_of("... predict of one sample", c(ms = r_times(results, "tiny_predict")), 0.15, 0.08, FALSE, 3),
    row_of("new batch shape, extra cost of the first call", c(
      "ms, predict" = r_times(results, "new_shape_predict"), "ms, train_on_batch" = r_times(results, "new_shape_train")
    ), 0.2, 0.05, FALSE, 3),
    row_of(
      "M through R against the layer: predict", c(ratio = through_r("predict", "predict", "layer")), 1.2, 1.1, FALSE
    ),
    row_of("... fit step", c(ratio = through_r("fit", "fit", "layer")), 1.1, 1.05, FALSE),
    row_of("... eager step against plan", c(ratio = through_r("fit", "fit_eager", "fit")), 1.2, 1.1, FALSE),
    row_of(
      "(32, 100, 256) to an R array, R's allocation excluded",
      c("GB/s" = r_times(results, "convert")), 2, 5, digits = 1
    ),
    row_of(
      "predict with reference BLAS against OpenBLAS",
      c(ratio = through_r("blas", "reference", "openblas")), 1.05, NA, FALSE
    ),
    row_of("installation on two cores", compile_minutes(built), 3, NA, FALSE, 1),
    row_of("installed library without debug symbols", c(MB = built$megabytes), 8, NA, FALSE, 1)
  )
}

# Wall time, or on a busy machine half of the CPU time.
compile_minutes <- function(built) {
  if (built$load < 0.3) c("minutes, wall" = built$wall / 60) else c("minutes, half of the CPU time" = built$cpu / 120)
}

target_rows <- function(results, built) c(peer_rows(results), own_rows(results), r_rows(results, built))

# "met", "not met (L)" or "n/m" for a row and its limits.
verdict <- function(row, limit) {
  if (all(is.na(limit))) return("")
  if (all(is.na(row$values))) return("n/m")
  missed <- if (row$higher) row$values < limit else row$values > limit
  bad <- names(row$values)[!is.na(missed) & missed]
  if (length(bad) == 0) return(if (anyNA(row$values)) "met where measured" else "met")
  if (length(row$values) == 1) "**not met**" else paste0("**not met** (", paste(bad, collapse = ", "), ")")
}
