# Writes R/RcppExports.R and src/RcppExports.cpp. Part of `make attributes`.
# Rcpp includes the header of every package in LinkingTo; Armadillo comes in through types.h alone, with its switches.

Rcpp::compileAttributes(".")
path <- file.path("src", "RcppExports.cpp")
lines <- readLines(path)
writeLines(lines[lines != "#include <RcppArmadillo.h>"], path)
