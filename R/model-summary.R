# Summaries of models as tables of text, laid out as Keras (with rich) does (level 6).

#' Summary of a model
#'
#' A table of the layers with their output shapes and numbers of parameters, and the totals. Models that are not a
#' chain also show what each layer is connected to. Without UTF-8 the table is drawn in plain characters.
#'
#' @param object,x A model.
#' @param ... Arguments of `format()`.
#' @param line_length The width of the table in characters.
#' @param positions Where the columns end, as increasing fractions of `line_length`.
#' @param expand_nested Whether to list the layers of models inside the model.
#' @param show_trainable Whether to show a column with `Y` or `N` for trainable layers; `NA` shows it if some weights
#'   are not trainable.
#' @param layer_range Two names (or regular expressions): the first and the last layer to show.
#' @param compact Whether to leave out the empty line at the end.
#' @return `summary()`: the lines, invisibly; `print()`: `x`, invisibly; `format()`: the lines.
#' @family model functions
#' @export
#' @examples
#' keras_model_sequential(input_shape = c(NA, 3)) |>
#'   layer_bidirectional(layer_lstm(units = 4)) |>
#'   layer_dense(1) |>
#'   summary()
summary.birnn_model <- function(object, ...) {
  lines <- format(object, ...)
  writeLines(lines)
  invisible(lines)
}

#' @rdname summary.birnn_model
#' @export
print.birnn_model <- function(x, ...) {
  writeLines(format(x, ...))
  invisible(x)
}

#' @rdname summary.birnn_model
#' @export
format.birnn_model <- function(x, line_length = min(getOption("width"), 180L), positions = NULL, expand_nested = FALSE,
                               show_trainable = NA, ..., layer_range = NULL, compact = TRUE) {
  model <- layer_object(x)
  connected <- inherits(model, "Functional") && !is_chain(model$graph)
  show_trainable <- resolve_show_trainable(model, show_trainable)
  columns <- summary_columns(connected, show_trainable)
  layers <- layers_in_range(model$sublayers(), layer_range)
  rows <- lapply(layers, layer_rows, model = model, expand_nested = expand_nested, depth = 0L)
  widths <- column_widths(max(as.integer(line_length), 40L), positions %||% columns$positions)
  cells <- lapply(unlist(rows, recursive = FALSE), function(row) row[columns$fields])
  c(
    paste0("Model: \"", model$name, "\""),
    draw_table(columns$header, cells, widths, columns$align),
    parameter_lines(model),
    if (!compact) ""
  )
}

#' @export
str.birnn_model <- function(object, ...) {
  cat(" <", layer_class_name(object), " name=", object$name, ", layers=", length(object$layers), ", built=",
      object$built, ">\n", sep = "")
}

resolve_show_trainable <- function(model, show_trainable) {
  if (is.na(show_trainable)) return(model$built && length(layer_variables(model, trainable = FALSE)) > 0)
  check_flag(show_trainable)
}

summary_columns <- function(connected, show_trainable) {
  positions <- if (connected) c(0.3, 0.56, 0.74, 1) else c(0.45, 0.8, 1)
  list(
    fields = c("layer", "shape", "params", if (connected) "connections", if (show_trainable) "trainable"),
    header = c("Layer (type)", "Output Shape", "Param #", if (connected) "Connected to",
               if (show_trainable) "Trainable"),
    align = c("left", "left", "right", if (connected) "left", if (show_trainable) "centre"),
    positions = if (show_trainable) c(positions * 0.9, 1) else positions
  )
}

# --- rows ---------------------------------------------------------------------------------------------------------

# One call of one layer after the other: then nothing needs to say what it is connected to.
is_chain <- function(graph) {
  depths <- vapply(graph$nodes, `[[`, 1, "depth")
  inputs <- vapply(graph$nodes, function(node) length(node$parents), integer(1))
  layers <- vapply(graph$nodes, function(node) rlang::obj_address(layer_object(node$layer)), "")
  !anyDuplicated(depths) && !anyDuplicated(layers) && all(inputs <= 1)
}

