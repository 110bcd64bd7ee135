# Every registered layer keeps the contract of layers: a layer without a row in this table is a failure.

weights_of <- function(trainable, non_trainable = 0) c(trainable = trainable, non_trainable = non_trainable)

contracts <- list(
  SimpleRNN = function() {
    expect_layer_contract(function(...) layer_simple_rnn(units = 4, ...), c(3, 5, 2), c(3, 4), weights_of(3))
    expect_layer_contract(
      function(...) layer_simple_rnn(units = 2, use_bias = FALSE, return_sequences = TRUE, ...), c(3, 5, 2), c(3, 5, 2),
      weights_of(2)
    )
    regularized <- function(...) {
      layer_simple_rnn(units = 2, kernel_regularizer = "l2", recurrent_regularizer = "l1", bias_regularizer = "l2",
                       dropout = 0.2, ...)
    }
    expect_layer_contract(regularized, c(3, 5, 2), c(3, 2), weights_of(3), seeds = 1, losses = 3)
  },
  LSTM = function() {
    expect_layer_contract(function(...) layer_lstm(units = 4, ...), c(3, 5, 2), c(3, 4), weights_of(3))
    backwards <- function(...) {
      layer_lstm(units = 2, return_sequences = TRUE, return_state = TRUE, go_backwards = TRUE, ...)
    }
    expect_layer_contract(backwards, c(3, 5, 2), list(c(3, 5, 2), c(3, 2), c(3, 2)), weights_of(3))
    penalized <- function(...) layer_lstm(units = 2, recurrent_dropout = 0.3, activity_regularizer = "l2", ...)
    expect_layer_contract(penalized, c(3, 5, 2), c(3, 2), weights_of(3), seeds = 1, losses = 1)
  },
  GRU = function() {
    expect_layer_contract(function(...) layer_gru(units = 4, ...), c(3, 5, 2), c(3, 4), weights_of(3))
    expect_layer_contract(
      function(...) layer_gru(units = 3, reset_after = FALSE, return_state = TRUE, ...), c(3, 5, 2),
      list(c(3, 3), c(3, 3)), weights_of(3)
    )
  },
  RNN = function() {
    expect_layer_contract(
      function(...) layer_rnn(cell = rnn_cell_lstm(units = 4), ...), c(3, 5, 2), c(3, 4), weights_of(3)
    )
    stack <- function(...) {
      cells <- list(rnn_cell_lstm(units = 3), rnn_cell_gru(units = 2, dropout = 0.2), rnn_cell_simple(units = 4))
      layer_rnn(cell = cells, return_sequences = TRUE, return_state = TRUE, go_backwards = TRUE, ...)
    }
    shapes <- list(c(3, 5, 4), c(3, 3), c(3, 3), c(3, 2), c(3, 4))
    expect_layer_contract(stack, c(3, 5, 2), shapes, weights_of(9), seeds = 1)
    # Not compiled: a step-by-step loop.
    scanned <- function(...) {
      first <- rnn_cell_gru(units = 3, activation = "softmax", kernel_regularizer = "l2")
      layer_rnn(cell = list(first, rnn_cell_simple(units = 2)), zero_output_for_mask = TRUE, ...)
    }
    expect_layer_contract(scanned, c(3, 5, 2), c(3, 2), weights_of(6), losses = 1)
  },
  Bidirectional = function() {
    expect_layer_contract(
      function(...) layer_bidirectional(layer = layer_lstm(units = 4), ...), c(3, 5, 2), c(3, 8), weights_of(6)
    )
    for (merge_mode in c("sum", "mul", "ave")) {
      merged <- function(...) {
        layer_bidirectional(layer = layer_lstm(units = 4, return_sequences = TRUE), merge_mode = merge_mode, ...)
      }
      expect_layer_contract(merged, c(3, 5, 2), c(3, 5, 4), weights_of(6))
    }
    expect_layer_contract(
      function(...) layer_bidirectional(layer = layer_gru(units = 4), merge_mode = NULL, ...), c(3, 5, 2),
      list(c(3, 4), c(3, 4)), weights_of(6)
    )
    expect_layer_contract(
      function(...) layer_bidirectional(layer = layer_gru(units = 4, return_state = TRUE), ...), c(3, 5, 2),
      list(c(3, 8), c(3, 4), c(3, 4)), weights_of(6)
    )
    mixed <- function(...) {
      backward <- layer_gru(units = 3, go_backwards = TRUE)
      layer_bidirectional(layer = layer_simple_rnn(units = 2), backward_layer = backward, ...)
    }
    expect_layer_contract(mixed, c(3, 5, 2), c(3, 5), weights_of(6))
    stacked <- function(...) {
      layer <- layer_rnn(cell = list(rnn_cell_lstm(units = 3), rnn_cell_gru(units = 2)), return_sequences = TRUE)
      layer_bidirectional(layer = layer, merge_mode = "mul", ...)
    }
    expect_layer_contract(stacked, c(3, 5, 2), c(3, 5, 2), weights_of(12))
  },
  Dense = function() {
    activated <- function(...) layer_dense(units = 4, activation = "relu", ...)
    expect_layer_contract(activated, c(3, 2), c(3, 4), weights_of(2))
    expect_layer_contract(
      function(...) layer_dense(units = 4, use_bias = FALSE, kernel_regularizer = "l2", ...), c(3, 5, 2), c(3, 5, 4),
      weights_of(1), losses = 1
    )
  },
  Conv1D = function() {
    causal <- function(...) {
      layer_conv_1d(filters = 4, kernel_size = 2, padding = "causal", dilation_rate = 2, activation = "tanh", ...)
    }
    expect_layer_contract(causal, c(3, 5, 2), c(3, 5, 4), weights_of(2), supports_masking = FALSE)
    grouped <- function(...) {
      layer_conv_1d(filters = 6, kernel_size = 3, strides = 2, groups = 2, use_bias = FALSE, kernel_regularizer = "l2",
                    activity_regularizer = "l2", ...)
    }
    expect_layer_contract(grouped, c(3, 6, 4), c(3, 2, 6), weights_of(1), losses = 2, supports_masking = FALSE)
    first <- function(...) {
      layer_conv_1d(filters = 3, kernel_size = 2, padding = "same", data_format = "channels_first", ...)
    }
    expect_layer_contract(first, c(3, 2, 5), c(3, 3, 5), weights_of(2), supports_masking = FALSE)
  },
  DepthwiseConv1D = function() {
    expect_layer_contract(
      function(...) layer_depthwise_conv_1d(kernel_size = 2, depth_multiplier = 3, ...), c(3, 5, 2), c(3, 4, 6),
      weights_of(2), supports_masking = FALSE
    )
  },
  SeparableConv1D = function() {
    expect_layer_contract(
      function(...) layer_separable_conv_1d(filters = 4, kernel_size = 2, padding = "causal", ...), c(3, 5, 2),
      c(3, 5, 4), weights_of(3), supports_masking = FALSE
    )
  },
  Conv1DTranspose = function() {
    expect_layer_contract(
      function(...) layer_conv_1d_transpose(filters = 4, kernel_size = 3, strides = 2, ...), c(3, 5, 2), c(3, 11, 4),
      weights_of(2), supports_masking = FALSE
    )
  },
  MaxPooling1D = function() {
    expect_layer_contract(
      function(...) layer_max_pooling_1d(...), c(3, 5, 2), c(3, 2, 2), supports_masking = FALSE, trains = FALSE
    )
  },
  AveragePooling1D = function() {
    expect_layer_contract(
      function(...) layer_average_pooling_1d(pool_size = 3, strides = 2, padding = "same", ...), c(3, 5, 2), c(3, 3, 2),
      supports_masking = FALSE, trains = FALSE
    )
  },
  GlobalMaxPooling1D = function() {
    expect_layer_contract(
      function(...) layer_global_max_pooling_1d(...), c(3, 5, 2), c(3, 2), supports_masking = FALSE, trains = FALSE
    )
  },
  GlobalAveragePooling1D = function() {
    expect_layer_contract(
      function(...) layer_global_average_pooling_1d(keepdims = TRUE, ...), c(3, 5, 2), c(3, 1, 2), trains = FALSE
    )
  },
  UpSampling1D = function() {
    expect_layer_contract(
      function(...) layer_upsampling_1d(size = 3, ...), c(3, 5, 2), c(3, 15, 2), supports_masking = FALSE,
      trains = FALSE
    )
  },
  ZeroPadding1D = function() {
    expect_layer_contract(
      function(...) layer_zero_padding_1d(padding = c(2, 1), ...), c(3, 5, 2), c(3, 8, 2), supports_masking = FALSE,
      trains = FALSE
    )
  },
  Cropping1D = function() {
    expect_layer_contract(
      function(...) layer_cropping_1d(cropping = c(0, 2), ...), c(3, 5, 2), c(3, 3, 2), supports_masking = FALSE,
      trains = FALSE
    )
  },
  ConvLSTM1D = function() {
    states <- function(...) {
      layer_conv_lstm_1d(filters = 3, kernel_size = 2, return_sequences = TRUE, return_state = TRUE, ...)
    }
    expect_layer_contract(states, c(3, 4, 5, 2), list(c(3, 4, 4, 3), c(3, 4, 3), c(3, 4, 3)), weights_of(3))
    dropped <- function(...) {
      layer_conv_lstm_1d(filters = 2, kernel_size = 3, strides = 2, padding = "same", use_bias = FALSE,
                         recurrent_dropout = 0.5, activity_regularizer = "l2", ...)
    }
    expect_layer_contract(dropped, c(3, 2, 5, 2), c(3, 3, 2), weights_of(2), seeds = 1, losses = 1)
  },
  ConvLSTM2D = function() {
    expect_layer_contract(
      function(...) layer_conv_lstm_2d(filters = 3, kernel_size = c(2, 3), padding = "same", ...), c(3, 2, 4, 3, 2),
      c(3, 4, 3, 3), weights_of(3)
    )
    first <- function(...) {
      layer_conv_lstm_2d(filters = 3, kernel_size = 2, data_format = "channels_first", return_sequences = TRUE, ...)
    }
    expect_layer_contract(first, c(3, 2, 2, 4, 3), c(3, 2, 3, 3, 2), weights_of(3))
  },
  ConvLSTM3D = function() {
    expect_layer_contract(
      function(...) layer_conv_lstm_3d(filters = 2, kernel_size = 2, ...), c(2, 2, 3, 2, 3, 1), c(2, 2, 1, 2, 2),
      weights_of(3)
    )
  },
  TimeDistributed = function() {
    expect_layer_contract(
      function(...) layer_time_distributed(layer = layer_dense(units = 4), ...), c(3, 5, 2), c(3, 5, 4), weights_of(2)
    )
    # Layers that are applied step by step.
    dropped <- function(...) layer_time_distributed(layer = layer_simple_rnn(units = 2, dropout = 0.3), ...)
    expect_layer_contract(dropped, c(3, 2, 4, 2), c(3, 2, 2), weights_of(3), seeds = 1)
    states <- function(...) {
      lstm <- layer_lstm(units = 2, return_state = TRUE, kernel_regularizer = "l2")
      layer_time_distributed(layer = lstm, ...)
    }
    expect_layer_contract(states, c(3, 2, 4, 2), rep(list(c(3, 2, 2)), 3), weights_of(3), losses = 1)
  },
  Dropout = function() expect_layer_contract(function(...) layer_dropout(rate = 0.3, ...), c(3, 5, 2), seeds = 1),
  Masking = function() {
    expect_layer_contract(function(...) layer_masking(mask_value = 0, ...), c(3, 5, 2), trains = FALSE)
  },
  Embedding = function() {
    expect_layer_contract(
      function(...) layer_embedding(input_dim = 6, output_dim = 3, ...), c(3, 5), c(3, 5, 3), weights_of(1),
      supports_masking = FALSE, ids = 6
    )
    expect_layer_contract(
      function(...) layer_embedding(input_dim = 6, output_dim = 3, mask_zero = TRUE, ...), c(3, 5), c(3, 5, 3),
      weights_of(1), ids = 6
    )
  },
  Activation = function() {
    expect_layer_contract(function(...) layer_activation(activation = "tanh", ...), c(3, 5, 2), trains = FALSE)
  },
  ReLU = function() {
    expect_layer_contract(function(...) layer_activation_relu(negative_slope = 0.1, ...), c(3, 5, 2), trains = FALSE)
  },
  Identity = function() expect_layer_contract(function(...) layer_identity(...), c(3, 5, 2), trains = FALSE),
  Add = function() {
    expect_layer_contract(function(...) layer_add(...), list(c(3, 5, 2), c(3, 5, 2)), c(3, 5, 2))
    expect_layer_contract(
      function(...) layer_add(...), list(c(3, 5, 2), c(3, 2), c(3, 1, 1)), c(3, 5, 2), supports_masking = TRUE
    )
  },
  Subtract = function() {
    expect_layer_contract(function(...) layer_subtract(...), list(c(3, 5, 2), c(3, 5, 2)), c(3, 5, 2))
  },
  Multiply = function() {
    expect_layer_contract(function(...) layer_multiply(...), list(c(3, 5, 2), c(3, 1, 2)), c(3, 5, 2), trains = FALSE)
  },
  Average = function() {
    expect_layer_contract(
      function(...) layer_average(...), list(c(3, 5, 2), c(3, 5, 2), c(3, 5, 2)), c(3, 5, 2), trains = FALSE
    )
  },
  Maximum = function() {
    expect_layer_contract(function(...) layer_maximum(...), list(c(3, 5, 2), c(3, 5, 2)), c(3, 5, 2), trains = FALSE)
  },
  Minimum = function() {
    expect_layer_contract(function(...) layer_minimum(...), list(c(3, 5, 2), c(3, 5, 2)), c(3, 5, 2), trains = FALSE)
  },
  Concatenate = function() {
    expect_layer_contract(function(...) layer_concatenate(...), list(c(3, 5, 2), c(3, 5, 4)), c(3, 5, 6))
    expect_layer_contract(function(...) layer_concatenate(axis = 2, ...), list(c(3, 5, 2), c(3, 1, 2)), c(3, 6, 2))
  },
  Dot = function() {
    expect_layer_contract(function(...) layer_dot(axes = -1, ...), list(c(3, 5, 2), c(3, 4, 2)), c(3, 5, 4))
    expect_layer_contract(
      function(...) layer_dot(axes = 2, normalize = TRUE, ...), list(c(3, 4), c(3, 4)), c(3, 1), trains = FALSE
    )
    expect_layer_contract(
      function(...) layer_dot(axes = c(3, 2), ...), list(c(3, 5, 2, 4), c(3, 2, 6, 7)), c(3, 5, 4, 6, 7), trains = FALSE
    )
  },
  Reshape = function() {
    reshaped <- function(...) layer_reshape(target_shape = c(2, -1), ...)
    expect_layer_contract(reshaped, c(3, 4, 2), c(3, 2, 4), supports_masking = FALSE, trains = FALSE)
    expect_layer_contract(
      function(...) layer_reshape(target_shape = 8, ...), c(3, 4, 2), c(3, 8), supports_masking = FALSE, trains = FALSE
    )
  },
  Flatten = function() {
    expect_layer_contract(function(...) layer_flatten(...), c(3, 4, 2), c(3, 8), supports_masking = FALSE)
    expect_layer_contract(
      function(...) layer_flatten(data_format = "channels_first", ...), c(3, 4, 2), c(3, 8), supports_masking = FALSE,
      trains = FALSE
    )
  },
  Permute = function() {
    expect_layer_contract(
      function(...) layer_permute(dims = c(2, 1), ...), c(3, 4, 2), c(3, 2, 4), supports_masking = FALSE, trains = FALSE
    )
  },
  RepeatVector = function() {
    expect_layer_contract(
      function(...) layer_repeat_vector(n = 5, ...), c(3, 4), c(3, 5, 4), supports_masking = FALSE, trains = FALSE
    )
  },
  BatchNormalization = function() {
    expect_layer_contract(function(...) layer_batch_normalization(...), c(3, 5, 2), weights = weights_of(2, 2))
    other_axis <- function(...) layer_batch_normalization(axis = 2, scale = FALSE, gamma_regularizer = "l2", ...)
    expect_layer_contract(other_axis, c(3, 5, 2), weights = weights_of(1, 2))
    penalized <- function(...) layer_batch_normalization(gamma_regularizer = "l2", beta_regularizer = "l1", ...)
    expect_layer_contract(penalized, c(3, 4), weights = weights_of(2, 2), losses = 2)
  },
  LayerNormalization = function() {
    expect_layer_contract(function(...) layer_layer_normalization(...), c(3, 5, 2), weights = weights_of(2))
    over_axes <- function(...) layer_layer_normalization(axis = c(3, 2), center = FALSE, gamma_regularizer = "l2", ...)
    expect_layer_contract(over_axes, c(3, 5, 2), weights = weights_of(1), losses = 1)
  },
  RMSNormalization = function() {
    expect_layer_contract(
      function(...) layer_rms_normalization(...), c(3, 5, 2), weights = weights_of(1), supports_masking = FALSE
    )
    expect_layer_contract(
      function(...) layer_rms_normalization(axis = 2:3, ...), c(3, 5, 2), weights = weights_of(1),
      supports_masking = FALSE, trains = FALSE
    )
  },
  UnitNormalization = function() {
    expect_layer_contract(function(...) layer_unit_normalization(...), c(3, 5, 2), trains = FALSE)
    expect_layer_contract(function(...) layer_unit_normalization(axis = c(2, 3), ...), c(3, 5, 2), trains = FALSE)
  },
  GroupNormalization = function() {
    expect_layer_contract(function(...) layer_group_normalization(groups = 2, ...), c(3, 5, 4), weights = weights_of(2))
    first_axis <- function(...) layer_group_normalization(groups = -1, axis = 2, scale = FALSE, ...)
    expect_layer_contract(first_axis, c(3, 5, 4), weights = weights_of(1))
  },
  Normalization = function() {
    expect_layer_contract(
      function(...) layer_normalization(...), c(3, 5, 2), weights = weights_of(0, 3), trains = FALSE
    )
    expect_layer_contract(
      function(...) layer_normalization(mean = c(1, 2), variance = c(3, 4), invert = TRUE, ...), c(3, 5, 2),
      trains = FALSE
    )
    expect_layer_contract(
      function(...) layer_normalization(axis = NULL, ...), c(3, 5), weights = weights_of(0, 3), trains = FALSE
    )
  },
  SpatialDropout1D = function() {
    expect_layer_contract(function(...) layer_spatial_dropout_1d(rate = 0.3, ...), c(3, 5, 2), seeds = 1)
  },
  GaussianNoise = function() {
    expect_layer_contract(function(...) layer_gaussian_noise(stddev = 0.3, ...), c(3, 5, 2), seeds = 1)
  },
  GaussianDropout = function() {
    expect_layer_contract(function(...) layer_gaussian_dropout(rate = 0.3, ...), c(3, 5, 2), seeds = 1)
  },
  AlphaDropout = function() {
    expect_layer_contract(function(...) layer_alpha_dropout(rate = 0.3, ...), c(3, 5, 2), seeds = 1)
  },
  ActivityRegularization = function() {
    expect_layer_contract(function(...) layer_activity_regularization(l1 = 0.1, ...), c(3, 5, 2), losses = 1)
  },
  LeakyReLU = function() {
    expect_layer_contract(function(...) layer_activation_leaky_relu(...), c(3, 5, 2), trains = FALSE)
  },
  ELU = function() expect_layer_contract(function(...) layer_activation_elu(alpha = 0.5, ...), c(3, 5, 2)),
  PReLU = function() {
    prelu <- function(...) layer_activation_parametric_relu(shared_axes = 2, alpha_regularizer = "l2", ...)
    expect_layer_contract(prelu, c(3, 5, 2), weights = weights_of(1), losses = 1)
  },
  Rescaling = function() {
    expect_layer_contract(function(...) layer_rescaling(scale = 0.5, offset = c(1, 2), ...), c(3, 5, 2), trains = FALSE)
  },
  Attention = function() {
    expect_layer_contract(function(...) layer_attention(...), list(c(3, 5, 2), c(3, 4, 2)), c(3, 5, 2))
    expect_layer_contract(
      function(...) layer_attention(use_scale = TRUE, score_mode = "concat", dropout = 0.2, ...),
      list(c(3, 5, 2), c(3, 4, 6), c(3, 4, 2)), c(3, 5, 6), weights_of(2), seeds = 1
    )
  },
  AdditiveAttention = function() {
    expect_layer_contract(
      function(...) layer_additive_attention(...), list(c(3, 5, 2), c(3, 4, 2)), c(3, 5, 2), weights_of(1)
    )
    unscaled <- function(...) layer_additive_attention(use_scale = FALSE, dropout = 0.2, seed = 1, ...)
    expect_layer_contract(unscaled, list(c(3, 5, 2), c(3, 4, 2)), c(3, 5, 2), seeds = 1)
  },
  MultiHeadAttention = function() {
    expect_layer_contract(
      function(...) layer_multi_head_attention(num_heads = 2, key_dim = 3, ...), list(c(3, 5, 4), c(3, 6, 2)),
      c(3, 5, 4), weights_of(8)
    )
    rich <- function(...) {
      layer_multi_head_attention(
        num_heads = 2, key_dim = 3, value_dim = 1, dropout = 0.1, use_bias = FALSE, output_shape = 7,
        kernel_regularizer = "l2", activity_regularizer = "l1", ...
      )
    }
    expect_layer_contract(
      rich, list(c(3, 5, 4), c(3, 6, 2), c(3, 6, 5)), c(3, 5, 7), weights_of(4), seeds = 1, losses = 8
    )
    over_axis <- function(...) layer_multi_head_attention(num_heads = 2, key_dim = 2, attention_axes = 3, ...)
    expect_layer_contract(
      over_axis, list(c(2, 3, 4, 2), c(2, 3, 5, 2)), c(2, 3, 4, 2), weights_of(8), trains = FALSE
    )
  },
  EinsumDense = function() {
    dense <- function(...) layer_einsum_dense(equation = "abc,cd->abd", output_shape = c(NA, 4), bias_axes = "d", ...)
    expect_layer_contract(dense, c(3, 5, 2), c(3, 5, 4), weights_of(2), supports_masking = FALSE)
    heads <- function(...) {
      layer_einsum_dense(equation = "...ab,bcd->...acd", output_shape = c(5, 2, 3), bias_axes = "cd", ...)
    }
    expect_layer_contract(heads, c(3, 5, 2), c(3, 5, 2, 3), weights_of(2), supports_masking = FALSE, trains = FALSE)
  },
  Lambda = function() {
    powers <- function(...) layer_lambda(f = function(x, power) op_abs(x)^power, arguments = list(power = 2), ...)
    expect_layer_contract(powers, c(3, 5, 2), supports_masking = FALSE, trains = FALSE, in_file = FALSE)
    expect_layer_contract(
      function(...) layer_lambda(f = function(x) x[[1]] + x[[2]], mask = function(inputs, mask) mask[[1]], ...),
      list(c(3, 5, 2), c(3, 5, 2)), c(3, 5, 2), in_file = FALSE
    )
  },
  Softmax = function() expect_layer_contract(function(...) layer_activation_softmax(...), c(3, 5, 2), trains = FALSE)
)

# Registered, but made by other functions than layer_*(), or not for numbers: they have tests of their own (cells:
# test-rnn-cell.R).
without_contract <- c(
  "TextVectorization",
  "InputLayer", "Sequential", "Functional", "SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells"
)

test_that("every registered layer has a contract", {
  names <- registered_names("layer")
  classes <- unique(vapply(names, function(name) registered("layer", name)$generator$classname, character(1)))
  expect_identical(setdiff(classes, c(names(contracts), without_contract)), character())
})

for (class in names(contracts)) {
  test_that(paste(class, "keeps the contract of layers"), {
    contracts[[class]]()
  })
}
