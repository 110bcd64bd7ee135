# Attention: closed forms, masks, causal masks, scores, dropout, models, errors.

softmax_rows <- function(x) exp(x - apply(x, 1, max)) / rowSums(exp(x - apply(x, 1, max)))

attention_inputs <- function(...) {
  withr::local_seed(4)
  lapply(list(...), function(size) array(stats::rnorm(prod(size)), size))
}

test_that("the output is the mean of the values, weighted by the softmax of the scores", {
  with_floatx("float64", {
    x <- attention_inputs(c(2, 3, 4), c(2, 5, 2), c(2, 5, 4))
    layer <- layer_attention()
    found <- layer(x, return_attention_scores = TRUE)
    additive <- layer_additive_attention(use_scale = FALSE)(x, return_attention_scores = TRUE)
    concat <- layer_attention(score_mode = "concat")(x)
    for (row in 1:2) {
      weights <- softmax_rows(x[[1]][row, , ] %*% t(x[[3]][row, , ]))
      expect_close(as.array(found[[2]])[row, , ], weights, 1e-12)
      expect_close(as.array(found[[1]])[row, , ], weights %*% x[[2]][row, , ], 1e-12)
      sums <- outer(1:3, 1:5, Vectorize(function(i, j) sum(tanh(x[[1]][row, i, ] + x[[3]][row, j, ]))))
      expect_close(as.array(additive[[2]])[row, , ], softmax_rows(sums), 1e-12)
      expect_close(as.array(concat)[row, , ], softmax_rows(sums) %*% x[[2]][row, , ], 1e-12)
    }
  })
})

test_that("masked values are as if they were not there, masked queries give 0", {
  with_floatx("float64", {
    x <- attention_inputs(c(2, 3, 4), c(2, 5, 4))
    value_mask <- matrix(rep(c(TRUE, TRUE, TRUE, FALSE, FALSE), each = 2), 2)
    query_mask <- matrix(rep(c(TRUE, FALSE, TRUE), each = 2), 2)
    for (layer in list(layer_attention(), layer_additive_attention(use_scale = FALSE))) {
      short <- as.array(layer(list(x[[1]], x[[2]][, 1:3, ])))
      expect_close(layer(x, mask = list(NULL, value_mask)), short, 1e-12)
      tensors <- Map(function(x, mask) with_mask(as_tensor(x), as_tensor(mask)), x, list(query_mask, value_mask))
      masked <- layer(tensors)
      expect_close(masked, short * as.vector(query_mask), 1e-12)
      expect_same_bits(tensor_mask(masked), query_mask)
      expect_same_bits(layer$compute_mask(tensors, list(query_mask, NULL)), query_mask)
      expect_null(layer$compute_mask(tensors, list(NULL, value_mask)))
      scored <- layer(tensors, return_attention_scores = TRUE)
      expect_null(tensor_mask(scored[[2]]))
      expect_equal(as.array(scored[[2]])[, , 4:5], array(0, c(2, 3, 2)))
    }
  })
})

test_that("a causal mask hides what comes later", {
  x <- attention_inputs(c(1, 4, 3))[[1]]
  layer <- layer_attention()
  found <- layer(list(x, x), use_causal_mask = TRUE, return_attention_scores = TRUE)
  expect_equal(which(as.array(found[[2]])[1, , ] > 0), which(lower.tri(diag(4), diag = TRUE)))
  expect_equal(as.array(found[[1]])[1, 1, ], x[1, 1, ], tolerance = 1e-6)
  masked <- layer(list(x, x), mask = list(NULL, matrix(c(TRUE, FALSE, TRUE, TRUE), 1)), use_causal_mask = TRUE,
                  return_attention_scores = TRUE)
  expect_equal(as.array(masked[[2]])[1, , 2], rep(0, 4))
  expect_equal(as.array(masked[[1]])[1, 2, ], x[1, 1, ], tolerance = 1e-6)
})

test_that("dropout takes weights away in training only, by its seed", {
  x <- attention_inputs(c(2, 3, 4), c(2, 50, 4))
  for (make in list(layer_attention, layer_additive_attention)) {
    draw <- function(threads) {
      with_threads(threads, make(use_scale = FALSE, dropout = 0.5, seed = 3)(x, training = TRUE))
    }
    expect_same_bits(draw(2), draw(1))
    layer <- make(use_scale = FALSE, dropout = 0.5, seed = 3)
    expect_false(same_bits(layer(x, training = TRUE), layer(x)))
    expect_same_bits(layer(x), make(use_scale = FALSE)(x))
  }
  ones <- list(array(0, c(1, 1, 1)), array(1, c(1, 10000, 1)))
  # The mean of 10,000 draws of 0 or 2: four standard deviations are 0.04.
  expect_lt(abs(as.numeric(layer_attention(dropout = 0.5, seed = 1)(ones, training = TRUE)) - 1), 0.04)
})

test_that("attention works in models with unknown batch and time, planned and eager", {
  input <- list(keras_input(c(NA, 3)), keras_input(c(NA, 3)))
  query <- layer_masking()(input[[1]])
  value <- layer_masking()(input[[2]])
  attended <- layer_attention(use_scale = TRUE)(list(query, value), use_causal_mask = TRUE)
  model <- keras_model(input, layer_lstm(attended, units = 2))
  start <- get_weights(model)
  for (size in list(c(4, 3, 5), c(2, 6, 2))) {
    x <- attention_inputs(c(size[[1]], size[[2]], 3), c(size[[1]], size[[3]], 3))
    x[[1]][1, 2, ] <- 0
    expect_same_bits(predict(model, x, verbose = 0), model(x))
    results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
      set_weights(model, start)
      compile(model, "sgd", "mse", run_eagerly = run_eagerly)
      train_on_batch(model, x, matrix(0.5, size[[1]], 2))
      get_weights(model)
    })
    expect_same_bits(results[[2]], results[[1]])
  }
})

test_that("inputs and masks that attention cannot take are refused", {
  clear_session(free_memory = FALSE)
  x <- array(0, c(2, 3, 4))
  layer <- layer_attention()
  expect_refused(layer(x), "shape", list(layer))
  expect_refused(layer(list(x)), "shape", list(layer))
  expect_refused(layer(list(x, x, x, x)), "shape", list(layer))
  expect_refused(layer(list(x, x[, , 1])), "shape", list(layer))
  expect_refused(layer(list(x, array(0, c(2, 5, 4)), x)), "shape", list(layer))
  expect_refused(layer(list(x, x[, , 1:2])), "shape", list(layer))
  layer(list(x, x))
  expect_refused(layer(list(x, x), mask = matrix(TRUE, 2, 3)), "mask", list(layer))
  expect_refused(layer(list(x, x), mask = list(matrix(TRUE, 2, 3))), "mask", list(layer))
  expect_refused(layer_attention(score_mode = "product"), "value")
  expect_refused(layer_attention(dropout = 1.5), "value")
  expect_refused(layer_additive_attention(score_mode = "dot"), "value")
})
