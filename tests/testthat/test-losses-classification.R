# Single losses of classes beyond the fixtures.

test_that("classes may stand on another axis", {
  set.seed(1)
  p <- array(stats::runif(24), c(2, 4, 3))
  y <- array(0, c(2, 4, 3))
  y[, 2, ] <- 1
  moved <- function(x) aperm(x, c(1, 3, 2))
  expect_equal(as.array(loss_categorical_crossentropy(y, p, axis = 2)),
               as.array(loss_categorical_crossentropy(moved(y), moved(p))))
  expect_equal(as.array(loss_sparse_categorical_crossentropy(matrix(1, 2, 3), p, axis = 2)),
               as.array(loss_categorical_crossentropy(y, p, axis = 2)), tolerance = 1e-6)
})

test_that("hinges take labels 0 and 1 as -1 and 1, and leave others alone", {
  p <- rbind(c(0.5, -2))
  expect_equal(as.array(loss_hinge(rbind(c(0, 1)), p)), as.array(loss_hinge(rbind(c(-1, 1)), p)))
  expect_equal(as.array(loss_hinge(rbind(c(2, 1)), p)), array(1.5))
})

test_that("shapes that do not fit are refused", {
  expect_refused(loss_categorical_crossentropy(matrix(1, 2, 3), matrix(1, 2, 4)), "shape")
  expect_refused(loss_sparse_categorical_crossentropy(matrix(1, 2, 3), matrix(1, 2, 4)), "shape")
  expect_refused(loss_binary_crossentropy(label_smoothing = 2), "value")
  expect_refused(loss_sparse_categorical_crossentropy(3, matrix(0.5, 1, 2)), "value")
})
