# Multi-head attention: ways to call it, heads, masks, axes, scores, errors.

random_sequences <- function(...) {
  withr::local_seed(6)
  lapply(list(...), function(size) array(stats::rnorm(prod(size)), size))
}

two_heads <- function(...) layer_multi_head_attention(num_heads = 2, key_dim = 3, ...)

test_that("query, value and key come in a list or one by one, also by name", {
  x <- random_sequences(c(2, 3, 4), c(2, 5, 4), c(2, 5, 4))
  layer <- two_heads()
  with_key <- layer(x)
  expect_same_bits(layer(x[[1]], x[[2]], x[[3]]), with_key)
  expect_same_bits(layer(x[[1]], key = x[[3]], value = x[[2]]), with_key)
  expect_same_bits(layer(x[[1]], x[[2]], key = x[[3]], training = FALSE), with_key)
  expect_same_bits(layer(x[[1]], x[[2]]), layer(x[1:2]))
  expect_same_bits(layer(x[1:2], key = x[[3]]), with_key)
  expect_same_bits(layer(x[[1]], x[[2]], key = NULL), layer(x[1:2]))
  expect_false(same_bits(layer(x[1:2]), with_key))
  expect_equal(tensor_shape(two_heads(inputs = x[1:2])), c(2, 3, 4))
})

test_that("each head is attention of the projected tensors", {
  with_floatx("float64", {
    x <- random_sequences(c(2, 3, 4), c(2, 5, 2))
    layer <- two_heads(value_dim = 2)
    found <- layer(x[[1]], x[[2]], return_attention_scores = TRUE)
    w <- get_weights(layer)
    expect_equal(lapply(w, dim), list(c(4L, 2L, 3L), c(2L, 3L), c(2L, 2L, 3L), c(2L, 3L), c(2L, 2L, 2L), c(2L, 2L),
                                      c(2L, 2L, 4L), 4L))
    project <- function(x, kernel, bias, head) x %*% kernel[, head, ] + rep(bias[head, ], each = nrow(x))
    for (row in 1:2) {
      total <- rep(w[[8]], each = 3)
      for (head in 1:2) {
        query <- project(x[[1]][row, , ], w[[1]], w[[2]], head)
        key <- project(x[[2]][row, , ], w[[3]], w[[4]], head)
        value <- project(x[[2]][row, , ], w[[5]], w[[6]], head)
        scores <- exp(query %*% t(key) / sqrt(3))
        weights <- scores / rowSums(scores)
        expect_close(as.array(found[[2]])[row, head, , ], weights, 1e-12)
        total <- total + weights %*% value %*% w[[7]][head, , ]
      }
      expect_close(as.array(found[[1]])[row, , ], total, 1e-12)
    }
  })
})

test_that("masked keys are as if they were not there; masks on the inputs count", {
  with_floatx("float64", {
    x <- random_sequences(c(2, 3, 4), c(2, 5, 4))
    layer <- two_heads()
    short <- as.array(layer(x[[1]], x[[2]][, 1:3, ]))
    mask <- matrix(rep(c(TRUE, TRUE, TRUE, FALSE, FALSE), each = 2), 2)
    masked <- with_mask(as_tensor(x[[2]]), as_tensor(mask))
    expect_close(layer(x[[1]], masked), short, 1e-12)
    expect_close(layer(x[[1]], x[[2]], value_mask = mask), short, 1e-12)
    expect_close(layer(x[[1]], x[[2]], x[[2]], key_mask = mask), short, 1e-12)
    allowed <- aperm(array(mask, c(2, 5, 3)), c(1, 3, 2))
    expect_close(layer(x[[1]], x[[2]], attention_mask = allowed), short, 1e-12)
    expect_close(layer(x[[1]], x[[2]], attention_mask = allowed[1, , ]), short, 1e-12)
    per_head <- aperm(array(allowed, c(2, 3, 5, 2)), c(1, 4, 2, 3))
    expect_close(layer(x[[1]], x[[2]], attention_mask = per_head), short, 1e-12)
    # A mask of the inputs and an attention mask count both.
    half <- allowed
    half[, , 3] <- FALSE
    expect_close(layer(x[[1]], masked, attention_mask = half), layer(x[[1]], x[[2]][, 1:2, ]), 1e-12)
    query <- with_mask(as_tensor(x[[1]]), as_tensor(matrix(c(TRUE, TRUE, TRUE, FALSE, TRUE, TRUE), 2)))
    expect_same_bits(tensor_mask(layer(query, x[[2]])), tensor_mask(query))
    scores <- layer(query, masked, return_attention_scores = TRUE)[[2]]
    expect_null(tensor_mask(scores))
    expect_equal(as.array(scores)[2, , 2, ], matrix(0, 2, 5))
  })
})

test_that("a causal mask hides what comes later", {
  x <- random_sequences(c(1, 4, 3))[[1]]
  layer <- two_heads()
  scores <- layer(x, x, use_causal_mask = TRUE, return_attention_scores = TRUE)[[2]]
  for (head in 1:2) expect_equal(as.array(scores)[1, head, , ] > 0, lower.tri(diag(4), diag = TRUE))
  later <- x
  later[, 4, ] <- 9
  expect_same_bits(as.array(layer(later, later, use_causal_mask = TRUE))[, 1:3, ],
                   as.array(layer(x, x, use_causal_mask = TRUE))[, 1:3, ])
})

