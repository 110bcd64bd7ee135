# Convolutions find short shapes, a bidirectional GRU their order: which of four tunes hides in a noisy recording?
library(birnn)
set_random_seed(1)

steps <- 96
draw <- function(n) {
  label <- sample(0:3, n, replace = TRUE)
  x <- matrix(rnorm(n * steps, sd = 0.3), n)
  up <- sin(seq(0, 2 * pi, length.out = 12))
  for (i in seq_len(n)) {
    signs <- list(c(1, 1), c(1, -1), c(-1, 1), c(-1, -1))[[label[i] + 1]]
    starts <- c(sample(36, 1), 48 + sample(36, 1))
    for (k in 1:2) x[i, starts[k] + 0:11] <- x[i, starts[k] + 0:11] + signs[k] * up
  }
  list(x = array_reshape(x, c(n, steps, 1)), y = label)
}
training <- draw(1000)
held_out <- draw(400)

model <- keras_model_sequential(input_shape = c(steps, 1)) |>
  layer_conv_1d(filters = 16, kernel_size = 9, padding = "same", activation = "relu") |>
  layer_batch_normalization() |>
  layer_max_pooling_1d(pool_size = 4) |>
  layer_spatial_dropout_1d(0.1) |>
  layer_conv_1d(32, 5, padding = "causal", activation = "relu") |>
  layer_max_pooling_1d(2) |>
  layer_bidirectional(layer_gru(units = 16, dropout = 0.1)) |>
  layer_dense(4, activation = "softmax")
model
model |> compile("adam", "sparse_categorical_crossentropy", metrics = "accuracy")
model |> fit(training$x, training$y, epochs = 20, batch_size = 32, verbose = 0,
             validation_data = list(held_out$x, held_out$y))
accuracy <- evaluate(model, held_out$x, held_out$y, verbose = 0)$accuracy
