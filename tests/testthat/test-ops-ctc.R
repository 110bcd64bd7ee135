# CTC: loss, gradient and decoding as Keras has them; what is refused.

ctc_inputs <- function(case) {
  list(labels = fixture_tensor(case$labels), logits = fixture_tensor(case$logits),
       label_length = fixture_tensor(case$label_length), output_length = fixture_tensor(case$output_length))
}

# Keras computed these in single precision.
ctc_tolerance <- function(floatx) max(op_tolerance(floatx), 1e-6)

for (floatx in both_floatx) {
  test_that(paste("the CTC loss and its gradient are those of Keras in", floatx), {
    with_floatx(floatx, {
      for (case in load_fixture("ctc")) {
        given <- ctc_inputs(case)
        values <- function(x) {
          op_ctc_loss(given$labels, x[[1]], given$label_length, given$output_length, mask_index = case$mask_index)
        }
        expect_close(values(list(given$logits)), fixture_array(case$loss), ctc_tolerance(floatx), case$name)
        found <- value_and_gradients(function(x) op_sum(values(x)), list(given$logits))
        expect_close(found$inputs[[1]], fixture_array(case$gradient_of_sum), ctc_tolerance(floatx), case$name)
      }
    })
  })

  test_that(paste("CTC decoding finds the labels of Keras in", floatx), {
    with_floatx(floatx, {
      for (case in load_fixture("ctc")) {
        for (strategy in c("greedy", "beam_search")) {
          want <- case[[strategy]]
          found <- op_ctc_decode(
            fixture_tensor(case$logits), fixture_tensor(case$output_length), strategy,
            beam_width = 10, top_paths = want$scores$shape[[2]], mask_index = case$mask_index
          )
          expect_close(found[[1]], fixture_array(want$decoded), 0, paste(case$name, strategy))
          expect_close(found[[2]], fixture_array(want$scores), ctc_tolerance(floatx), paste(case$name, strategy))
        }
      }
    })
  })
}

test_that("loss_ctc() counts labels up to the zeros, in a plan as eagerly, and learns", {
  labels <- rbind(c(1L, 2L, 0L), c(2L, 2L, 1L))
  logits <- array(sin(1:42), c(2, 7, 3))
  by_lengths <- op_ctc_loss(labels, logits, c(2, 3), c(7, 7))
  expect_same_bits(loss_ctc(labels, logits), by_lengths)
  expect_equal(as.array(loss_ctc()(labels, logits)), mean(as.array(by_lengths)), tolerance = 1e-6)
  train <- function(run_eagerly) {
    set.seed(5)
    model <- keras_model_sequential(input_shape = c(7, 3)) |> bidirectional(layer_lstm(units = 4, return_sequences = TRUE)) |>
      layer_dense(3)
    model |> compile(optimizer_adam(0.05), loss = loss_ctc(), run_eagerly = run_eagerly)
    fit(model, logits, labels, epochs = 8, verbose = 0)$metrics$loss
  }
  planned <- train(FALSE)
  expect_lt(planned[[8]], planned[[1]])
  expect_identical(train(TRUE), planned)
})

test_that("labels that do not fit into the steps have no probability, and no labels are one way only", {
  logits <- array(0, c(1, 2, 3))
  expect_identical(as.numeric(op_ctc_loss(matrix(c(1, 1), 1), logits, 2, 2)), Inf)
  expect_equal(as.numeric(op_ctc_loss(matrix(1, 1), logits, 0, 2)), 2 * log(3), tolerance = 1e-6)
  expect_equal(as.numeric(op_ctc_loss(matrix(1, 1), logits, 0, 0)), 0)
  expect_equal(as.array(op_ctc_decode(logits, 0)[[1]]), array(-1L, c(1, 1, 2)))
})

test_that("wrong labels, lengths and shapes are refused", {
  logits <- array(0, c(1, 4, 3))
  expect_refused(op_ctc_loss(matrix(c(1, 3), 1), logits, 2, 4), "value")
  expect_refused(op_ctc_loss(matrix(c(1, 2), 1), logits, 3, 4), "value")
  expect_refused(op_ctc_loss(matrix(c(1, 2), 1), logits, 2, 5), "value")
  expect_refused(op_ctc_loss(1:2, logits, 2, 4), "shape")
  expect_refused(op_ctc_decode(logits, 5), "shape")
  expect_refused(loss_ctc(matrix(1, 1), matrix(1, 1)), "shape")
})
