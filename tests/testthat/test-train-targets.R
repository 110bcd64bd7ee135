# Targets and weights: factors by label, shapes against outputs, weights of samples and classes.

classifier <- function(classes = 3, loss = "sparse_categorical_crossentropy", ...) {
  set.seed(1)
  model <- keras_model_sequential(input_shape = 2) |> layer_dense(classes, activation = "softmax")
  model |> compile("sgd", loss = loss, ...)
  model
}

tagger <- function() {
  set.seed(1)
  model <- keras_model_sequential(input_shape = c(NA, 2)) |> layer_dense(3, activation = "softmax")
  model |> compile("sgd", loss = "sparse_categorical_crossentropy", weighted_metrics = "accuracy")
  model
}

x <- matrix(sin(1:12), 6, 2)
labels <- factor(c("b", "c", "a", "a", "b", "c"))

test_that("a factor is read as class numbers and its levels stay with the model", {
  model <- classifier()
  by_number <- classifier()
  expect_equal(fit(model, x, labels)$metrics, fit(by_number, x, as.integer(labels) - 1L)$metrics)
  expect_equal(model$label_levels, list(c("a", "b", "c")))
  expect_equal(levels(class_labels(predict(model, x), model)), c("a", "b", "c"))
})

test_that("later factors are read by label, whatever the order of their levels", {
  model <- classifier()
  fit(model, x, labels)
  reordered <- factor(as.character(labels), levels = c("c", "b", "a"))
  expect_equal(evaluate(model, x, reordered), evaluate(model, x, labels))
  expect_equal(evaluate(model, x[1:2, ], droplevels(labels[1:2])), evaluate(model, x[1:2, ], labels[1:2]))
  expect_error(evaluate(model, x, factor(rep("d", 6))), "\"d\"", class = "birnn_error_value")
  expect_error(fit(model, x, replace(labels, 3, NA)), "element 3", class = "birnn_error_value")
})

test_that("validation data use the levels of the training data", {
  model <- classifier()
  history <- fit(model, x, labels, epochs = 1, validation_data = list(x[5:6, ], droplevels(labels[5:6])))
  expect_equal(history$metrics$val_loss, evaluate(model, x[5:6, ], as.integer(labels[5:6]) - 1L)$loss)
})

test_that("targets must have the shape of the output", {
  expect_error(fit(classifier(), x, diag(3)[c(1:3, 1:3), ]), "categorical_crossentropy", class = "birnn_error_shape")
  one_hot <- classifier(loss = "categorical_crossentropy")
  expect_error(fit(one_hot, x, labels), "sparse", class = "birnn_error_shape")
  expect_error(fit(tagger(), array(0, c(2, 4, 2)), 0:1), class = "birnn_error_shape")
  sequences <- keras_model_sequential(input_shape = c(4, 2)) |> layer_lstm(units = 1, return_sequences = TRUE)
  sequences |> compile("sgd", loss = "mse")
  expect_error(fit(sequences, array(0, c(2, 4, 2)), matrix(0, 2, 1)), "return_sequences", class = "birnn_error_shape")
  expect_equal(length(fit(sequences, array(0, c(2, 4, 2)), matrix(0, 2, 4))$metrics$loss), 1)
})

test_that("class numbers must be those of the output, but for what is ignored or may be masked", {
  expect_error(fit(classifier(), x, c(0, 1, 2, 3, 0, 0)), "from 0 to 2", class = "birnn_error_value")
  expect_error(fit(classifier(), x, c(0, 1, 2, -1, 0, 0)), "Element 4", class = "birnn_error_value")
  ignoring <- classifier(loss = loss_sparse_categorical_crossentropy(ignore_class = -1L))
  expect_true(is.finite(fit(ignoring, x, c(0, 1, 2, -1, 0, 0))$metrics$loss))
  masked <- keras_model_sequential(input_shape = c(3, 2)) |> layer_masking() |> layer_dense(2, activation = "softmax")
  masked |> compile("sgd", loss = "sparse_categorical_crossentropy")
  padded <- array(1, c(1, 3, 2))
  padded[1, 3, ] <- 0
  expect_true(is.finite(fit(masked, padded, matrix(c(0L, 1L, -1L), 1))$metrics$loss))
})

test_that("sample weights have one number a sample, or a step", {
  model <- classifier()
  weights <- c(1, 0, 0, 0, 0, 0)
  alone <- evaluate(model, x[1, , drop = FALSE], labels[1])$loss
  expect_equal(evaluate(model, x, labels, sample_weight = weights)$loss, alone / 6, tolerance = 1e-6)
  expect_equal(evaluate(model, x, labels, sample_weight = matrix(weights)),
               evaluate(model, x, labels, sample_weight = weights))
  steps <- array(sin(1:16), c(2, 4, 2))
  tags <- matrix(c(0L, 1L, 2L, 0L, 1L, 2L, 0L, 1L), 2)
  by_step <- evaluate(tagger(), steps, tags, sample_weight = matrix(c(2, 1), 2, 4))
  expect_equal(evaluate(tagger(), steps, tags, sample_weight = matrix(c(2, 1))), by_step)
  expect_error(evaluate(tagger(), steps, tags, sample_weight = c(2, 1)), "matrix", class = "birnn_error_shape")
  expect_error(evaluate(model, x, labels, sample_weight = -weights), "element 1", class = "birnn_error_value")
  expect_error(evaluate(model, x, labels, sample_weight = "a"), class = "birnn_error_value")
})

test_that("class weights are sample weights by class number or by label", {
  weighted <- function(...) fit(classifier(), x, labels, shuffle = FALSE, ...)$metrics$loss
  by_sample <- weighted(sample_weight = c(5, 1, 0.5, 0.5, 5, 1))
  expect_equal(weighted(class_weight = list("0" = 0.5, "1" = 5)), by_sample)
  expect_equal(weighted(class_weight = c("0" = 0.5, "1" = 5, "2" = 1)), by_sample)
  expect_equal(weighted(class_weight = list(a = 0.5, b = 5)), by_sample)
  one_hot <- classifier(loss = "categorical_crossentropy")
  expect_equal(fit(one_hot, x, to_categorical(labels), class_weight = list("0" = 0.5, "1" = 5))$metrics$loss, by_sample,
               tolerance = 1e-6)
})

test_that("class weights are refused where they have no meaning", {
  expect_error(fit(classifier(), x, labels, class_weight = c(1, 2)), class = "birnn_error_value")
  expect_error(fit(classifier(), x, labels, class_weight = list(d = 1)), "\"d\"", class = "birnn_error_value")
  expect_error(fit(classifier(), x, labels, class_weight = list("0" = 1), sample_weight = rep(1, 6)),
               class = "birnn_error_value")
  expect_error(fit(tagger(), array(0, c(2, 4, 2)), matrix(0L, 2, 4), class_weight = list("0" = 1)), "sample_weight",
               class = "birnn_error_value")
})
