# ConvLSTM of 1, 2 and 3 axes against 20 cases computed by Keras.
test_layer_fixture("layers-conv-lstm", 20)
