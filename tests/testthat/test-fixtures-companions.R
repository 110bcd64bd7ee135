# All layers but the recurrent ones against cases computed by Keras.
test_layer_fixture("layers-companions", 69)
