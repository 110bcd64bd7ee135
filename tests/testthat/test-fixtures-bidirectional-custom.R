# Recurrent layers written as whole Layer()s, with their own loops over time: inside layer_bidirectional() they must
# give what Keras computed for the built-in ones, masks, states and gradients included.

for (case in load_fixture("layers-bidirectional")) {
  test_that(paste(case$name, "with layers of one's own is what Keras computes"), {
    case[["call"]] <- with_own_layers(case[["call"]])
    with_floatx("float64", expect_layer_case(case, run_layer_case(case), "float64"))
  })
}
