# Files are replaced as a whole or not at all, whichever call of the system fails.

small_model <- function(units = 2) {
  keras_model_sequential(input_shape = c(4, 3)) |> layer_lstm(units = units) |> layer_dense(1)
}

# What stands in the folder, and the bytes of the file.
folder_state <- function(path) list(list.files(dirname(path), all.files = TRUE), r_read_file(path))

test_that("a save that fails at any call leaves the old file and nothing else", {
  folder <- withr::local_tempdir()
  path <- file.path(folder, "model.keras")
  old <- small_model()
  save_model(old, path)
  new <- small_model(units = 60)   # several pieces
  before <- folder_state(path)
  withr::defer(r_file_fault(0L, 0L, FALSE))
  for (partly in c(FALSE, TRUE)) {
    failed <- 0
    said_space <- FALSE
    for (n in 1:100) {
      r_file_fault(n, 28L, partly)   # the disk is full
      condition <- tryCatch(save_model(new, path, overwrite = TRUE), birnn_error_file = identity)
      calls <- r_file_fault(0L, 0L, FALSE)
      if (!inherits(condition, "birnn_error_file")) break
      failed <- failed + 1
      expect_identical(folder_state(path), before)
      expect_match(conditionMessage(condition), basename(path), fixed = TRUE)
      said_space <- said_space || grepl("[0-9]+ bytes are needed, [0-9]+ are free", conditionMessage(condition))
    }
    expect_true(said_space)
    expect_gt(failed, 4)           # making, writing, syncing, closing, naming
    expect_equal(failed, calls)
    expect_identical(get_weights(load_model(path)), get_weights(new))
    save_model(old, path, overwrite = TRUE)
    before <- folder_state(path)
  }
})

test_that("a load that fails at any call is a classed error", {
  path <- withr::local_tempfile(fileext = ".keras")
  save_model(small_model(), path)
  withr::defer(r_file_fault(0L, 0L, FALSE))
  for (n in 1:2) {
    r_file_fault(n, 5L, FALSE)
    expect_error(load_model(path), class = "birnn_error_file")
  }
})

test_that("folders that are not there or cannot be written to are named", {
  nowhere <- file.path(tempdir(), "no", "such", "m.keras")
  expect_error(save_model(small_model(), nowhere), "such", class = "birnn_error_file")
  expect_error(load_model(file.path(tempdir(), "missing.keras")), "missing", class = "birnn_error_file")
  expect_error(load_model(tempdir()), class = "birnn_error_file")
})

# How to start Rscript so that the modes of files bind it: root gives up the right to pass over them.
bound_by_modes <- function() {
  rscript <- file.path(R.home("bin"), "Rscript")
  if (Sys.info()[["user"]] != "root") return(rscript)
  prefix <- c("setpriv", "--bounding-set=-dac_override,-dac_read_search")
  works <- nzchar(Sys.which("setpriv")) && system2(prefix[[1]], c(prefix[[2]], "true"), stderr = FALSE) == 0
  skip_if_not(works, "root may write everywhere, and cannot give this up here")
  c(prefix, rscript)
}

test_that("a folder that may only be read keeps its file", {
  skip_on_os("windows")
  skip_on_cran()
  folder <- withr::local_tempdir()
  path <- file.path(folder, "model.keras")
  save_model(small_model(), path)
  before <- folder_state(path)
  script <- withr::local_tempfile(fileext = ".R", lines = c(
    "library(birnn)", sprintf("path <- '%s'", path), "model <- load_model(path)",
    "condition <- tryCatch(save_model(model, path, overwrite = TRUE), error = identity)",
    "cat(class(condition)[[1]], gsub('\n', ' ', conditionMessage(condition)))"
  ))
  command <- c(bound_by_modes(), script)
  withr::defer(Sys.chmod(folder, "700"))
  Sys.chmod(folder, "500")
  said <- system2(command[[1]], command[-1], stdout = TRUE, stderr = FALSE)
  expect_match(paste(said, collapse = " "), "birnn_error_file .*model[.]keras.*[Pp]ermission")
  expect_identical(folder_state(path), before)
})

test_that("a file keeps its mode, and a link stays a link", {
  skip_on_os("windows")
  folder <- withr::local_tempdir()
  path <- file.path(folder, "m.keras")
  link <- file.path(folder, "link.keras")
  save_model(small_model(), path)
  Sys.chmod(path, "640")
  file.symlink(path, link)
  save_model(small_model(), link, overwrite = TRUE)
  expect_identical(format(file.mode(path)), "640")
  expect_true(nzchar(Sys.readlink(link)))
  expect_setequal(list.files(folder), c("m.keras", "link.keras"))
})

test_that("pipes and devices are neither opened nor replaced", {
  skip_on_os("windows")
  expect_error(load_model("/dev/null"), class = "birnn_error_file")
  skip_if_not(file.exists("/dev/full"))
  link <- file.path(withr::local_tempdir(), "m.keras")
  file.symlink("/dev/full", link)
  expect_error(save_model(small_model(), link, overwrite = TRUE), "/dev/full.*device", class = "birnn_error_file")
  expect_identical(list.files("/dev", "^full"), "full")
  expect_identical(Sys.readlink(link), "/dev/full")
})
