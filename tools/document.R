# Writes NAMESPACE and man/ from the roxygen comments, in a copy that keeps object files out of src/. Part of `make docs`.

setup <- new.env()
sys.source(file.path("tools", "setup.R"), setup)

copy_back <- function(folder) {
  written <- list.files(file.path(folder, "man"), "\\.Rd$")
  unlink(file.path("man", setdiff(list.files("man", "\\.Rd$"), written)))
  dir.create("man", showWarnings = FALSE)
  file.copy(file.path(folder, "man", written), "man", overwrite = TRUE)
  file.copy(file.path(folder, "NAMESPACE"), "NAMESPACE", overwrite = TRUE)
}

folder <- file.path(".build", "docs")
setup$copy_sources(setup$source_files(), folder)
roxygen2::roxygenise(folder)
invisible(copy_back(folder))
