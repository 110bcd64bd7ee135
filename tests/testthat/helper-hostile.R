# Files that nobody should believe: parts to make archives, HDF5 files and configs of any kind, also impossible ones.

# A little-endian number; beyond 2^53 as raw bytes.
le <- function(x, width) if (is.raw(x)) x else as.raw(floor(x / 256^(seq_len(width) - 1)) %% 256)
text_bytes <- function(...) charToRaw(paste0(...))
top_bit <- as.raw(c(0, 0, 0, 0, 0, 0, 0, 0x80))
nowhere <- as.raw(rep(0xff, 8))
replaced <- function(bytes, at, new) {
  bytes[at + seq_along(new)] <- new
  bytes
}
find_bytes <- function(bytes, what) {
  what <- if (is.character(what)) charToRaw(what) else what
  places <- seq_len(length(bytes) - length(what) + 1L)
  for (k in seq_along(what)) places <- places[bytes[places + k - 1L] == what[[k]]]
  places - 1L
}
cuts <- function(bytes, n = 64) lapply(floor(length(bytes) * seq_len(n - 1) / n), function(size) bytes[seq_len(size)])
deflated <- function(bytes) {
  zlib <- memCompress(bytes, "gzip")
  zlib[3:(length(zlib) - 4)]
}

# --- zip ----------------------------------------------------------------------------------------------------------

crc_bytes <- function(bytes) r_zip_write("a", list(bytes))[15:18]

# A member; `central` and `local` are fields in which one of its two headers differs.
zip_member <- function(name, content, ..., central = list(), local = list()) {
  fields <- list(name = if (is.raw(name)) name else charToRaw(name), content = content, flags = 0, method = 0,
                 crc = crc_bytes(content), stored = length(content), size = length(content), disk = 0, attributes = 0,
                 extra = raw())
  fields <- utils::modifyList(fields, list(...))
  list(central = utils::modifyList(fields, central), local = utils::modifyList(fields, local))
}

zip_common <- function(x) {
  c(le(20, 2), le(x$flags, 2), le(x$method, 2), raw(4), x$crc, le(x$stored, 4), le(x$size, 4), le(length(x$name), 2),
    le(length(x$extra), 2))
}

zip_bytes <- function(members, before = raw(), between = raw(), comment = raw(), end = list()) {
  body <- before
  directory <- raw()
  for (member in members) {
    x <- member$central
    offset <- x$offset %||% length(body)
    directory <- c(directory, text_bytes("PK\x01\x02"), le(20, 2), zip_common(x), le(0, 2), le(x$disk, 2), le(0, 2),
                   le(x$attributes, 4), le(offset, 4), x$name, x$extra)
    x <- member$local
    if (!isTRUE(x$absent)) body <- c(body, text_bytes("PK\x03\x04"), zip_common(x), x$name, x$extra, x$content)
  }
  fields <- utils::modifyList(list(disk = 0, members = length(members), size = length(directory),
                                   offset = length(body) + length(between)), end)
  c(body, between, directory, text_bytes("PK\x05\x06"), le(fields$disk, 2), le(fields$disk, 2), le(fields$members, 2),
    le(fields$members, 2), le(fields$size, 4), le(fields$offset, 4), le(length(comment), 2), comment)
}

# A model file with these two members, and others.
keras_bytes <- function(config, weights, ...) {
  if (is.list(config)) config <- write_json(config)
  if (is.character(config)) config <- charToRaw(config)
  others <- list(...)
  r_zip_write(c("config.json", "model.weights.h5", names(others)), c(list(config, weights), unname(others)))
}

# --- HDF5 ---------------------------------------------------------------------------------------------------------

h5_message <- function(type, content, flags = 0, size = NULL) {
  content <- c(content, raw(-length(content) %% 8))
  c(le(type, 2), le(size %||% length(content), 2), le(flags, 1), raw(3), content)
}

h5_header <- function(messages, count = length(messages)) {
  content <- unlist(messages)
  c(le(1, 2), le(count, 2), le(1, 4), le(length(content), 4), raw(4), content)
}

