# Dense, embedding, masking, activation, softmax, relu and dropout layers against cases computed by Keras.
test_layer_fixture("layers-companions")
