# Scripts of keras3 users: texts, tickets, pairs of sentences, sums as text. Each must reach a number.

test_that("a classifier with layer_text_vectorization() tells complaints from praise", {
  script <- run_script("text-classifier")
  expect_gte(script$accuracy, 0.95)
})

test_that("a model with two inputs and two outputs sorts tickets", {
  script <- run_script("tickets")
  expect_gte(min(script$accuracy), 0.95)
  expect_named(
    script$score,
    c("department_accuracy", "department_loss", "loss", "priority_binary_accuracy", "priority_loss")
  )
  expect_equal(script$score$loss, script$score$priority_loss + 0.5 * script$score$department_loss, tolerance = 1e-4)
  expect_equal(script$score$priority_binary_accuracy, script$accuracy[["priority"]], tolerance = 1e-6)
})

test_that("a siamese LSTM finds requests of the same meaning", {
  script <- run_script("siamese-lstm")
  expect_gte(script$accuracy, 0.95)
  # One embedding and one LSTM, however often they are called.
  expect_length(get_weights(script$model), 1 + 3 + 2)
})

test_that("an encoder and a decoder with states add numbers that they have not seen", {
  skip_unless_all()
  expect_gte(run_script("seq2seq-addition")$exact, 0.95)
})
