# Parts of tensors between brackets, against the same parts of R's arrays.

a <- array(1:24, c(2, 3, 4))
x <- as_tensor(a)

# A row: expression with x, what R says of a.
picks <- list(
  quote(x@r[1]), quote(a[1, , ]),
  quote(x@r[1, ]), quote(a[1, , ]),
  quote(x@r[1, , ]), quote(a[1, , ]),
  quote(x[2, 3, 4]), quote(a[2, 3, 4]),
  quote(op_subset(x, 2, 3)), quote(a[2, 3, ]),
  quote(x@r[]), quote(a),
  # slices: end-inclusive, open, with steps, backwards
  quote(x@r[, 2:3, ]), quote(a[, 2:3, ]),
  quote(x@r[, 2:NA, ]), quote(a[, 2:3, ]),
  quote(x@r[, NA:2, ]), quote(a[, 1:2, ]),
  quote(x@r[, NA, 1]), quote(a[, , 1]),
  quote(x@r[, , 1:4:2]), quote(a[, , c(1, 3)]),
  quote(x@r[, , 2:NA:2]), quote(a[, , c(2, 4)]),
  quote(x@r[, 3:1:-1, ]), quote(a[, 3:1, ]),
  quote(x@r[, NA:NA:-1, ]), quote(a[, 3:1, ]),
  quote(x@r[1:1]), quote(a[1, , , drop = FALSE]),
  # counted from the end
  quote(x@r[-1]), quote(a[2, , ]),
  quote(x@r[, -2:-1, ]), quote(a[, 2:3, ]),
  quote(x@r[, -2:NA, ]), quote(a[, 2:3, ]),
  quote(x@r[, , -4:2]), quote(a[, , 1:2]),
  quote(x@r[.., -4]), quote(a[, , 1]),
  # several elements, logicals, tensors of indices
  quote(x@r[, , c(4, 1)]), quote(a[, , c(4, 1)]),
  quote(x@r[, c(TRUE, FALSE, TRUE), ]), quote(a[, c(1, 3), ]),
  quote(x@r[as_tensor(2L)]), quote(a[2, , ]),
  quote(x@r[as_tensor(c(2L, 1L))]), quote(a[2:1, , ]),
  quote(x@r[c(1, 2), , c(1, 4)]), quote(a[, , c(1, 4)]),
  quote(x@r[rep(1, 3)]), quote(a[c(1, 1, 1), , ]),
  # the rest of the axes, new axes
  quote(x@r[.., 1]), quote(a[, , 1]),
  quote(x@r[all_dims(), 1]), quote(a[, , 1]),
  quote(x@r[1, .., 2]), quote(a[1, , 2]),
  quote(x@r[1, ..]), quote(a[1, , ]),
  quote(x@r[newaxis]), quote(array(a, c(1, 2, 3, 4))),
  quote(x@r[, NULL, 1, ]), quote(array(a[, 1, ], c(2, 1, 4))),
  quote(x@r[.., newaxis]), quote(array(a, c(2, 3, 4, 1))),
  # drop
  quote(x[1, , , drop = FALSE]), quote(a[1, , , drop = FALSE]),
  quote(x[, 2, 3, drop = TRUE]), quote(a[, 2, 3]),
  # alone: a logical array (row-major order), a matrix of places
  quote(x@r[a > 12]), quote(aperm(a)[aperm(a) > 12]),
  quote(x@r[x > 12]), quote(aperm(a)[aperm(a) > 12]),
  quote(x@r[rbind(c(1, 1, 1), c(2, 3, 4))]), quote(c(1, 24)),
  quote(x@r[rbind(c(1, 1), c(2, 3))]), quote(rbind(a[1, 1, ], a[2, 3, ])),
  # from 0, without the end
  quote(x@py[0]), quote(a[1, , ]),
  quote(x@py[-1]), quote(a[2, , ]),
  quote(x@py[, 0:2]), quote(a[, 1:2, ]),
  quote(x@py[.., 3]), quote(a[, , 4]),
  quote(x@py[, NA:NA:2]), quote(a[, c(1, 3), ]),
  quote(x@py[0:1, 1:3]), quote(a[1, 2:3, , drop = FALSE]),
  quote(x@py[, c(0, 2)]), quote(a[, c(1, 3), ]),
  quote(x@py[rbind(c(0, 0, 0), c(1, 2, 3))]), quote(c(1, 24))
)

