# Sums as text: "47+5" goes through an encoder, "52" comes out of a decoder that starts with the encoder's states.
library(birnn)
set_random_seed(1)

alphabet <- c(0:9, "+", " ", "<", ">")
one_hot <- function(texts, length) {
  codes <- t(sapply(strsplit(formatC(texts, width = -length), ""), match, alphabet)) - 1L
  to_categorical(codes, num_classes = length(alphabet))
}
question_length <- 5
answer_length <- 4

pairs <- as.matrix(expand.grid(0:99, 0:99))
pairs <- pairs[sample(nrow(pairs)), ]
reversed <- function(x) vapply(strsplit(x, ""), \(x) paste(rev(x), collapse = ""), "")
questions <- reversed(formatC(paste0(pairs[, 1], "+", pairs[, 2]), width = question_length))
answers <- as.character(rowSums(pairs))

encoder_data <- one_hot(questions, question_length)
decoder_data <- one_hot(paste0("<", answers), answer_length)
target_data <- one_hot(paste0(answers, ">"), answer_length)
training <- 1:8000
held_out <- 8001:10000

# Training: the decoder sees the right answer so far.
encoder_inputs <- keras_input(shape = shape(NULL, length(alphabet)), name = "question")
c(encoder_output, state_h, state_c) %<-%
  layer_lstm(encoder_inputs, units = 128, return_state = TRUE, name = "encoder")
decoder_inputs <- keras_input(shape = shape(NULL, length(alphabet)), name = "answer_so_far")
decoder_lstm <- layer_lstm(units = 128, return_sequences = TRUE, return_state = TRUE, name = "decoder")
c(decoder_hidden, ., .) %<-% decoder_lstm(decoder_inputs, initial_state = list(state_h, state_c))
decoder_dense <- layer_dense(units = length(alphabet), activation = "softmax")
decoder_outputs <- decoder_dense(decoder_hidden)

model <- keras_model(list(encoder_inputs, decoder_inputs), decoder_outputs)
summary(model)
model |> compile(optimizer_adam(3e-3), loss = "categorical_crossentropy", metrics = "accuracy")
model |> fit(
  list(encoder_data[training, , ], decoder_data[training, , ]), target_data[training, , ],
  batch_size = 128, epochs = 30, verbose = 0,
  callbacks = callback_learning_rate_scheduler(\(epoch, lr) if (epoch < 20) lr else lr * 0.8)
)

# Use: the encoder alone, and the decoder one character at a time.
encoder_model <- keras_model(encoder_inputs, list(state_h, state_c))
input_h <- keras_input(shape = shape(128))
input_c <- keras_input(shape = shape(128))
c(hidden, new_h, new_c) %<-% decoder_lstm(decoder_inputs, initial_state = list(input_h, input_c))
decoder_model <- keras_model(list(decoder_inputs, input_h, input_c), list(decoder_dense(hidden), new_h, new_c))

decode <- function(data) {
  states <- predict(encoder_model, data, verbose = 0)
  current <- rep(match("<", alphabet), nrow(data))
  text <- rep("", nrow(data))
  for (k in seq_len(answer_length)) {
    letter <- array(to_categorical(current - 1L, length(alphabet)), c(nrow(data), 1, length(alphabet)))
    c(probabilities, h, c) %<-% predict(decoder_model, c(list(letter), states), verbose = 0)
    states <- list(h, c)
    current <- max.col(probabilities[, 1, ], "first")
    text <- paste0(text, alphabet[current])
  }
  sub(">.*", "", text)
}

exact <- mean(decode(encoder_data[held_out, , ]) == answers[held_out])
cat("Exact sums:", format(exact), "\n")
