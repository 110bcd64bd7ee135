# Bidirectional layers against 60 random combinations, two kinds of cells in one layer among them, computed by Keras.
test_layer_fixture("layers-bidirectional-random", 60)
