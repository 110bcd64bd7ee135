# Layers that keep their states: three calls in a row on the same input, 16 cases computed by Keras.

for (case in load_fixture("layers-stateful")) {
  test_that(paste(case$name, "goes on where it stopped, as in Keras"), {
    for (floatx in both_floatx) {
      with_floatx(floatx, {
        layer <- fixture_call(case[["call"]])
        x <- fixture_tensor(case[["inputs"]][[1]])
        layer(x)
        set_weights(layer, lapply(case[["weights"]], fixture_array))
        reset_state(layer)
        wanted <- c(list(case$outputs), case$later_calls)
        for (repeated in 1:2) {  # after a reset everything begins again
          for (k in seq_along(wanted)) {
            expect_close(layer(x), fixture_array(wanted[[k]][[1]]), layer_tolerance(floatx, case$name),
                         paste(case$name, floatx, "call", k))
          }
          reset_state(layer)
        }
      })
    }
  })
}