test_that("parts are those of arrays; for variables and symbolic tensors as well", {
  variable <- keras_variable(a)
  for (k in seq(1, length(picks), 2)) {
    pick <- picks[[k]]
    expected <- eval(picks[[k + 1]])
    if (length(expected) > 1) expected <- as.array(expected)
    expect_equal(as.array(eval(pick)), expected, info = deparse(pick))
    expect_equal(as.array(eval(pick, list(x = variable))), expected, info = deparse(pick))
    alone <- grepl("x > 12|a > 12", deparse(pick)[[1]])
    if (alone) next
    symbolic <- eval(pick, list(x = keras_input(batch_shape = dim(a))))
    expect_equal(dim(symbolic), dim(expected) %||% integer(), info = deparse(pick))
  }
})

test_that("the first axis of an input may be unknown", {
  input <- keras_input(c(3, 4))
  expect_identical(dim(input@r[, 1]), c(NA, 4L))
  expect_identical(dim(input@r[, -1, ..]), c(NA, 4L))
  expect_identical(dim(input[, 2:3, 1]), c(NA, 2L))
  expect_identical(dim(input[, , newaxis, 1]), c(NA, 3L, 1L))
})

# A row: assignment to x, the same for a.
replacements <- list(
  quote(x@r[1] <- 0), quote(a[1, , ] <- 0),
  quote(x[, 2:NA, 1] <- 0), quote(a[, 2:3, 1] <- 0),
  quote(op_subset(x, 2, 3) <- 1:4), quote(a[2, 3, ] <- 1:4),
  quote(x@r[-1] <- 5), quote(a[2, , ] <- 5),
  quote(x@r[, , c(1, 3)] <- 0), quote(a[, , c(1, 3)] <- 0),
  quote(x@r[, 1:NA:2, ] <- array(0, c(2, 2, 4))), quote(a[, c(1, 3), ] <- 0),
  quote(x@r[a > 12] <- -1), quote(a[a > 12] <- -1),
  quote(x@r[x > 12] <- -1), quote(a[a > 12] <- -1),
  quote(x@r[rbind(c(1, 1, 1), c(2, 3, 4))] <- c(100, 200)), quote(a[rbind(c(1, 1, 1), c(2, 3, 4))] <- c(100, 200)),
  quote(x@py[0] <- 0), quote(a[1, , ] <- 0),
  quote(x@py[.., 1:3] <- 9), quote(a[, , 2:3] <- 9),
  quote(x[.., 4] <- op_zeros(c(2, 3))), quote(a[, , 4] <- 0),
  quote(x[newaxis, 1] <- 0), quote(a[1, , ] <- 0)
)

test_that("replaced parts are those of arrays; tensors stay, variables change", {
  for (k in seq(1, length(replacements), 2)) {
    ours <- list2env(list(x = as_tensor(a, "float32"), a = a))
    before <- ours$x
    variable <- keras_variable(a)
    theirs <- list2env(list(a = a))
    eval(replacements[[k]], ours)
    eval(replacements[[k + 1]], theirs)
    info <- deparse(replacements[[k]])
    expect_equal(as.array(ours$x), theirs$a, info = info)
    expect_equal(as.array(before), a, info = info)
    eval(replacements[[k]], list2env(list(x = variable, a = a)))
    expect_equal(as.array(variable), theirs$a, info = info)
  }
})

test_that("what is not there is refused", {
  y <- as_tensor(a)
  expect_refused(x@r[3], "value")
  expect_refused(x@r[, , -5], "value")
  expect_refused(x@r[0], "value")
  expect_refused(x@r[1, 1, 1, 1], "shape")
  expect_refused(x@r[.., 1, ..], "value")
  expect_refused(x@r["a"], "value")
  expect_refused(x@r[1.5], "value")
  expect_refused(x@r[3:1], "value")
  expect_refused(x@r[1:3:0], "value")
  expect_refused(x@q[1], "value")
  expect_refused(x@r[a[1, , ] > 1], "shape")
  expect_refused(y@r[1, 1] <- 1:3, "shape")
  expect_refused(keras_input(3)@r[keras_input(3) > 0], "symbolic")
})
