# Who is speaking? The recipe that `./run demo` shows and the slow tests repeat over five seeds.

padding_value <- -99

# Recordings of different lengths as one array (recording, time, coefficient).
pad_recordings <- function(x) {
  pad_sequences(x, maxlen = 29, padding = "post", dtype = "float32", value = padding_value)
}

speaker_model <- function() {
  model <- keras_model_sequential(input_shape = c(NA, 12)) |>
    layer_masking(mask_value = padding_value) |>
    layer_bidirectional(layer_lstm(units = 64)) |>
    layer_dropout(0.3) |>
    layer_dense(9, activation = "softmax")
  model |> compile(optimizer = optimizer_adam(1e-3), loss = "sparse_categorical_crossentropy", metrics = "accuracy")
  model
}

# list(model, history, accuracy, loss, predicted (factor), probabilities, seconds).
recognize_speakers <- function(train, test, seed, epochs = 60, verbose = 0) {
  set.seed(seed)
  x_test <- pad_recordings(test$x)
  model <- speaker_model()
  training <- system.time(
    history <- model |> fit(pad_recordings(train$x), train$y, epochs = epochs, batch_size = 16, verbose = verbose)
  )
  prediction <- system.time(probabilities <- model |> predict(x_test, verbose = 0))
  score <- model |> evaluate(x_test, test$y, verbose = 0)
  list(
    model = model, history = history, accuracy = score$accuracy, loss = score$loss,
    predicted = class_labels(probabilities, levels(train$y)), probabilities = probabilities,
    seconds = c(training = training[["elapsed"]], prediction = prediction[["elapsed"]])
  )
}
