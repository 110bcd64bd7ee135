# Builds what is measured: the package, timed, into a library of its own, and the programs of engines/.

newest <- function(paths) max(file.mtime(list.files(paths, recursive = TRUE, full.names = TRUE)))

# A copy of the package's sources, so that no object file lands among them.
copy_sources <- function(to) {
  unlink(to, recursive = TRUE)
  dir.create(to, recursive = TRUE)
  parts <- c("DESCRIPTION", "NAMESPACE", "LICENSE", "NEWS.md", "R", "src", "inst", "man")
  stopifnot(file.copy(parts[file.exists(parts)], to, recursive = TRUE, copy.date = TRUE))
  unlink(list.files(file.path(to, "src"), "[.](o|so)$", full.names = TRUE))
}

# Installs the package with R's own settings on two cores and keeps how long it took.
install_package <- function(build) {
  library <- file.path(build, "library")
  record <- file.path(build, "compiled.csv")
  if (file.exists(record) && file.mtime(record) > newest(c("DESCRIPTION", "R", "src", "inst"))) return(read.csv(record))
  message("installing birnn into ", library)
  sources <- file.path(build, "birnn-sources")
  copy_sources(sources)
  unlink(library, recursive = TRUE)
  dir.create(library, recursive = TRUE)
  log <- file.path(build, "install.log")
  busy <- busy_seconds()
  time <- system.time(status <- system2(
    file.path(R.home("bin"), "R"), c("CMD", "INSTALL", "--no-test-load", "-l", shQuote(library), shQuote(sources)),
    stdout = log, stderr = log, env = c("MAKEFLAGS=-j2", "R_MAKEVARS_USER=/dev/null")
  ))
  if (status != 0) stop("birnn could not be installed: ", log)
  cpu <- sum(time[4:5])
  compiled <- data.frame(
    wall = time[[3]], cpu = cpu, load = max(0, (busy_seconds() - busy - cpu) / time[[3]]),
    megabytes = stripped_megabytes(list.files(file.path(library, "birnn", "libs"), full.names = TRUE)[[1]])
  )
  utils::write.csv(compiled, record, row.names = FALSE)
  compiled
}

stripped_megabytes <- function(shared) {
  copy <- tempfile(fileext = ".so")
  file.copy(shared, copy)
  system2("strip", c("-S", copy))
  file.size(copy) / 1e6
}

# `make` knows the folder by its own relative path: names with spaces are beyond it.
build_programs <- function(build) {
  message("building the programs in ", build)
  make <- function(name) {
    log <- file.path(build, paste0(name, ".log"))
    status <- system2("make", c("-j2", "-C", "bench/engines", name), stdout = log, stderr = log)
    if (status != 0) message(name, " could not be built: ", log)
    status == 0
  }
  if (!make("birnn")) stop("the core could not be built")
  for (peer in c("onednn", "armadillo")) make(peer)
}

build_all <- function(build) {
  dir.create(build, recursive = TRUE, showWarnings = FALSE)
  compiled <- install_package(build)
  build_programs(build)
  compiled
}
