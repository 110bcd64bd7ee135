# The measured programs: what they are, how they are started, and how they are asked. See engines/serve.h.

# CPU seconds of the whole machine that were not idle, and of this process and its programs.
busy_seconds <- function() {
  ticks <- as.numeric(strsplit(trimws(sub("^cpu", "", readLines("/proc/stat", 1))), " +")[[1]][1:8])
  (sum(ticks) - sum(ticks[4:5])) / 100
}
own_seconds <- function(pids) {
  used <- vapply(c(Sys.getpid(), pids), function(pid) {
    stat <- tryCatch(readLines(file.path("/proc", pid, "stat"), 1), error = function(e) NA, warning = function(w) NA)
    if (is.na(stat)) return(0)
    sum(as.numeric(strsplit(sub("^.*[)] ", "", stat), " ")[[1]][12:13])) / 100
  }, numeric(1))
  sum(used)
}

first_that <- function(candidates, accepts) {
  found <- Filter(accepts, candidates)
  if (length(found)) found[[1]]
}

python_with_torch <- function() {
  candidates <- c(Sys.getenv("PYTHON"), "python3", "/usr/bin/python3")
  first_that(candidates[nzchar(Sys.which(candidates))], function(python) {
    identical(system2(python, c("-c", shQuote("import torch")), stdout = FALSE, stderr = FALSE), 0L)
  })
}

# Folders that hold a libblas.so.3 of one kind.
blas_folders <- function() {
  libraries <- Sys.glob(c("/usr/lib/*/blas", "/usr/lib/*/openblas-pthread", "/usr/lib/*/openblas-serial"))
  libraries <- libraries[file.exists(file.path(libraries, "libblas.so.3"))]
  list(
    reference = first_that(libraries, function(folder) basename(folder) == "blas"),
    openblas = first_that(libraries, function(folder) startsWith(basename(folder), "openblas"))
  )
}

# name -> list(command, env) or list(missing = why).
programs <- function(build) {
  here <- file.path("bench", "engines")
  compiled <- function(name, env = character(), needs = NULL) {
    path <- file.path(build, name)
    if (file.exists(path)) list(command = path, env = env) else list(missing = paste("could not be built:", needs))
  }
  # Preloaded: R puts folders of its own before those of LD_LIBRARY_PATH.
  with_blas <- function(folder, kind, program) {
    if (is.null(folder)) return(list(missing = paste("no library of", kind)))
    program$env <- c(program$env, LD_PRELOAD = file.path(folder, "libblas.so.3"))
    program
  }
  r <- list(
    command = c(file.path(R.home("bin"), "Rscript"), "--vanilla", file.path(here, "birnn.R")),
    env = c(R_LIBS = paste(c(normalizePath(file.path(build, "library")), .libPaths()), collapse = .Platform$path.sep))
  )
  python <- python_with_torch()
  node <- normalizePath(Sys.getenv("NODE_MODULES", file.path(build, "node", "node_modules")), mustWork = FALSE)
  has_node <- nzchar(Sys.which("node")) && dir.exists(file.path(node, "onnxruntime-node"))
  blas <- blas_folders()
  arma <- compiled("armadillo", needs = "RcppArmadillo and libblas-dev")
  list(
    birnn = compiled("birnn"),
    r = r,
    onednn = compiled("onednn", needs = "libdnnl-dev"),
    onnxruntime = if (has_node) {
      list(command = c("node", file.path(here, "onnxruntime.js")), env = c(NODE_MODULES = node))
    } else {
      list(missing = "needs node and `make bench-peers`")
    },
    torch = if (is.null(python)) {
      list(missing = "no python with torch")
    } else {
      list(command = c(python, file.path(here, "pytorch.py")), env = character())
    },
    arma_reference = with_blas(blas$reference, "reference BLAS", arma),
    arma_openblas = with_blas(blas$openblas, "OpenBLAS", arma),
    r_reference = with_blas(blas$reference, "reference BLAS", r),
    r_openblas = with_blas(blas$openblas, "OpenBLAS", r)
  )
}

# Programs at work, started when first asked. With one thread a program is bound to one core.
Fleet <- R6::R6Class("Fleet",
  public = list(
    programs = NULL, core = NULL, running = list(), lost = list(),
    initialize = function(programs, core) {
      self$programs <- programs
      self$core <- core
      absent <- Filter(function(program) !is.null(program$missing), programs)
      self$lost <- lapply(absent, `[[`, "missing")
    },
    has = function(name, threads = 1) is.null(self$lost[[name]]) && is.null(self$lost[[paste(name, threads)]]),
    pids = function() vapply(self$running, function(process) process$get_pid(), integer(1)),
    # The words of the answer, or NULL: then the program is left out from now on, or (`error`) cannot do this.
    ask = function(name, threads, request, limit = 120) {
      if (!self$has(name, threads)) return(NULL)
      process <- self$process(name, threads)
      process$write_input(paste0(request, "\n"))
      line <- self$next_line(process, limit)
      if (is.null(line)) return(self$lose(name, threads, request))
      if (startsWith(line, "ok ")) return(strsplit(sub("^ok ", "", line), " ")[[1]])
      message(name, ", ", request, ": ", line)
      NULL
    },
    stop = function() {
      for (process in self$running) process$kill()
      self$running <- list()
    },
    process = function(name, threads) {
      key <- paste(name, threads)
      if (is.null(self$running[[key]])) self$running[[key]] <- self$start(self$programs[[name]], threads)
      self$running[[key]]
    },
    start = function(program, threads) {
      command <- program$command
      if (threads == 1 && nzchar(Sys.which("taskset"))) command <- c("taskset", "-c", self$core, command)
      one <- c(OPENBLAS_NUM_THREADS = "1", OMP_NUM_THREADS = as.character(threads), TZ = "UTC")
      processx::process$new(
        command[[1]], command[-1],
        env = c("current", one, program$env), stdin = "|", stdout = "|", stderr = NULL, cleanup = TRUE
      )
    },
    next_line = function(process, limit) {
      end <- Sys.time() + limit
      while (Sys.time() < end) {
        process$poll_io(1000)
        line <- process$read_output_lines(1)
        if (length(line)) return(line)
        if (!process$is_alive()) return(NULL)
      }
      NULL
    },
    lose = function(name, threads, request) {
      key <- paste(name, threads)
      self$running[[key]]$kill()
      self$running[[key]] <- NULL
      self$lost[[key]] <- paste0("no answer to `", request, "`")
      message(key, ": ", self$lost[[key]])
      NULL
    }
  )
)
