# The hostile files by number. A case: what it is, the files (raw vectors), and what must happen: an error of the kinds
# in `expect`, or "load".

hostile <- function(what, ..., expect = "file") list(what = what, files = list(...), expect = expect)

# A sound model and its parts.
hostile_base <- function() {
  set.seed(1)
  model <- keras_model_sequential(input_shape = c(5, 3), name = "base") |>
    layer_bidirectional(layer_lstm(units = 2)) |>
    layer_dense(1)
  compile(model, "adam", loss = "mse")
  file <- save_model(model)
  members <- r_zip_read(file, c("metadata.json", "config.json", "model.weights.h5"))
  list(model = model, file = file, config = members$config.json, weights = members$model.weights.h5,
       metadata = members$metadata.json, tree = read_json(members$config.json))
}

zip_cases <- function(base) {
  config <- zip_member("config.json", base$config)
  weights <- zip_member("model.weights.h5", base$weights)
  pair <- function(...) zip_bytes(list(config, weights, ...))
  with_config <- function(..., content = base$config) zip_bytes(list(zip_member("config.json", content, ...), weights))
  named <- function(name) pair(zip_member(name, raw(4)))
  zeros <- raw(3e6)
  bomb <- deflated(zeros)
  z <- list(
    hostile("0 bytes", raw()),
    hostile("1 byte", as.raw(0x50)),
    do.call(hostile, c("cut off", cuts(base$file), list(base$file[seq_len(length(base$file) - 22)]))),
    hostile("other files under the name", as.raw(c(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10)), serialize(1, NULL),
            memCompress(serialize(1, NULL), "gzip"), as.raw(c(0x80, 4, 0x95, 0)), text_bytes("<!DOCTYPE html><html>"),
            text_bytes("RDX3\nX\n")),
    hostile("names that lead elsewhere", named("../x"), named("/etc/x"), named("C:\\x"), named("..\\x"),
            named("a/../../x"),
            named(as.raw(c(0x61, 0, 0x62))), named(as.raw(rep(0x61, 65535))), named(as.raw(c(0xc3, 0x28)))),
    hostile("a symbolic link", pair(zip_member("link", text_bytes("/etc/passwd"), attributes = 0xa1ff * 65536)),
            expect = "load"),
    hostile("two config.json", pair(config)),
    hostile("headers that disagree", with_config(local = list(name = charToRaw("Config.json"))),
            with_config(local = list(size = 7)), with_config(central = list(offset = 4)),
            with_config(local = list(method = 8))),
    hostile("zeros without end", with_config(content = bomb, method = 8, size = length(zeros), crc = crc_bytes(zeros))),
    hostile("members that overlap", zip_bytes(list(config, zip_member("model.weights.h5", base$weights,
            central = list(offset = 0), local = list(absent = TRUE)))),
            zip_bytes(list(config, zip_member("other", base$config, central = list(offset = 0),
            local = list(absent = TRUE))))),
    hostile("sizes that are wrong", with_config(size = length(base$config) + 5), with_config(size = 5),
            with_config(stored = length(base$config) + 1e6, size = length(base$config) + 1e6)),
    hostile("a wrong checksum", with_config(crc = as.raw(1:4))),
    hostile("encrypted", with_config(flags = 1), with_config(flags = 64)),
    do.call(hostile, c("unknown methods", lapply(c(12, 14, 93, 99), function(method) with_config(method = method)))),
    hostile("64-bit sizes beyond everything",
            with_config(stored = 4294967295, size = 4294967295, extra = c(le(1, 2), le(16, 2), top_bit, top_bit))),
    hostile("an offset beyond the end", with_config(central = list(offset = 1e9))),
    hostile("too many members", pair() |> (\(file) {
      zip_bytes(c(list(config, weights), lapply(1:1001, function(k) zip_member(paste0("m", k), raw()))))
    })(), zip_bytes(list(config, weights), end = list(members = 65534))),
    hostile("several disks", zip_bytes(list(config, weights), end = list(disk = 1)), with_config(disk = 1)),
    hostile("a second directory in the comment", zip_bytes(list(config, weights), comment = zip_bytes(list(config)))),
    hostile("something before it", zip_bytes(list(config, weights), before = charToRaw("#!/bin/sh\n")) |> tail(-3),
            c(charToRaw("MZ"), base$file)),
    hostile("a member that is missing", zip_bytes(list(config)), zip_bytes(list(weights))),
    hostile("an archive within", zip_bytes(list(zip_member("model.keras", base$file)))),
    hostile("members that nobody knows", pair(zip_member("assets/x.txt", charToRaw("hi")), zip_member("a.R",
            charToRaw("q()"))),
            expect = "load"),
    hostile("sizes that should follow", with_config(flags = 8, local = list(size = 0, stored = 0, crc = raw(4))),
            expect = "load")
  )
  rlang::set_names(z, paste0("Z", seq_along(z)))
}

