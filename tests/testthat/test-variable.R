test_that("a value taken before an assignment keeps its numbers", {
  v <- keras_variable(c(1, 2))
  before <- v$value
  v$assign(c(3, 4))
  expect_identical(as.numeric(before), c(1, 2))
  expect_identical(as.numeric(v), c(3, 4))
})

test_that("a variable that nobody shares is changed in place", {
  v <- keras_variable(c(1, 2))
  bytes <- variable_field(v, "bytes")
  v$assign(c(3, 4))
  expect_identical(readBin(bytes, "double", 2, size = 4), c(3, 4))
})

test_that("a wrong shape is an error and changes nothing", {
  v <- keras_variable(c(1, 2))
  expect_error(v$assign(c(1, 2, 3)), class = "birnn_error_weights")
  expect_identical(as.numeric(v), c(1, 2))
})

test_that("inside a step assignments wait for the commit, and are seen by later reads", {
  v <- keras_variable(1)
  seen <- in_call_context({
    assign_variable(v, op_add(v, 1))
    assign_variable(v, op_add(v, 1))
    list(later = as.numeric(variable_value(v)), outside = readBin(variable_field(v, "bytes"), "double", 1, size = 4))
  })
  expect_identical(seen, list(later = 3, outside = 1))
  expect_identical(as.numeric(v), 3)
})
