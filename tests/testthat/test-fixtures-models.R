# Whole models against Keras: graph, weights, compile, fit, evaluate, predict; as a plan and eagerly with the same bits.

for (case in load_fixture("models")) {
  test_that(paste("the model", case$name, "trains as in Keras"), {
    for (floatx in both_floatx) {
      with_floatx(floatx, {
        result <- run_model_case(case)
        expect_model_case(case, result, floatx)
        expect_same_bits(run_model_case(case, run_eagerly = TRUE), result, paste(case$name, floatx, "eagerly"))
      })
    }
  })
}
