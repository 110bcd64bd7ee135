# Complaint or praise? Sentences become word numbers, then a bidirectional LSTM reads them.
library(birnn)
set_random_seed(1)

things <- c("kettle", "lamp", "blender", "radio", "chair", "backpack", "tent", "bicycle", "keyboard", "jacket")
good <- c("wonderful", "reliable", "sturdy", "excellent", "delightful", "quiet")
bad <- c("broken", "noisy", "dreadful", "flimsy", "useless", "leaking")
pick <- function(words, n) sample(words, n, replace = TRUE)

# "not" turns a sentence round, so counting words is not enough.
write_reviews <- function(n) {
  praised <- rbinom(n, 1, 0.5)
  negated <- rbinom(n, 1, 0.4)
  word <- ifelse(xor(praised, negated), pick(good, n), pick(bad, n))
  text <- paste0(
    pick(c("The ", "This ", "My new ", "Our "), n), pick(things, n), " is ", ifelse(negated, "not ", ""),
    pick(c("", "really ", "so "), n), word, pick(c(".", "!", ", I think.", " after a week of use."), n)
  )
  list(text = text, label = praised)
}
training <- write_reviews(2000)
held_out <- write_reviews(500)

vectorize <- layer_text_vectorization(max_tokens = 100, output_sequence_length = 16)
adapt(vectorize, training$text)
get_vocabulary(vectorize)[1:8]

model <- keras_model_sequential() |>
  layer_embedding(input_dim = 100, output_dim = 16, mask_zero = TRUE) |>
  bidirectional(layer_lstm(units = 16)) |>
  layer_dropout(0.2) |>
  layer_dense(1, activation = "sigmoid")
model |> compile(optimizer = optimizer_adam(5e-3), loss = "binary_crossentropy", metrics = "accuracy")
history <- model |> fit(
  vectorize(training$text), training$label,
  epochs = 5, validation_split = 0.2, verbose = 2
)
plot(history)

probability <- model |> predict(vectorize(held_out$text), verbose = 0)
accuracy <- mean((probability > 0.5) == held_out$label)
