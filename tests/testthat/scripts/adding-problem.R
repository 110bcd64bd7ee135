# The adding problem: of 100 numbers two are marked; the target is their sum. Only a memory that lasts finds them.
library(birnn)
set_random_seed(1)

steps <- 100
draw <- function(n) {
  x <- array(0, c(n, steps, 2))
  x[, , 1] <- runif(n * steps)
  first <- sample(steps / 2, n, replace = TRUE)
  second <- steps / 2 + sample(steps / 2, n, replace = TRUE)
  x[cbind(seq_len(n), first, 2)] <- 1
  x[cbind(seq_len(n), second, 2)] <- 1
  list(x, matrix(x[cbind(seq_len(n), first, 1)] + x[cbind(seq_len(n), second, 1)]))
}
test <- draw(2000)

model <- keras_model_sequential(input_shape = c(steps, 2)) |>
  layer_lstm(units = 64) |>
  layer_dense(units = 1)
model |> compile(optimizer = optimizer_adam(learning_rate = 2e-3, clipnorm = 1), loss = "mse")

history <- model |> fit(
  \() draw(64),
  steps_per_epoch = 500, epochs = 6, validation_data = test, verbose = 2
)
print(history)
test_mse <- history$metrics$val_loss
