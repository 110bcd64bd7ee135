# A character language model: which letter comes next? Loss in bits per character.
library(birnn)
set_random_seed(1)

text <- strsplit(readChar("/usr/share/common-licenses/GPL-3", 35149, useBytes = TRUE), "")[[1]]
characters <- sort(unique(text))
codes <- match(text, characters) - 1L
window <- 64L
split <- floor(0.9 * length(codes))
training <- codes[seq_len(split)]
validation <- codes[-seq_len(split)]

windows_at <- function(codes, starts) {
  at <- outer(starts, seq_len(window) - 1L, `+`)
  list(array(codes[at], dim(at)), array(codes[at + 1L], dim(at)))
}
held_out <- windows_at(validation, seq(1L, length(validation) - window, by = window))

model <- keras_model_sequential(input_shape = c(window), input_dtype = "int32") |>
  layer_embedding(length(characters), 64) |>
  layer_gru(128, return_sequences = TRUE) |>
  layer_dense(length(characters), activation = "softmax")
model |> compile(
  optimizer = optimizer_adam(2e-3, clipnorm = 1),
  loss = "sparse_categorical_crossentropy"
)

history <- model |> fit(
  \() windows_at(training, sample(split - window, 32, replace = TRUE)),
  steps_per_epoch = 250, epochs = 2, validation_data = held_out, verbose = 2
)
bits <- history$metrics$val_loss / log(2)
training_bits <- history$metrics$loss / log(2)
