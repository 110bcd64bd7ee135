# SimpleRNN, LSTM and GRU against 79 cases computed by Keras.
test_layer_fixture("layers-recurrent", 79)
