# Merging layers: three ways to call them, shapes, masks, errors.

random_pair <- function() list(array(stats::rnorm(24), c(2, 4, 3)), array(stats::rnorm(24), c(2, 4, 3)))

merging_layers <- list(
  layer_add = list(layer_add, `+`), layer_subtract = list(layer_subtract, `-`),
  layer_multiply = list(layer_multiply, `*`), layer_average = list(layer_average, function(a, b) (a + b) / 2),
  layer_maximum = list(layer_maximum, pmax),
  layer_minimum = list(layer_minimum, pmin)
)

# The steps 1 and 3 of the first and 1 and 2 of the second sequence are masked by layer_masking().
masked_pair <- function(sign = 1) {
  first <- array(sign * c(0, 1, 0, 3, 0, 2, 0, 4), c(1, 4, 2))
  second <- array(sign * c(0, 0, 1, 3, 0, 0, 2, 4), c(1, 4, 2))
  list(first, second)
}

steps <- function(...) array(rbind(...), c(1, 4, 2))

test_that("the three ways to call a merging layer give the same", {
  withr::local_seed(1)
  x <- random_pair()
  for (name in names(merging_layers)) {
    layer <- merging_layers[[name]][[1]]
    expected <- merging_layers[[name]][[2]](x[[1]], x[[2]])
    expect_close(layer(x), expected, 1e-6, name)
    expect_same_bits(layer(x[[1]], x[[2]]), layer(x), name)
    expect_same_bits(layer()(x), layer(x), name)
    expect_same_bits(x[[1]] |> layer(x[[2]]), layer(x), name)
    expect_equal(layer(name = "merged")$name, "merged")
  }
  expect_same_bits(layer_add(x[[1]], x[[2]], x[[1]], name = "three"), layer_add(x[c(1, 2, 1)]))
  expect_equal(tensor_shape(layer_concatenate(x, axis = 2)), c(2, 8, 3))
  expect_same_bits(layer_concatenate(x[[1]], x[[2]], axis = 2), layer_concatenate(axis = 2)(x))
})

test_that("inputs with fewer axes get the missing ones behind the batch", {
  a <- array(1:12, c(2, 3, 2))
  b <- matrix(c(10, 20, 30, 40), 2)
  expect_equal(as.array(layer_add(a, b)), a + aperm(array(b, c(2, 2, 3)), c(1, 3, 2)))
})

# The numbers of the next two tests are those of Keras' own tests of these layers.
test_that("masked steps do not take part in products, maxima and minima", {
  mask <- layer_masking()
  one_mask <- function(layer, x) layer(mask(x[[1]]), x[[2]])
  both_masks <- function(layer, x) layer(lapply(x, mask))
  x <- masked_pair()
  negative <- masked_pair(-1)
  cases <- list(
    list(layer_add, x, steps(c(0, 0), c(1, 2), c(1, 2), c(6, 8)), steps(c(0, 0), c(1, 2), c(1, 2), c(6, 8))),
    list(layer_subtract, x, steps(c(0, 0), c(1, 2), c(-1, -2), c(0, 0)), steps(c(0, 0), c(1, 2), c(-1, -2), c(0, 0))),
    list(layer_average, x, steps(c(0, 0), c(.5, 1), c(.5, 1), c(3, 4)), steps(c(0, 0), c(.5, 1), c(.5, 1), c(3, 4))),
    list(layer_multiply, x, steps(c(0, 0), c(0, 0), c(1, 2), c(9, 16)), steps(c(0, 0), c(1, 2), c(1, 2), c(9, 16))),
    list(layer_maximum, negative, steps(c(0, 0), c(0, 0), c(-1, -2), c(-3, -4)),
         steps(c(0, 0), c(-1, -2), c(-1, -2), c(-3, -4))),
    list(layer_minimum, x, steps(c(0, 0), c(0, 0), c(1, 2), c(3, 4)), steps(c(0, 0), c(1, 2), c(1, 2), c(3, 4)))
  )
  for (case in cases) {
    half <- one_mask(case[[1]], case[[2]])
    full <- both_masks(case[[1]], case[[2]])
    expect_equal(as.array(half), case[[3]])
    expect_null(tensor_mask(half))
    expect_equal(as.array(full), case[[4]])
    expect_equal(as.array(tensor_mask(full)), matrix(c(FALSE, TRUE, TRUE, TRUE), 1))
  }
})

test_that("joined masks: an input without one counts everywhere", {
  mask <- layer_masking()
  x <- masked_pair()
  over_time <- layer_concatenate(mask(x[[1]]), x[[2]], axis = 2)
  expect_equal(as.array(tensor_mask(over_time)), matrix(c(FALSE, TRUE, FALSE, rep(TRUE, 5)), 1))
  over_features <- layer_concatenate(mask(x[[1]]), x[[2]], axis = 3)
  expect_equal(as.array(tensor_mask(over_features)), matrix(TRUE, 1, 4))
  both <- layer_concatenate(lapply(x, mask))
  expect_equal(as.array(tensor_mask(both)), matrix(c(FALSE, TRUE, TRUE, TRUE), 1))
  expect_null(tensor_mask(layer_concatenate(x)))
  expect_null(tensor_mask(layer_dot(lapply(x, mask), axes = 3)))
})

