# Scripts of keras3 users: recurrent layers with convolutions, attention, time_distributed(). Each must reach a number.

test_that("a recurrent network of recurrent networks reads digits", {
  skip_unless_all()
  expect_gte(run_script("hierarchical-rnn")$accuracy, 0.9)
})

test_that("convolutions before a bidirectional GRU find tunes in noise", {
  expect_gte(run_script("conv-bidirectional")$accuracy, 0.95)
})

test_that("attention over a bidirectional LSTM classifies, in layers and by hand", {
  script <- run_script("attention-bilstm")
  expect_gte(script$accuracy, 0.97)
  expect_gte(script$second_accuracy, 0.95)
  expect_equal(dim(predict(script$looking, script$held_out$x[1:2, , ], verbose = 0)), c(2L, 30L))
})
