# Arrays as NumPy stores them, and its random orders.

types <- dataset_file("types.npz")

test_that("numbers of all types are read in both orders", {
  numbers <- matrix(0:5, 2, byrow = TRUE)
  arrays <- read_npz(types, paste0("a", 0:13))
  for (name in setdiff(names(arrays), "a13")) expect_equal(arrays[[name]], numbers, info = name)
  expect_identical(arrays$a13, numbers > 0)
  expect_type(arrays$a6, "integer")
  expect_equal(read_npz(types, "fortran")$fortran, numbers * 1.5)
  expect_equal(read_npz(types, "scalar")$scalar, array(3))
  expect_equal(read_npz(types, "big")$big, array(c(2^40, -2^33, -1, 2^31)))
  expect_equal(read_npz(types, "u4")$u4, array(c(4294967295, 5, 2^31)))
  expect_equal(read_npz(types, "least")$least, array(c(-2^31, 1)))
})

test_that("what is no array of numbers is refused", {
  members <- r_zip_read(read_file(types), c("a0.npy", "evil.npy"))
  for (name in c("half", "text", "evil", "mixed", "nothing")) {
    expect_error(read_npz(types, name), class = "birnn_error_file", info = name)
  }
  expect_error(read_npz(types, "evil"), "something else than lists of whole numbers")
  expect_error(read_npz(types, "nothing"), "has no array \"nothing\"")
  for (length in c(0, 5, 11, 40, 130)) {
    expect_error(read_npy(members$a0[seq_len(length)], "a0"), class = "birnn_error_file", info = length)
  }
})

test_that("a pickle is never more than data, whatever its bytes are", {
  members <- r_zip_read(read_file(dataset_file("reuters.npz")), "x.npy")
  bytes <- members$x.npy
  start <- 128L
  expect_identical(r_pickle_read(bytes, start), read_npy(bytes, "x"))
  call <- c(charToRaw("cos\nsystem\n(U\004true"), as.raw(0x85), charToRaw("R."))
  expect_error(r_pickle_read(c(as.raw(c(0x80, 2)), call), 0L), "asks for os system", class = "birnn_error_file")
  expect_error(r_pickle_read(raw(0), 1L), class = "birnn_error_file")
  set.seed(1)
  for (k in 1:60) {
    damaged <- bytes
    at <- start + sample.int(length(bytes) - start, 1L)
    damaged[[at]] <- as.raw(sample.int(256L, 1L) - 1L)
    result <- tryCatch(r_pickle_read(damaged, start), birnn_error_file = function(error) list(1L))
    expect_true(all(vapply(result, is.integer, logical(1))))
  }
})

test_that("orders are those of numpy.random.RandomState, and R's own random numbers stay what they were", {
  expected <- expected_datasets()
  for (case in expected$orders) {
    expect_equal(numpy_orders(case$seed, case$n)[[1]] - 1, as.numeric(case$order), info = case$seed)
  }
  expect_equal(lapply(numpy_orders(113, c(12, 7)), `-`, 1L), lapply(expected$two, as.integer))
  set.seed(3)
  before <- .Random.seed
  numpy_orders(1, 10)
  expect_identical(.Random.seed, before)
})

test_that("SHA-256 is that of the standard", {
  expect_equal(r_sha256(raw(0)), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  expect_equal(r_sha256(charToRaw("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  long <- charToRaw("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
  expect_equal(r_sha256(long), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
})
