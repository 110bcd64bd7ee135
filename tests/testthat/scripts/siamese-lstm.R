# Do two requests ask for the same thing? One LSTM, used twice, reads both.
library(birnn)
set_random_seed(1)

verbs <- list(c("play", "start", "put on"), c("stop", "end", "turn off"), c("buy", "order", "get me"))
things <- list(
  c("music", "a song", "some tunes"), c("the heating", "the radiator"), c("groceries", "food for the week")
)
wish <- function(verb, thing) {
  paste(sample(c("please", "could you", "hello,", "now"), 1), sample(verbs[[verb]], 1), sample(things[[thing]], 1))
}
draw_pairs <- function(n) {
  meaning <- cbind(sample(3, n, TRUE), sample(3, n, TRUE))
  same <- rbinom(n, 1, 0.5)
  other <- cbind(sample(3, n, TRUE), sample(3, n, TRUE))
  other[same == 1, ] <- meaning[same == 1, ]
  list(
    first = mapply(wish, meaning[, 1], meaning[, 2]), second = mapply(wish, other[, 1], other[, 2]),
    same = as.numeric(rowSums(meaning == other) == 2)
  )
}
training <- draw_pairs(2000)
held_out <- draw_pairs(400)

vectorizer <- layer_text_vectorization(output_sequence_length = 8)
vectorizer |> adapt(c(training$first, training$second))
num_words <- length(get_vocabulary(vectorizer))

input_1 <- keras_input(shape = shape(8), dtype = "int32")
input_2 <- keras_input(shape = shape(8), dtype = "int32")
word_embedding <- layer_embedding(input_dim = num_words, output_dim = 16, mask_zero = TRUE)
seq_embedding <- layer_lstm(units = 16)
vector_1 <- input_1 |> word_embedding() |> seq_embedding()
vector_2 <- input_2 |> word_embedding() |> seq_embedding()
distance <- layer_lambda(list(vector_1, vector_2), \(x) op_abs(x[[1]] - x[[2]]))
out <- distance |> layer_dense(units = 1, activation = "sigmoid")
model <- keras_model(list(input_1, input_2), out)
model |> compile(
  optimizer = optimizer_adam(learning_rate = 5e-3), loss = "binary_crossentropy",
  metrics = list(acc = metric_binary_accuracy)
)
model |> fit(
  list(vectorizer(training$first), vectorizer(training$second)), training$same,
  batch_size = 32, epochs = 12, verbose = 0,
  callbacks = list(
    callback_early_stopping(monitor = "val_loss", patience = 4, restore_best_weights = TRUE),
    callback_reduce_lr_on_plateau(monitor = "val_loss", patience = 2)
  ),
  validation_split = 0.1
)
probability <- predict(model, list(vectorizer(held_out$first), vectorizer(held_out$second)), verbose = 0)
accuracy <- mean((probability > 0.5) == held_out$same)
