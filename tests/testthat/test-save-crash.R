# R is killed while it saves: the file is always the old or the new model, whole. BIRNN_TEST_ALL=true: 1,000 times.

# Saves models whose weights are all the same number, one after the other, in a process of its own.
start_saving <- function(model, path, first) {
  parallel::mcparallel(silent = TRUE, mc.set.seed = FALSE, expr = {
    n <- first
    repeat {
      set_weights(model, list(matrix(n, 300, 300), rep(n, 300)))
      save_model(model, path, overwrite = TRUE)
      n <- n + 1
    }
  })
}

test_that("a kill at any moment of saving leaves a whole model", {
  skip_on_os("windows")
  skip_on_cran()
  folder <- withr::local_tempdir()
  path <- file.path(folder, "model.keras")
  model <- keras_model_sequential(input_shape = 300) |> layer_dense(300)
  set_weights(model, list(matrix(0, 300, 300), rep(0, 300)))
  save_model(model, path)
  withr::local_seed(8)
  kills <- if (all_tests()) 1000 else 12
  found <- left <- numeric(kills)
  for (k in seq_len(kills)) {
    child <- start_saving(model, path, 1000 * k)
    Sys.sleep(stats::runif(1, 0, 0.2))
    tools::pskill(child$pid, tools::SIGKILL)
    suppressWarnings(parallel::mccollect(child))   # a job that was killed has no result
    weights <- unlist(get_weights(load_model(path)))
    found[[k]] <- weights[[1]]
    expect_true(all(weights == found[[k]]))
    # What this kill may have left is one new file: the next save removes it.
    left[[k]] <- length(setdiff(list.files(folder), "model.keras"))
    expect_lte(left[[k]], 1)
  }
  expect_false(is.unsorted(found))
  expect_gt(length(unique(found)), kills / 4)
  if (all_tests()) expect_gt(sum(left), 10)   # so many fell into the middle of a save
  save_model(model, path, overwrite = TRUE)
  expect_identical(list.files(folder), "model.keras")
})

test_that("new files that ended processes left are removed by the next save, and no others", {
  skip_on_os("windows")
  skip_on_cran()
  skip_if_not_installed("callr")
  folder <- withr::local_tempdir()
  path <- file.path(folder, "m.keras")
  dead <- callr::r(Sys.getpid)
  stays <- c(
    paste0("m.keras.tmp", Sys.getpid(), "-999"),   # another save of a process that lives
    paste0("n.keras.tmp", dead, "-1"),             # of another file
    paste0("m.keras.tmp", c("", "-1", paste0(dead, c("", "-", "-1x", "x-1", "-1.keras"))))   # of the user's
  )
  lost <- paste0("m.keras.tmp", dead, c("-1", "-20"))
  file.create(file.path(folder, c(stays, lost)))
  save_model(keras_model_sequential(input_shape = 3) |> layer_dense(1), path)
  expect_setequal(list.files(folder), c("m.keras", stays))
})

test_that("a full disk is an error and leaves the old file", {
  skip_on_os("windows")
  skip_unless_all()
  skip_if(Sys.info()[["user"]] != "root", "only root can make a small file system")
  folder <- withr::local_tempdir()
  arguments <- c("-t", "tmpfs", "-o", "size=200k", "tmpfs", folder)
  mounted <- system2("mount", arguments, stdout = FALSE, stderr = FALSE) == 0
  skip_if_not(mounted, "mount is not allowed here")
  withr::defer(system2("umount", folder))
  path <- file.path(folder, "m.keras")
  model <- keras_model_sequential(input_shape = 20) |> layer_dense(20)
  save_model(model, path)
  large <- keras_model_sequential(input_shape = 300) |> layer_dense(300)
  condition <- expect_error(save_model(large, path, overwrite = TRUE), "m.keras.*[Ss]pace", class = "birnn_error_file")
  numbers <- regexec("([0-9]+) bytes are needed, ([0-9]+) are free", conditionMessage(condition))
  needed_and_free <- as.numeric(regmatches(conditionMessage(condition), numbers)[[1]][-1])
  expect_gt(needed_and_free[1], 300 * 300 * 4)
  expect_lt(needed_and_free[2], 200 * 1024)
  expect_gt(needed_and_free[2], 0)
  expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), "m.keras")
  expect_identical(get_weights(load_model(path)), get_weights(model))
})
