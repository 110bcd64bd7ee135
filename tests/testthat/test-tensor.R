test_that("arrays of every rank and type survive the way in and out", {
  for (sizes in list(3, c(2, 3), c(2, 3, 4), c(9, 2, 3, 2), c(17, 1, 5), c(0, 3), c(2, 0, 4))) {
    x <- array(seq_len(prod(sizes)) + 0, sizes)
    expect_identical(as.array(as_tensor(x)), x)
    expect_identical(as.array(as_tensor(x, "float64")), x)
    storage.mode(x) <- "integer"
    expect_identical(as.array(as_tensor(x)), x)
    logical <- array(x %% 2L == 0L, sizes)
    expect_identical(as.array(as_tensor(logical)), logical)
  }
  expect_identical(as.array(as_tensor(2.5)), 2.5)
})

test_that("tensors are row-major", {
  expect_identical(
    readBin(r_tensor_bytes(as_tensor(matrix(1:6, 2))), "integer", 6), c(1L, 3L, 5L, 2L, 4L, 6L)
  )
  for (sizes in list(c(19, 33), c(9, 3, 18), c(1, 40, 17), c(40, 17, 1), c(8, 1, 16), c(9, 2, 3, 1, 35))) {
    x <- array(seq_len(prod(sizes)), sizes)
    row_major <- as.vector(aperm(x, rev(seq_along(sizes))))
    expect_identical(readBin(r_tensor_bytes(as_tensor(x)), "integer", length(x)), row_major, info = format(sizes))
    expect_identical(as.array(as_tensor(x)), x, info = format(sizes))
  }
})

test_that("numbers take the running float type, integers and logicals keep theirs", {
  expect_identical(tensor_dtype(as_tensor(1.5)), "float32")
  expect_identical(tensor_dtype(as_tensor(1L)), "int32")
  expect_identical(tensor_dtype(as_tensor(TRUE)), "bool")
  with_floatx("float64", expect_identical(tensor_dtype(as_tensor(1.5)), "float64"))
  expect_identical(as.array(as_tensor(c(1.7, -1.7), "int32")), array(c(1L, -1L)))
})

test_that("what is not numbers is refused, with a hint", {
  expect_refused(as_tensor("a"), "type")
  expect_refused(as_tensor(data.frame(a = 1)), "type")
  expect_refused(as_tensor(factor("a")), "type")
  expect_refused(as_tensor(Sys.Date()), "type")
  expect_refused(as_tensor(c(TRUE, NA)), "value")
  expect_refused(as_tensor(1, dtype = "float16"), "value")
})

test_that("the comparison of tensors looks at their numbers", {
  expect_equal(as_tensor(1:3), as_tensor(1:3))
  expect_failure(expect_equal(as_tensor(1:3), as_tensor(c(1L, 2L, 4L))))
  expect_failure(expect_identical(as_tensor(c(1, 2)), as_tensor(c(1, 3))))
  expect_false(isTRUE(all.equal(as_tensor(1), as_tensor(2))))
})

test_that("a tensor survives serialization", {
  x <- as_tensor(matrix(c(1, 2, 3, 4), 2))
  y <- unserialize(serialize(x, NULL))
  expect_identical(as.array(y), as.array(x))
})

test_that("masks belong to a handle, not to the numbers", {
  x <- as_tensor(matrix(0, 2, 3))
  masked <- with_mask(x, as_tensor(matrix(TRUE, 2, 3)))
  expect_null(tensor_mask(x))
  expect_true(all(as.array(masked$`_keras_mask`)))
})

test_that("tensors print, and show as tensors", {
  expect_snapshot_output({
    print(as_tensor(matrix(c(1, 2, 3, 4), 2)))
    str(as_tensor(1:3))
  })
  expect_identical(as_tensor(matrix(0, 2, 3))$shape, list(2L, 3L))
})

test_that("as_tensor() fills a shape row by row and repeats a single number", {
  x <- as_tensor(1:6, shape = c(2, 3), dtype = "float64")
  expect_identical(as.array(x), rbind(c(1, 2, 3), c(4, 5, 6)))
  expect_identical(as.array(as_tensor(x, shape = shape(3, 2)))[2, ], c(3, 4))
  expect_identical(as.array(as_tensor(7L, shape = c(1, 2))), matrix(7L, 1, 2))
  expect_error(as_tensor(1:6, shape = c(4, 2)), class = "birnn_error_shape")
})
