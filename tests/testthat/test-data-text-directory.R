# text_dataset_from_directory() and dataset_map().

local_texts <- function(env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  for (k in 1:6) {
    class <- c("bad", "good")[k %% 2 + 1]
    dir.create(file.path(folder, class), showWarnings = FALSE)
    writeLines(paste("text", k, "is", class), file.path(folder, class, paste0(k, ".txt")))
  }
  writeLines("not a text", file.path(folder, "good", "notes.md"))
  folder
}

texts_of <- function(dataset) {
  trimws(unlist(iterate(dataset, function(batch) as.vector(if (is.list(batch)) batch[[1]] else batch))))
}

labels_of <- function(dataset) unlist(iterate(dataset, function(batch) as.array(batch[[2]])))

test_that("folders are classes, in alphabetic or in the given order", {
  folder <- local_texts()
  expect_message(texts <- text_dataset_from_directory(folder, shuffle = FALSE, batch_size = 4),
                 "Found 6 files of 2 classes")
  expect_equal(texts$class_names, c("bad", "good"))
  expect_length(texts, 2)
  expect_equal(texts_of(texts), paste("text", c(2, 4, 6, 1, 3, 5), "is", rep(c("bad", "good"), each = 3)))
  expect_equal(labels_of(texts), rep(0:1, each = 3))
  other <- text_dataset_from_directory(folder, class_names = c("good", "bad"), shuffle = FALSE, verbose = FALSE)
  expect_equal(labels_of(other), rep(0:1, each = 3))
  expect_match(texts_of(other)[1:3], "good")
})

test_that("labels come in the forms of the losses", {
  folder <- local_texts()
  labels <- function(...) {
    as.array(iter_next(as_iterator(text_dataset_from_directory(folder, shuffle = FALSE, verbose = FALSE, ...)))[[2]])
  }
  expect_identical(labels(), array(rep(0:1, each = 3)))
  expect_equal(labels(label_mode = "binary"), matrix(rep(c(0, 1), each = 3)))
  expect_equal(labels(label_mode = "categorical"), to_categorical(rep(0:1, each = 3)))
  expect_identical(labels(labels = 6:1), array(6:1))
  expect_type(texts_of(text_dataset_from_directory(folder, label_mode = NULL, verbose = FALSE)), "character")
  expect_length(texts_of(text_dataset_from_directory(folder, labels = NULL, verbose = FALSE)), 6)
})

test_that("parts with the same seed fit together", {
  folder <- local_texts()
  part <- function(subset, ...) {
    text_dataset_from_directory(folder, validation_split = 0.4, subset = subset, verbose = FALSE, ...)
  }
  training <- texts_of(part("training", seed = 1))
  validation <- texts_of(part("validation", seed = 1))
  expect_equal(lengths(list(training, validation)), c(4, 2))
  expect_setequal(c(training, validation), texts_of(text_dataset_from_directory(folder, verbose = FALSE)))
  c(left, right) %<-% part("both", seed = 1)
  expect_setequal(texts_of(left), training)
  expect_setequal(texts_of(right), validation)
  set.seed(1)
  c(left, right) %<-% part("both")
  expect_length(unique(c(texts_of(left), texts_of(right))), 6)
})

test_that("single texts, cut texts, and bytes that are no UTF-8", {
  folder <- local_texts()
  single <- text_dataset_from_directory(folder, batch_size = NULL, max_length = 4, shuffle = FALSE, verbose = FALSE)
  expect_equal(texts_of(single), rep("text", 6))
  writeBin(as.raw(c(0x61, 0xff, 0x00, 0x62)), file.path(folder, "bad", "0.txt"))
  texts <- text_dataset_from_directory(folder, shuffle = FALSE, verbose = FALSE)
  expect_equal(texts_of(texts)[[1]], "a\uFFFDb")
})

test_that("linked folders are left out unless they are asked for", {
  skip_on_os("windows")
  folder <- local_texts()
  file.symlink(file.path(folder, "good"), file.path(folder, "bad", "more"))
  count <- function(...) length(texts_of(text_dataset_from_directory(folder, verbose = FALSE, ...)))
  expect_equal(count(), 6)
  expect_equal(count(follow_links = TRUE), 9)
})

test_that("what does not fit is refused", {
  folder <- local_texts()
  read <- function(...) text_dataset_from_directory(folder, ..., verbose = FALSE)
  expect_refused(text_dataset_from_directory("no-such-folder"), "file")
  expect_refused(read(label_mode = "float"), "value")
  expect_refused(read(labels = 1:3), "value")
  expect_refused(read(labels = "names"), "value")
  expect_refused(read(class_names = c("good", "ugly")), "value")
  expect_refused(read(labels = 1:6, class_names = "good"), "value")
  expect_refused(read(validation_split = 0.5), "value")
  expect_refused(read(validation_split = 0.5, subset = "training"), "value")
  expect_error(text_dataset_from_directory(withr::local_tempdir()), "no \".txt\" files", class = "birnn_error_file")
  dir.create(file.path(folder, "ugly"))
  expect_refused(read(label_mode = "binary"), "value")
})

test_that("a model is trained on texts from files", {
  folder <- local_texts()
  texts <- text_dataset_from_directory(folder, batch_size = 2, seed = 1, verbose = FALSE)
  vectorize <- layer_text_vectorization(output_sequence_length = 4)
  adapt(vectorize, texts |> dataset_map(\(text, label) text))
  expect_setequal(get_vocabulary(vectorize, include_special_tokens = FALSE), c("text", "is", "good", "bad", 1:6))
  numbers <- texts |> dataset_map(\(text, label) list(vectorize(text), label))
  model <- keras_model_sequential(input_shape = 4) |> layer_embedding(12, 4) |> layer_lstm(4) |>
    layer_dense(1, activation = "sigmoid")
  model |> compile(optimizer_adam(0.05), loss = "binary_crossentropy", metrics = "accuracy")
  set_random_seed(1)
  history <- model |> fit(numbers, epochs = 20, verbose = 0)
  expect_equal(tail(history$metrics$accuracy, 1), 1)
})

test_that("dataset_map() takes whole batches and keeps their number", {
  windows <- timeseries_dataset_from_array(1:6, 2:7, sequence_length = 2, batch_size = 3)
  scaled <- dataset_map(windows, ~ list(.x / 10, .y))
  expect_length(scaled, 2)
  first <- iter_next(as_array_iterator(scaled))
  expect_equal(first[[1]][1, ], c(0.1, 0.2), tolerance = 1e-6)
  expect_refused(dataset_map(1:3, identity), "value")
})

test_that("a model that vectorizes texts itself is trained on a folder", {
  folder <- local_texts()
  texts <- text_dataset_from_directory(folder, batch_size = 2, seed = 1, verbose = FALSE)
  vectorize <- layer_text_vectorization(output_sequence_length = 4)
  adapt(vectorize, texts)
  model <- keras_model_sequential(input_shape = 1, input_dtype = "string") |> vectorize() |>
    layer_embedding(12, 4) |> layer_lstm(4) |> layer_dense(1, activation = "sigmoid")
  model |> compile(optimizer_adam(0.05), loss = "binary_crossentropy", metrics = "accuracy")
  set_random_seed(1)
  history <- model |> fit(texts, epochs = 20, verbose = 0)
  expect_equal(tail(history$metrics$accuracy, 1), 1)
})
