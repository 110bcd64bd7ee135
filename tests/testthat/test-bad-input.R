# Bad input of every kind that a user may come up with, in 78 rows: each call is an error of its class whose words tell
# what the row says (the words themselves: see _snaps), and leaves all layers and models as they were.

bad_inputs <- list(
  "1 a matrix for sequences" =
    bad("shape", predict(model, matrix(0, 10, 3)), "3 axes", "it has 2: \\[10, 3\\]", "Add an"),
  "2 an axis too many" = bad("shape", predict(model, array(0, c(2, 10, 3, 1))), "3 axes", "it has 4: \\[2, 10, 3,"),
  "3 other features" = bad("shape", predict(model, array(0, c(2, 10, 5))), "Axis 3", "size 3, not 5", "input_layer"),
  "3 other features, of a layer" = bad("shape", lstm(array(0, c(4, 10, 5))), "lstm", "size 3 on axis 3", "not size 5"),
  "4 other steps where they are fixed" = bad("shape", predict(fixed, array(0, c(2, 9, 3)), batch_size = 2), "Axis 2",
                                             "10, not 9"),
  "5 a plain vector" = bad("shape", predict(model, as.numeric(1:30)), "no `dim\\(\\)`", "array\\(\\)"),
  "6 a data frame with text" =
    bad("type", predict(model, data.frame(a = 1:2, b = c("x", "y"))), "data frame", "column b"),
  "7 a factor" = bad("type", predict(model, factor(c("a", "b"))), "factor", "2 levels", "as.integer\\(x\\) - 1L"),
  "8 text" = bad("type", predict(model, array("a", c(2, 10, 3))), "<character>"),
  "9 dates" = bad("type", predict(model, as.Date("2026-01-31") + 0:9), "<Date>"),
  "9 times" = bad("type", predict(model, as.POSIXct("2026-01-31", tz = "UTC")), "<POSIXct"),
  "9 durations" = bad("type", predict(model, as.difftime(1, units = "secs")), "<difftime>"),
  "10 a time series" = bad("type", predict(model, ts(1:30)), "<ts>", "timeseries_dataset_from_array"),
  "10 several time series" = bad("type", predict(model, ts(matrix(1:30, 10))), "ts", "timeseries_dataset_from_array"),
  "11 a sparse matrix" = bad("type", predict(model, sparse), "<dgCMatrix>", "as.matrix\\(x\\)"),
  "12 complex numbers" = bad("type", predict(model, array(1i, c(2, 10, 3))), "<complex>"),
  "12 raw bytes" = bad("type", predict(model, as.raw(1:30)), "<raw>"),
  "13 integer64" = bad("type", predict(model, structure(array(0, c(2, 10, 3)), class = "integer64")), "<integer64>"),
  "14 missing values reach the loss" = bad("numeric", fit(model, replace(x, 5, NA), y), "NaN", "epoch 1", "batch 1",
                                           "missing"),
  "15 NaN reaches the loss" = bad("numeric", fit(model, replace(x, 5, NaN), y), "NaN", "epoch 1", "batch 1"),
  "16 more elements than there can be" = bad("resource", op_zeros(c(2e9, 2e9)), "2000000000", "more elements"),
  "17 no rows for fit()" = bad("value", fit(model, array(0, c(0, 10, 3)), numeric()), "no samples"),
  "18 no steps" = bad("shape", gru(array(0, c(2, 0, 3))), "at least one time step", "\\[2, 0, 3\\]"),
  "19 different rows" = bad("shape", fit(model, array(0, c(100, 10, 3)), rep(0, 99)), "x: 100 and y: 99"),
  "20 no target" = bad("value", fit(model, x), "`y` is missing", "mean_squared_error"),
  "21 a target too wide" = bad("shape", fit(model, x, matrix(0, 4, 2)), "\\[NA, 1\\]", "not \\[4,\\s+2\\]"),
  "22 one target for a sequence" = bad("shape", fit(sequences, x, matrix(0, 4, 2)), "\\[NA, 10, 2\\]",
                                       "return_sequences = FALSE"),
  "23 missing targets reach the loss" = bad("numeric", fit(model, x, c(0, NA, 0, 0)), "epoch 1", "`x` and `y`"),
  "24 a factor with missing labels" = bad("value", fit(classes, x, factor(c("a", NA, "b", "a"))), "element 2 is NA"),
  "25 a class too high" = bad("value", fit(classes, x, c(0, 1, 2, 3)), "from 0 to 2", "Element 4 is 3"),
  "25 a class too low" = bad("value", fit(classes, x, c(0, 1, -1, 2)), "Element 3 is -1"),
  "25 half a class" = bad("value", fit(classes, x, c(0, 1, 1.5, 2)), "Element 3 is 1.5"),
  "27 too few weights of samples" =
    bad("shape", fit(model, x, y, sample_weight = 1:3), "x: 4, y: 4, and sample_weight: 3"),
  "27 weights of two axes" = bad("shape", fit(model, x, y, sample_weight = matrix(1, 4, 2)), "1 axis", "\\[4, 2\\]"),
  "27 negative weights" = bad("value", fit(model, x, y, sample_weight = c(1, -1, 1, 1)), "element 2 is -1"),
  "27 missing weights" = bad("value", fit(model, x, y, sample_weight = c(1, NA, 1, 1)), "element 2 is NA"),
  "28 weights of classes without names" =
    bad("value", fit(classes, x, labels, class_weight = c(1, 2, 3)), "named by class"),
  "28 a name that is no class" = bad("value", fit(classes, x, labels, class_weight = list(a = 1)), "not \"a\""),
  "28 two kinds of weights" = bad("value", fit(classes, x, labels, class_weight = list("0" = 1), sample_weight = 1:4),
                                  "Only one of `sample_weight` and `class_weight`"),
  "29 a mask of other rows" = bad("mask", lstm(x, mask = matrix(TRUE, 3, 10)), "\\[4, 10\\]", "not \\[3,\\s+10\\]"),
  "29 a mask of other steps" = bad("mask", both(x, mask = matrix(TRUE, 4, 9)), "\\[4, 10\\]", "not\\s+\\[4,\\s+9\\]"),
  "29 a mask of other steps for a pooling layer" =
    bad("mask", layer_global_average_pooling_1d()(x, mask = matrix(TRUE, 4, 9)), "\\[4, 10\\]", "not \\[4, 9\\]"),
  "30 a mask of other numbers" =
    bad("mask", lstm(x, mask = replace(matrix(TRUE, 4, 10), 7, 2)), "TRUE and FALSE", "not 2"),
  "30 a mask of text" = bad("mask", lstm(x, mask = matrix("a", 4, 10)), "not \"a\""),
  "30 a mask with NA" = bad("mask", lstm(x, mask = replace(matrix(TRUE, 4, 10), 7, NA)), "not NA"),
  "31 a mask of three axes" = bad("mask", lstm(x, mask = array(TRUE, c(4, 10, 3))), "\\(batch, time\\)", "10, 3\\]"),
  "32 a mask where there is no time" = bad("value", layer_dense(units = 2)(matrix(0, 2, 3), mask = matrix(TRUE, 2, 3)),
                                           "dense", "no argument `mask`"),
  "33 one state for an LSTM" = bad("state", lstm(x, initial_state = list(state)), "2 states \\(h, c\\), not 1"),
  "34 the states of one direction" =
    bad("state", both(x, initial_state = list(state, state)), "4 states, not 2", "forward"),
  "34 an odd number of states" =
    bad("state", both(x, initial_state = rep(list(state), 3)), "4 states, not 3", "backward"),
  "35 a state of other units" = bad("state", lstm(x, initial_state = list(state, matrix(0, 4, 5))), "State 2",
                                    "\\[4, 4\\]", "not\\s+\\[4, 5\\]"),
  "35 a state of other rows" = bad("state", lstm(x, initial_state = list(matrix(0, 3, 4), state)), "State 1",
                                   "not\\s+\\[3, 4\\]"),
  "36 a bare matrix for two directions" = bad("state", both(x, initial_state = state), "must be a list"),
  "37 another batch size for a stateful layer" =
    bad("state", stateful(x[1:3, , ]), "batch size of 4", "batch\\s+size of 3"),
  "38 a stateful layer without batch size" =
    bad("state", layer_lstm(keras_input(c(10, 3)), units = 2, stateful = TRUE), "stateful", "batch size", "batch_size"),
  "39 states that are not kept" = bad("state", reset_state(both), "bidirectional", "must be stateful"),
  "40 no units" = bad("value", layer_lstm(units = 0), "`units`", "positive whole number, not 0"),
  "40 negative units" = bad("value", layer_gru(units = -1), "`units`", "not -1"),
  "40 one and a half units" = bad("value", layer_simple_rnn(units = 1.5), "`units`", "not 1.5"),
  "40 missing units" = bad("value", layer_lstm(units = NA), "`units`", "not NA"),
  "40 units as text" = bad("value", layer_gru(units = "8"), "`units`", "not \"8\""),
  "40 two numbers of units" = bad("value", layer_lstm(units = c(4, 8)), "`units`", "length 2"),
  "40 too many units" = bad("value", rnn_cell_lstm(units = 1e10), "`units`", "1e\\+10"),
  "41 a misspelt activation" = bad("value", layer_lstm(units = 2, activation = "tahn"), "\"tahn\"", "\"tanh\""),
  "42 an activation that gives another shape" =
    bad("value", layer_lstm(units = 2, activation = function(x) op_sum(x))(x), "activation", "\\[4, 2\\]", "shape \\[\\]"),
  "42 an activation that gives no tensor" =
    bad("value", layer_gru(units = 2, recurrent_activation = function(x) "a")(x), "recurrent_activation", "not \"a\""),
  "43 a misspelt initializer" = bad("value", layer_lstm(units = 2, kernel_initializer = "glorot"), "\"glorot\"",
                                    "glorot_uniform"),
  "43 a misspelt regularizer" = bad("value", layer_gru(units = 2, recurrent_regularizer = "l3"), "\"l3\"", "\"l1\""),
  "43 a misspelt constraint" = bad("value", layer_gru(units = 2, bias_constraint = "nonne"), "\"nonne\"", "\"nonneg\""),
  "44 a rate beyond 1" = bad("value", layer_dropout(rate = 1.2), "at least 0 and at most 1, not 1.2"),
  "44 a missing rate" = bad("value", layer_lstm(units = 2, dropout = NA), "`dropout`", "not NA"),
  "45 a misspelt argument" =
    bad("value", layer_lstm(units = 2, retrun_sequences = TRUE), "retrun", "`return_sequences`"),
  "46 yes for TRUE" = bad("value", layer_lstm(units = 2, return_sequences = "yes"), "TRUE or FALSE, not \"yes\""),
  "46 NA for a flag" = bad("value", layer_lstm(units = 2, stateful = NA), "`stateful`", "TRUE or FALSE, not NA"),
  "46 two flags" = bad("value", layer_gru(units = 2, return_state = c(TRUE, FALSE)), "TRUE or FALSE, not", "length 2"),
  "47 the name of a layer" = bad("value", layer_bidirectional(layer = "lstm"), "must be a layer, not \"lstm\""),
  "47 NULL for a layer" = bad("value", layer_bidirectional(layer = NULL), "must be a layer, not NULL"),
  "47 a function for a layer" = bad("value", layer_bidirectional(layer = layer_lstm), "a function", "with parentheses"),
  "48 a layer that is not recurrent" = bad("config", layer_bidirectional(layer = layer_dense(units = 2)), "Dense",
                                           "go_backwards, return_sequences, and return_state"),
  "49 an unknown merge mode" = bad("value", wrap(merge_mode = "concatenate"), "\"concatenate\"", "\"mul\"", "NULL"),
  "49 NA for a merge mode" = bad("value", wrap(merge_mode = NA), "merge_mode", "not\\s+NA"),
  "49 nothing for a merge mode" = bad("value", wrap(merge_mode = character()), "length 0"),
  "50 a backward layer that is none" = bad("value", wrap(backward_layer = "gru"), "`backward_layer`", "not \"gru\""),
  "51 two layers of one direction" = bad("config", wrap(backward_layer = layer_lstm(units = 2)), "go_backwards",
                                         "both are FALSE"),
  "52 one layer is stateful" =
    bad("config", wrap(backward_layer = layer_lstm(units = 2, go_backwards = TRUE, stateful = TRUE)), "`stateful`",
        "FALSE and TRUE"),
  "52 one layer returns sequences" =
    bad("config", wrap(backward_layer = layer_lstm(units = 2, go_backwards = TRUE, return_sequences = TRUE)),
        "`return_sequences`", "FALSE and TRUE"),
  "52 one layer returns its state" =
    bad("config", wrap(backward_layer = layer_lstm(units = 2, go_backwards = TRUE, return_state = TRUE)),
        "`return_state`", "FALSE and\\s+TRUE"),
  "53 unequal units" =
    bad("config", wrap(backward_layer = layer_gru(units = 3, go_backwards = TRUE), merge_mode = "sum"), "not 2 and 3",
        "\"sum\"", "concat"),
  "54 an odd number of weights" = bad("weights", wrap(weights = get_weights(both)[1:5]), "even number", "not 5"),
  "54 weights of other shapes" = bad("weights", wrap(weights = get_weights(both))(x), "\\[3, 8\\]", "not \\[3, 16\\]"),
  "55 too few weights" =
    bad("weights", set_weights(lstm, get_weights(lstm)[1:2]), "lstm", "3 weights, not 2", "kernel"),
  "56 a transposed matrix" =
    bad("weights", set_weights(lstm, c(list(t(get_weights(lstm)[[1]])), get_weights(lstm)[2:3])),
                                 "kernel", "\\[3, 16\\]", "not\\s+\\[16, 3\\]", "`t\\(\\)`"),
  "57 missing weights in a matrix" =
    bad("weights", set_weights(lstm, c(list(replace(get_weights(lstm)[[1]], 5, NA)), get_weights(lstm)[2:3])), "kernel",
        "element \\[2, 2\\] is NA"),
  "57 a missing weight in a vector" =
    bad("weights", lstm$set_weights(c(get_weights(lstm)[1:2], list(c(0, NaN, rep(0, 14))))), "bias", "element \\[2\\] is NaN"),
  "58 weights before there are any" = bad("state", get_weights(layer_lstm(units = 2)), "not built", "input_shape"),
  "58 counted before there are any" = bad("state", count_params(layer_gru(units = 2)), "not built"),
  "59 fit() before compile()" = bad("state", fit(plain, x, y), "not been compiled", "compile\\(\\)"),
  "59 evaluate() before compile()" = bad("state", evaluate(plain, x, y), "not been compiled"),
  "60 a misspelt loss" = bad("value", compile(model, loss = "msee"), "\"msee\"", "\"mse\""),
  "60 a misspelt optimizer" = bad("value", compile(model, optimizer = "adamm", loss = "mse"), "\"adamm\"", "\"adam\""),
  "61 a rate of 0" = bad("value", optimizer_adam(learning_rate = 0), "positive number", "not\\s+0"),
  "61 a negative rate" = bad("value", optimizer_sgd(learning_rate = -1), "not\\s+-1"),
  "61 an infinite rate" = bad("value", optimizer_adam(learning_rate = Inf), "not\\s+Inf"),
  "61 a missing rate" = bad("value", optimizer_rmsprop(learning_rate = NA), "not\\s+NA"),
  "61 a rate as text" = bad("value", optimizer_adam(learning_rate = "0.1"), "not\\s+\"0.1\""),
  "62 batches of none" = bad("value", fit(model, x, y, batch_size = 0), "`batch_size`", "not 0"),
  "62 batches of one and a half" = bad("value", fit(model, x, y, batch_size = 1.5), "not 1.5"),
  "62 batches of NA" = bad("value", predict(model, x, batch_size = NA), "not NA"),
  "62 batches too large" = bad("value", fit(model, x, y, batch_size = 2^40), "`batch_size`", "not"),
  "62 no epochs" = bad("value", fit(model, x, y, epochs = 0), "`epochs`", "not 0"),
  "62 less than no epochs" = bad("value", fit(model, x, y, epochs = -1), "`epochs`", "not -1"),
  "63 all for validation" = bad("value", fit(model, x, y, validation_split = 1), "leaves 0 samples", "4 for"),
  "63 nothing left to train on" = bad("value", fit(model, x, y, validation_split = 0.99), "leaves 0 samples"),
  "63 less than nothing for validation" = bad("value", fit(model, x, y, validation_split = -0.1), "at least 0"),
  "64 validation data without targets" = bad("type", fit(model, x, y, validation_data = x), "list\\(x, y\\)"),
  "64 validation data of other rows" = bad("shape", fit(model, x, y, validation_data = list(x, 1:3)), "x: 4 and y: 3"),
  "64 validation data of other steps" =
    bad("shape", fit(model, x, y, validation_data = list(array(0, c(2, 9, 3)), 1:2)), "10, not 9"),
  "65 a generator without targets" =
    bad("value", fit(model, function() list(x), steps_per_epoch = 2), "`y` is missing"),
  "66 a callback that is none" = bad("value", fit(model, x, y, callbacks = "stop"), "callback", "not \"stop\""),
  "67 a recurrent layer after a summary" =
    bad("shape", layer_lstm(keras_model_sequential(input_shape = c(10, 3)) |> layer_lstm(units = 2), units = 2), "lstm_1",
        "ndim=3", "ndim=2", "return_sequences = TRUE"),
  "67 two directions after a summary" =
    bad("shape", layer_bidirectional(keras_input(4), layer_gru(units = 2)), "bidirectional", "ndim=3",
        "return_sequences = TRUE"),
  "68 an input that is not connected" = bad("config", keras_model(keras_input(4), layer_dense(keras_input(3), 2)),
                                            "not among\\s+`inputs`"),
  "68 two layers of one name" =
    bad("config", layer_dense(keras_model_sequential(input_shape = 4) |> layer_dense(2, name = "a"), 2, name = "a"), "\"a\""),
  "70 an index below 0" = bad("value", predict(words, matrix(c(1, 2, -1, 3, 4), 1)), "index -1", "number 3", "0..5"),
  "70 an index beyond the last" = bad("value", predict(words, matrix(c(1, 2, 6, 3, 4), 1)), "index 6", "0..5"),
  "71 no such file" = bad("file", load_model("nowhere.keras"), "nowhere.keras", "No such file"),
  "71 another kind of name" = bad("value", load_model(3), "single string, not 3"),
  "73 a name without a known ending" = bad("value", save_model(model, "model.txt"), "keras", "model.txt"),
  "75 a tape of another session" =
    bad("stale", tape_gradients(unserialize(serialize(step$tape, NULL)), step$value, variable),
                                       "tape", "another R session", "record anew"),
  "76 the gradient of a number" = bad("state", tape_gradients(step$tape, 3, variable), "of tensors only"),
  "76 the gradient with respect to a number" =
    bad("state", tape_gradients(step$tape, step$value, 3), "variables", "not to 3",
                                                   "watch"),
  "77 a loss that overflows" = bad("numeric", fit(model, x, rep(1e30, 4)), "The loss is Inf", "epoch 1", "batch 1"),
  "78 no threads" = bad("value", on_threads(0), "whole number of at least 1"),
  "78 threads as text" = bad("value", on_threads("a"), "whole number of at least 1")
)