layers_in_range <- function(layers, layer_range, call = rlang::caller_env()) {
  if (is.null(layer_range)) return(layers)
  if (!is.character(layer_range) || length(layer_range) != 2) {
    stop_not("two names of layers", layer_range, "layer_range", call)
  }
  names <- vapply(layers, function(layer) layer$name, "")
  first <- grep(paste0("^", layer_range[[1]]), names)
  last <- grep(paste0("^", layer_range[[2]]), names)
  if (length(first) == 0 || length(last) == 0) {
    birnn_abort("{.arg layer_range} must name two layers of the model, not {.val {layer_range}}.", call = call)
  }
  layers[seq.int(min(first, last), max(first, last))]
}

# The row of a layer, and those of the layers of a model inside.
layer_rows <- function(layer, model, expand_nested, depth) {
  self <- layer_object(layer)
  prefix <- if (depth > 0L) paste0(strrep("   ", depth), if (cli::is_utf8_output()) "\u2514 " else "+ ") else ""
  row <- c(
    layer = paste0(prefix, self$name, " (", summary_class(self), ")"),
    shape = summary_shape(self),
    params = if (self$built) format_count(count_params(layer)) else "0 (unbuilt)",
    connections = summary_connections(self, model),
    trainable = if (length(layer_variables(self)) == 0L) "-" else if (self$trainable) "Y" else "N"
  )
  nested <- if (expand_nested && inherits(self, "Model")) {
    rows <- lapply(self$sublayers(), layer_rows, model = self, expand_nested = TRUE, depth = depth + 1L)
    unlist(rows, recursive = FALSE)
  }
  c(list(row), nested)
}

# Ops that stand alone in a model are shown under their own name.
summary_class <- function(self) {
  if (inherits(self, "OpLayer")) self$keras$class_name %||% gsub("(^|_)([a-z])", "\\U\\2", self$op, perl = TRUE) else layer_class_name(self)
}

format_count <- function(count) format(count, big.mark = ",", scientific = FALSE, trim = TRUE)

# The output shape of the latest call, in Keras' spelling: (None, 4), or [(None, 5, 2), (None, 2)].
summary_shape <- function(self) {
  nodes <- self$inbound_nodes
  if (length(nodes) == 0L) return("?")
  shape_words(nodes[[length(nodes)]]$output_structure)
}

shape_words <- function(outputs) {
  shapes <- map_structure(outputs, function(x) {
    paste0("(", paste(ifelse(is.na(tensor_shape(x)), "None", tensor_shape(x)), collapse = ", "), ")")
  })
  words <- unlist(shapes)
  if (length(words) == 1L) words[[1L]] else paste0("[", paste(words, collapse = ", "), "]")
}

# Where the inputs of a layer come from, as name[node][tensor], counted from 0 as in Keras.
summary_connections <- function(self, model) {
  if (!inherits(model, "Functional")) return("-")
  own <- Filter(function(node) identical(layer_object(node$layer), self), model$graph$nodes)
  own <- own[order(vapply(own, `[[`, 1L, "index"))]
  words <- unlist(lapply(own, function(node) {
    vapply(node$parents, function(tensor) {
      history <- tensor[["history"]]
      sprintf("%s[%d][%d]", history$layer$name, history$node - 1L, history$tensor - 1L)
    }, character(1))
  }))
  if (length(words)) paste(words, collapse = ", ") else "-"
}

# --- totals -------------------------------------------------------------------------------------------------------

parameter_lines <- function(model) {
  trainable <- layer_variables(model, trainable = TRUE)
  frozen <- layer_variables(model, trainable = FALSE)
  optimizer <- model$setup$optimizer
  slots <- if (isTRUE(optimizer$built)) optimizer$variables
  c(
    parameter_line("Total params", c(trainable, frozen, slots)),
    parameter_line("Trainable params", trainable),
    parameter_line("Non-trainable params", frozen),
    if (length(slots)) parameter_line("Optimizer params", slots)
  )
}

