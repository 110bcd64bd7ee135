# Loading and unloading of the package (level 9).

.onLoad <- function(libname, pkgname) {
  r_session_start()
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

# waldo compares external pointers by address; tensors must be compared by their numbers.
register_compare_proxy <- function() {
  registerS3method("compare_proxy", "birnn_tensor", compare_proxy_tensor, envir = asNamespace("waldo"))
}
