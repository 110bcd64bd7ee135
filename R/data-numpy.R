# What NumPy left in files, and its random orders: .npz archives, .npy arrays, RandomState(seed).shuffle() (level 7).

# The arrays `names` of a .npz archive, as a named list.
read_npz <- function(path, names, call = rlang::caller_env()) {
  members <- with_file_errors(r_zip_read(read_file(path, call), paste0(names, ".npy")), call)
  absent <- setdiff(names, sub("[.]npy$", "", names(members)))
  if (length(absent) > 0) abort_file("The file {.file {path}} has no array {.val {absent[[1]]}}.", call = call)
  lapply(rlang::set_names(names), function(name) read_npy(members[[paste0(name, ".npy")]], name, call))
}

# A .npy file: "\x93NUMPY", version, length of the header, the header (a dictionary as Python writes it), the numbers.
# An array of objects is a list of integer vectors, all that birnn reads of them.
read_npy <- function(bytes, name, call = rlang::caller_env()) {
  if (!starts_with(bytes, as.raw(c(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59))) || length(bytes) < 12) {
    abort_file("{.val {name}} is not an array of NumPy.", call = call)
  }
  width <- if (bytes[[7]] == 1) 2L else 4L
  length <- sum(as.integer(bytes[8L + seq_len(width)]) * 256^(seq_len(width) - 1))
  start <- 8L + width + length
  if (start > length(bytes)) abort_file("The array {.val {name}} is cut off.", call = call)
  header <- npy_header(rawToChar(bytes[8L + width + seq_len(length)]), name, call)
  if (header$type == "|O") return(with_file_errors(r_pickle_read(bytes, start), call))
  numbers <- npy_numbers(bytes[-seq_len(start)], header, name, call)
  if (header$column_major) array(numbers, header$shape) else aperm(array(numbers, rev(header$shape)))
}

npy_header <- function(text, name, call) {
  entry <- function(pattern) regmatches(text, regexec(pattern, text))[[1]][2]
  type <- entry("'descr': *'([<>|=][a-zA-Z][0-9]*)'")
  order <- entry("'fortran_order': *(True|False)")
  sizes <- entry("'shape': *\\(([0-9, ]*)\\)")
  if (anyNA(c(type, order, sizes))) abort_file("The array {.val {name}} has a type that birnn does not read.",
                                               call = call)
  sizes <- as.numeric(strsplit(gsub(" ", "", sizes), ",", fixed = TRUE)[[1]])
  list(type = type, column_major = order == "True", shape = if (length(sizes) == 0) 1 else sizes)
}

# Numbers of all types that R can hold: floats of 4 and 8 bytes, whole numbers, logicals.
npy_numbers <- function(bytes, header, name, call) {
  kind <- substr(header$type, 2, 2)
  size <- as.integer(substring(header$type, 3))
  count <- prod(header$shape)
  known <- list(f = c(4L, 8L), i = c(1L, 2L, 4L, 8L), u = c(1L, 2L, 4L, 8L), b = 1L)
  if (!size %in% known[[kind]]) abort_file("Numbers of type {.val {header$type}} are not read ({.val {name}}).",
                                           call = call)
  if (length(bytes) != count * size) abort_file("The array {.val {name}} is cut off.", call = call)
  endian <- if (startsWith(header$type, ">")) "big" else "little"
  if (kind == "b") return(bytes != 0)
  if (kind == "f") return(readBin(bytes, "double", count, size = size, endian = endian))
  if (size == 8L) return(whole_numbers_64(bytes, count, endian))
  numbers <- readBin(bytes, "integer", count, size = size, signed = kind == "i" || size == 4L, endian = endian)
  if (size < 4L) return(numbers)
  if (kind == "u") without_sign(numbers) else if (anyNA(numbers)) with_smallest(numbers) else numbers
}

# The bits of -2^31 are NA in R.
with_smallest <- function(numbers) ifelse(is.na(numbers), -2^31, numbers)

without_sign <- function(numbers) with_smallest(numbers) %% 2^32

# 64 bits as two numbers of 32, of which the lower one has no sign.
whole_numbers_64 <- function(bytes, count, endian) {
  halves <- matrix(readBin(bytes, "integer", 2 * count, size = 4L, endian = endian), 2L)
  if (endian == "big") halves <- halves[2:1, , drop = FALSE]
  numbers <- with_smallest(halves[2L, ]) * 2^32 + without_sign(halves[1L, ])
  if (all(abs(numbers) <= .Machine$integer.max)) as.integer(numbers) else numbers
}

# --- random orders ------------------------------------------------------------------------------------------------

# The orders that RandomState(seed) gives when it shuffles 0 ... n - 1 for each n of `sizes`, counted from 1. Both NumPy
# and R use the Mersenne Twister: R's is put into the state that NumPy starts from. So data sets are split as in Keras.
numpy_orders <- function(seed, sizes) {
  with_random_state(c(10403L, 624L, mersenne_state(seed)), lapply(sizes, numpy_order))
}

# Fisher and Yates, from the last place to the second one.
numpy_order <- function(n) {
  order <- seq_len(n)
  for (last in rev(seq_len(n)[-1])) {
    place <- numpy_number_below(last)
    order[c(last, place)] <- order[c(place, last)]
  }
  order
}

# A number from 1 to n: as many bits as n - 1 has, drawn again while they are too large.
numpy_number_below <- function(n) {
  mask <- 2^ceiling(log2(n)) - 1
  repeat {
    drawn <- bitwAnd(as.integer((stats::runif(1) * 2^32) %% 2^31), as.integer(mask))
    if (drawn < n) return(drawn + 1L)
  }
}

# s[0] = seed, s[i] = 1812433253 (s[i-1] xor s[i-1] >> 30) + i, modulo 2^32; as R's signed integers.
mersenne_state <- function(seed) {
  state <- numeric(624)
  state[[1]] <- seed %% 2^32
  for (i in 1:623) {
    before <- state[[i]]
    mixed <- before - before %% 4 + bitwXor(as.integer(before %% 4), as.integer(before %/% 2^30))
    high <- (1812433253 * (mixed %/% 2^16)) %% 2^16
    state[[i + 1]] <- (high * 2^16 + 1812433253 * (mixed %% 2^16) + i) %% 2^32
  }
  # The one state that is no integer in R, -2^31, has the bits of NA.
  suppressWarnings(as.integer(ifelse(state >= 2^31, state - 2^32, state)))
}
