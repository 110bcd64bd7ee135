# Text vectorization against Keras; rules, vocabularies, configs, errors.

sentences <- c("The cat sat on the mat.", "A dog, a cat & a bird!", "", "on ON On; the END")

# A JSON null is an argument given as NULL.
text_layer <- function(case) do.call(layer_text_vectorization, as.list(case$args))

for (case in load_fixture("text-vectorization")) {
  test_that(paste(case$name, "is what Keras computes"), {
    for (floatx in both_floatx) {
      with_floatx(floatx, {
        layer <- text_layer(case)
        if (!is.null(case[["adapt_to"]])) adapt(layer, case$adapt_to)
        expect_identical(get_vocabulary(layer), case$vocabulary)
        expect_close(layer(case$texts), as_r_array(from_row_major(case$y$data, case$y$shape)), 5e-6, case$name)
        copy <- deserialize_keras_object(jsonlite::parse_json(jsonlite::toJSON(
          serialize_keras_object(layer), auto_unbox = TRUE, null = "null", digits = NA
        )))
        expect_identical(get_vocabulary(copy), case$vocabulary)
        expect_close(copy(case$texts), layer(case$texts), 1e-6, case$name)
        expect_same_bits(unserialize(serialize(layer, NULL))(case$texts), layer(case$texts))
      })
    }
  })
}

test_that("texts come in vectors, lists, columns, factors and pipes; a single one gives one row", {
  layer <- layer_text_vectorization(vocabulary = c("the", "cat"))
  y <- layer(c("the cat", "a cat sat"))
  expect_equal(as.array(y), rbind(c(2, 3, 0), c(1, 3, 1)))
  expect_equal(tensor_dtype(y), "int32")
  expect_same_bits(layer(list("the cat", "a cat sat")), y)
  expect_same_bits(layer(matrix(c("the cat", "a cat sat"))), y)
  expect_same_bits(layer(factor(c("the cat", "a cat sat"))), y)
  expect_same_bits(c("the cat", "a cat sat") |> layer_text_vectorization(vocabulary = c("the", "cat")), y)
  expect_equal(as.array(layer("a cat")), array(c(1L, 3L)))
  expect_equal(dim(layer(array("a cat"))), c(1, 2))
  expect_equal(dim(layer(c("", ""))), c(2, 0))
})

test_that("rules may be R functions", {
  layer <- layer_text_vectorization(
    standardize = function(x) gsub("_", " ", x), split = function(x) strsplit(x, " "), vocabulary = c("a", "b")
  )
  expect_equal(as.array(layer(c("a_b", "b c"))), rbind(2:3, c(3, 1)))
})

test_that("adapt() sees all batches, and starts afresh when called again", {
  whole <- layer_text_vectorization(output_mode = "tf_idf")
  adapt(whole, sentences)
  batches <- list(sentences[1:2], list(sentences[3:4], 1), NULL)
  k <- 0
  parts <- layer_text_vectorization(output_mode = "tf_idf")
  adapt(parts, function() {
    k <<- k + 1
    batches[[k]]
  })
  expect_identical(get_vocabulary(parts), get_vocabulary(whole))
  expect_same_bits(parts(sentences), whole(sentences))
  adapt(parts, "only this")
  expect_equal(get_vocabulary(parts), c("[UNK]", "this", "only"))
  expect_equal(get_vocabulary(parts, include_special_tokens = FALSE), c("this", "only"))
})

test_that("a vocabulary can be given, with special tokens or without, in a file, with weights", {
  layer <- layer_text_vectorization()
  set_vocabulary(layer, c("", "[UNK]", "b", "a"))
  expect_equal(as.array(layer("a b c")), array(c(3L, 2L, 1L)))
  path <- withr::local_tempfile(lines = c("b", "a"))
  expect_equal(get_vocabulary(layer_text_vectorization(vocabulary = path)), c("", "[UNK]", "b", "a"))
  weighted <- layer_text_vectorization(output_mode = "tf_idf", vocabulary = c("b", "a"), idf_weights = c(1, 3))
  expect_equal(as.array(weighted(c("a a x", "b"))), rbind(c(2, 0, 6), c(0, 1, 0)))
  set_vocabulary(weighted, c("[UNK]", "b"), idf_weights = c(5, 2))
  expect_equal(as.array(weighted("b x x")), array(c(10, 2)))
})