json_cases <- function(base) {
  text <- rawToChar(base$config)
  model <- function(config) keras_bytes(config, base$weights)
  units <- function(value) model(gsub("\"units\": 2", paste0("\"units\": ", value), text, fixed = TRUE))
  added <- function(fields) model(sub("{", paste0("{", fields, ", "), text, fixed = TRUE))
  repeated <- function(x, n) paste(rep(x, n), collapse = "")
  bytes_in <- function(bytes) model(c(text_bytes("{\"name\": \""), bytes, text_bytes("\", "), charToRaw(substring(text,
    2))))
  both <- c("file", "config", "value", "shape", "resource")
  j <- list(
    hostile("empty", model(""), model("  \n")),
    hostile("many brackets", model(repeated("[", 1e6))),
    hostile("many braces", model(repeated("{\"a\":", 1e5))),
    hostile("an open string", model("{\"class_name\": \"Seq")),
    hostile("a huge string", model(paste0("{\"a\": \"", strrep("x", 2e6), "\"}"))),
    hostile("a key twice", added("\"class_name\": \"Functional\"")),
    hostile("text that is none", bytes_in(as.raw(c(0xc3, 0x28))), bytes_in(charToRaw("\\ud800")),
            bytes_in(charToRaw("\\u0000")),
            model(c(as.raw(c(0xef, 0xbb, 0xbf)), base$config))),
    hostile("two documents", model(paste0(text, text)), model(paste0(text, " x"))),
    hostile("no number of units", units("NaN"), units("Infinity"), units("-Infinity"), expect = both),
    hostile("numbers of any size", units("1e400"), units("1e-400"), units("18446744073709551616"), units("4.5"),
            units("\"4\""), units("true"), units("[2]"), units("{\"a\": 2}"), expect = both),
    hostile("many keys", model(paste0("{", paste0("\"k", 1:6e5, "\": 1", collapse = ","), "}"))),
    hostile("comments", model(paste0("// hello\n", text)), model(paste0(text, " /* */"))),
    hostile("null for what is needed", units("null"), model(sub("\"class_name\": \"Sequential\"",
            "\"class_name\": null", text)),
            expect = both),
    hostile("a list for an object", model(paste0("[", text, "]")), model("[]"), model("3"), expect = both),
    hostile("a path or an address as the whole text", model("/etc/passwd"), model("\"/etc/passwd\""),
            model("http://127.0.0.1/x"), model("\"http://127.0.0.1/x\""), expect = both),
    hostile("keys that mean something to R",
            added("\"class\": \"factor\", \"dim\": [2, 2], \"names\": [\"a\"], \"units_extra\": 1"),
            model(gsub("\"units\": 2", "\"units_extra\": 2, \"names\": \"x\", \"class\": \"y\", \"dim\": [9]", text)),
            expect = c(both, "load")),
    hostile("too long", model(paste0(text, strrep(" ", 17 * 2^20))))
  )
  rlang::set_names(j, paste0("J", seq_along(j)))
}

