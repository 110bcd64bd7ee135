# The package's own help page and what NAMESPACE needs for the compiled code (level 9).

#' birnn: bidirectional recurrent neural networks with the Keras interface
#'
#' Builds, trains and applies recurrent neural networks natively: the layers, argument names and numbers are those
#' of Keras, the core is C++ with Armadillo. No Python is involved and nothing is downloaded after installation.
#'
#' @section Where to start:
#' * `vignette("first-model")`, `vignette("working-with-rnns")`, `vignette("masks-and-padding")`,
#'   `vignette("custom-layers")` and `vignette("models-as-files")`, if the package was built with its vignettes.
#' * [keras_model_sequential()] and [layer_bidirectional()] build a model, [layer_lstm()], [layer_gru()] and
#'   [layer_simple_rnn()] are the recurrent layers it can wrap.
#' * [compile()][compile.birnn_model], [fit()][fit.birnn_model], [evaluate()][evaluate.birnn_model] and
#'   [predict()][predict.birnn_model] train and apply it.
#' * [dataset_japanese_vowels()] is the data set of the examples, [pad_sequences()] turns sequences of different
#'   lengths into one array.
#'
#' @section Conventions:
#' Arrays have the axis order of Keras: `(batch, time, features)`. Axes and indices are counted from 1 in R. Numbers
#' are single precision unless [config_set_floatx()] says otherwise. `set.seed()` alone makes a result reproducible,
#' whatever the number of threads.
#'
#' @section Options:
#' * `birnn.threads`: threads used by recurrent layers; at most two by default.
#' * `birnn.isa`, or the environment variable `BIRNN_ISA`: a lower instruction set than the processor's best, `"base"`,
#'   `"avx2"` or `"avx512"`; read when the package is loaded.
#' * `birnn.nonfinite`: `"warn"` lets `fit()` go on after a loss that is not finite; by default it stops.
#'
#' @references
#' Schuster, M. and Paliwal, K. K. (1997). Bidirectional recurrent neural networks. *IEEE Transactions on Signal
#' Processing* 45(11). \doi{10.1109/78.650093}
#'
#' Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. *Neural Computation* 9(8).
#' \doi{10.1162/neco.1997.9.8.1735}
#'
#' Cho, K. et al. (2014). Learning phrase representations using RNN encoder-decoder for statistical machine
#' translation. *EMNLP*. \doi{10.3115/v1/D14-1179}
#'
#' @keywords internal
#' @useDynLib birnn, .registration = TRUE
#' @importFrom R6 R6Class
#' @importFrom Rcpp evalCpp
#' @importFrom rlang .data
"_PACKAGE"

# What R6 and Layer() put around methods.
utils::globalVariables(c("self", "super", "private"))