# What the rows are about: models, layers and data, made once.
bad_input_objects <- function() {
  clear_session(free_memory = FALSE)
  withr::local_seed(1)
  sequential <- function() keras_model_sequential(input_shape = c(10, 3))
  x <- random_array(4, 10, 3)
  models <- list(
    model = sequential() |> layer_lstm(units = 4) |> layer_dense(1),
    sequences = sequential() |> layer_gru(units = 4, return_sequences = TRUE) |> layer_dense(2),
    classes = sequential() |> layer_gru(units = 4) |> layer_dense(3, activation = "softmax"),
    plain = sequential() |> layer_lstm(units = 1),
    fixed = keras_model_sequential(input_batch_shape = c(2, 10, 3)) |> layer_lstm(2, unroll = TRUE, stateful = TRUE),
    words = keras_model_sequential(input_shape = 5) |> layer_embedding(6, 2, mask_zero = TRUE) |> layer_gru(units = 2)
  )
  for (name in c("model", "sequences")) compile(models[[name]], "sgd", loss = "mse")
  compile(models$classes, "sgd", loss = "sparse_categorical_crossentropy")
  layers <- list(
    lstm = layer_lstm(units = 4), gru = layer_gru(units = 4), both = layer_bidirectional(layer = layer_lstm(units = 4)),
    stateful = layer_lstm(units = 4, stateful = TRUE)
  )
  for (layer in layers) layer(x)
  variable <- keras_variable(c(1, 2))
  data <- list(
    x = x, y = rep(0, 4), labels = c(0, 1, 2, 0), state = matrix(0, 4, 4), variable = variable,
    step = with_gradient_tape(op_sum(variable)),
    sparse = if (rlang::is_installed("Matrix")) Matrix::Matrix(0, 10, 3, sparse = TRUE),
    wrap = function(...) layer_bidirectional(layer = layer_lstm(units = 2), ...),
    on_threads = function(threads) {
      withr::local_options(birnn.threads = threads)
      models$model(x)
    }
  )
  list(watched = c(models, layers), env = list2env(c(models, layers, data), parent = environment(bad)))
}