config_cases <- function(base) {
  tree <- base$tree
  model <- function(config, weights = base$weights) keras_bytes(config, weights)
  # The config with a part of a layer replaced; layer 2 is Bidirectional, 3 Dense.
  changed <- function(layer, ...) {
    parts <- list(...)
    for (name in names(parts)) tree$config$layers[[layer]][[name]] <- parts[[name]]
    model(tree)
  }
  setting <- function(name, value, layer = 3) {
    tree$config$layers[[layer]]$config[name] <- list(value)
    model(tree)
  }
  inner <- function(name, value, side = "layer") {
    tree$config$layers[[2]]$config[[side]]$config[name] <- list(value)
    model(tree)
  }
  of_class <- function(class_name, config = list(name = "x"), module = "keras.layers", registered_name = NULL) {
    tree$config$layers[[3]] <- list(module = module, class_name = class_name, config = config,
      registered_name = registered_name)
    model(tree)
  }
  named <- function(name) setting("name", name)
  shape <- function(...) {
    tree$config$layers[[1]]$config$batch_shape <- list(...)
    model(tree)
  }
  optimizer <- function(...) {
    tree$compile_config$optimizer <- utils::modifyList(tree$compile_config$optimizer, list(...))
    model(tree)
  }
  nested <- function(n) {
    text <- write_json(tree$config$layers[[2]]$config$layer)
    head <- paste0("{\"module\": \"keras.layers\", \"class_name\": \"Bidirectional\", ",
                   "\"config\": {\"name\": \"b\", \"layer\": ")
    layer <- paste0(strrep(head, n), text, strrep("}}", n))
    model(paste0("{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": [",
      layer, "]}}"))
  }
  place <- function(layer) list(class_name = "__keras_tensor__", config = list(keras_history = list(layer, 0L, 0L)))
  dense <- function(name, from) {
    c(list(module = "keras.layers", class_name = "Dense", config = list(name = name, units = 2L),
      registered_name = NULL),
      list(name = name, inbound_nodes = list(list(args = list(place(from)), kwargs = rlang::set_names(list(),
        character())))))
  }
  graph <- function(...) {
    start <- c(tree$config$layers[[1]], list(name = "input_layer", inbound_nodes = list()))
    start$config$name <- "input_layer"
    layers <- list(start, ...)
    model(list(module = "keras.src.models.functional", class_name = "Functional", registered_name = "Functional",
      config = list(
      name = "g", layers = layers, input_layers = list("input_layer", 0L, 0L), output_layers = list("a", 0L, 0L))))
  }
  many <- function(n) {
    entry <- write_json(tree$config$layers[[3]])
    model(paste0("{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", \"layers\": [",
                 paste(rep(entry, n), collapse = ","), "]}}"))
  }
  with_top <- function(...) model(utils::modifyList(tree, list(...)))
  any_error <- c("config", "value", "type", "shape", "state", "weights", "resource", "file")
  marshal <- list("4wEAAAAAAAAAAAAAAAEAAAACAAAAQwAAAHMIAAAAfABkARQAUwA=", NULL, NULL)
  c <- list(
    hostile("Lambda with code", of_class("Lambda", list(name = "l", `function` = list(class_name = "__lambda__",
            config = list(
      code = marshal[[1]]))) ), of_class("Lambda", list(name = "l", `function` = marshal, function_type = "lambda"))),
    hostile("functions of other modules", of_class("system", list("id"), "os"), of_class("eval", list("1"), "builtins"),
            of_class("function", "system", "base"), setting("activation", list(module = "os", class_name = "function",
            config = "system", registered_name = "system"))),
    hostile("settings of the loader", of_class("enable_unsafe_deserialization", list(), "keras.config"),
            of_class("function", "enable_unsafe_deserialization", "keras.config")),
    hostile("get_file", of_class("get_file", list(fname = "x", origin = "http://127.0.0.1/x", extract = TRUE),
            "keras.utils")),
    hostile("vocabularies from elsewhere", of_class("StringLookup", list(name = "s", vocabulary = "/etc/passwd")),
            of_class("StringLookup", list(name = "s", vocabulary = "http://127.0.0.1/x")),
            of_class("TextVectorization", list(name = "s", vocabulary = "/etc/passwd"))),
    hostile("models of others", of_class("TFSMLayer", list(name = "t", filepath = "/tmp/x")),
            of_class("TorchModuleWrapper", list(name = "t", module = "gASVAAAA"))),
    hostile("a registered name on a built-in class", of_class("Dense", list(name = "d", units = 1L), "builtins",
            "os>system"),
            of_class("Evil", list(name = "d"), "keras.layers", "Custom>Dense")),
    hostile("classes that look alike", of_class("dense"), of_class("DENSE"), of_class("D\u0435nse"), of_class("Dense "),
            of_class("Dense", list(name = "d", units = 1L), "keras.initializers")),
    hostile("units", inner("units", 0L), inner("units", -1L), inner("units", 2147483648), inner("units", 1e9),
            setting("units", 1e9)),
    hostile("merge_mode", setting("merge_mode", "concatenate", 2)),
    hostile("equal directions", inner("go_backwards", FALSE, "backward_layer")),
    hostile("a thousand wrappers", nested(1000), nested(40)),
    hostile("a circle", graph(dense("a", "b"), dense("b", "a"))),
    hostile("a layer that is not there", graph(dense("a", "nobody"))),
    hostile("too many layers", many(2e4)),
    hostile("equal names", graph(dense("a", "input_layer"), dense("a", "input_layer"))),
    hostile("names that are paths", named("a/../../b"), named(".."), named("a\\b"), named(strrep("n", 1e6)), named(""),
            named("a\nb"), named(3)),
    hostile("sizes of inputs", shape(NULL, -5L, 3L), shape(NULL, 5L, 1e12), shape(NULL, 5L, -3L), shape(NULL, 2^40,
            2^40)),
    hostile("types", setting("dtype", "object"), setting("dtype", "float8_e4m3fn"), setting("dtype",
            list(module = "keras",
            class_name = "QuantizedDTypePolicy", config = list(mode = "int8")))),
    hostile("activations", setting("activation", "system"), setting("activation", "q"), setting("activation",
            list(a = 1)),
            setting("activation", "Sys.getenv"), setting("activation", 7)),
    hostile("an initializer of lists", setting("kernel_initializer", list(module = "keras.initializers",
            class_name = "Constant",
            config = list(value = list(list("a"), 2)))), setting("kernel_initializer", "system"), expect = c(any_error,
            "load")),
    hostile("versions of the metadata", keras_bytes(base$config, base$weights,
            metadata.json = charToRaw("{\"keras_version\": \"99.0\"}")),
            keras_bytes(base$config, base$weights, metadata.json = raw()), keras_bytes(base$config, base$weights),
            expect = "load"),
    hostile("optimizers", optimizer(class_name = "system"), optimizer(config = list(learning_rate = NaN)),
            optimizer(config = list(learning_rate = "fast"))),
    hostile("shapes that are not those of the weights", changed(3, build_config = list(input_shape = list(NULL, 400L))),
            inner("units", 3L), expect = c(any_error, "load")),
    hostile("ids that refer to each other", with_top(shared_object_id = 1L), changed(2, shared_object_id = 1L),
            expect = "load"),
    hostile("numbers inside", setting("kernel_initializer", list(class_name = "__tensor__", config = list(value = 1e12,
            dtype = "float32"))),
            setting("units", list(class_name = "__numpy__", config = list(value = list(1, 2), dtype = "float32"))),
            expect = c(any_error, "load"))
  )
  c <- lapply(c, function(case) if (identical(case$expect, "file")) utils::modifyList(case,
    list(expect = any_error)) else case)
  rlang::set_names(c, paste0("C", seq_along(c)))
}

hdf5_cases <- function(base) {
  good <- base$weights
  patched <- function(at, new) replaced(good, at, new)
  at_first <- function(what) find_bytes(good, what)[[1]]
  trees <- find_bytes(good, "TREE")
  tree <- trees[good[trees + 7] != 0][[1]]   # one with entries
  snod <- at_first("SNOD")
  heap <- at_first("HEAP")
  gcol <- at_first("GCOL")
  with_links <- function(...) plain_dataset(links = list(...))
  with_message <- function(...) plain_dataset(more = list(...))
  typed <- function(bytes, size = 16) plain_dataset(type = as.raw(bytes), size = size)
  dims <- function(dims, ...) plain_dataset(dims = dims, ...)
  filtered <- function(id) h5_chunked(4, 4, id, as.raw(1:16))
  bits <- {
    withr::local_seed(3)
    places <- sample(8 * length(good), if (all_tests()) 1000 else 60) - 1
    lapply(places, function(bit) patched(bit %/% 8, xor(good[[bit %/% 8 + 1]], as.raw(2^(bit %% 8)))))
  }
  loop <- function(root_at) {
    body <- h5_header(list(h5_new_group, h5_link("x", root_at)))
    c(h5_start(96, 96 + length(body)), body)
  }
  external <- c(le(1, 1), raw(3), le(1, 2), le(1, 2), le(200, 8), le(0, 8), le(0, 8), le(64, 8))
  soft <- c(le(11, 2), charToRaw("/etc/passwd"))
  wide <- function(kind, ...) c(as.raw(c(kind, 0x20, 0x1f, 0)), le(4, 4), le(0, 2), le(32, 2), as.raw(c(23, 8, 0, 23)),
    le(127, 4), ...)
  d <- list(
    hostile("no signature", patched(0, as.raw(0x88)), c(raw(512), good), good[-1]),
    hostile("unknown superblocks", patched(8, as.raw(4)), patched(8, as.raw(255)), patched(13, as.raw(0)), patched(13,
            as.raw(1)),
            patched(14, as.raw(255))),
    hostile("beginnings and ends elsewhere", patched(40, le(length(good) + 1, 8)), patched(24, le(512, 8)), patched(40,
            top_bit)),
    hostile("trees in circles", patched(tree + 5, as.raw(255)), patched(tree + 5, as.raw(1)),
            patched(tree + 32, le(tree, 8))),
    hostile("a group within itself", loop(96)),
    hostile("too many symbols", patched(snod + 6, le(65535, 2)), patched(snod + 6, le(9, 2))),
    hostile("names out of the heap", patched(snod + 8, le(1e6, 8)), patched(snod + 8, top_bit), patched(heap + 8,
            le(1e9, 8)),
            patched(heap + 8, le(9, 8)), patched(heap + 24, le(length(good), 8))),
    hostile("headers that overflow", plain_dataset(space = h5_message(1, raw(8), size = 60000)),
            with_message(h5_message(16, c(le(96, 8), le(80, 8)))), with_message(h5_message(16, c(le(1e6, 8), le(80,
            8)))),
            { x <- plain_dataset(); replaced(x, 96 + 2, le(65535, 2)) }),
    hostile("links to other places", with_links(h5_link("s", soft, 1)), with_links(h5_link("e", c(le(11, 2), raw(1),
            charToRaw("/etc/x"), raw(1), charToRaw("y")), 64)),
            with_links(h5_link("u", c(le(2, 2), raw(2)), 70))),
    hostile("data in other files", with_message(h5_message(7, external))),
    hostile("a virtual dataset", h5_dataset(function(at) list(h5_space(4), h5_type(), h5_message(8, c(le(4, 1), le(3,
            1), le(at, 8), le(0, 4)))))),
    hostile("shared and committed types", h5_dataset(function(at) list(h5_space(4), h5_type(c(le(3, 1), le(2, 1), le(96,
            8)), flags = 2),
            h5_contiguous(at, 16)))),
    hostile("filters", filtered(1), filtered(2) |> tail(-4), filtered(32000), filtered(4), h5_chunked(4, 4, 3, raw(16)),
            expect = c("file", "weights")),
    hostile("bombs of chunks", h5_chunked(1e9, 1e9, 1, memCompress(raw(100), "gzip")), h5_chunked(c(65536, 65536),
            c(65536, 65536), 1, raw(16)),
            h5_chunked(4, 0, NULL, raw(16)), h5_chunked(4, 4294967295, NULL, raw(16))),
    hostile("sizes", dims(c(2^32, 2^32)), dims(rep(1, 33)), plain_dataset(space = h5_message(1, c(le(1, 1), le(255, 1),
            raw(6)))),
            dims(2^40, size = 2^42), plain_dataset(space = h5_space(4, most = nowhere), size = 20)),
    hostile("data nowhere", h5_dataset(function(at) list(h5_space(4), h5_type(), h5_message(8, c(le(3, 1), le(1, 1),
            nowhere, le(16, 8)))))),
    hostile("data beyond the end, or within others", h5_dataset(function(at) list(h5_space(4), h5_type(),
            h5_contiguous(1e7, 16))),
            h5_dataset(function(at) list(h5_space(4), h5_type(), h5_contiguous(96, 16))),
            h5_dataset(function(at) list(h5_space(4), h5_type(), h5_contiguous(0, 16))), dims(1000, size = 4000)),
    hostile("types of others", typed(replaced(float_type, 1, as.raw(0x21))), typed(replaced(float_type, 4, le(10, 4)),
            40),
            typed(replaced(float_type, 8, le(3, 2))), typed(c(as.raw(c(0x16, 1, 0, 0)), le(4, 4))),
            typed(c(as.raw(c(0x19, 0, 0, 0)), le(16, 4), float_type), 64),
            typed(c(as.raw(c(0x17, 0, 0, 0)), le(8, 4)), 32), typed(c(as.raw(c(0x13, 0, 0, 0)), le(4, 4)))),
    hostile("whole numbers as weights", typed(c(as.raw(c(0x10, 8, 0, 0)), le(4, 4), le(0, 2), le(32, 2))),
            expect = "weights"),
    hostile("heaps of text", patched(gcol + 8, le(0, 8)), patched(gcol + 8, top_bit), patched(gcol + 16, le(0, 2)),
            patched(gcol + 24, le(1e9, 8))),
    hostile("attributes without end", { x <- plain_dataset(); replaced(x, 96 + 2, le(60000, 2)) },
            with_message(h5_message(12, c(le(1, 2), le(60000, 2), le(8, 2), le(8, 2), raw(8))))),
    hostile("dense groups that are not there", with_message(h5_message(21, c(le(0, 2), le(96, 8), le(96, 8)))),
            plain_dataset(links = list(h5_message(2, c(le(0, 2), le(1e5, 8), le(1e5, 8)))))),
    do.call(hostile, c("cut off", cuts(good))),
    do.call(hostile, c("single bits", bits, list(expect = c("file", "weights", "load")))),
    hostile("several files", patched(48, le(96, 8))),
    hostile("two names for one dataset", with_links(h5_link("y", 96)), with_links(h5_link("x", 96))),
    hostile("negative lengths", h5_dataset(function(at) list(h5_space(4), h5_type(), h5_message(8, c(le(3, 1), le(1, 1),
            le(at, 8), nowhere)))),
            with_links(h5_message(6, c(le(1, 1), le(3, 1), nowhere, raw(8)))), patched(heap + 8, nowhere))
  )
  rlang::set_names(d, paste0("D", seq_along(d)))
}

weight_cases <- function(base) {
  self <- layer_object(base$model)
  tree <- function() weights_tree(self)
  model <- function(tree, config = base$config) keras_bytes(config, r_hdf5_write(tree))
  at <- c("layers", "dense", "vars")
  with_dense <- function(...) {
    tree <- tree()
    tree$members$layers$members$dense$members$vars$members <- list(...)
    model(tree)
  }
  kernel <- as_tensor(matrix(1, 4, 1))
  bias <- as_tensor(0)
  bias <- as_tensor(array(0, 1))
  without <- tree()
  without$members$layers$members$dense <- NULL
  extra <- hdf5_insert(tree(), c("layers", "lstm_9", "vars", "0"), kernel)
  renamed <- tree()
  renamed$members$layers$members$dense$members$vars$attributes$name <- hdf5_text("../../etc")
  slots <- tree()
  slots$members$optimizer$members$vars$members <- list(`0` = as_tensor(5L), `1` = as_tensor(0.1), `2` = kernel,
    `3` = kernel)
  seeds <- hdf5_insert(tree(), c("seed_generator", "vars", "0"), as_tensor(c(-1, 0.5)))
  units <- gsub("\"units\": 1", "\"units\": 2", rawToChar(base$config), fixed = TRUE)
  w <- list(
    hostile("weights that are missing", model(without), expect = "weights"),
    hostile("weights that nobody asked for", model(extra), expect = "load"),
    hostile("a kernel turned round", with_dense(`0` = as_tensor(matrix(1, 1, 4)), `1` = bias), expect = "weights"),
    hostile("too few, too many", with_dense(`0` = kernel), with_dense(`0` = kernel, `1` = bias, `2` = bias),
            expect = "weights"),
    hostile("numbers that are not finite", with_dense(`0` = as_tensor(matrix(NaN, 4, 1)), `1` = as_tensor(array(Inf,
            1))), expect = "load"),
    hostile("other types of numbers", with_dense(`0` = as_tensor(matrix(1, 4, 1), "float64"), `1` = as_tensor(array(1L,
            1), "int32")), expect = "load"),
    hostile("wrong names", model(renamed), expect = "load"),
    hostile("slots that do not fit", model(slots), expect = "load"),
    hostile("seeds that make no sense", model(seeds), expect = "load"),
    hostile("units changed in the config only", model(tree(), units), expect = "weights")
  )
  rlang::set_names(w, paste0("W", seq_along(w)))
}

# Files of the kind that callback_backup_and_restore() reads, from a sound one.
backup_cases <- function(good) {
  members <- r_zip_read(good, c("training.json", "tensors.h5"))
  text <- rawToChar(members$training.json)
  file <- function(text = NULL, tensors = members$tensors.h5) {
    r_zip_write(names(members), list(if (is.null(text)) members$training.json else charToRaw(text), tensors))
  }
  bad_number <- zip_bytes(list(zip_member("training.json", members$training.json, stored = 4294967295,
    size = 4294967295,
                                           extra = c(le(1, 2), le(16, 2), top_bit, top_bit)), zip_member("tensors.h5",
                                             members$tensors.h5)))
  middle <- length(good) %/% 2
  overlap <- zip_bytes(list(zip_member("training.json", members$training.json),
                            zip_member("tensors.h5", members$training.json, central = list(offset = 0),
                              local = list(absent = TRUE))))
  rds <- withr::local_tempfile()
  saveRDS(1, rds)
  rdata <- withr::local_tempfile()
  x <- 1
  save(x, file = rdata)
  zeros <- raw(3e6)
  bomb <- zip_bytes(list(zip_member("training.json", deflated(zeros), method = 8, size = length(zeros),
    crc = crc_bytes(zeros)),
                         zip_member("tensors.h5", members$tensors.h5)))
  r <- list(
    hostile("no signature", replaced(good, 0, charToRaw("QK")), file(sub("birnn training", "birnn model", text))),
    hostile("a newer version", file(sub("\"version\": 1", "\"version\": 2", text)), file(sub("\"version\": 1",
            "\"version\": 1e9", text))),
    hostile("a wrong checksum", replaced(good, middle, xor(good[[middle + 1]], as.raw(1)))),
    do.call(hostile, c("cut off", lapply(c(1:40, length(good) - 1:22), function(size) good[seq_len(size)]), cuts(good,
            16))),
    hostile("a length beyond everything", bad_number),
    hostile("holes and overlaps", overlap, zip_bytes(list(zip_member("training.json", members$training.json),
            zip_member("tensors.h5", members$tensors.h5)), between = raw(64), end = list(offset = 100))),
    hostile("a temporary file that was left", raw()),
    hostile("files of R", r_read_file(rds), r_read_file(rdata), serialize(1, NULL)),
    hostile("zeros without end", bomb),
    hostile("values of another kind", file(sub("\"type\": \"list\"", "\"type\": \"closure\"", text)),
            file("{}"), file(text, raw()), file(gsub("\"integer\"", "\"character\"", text)))
  )
  rlang::set_names(r, paste0("R", seq_along(r)))
}
