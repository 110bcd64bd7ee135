# Sequences of different lengths: padded, masked, and through four layers that make, change, pass on and use a mask.
library(birnn)
set_random_seed(1)

raw_inputs <- list(c(711, 632, 71), c(73, 8, 3215, 55, 927), c(83, 91, 1, 645, 1253, 927))
padded_inputs <- pad_sequences(raw_inputs, padding = "post")
padded_inputs

embedding <- layer_embedding(input_dim = 5000, output_dim = 16, mask_zero = TRUE)
masked_output <- embedding(padded_inputs)
embedding_mask <- masked_output$`_keras_mask`

masking_layer <- layer_masking()
unmasked_embedding <- op_cast(op_tile(op_expand_dims(padded_inputs, axis = -1), c(1, 1, 10)), dtype = "float32")
masked_embedding <- masking_layer(unmasked_embedding)
masking_mask <- masked_embedding$`_keras_mask`

# The mask finds its way in both kinds of models.
model <- keras_model_sequential() |>
  layer_embedding(input_dim = 5000, output_dim = 16, mask_zero = TRUE) |>
  layer_lstm(units = 32)
inputs <- keras_input(shape = shape(NULL), dtype = "int32")
outputs <- inputs |>
  layer_embedding(input_dim = 5000, output_dim = 16, mask_zero = TRUE) |>
  layer_lstm(units = 32)
functional <- keras_model(inputs, outputs)
short <- matrix(as.integer(raw_inputs[[1]]), 1)
short_difference <- max(
  abs(predict(model, padded_inputs, verbose = 0)[1, ] - predict(model, short, verbose = 0)),
  abs(predict(functional, padded_inputs, verbose = 0)[1, ] - predict(functional, short, verbose = 0))
)

# A mask passed on by hand.
my_layer <- Layer(
  "MyLayer",
  initialize = function(...) {
    super$initialize(...)
    self$embedding <- layer_embedding(input_dim = 5000, output_dim = 16, mask_zero = TRUE)
    self$lstm <- layer_lstm(units = 32)
  },
  call = function(inputs) {
    inputs |>
      self$embedding() |>
      self$lstm(mask = self$embedding$compute_mask(inputs))
  }
)
layer <- my_layer()
x <- random_integer(c(32, 10), 0, 100)
by_hand <- layer(x)

# A layer that changes the mask.
layer_temporal_split <- Layer(
  "TemporalSplit",
  call = function(inputs) op_split(inputs, indices_or_sections = 2, axis = 2),
  compute_mask = function(inputs, mask = NULL) {
    if (is.null(mask)) return(NULL)
    op_split(mask, indices_or_sections = 2, axis = 2)
  }
)
c(first_half, second_half) %<-% layer_temporal_split(masked_embedding)
half_masks <- list(first_half$`_keras_mask`, second_half$`_keras_mask`)

# A layer that makes one.
layer_custom_embedding <- Layer(
  "CustomEmbedding",
  initialize = function(input_dim, output_dim, mask_zero = FALSE, ...) {
    super$initialize(...)
    self$input_dim <- as.integer(input_dim)
    self$output_dim <- as.integer(output_dim)
    self$mask_zero <- mask_zero
  },
  build = function(input_shape) {
    self$embeddings <- self$add_weight(
      shape = c(self$input_dim, self$output_dim), initializer = "random_normal", dtype = "float32"
    )
  },
  call = function(inputs) {
    inputs <- op_cast(inputs, "int32")
    op_take(self$embeddings, inputs, axis = 1, zero_indexed = TRUE)
  },
  compute_mask = function(inputs, mask = NULL) {
    if (!self$mask_zero) return(NULL)
    op_not_equal(inputs, 0L)
  }
)
custom_embedding <- layer_custom_embedding(input_dim = 10, output_dim = 32, mask_zero = TRUE)
x_custom <- random_integer(c(3, 10), 0, 9)
y <- custom_embedding(x_custom)
custom_mask <- custom_embedding$compute_mask(x_custom)

# A layer that passes it on.
layer_my_activation <- Layer(
  "MyActivation",
  initialize = function(...) {
    super$initialize(...)
    self$supports_masking <- TRUE
  },
  call = function(inputs) op_relu(inputs)
)
inputs <- keras_input(shape = shape(NULL), dtype = "int32")
outputs <- inputs |>
  layer_embedding(input_dim = 5000, output_dim = 16, mask_zero = TRUE) |>
  layer_my_activation() |>
  layer_lstm(units = 32)
model <- keras_model(inputs, outputs)
activated <- model(random_integer(c(32, 100), 0, 5000))

# A layer that uses it: a softmax over the steps that count. Trained to find the largest number of a sequence.
layer_temporal_softmax <- Layer(
  "TemporalSoftmax",
  initialize = function(...) {
    super$initialize(...)
    self$supports_masking <- TRUE
  },
  call = function(inputs, mask = NULL) {
    if (is.null(mask)) stop("`TemporalSoftmax` layer requires a previous layer to support masking.")
    broadcast_float_mask <- op_expand_dims(op_cast(mask, "float32"), -1)
    inputs_exp <- op_exp(inputs) * broadcast_float_mask
    inputs_sum <- op_sum(inputs_exp * broadcast_float_mask, axis = 2, keepdims = TRUE)
    inputs_exp / inputs_sum
  }
)
inputs <- keras_input(shape = shape(NULL), dtype = "int32")
outputs <- inputs |>
  layer_embedding(input_dim = 10, output_dim = 32, mask_zero = TRUE) |>
  layer_dense(1) |>
  layer_temporal_softmax()
model <- keras_model(inputs, outputs)
sequences <- lapply(sample(2:8, 500, replace = TRUE), \(n) sample(9, n))
x <- pad_sequences(sequences, padding = "post")
largest <- 1 * (x == apply(x, 1, max))
y <- array_reshape(largest, c(dim(x), 1))
model |> compile(optimizer_adam(2e-2), "mse")
model |> fit(x, y, epochs = 10, verbose = 0)
weights <- predict(model, x, verbose = 0)[, , 1]
found <- mean(max.col(weights, "first") == max.col(largest, "first"))
