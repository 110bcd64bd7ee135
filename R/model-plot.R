# plot(model): the graph of layers, drawn with base graphics (level 6).

#' Draw a model
#'
#' Each call of a layer is a box, with its name, class and output shape; arrows go from inputs to outputs, from top to
#' bottom.
#'
#' @param x A model that is built.
#' @param y Not used.
#' @param show_shapes Whether to write the output shapes into the boxes.
#' @param cex The size of the text.
#' @param ... Not used.
#' @return A data frame with one row a box, invisibly: `label`, `class`, `shape`, and the place `x`, `y`.
#' @family model functions
#' @export
#' @examples
#' x <- keras_input(c(NA, 3), name = "x")
#' memory <- layer_bidirectional(layer = layer_lstm(units = 4, return_sequences = TRUE))(x)
#' plot(keras_model(x, list(layer_dense(memory, 1), layer_gru(memory, 2))))
plot.birnn_model <- function(x, y, show_shapes = TRUE, cex = 0.8, ...) {
  model <- layer_object(x)
  drawing <- model_drawing(model, rlang::current_env())
  boxes <- drawing$boxes
  text <- paste0(boxes$label, "\n", boxes$class, if (check_flag(show_shapes)) paste0("\n", boxes$shape))
  saved <- graphics::par(mar = c(0.5, 0.5, 2, 0.5))
  on.exit(graphics::par(saved))
  graphics::plot.new()
  graphics::plot.window(range(boxes$x) + c(-0.6, 0.6), range(boxes$y) + c(-0.5, 0.5))
  graphics::title(model$name)
  half_width <- graphics::strwidth(text, cex = cex) / 2 + graphics::strwidth("m", cex = cex) / 2
  half_height <- graphics::strheight(text, cex = cex) / 2 + graphics::strheight("m", cex = cex) / 2
  for (k in seq_len(nrow(drawing$arrows))) {
    from <- drawing$arrows$from[[k]]
    to <- drawing$arrows$to[[k]]
    graphics::arrows(boxes$x[[from]], boxes$y[[from]] - half_height[[from]],
                     boxes$x[[to]], boxes$y[[to]] + half_height[[to]], length = 0.08, col = "grey40")
  }
  graphics::rect(boxes$x - half_width, boxes$y - half_height, boxes$x + half_width, boxes$y + half_height,
                 col = "grey95", border = "grey40")
  graphics::text(boxes$x, boxes$y, text, cex = cex)
  invisible(boxes)
}

# Boxes (one a call of a layer) with their places, and arrows between them as row numbers of boxes.
model_drawing <- function(model, call = rlang::caller_env()) {
  nodes <- drawing_nodes(model, call)
  depth <- vapply(nodes, `[[`, 1, "depth")
  keys <- vapply(nodes, `[[`, "", "key")
  selves <- lapply(nodes, function(node) layer_object(node$layer))
  boxes <- data.frame(
    label = vapply(selves, function(self) self$name, ""), class = vapply(selves, summary_class, ""),
    shape = vapply(nodes, `[[`, "", "shape"), x = places_in_rows(depth), y = depth
  )
  parents <- lapply(nodes, function(node) match(node$from, keys))
  arrows <- data.frame(from = as.integer(unlist(parents)), to = rep(seq_along(nodes), lengths(parents)))
  list(boxes = boxes, arrows = unique(arrows))
}

# Boxes of one row stand side by side, centred.
places_in_rows <- function(depth) {
  stats::ave(depth, depth, FUN = function(row) seq_along(row) - (length(row) + 1) / 2)
}

# list(key, layer, depth, shape, from = keys of the nodes that it takes its inputs from).
drawing_nodes <- function(model, call) {
  if (inherits(model, "Functional")) {
    return(unname(lapply(model$graph$nodes, function(node) {
      list(key = node$key, layer = node$layer, depth = node$depth, shape = shape_words(node$node$output_structure),
           from = vapply(node$parents, node_key, ""))
    })))
  }
  layers <- c(if (!is.null(model$input_layer)) list(model$input_layer), model$sublayers())
  if (length(layers) == 0L) abort_not_built(model, call)
  lapply(seq_along(layers), function(k) {
    list(key = as.character(k), layer = layers[[k]], depth = length(layers) - k,
         shape = summary_shape(layer_object(layers[[k]])),
         from = if (k > 1L && inherits(model, "Sequential")) as.character(k - 1L) else character())
  })
}
