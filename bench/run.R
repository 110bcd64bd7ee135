# Measures birnn and its peers, and writes the tables into bench/README.md: `make bench`, from the root of the sources.
#
# Environment: ROUNDS (9), ONLY (a pattern of measurements, for instance "layer/lstm/S|peak"; then the tables go to the
# screen and README.md stays as it is), CORE (the core for rows of one thread: the last), QUIET (rows of two threads
# count where other work takes less than this many cores: 0.15), PYTHON (one that has torch), NODE_MODULES.
missing <- Filter(function(package) !requireNamespace(package, quietly = TRUE), c("processx", "R6", "RcppArmadillo"))
if (length(missing)) stop("R packages missing: ", paste(missing, collapse = ", "))
for (file in c("programs", "requests", "build", "targets", "report")) source(file.path("bench", paste0(file, ".R")))

setting <- function(name, otherwise) {
  value <- Sys.getenv(name)
  if (nzchar(value)) value else otherwise
}

settings <- list(
  rounds = as.integer(setting("ROUNDS", "9")),
  only = setting("ONLY", ""),
  core = setting("CORE", as.character(parallel::detectCores() - 1)),
  quiet = as.numeric(setting("QUIET", "0.15")),
  build = file.path(".build", "bench")
)

# Cores that other work keeps busy, since `before`.
watch <- function(fleet) list(busy = busy_seconds(), own = own_seconds(fleet$pids()), time = Sys.time())
foreign_load <- function(before, fleet) {
  now <- watch(fleet)
  max(0, (now$busy - before$busy - (now$own - before$own)) / as.numeric(now$time - before$time, units = "secs"))
}

# One round of a measurement: a row for each entrant.
measure <- function(m, round, fleet) {
  due <- Filter(function(e) (round - 1) %% e$every == 0 && fleet$has(e$program, m$threads), m$entrants)
  if (length(due) == 0) return(NULL)
  # Nobody is always the first.
  due <- due[(seq_along(due) + round - 2) %% length(due) + 1]
  before <- watch(fleet)
  answers <- lapply(due, function(e) fleet$ask(e$program, m$threads, paste(m$words, e$words)))
  load <- foreign_load(before, fleet)
  rows <- Map(function(e, answer) {
    if (is.null(answer)) return(NULL)
    times <- as.numeric(answer)
    data.frame(key = m$key, label = e$label, round = round, median = times[[1]], best = times[[2]],
      samples = times[[3]], threads = m$threads, load = load)
  }, due, answers)
  do.call(rbind, rows)
}

is_quiet <- function(fleet, limit) {
  before <- watch(fleet)
  Sys.sleep(1)
  foreign_load(before, fleet) < limit
}

run_round <- function(round, measurements, fleet) {
  threads <- vapply(measurements, `[[`, numeric(1), "threads")
  rows <- lapply(measurements[threads == 1], measure, round, fleet)
  if (any(threads > 1)) {
    if (is_quiet(fleet, settings$quiet)) {
      rows <- c(rows, lapply(measurements[threads > 1], measure, round, fleet))
    } else {
      message("round ", round, ": the machine is busy, no rows of two threads")
    }
  }
  do.call(rbind, rows)
}

only_matching <- function(measurements, pattern) {
  if (!nzchar(pattern)) return(measurements)
  Filter(function(m) grepl(pattern, m$key), measurements)
}

minutes_since <- function(started) as.numeric(Sys.time() - started, units = "mins")

main <- function() {
  started <- Sys.time()
  built <- build_all(settings$build)
  fleet <- Fleet$new(programs(settings$build), settings$core)
  on.exit(fleet$stop())
  isas <- fleet$ask("birnn", 1, "task=isas")
  measurements <- only_matching(all_measurements(isas), settings$only)
  results <- NULL
  for (round in seq_len(settings$rounds)) {
    results <- rbind(results, run_round(round, measurements, fleet))
    utils::write.csv(results, file.path(settings$build, "results.csv"), row.names = FALSE)
    message(sprintf("round %d of %d after %.1f minutes", round, settings$rounds, minutes_since(started)))
  }
  session <- describe_session(fleet, isas, built, results, started)
  write_report(results, session, if (nzchar(settings$only)) stdout() else file.path("bench", "README.md"))
}

main()
