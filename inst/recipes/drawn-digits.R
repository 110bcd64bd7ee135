# Pictures of the digits 0 to 9, drawn by a shaky hand: 28 x 28 pixels from 0 to 1, as small real data for examples and
# tests that would otherwise need a download.

# The strokes of a digit: lines through points (x, y) of a unit square whose origin is the upper left corner.
digit_strokes <- function(digit) {
  circle <- function(x, y, rx, ry, from = 0, to = 2 * pi) {
    angle <- seq(from, to, length.out = 13)
    cbind(x + rx * cos(angle), y + ry * sin(angle))
  }
  points <- function(...) matrix(c(...), ncol = 2, byrow = TRUE)
  switch(digit + 1L,
    list(circle(.5, .5, .3, .45)),
    list(points(.3, .25, .55, .05, .55, .95)),
    list(rbind(circle(.5, .3, .3, .25, -pi, 0.3), points(.2, .95, .85, .95))),
    list(circle(.45, .28, .3, .23, -2.6, 1.6), circle(.45, .72, .33, .23, -1.6, 2.6)),
    list(points(.6, .05, .15, .65, .9, .65), points(.65, .35, .65, .95)),
    list(rbind(points(.8, .05, .3, .05, .25, .45), circle(.45, .68, .35, .27, -1.7, 2.5))),
    list(rbind(points(.7, .05, .3, .45), circle(.5, .7, .28, .25, -2.6, 3.7))),
    list(points(.15, .05, .85, .05, .4, .95)),
    list(circle(.5, .27, .25, .22), circle(.5, .72, .3, .23)),
    list(rbind(circle(.5, .3, .28, .25, 0, 2 * pi), points(.78, .3, .6, .95)))
  )
}

# Distance of every pixel to the nearest point of a stroke.
stroke_distance <- function(stroke, pixels) {
  nearest <- rep(Inf, nrow(pixels))
  for (k in seq_len(nrow(stroke) - 1L)) {
    from <- stroke[k, ]
    along <- stroke[k + 1L, ] - from
    offset <- sweep(pixels, 2, from)
    at <- pmin(1, pmax(0, drop(offset %*% along) / sum(along^2)))
    nearest <- pmin(nearest, rowSums((offset - at %o% along)^2))
  }
  sqrt(nearest)
}

# One picture: the strokes are turned, slanted, stretched, moved and shaken, then drawn with a soft pen.
draw_digit <- function(digit, size = 28L) {
  angle <- stats::rnorm(1, sd = 0.1)
  slant <- matrix(c(1, 0, stats::rnorm(1, sd = 0.15), 1), 2)
  turn <- matrix(c(cos(angle), sin(angle), -sin(angle), cos(angle)), 2) %*% slant
  scale <- size * stats::runif(2, 0.5, 0.7)
  centre <- size / 2 + stats::runif(2, -2, 2)
  pixels <- as.matrix(expand.grid(x = seq_len(size) - 0.5, y = seq_len(size) - 0.5))
  distances <- lapply(digit_strokes(digit), function(stroke) {
    stroke <- stroke + stats::rnorm(length(stroke), sd = 0.015)
    stroke_distance(sweep(sweep((stroke - 0.5) %*% t(turn), 2, scale, "*"), 2, centre, "+"), pixels)
  })
  ink <- pmin(1, pmax(0, stats::runif(1, 1.3, 2) - do.call(pmin, distances)))
  matrix(ink, size, size, byrow = TRUE)
}

# list(x = array (picture, row, column), y = the digits, integers from 0 to 9).
draw_digits <- function(n, size = 28L) {
  y <- sample(0:9, n, replace = TRUE)
  pictures <- vapply(y, draw_digit, matrix(0, size, size), size = size)
  list(x = aperm(pictures, c(3, 1, 2)), y = y)
}
