# Names of Keras 2: the tokenizer, series as a generator, cells, files, optimizers with decay.

test_that("words are numbered by frequency, and texts become numbers", {
  tokenizer <- text_tokenizer() |> fit_text_tokenizer(c("the cat sat", "The dog sat! The end."))
  expect_equal(unlist(tokenizer$word_index), c(the = 1, sat = 2, cat = 3, dog = 4, end = 5))
  expect_equal(tokenizer$document_count, 2)
  expect_equal(texts_to_sequences(tokenizer, c("the dog flew", "")), list(c(1L, 4L), integer()))
  known <- text_tokenizer(num_words = 3, oov_token = "?") |> fit_text_tokenizer("a a b")
  expect_equal(texts_to_sequences(known, "a b c"), list(c(2L, 1L, 1L)))
  letters <- text_tokenizer(char_level = TRUE) |> fit_text_tokenizer("aab")
  expect_equal(texts_to_sequences(letters, "ba"), list(c(2L, 1L)))
  expect_equal(text_to_word_sequence("One, two-three"), c("one", "two", "three"))
})

test_that("a series is cut into windows again and again", {
  batches <- timeseries_generator(matrix(1:10), 1:10, length = 3, batch_size = 4)
  first <- batches()
  expect_equal(first[[1]][, , 1], rbind(1:3, 2:4, 3:5, 4:6))
  expect_equal(first[[2]], 4:7)
  expect_equal(batches()[[2]], 8:10)
  expect_equal(batches()[[2]], 4:7)
  expect_equal(timeseries_generator(1:10, 1:10, 4, sampling_rate = 2, reverse = TRUE)()[[1]][1, , 1], c(3, 1))
})

test_that("older names work and say so once in a session", {
  expect_warning(cell <- layer_gru_cell(units = 3), class = "birnn_warning_deprecated")
  expect_silent(layer_gru_cell(units = 3))
  expect_equal(cell$units, 3L)
  model <- keras_model_sequential(input_shape = c(4, 2)) |> layer_rnn(cell = cell)
  again <- suppressWarnings(unserialize_model(serialize_model(model)))
  expect_same_bits(get_weights(again), get_weights(model))
  path <- withr::local_tempfile(fileext = ".h5")
  suppressWarnings(save_model_hdf5(model, path))
  expect_same_bits(get_weights(suppressWarnings(load_model_hdf5(path))), get_weights(model))
  expect_equal(suppressWarnings(layer_stacked_rnn_cells(list(cell, rnn_cell_lstm(2))))$output_size, 2L)
})

test_that("optimizers take lr and decay", {
  optimizer <- optimizer_sgd(lr = 0.5, decay = 0.1)
  weight <- keras_variable(c(1, 1))
  for (step in 1:3) optimizer$apply(list(as_tensor(c(1, 0))), list(weight))
  expect_equal(as.array(weight)[[1]], 1 - 0.5 * (1 + 1 / 1.1 + 1 / 1.2), tolerance = 1e-6)
})
