# get_file(): local files, the cache, checksums, archives; and no network.

test_that("a local file is copied into the cache, and again when it has changed", {
  folder <- withr::local_tempdir()
  origin <- file.path(folder, "letter.txt")
  writeLines("one", origin)
  path <- get_file(origin = origin, cache_dir = file.path(folder, "cache"))
  expect_equal(path, file.path(folder, "cache", "datasets", "letter.txt"))
  expect_equal(readLines(path), "one")
  writeLines("two", path)
  Sys.setFileTime(path, Sys.time() + 60)
  again <- function(...) {
    readLines(get_file("letter.txt", paste0("file://", origin), cache_dir = file.path(folder, "cache"), ...))
  }
  expect_equal(again(), "two")
  expect_equal(again(force_download = TRUE), "one")
  writeLines("three", origin)
  Sys.setFileTime(origin, Sys.time() + 120)
  expect_equal(again(), "three")
})

test_that("what would have to be downloaded is found in the caches or refused with advice", {
  folder <- local_empty_caches()
  address <- "https://example.org/data/corpus.txt?download=1"
  error <- tryCatch(get_file(origin = address), error = identity)
  expect_s3_class(error, "birnn_error_file")
  for (words in c("corpus.txt", "downloads nothing", "https://example.org")) {
    expect_match(conditionMessage(error), words, fixed = TRUE)
  }
  dir.create(file.path(folder, "keras", "datasets"), recursive = TRUE)
  writeLines("found", file.path(folder, "keras", "datasets", "corpus.txt"))
  expect_equal(readLines(get_file(origin = address)), "found")
})

test_that("checksums are compared", {
  folder <- withr::local_tempdir()
  origin <- file.path(folder, "abc")
  writeBin(charToRaw("abc"), origin)
  get <- function(...) get_file(origin = origin, cache_dir = folder, ...)
  expect_true(file.exists(get(file_hash = "900150983cd24fb0d6963f7d28e17f72")))
  expect_true(file.exists(get(file_hash = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")))
  expect_error(get(file_hash = "00"), "checksum", class = "birnn_error_file")
  expect_error(get(file_hash = strrep("0", 64)), "sha256", class = "birnn_error_file")
})

test_that("archives are unpacked beside themselves", {
  folder <- withr::local_tempdir()
  dir.create(file.path(folder, "texts", "happy"), recursive = TRUE)
  writeLines("what a day", file.path(folder, "texts", "happy", "1.txt"))
  withr::with_dir(folder, {
    utils::tar("texts.tar.gz", "texts", compression = "gzip", tar = "internal")
    writeLines("x", "plain.txt")
  })
  unpacked <- get_file(origin = file.path(folder, "texts.tar.gz"), cache_dir = folder, extract = TRUE)
  expect_equal(unpacked, file.path(folder, "datasets", "texts_extracted"))
  expect_equal(readLines(file.path(unpacked, "texts", "happy", "1.txt")), "what a day")
  writeBin(r_zip_write(c("a.txt", "b/c.txt"), list(charToRaw("A"), charToRaw("C"))), file.path(folder, "some.zip"))
  unpacked <- get_file(origin = file.path(folder, "some.zip"), cache_dir = folder, extract = TRUE)
  expect_equal(readBin(file.path(unpacked, "b", "c.txt"), "raw", 9), charToRaw("C"))
  expect_error(get_file(origin = file.path(folder, "plain.txt"), cache_dir = folder, extract = TRUE), "no tar archive")
})

# A tar archive with one empty member.
tar_of <- function(name, type) {
  header <- raw(512)
  header[seq_len(nchar(name))] <- charToRaw(name)
  header[125:135] <- charToRaw("00000000000")
  header[157] <- charToRaw(type)
  c(header, raw(1024))
}

test_that("archives with links or with paths that lead out are refused, and nothing of them is written", {
  folder <- withr::local_tempdir()
  unpacked <- function(name) {
    get_file(origin = file.path(folder, name), cache_dir = file.path(folder, "cache"), extract = TRUE)
  }
  for (name in c("../evil.txt", "/evil.txt", "a/../../evil.txt")) {
    writeBin(tar_of(name, "0"), file.path(folder, "out.tar"))
    expect_error(unpacked("out.tar"), "leads out", class = "birnn_error_file", info = name)
  }
  for (type in c("1", "2", "3")) {
    writeBin(tar_of("link", type), file.path(folder, "link.tar"))
    expect_error(unpacked("link.tar"), "links", class = "birnn_error_file", info = type)
  }
  expect_setequal(list.files(file.path(folder, "cache"), recursive = TRUE), c("datasets/link.tar", "datasets/out.tar"))
})

test_that("names of files are no paths", {
  expect_refused(get_file("a/b.txt", origin = "x.txt"), "value")
  expect_refused(get_file(origin = "no-such-file.txt", cache_dir = "."), "file")
  expect_refused(get_file(origin = "x.txt", untar = TRUE), "value")
})
