# zip_lists(): lists inside out.

test_that("lists are zipped by position, or by name where they have names", {
  expect_identical(zip_lists(list(1, 2), list("a", "b")), list(list(1, "a"), list(2, "b")))
  expect_identical(zip_lists(x = list(1, 2), y = list("a", "b")), list(list(x = 1, y = "a"), list(x = 2, y = "b")))
  expect_identical(zip_lists(list(p = 1, q = 2), list(q = "b", p = "a")), list(p = list(1, "a"), q = list(2, "b")))
})

test_that("lists that do not match are refused", {
  expect_error(zip_lists(list(1, 2), list(1)), class = "birnn_error_shape")
  expect_error(zip_lists(list(p = 1), list(q = 2)), "names", class = "birnn_error_value")
})
