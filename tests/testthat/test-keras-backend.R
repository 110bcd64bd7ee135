# Backend functions of Keras 2.

x <- matrix(c(1, -2, 3, 4, 5, -6), 2)

backend <- function(code) suppressWarnings(code, classes = "birnn_warning_deprecated")

test_that("every name of the table is exported and calls a function that exists", {
  exports <- getNamespaceExports("birnn")
  for (name in names(older_backend)) {
    expect_true(paste0("k_", name) %in% exports, info = name)
    successor <- backend_successor(name)
    if (successor != "$assign") expect_true(successor %in% exports, info = paste(name, successor))
  }
  expect_setequal(grep("^k_", exports, value = TRUE), paste0("k_", names(older_backend)))
})

test_that("the first name that is used says that it is older, once", {
  rm(list = intersect("older-backend", ls(warned)), envir = warned)
  expect_warning(k_abs(x), "k_abs.*op_abs", class = "birnn_warning_deprecated")
  expect_silent(k_sign(x))
})

test_that("numbers are those of base R", {
  values <- backend(list(
    list(k_abs(x), abs(x)), list(k_square(x), x^2), list(k_sqrt(x), sqrt(pmax(x, 0))), list(k_exp(x), exp(x)),
    list(k_log(abs(x)), log(abs(x))), list(k_pow(x, 2), x^2), list(k_sigmoid(x), plogis(x)), list(k_tanh(x), tanh(x)),
    list(k_relu(x), pmax(x, 0)), list(k_relu(x, 0.5), ifelse(x > 0, x, x / 2)), list(k_softplus(x), log1p(exp(x))),
    list(k_relu(x, max_value = 3), pmin(pmax(x, 0), 3)), list(k_clip(x, -1, 1), pmin(pmax(x, -1), 1)),
    list(k_clip(x, 0), pmax(x, 0)), list(k_sin(x), sin(x)), list(k_cos(x), cos(x)), list(k_round(x / 4), round(x / 4)),
    list(k_mean(x), mean(x)), list(k_mean(x, 2), rowMeans(x)), list(k_sum(x, 1), colSums(x)),
    list(k_sum(x, axis = -1, keepdims = TRUE), matrix(rowSums(x))), list(k_prod(x), prod(x)),
    list(k_max(x, 1), apply(x, 2, max)),
    list(k_min(x), min(x)), list(k_std(x), sqrt(mean((x - mean(x))^2))), list(k_var(x), mean((x - mean(x))^2)),
    list(k_logsumexp(x), log(sum(exp(x)))), list(k_softmax(x), exp(x) / rowSums(exp(x))),
    list(k_cumsum(x), apply(x, 2, cumsum)), list(k_cumprod(x, 2), t(apply(x, 1, cumprod))),
    list(k_maximum(x, 0), pmax(x, 0)), list(k_minimum(x, 0), pmin(x, 0)), list(k_dot(x, t(x)), x %*% t(x)),
    list(k_equal(x, 3), x == 3), list(k_not_equal(x, 3), x != 3), list(k_less(x, 1), x < 1),
    list(k_less_equal(x, 1), x <= 1), list(k_greater(x, 1), x > 1), list(k_greater_equal(x, 1), x >= 1),
    list(k_any(x > 4), any(x > 4)), list(k_all(x > 4, 2), apply(x > 4, 1, all)),
    list(k_switch(x > 0, x, -x), abs(x)), list(k_zeros(c(2, 3)), 0 * x), list(k_ones_like(x), x^0),
    list(k_zeros_like(x), 0 * x), list(k_ones(c(2, 3)), x^0), list(k_eye(2), diag(2)),
    list(k_constant(x), x), list(k_stop_gradient(x), x), list(k_cast(x > 0, "float32"), (x > 0) * 1),
    list(k_cast_to_floatx(x > 0), (x > 0) * 1), list(k_elu(x), ifelse(x > 0, x, exp(x) - 1)),
    list(k_softsign(x), x / (1 + abs(x))), list(k_hard_sigmoid(x), pmin(pmax(x / 6 + 0.5, 0), 1))
  ))
  for (k in seq_along(values)) {
    expected <- values[[k]][[2]]
    expect_equal(drop(as.array(values[[k]][[1]])), drop(as.array(expected)), tolerance = 1e-6, info = k)
  }
})