test_that("a joined mask works in a model, planned and eager", {
  input <- list(keras_input(c(NA, 2)), keras_input(c(NA, 2)))
  joined <- layer_concatenate(layer_masking()(input[[1]]), input[[2]], axis = 2)
  model <- keras_model(input, layer_lstm(joined, units = 2))
  x <- masked_pair()
  expect_same_bits(predict(model, x, verbose = 0), model(x))
  shorter <- list(x[[1]][, c(2, 4), , drop = FALSE], x[[2]])
  expect_same_bits(predict(model, shorter, verbose = 0), model(x), "without the masked steps")
})

test_that("the product along an axis is the one of each row", {
  withr::local_seed(2)
  product <- function(a, b, axes) {
    rows <- lapply(seq_len(dim(a)[[1]]), function(i) {
      pick <- function(x, axis) {
        x <- array(rows_of(x, i), dim(x)[-1])
        others <- setdiff(seq_along(dim(x)), axis - 1)
        list(matrix(aperm(x, c(others, axis - 1)), ncol = dim(x)[[axis - 1]]), dim(x)[others])
      }
      a <- pick(a, axes[[1]])
      b <- pick(b, axes[[2]])
      array(a[[1]] %*% t(b[[1]]), c(1, c(a[[2]], b[[2]])))
    })
    size <- dim(rows[[1]])
    array(do.call(rbind, lapply(rows, as.vector)), c(length(rows), if (length(size) == 1) 1 else size[-1]))
  }
  random <- function(...) array(stats::rnorm(prod(...)), c(...))
  cases <- list(
    list(random(c(2, 3)), random(c(2, 3)), c(2, 2)), list(random(c(2, 3)), random(c(2, 4, 3)), c(2, 3)),
    list(random(c(2, 4, 3)), random(c(2, 3)), c(3, 2)), list(random(c(2, 3, 5)), random(c(2, 4, 3)), c(2, 3)),
    list(random(c(2, 3, 5, 2)), random(c(2, 5)), c(3, 2)), list(random(c(2, 5)), random(c(2, 3, 5, 2)), c(2, 3)),
    list(random(c(1, 3, 2)), random(c(1, 1, 2, 3)), c(-2, -1)),
    list(random(c(2, 3, 5, 4)), random(c(2, 2, 4, 3)), c(2, 4))
  )
  with_floatx("float64", for (case in cases) {
    ranks <- lengths(lapply(case[1:2], dim))
    axes <- ifelse(case[[3]] < 0, ranks + 1 + case[[3]], case[[3]])
    expected <- product(case[[1]], case[[2]], axes)
    layer <- layer_dot(axes = case[[3]])
    label <- paste(format_shape(dim(case[[1]])), format_shape(dim(case[[2]])))
    expect_close(layer(case[1:2]), expected, 1e-12, label)
    expect_equal(layer$compute_output_shape(lapply(case[1:2], dim)), dim(expected), info = label)
  })
})

test_that("normalized products are cosines; vectors of zeros give 0", {
  x <- rbind(c(3, 4), c(0, 0))
  y <- rbind(c(6, 8), c(1, 1))
  expect_equal(as.numeric(layer_dot(x, y, axes = 2, normalize = TRUE)), c(1, 0), tolerance = 1e-6)
})

test_that("inputs that cannot be merged are refused", {
  clear_session(free_memory = FALSE)
  x <- array(0, c(2, 4, 3))
  layer <- layer_add()
  expect_refused(layer(x), "shape", list(layer))
  expect_refused(layer_add(x), "shape")
  expect_refused(layer_add(x, array(0, c(2, 4, 2))), "shape")
  expect_refused(layer_add(x, array(0, c(1, 4, 3))), "shape")
  expect_refused(layer_subtract(x, x, x), "shape")
  expect_refused(layer_multiply(x, x, axes = 2), "value")
  expect_refused(layer_concatenate(x, array(0, c(2, 5, 3))), "shape")
  expect_refused(layer_concatenate(x, matrix(0, 2, 3)), "shape")
  expect_refused(layer_concatenate(x, x, axis = 4), "value")
  expect_refused(layer_concatenate(x, x, axis = 0), "value")
  expect_refused(layer_dot(x, x), "value")
  expect_refused(layer_dot(x, x, axes = 1), "value")
  expect_refused(layer_dot(x, x, axes = 2:4), "value")
  expect_refused(layer_dot(x, x, axes = c(2, 3)), "shape")
  expect_refused(layer_dot(x, x, x, axes = 2), "shape")
  expect_refused(layer_dot(1:2, 1:2, axes = 2), "shape")
  expect_refused(layer$compute_mask(list(x, x), x), "value")
  expect_refused(layer$compute_mask(list(x, x), list(NULL)), "mask")
  expect_refused(layer_concatenate(keras_input(c(4, 3)), keras_input(c(5, 3))), "shape")
})
