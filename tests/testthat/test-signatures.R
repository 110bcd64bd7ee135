# The arguments of exported functions: names, order and defaults of keras3, so that its scripts run as they are.

test_that("functions have the arguments, the order and the defaults of keras3", {
  signatures <- read_signatures()
  expect_gt(length(signatures$formals), 300)
  differences <- Map(signature_difference, names(signatures$formals), signatures$formals)
  expect_identical(unlist(differences, use.names = FALSE), NULL)
})

test_that("two names of one function are the same function", {
  aliases <- read_signatures()$aliases
  for (name in names(aliases)) {
    expect_identical(exported_function(name), exported_function(aliases[[name]]), info = name)
  }
})

test_that("the comparison notices what is missing, renamed, moved or changed", {
  compare <- function(signature) signature_difference("layer_masking", signature_formals(signature, list()))
  expect_null(compare("layer_masking(object, mask_value=0L, ...)"))
  expect_match(compare("layer_masking(object, value=0, ...)"), "wanted \\(object, value, ...\\)")
  expect_match(compare("layer_masking(mask_value=0, object, ...)"), "wanted")
  expect_match(compare("layer_masking(object, mask_value=1, ...)"), "mask_value = 0, wanted 1")
  expect_match(signature_difference("no_such_function", alist()), "no such function")
})
