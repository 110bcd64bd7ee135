# R is killed while it saves: the file is always the old or the new model, whole. BIRNN_TEST_ALL=true: 1,000 times.

test_that("a kill at any moment of saving leaves a whole model", {
  skip_on_os("windows")
  skip_on_cran()
  folder <- withr::local_tempdir()
  path <- file.path(folder, "model.keras")
  kills <- if (all_tests()) 1000 else 12
  set.seed(8)
  counts <- integer()
  for (k in seq_len(kills)) {
    unlink(file.path(folder, "ready"))
    # Saves models whose weights are all the same number, one after the other.
    child <- start_fresh_r(function(path, ready) {
      model <- keras_model_sequential(input_shape = 300) |> layer_dense(300)
      n <- 0
      repeat {
        n <- n + 1
        set_weights(model, list(matrix(n, 300, 300), rep(n, 300)))
        save_model(model, path, overwrite = TRUE)
        if (n == 1) writeLines("", ready)
      }
    }, path, file.path(folder, "ready"))
    expect_true(wait_for_file(file.path(folder, "ready")))
    Sys.sleep(stats::runif(1, 0, 0.3))
    tools::pskill(child$get_pid(), tools::SIGKILL)
    child$wait()
    weights <- get_weights(load_model(path))
    counts <- c(counts, weights[[1]][[1]])
    expect_true(all(unlist(weights) == counts[[k]]))
    left <- setdiff(list.files(folder), c("model.keras", "ready"))
    expect_lte(length(left), k)   # a temporary file may stay
    unlink(file.path(folder, left))
  }
  expect_gt(length(unique(counts)), 1)
})

test_that("a full disk is an error and leaves the old file", {
  skip_on_os("windows")
  skip_unless_all()
  skip_if(Sys.info()[["user"]] != "root", "only root can make a small file system")
  folder <- withr::local_tempdir()
  mounted <- system2("mount", c("-t", "tmpfs", "-o", "size=200k", "tmpfs", folder), stdout = FALSE, stderr = FALSE) == 0
  skip_if_not(mounted, "mount is not allowed here")
  withr::defer(system2("umount", folder))
  path <- file.path(folder, "m.keras")
  model <- keras_model_sequential(input_shape = 20) |> layer_dense(20)
  save_model(model, path)
  large <- keras_model_sequential(input_shape = 300) |> layer_dense(300)
  expect_error(save_model(large, path, overwrite = TRUE), "m.keras.*[Ss]pace", class = "birnn_error_file")
  expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), "m.keras")
  expect_identical(get_weights(load_model(path)), get_weights(model))
})
