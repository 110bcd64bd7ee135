# What `./run` asks of R: which packages are missing, to install them, to install birnn if its sources changed.
# Base R only. Usage, from the package's root: Rscript tools/setup.R missing|packages|birnn ...

split_field <- function(value) {
  entries <- trimws(strsplit(value, ",")[[1]])
  entries[nzchar(entries)]
}

# Data frame (package, version) of what DESCRIPTION asks for; `version` is "0" where any will do.
needed_packages <- function(purpose) {
  fields <- read.dcf("DESCRIPTION")[1, ]
  entries <- unlist(lapply(fields[c("Depends", "Imports", "LinkingTo")], split_field))
  if (purpose == "test") {
    suggested <- split_field(fields[["Suggests"]])
    tested <- split_field(fields[["Config/Needs/tests"]])
    entries <- c(entries, suggested[sub("\\s*\\(.*", "", suggested) %in% tested])
  }
  name <- sub("\\s*\\(.*", "", entries)
  version <- ifelse(grepl("(", entries, fixed = TRUE), sub(".*>=\\s*([0-9.-]+).*", "\\1", entries), "0")
  unique(data.frame(package = name, version = version)[name != "R", ])
}

# Present is not enough: a package built for another R, or with a dependency gone, does not load.
is_usable <- function(package, version) {
  loads <- suppressWarnings(suppressMessages(requireNamespace(package, quietly = TRUE)))
  loads && utils::packageVersion(package) >= version
}

check_r_version <- function() {
  wanted <- sub(".*R \\(>= ([0-9.]+)\\).*", "\\1", read.dcf("DESCRIPTION", "Depends"))
  if (getRversion() < wanted) stop("R ", wanted, " or later is needed; this is R ", getRversion(), call. = FALSE)
}

missing_packages <- function(purpose) {
  needed <- needed_packages(purpose)
  usable <- mapply(is_usable, needed$package, needed$version)
  unique(needed$package[!usable])
}

target_library <- function() {
  writable <- Filter(function(library) file.access(library, 2) == 0, .libPaths())
  if (length(writable)) return(writable[1])
  user <- path.expand(strsplit(Sys.getenv("R_LIBS_USER"), .Platform$path.sep, fixed = TRUE)[[1]][1])
  created <- !is.na(user) && (dir.exists(user) || dir.create(user, showWarnings = FALSE, recursive = TRUE))
  if (!created) stop("No R library can be written; set R_LIBS_USER to a folder of yours", call. = FALSE)
  .libPaths(c(user, .libPaths()))
  user
}

is_current <- function(package, available) {
  found <- tryCatch(utils::packageVersion(package), error = function(e) NULL)
  !is.null(found) && found >= available[package, "Version"]
}

# The packages and all they need, as far as the repository has something newer: an old dependency would stop a new
# package from loading.
outdated <- function(packages, available) {
  dependencies <- tools::package_dependencies(packages, available, recursive = TRUE)
  wanted <- intersect(unique(c(packages, unlist(dependencies))), rownames(available))
  union(intersect(packages, wanted), Filter(function(package) !is_current(package, available), wanted))
}

# What is compiled is kept quiet, unless it fails.
install_all <- function(packages, library, available) {
  outputs <- tempfile("outputs")
  dir.create(outputs)
  utils::install.packages(packages, lib = library, quiet = TRUE, keep_outputs = outputs)
  failed <- packages[!mapply(is_current, packages, MoreArgs = list(available = available))]
  for (log in file.path(outputs, paste0(failed, ".out"))) {
    if (file.exists(log)) writeLines(c("", basename(log), utils::tail(readLines(log), 15)), stderr())
  }
}

install_missing <- function(packages) {
  library <- target_library()
  if (identical(unname(getOption("repos")["CRAN"]), "@CRAN@")) utils::chooseCRANmirror(ind = 1, local.only = TRUE)
  options(timeout = max(600, getOption("timeout")))
  available <- utils::available.packages()
  wanted <- outdated(packages, available)
  if (length(wanted)) install_all(wanted, library, available)
}

