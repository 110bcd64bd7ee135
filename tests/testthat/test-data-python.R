# Functions that choose a Python, where there is none.

test_that("choosing a Python does nothing and says so once", {
  rm(list = grep("^inform-py", ls(warned), value = TRUE), envir = warned)
  expect_message(expect_null(use_virtualenv("r-keras")), "needs no Python")
  expect_silent({
    use_python("/usr/bin/python3", required = TRUE)
    use_condaenv("r-keras")
    py_require(c("keras", "jax"), python_version = "3.11")
  })
  expect_message(py_help(layer_lstm), "help pages")
})

test_that("the Python module is an object that explains itself", {
  expect_refused(keras$layers$LSTM(32L), "state")
  expect_refused(keras[["ops"]], "state")
  expect_output(print(keras), "no Python module")
})
