# A recurrent network of recurrent networks: one LSTM reads the pixels of each row, another the rows of the picture.
library(birnn)
set_random_seed(1)

digits <- with(new.env(), {
  source(system.file("recipes", "drawn-digits.R", package = "birnn"), local = TRUE)
  draw_digits(1400, size = 28)
})
# Every second row and column.
x <- array_reshape(digits$x[, seq(1, 27, 2), seq(1, 27, 2)], c(1400, 14, 14, 1))
y <- to_categorical(digits$y, 10)

inputs <- keras_input(shape = c(14, 14, 1))
encoded_rows <- inputs |> time_distributed(layer_lstm(units = 32))
outputs <- encoded_rows |>
  layer_lstm(units = 32) |>
  layer_dense(units = 10, activation = "softmax")
model <- keras_model(inputs, outputs)
model |> compile(loss = "categorical_crossentropy", optimizer = optimizer_adam(5e-3), metrics = c("accuracy"))
model |> fit(
  x[1:1100, , , , drop = FALSE], y[1:1100, ],
  batch_size = 32, epochs = 20, verbose = 0
)
scores <- model |> evaluate(x[1101:1400, , , , drop = FALSE], y[1101:1400, ], verbose = 0)
accuracy <- scores[["accuracy"]]