test_that("runs of words of chosen lengths", {
  layer <- layer_text_vectorization(ngrams = list(2), vocabulary = c("a b", "b c"))
  expect_equal(as.array(layer(c("a b c", "a"))), rbind(2:3, c(0, 0)))
})

test_that("vectors of words train a model", {
  texts <- rep(c("good fine nice", "bad awful poor"), 20)
  layer <- layer_text_vectorization(output_sequence_length = 4)
  adapt(layer, texts)
  set.seed(1)
  model <- keras_model_sequential(input_shape = 4) |>
    layer_embedding(length(get_vocabulary(layer)), 4, mask_zero = TRUE) |>
    layer_bidirectional(layer = layer_gru(units = 4)) |>
    layer_dense(units = 1, activation = "sigmoid")
  compile(model, optimizer_adam(learning_rate = 0.05), "binary_crossentropy", metrics = "accuracy")
  fit(model, layer(texts), rep(1:0, 20), epochs = 5, verbose = 0)
  expect_equal(evaluate(model, layer(texts), rep(1:0, 20), verbose = 0)$accuracy, 1)
})

test_that("texts, vocabularies and settings that do not fit are refused", {
  clear_session(free_memory = FALSE)
  vectorize <- layer_text_vectorization
  layer <- vectorize(max_tokens = 4)
  expect_refused(layer("a"), "state")
  expect_refused(layer(1:3), "type")
  expect_refused(layer(matrix("a", 2, 2)), "type")
  expect_refused(layer(c("a", NA)), "value")
  expect_refused(adapt(layer, 1:3), "type")
  expect_refused(set_vocabulary(layer, c("a", "b", "c")), "value")
  expect_refused(set_vocabulary(layer, c("a", "a")), "value")
  expect_refused(set_vocabulary(layer, c("a", "[UNK]")), "value")
  expect_refused(set_vocabulary(layer, 1:2), "value")
  expect_refused(set_vocabulary(layer, c("a", "b"), idf_weights = 1:2), "value")
  expect_refused(get_vocabulary(layer_dense(units = 1)), "value")
  expect_refused(vectorize(output_mode = "tf_idf", vocabulary = c("a", "b")), "value")
  expect_refused(vectorize(output_mode = "tf_idf", vocabulary = c("a", "b"), idf_weights = 1), "value")
  expect_refused(vectorize(vocabulary = "no_such_file.txt"), "value")
  expect_refused(vectorize(output_mode = "count", output_sequence_length = 3), "value")
  expect_refused(vectorize(output_mode = "ints"), "value")
  expect_refused(vectorize(standardize = "upper"), "value")
  expect_refused(vectorize(split = 3), "value")
  expect_refused(vectorize(ngrams = 0), "value")
  expect_refused(vectorize(pad_to_max_tokens = TRUE), "value")
  expect_refused(vectorize(ragged = TRUE), "value")
})

test_that("modes may have the names of Keras 2", {
  expect_equal(layer_text_vectorization(output_mode = "binary")$output_mode, "multi_hot")
  expect_equal(layer_text_vectorization(output_mode = "tf-idf")$output_mode, "tf_idf")
  expect_error(layer_text_vectorization(output_mode = "onehot"), class = "birnn_error_value")
})

# Sentences of two kinds, and a model that takes them as they are.
sentences <- local({
  set.seed(4)
  words <- list(c("good", "fine", "nice"), c("bad", "awful", "poor"))
  kinds <- rep(1:2, 24)
  texts <- vapply(kinds, function(kind) {
    paste(sample(c(sample(c("the", "film", "was", "it"), sample(2:4, 1)), sample(words[[kind]], 1))), collapse = " ")
  }, "")
  list(texts = texts, labels = kinds - 1)
})

text_model <- function(layer = layer_text_vectorization(output_sequence_length = 5), texts = sentences$texts) {
  adapt(layer, texts)
  input <- keras_input(shape = 1, dtype = "string", name = "text")
  output <- input |> layer() |> layer_embedding(20, 4, mask_zero = TRUE) |> layer_gru(units = 4) |>
    layer_dense(1, activation = "sigmoid")
  model <- keras_model(input, output)
  compile(model, optimizer_adam(0.05), "binary_crossentropy", metrics = "accuracy")
}