h5_space <- function(dims, rank = length(dims), most = NULL) {
  h5_message(1, c(le(1, 1), le(rank, 1), le(if (is.null(most)) 0 else 1, 1), raw(5), unlist(lapply(dims, le, 8)), most))
}

float_type <- c(as.raw(c(0x11, 0x20, 0x1f, 0)), le(4, 4), le(0, 2), le(32, 2), as.raw(c(23, 8, 0, 23)), le(127, 4))
h5_type <- function(type = float_type, flags = 0) h5_message(3, type, flags)
h5_contiguous <- function(address, size) h5_message(8, c(le(3, 1), le(1, 1), le(address, 8), le(size, 8)))
h5_link <- function(name, address, kind = NULL) {
  head <- if (is.null(kind)) le(c(1), 1) else le(1, 1)
  content <- if (is.null(kind)) le(address, 8) else address
  h5_message(6, c(head, le(if (is.null(kind)) 0 else 8, 1), if (!is.null(kind)) le(kind, 1), le(nchar(name), 1),
                  charToRaw(name), content))
}
h5_new_group <- h5_message(2, c(le(0, 2), nowhere, nowhere))

h5_start <- function(root, end, version = 0, widths = c(8, 8), base = 0, driver = nowhere, tree = NULL) {
  c(as.raw(c(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10)), le(version, 1), raw(4), le(widths[[1]], 1), le(widths[[2]], 1),
    raw(1), le(4, 2), le(16, 2), raw(4), le(base, 8), nowhere, le(end, 8), driver, le(0, 8), le(root, 8), raw(24))
}

# A file with one dataset "x" at byte 96, its data after it, and a root with the given further links.
# `messages`: a function of the address of the data.
h5_dataset <- function(messages, data = raw(64), links = list(), extra = raw(), ...) {
  at <- 96 + length(h5_header(messages(0)))
  body <- c(h5_header(messages(at)), data, extra)
  body <- c(body, raw(-length(body) %% 8))
  root <- 96 + length(body)
  body <- c(body, h5_header(c(list(h5_new_group, h5_link("x", 96)), links)))
  c(h5_start(root, 96 + length(body), ...), body)
}

plain_dataset <- function(type = float_type, dims = 4, size = 16, space = h5_space(dims), more = list(), ...) {
  h5_dataset(function(at) c(list(space, h5_type(type), h5_contiguous(at, size)), more), ...)
}

h5_filters <- function(id) h5_message(11, c(le(1, 1), le(1, 1), raw(6), le(id, 2), le(0, 2), le(0, 2), le(0, 2)))

# One chunk of `stored` bytes for an array of `dims` floats in chunks of `chunk`.
h5_chunked <- function(dims, chunk, filter, stored, size = length(stored)) {
  key <- function(offset) c(le(size, 4), le(0, 4), unlist(lapply(c(offset, 0), le, 8)))
  h5_dataset(function(at) {
    layout <- h5_message(8, c(le(3, 1), le(2, 1), le(length(dims) + 1, 1), le(at, 8), unlist(lapply(chunk, le, 4)),
      le(4, 4)))
    c(list(h5_space(dims), h5_type(), layout), if (!is.null(filter)) list(h5_filters(filter)))
  }, data = raw(), extra = raw()) |> append_tree(dims, key, stored)
}

# Puts a tree with one chunk where the layout of h5_chunked() says: between the dataset and the root.
append_tree <- function(file, dims, key, stored) {
  file <- file[seq_len(length(file))]
  header_end <- 96 + 16 + sum(as.integer(file[96 + 9:10]) * c(1, 256))
  tree_size <- 24 + 2 * length(key(rep(0, length(dims)))) + 8
  chunk_at <- header_end + tree_size
  tree <- c(text_bytes("TREE"), as.raw(c(1, 0)), le(1, 2), nowhere, nowhere, key(rep(0, length(dims))), le(chunk_at, 8),
    key(dims))
  body <- c(file[97:header_end], tree, stored)
  body <- c(body, raw(-length(body) %% 8))
  root <- 96 + length(body)
  body <- c(body, h5_header(list(h5_new_group, h5_link("x", 96))))
  c(h5_start(root, 96 + length(body)), body)
}
