# normalize(): lengths along an axis.

test_that("vectors along any axis get length 1", {
  x <- array(round(sin(1:24), 3), 2:4)
  for (axis in list(1, 2, -1)) {
    others <- setdiff(1:3, if (axis == -1) 3 else axis)
    expect_equal(apply(normalize(x, axis)^2, others, sum), array(1, dim(x)[others]))
  }
  expect_equal(normalize(c(3, 4)), c(0.6, 0.8))
  expect_equal(normalize(rbind(1:4), order = 1), rbind(1:4 / 10))
  expect_equal(normalize(rbind(c(-2, 1)), order = Inf), rbind(c(-1, 0.5)))
  expect_equal(normalize(matrix(0, 2, 2)), matrix(0, 2, 2))
  expect_equal(as.array(normalize(as_tensor(rbind(c(3, 4))))), rbind(c(0.6, 0.8)), tolerance = 1e-6)
})

test_that("wrong arguments are refused", {
  expect_refused(normalize("a"), "value")
  expect_refused(normalize(1:3, axis = 2), "value")
  expect_refused(normalize(1:3, order = 0), "value")
})