test_that("a model takes texts: the numbers of the model that gets the indices", {
  run <- function(eager) {
    set_random_seed(2)
    clear_session()
    model <- text_model(layer_text_vectorization())
    compile(model, optimizer_adam(0.05), "binary_crossentropy", metrics = "accuracy", run_eagerly = eager)
    history <- fit(model, sentences$texts, sentences$labels, epochs = 6, batch_size = 10, validation_split = 0.25)
    list(model = model, found = list(history$metrics, get_weights(model)))
  }
  model <- run(FALSE)$model
  expect_identical(run(FALSE)$found, run(TRUE)$found)
  expect_equal(evaluate(model, matrix(sentences$texts), sentences$labels)$accuracy, 1)
  texts <- sentences$texts[1:5]
  indices <- keras_model(model$layers[[2]]$output, model$output)
  expected <- predict(indices, model$layers[[2]](texts))
  expect_identical(predict(model, texts), expected)
  expect_identical(predict(model, as.list(texts)), expected)
  expect_identical(predict(model, data.frame(text = texts)), expected)
  expect_identical(as.array(model(texts)), expected)
  expect_identical(predict_on_batch(model, texts), expected)
  expect_equal(train_on_batch(model, texts, sentences$labels[1:5])$accuracy, 1)
  expect_equal(dim(predict(model, character())), c(0, 1))
})

test_that("such a model is printed, cloned, stored and read again with its vocabulary", {
  clear_session()
  model <- text_model()
  fit(model, sentences$texts, sentences$labels, epochs = 1)
  expect_snapshot(model)
  path <- withr::local_tempfile(fileext = ".keras")
  save_model(model, path)
  again <- load_model(path)
  expect_identical(get_vocabulary(again$layers[[2]]), get_vocabulary(model$layers[[2]]))
  expect_identical(predict(again, sentences$texts), predict(model, sentences$texts))
  expect_identical(fit(again, sentences$texts, sentences$labels, shuffle = FALSE)$metrics,
                   fit(model, sentences$texts, sentences$labels, shuffle = FALSE)$metrics)
  expect_identical(clone_model(model)$input$dtype, "string")
  again <- unserialize(serialize(model, NULL))
  expect_identical(predict(again, sentences$texts), predict(model, sentences$texts))
})

test_that("texts go into sequential models, models of models, several inputs, and classes of users", {
  layer <- layer_text_vectorization(output_mode = "multi_hot")
  adapt(layer, sentences$texts)
  width <- length(get_vocabulary(layer))
  model <- keras_model_sequential() |> layer() |> layer_dense(1)
  compile(model, "sgd", "mse")
  fit(model, sentences$texts, sentences$labels)
  expect_identical(model$input$dtype, "string")
  expected <- predict(model, sentences$texts)
  expect_identical(as.array(model(sentences$texts)), expected)
  a <- keras_input(shape(), dtype = "string", name = "a")
  b <- keras_input(1, name = "b")
  outer <- keras_model(list(a = a, b = b), layer_add(list(model(a), b)))
  found <- predict(outer, list(a = sentences$texts, b = matrix(1, length(expected))))
  expect_equal(found, expected + 1, tolerance = 1e-6)
  own <- Model("Own",
    initialize = function(...) {
      super$initialize(...)
      self$vectorize <- layer
      self$top <- layer_dense(units = 1)
    },
    call = function(inputs) self$top(self$vectorize(inputs))
  )
  own <- own()
  compile(own, "sgd", "mse")
  fit(own, sentences$texts, sentences$labels)
  expect_equal(dim(predict(own, sentences$texts)), c(48, 1))
})

test_that("texts where numbers are wanted, and numbers where texts are, are refused", {
  clear_session()
  input <- keras_input(1, dtype = "string")
  model <- text_model()
  expect_refused(layer_dense(input, 2), "type")
  expect_refused(input + 1, "type")
  expect_refused(op_tanh(input), "type")
  expect_refused(layer_text_vectorization(keras_input(1)), "type")
  expect_refused(layer_text_vectorization(keras_input(3, dtype = "string")), "type")
  expect_refused(predict(model, matrix(1:3)), "type")
  expect_refused(model(matrix(1:3)), "type")
  expect_refused(predict(model, c("a", NA)), "value")
  numbers <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  expect_refused(predict(numbers, "a"), "type")
  expect_refused(numbers("a"), "type")
})