test_that("shapes are changed along axes that count from 1", {
  a <- array(1:24, c(2, 3, 4))
  shapes <- backend(list(
    list(k_reshape(a, c(4, 6)), c(4, 6)), list(k_expand_dims(a), c(2, 3, 4, 1)),
    list(k_expand_dims(a, 1), c(1, 2, 3, 4)),
    list(k_squeeze(k_expand_dims(a, 2), 2), c(2, 3, 4)), list(k_permute_dimensions(a, c(3, 1, 2)), c(4, 2, 3)),
    list(k_transpose(a), c(4, 3, 2)), list(k_stack(list(a, a)), c(2, 2, 3, 4)),
    list(k_concatenate(list(a, a)), c(2, 3, 8)),
    list(k_concatenate(list(a, a), 1), c(4, 3, 4)), list(k_flatten(a), 24), list(k_batch_flatten(a), c(2, 12)),
    list(k_repeat(a[, , 1], 5), c(2, 5, 3)), list(k_repeat_elements(a, 2, 3), c(2, 3, 8)),
    list(k_tile(a, c(1, 1, 2)), c(2, 3, 8)),
    list(k_reverse(a, 2), c(2, 3, 4)), list(k_random_normal(c(2, 3)), c(2, 3)), list(k_random_uniform(2), 2),
    list(k_truncated_normal(c(2, 2)), c(2, 2)), list(k_random_bernoulli(c(3, 3), p = 0.5), c(3, 3)),
    list(k_dropout(a, 0.5), c(2, 3, 4))
  ))
  for (k in seq_along(shapes)) expect_equal(dim(shapes[[k]][[1]]), shapes[[k]][[2]], info = k)
  expect_identical(backend(k_int_shape(a)), list(2L, 3L, 4L))
  expect_equal(backend(k_shape(a)), shape(2, 3, 4))
  expect_equal(backend(c(k_ndim(a), k_count_params(a))), c(3, 24))
})

test_that("indices count from 0, as they did", {
  expect_equal(as.vector(backend(k_argmax(x))), c(2, 1))
  expect_equal(as.vector(backend(k_argmin(x, 1))), c(1, 0, 1))
  expect_equal(as.array(backend(k_gather(x, c(1, 0)))), x[2:1, ])
  expect_equal(as.array(backend(k_one_hot(c(0, 2), 3))), diag(3)[c(1, 3), ])
  expect_equal(as.vector(backend(k_arange(3))), 0:2)
  expect_equal(as.vector(backend(k_arange(1, 7, 2))), c(1, 3, 5))
})

test_that("variables are made, read and assigned", {
  v <- backend(k_variable(x))
  expect_equal(backend(k_get_value(v)), x)
  backend(k_set_value(v, 2 * x))
  expect_equal(backend(k_eval(v)), 2 * x)
  backend(k_update_add(v, x))
  backend(k_update_sub(v, 2 * x))
  expect_equal(backend(k_batch_get_value(list(v, v)))[[2]], x)
  backend(k_update(v, 0 * x))
  expect_equal(sum(as.array(v)), 0)
  expect_true(backend(k_is_tensor(v)))
  expect_equal(backend(k_dtype(v)), "float32")
})

test_that("settings are those of the session", {
  withr::defer({
    config_set_floatx("float32")
    config_set_epsilon(1e-7)
  })
  backend({
    k_set_floatx("float64")
    k_set_epsilon(1e-5)
    k_clear_session()
  })
  expect_equal(config_floatx(), backend(k_floatx()))
  expect_equal(backend(k_epsilon()), 1e-5)
  expect_equal(backend(c(k_backend(), k_image_data_format())), c("birnn", "channels_last"))
})

test_that("a loss that is written with them trains in the plan", {
  set_random_seed(1)
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(1)
  loss <- function(y_true, y_pred) k_mean(k_square(y_pred - y_true), axis = -1)
  model |> compile(optimizer_sgd(0.1), loss = loss)
  inputs <- matrix(rnorm(60), 20)
  history <- backend(fit(model, inputs, rowSums(inputs), epochs = 60, verbose = 0))
  expect_lt(tail(history$metrics$loss, 1), 1e-3)
})
