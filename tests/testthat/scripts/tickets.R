# Tickets of a help desk: title and text go in, priority and department come out.
library(birnn)
set_random_seed(1)

num_words <- 40
num_departments <- 4
draw_tickets <- function(n) {
  department <- sample(num_departments, n, replace = TRUE)
  urgent <- rbinom(n, 1, 0.4)
  # Words 1 to 20 are shared, each department has four of its own, 37 and 38 are what people write when it burns.
  text <- matrix(sample(20, n * 12, replace = TRUE), n)
  text[cbind(seq_len(n), sample(12, n, replace = TRUE))] <- 17L + 4L * department + sample(0:3, n, replace = TRUE)
  title <- matrix(sample(20, n * 5, replace = TRUE), n)
  burns <- which(urgent == 1)
  title[cbind(burns, sample(5, length(burns), replace = TRUE))] <- sample(37:38, length(burns), replace = TRUE)
  list(
    x = list(title = title, body = text),
    y = list(priority = matrix(urgent), department = to_categorical(department - 1, num_departments))
  )
}
training <- draw_tickets(2000)
held_out <- draw_tickets(500)

title_input <- keras_input(shape(NULL), name = "title", dtype = "int32")
body_input <- keras_input(shape(NULL), name = "body", dtype = "int32")
title_features <- title_input |> layer_embedding(num_words, 16) |> layer_lstm(32)
body_features <- body_input |> layer_embedding(num_words, 16) |> layer_lstm(16)
x <- layer_concatenate(title_features, body_features)
priority_pred <- layer_dense(x, 1, name = "priority")
department_pred <- layer_dense(x, num_departments, name = "department")

model <- keras_model(
  inputs = list(title = title_input, body = body_input),
  outputs = list(priority = priority_pred, department = department_pred)
)
plot(model)
model |> compile(
  optimizer = optimizer_rmsprop(5e-3),
  loss = list(
    priority = loss_binary_crossentropy(from_logits = TRUE),
    department = loss_categorical_crossentropy(from_logits = TRUE)
  ),
  loss_weights = list(priority = 1, department = 0.5),
  metrics = list(priority = metric_binary_accuracy(threshold = 0), department = "accuracy")
)
model |> fit(
  list(title = training$x$title, body = training$x$body), training$y,
  epochs = 15, batch_size = 32, verbose = 0
)

score <- model |> evaluate(held_out$x, held_out$y, verbose = 0)
str(score)
predicted <- predict(model, held_out$x, verbose = 0)
accuracy <- c(
  priority = mean((predicted$priority > 0) == held_out$y$priority),
  department = mean(max.col(predicted$department) == max.col(held_out$y$department))
)
