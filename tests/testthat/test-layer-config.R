# get_config() and from_config() as functions.

test_that("objects come back from their configs, with fresh weights", {
  layer <- layer_dense(units = 2, activation = "tanh", name = "a")
  layer(matrix(1, 1, 3))
  config <- get_config(layer)
  expect_equal(config$units, 2L)
  config$units <- 3
  copy <- from_config(config)
  expect_equal(c(copy$units, copy$built, copy$name), c(3, FALSE, "a"))
  for (object in list(initializer_orthogonal(gain = 2), regularizer_l2(0.1), constraint_maxnorm(), loss_huber(delta = 2),
                      metric_mean(), optimizer_adam(0.5), layer_bidirectional(layer = layer_gru(units = 2)))) {
    copy <- from_config(get_config(object))
    expect_identical(class(copy), class(object))
    expect_equal(copy$get_config(), object$get_config())
  }
})

test_that("classes of users come back, also from outer layers", {
  layer <- layer_linear(units = 3, name = "a")
  expect_equal(from_config(get_config(layer))$units, 3L)
  both <- layer_bidirectional(layer = layer_own_lstm(units = 2))
  expect_equal(from_config(get_config(both))$forward_layer$units, 2)
  config <- get_config(both)
  in_file <- structure(jsonlite::parse_json(jsonlite::toJSON(unclass(both$get_config()), auto_unbox = TRUE, null = "null")),
                       `__class__` = attr(config, "__class__"))
  expect_error(from_config(in_file), class = "birnn_error_config")
  expect_equal(from_config(in_file, list(layer_own_lstm))$forward_layer$units, 2)
})

test_that("a config shows its class, and not more", {
  expect_output(print(attr(get_config(layer_dense(units = 1)), "__class__")), "<layer class Dense>", fixed = TRUE)
  expect_output(str(attr(get_config(loss_huber()), "__class__")), "<loss class Huber>", fixed = TRUE)
  expect_identical(attr(get_config(layer_linear()), "__class__"), layer_linear)
})

test_that("other things have no config", {
  expect_refused(get_config(3), "value")
  expect_refused(get_config(mean), "value")
  expect_refused(from_config(list(units = 3)), "config")
})
