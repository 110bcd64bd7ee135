# pad_sequences(): vectors, ragged matrices, cutting and filling at either end.

ragged <- list(c(1L, 6L, 6L), 2L, c(3L, 4L, 1L, 3L, 2L, 7L), integer(), c(6L, 3L))

test_that("pad_sequences() and to_categorical() give what Keras gives", {
  cases <- load_fixture("small-things")
  padded <- cases[startsWith(names(cases), "pad_sequences")]
  expect_length(padded, 4)
  for (case in padded) {
    got <- do.call(pad_sequences, c(list(lapply(case$sequences, as.integer)), case$args))
    expect_identical(got, fixture_array(case$y), label = case$name)
  }
  coded <- cases[["to_categorical"]]
  expect_identical(do.call(to_categorical, c(list(coded$x), coded$args)), fixture_array(coded$y))
  kinds <- sub("[-_].*", "", names(cases))
  expect_identical(c(table(kinds)), c(constraint = 4L, pad = 4L, regularizer = 5L, schedule = 9L, to = 1L))
})

test_that("vectors are filled up at the front by default, to the longest one", {
  padded <- pad_sequences(ragged)
  expect_type(padded, "integer")
  expect_equal(dim(padded), c(5, 6))
  expect_equal(padded[1, ], c(0, 0, 0, 1, 6, 6))
  expect_equal(padded[3, ], c(3, 4, 1, 3, 2, 7))
  expect_equal(padded[4, ], rep(0, 6))
})

test_that("a sequence may be a list of numbers", {
  expect_identical(pad_sequences(list(list(1), list(1, 2), list())), rbind(c(0L, 1L), c(1L, 2L), c(0L, 0L)))
  expect_error(pad_sequences(list(list(1, "a"))), class = "birnn_error_value")
})

test_that("padding and truncating work at either end", {
  expect_equal(pad_sequences(ragged, padding = "post")[1, ], c(1, 6, 6, 0, 0, 0))
  expect_equal(pad_sequences(ragged, maxlen = 4)[3, ], c(1, 3, 2, 7))
  cut <- pad_sequences(ragged, maxlen = 4, truncating = "post", padding = "post", value = 7)
  expect_equal(cut[3, ], c(3, 4, 1, 3))
  expect_equal(cut[2, ], c(2, 7, 7, 7))
})

test_that("matrices of different lengths become an array (sequence, time, feature)", {
  a <- matrix(as.numeric(1:6), 3, 2)
  b <- matrix(as.numeric(11:20), 5, 2)
  padded <- pad_sequences(list(a, b, NULL), dtype = "float32", padding = "post", value = -99)
  expect_equal(dim(padded), c(3, 5, 2))
  expect_equal(padded[1, 1:3, ], a)
  expect_equal(padded[1, 4:5, ], matrix(-99, 2, 2))
  expect_equal(padded[2, , ], b)
  expect_true(all(padded[3, , ] == -99))
  expect_equal(pad_sequences(list(a, b), maxlen = 2, dtype = "float64")[2, , ], b[4:5, ])
})

test_that("data frames and steps of more than one axis are sequences, too", {
  frame <- data.frame(u = c(0.5, 1), v = c(2, 3))
  expect_equal(pad_sequences(list(frame), dtype = "float32")[1, , ], unname(as.matrix(frame)))
  images <- list(array(1:12, c(2, 3, 2)), array(1:18, c(3, 3, 2)))
  padded <- pad_sequences(images)
  expect_equal(dim(padded), c(2, 3, 3, 2))
  expect_equal(padded[1, 2:3, , ], images[[1]])
})

test_that("fractions are not lost silently", {
  expect_warning(padded <- pad_sequences(list(c(0.5, 1.5))), class = "birnn_warning")
  expect_equal(padded, matrix(0:1, 1))
})

test_that("what is not a list of sequences of one kind is an error", {
  expect_error(pad_sequences(1:3), class = "birnn_error_value")
  expect_error(pad_sequences(list(1:2, "a")), "sequences[[2]]", fixed = TRUE, class = "birnn_error_value")
  expect_error(pad_sequences(list(matrix(0, 2, 2), matrix(0, 2, 3))), "Sequence 1", class = "birnn_error_shape")
  expect_error(pad_sequences(list(1:2), padding = "front"), class = "birnn_error_value")
  expect_error(pad_sequences(list(1:2), dtype = "flot32"), "float32", class = "birnn_error_value")
})
