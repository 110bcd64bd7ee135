# The load order of R/ (`Collate:` in DESCRIPTION) follows the levels of tools/levels.txt.

collate_tool <- function() {
  skip_without_sources()
  tool <- new.env()
  sys.source(file.path(source_root(), "tools", "collate.R"), tool)
  tool
}

test_that("DESCRIPTION lists every R file in level order", {
  tool <- collate_tool()
  levels <- tool$read_levels("R", file.path(source_root(), "tools", "levels.txt"))
  field <- read.dcf(file.path(source_root(), "DESCRIPTION"), "Collate")[[1]]
  listed <- scan(text = field, what = "", quote = "'", quiet = TRUE)
  expect_equal(listed, tool$collate_order(list.files(file.path(source_root(), "R"), "[.]R$"), levels))
})

test_that("the first matching pattern decides, files of one pattern are in alphabetical order", {
  tool <- collate_tool()
  levels <- list("0" = c("b.R", "c-*.R"), "1" = "*.R")
  expect_equal(tool$collate_order(c("a.R", "c-2.R", "b.R", "c-1.R"), levels), c("b.R", "c-1.R", "c-2.R", "a.R"))
  expect_error(tool$collate_order("a.txt", levels), "No level")
})

test_that("writing the order again changes nothing", {
  tool <- collate_tool()
  folder <- withr::local_tempdir()
  dir.create(file.path(folder, "R"))
  file.create(file.path(folder, "R", c("zzz.R", "utils.R")))
  description <- file.path(folder, "DESCRIPTION")
  writeLines(c("Package: x", "Collate: ", "    'old.R'", "Encoding: UTF-8"), description)
  withr::local_dir(source_root())
  tool$write_collate(description, file.path(folder, "R"))
  once <- readLines(description)
  expect_equal(once, c("Package: x", "Encoding: UTF-8", "Collate: ", "    'utils.R'", "    'zzz.R'"))
  tool$write_collate(description, file.path(folder, "R"))
  expect_equal(readLines(description), once)
})