test_that("attention over some axes treats the others as a batch, over several as one", {
  with_floatx("float64", {
    x <- random_sequences(c(2, 3, 4, 5))[[1]]
    inner <- two_heads(attention_axes = 3)
    y <- as.array(inner(x, x))
    flat <- two_heads()
    rows <- array(aperm(x, c(2, 1, 3, 4)), c(6, 4, 5))
    flat$build(list(dim(rows), dim(rows)))
    set_weights(flat, get_weights(inner))
    expect_close(array(aperm(y, c(2, 1, 3, 4)), c(6, 4, 5)), flat(rows, rows), 1e-12)
    both <- two_heads()
    both(x, x)
    set_weights(both, get_weights(inner))
    all_steps <- array_reshape(x, c(2, 12, 5))
    expect_close(array_reshape(as.array(both(x, x)), c(2, 12, 5)), flat(all_steps, all_steps), 1e-12)
    mask <- matrix(c(TRUE, TRUE, TRUE, TRUE, FALSE, FALSE), 2)
    steps <- matrix(rep(mask, each = 4), 4)
    steps <- t(matrix(aperm(array(mask, c(2, 3, 4)), c(3, 2, 1)), 12))
    expect_close(array_reshape(as.array(both(x, x, value_mask = mask)), c(2, 12, 5)),
                 flat(all_steps, all_steps, value_mask = steps), 1e-12)
  })
})

test_that("dropout is by its seed and in training only; threads do not matter", {
  x <- random_sequences(c(2, 3, 4))[[1]]
  first <- NULL
  for (threads in 1:2) {
    with_threads(threads, {
      set.seed(1)
      layer <- two_heads(dropout = 0.5, seed = 3)
      y <- list(layer(x, x, training = TRUE), layer(x, x))
    })
    if (is.null(first)) first <- y
    expect_same_bits(y, first)
  }
  expect_false(same_bits(first[[1]], first[[2]]))
})

test_that("self-attention in a model: unknown batch and time, masks, planned and eager", {
  input <- keras_input(NA, dtype = "int32")
  embedded <- layer_embedding(input, 9, 4, mask_zero = TRUE)
  layer <- two_heads()
  attended <- layer(embedded, embedded, use_causal_mask = TRUE)
  model <- keras_model(input, layer_gru(layer_add(embedded, attended), units = 2))
  start <- get_weights(model)
  x <- matrix(c(3, 1, 4, 1, 5, 2, 6, 5, 0, 0, 8, 0), 3)
  expect_same_bits(predict(model, x, verbose = 0), model(x))
  padded <- predict(model, cbind(x, 0, 0), verbose = 0)
  expect_close(padded, predict(model, x, verbose = 0), 1e-6)
  results <- lapply(c(FALSE, TRUE), function(run_eagerly) {
    set_weights(model, start)
    compile(model, "sgd", "mse", run_eagerly = run_eagerly)
    fit(model, x, matrix(0.5, 3, 2), epochs = 2, shuffle = FALSE, verbose = 0)
    get_weights(model)
  })
  expect_same_bits(results[[2]], results[[1]])
  expect_true(any(unlist(results[[1]]) != unlist(start)))
})

test_that("freezing the layer freezes its projections", {
  x <- random_sequences(c(1, 3, 4))[[1]]
  layer <- two_heads()
  layer(x, x)
  layer$trainable <- FALSE
  expect_length(layer$trainable_weights, 0)
  expect_length(two_heads(trainable = FALSE, name = "frozen")$weights, 0)
  expect_equal(vapply(layer$weights[1:2], function(v) v$path, ""),
               paste0(layer$name, c("/query/kernel", "/query/bias")))
})

test_that("inputs and masks that do not fit are refused", {
  clear_session(free_memory = FALSE)
  x <- array(0, c(2, 3, 4))
  layer <- two_heads()
  expect_refused(layer(x), "shape", list(layer))
  expect_refused(layer(list(x, x, x, x)), "shape", list(layer))
  expect_refused(layer(x, array(0, c(2, 5, 4)), x), "shape", list(layer))
  expect_refused(layer(x, x[, , 1]), "shape", list(layer))
  expect_refused(layer(x, array(0, c(2, 5, 2, 4))), "shape", list(layer))
  expect_refused(layer(x, x, mask = matrix(TRUE, 2, 3)), "value", list(layer))
  layer(x, x)
  expect_refused(layer(x, x, attention_mask = array(TRUE, c(2, 3, 5))), "mask", list(layer))
  expect_refused(layer(x, x, attention_mask = array(TRUE, c(1, 2, 2, 3, 3))), "mask", list(layer))
  built <- two_heads()
  built(x, x)
  expect_refused(built(array(0, c(2, 3, 5)), x), "shape", list(built))
  expect_refused(two_heads(attention_axes = 1)(x, x), "value")
  expect_refused(two_heads(attention_axes = 4)(x, x), "value")
  expect_refused(two_heads()(array(0, c(2, 3, 4, 5)), array(0, c(2, 3, 4, 5)), use_causal_mask = TRUE), "value")
  expect_refused(layer_multi_head_attention(num_heads = 0, key_dim = 2), "value")
  expect_refused(layer_multi_head_attention(num_heads = 2), "value")
  expect_refused(layer_multi_head_attention(num_heads = 2, key_dim = 2, output_shape = NA), "shape")
})
