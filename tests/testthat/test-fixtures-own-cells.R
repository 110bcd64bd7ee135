# SimpleRNN, LSTM and GRU written in R as cells (helper-own-cells.R), in layer_rnn() and layer_bidirectional(): what
# Keras computes, step by step and on the tape.

random <- c("layers-recurrent-random", "layers-bidirectional-random")

for (name in c("layers-recurrent", "layers-bidirectional", if (all_tests()) random)) {
  for (case in load_fixture(name)) {
    test_that(paste(case$name, "of cells written in R is what Keras computes"), {
      case[["call"]] <- with_own_cells(case[["call"]])
      with_floatx("float64", {
        result <- run_layer_case(case)
        expect_layer_case(case, result, "float64")
      })
    })
  }
}
