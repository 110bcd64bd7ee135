test_that("class names become Keras' snake case", {
  expect_identical(
    snake_case(c("LSTM", "LSTMCell", "SimpleRNN", "ConvLSTM2D", "StackedRNNCells", "TimeDistributed", "ReLU")),
    c("lstm", "lstm_cell", "simple_rnn", "conv_lstm2d", "stacked_rnn_cells", "time_distributed", "re_lu")
  )
})

test_that("automatic names count up until the session is cleared", {
  clear_session()
  expect_identical(unique_name("x"), "x")
  expect_identical(unique_name("x"), "x_1")
  clear_session()
  expect_identical(unique_name("x"), "x")
})

test_that("structures are mapped, flattened and packed again", {
  nested <- list(1, list(2, NULL), list())
  expect_identical(flatten_structure(nested), list(1, 2))
  expect_identical(map_structure(nested, function(x) x + 1), list(2, list(3, NULL), list()))
  expect_identical(pack_structure(nested, list("a", "b")), list("a", list("b", NULL), list()))
})
