# What the built library needs from outside: no BLAS, no LAPACK, no console, nothing that ends the process.

# Undefined symbols of the library; a skip where `nm` is missing or reads no dynamic symbols.
undefined_symbols <- function() {
  skip_if_not(nzchar(Sys.which("nm")), "needs nm")
  library <- getLoadedDLLs()[["birnn"]][["path"]]
  arguments <- c("-D", "--undefined-only", shQuote(library))
  output <- suppressWarnings(system2("nm", arguments, stdout = TRUE, stderr = FALSE))
  symbols <- sub("@.*", "", sub(".*[[:space:]]", "", output))
  skip_if_not(length(symbols) > 0, "nm reads no dynamic symbols here")
  symbols
}

test_that("the library calls no BLAS and no LAPACK", {
  symbols <- undefined_symbols()
  fortran <- grep("^[a-z0-9]+_$", symbols, value = TRUE)
  expect_identical(fortran, character())
  expect_identical(grep("^(cblas_|LAPACKE_|wrapper2?_[sdcz])", symbols, value = TRUE), character())
})

test_that("the library does not write to the console, end the process or use foreign random numbers", {
  symbols <- undefined_symbols()
  forbidden <- c("_ZSt4cout", "_ZSt4cerr", "_ZSt4clog", "exit", "_exit", "abort", "rand", "srand", "random", "printf",
                 "puts", "putchar", "unif_rand", "norm_rand", "exp_rand")
  expect_identical(intersect(symbols, forbidden), character())
})

test_that("the library does not need OpenMP", {
  expect_identical(grep("^(GOMP_|omp_|__kmpc_)", undefined_symbols(), value = TRUE), character())
})
