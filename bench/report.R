# The tables of bench/README.md.

# --- what was measured --------------------------------------------------------------------------------------------

cache_sizes <- function() {
  folders <- Sys.glob("/sys/devices/system/cpu/cpu0/cache/index*")
  read <- function(folder, what) readLines(file.path(folder, what), 1)
  kinds <- vapply(folders, function(folder) {
    kind <- read(folder, "type")
    if (kind == "Instruction") return("")
    paste0("L", read(folder, "level"), " ", read(folder, "size"))
  }, character(1))
  paste(kinds[nzchar(kinds)], collapse = ", ")
}

# The processor by its features only.
describe_machine <- function() {
  info <- readLines("/proc/cpuinfo")
  field <- function(name) sub(".*: *", "", grep(paste0("^", name, "\\s*:"), info, value = TRUE)[[1]])
  flags <- strsplit(field("flags"), " ")[[1]]
  sets <- intersect(c("sse2", "avx2", "fma", "avx512f", "avx512vl", "amx_tile"), flags)
  sprintf("%s, family %s model %s; %s; %d cores; caches of a core %s", field("vendor_id"), field("cpu family"),
    field("model"), paste(sets, collapse = " "), parallel::detectCores(), cache_sizes())
}

compiler_version <- function() {
  compiler <- system2(file.path(R.home("bin"), "R"), c("CMD", "config", "CXX17"), stdout = TRUE)
  system2(strsplit(compiler, " ")[[1]][[1]], "--version", stdout = TRUE)[[1]]
}

describe_session <- function(fleet, isas, built, results, started) {
  version <- function(name) paste(fleet$ask(name, 1, "task=version"), collapse = " ")
  peers <- c(oneDNN = "onednn", "ONNX Runtime" = "onnxruntime", torch = "torch")
  present <- peers[vapply(peers, fleet$has, logical(1))]
  list(
    machine = describe_machine(), isas = isas, built = built, quiet = settings$quiet, rounds = settings$rounds,
    versions = c(birnn = version("r"), vapply(present, version, ""), R = as.character(getRversion()),
      compiler = compiler_version()),
    blas = vapply(c("r_reference", "r_openblas"), function(r) paste(fleet$ask(r, 1, "task=blas"), collapse = ""), ""),
    lost = fleet$lost, load = stats::median(results$load),
    minutes = minutes_since(started)
  )
}

# --- markdown -----------------------------------------------------------------------------------------------------

number <- function(x, digits = 2) ifelse(is.na(x), "n/m", formatC(x, digits = digits, format = "f"))
milliseconds <- function(x) ifelse(is.na(x), "n/m", formatC(x, digits = 3, format = "fg", flag = "#"))

table_lines <- function(header, rows) {
  line <- function(cells) paste0("| ", paste(cells, collapse = " | "), " |")
  c(line(header), line(rep("---", length(header))), vapply(rows, line, ""))
}

# Limits that are all equal are said once.
limit_text <- function(row, limit) {
  if (all(is.na(limit))) return("")
  texts <- number(limit, if (row$unit == " %") 0 else 2)
  paste0(if (length(unique(texts)) == 1) texts[[1]] else paste(texts, collapse = " / "), row$unit)
}

# `partly`: without the rows that nothing was measured for.
target_table <- function(results, built, partly = FALSE) {
  rows <- target_rows(results, built)
  if (partly) rows <- Filter(function(row) !all(is.na(row$values)), rows)
  lines <- lapply(rows, function(row) {
    c(
      row$label, paste(names(row$values), collapse = " / "),
      paste0(paste(number(row$values, row$digits), collapse = " / "), row$unit),
      limit_text(row, row$floor), verdict(row, row$floor), limit_text(row, row$target), verdict(row, row$target)
    )
  })
  table_lines(c("", "of", "measured", "floor", "", "target", ""), lines)
}

# Median milliseconds of birnn (the best), rate, ratios of the peers.
layer_line <- function(results, key, sizes, cell, mode, threads, peers) {
  rows <- results[results$key == key & results$label == "birnn", ]
  time <- median_or_na(rows$median)
  ratios <- vapply(peers, function(peer) {
    ratio <- peer_ratio(results, key, peer)
    if (is.na(ratio)) "" else paste0("x", number(ratio))
  }, "")
  c(threads, if (nrow(rows)) sprintf("%s (%s)", milliseconds(time), milliseconds(min(rows$best))) else "n/m",
    number(operations(cell, sizes, mode) / time / 1e6, 0), ratios)
}

peers_shown <- c(oneDNN = "onednn", "ONNX Runtime" = "onnxruntime", torch = "torch")
cell_names <- c(lstm = "LSTM", gru = "GRU", simple_rnn = "SimpleRNN")

