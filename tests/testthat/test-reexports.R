# Functions of other packages that are here as well.

test_that("pipe, multiple assignment and the generics of training are exported", {
  expect_equal(4 %>% sqrt(), 2)
  c(a, c(b, d)) %<-% list(1, list(2, 3))
  expect_equal(c(a, b, d), 1:3)
  expect_identical(birnn::fit, generics::fit)
  expect_identical(birnn::compile, generics::compile)
})
