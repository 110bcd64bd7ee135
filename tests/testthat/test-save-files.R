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
    for (n in 1:100) {
      r_file_fault(n, 28L, partly)   # the disk is full
      condition <- tryCatch(save_model(new, path, overwrite = TRUE), birnn_error_file = identity)
      calls <- r_file_fault(0L, 0L, FALSE)
      if (!inherits(condition, "birnn_error_file")) break
      failed <- failed + 1
      expect_identical(folder_state(path), before)
      expect_match(conditionMessage(condition), basename(path), fixed = TRUE)
    }
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
  expect_error(save_model(small_model(), file.path(tempdir(), "no", "such", "m.keras")), "such", class = "birnn_error_file")
  expect_error(load_model(file.path(tempdir(), "missing.keras")), "missing", class = "birnn_error_file")
  expect_error(load_model(tempdir()), class = "birnn_error_file")
  skip_on_os("windows")
  skip_if(Sys.info()[["user"]] == "root", "root may write everywhere")
  folder <- withr::local_tempdir()
  Sys.chmod(folder, "500")
  expect_error(save_model(small_model(), file.path(folder, "m.keras")), class = "birnn_error_file")
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

test_that("pipes and devices are not opened", {
  skip_on_os("windows")
  expect_error(load_model("/dev/null"), class = "birnn_error_file")
})
