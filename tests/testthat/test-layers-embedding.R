# Embedding.

test_that("indices of any number type give rows of the table", {
  table <- matrix(1:8, 4)
  layer <- layer_embedding(input_dim = 4, output_dim = 2, weights = table)
  expect_true(layer$built)
  for (ids in list(matrix(c(3, 0), 1), matrix(c(3L, 0L), 1))) {
    expect_equal(as.array(layer(ids)), array(table[c(4, 1), ], c(1, 2, 2)))
  }
  listed <- layer_embedding(input_dim = 4, output_dim = 2, weights = list(table))
  expect_equal(as.numeric(listed(2)), table[3, ])
  expect_error(layer_embedding(input_dim = 4, output_dim = 2, weights = t(table)), class = "birnn_error_weights")
  expect_null(layer$get_config()$weights)
})

test_that("indices out of range are refused, naming the first", {
  layer <- layer_embedding(input_dim = 4, output_dim = 2)
  expect_error(layer(matrix(c(0, 4), 1)), "from 0 to 3, not 4", class = "ValueError")
  expect_error(layer(matrix(c(0, 1, -1, 2), 2)), "[1, 2]", fixed = TRUE, class = "ValueError")
  expect_error(layer(matrix(c(0, 1.5), 1)), "not 1.5", class = "ValueError")
  expect_error(layer(matrix(c(0, NA), 1)), class = "ValueError")
  expect_equal(dim(layer(matrix(0L, 0, 3))), c(0L, 3L, 2L))
})

test_that("0 is padding only if asked for, and a mask of the input ends here", {
  ids <- matrix(c(1, 0, 2, 0), 2)
  masked <- layer_embedding(input_dim = 3, output_dim = 2, mask_zero = TRUE)(ids)
  expect_equal(as.array(tensor_mask(masked)), ids != 0)
  plain <- layer_embedding(input_dim = 3, output_dim = 2)
  expect_null(tensor_mask(plain(with_mask(as_tensor(ids), as_tensor(ids > 0)))))
})

test_that("the table is a variable that can be replaced", {
  layer <- layer_embedding(input_dim = 3, output_dim = 2)
  layer$build(NA)
  layer$embeddings$assign(matrix(7, 3, 2))
  expect_equal(get_weights(layer)[[1]], matrix(7, 3, 2))
})
