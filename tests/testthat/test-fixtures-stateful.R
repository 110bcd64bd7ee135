# Layers that keep their states: three calls in a row on the same input, 16 cases computed by Keras.

cases <- load_fixture("layers-stateful")

# After a reset everything begins again.
expect_stateful_case <- function(case, layer, floatx, from) {
  for (round in 1:2) {
    wanted <- c(list(case$outputs), case$later_calls)
    for (k in seq_along(wanted)) {
      found <- layer(fixture_tensor(case$inputs[[1]]))
      label <- paste(case$name, from, floatx, "call", k)
      expect_close(found, fixture_array(wanted[[k]][[1]]), layer_tolerance(floatx, case$name), label)
    }
    reset_state(layer)
  }
}

test_that("no case is missing", {
  expect_length(unique(names(cases)), 16)
  expect_true(all(lengths(lapply(cases, `[[`, "later_calls")) == 2))
})

for (case in cases) {
  test_that(paste(case$name, "goes on where it stopped, as in Keras"), {
    for (floatx in both_floatx) {
      with_floatx(floatx, {
        layer <- new_case_layer(case)
        for (from in c("made", "from its config")) {
          layer(fixture_tensor(case$inputs[[1]]))
          set_weights(layer, lapply(case[["weights"]], fixture_array))
          reset_state(layer)
          expect_stateful_case(case, layer, floatx, from)
          expect_case_config(case, get_config(layer))
          layer <- from_config(get_config(layer))
        }
      })
    }
  })
}