layer_table <- function(results, cell, mode) {
  grid <- expand.grid(threads = 1:2, rs = 1:0, config = names(configs), stringsAsFactors = FALSE)
  lines <- Map(function(config, rs, threads) {
    key <- layer_key(cell, config, mode, threads, rs)
    if (!key %in% results$key) return(NULL)
    outputs <- if (rs == 1) "all" else "last"
    c(config, outputs, layer_line(results, key, configs[[config]], cell, mode, threads, peers_shown))
  }, grid$config, grid$rs, grid$threads)
  lines <- Filter(Negate(is.null), lines)
  if (length(lines) == 0) return(NULL)
  what <- if (mode == "infer") "inference" else "training step"
  c(paste0("**", cell_names[[cell]], ", ", what, "**"), "",
    table_lines(c("", "outputs", "threads", "birnn, ms", "GFLOP/s", names(peers_shown)), lines), "")
}

batch_table <- function(results) {
  grid <- expand.grid(batch = small_batches, mode = names(modes), cell = c("lstm", "gru"), stringsAsFactors = FALSE)
  lines <- Map(function(cell, mode, batch) {
    key <- paste("batch", cell, batch, mode, 1, sep = "/")
    if (!key %in% results$key) return(NULL)
    c(cell_names[[cell]], mode, batch,
      layer_line(results, key, replace(configs$M, "B", batch), cell, mode, 1, peers_shown[1])[-1])
  }, grid$cell, grid$mode, grid$batch)
  table_lines(c("", "", "rows", "birnn, ms", "GFLOP/s", "oneDNN"), Filter(Negate(is.null), lines))
}

# The rate, where a row is about one.
rate_text <- function(key, label, time) {
  units <- as.numeric(sub("^large/([0-9]+)/.*", "\\1", key)[grepl("^large/", key)])
  work <- if (key == "peak/1" || label == "gemm_1024") {
    2 * 1024^3
  } else if (length(units)) {
    operations("lstm", large_sizes(units), "infer")
  } else {
    return("")
  }
  paste(number(work / time / 1e6, 0), "GFLOP/s")
}

variant_table <- function(results) {
  shown <- grepl("^(mask|tier|type|lines|large|peak|r)/", paste0(results$key, "/"))
  rows <- unique(results[shown, c("key", "label")])
  lines <- Map(function(key, label) {
    times <- times_of(results, key, label)
    unit <- if (grepl("convert", key)) " GB/s" else " ms"
    c(sub("/1$", "", key), label, paste0(milliseconds(stats::median(times)), unit),
      rate_text(key, label, stats::median(times)))
  }, rows$key, rows$label)
  table_lines(c("measurement", "", "median", ""), lines)
}

session_lines <- function(session) {
  lost <- if (length(session$lost)) {
    paste0("- Left out: ", paste0(names(session$lost), " (", unlist(session$lost), ")", collapse = "; "), ".")
  }
  c(
    paste0("- Machine: ", session$machine, ". Instruction sets of birnn: ", paste(session$isas, collapse = ", "), "."),
    paste0("- Versions: ", paste(names(session$versions), session$versions, collapse = ", "), "; BLAS under R: ",
      paste(session$blas, collapse = " and "), "."),
    sprintf("- %d rounds in %.0f minutes; other work on the machine during a measurement: %.2f cores (median).",
      session$rounds, session$minutes, session$load),
    sprintf("- Rows of two threads: only where other work took less than %.2f cores, otherwise n/m (not measured).",
      session$quiet),
    lost
  )
}

report_lines <- function(results, session, partly) {
  results <- usable(results, session$quiet)
  layers <- unlist(lapply(cells, function(cell) lapply(names(modes), function(mode) layer_table(results, cell, mode))))
  c(
    session_lines(session), "",
    "### Floors and targets", "", target_table(results, session$built, partly), "",
    "### Layers", "", "Median (best) of birnn; peers as time of the peer / time of birnn.", "", layers,
    "### Small batches", "", "Configuration M with fewer rows, one thread, all outputs.", "", batch_table(results), "",
    "### Everything else", "", variant_table(results)
  )
}

markers <- c("<!-- begin: written by make bench -->", "<!-- end: written by make bench -->")

# Replaces what stands between the markers of `to`.
write_report <- function(results, session, to) {
  lines <- report_lines(results, session, partly = !is.character(to))
  if (!is.character(to)) return(writeLines(lines, to))
  text <- readLines(to)
  at <- match(markers, text)
  writeLines(c(text[seq_len(at[[1]])], "", lines, "", text[at[[2]]:length(text)]), to)
  message("written: ", to)
}