objects <- bad_input_objects()

test_that("bad inputs are refused", {
  withr::local_options(keras.verbose = 0)
  if (is.null(objects$env$sparse)) bad_inputs <- bad_inputs[names(bad_inputs) != "11 a sparse matrix"]
  expect_bad(bad_inputs, objects$env, objects$watched)
})

test_that("the table has every row but those that are tested elsewhere", {
  rows <- as.integer(sub(" .*", "", names(bad_inputs)))
  # 26, 44, 66 and 69 are below; 72 to 74: files, see test-save-files.R and test-save-keras-files.R.
  expect_setequal(setdiff(1:78, rows), c(26, 69, 72, 74))
})

test_that("rows that sum to something else than 1 are warned of once, where classes are asked for", {
  rm(list = intersect(ls(warned), "no-distribution"), envir = warned)
  model <- keras_model_sequential(input_shape = 3) |> layer_dense(2, activation = "softmax")
  compile(model, "sgd", loss = "categorical_crossentropy")
  x <- matrix(0, 3, 3)
  expect_no_warning(fit(model, x, rbind(c(1, 0), c(0.25, 0.75), c(0, 1)), verbose = 0))
  expect_warning(fit(model, x, rbind(c(1, 0), c(1, 1), c(0, 1)), verbose = 0), "row 2 sum to 2", class = "birnn_warning")
  expect_no_warning(fit(model, x, matrix(1, 3, 2), verbose = 0))
})

test_that("recurrent layers take a rate beyond 0 and 1 as the nearer one, as Keras does", {
  expect_identical(layer_lstm(units = 2, dropout = 1.2)$dropout, 1)
  expect_identical(rnn_cell_gru(units = 2, recurrent_dropout = -0.1)$recurrent_dropout, 0)
})

test_that("a callback that fails, or trains its own model, is named with the reason", {
  fails <- callback_lambda(on_epoch_end = function(epoch, logs) stop("my own mistake"))
  condition <- tryCatch(fit(objects$env$model, objects$env$x, rep(0, 4), callbacks = fails, verbose = 0), error = identity)
  expect_match(conditionMessage(condition), "on_epoch_end")
  expect_match(conditionMessage(condition$parent), "my own mistake")
  model <- objects$env$model
  again <- callback_lambda(on_epoch_end = function(epoch, logs) fit(model, objects$env$x, rep(0, 4), verbose = 0))
  condition <- tryCatch(fit(model, objects$env$x, rep(0, 4), callbacks = again, verbose = 0), error = identity)
  expect_s3_class(condition, "birnn_error_busy")
  expect_match(conditionMessage(condition$parent), "while fit\\(\\) runs")
})
