# Files made to do harm: each is a classed error or a load that is documented, in little time and memory, and touches
# nothing else. The numbers of the cases are those of the list they come from: Z archives, J JSON, C configs, D HDF5,
# W weights, R backups.

# What became of a file: "load", or the kind of the error; anything else is not allowed.
outcome <- function(load) {
  condition <- suppressWarnings(tryCatch({
    load()
    "load"
  }, error = identity))
  if (is.character(condition)) return(condition)
  kind <- grep("^birnn_error_", class(condition), value = TRUE)
  if (length(kind)) sub("birnn_error_", "", kind[[1]]) else paste("unclassed:", conditionMessage(condition))
}

expect_harmless <- function(id, case, load) {
  for (k in seq_along(case$files)) {
    result <- outcome(function() within_limit(load(case$files[[k]])))
    expect(result %in% case$expect, sprintf("%s, %s, file %d: %s", id, case$what, k, substr(result, 1, 200)))
  }
}

# Ends what hangs: an error that no case expects. The slowest cases need less than a second.
within_limit <- function(code, seconds = 60) {
  setTimeLimit(elapsed = seconds, transient = TRUE)
  on.exit(setTimeLimit())
  code
}

# The most memory that the process had since the last call, in MiB; NA where the system does not tell.
peak_memory <- function() {
  if (!file.exists("/proc/self/clear_refs")) return(NA)
  line <- grep("^VmHWM", readLines("/proc/self/status"), value = TRUE)
  try(writeLines("5", "/proc/self/clear_refs"), silent = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}

resident_memory <- function() {
  line <- grep("^VmRSS", readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}

expect_all_harmless <- function(cases, load, letter, count) {
  expect_identical(names(cases), paste0(letter, seq_len(count)))
  gc()
  peak_memory()
  before <- if (file.exists("/proc/self/status")) resident_memory()
  for (id in names(cases)) expect_harmless(id, cases[[id]], load)
  peak <- peak_memory()
  if (!is.na(peak)) expect_lt(peak - before, 256)
}

base <- hostile_base()

test_that("the parts of hostile files make sound ones, too", {
  members <- list(zip_member("config.json", base$config), zip_member("model.weights.h5", base$weights))
  expect_identical(get_weights(load_model(zip_bytes(members))), get_weights(base$model))
  sound <- plain_dataset()
  expect_identical(r_hdf5_read(sound)$root$members$x$shape, 4L)
  chunks <- r_hdf5_read(h5_chunked(4, 4, 1, memCompress(raw(16), "gzip")))
  expect_equal(as.array(r_hdf5_numbers(chunks$file, 1L, "float32")), array(0, 4))
})

test_that("archives", {
  expect_all_harmless(zip_cases(base), load_model, "Z", 24)
})
test_that("JSON", {
  expect_all_harmless(json_cases(base), load_model, "J", 17)
})
test_that("configs", {
  expect_all_harmless(config_cases(base), load_model, "C", 26)
})

test_that("HDF5", {
  cases <- hdf5_cases(base)
  expect_all_harmless(cases, function(bytes) load_model(keras_bytes(base$config, bytes)), "D", 27)
  # The same as files of weights, into a model that stays as it was.
  model <- load_model(base$file)
  before <- get_weights(model)
  path <- withr::local_tempfile(fileext = ".weights.h5")
  for (case in cases[!names(cases) %in% c("D23", "D24")]) {
    for (bytes in case$files) {
      r_replace_file(path, bytes)
      expect_identical(outcome(function() load_model_weights(model, path)) %in% case$expect, TRUE, info = case$what)
    }
  }
  expect_identical(get_weights(model), before)
})

test_that("weights", {
  cases <- weight_cases(base)
  expect_all_harmless(cases, load_model, "W", 10)
  expect_warning(load_model(cases$W5$files[[1]]), "NaN", class = "birnn_warning_file")
  expect_warning(load_model(cases$W8$files[[1]]), "optimizer", class = "birnn_warning_file")
})

test_that("backups", {
  folder <- withr::local_tempdir()
  data <- training_data()
  train <- function(...) {
    model <- keras_model_sequential(input_shape = c(4, 3)) |> layer_simple_rnn(2) |> layer_dense(1)
    compile(model, "adam", loss = "mse")
    callbacks <- list(callback_backup_and_restore(folder, 1), ...)
    fit(model, data$x, data$y, batch_size = 8, epochs = 2, verbose = 0, callbacks = callbacks)
  }
  try(train(callback_crash(2)), silent = TRUE)
  path <- file.path(folder, "training.backup")
  cases <- backup_cases(r_read_file(path))
  load <- function(bytes) {
    r_replace_file(path, bytes)
    train()
  }
  for (id in names(cases)) cases[[id]]$expect <- c("file", "weights")
  expect_all_harmless(cases, load, "R", 10)
})

test_that("the code that reads files calls nothing by name and opens nothing else", {
  skip_without_sources()
  files <- source_files("R", "^(save|serialize|model-serialize).*[.]R$")
  expect_gt(length(files), 8)
  forbidden <- c("eval", "parse", "evalq", "get", "mget", "match.fun", "source", "sys.source", "load", "attach",
                 "readRDS", "unserialize", "unzip", "untar", "fromJSON", "url", "download.file", "system", "system2",
                 "file", "readLines", "scan", "library", "require", "loadNamespace", "str2lang", "getFromNamespace",
                 "getExportedValue")
  found <- lapply(rlang::set_names(files, basename(files)), function(path) {
    data <- utils::getParseData(parse(path, keep.source = TRUE))
    intersect(data$text[data$token == "SYMBOL_FUNCTION_CALL"], forbidden)
  })
  # Fields of the user's own callbacks, and R's generator.
  allowed <- list(`save-values.R` = "mget")
  for (name in names(found)) expect_identical(setdiff(found[[name]], allowed[[name]]), character(), info = name)
})

test_that("no other file, no socket and no process is opened", {
  skip_on_cran()
  skip_if(!nzchar(Sys.which("strace")), "there is no strace")
  folder <- withr::local_tempdir()
  trace <- file.path(folder, "trace")
  probe <- system2("strace", c("-o", trace, "-e", "trace=openat", "true"), stdout = FALSE, stderr = FALSE)
  skip_if(probe != 0, "strace is not allowed here")
  cases <- c(zip_cases(base), json_cases(base)[-c(5, 11, 17)], config_cases(base), hdf5_cases(base)[-24],
             weight_cases(base))
  files <- unlist(lapply(cases, `[[`, "files"), recursive = FALSE)
  paths <- file.path(folder, sprintf("case-%04d.keras", seq_along(files)))
  for (k in seq_along(files)) {
    is_hdf5 <- length(files[[k]]) > 4 && identical(files[[k]][1:4], base$weights[1:4])
    r_replace_file(paths[[k]], if (is_hdf5) keras_bytes(base$config, files[[k]]) else files[[k]])
  }
  good <- file.path(folder, "good.keras")
  r_replace_file(good, base$file)
  begin <- file.path(folder, "begin")
  end <- file.path(folder, "end")
  writeLines("", begin)
  writeLines("", end)
  code <- sprintf("library(birnn)
    open <- function(p) suppressWarnings(tryCatch(load_model(p), error = function(e) conditionMessage(e)))
    for (k in 1:2) { open('%s'); open('%s'); readLines('%s') }
    for (p in list.files('%s', 'case-', full.names = TRUE)) open(p)
    readLines('%s')", good, paths[[1]], begin, folder, end)
  script <- withr::local_tempfile(lines = code, fileext = ".R")
  calls <- "trace=open,openat,creat,socket,connect,execve,unlink,rename,mkdir"
  status <- system2("strace", c("-f", "-o", trace, "-e", calls, file.path(R.home("bin"), "Rscript"), script),
                    stdout = FALSE, stderr = FALSE)
  expect_identical(status, 0L)
  lines <- readLines(trace)
  between <- c(max(grep(begin, lines, fixed = TRUE)) + 1, grep(end, lines, fixed = TRUE)[[1]] - 1)
  lines <- lines[between[[1]]:between[[2]]]
  seen <- grep("case-", lines, fixed = TRUE)
  expect_gte(length(seen), length(paths))
  others <- lines[-seen]
  ours <- c(R.home(), .libPaths(), normalizePath(.libPaths()), normalizePath(R.home()), "/proc/self", "/sys/")
  is_ours <- Reduce(`|`, lapply(unique(ours), function(path) grepl(paste0("\"", path), others, fixed = TRUE)))
  bad <- grep("open|creat|socket|connect|execve|unlink|rename|mkdir", others[!is_ours], value = TRUE)
  bad <- grep(paste0("/usr/(lib|share)/locale|", folder, "\".*O_DIRECTORY"), bad, value = TRUE, invert = TRUE)
  expect_identical(bad, character())
})
