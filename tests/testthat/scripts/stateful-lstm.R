# Long series, shown in pieces of five steps: whether a bell rang in the first piece must be known in all that follow.
# With states that are kept from batch to batch that is easy; without them it cannot be known.
library(birnn)
set_random_seed(1)

series <- 32
pieces <- 8
steps <- 5
draw <- function() {
  rang <- rbinom(series, 1, 0.5)
  x <- array(rnorm(series * pieces * steps, sd = 0.1), c(pieces, series, steps, 1))
  x[1, , 1, 1] <- 2 * rang - 1
  # Piece after piece of all series: row i of a batch continues row i of the batch before.
  list(x = array(aperm(x, c(2, 1, 3, 4)), c(series * pieces, steps, 1)), y = rep(rang, pieces))
}

build <- function(stateful) {
  inputs <- keras_input(batch_shape = c(series, steps, 1))
  outputs <- inputs |>
    layer_lstm(units = 8, stateful = stateful) |>
    layer_dense(1, activation = "sigmoid")
  model <- keras_model(inputs, outputs)
  model |> compile(optimizer_adam(1e-2), "binary_crossentropy", "accuracy")
  model
}

accuracy <- c()
for (stateful in c(TRUE, FALSE)) {
  model <- build(stateful)
  lstm <- get_layer(model, index = 2)
  for (epoch in 1:60) {
    data <- draw()
    if (stateful) reset_state(lstm)
    model |> fit(data$x, data$y, batch_size = series, epochs = 1, shuffle = FALSE, verbose = 0)
  }
  data <- draw()
  if (stateful) reset_state(lstm)
  later <- seq_along(data$y) > series
  probability <- model |> predict(data$x, batch_size = series, verbose = 0)
  accuracy[if (stateful) "stateful" else "reset"] <- mean((probability > 0.5)[later] == data$y[later])
}
print(accuracy)
