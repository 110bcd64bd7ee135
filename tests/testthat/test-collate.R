# The load order of R/ (`Collate:` in DESCRIPTION) follows the levels of tools/levels.txt.

root <- testthat::test_path("..", "..")
skip_if_not(file.exists(file.path(root, "tools", "collate.R")), "sources of the package")

collate <- new.env()
sys.source(file.path(root, "tools", "collate.R"), collate)
levels_path <- file.path(root, "tools", "levels.txt")

test_that("DESCRIPTION lists every R file in level order", {
  files <- list.files(file.path(root, "R"), "\\.R$")
  field <- read.dcf(file.path(root, "DESCRIPTION"), "Collate")[[1]]
  listed <- scan(text = field, what = "", quote = "'", quiet = TRUE)
  expect_equal(listed, collate$collate_order(files, collate$read_levels("R", levels_path)))
})

test_that("every source file has a level", {
  for (tree in c("R", "src")) {
    files <- list.files(file.path(root, tree), "\\.(R|h|cpp)$")
    position <- collate$level_order(files, collate$read_levels(tree, levels_path))
    expect_equal(files[is.na(position)], character())
  }
})

test_that("the first matching pattern decides, files of one pattern are in alphabetical order", {
  levels <- list("0" = c("b.R", "c-*.R"), "1" = "*.R")
  expect_equal(collate$collate_order(c("a.R", "c-2.R", "b.R", "c-1.R"), levels), c("b.R", "c-1.R", "c-2.R", "a.R"))
  expect_error(collate$collate_order("a.txt", levels), "No level")
})

test_that("writing the order again changes nothing", {
  folder <- withr::local_tempdir()
  dir.create(file.path(folder, "R"))
  file.create(file.path(folder, "R", c("zzz.R", "utils.R")))
  description <- file.path(folder, "DESCRIPTION")
  writeLines(c("Package: x", "Collate: ", "    'old.R'", "Encoding: UTF-8"), description)
  withr::with_dir(root, collate$write_collate(description, file.path(folder, "R")))
  once <- readLines(description)
  expect_equal(once, c("Package: x", "Encoding: UTF-8", "Collate: ", "    'utils.R'", "    'zzz.R'"))
  withr::with_dir(root, collate$write_collate(description, file.path(folder, "R")))
  expect_equal(readLines(description), once)
})
