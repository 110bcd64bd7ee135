# Keras' own data sets, read from small files of the same form.

as_lists <- function(dataset) {
  lapply(dataset, function(part) list(x = lapply(part$x, as.integer), y = as.integer(part$y)))
}

test_that("texts as numbers are shuffled, marked, cut and split as in Keras", {
  expected <- lapply(expected_datasets()[c("imdb", "imdb_some", "imdb_plain", "reuters")], as_lists)
  imdb <- dataset_file("imdb.npz")
  expect_identical(dataset_imdb(imdb), expected$imdb)
  expect_identical(dataset_imdb(imdb, num_words = 20, skip_top = 4, maxlen = 8, seed = 7), expected$imdb_some)
  plain <- dataset_imdb(imdb, num_words = 20, start_char = NULL, oov_char = NULL, index_from = 0)
  expect_identical(plain, expected$imdb_plain)
  expect_identical(dataset_reuters(dataset_file("reuters.npz")), expected$reuters)
  expect_error(dataset_imdb(imdb, maxlen = 1), "shorter than", class = "birnn_error_value")
  c(c(x_train, y_train), c(x_test, y_test)) %<-% dataset_imdb(imdb)
  expect_length(x_test, length(y_test))
})

test_that("prices are split as in Keras", {
  expected <- expected_datasets()
  datasets <- list(boston_housing = dataset_boston_housing(dataset_file("boston_housing.npz")),
                   california_housing = dataset_california_housing(path = dataset_file("california_housing.npz")))
  for (name in names(datasets)) {
    for (part in c("train", "test")) {
      expect_equal(datasets[[name]][[part]]$x, expected[[name]][[part]]$x, info = name)
      expect_equal(datasets[[name]][[part]]$y, array(expected[[name]][[part]]$y), info = name)
    }
  }
  expect_error(dataset_california_housing("tiny"), class = "birnn_error_value")
})

test_that("digits are arrays of whole numbers", {
  digits <- dataset_mnist(dataset_file("mnist.npz"))
  expect_identical(dim(digits$train$x), c(5L, 28L, 28L))
  expect_identical(digits$train$x[3, , ], expected_datasets()$mnist$rows)
  expect_identical(as.vector(digits$test$y), expected_datasets()$mnist$y)
})

test_that("files are found in the caches of birnn and of Keras; otherwise the error tells what to do", {
  folder <- local_empty_caches()
  missing <- tryCatch(dataset_mnist(), error = identity)
  expect_s3_class(missing, "birnn_error_file")
  expect_match(conditionMessage(missing), "downloads nothing")
  expect_match(conditionMessage(missing), "tf-keras-datasets/mnist.npz", fixed = TRUE)
  for (cache in c("keras/datasets", "r/R/birnn/datasets")) {
    dir.create(file.path(folder, cache), recursive = TRUE)
    copy <- file.path(folder, cache, "mnist.npz")
    file.copy(dataset_file("mnist.npz"), copy)
    expect_length(dataset_mnist()$train$y, 5)
    unlink(copy)
  }
})

test_that("word indices are lists of numbers, also under the name that keras3 gave the file", {
  folder <- local_empty_caches()
  datasets <- file.path(folder, "keras", "datasets")
  dir.create(datasets, recursive = TRUE)
  writeLines('{"the": 1, "caf\\u00e9": 2}', file.path(datasets, "imdb_word_index.json"))
  writeLines('{"oil": 7}', file.path(datasets, "reuters_word_index.pkl"))
  expect_identical(dataset_imdb_word_index(), list(the = 1L, "caf\u00e9" = 2L))
  expect_identical(dataset_reuters_word_index()[["oil"]], 7L)
})

test_that("articles of fashion are read from their four files", {
  folder <- file.path(local_empty_caches(), "keras", "datasets", "fashion-mnist")
  dir.create(folder, recursive = TRUE)
  write_idx <- function(name, numbers) {
    connection <- gzfile(file.path(folder, name), "wb")
    on.exit(close(connection))
    sizes <- dim(numbers) %||% length(numbers)
    writeBin(c(as.raw(c(0, 0, 8, length(sizes))), writeBin(as.integer(sizes), raw(), endian = "big")), connection)
    writeBin(as.raw(aperm(array(numbers, sizes))), connection)
  }
  images <- array(0:23, c(2, 3, 4))
  for (part in c("train", "t10k")) {
    write_idx(paste0(part, "-images-idx3-ubyte.gz"), images)
    write_idx(paste0(part, "-labels-idx1-ubyte.gz"), c(3, 9))
  }
  articles <- dataset_fashion_mnist()
  expect_equal(articles$test$x, images)
  expect_equal(articles$train$y, array(c(3, 9)))
})
