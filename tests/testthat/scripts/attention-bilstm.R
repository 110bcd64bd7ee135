# Attention over a bidirectional LSTM: the weights must show where the deciding step was.
library(birnn)
set_random_seed(1)

steps <- 30
draw <- function(n) {
  x <- array(rnorm(n * steps * 4, sd = 0.5), c(n, steps, 4))
  at <- sample(steps, n, replace = TRUE)
  label <- sample(0:1, n, replace = TRUE)
  x[cbind(seq_len(n), at, 1)] <- 3
  x[cbind(seq_len(n), at, 2)] <- 4 * label - 2
  list(x = x, y = label, at = at)
}
training <- draw(1000)
held_out <- draw(300)

inputs <- keras_input(shape = c(steps, 4))
states <- inputs |> layer_bidirectional(layer_lstm(units = 8, return_sequences = TRUE))
scores <- states |> layer_dense(8, activation = "tanh") |> layer_dense(1, use_bias = FALSE)
weights <- scores |> layer_flatten() |> layer_activation_softmax(name = "weights")
context <- layer_dot(weights, states, axes = c(2, 2))
outputs <- context |> layer_dense(1, activation = "sigmoid")
model <- keras_model(inputs, outputs)
model |> compile(optimizer_adam(1e-2), "binary_crossentropy", metrics = "accuracy")
model |> fit(training$x, training$y, epochs = 12, verbose = 0)
accuracy <- evaluate(model, held_out$x, held_out$y, verbose = 0)$accuracy

# Where it looks, from a model that shares the layers.
looking <- keras_model(model$input, get_layer(model, "weights")$output)
found <- max.col(predict(looking, held_out$x, verbose = 0))
near <- mean(abs(found - held_out$at) <= 1)

# The same with the layer for it: the last state asks, all states answer.
query <- states |> layer_lambda(\(x) x@r[, NA:NA, ]) |> layer_dense(16)
answer <- layer_attention(list(query, states)) |> layer_global_average_pooling_1d()
second <- keras_model(inputs, answer |> layer_dense(1, activation = "sigmoid"))
second |> compile(optimizer_adam(1e-2), "binary_crossentropy", metrics = "accuracy")
second |> fit(training$x, training$y, epochs = 4, verbose = 0)
second_accuracy <- evaluate(second, held_out$x, held_out$y, verbose = 0)[["accuracy"]]
