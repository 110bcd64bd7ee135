# `.[a, b] <- values`.

test_that("elements are assigned to names, left out and collected", {
  .[a, b] <- list(1, "two")
  expect_equal(list(a, b), list(1, "two"))
  .[a, , b, .] <- 1:4
  expect_equal(c(a, b), c(1, 3))
  .[a, ..rest, b] <- list(1, 2, 3, 4)
  expect_equal(rest, list(2, 3))
  expect_equal(b, 4)
  .[a, ..] <- 5:9
  expect_equal(a, 5)
  .[a, ..rest] <- list(1)
  expect_length(rest, 0)
})

test_that("lists within the list, shapes, tensors and states are taken apart", {
  .[.[x_train, y_train], .[x_test, y_test]] <- list(train = list(x = 1, y = 2), test = list(x = 3, y = 4))
  expect_equal(c(x_train, y_train, x_test, y_test), 1:4)
  .[batch, time, .] <- shape(2, 3, 4)
  expect_equal(c(batch, time), 2:3)
  .[first, second] <- as_tensor(matrix(1:4, 2))
  expect_equal(as.vector(second), c(2, 4))
  .[output, h, c] <- layer_lstm(units = 2, return_state = TRUE)(op_ones(c(1, 3, 2)))
  expect_equal(dim(c), c(1L, 2L))
})

test_that("names are assigned where the call stands", {
  inside <- function() {
    .[only_here] <- list(1)
    only_here
  }
  expect_equal(inside(), 1)
  expect_false(exists("only_here", inherits = FALSE))
})

test_that("what does not fit is refused", {
  expect_error(.[a, b] <- 1:3, "2 names, but there are 3 values", class = "birnn_error_shape")
  expect_error(.[a, b, ..] <- 1, class = "birnn_error_shape")
  expect_error(.[.., a, ..rest] <- 1:3, "Only one", class = "birnn_error_value")
  expect_error(.[a, f(b)] <- 1:2, "must stand names", class = "birnn_error_value")
  expect_output(print(.), "for .[a, b]", fixed = TRUE)
})
