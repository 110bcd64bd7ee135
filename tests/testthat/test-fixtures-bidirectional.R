# Bidirectional layers against 65 cases computed by Keras: cells, merge modes, outputs, masks, states, backward layers.
test_layer_fixture("layers-bidirectional", 65)
