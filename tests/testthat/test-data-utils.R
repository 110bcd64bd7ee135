# One-hot codes, row-major reshaping, sequences from data frames, labels from probabilities.

test_that("to_categorical() codes class numbers and factors", {
  expect_equal(to_categorical(c(0, 2, 1)), diag(3)[c(1, 3, 2), ])
  expect_equal(dim(to_categorical(c(0, 2, 1, 3, 2), num_classes = 5)), c(5, 5))
  expect_equal(to_categorical(factor(c("b", "a", "b"), levels = c("a", "b", "c"))), diag(3)[c(2, 1, 2), ])
  expect_equal(to_categorical(matrix(c(0, 1), 2, 1)), diag(2))
  codes <- to_categorical(matrix(c(0, 1, 2, 0), 2))
  expect_equal(dim(codes), c(2, 2, 3))
  expect_equal(codes[1, 2, ], c(0, 0, 1))
})

test_that("to_categorical() refuses what is not a class number", {
  expect_error(to_categorical(c(0, 3), num_classes = 3), "Element 2", class = "birnn_error_value")
  expect_error(to_categorical(c(0, 0.5)), class = "birnn_error_value")
  expect_error(to_categorical(factor(c("a", NA))), class = "birnn_error_value")
  expect_error(to_categorical("a"), class = "birnn_error_value")
})

test_that("array_reshape() fills row by row", {
  expect_equal(array_reshape(1:6, c(2, 3)), matrix(1:6, 2, byrow = TRUE))
  x <- array(1:24, 2:4)
  y <- array_reshape(x, c(6, 4))
  expect_equal(y[2, ], x[1, 2, ])
  expect_equal(y[4, ], x[2, 1, ])
  expect_equal(array_reshape(x, c(-1, 4)), y)
  expect_equal(array_reshape(x, c(NA, 4)), y)
  expect_equal(array_reshape(1:6, c(2, 3), order = "F"), matrix(1:6, 2))
  expect_equal(array_reshape(as_tensor(matrix(1:6, 2)), 6), array(c(1, 3, 5, 2, 4, 6)))
  expect_error(array_reshape(1:6, c(4, 2)), class = "birnn_error_shape")
  expect_error(array_reshape(1:6, c(-1, 4)), class = "birnn_error_shape")
})

test_that("a long data frame becomes sequences in the order of first appearance, sorted by time", {
  long <- data.frame(
    who = c("z", "a", "z", "a", "a"), t = c(2, 1, 1, 3, 2), u = 1:5, v = c(0.5, 1, 1.5, 2, 2.5), label = "x"
  )
  sequences <- sequences_from_data_frame(long, id = "who", time = "t", features = c("u", "v"))
  expect_equal(names(sequences), c("z", "a"))
  expect_equal(sequences$z, cbind(u = c(3, 1), v = c(1.5, 0.5)))
  expect_equal(sequences$a[, "u"], c(2, 5, 4))
  unsorted <- sequences_from_data_frame(long[1:4], id = "who")
  expect_equal(colnames(unsorted$a), c("t", "u", "v"))
  expect_equal(unsorted$z[, "t"], c(2, 1))
})

test_that("sequences can have several id columns", {
  long <- data.frame(set = c("train", "train", "test"), k = c(1, 1, 1), u = 1:3)
  expect_equal(names(sequences_from_data_frame(long, c("set", "k"))), c("train.1", "test.1"))
})

test_that("unknown or unsuitable columns are named", {
  long <- data.frame(id = 1, value = 1, name = "x")
  expect_error(sequences_from_data_frame(long, "ids"), "id", class = "birnn_error_value")
  expect_error(sequences_from_data_frame(long, "id", features = "valu"), "value", class = "birnn_error_value")
  expect_error(sequences_from_data_frame(long, "id"), "name", class = "birnn_error_type")
  expect_error(sequences_from_data_frame(list(), "id"), class = "birnn_error_value")
})

test_that("class_labels() gives the label of the largest probability", {
  p <- rbind(c(0.1, 0.7, 0.2), c(0.5, 0.2, 0.3), c(NA, 1, 0), c(0.4, 0.4, 0.2))
  labels <- class_labels(p, c("no", "yes", "maybe"))
  expect_equal(levels(labels), c("no", "yes", "maybe"))
  expect_equal(as.character(labels), c("yes", "no", NA, "no"))
  expect_equal(class_labels(p, labels), labels)
})

test_that("class_labels() reads one probability as that of the second class", {
  expect_equal(as.character(class_labels(matrix(c(0.2, 0.8, NA)), c("no", "yes"))), c("no", "yes", NA))
  expect_equal(as.character(class_labels(c(0.2, 0.8), c("no", "yes"))), c("no", "yes"))
})

test_that("class_labels() of sequences keeps their sizes", {
  p <- array(c(0.9, 0.1, 0.2, 0.7, 0.1, 0.9, 0.8, 0.3), c(2, 2, 2))
  labels <- class_labels(p, c("a", "b"))
  expect_equal(dim(labels), c(2, 2))
  expect_equal(as.character(labels), c("a", "b", "b", "a"))
})

test_that("levels that do not fit are refused", {
  expect_error(class_labels(diag(3), c("a", "b")), class = "birnn_error_shape")
  expect_error(class_labels(diag(3), 1:3), class = "birnn_error_value")
  expect_error(class_labels(diag(2), keras_model_sequential()), class = "birnn_error_state")
})