is_product <- function(files) grepl("^src/.*\\.(o|so|dll|a)$", files)

source_files <- function(root = ".") {
  folders <- c("R", "src", "inst", "man")
  inside <- list.files(file.path(root, folders), recursive = TRUE, full.names = TRUE)
  files <- c("DESCRIPTION", "NAMESPACE", "LICENSE", substring(inside, nchar(root) + 2))
  sort(files[!is_product(files)], method = "radix")
}

text_digest <- function(...) {
  file <- tempfile()
  on.exit(unlink(file))
  writeLines(c(...), file)
  unname(tools::md5sum(file))
}

source_digest <- function(files) text_digest(R.version.string, R.version$platform, files, tools::md5sum(files))

# Where objects are kept from one installation to the next, so that only changed sources are compiled again.
build_folder <- function() {
  kept <- file.path(".build", "birnn")
  dir.create(kept, showWarnings = FALSE, recursive = TRUE)
  if (file.access(kept, 2) == 0) kept else file.path(tempdir(), "birnn")
}

copy_sources <- function(files, folder) {
  for (path in unique(dirname(file.path(folder, files)))) dir.create(path, showWarnings = FALSE, recursive = TRUE)
  unlink(file.path(folder, setdiff(source_files(folder), files)))
  same <- tools::md5sum(files) == tools::md5sum(file.path(folder, files))
  changed <- files[is.na(same) | !same]
  file.copy(changed, file.path(folder, changed), overwrite = TRUE)
  changed
}

# make knows no headers: when one of them, the settings or R itself changed, every object is built again.
drop_stale_objects <- function(files, folder) {
  headers <- files[grepl("^src/.*(\\.h|Makevars.*)$", files)]
  digest <- source_digest(headers)
  stamp <- file.path(folder, "objects-digest")
  if (!file.exists(stamp) || readLines(stamp) != digest) {
    unlink(list.files(file.path(folder, "src"), "\\.(o|so|dll|a)$", full.names = TRUE))
    writeLines(digest, stamp)
  }
}

install_command <- function(folder, library, log) {
  old <- Sys.getenv(c("R_LIBS", "MAKEFLAGS"), NA)
  Sys.setenv(R_LIBS = paste(.libPaths(), collapse = .Platform$path.sep))
  if (is.na(old["MAKEFLAGS"])) Sys.setenv(MAKEFLAGS = paste0("-j", max(1, min(4, parallel::detectCores(), na.rm = TRUE))))
  arguments <- c("CMD", "INSTALL", "--no-multiarch", shQuote(paste0("--library=", library)), shQuote(folder))
  system2(file.path(R.home("bin"), "R"), arguments, stdout = log, stderr = log)
}

install_birnn <- function() {
  library <- target_library()
  files <- source_files()
  digest <- source_digest(files)
  stamp <- file.path(library, "birnn", "source-digest")
  if (file.exists(stamp) && identical(readLines(stamp), digest)) return(invisible())
  message("Installing birnn into ", library, " (the first time compiles for a few minutes)")
  folder <- build_folder()
  copy_sources(files, folder)
  drop_stale_objects(files, folder)
  log <- file.path(dirname(folder), "install.log")
  if (install_command(folder, library, log) != 0) {
    writeLines(readLines(log), stderr())
    stop("R CMD INSTALL failed", call. = FALSE)
  }
  writeLines(digest, stamp)
}

main <- function(command, arguments) {
  switch(command,
    missing = {
      check_r_version()
      writeLines(missing_packages(arguments[1]), arguments[2])
    },
    packages = install_missing(arguments),
    birnn = install_birnn(),
    stop("unknown command: ", command)
  )
}

if (sys.nframe() == 0) {
  arguments <- commandArgs(trailingOnly = TRUE)
  invisible(main(arguments[1], arguments[-1]))
}
