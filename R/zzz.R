# Loading and unloading of the package (level 9).

.onLoad <- function(libname, pkgname) {
  r_session_start()
  choose_isa(getOption("birnn.isa", Sys.getenv("BIRNN_ISA")))
  if (isNamespaceLoaded("waldo")) register_compare_proxy()
  setHook(packageEvent("waldo", "onLoad"), function(...) register_compare_proxy())
}

# Before R 4.3 the package exports its own `@`: library() need not warn of that.
.onAttach <- function(libname, pkgname) {
  if (getRversion() < "4.3.0") assign(".conflicts.OK", TRUE, envir = as.environment(paste0("package:", pkgname)))
}

.onUnload <- function(libpath) {
  r_session_end()
  library.dynam.unload("birnn", libpath)
}

# A lower instruction set than the processor's best, for tests and comparisons.
choose_isa <- function(wanted) {
  if (!nzchar(wanted)) return(invisible())
  if (wanted %in% r_known_isas()) return(invisible(r_isa(wanted)))
  birnn_warn(c("This processor has no instruction set {.val {wanted}}; {.val {r_isa('')}} is used.",
               i = "{.code options(birnn.isa = )} takes {.val {r_known_isas()}}."))
}

# waldo compares external pointers by address; tensors must be compared by their numbers.
register_compare_proxy <- function() {
  registerS3method("compare_proxy", "birnn_tensor", compare_proxy_tensor, envir = asNamespace("waldo"))
}
