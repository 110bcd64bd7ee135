# layer_rnn() of several cells, alone and inside layer_bidirectional(), against 24 cases computed by Keras.
test_layer_fixture("layers-stacked", 24)

test_that("the states of a stack are nested as in Keras: one list for each cell", {
  cases <- Filter(function(case) length(case$structure) > 1, load_fixture("layers-stacked"))
  expect_gte(length(cases), 5)
  for (case in cases) {
    outputs <- run_layer_case(case)$outputs
    expect_true(is_tensor(outputs[[1]]))
    expect_true(all(vapply(outputs[-1], is_plain_list, NA)), info = case$name)
    expect_equal(lengths(outputs[-1]), lengths(case$structure[-1]), info = case$name)
  }
})
