# Scripts of keras3 users: memory, characters, states that last, forecasts. Each must reach a number.

test_that("the adding problem over 100 steps is solved as in Keras", {
  skip_unless_all()
  # Keras: 0.0011 to 0.0024 after 3000 steps; the mean of the target gives 0.167.
  expect_lte(tail(run_script("adding-problem")$test_mse, 1), 0.005)
})

licence <- "/usr/share/common-licenses/GPL-3"
sha256 <- function(file) substr(system2("sha256sum", file, stdout = TRUE), 1, 64)

test_that("the character model of a licence text has the bits of Keras", {
  skip_unless_all()
  skip_if_not(file.exists(licence), paste("there is no", licence))
  skip_if_not(startsWith(sha256(licence), "3972dc9744f6499f"), "another edition of the text")
  # Keras after 500 steps: 2.815 to 2.844 on what it has not seen, 2.17 to 2.26 on what it trained on since step 250.
  script <- run_script("character-model")
  expect_length(script$text, 35149)
  expect_length(script$characters, 76)
  expect_gte(script$bits[2], 2.75)
  expect_lte(script$bits[2], 2.90)
  expect_lte(script$training_bits[2], 2.35)
})

test_that("a stateful LSTM learns what one without states cannot", {
  accuracy <- run_script("stateful-lstm")$accuracy
  expect_gte(accuracy[["stateful"]], 0.99)
  expect_lte(accuracy[["reset"]], 0.7)
})

test_that("an LSTM with recurrent dropout forecasts better than 'as now'", {
  script <- run_script("forecasting")
  expect_lte(script$mae, 0.7 * script$naive)
  expect_named(script$p$data, c("epoch", "value", "metric", "data"), ignore.order = TRUE)
})
