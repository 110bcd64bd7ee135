# SimpleRNN, LSTM and GRU against 60 random combinations of their arguments, computed by Keras.
test_layer_fixture("layers-recurrent-random", 60)
