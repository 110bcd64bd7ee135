# R CMD check --as-cran of the tarball, in a temporary folder; exits with 1 on any error or warning. Part of `make check`.

r_cmd <- function(...) system2(file.path(R.home("bin"), "R"), c("CMD", ...))

build_tarball <- function(root) {
  if (r_cmd("build", shQuote(root)) != 0) stop("R CMD build failed", call. = FALSE)
  list.files(pattern = "^birnn_.*\\.tar\\.gz$")
}

check_tarball <- function(tarball) {
  has_latex <- nzchar(Sys.which("pdflatex"))
  r_cmd("check", "--as-cran", if (!has_latex) "--no-manual", tarball)
  log <- readLines(file.path("birnn.Rcheck", "00check.log"), encoding = "UTF-8")
  sub("^Status: ", "", grep("^Status: ", log, value = TRUE))
}

root <- getwd()
setwd(tempdir())
# The checks that ask the network for the time or the CRAN archive have no place here.
Sys.setenv(`_R_CHECK_SYSTEM_CLOCK_` = "FALSE", `_R_CHECK_CRAN_INCOMING_REMOTE_` = "FALSE")
status <- check_tarball(build_tarball(root))
if (length(status) == 0 || grepl("ERROR|WARNING", status)) quit(status = 1L)
