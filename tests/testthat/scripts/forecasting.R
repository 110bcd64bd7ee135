# The temperature of a day later, from measurements of two days: better than "as now"?
library(birnn)
set_random_seed(1)

# Hourly weather of 250 days somewhere else: seasons of ten days, days, fronts that pass, and air pressure that tells of
# them in advance.
hours <- 24 * 250
fronts <- as.numeric(stats::filter(rnorm(hours + 24), 0.97, method = "recursive"))
temperature <- 10 + 8 * sin(2 * pi * seq_len(hours) / (24 * 40)) + 4 * sin(2 * pi * seq_len(hours) / 24) +
  fronts[seq_len(hours)] + rnorm(hours, sd = 0.3)
pressure <- 1000 - 2 * fronts[24 + seq_len(hours)] + rnorm(hours, sd = 1)
raw_data <- cbind(temperature, pressure, sin(2 * pi * seq_len(hours) / 24), cos(2 * pi * seq_len(hours) / 24))

num_train_samples <- round(0.5 * hours)
num_val_samples <- round(0.25 * hours)
center <- colMeans(raw_data[seq_len(num_train_samples), ])
spread <- apply(raw_data[seq_len(num_train_samples), ], 2, sd)
data <- scale(raw_data, center, spread)

sequence_length <- 24
delay <- 2 * sequence_length + 24 - 1
inputs_part <- head(data, -delay)
targets_part <- tail(temperature, -delay)
windows <- function(start, end) {
  timeseries_dataset_from_array(
    data = inputs_part, targets = targets_part, sampling_rate = 2, sequence_length = sequence_length,
    shuffle = start == 0, batch_size = 64, start_index = start, end_index = end
  )
}
train_dataset <- windows(0, num_train_samples)
val_dataset <- windows(num_train_samples, num_train_samples + num_val_samples)
test_dataset <- windows(num_train_samples + num_val_samples, NULL)

evaluate_naive_method <- function(dataset) {
  iterator <- as_iterator(dataset)
  total_abs_err <- samples_seen <- 0
  while (!is.null(batch <- iter_next(iterator))) {
    c(samples, targets) %<-% lapply(batch, as.array)
    last <- samples[, dim(samples)[2], 1] * spread[1] + center[1]
    total_abs_err <- total_abs_err + sum(abs(last - targets))
    samples_seen <- samples_seen + length(targets)
  }
  total_abs_err / samples_seen
}
naive <- evaluate_naive_method(test_dataset)
sprintf("Naive: %.2f", naive)

inputs <- keras_input(shape = c(sequence_length, ncol(raw_data)))
outputs <- inputs |>
  layer_lstm(16, recurrent_dropout = 0.25) |>
  layer_dropout(0.2) |>
  layer_dense(1)
model <- keras_model(inputs, outputs)
model |> compile(optimizer = optimizer_rmsprop(5e-3), loss = "mse", metrics = "mae")
history <- model |> fit(
  train_dataset, epochs = 20, validation_data = val_dataset, verbose = 0,
  callbacks = callback_early_stopping(monitor = "val_mae", patience = 8, restore_best_weights = TRUE)
)
p <- plot(history, metrics = "mae")
mae <- evaluate(model, test_dataset, verbose = 0)[["mae"]]
sprintf("Test MAE: %.2f", mae)
