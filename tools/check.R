# `make check`: R CMD check --as-cran of the tarball, in a temporary folder; exits with 1 on any error or warning.
# Vignettes are built and checked where knitr, rmarkdown and pandoc are at hand; otherwise it says what is missing.

r_cmd <- function(...) system2(file.path(R.home("bin"), "R"), c("CMD", ...))

missing_for_vignettes <- function() {
  packages <- c("knitr", "rmarkdown")
  missing <- packages[!vapply(packages, requireNamespace, logical(1), quietly = TRUE)]
  has_pandoc <- "rmarkdown" %in% missing || rmarkdown::pandoc_available("1.14")
  c(missing, if (!has_pandoc) "pandoc")
}

build_tarball <- function(root, vignettes) {
  status <- r_cmd("build", if (!vignettes) "--no-build-vignettes", shQuote(root))
  if (status != 0) stop("R CMD build failed", call. = FALSE)
  list.files(pattern = "^birnn_.*\\.tar\\.gz$")
}

check_tarball <- function(tarball, vignettes) {
  has_latex <- nzchar(Sys.which("pdflatex"))
  r_cmd("check", "--as-cran", if (!has_latex) "--no-manual", if (!vignettes) "--ignore-vignettes", tarball)
  log <- readLines(file.path("birnn.Rcheck", "00check.log"), encoding = "UTF-8")
  sub("^Status: ", "", grep("^Status: ", log, value = TRUE))
}

root <- getwd()
setwd(tempdir())
# The checks that ask the network for the time or the CRAN archive have no place here.
Sys.setenv(`_R_CHECK_SYSTEM_CLOCK_` = "FALSE", `_R_CHECK_CRAN_INCOMING_REMOTE_` = "FALSE")
missing <- missing_for_vignettes()
if (length(missing)) {
  message("The vignettes are not built and not checked: ", toString(missing), " missing")
  Sys.setenv(`_R_CHECK_FORCE_SUGGESTS_` = "FALSE")
}
status <- check_tarball(build_tarball(root, !length(missing)), !length(missing))
if (length(status) == 0 || grepl("ERROR|WARNING", status)) quit(status = 1L)
