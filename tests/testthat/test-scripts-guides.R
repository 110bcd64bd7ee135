# The guides of Keras on callbacks of one's own, and on masks and padding, as scripts.

test_that("the guide on callbacks of one's own runs: hooks, logs, early stopping, rates", {
  script <- run_script("custom-callbacks")
  logs <- "loss, mean_absolute_error"
  validation <- paste0(logs, ", val_loss, val_mean_absolute_error")
  batches <- function(kind, logs) {
    paste0("... ", kind, ": batch ", rep(1:2, each = 2), c(" starts: ", paste0(" ends: ", logs)))
  }
  testing <- c("testing starts: ", batches("testing", logs), paste("testing ends:", logs))
  expect_equal(script$seen, c(
    "training starts: ", "epoch 1 starts: ", batches("training", logs), testing, paste("epoch 1 ends:", validation),
    paste("training ends:", validation), testing,
    "predicting starts: ", batches("predicting", ""), "predicting ends: "
  ))
  expect_equal(script$losses, script$stopped$metrics$loss)
  expect_length(script$stopped$metrics$loss, which.min(script$losses) + 2)
  expect_lt(min(script$losses), 0.3)
  expect_true(script$best_kept)
  expect_equal(script$rates, c(0.05, 0.05, 0.03, 0.03, 0.02, 0.02, 0.005, 0.005), tolerance = 1e-6)
})

test_that("the guide on masks and padding runs: three ways to a mask, and four layers", {
  script <- run_script("masking-and-padding")
  valid <- outer(c(3, 5, 6), 1:6, `>=`)
  expect_equal(script$padded_inputs > 0, valid)
  expect_equal(as.array(script$embedding_mask), valid)
  expect_equal(as.array(script$masking_mask), valid)
  expect_equal(lapply(script$half_masks, as.array), list(valid[, 1:3], valid[, 4:6]))
  expect_equal(as.array(script$custom_mask), as.array(script$x_custom) != 0)
  expect_equal(script$short_difference, 0)
  expect_equal(dim(script$by_hand), c(32L, 32L))
  expect_equal(dim(script$activated), c(32L, 32L))
  # The position of the largest number of a sequence; at random about 24 %.
  expect_gte(script$found, 0.95)
  expect_true(all(script$weights[script$x == 0] == 0))
})
