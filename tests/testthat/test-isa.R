# The instruction sets of the fast recurrent path. tests/cpp compares each with the readable path, cell by cell.

test_that("the best instruction set is used, and a lower one on request", {
  known <- r_known_isas()
  expect_identical(known[[1]], "base")
  for (wanted in known) {
    used <- in_fresh_r(function() birnn:::r_isa(""), env = c(BIRNN_ISA = wanted))
    expect_identical(used, wanted)
  }
  expect_warning(choose_isa("mmx"), class = "birnn_warning")
})

test_that("all instruction sets compute the same but for rounding", {
  predictions <- lapply(r_known_isas(), function(isa) {
    in_fresh_r(function() {
      set.seed(1)
      x <- array(stats::rnorm(5 * 7 * 3), c(5, 7, 3))
      mask <- matrix(stats::runif(35) < 0.7, 5)
      layers <- list(layer_lstm(units = 9), layer_gru(units = 9), layer_simple_rnn(units = 9))
      lapply(layers, function(layer) as.array(layer_bidirectional(layer = layer)(x, mask = mask)))
    }, env = c(BIRNN_ISA = isa))
  })
  for (prediction in predictions) expect_equal(prediction, predictions[[1]], tolerance = 1e-6)
})

test_that("Keras' cases pass with each instruction set", {
  skip_unless_all()
  for (isa in r_known_isas()) {
    failed <- in_fresh_r(function(folder) {
      results <- testthat::test_dir(
        folder, filter = "fixtures-(recurrent|bidirectional)$", package = "birnn", load_package = "installed",
        reporter = "silent", stop_on_failure = FALSE
      )
      sum(as.data.frame(results)$failed)
    }, normalizePath(test_path()), limit = 900, env = c(BIRNN_ISA = isa))
    expect_identical(failed, 0L)
  }
})
