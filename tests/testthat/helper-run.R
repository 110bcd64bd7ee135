# Running code under other settings: float type, number of threads, fresh R processes, slow tests.

with_floatx <- function(floatx, code) {
  before <- config_floatx()
  on.exit(config_set_floatx(before))
  config_set_floatx(floatx)
  force(code)
}

with_threads <- function(threads, code) {
  before <- r_threaded_work(0)   # small cases, too
  on.exit(r_threaded_work(before))
  withr::with_options(list(birnn.threads = threads), code)
}

both_floatx <- c("float64", "float32")

# Slow tests run with BIRNN_TEST_ALL=true (`make test-all`).
all_tests <- function() identical(Sys.getenv("BIRNN_TEST_ALL"), "true")

skip_unless_all <- function() {
  testthat::skip_if_not(all_tests(), "slow; BIRNN_TEST_ALL=true runs it")
}

# `fn(...)` in a fresh R process that has birnn attached. The time limit (seconds) only guards against hangs.
in_fresh_r <- function(fn, ..., limit = 120, env = character()) {
  testthat::skip_if_not_installed("callr")
  callr::r(attach_birnn(fn), list(...), timeout = limit, env = c(callr::rcmd_safe_env(), env))
}

start_fresh_r <- function(fn, ...) {
  testthat::skip_if_not_installed("callr")
  callr::r_bg(attach_birnn(fn), list(...), stdout = NULL, stderr = NULL, supervise = TRUE)
}

# `fn` travels without its environment: the child sees the package as a user does, and nothing of the tests.
attach_birnn <- function(fn) {
  body(fn) <- bquote({
    library(birnn)
    .(body(fn))
  })
  environment(fn) <- globalenv()
  fn
}

# Waits until `path` exists; FALSE after `limit` seconds.
wait_for_file <- function(path, limit = 60) {
  for (k in seq_len(limit * 20)) {
    if (file.exists(path)) return(TRUE)
    Sys.sleep(0.05)
  }
  FALSE
}
