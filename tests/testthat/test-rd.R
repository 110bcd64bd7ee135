# The help pages: layer_bidirectional() has every section that a user is promised, all pages have examples and values.

# Titles of a page's sections, with their text.
rd_sections <- function(rd) {
  tags <- sub("^\\\\", "", vapply(rd, function(part) attr(part, "Rd_tag"), character(1)))
  own <- tags == "section"
  names <- tags
  names[own] <- vapply(rd[own], function(part) rd_text(part[[1]]), character(1))
  text <- vapply(seq_along(rd), function(k) rd_text(if (own[[k]]) rd[[k]][[2]] else rd[[k]]), character(1))
  split(text, names)
}

rd_text <- function(x) trimws(gsub("[[:space:]]+", " ", paste(unlist(x), collapse = "")))

rd_page <- function(topic) {
  pages <- tools::Rd_db("birnn")
  has_topic <- vapply(pages, function(rd) {
    tags <- vapply(rd, function(part) attr(part, "Rd_tag"), character(1))
    topic %in% vapply(rd[tags == "\\alias"], rd_text, character(1))
  }, logical(1))
  expect_equal(sum(has_topic), 1, info = topic)
  pages[has_topic][[1]]
}

test_that("the page of layer_bidirectional() has its sections", {
  sections <- rd_sections(rd_page("layer_bidirectional"))
  for (name in c("title", "description", "usage", "arguments", "value", "examples", "seealso")) {
    expect_true(nzchar(paste(sections[[name]], collapse = "")), info = name)
  }
  for (title in c("[Cc]riteria|[Ww]hich layers", "Call [Aa]rguments", "States")) {
    expect_true(any(grepl(title, names(sections))), info = title)
  }
  expect_true(any(grepl("^(N|n)ote$", names(sections))))
})

test_that("the page of layer_bidirectional() says what it must", {
  rd <- rd_page("layer_bidirectional")
  sections <- rd_sections(rd)
  for (argument in c("object", "layer", "merge_mode", "weights", "backward_layer", "...")) {
    expect_match(paste(sections$arguments, collapse = " "), argument, fixed = TRUE)
  }
  # The three cases of `object`: missing, a sequential model, a tensor.
  for (word in c("NULL", "[Ss]equential", "tensor")) expect_match(paste(sections$value, collapse = " "), word)
  everything <- unlist(sections)
  for (word in c("initial_state", "mask", "training", "go_backwards", "return_sequences", "return_state", "input_spec",
                 "get_config", "reset_state", "fresh")) {
    expect_true(any(grepl(word, everything, fixed = TRUE)), info = word)
  }
  examples <- paste(sections$examples, collapse = " ")
  for (word in c("backward_layer", "relu", "compile", "fit", "layer_lstm(units = 10, return_sequences = TRUE)")) {
    expect_match(examples, word, fixed = TRUE)
  }
})

test_that("the page of layer_bidirectional() points to the layers, cells and functions that exist", {
  seealso <- paste(rd_sections(rd_page("layer_bidirectional"))$seealso, collapse = " ")
  related <- c(
    "layer_simple_rnn", "layer_lstm", "layer_gru", "layer_rnn", "layer_time_distributed", "layer_conv_lstm_1d",
    "layer_conv_lstm_2d", "layer_conv_lstm_3d", "rnn_cell_simple", "rnn_cell_lstm", "rnn_cell_gru", "rnn_cells_stack",
    "reset_state"
  )
  existing <- intersect(related, getNamespaceExports("birnn"))
  expect_true(all(c("layer_simple_rnn", "layer_lstm", "layer_gru") %in% existing))
  for (name in existing) expect_match(seealso, name, fixed = TRUE)
})

test_that("the pages of the recurrent family have the sections of layer_bidirectional()'s", {
  pages <- c("layer_simple_rnn", "layer_lstm", "layer_gru", "layer_rnn", "layer_bidirectional",
             "layer_time_distributed", "layer_conv_lstm_2d")
  layers <- c(pages, "layer_conv_lstm_1d", "layer_conv_lstm_3d")
  family <- c(layers, "rnn_cell_simple", "rnn_cell_lstm", "rnn_cell_gru", "rnn_cells_stack", "Layer", "reset_state")
  for (topic in family) {
    sections <- rd_sections(rd_page(topic))
    own <- if (topic %in% layers) c("Call arguments", "States")
    for (name in c("title", "description", "usage", "arguments", "value", "examples", "seealso", own)) {
      expect_true(nzchar(paste(sections[[name]], collapse = "")), info = paste(topic, name))
    }
    others <- if (topic %in% layers) setdiff(c(pages, "reset_state"), topic) else "layer_bidirectional"
    linked <- paste(c(sections$seealso, sections[["States"]]), collapse = " ")
    own_page <- rd_sections(rd_page(topic))$usage
    for (other in others) {
      expect_true(grepl(other, linked, fixed = TRUE) || grepl(other, paste(own_page, collapse = " "), fixed = TRUE),
                  info = paste(topic, "links to", other))
    }
  }
})

test_that("every exported function has a page with a title, a value and examples", {
  pages <- tools::Rd_db("birnn")
  aliases <- lapply(pages, function(rd) {
    tags <- vapply(rd, function(part) attr(part, "Rd_tag"), character(1))
    vapply(rd[tags == "\\alias"], rd_text, character(1))
  })
  expect_identical(setdiff(getNamespaceExports("birnn"), unlist(aliases)), character())
  own <- Filter(function(name) identical(environment(getExportedValue("birnn", name)), asNamespace("birnn")),
                getNamespaceExports("birnn"))
  for (name in names(pages)) {
    if (!any(own %in% aliases[[name]])) next
    sections <- names(rd_sections(pages[[name]]))
    for (section in c("title", "value", "examples")) expect_true(section %in% sections, info = paste(name, section))
  }
})