parameter_line <- function(label, variables) {
  counts <- vapply(variables, function(v) prod(variable_field(v, "shape")), 1)
  widths <- vapply(variables, function(v) {
    c(float32 = 4, float64 = 8, int32 = 4, bool = 1)[[variable_field(v, "dtype")]]
  }, 1)
  paste0(" ", label, ": ", format_count(sum(counts)), " (", format_bytes(sum(counts * widths)), ")")
}

format_bytes <- function(bytes) {
  units <- c("B", "KB", "MB", "GB", "TB", "PB")
  power <- 0
  while (bytes >= 1024 && power < length(units) - 1) {
    bytes <- bytes / 1024
    power <- power + 1
  }
  sprintf("%.2f %s", bytes, units[[power + 1]])
}

# --- drawing ------------------------------------------------------------------------------------------------------

# Widths of the columns, padding included. rich first takes each column as wide as asked plus its padding of 2, then
# takes what is too much away again in near equal parts.
column_widths <- function(line_length, positions) {
  wanted <- diff(c(0, floor(positions * line_length + 1e-9))) + 2
  excess <- sum(wanted) + length(wanted) + 1 - line_length
  for (k in seq_along(wanted)) {
    part <- round(excess / (length(wanted) - k + 1))
    wanted[[k]] <- max(wanted[[k]] - part, 3)
    excess <- excess - part
  }
  as.integer(wanted)
}

table_lines <- function(utf8) {
  if (!utf8) {
    rule <- c("+", "-", "+", "+")
    return(list(top = rule, bar = "|", below = c("+", "=", "+", "+"), side = "|", between = rule, bottom = rule))
  }
  list(
    top = c("\u250f", "\u2501", "\u2533", "\u2513"), bar = "\u2503", below = c("\u2521", "\u2501", "\u2547", "\u2529"),
    side = "\u2502", between = c("\u251c", "\u2500", "\u253c", "\u2524"),
    bottom = c("\u2514", "\u2500", "\u2534", "\u2518")
  )
}

draw_table <- function(header, rows, widths, align) {
  style <- table_lines(cli::is_utf8_output())
  rule <- function(signs) {
    paste0(signs[[1]], paste(strrep(signs[[2]], widths), collapse = signs[[3]]), signs[[4]])
  }
  body <- lapply(rows, function(row) c(rule(style$between), draw_row(row, widths, align, style$side)))
  c(
    rule(style$top), draw_row(header, widths, align, style$bar), rule(style$below),
    unlist(body)[-1], rule(style$bottom)
  )
}

draw_row <- function(cells, widths, align, side) {
  wrapped <- Map(wrap_cell, cells, widths - 2L)
  height <- max(lengths(wrapped))
  padded <- Map(function(lines, width, align) {
    lines <- c(lines, rep("", height - length(lines)))
    paste0(" ", formatC_width(lines, width, align), " ")
  }, wrapped, widths - 2L, align)
  paste0(side, do.call(paste, c(unname(padded), sep = side)), side)
}

formatC_width <- function(lines, width, align) {
  free <- pmax(width - nchar(lines, "width"), 0)
  left <- switch(align, left = 0, right = free, centre = free %/% 2)
  paste0(strrep(" ", left), lines, strrep(" ", free - left))
}

# Breaks text at spaces; of words longer than a line the end is left out.
wrap_cell <- function(text, width) {
  lines <- ""
  for (word in regmatches(text, gregexpr("\\s*\\S+", text))[[1]]) {
    last <- lines[[length(lines)]]
    if (nchar(last) + nchar(word) <= width) {
      lines[[length(lines)]] <- paste0(last, word)
      next
    }
    word <- sub("^\\s+", "", word)
    if (nchar(word) > width) word <- paste0(substr(word, 1L, width - 1L), if (cli::is_utf8_output()) "\u2026" else "~")
    lines <- c(lines[nzchar(lines)], word)
  }
  lines
}
