# Entry point of R CMD check; `./run test` runs the same files.
library(testthat)
library(birnn)

test_check("birnn")
