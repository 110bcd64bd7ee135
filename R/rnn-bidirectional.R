# Bidirectional: a recurrent layer that reads sequences in both directions (level 5).

# Checked all together, in Keras' order, by check_directions().
arg_direction <- function(field) argument(function(x, arg, call) x, load = as_layer_argument, field = field)

Bidirectional <- R6::R6Class("Bidirectional",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    arguments = list(
      merge_mode = argument(function(x, arg, call) x),
      layer = arg_direction("forward_layer"),
      backward_layer = arg_direction("backward_layer"),
      weights = argument(function(x, arg, call) x, save = NULL, field = "initial_weights")
    ),
    supports_masking = TRUE,
    forward_layer = NULL,
    backward_layer = NULL,

    initialize = function(..., .call = rlang::caller_env()) {
      check_directions(list(...), .call)
      layer <- list(...)[["layer"]]
      forward <- clone_direction(layer, "forward_", call = .call)
      backward <- if (is.null(list(...)[["backward_layer"]])) {
        clone_direction(layer, "backward_", list(go_backwards = TRUE), .call)
      }
      super$initialize(..., .call = .call)
      self$forward_layer <- forward
      if (!is.null(backward)) self$backward_layer <- backward
      self$return_sequences <- isTRUE(layer$return_sequences)
      self$return_state <- isTRUE(layer$return_state)
      self$stateful <- isTRUE(layer$stateful)
      self$input_spec <- self$forward_layer$input_spec %||% list(min_ndim = 3L, hint = sequence_hint)
      self$prepare_directions()
    },

    # Masked steps give zeros in both directions, so that they are zero in whatever is made of the two.
    prepare_directions = function() {
      layers <- self$sublayers()
      for (layer in layers) set_if_present(layer, "zero_output_for_mask", self$return_sequences)
      if (is.null(self$initial_weights)) return(invisible())
      halves <- split(self$initial_weights, rep(1:2, each = length(self$initial_weights) %/% 2L))
      for (k in 1:2) assign("initial_weights", unname(halves[[k]]), envir = layer_object(layers[[k]]))
    },

    build = function(input_shape) {
      directions <- lapply(self$sublayers(), layer_object)
      for (layer in directions) build_layer(layer, input_shape)
      do.call(separate_streams, directions)
      self$input_spec <- directions[[1L]]$input_spec %||% self$input_spec
      if (is.null(self$initial_weights)) return(invisible())
      # Both halves are checked before either is written.
      values <- lapply(directions, function(layer) {
        checked_weights(layer_variables(layer), layer$initial_weights, layer$name, NULL)
      })
      for (k in 1:2) Map(set_variable, layer_variables(directions[[k]]), values[[k]])
    },

    call = function(sequences, initial_state = NULL, mask = NULL, training = FALSE) {
      forward <- layer_object(self$forward_layer)
      backward <- layer_object(self$backward_layer)
      check_steps(self, tensor_shape(sequences))
      mask <- as_sequence_mask(self, mask, tensor_shape(sequences)[1:2])
      initial_state <- split_initial_state(self, forward, backward, initial_state)
      run <- if (run_together(forward, backward)) call_together else call_separately
      result <- run(self, forward, backward, sequences, initial_state, mask, training)
      states <- if (self$return_state) c(result$states[[1L]], result$states[[2L]])
      if (is.null(self$merge_mode) || self$return_state) c(result$outputs, states) else result$outputs[[1L]]
    },

    compute_mask = function(inputs, mask = NULL) {
      if (is_plain_list(mask)) mask <- mask[[1L]]
      output_mask <- list(if (self$return_sequences) mask)
      if (is.null(self$merge_mode)) rep(output_mask, 2L) else output_mask
    },

    compute_output_shape = function(input_shape) {
      shapes <- lapply(self$sublayers(), function(layer) {
        shape <- layer$compute_output_shape(input_shape)
        if (self$return_state) shape else list(shape)
      })
      outputs <- lapply(shapes, `[[`, 1L)
      states <- c(shapes[[1L]][-1L], shapes[[2L]][-1L])
      if (is.null(self$merge_mode)) return(c(outputs, states))
      merged <- outputs[[1L]]
      last <- length(merged)
      if (self$merge_mode == "concat") merged[[last]] <- merged[[last]] + outputs[[2L]][[last]]
      if (self$return_state) c(list(merged), states) else merged
    },

    sublayers = function() list(self$forward_layer, self$backward_layer),

    reset_state = function() {
      if (!self$stateful) {
        birnn_abort(
          c("Layer {.val {self$name}} must be stateful to have its states reset.",
            i = "Wrap a layer with {.code stateful = TRUE}."),
          kind = "state", call = NULL
        )
      }
      super$reset_state()
    }
  ),

  active = list(
    # The states kept by the forward layer, then those of the backward layer; NULL if none are kept.
    states = function() {
      states <- lapply(self$sublayers(), function(layer) layer$states)
      if (!any(vapply(states, is.null, logical(1)))) c(states[[1L]], states[[2L]])
    }
  )
)

#' Bidirectional recurrent layer
#'
#' Reads sequences in both directions: one recurrent layer goes through the steps from first to last, a second one from
#' last to first, and their outputs are combined.
#'
#' @param object What to combine the layer with: nothing (the layer is returned), a sequential model, a tensor, an array
#'   or a [keras_input()].
#' @param layer A recurrent layer such as [layer_lstm()], [layer_gru()] or [layer_simple_rnn()], or another layer that
#'   meets the criteria below. It must be a layer (`layer_lstm(units = 32)`), not the function that makes it.
#' @param merge_mode How the outputs of the two directions are combined: `"concat"` along the last axis, forward first;
#'   `"sum"`; `"mul"`, the product; `"ave"`, the average. With `NULL` they are not combined, but returned as a list.
#' @param weights A list of arrays that the weights start from: the first half for the forward layer, the second half
#'   for the backward layer, in the order of [get_weights()]. They are kept as `initial_weights` of the two layers and
#'   written when the layer is built. They are not part of the config.
#' @param backward_layer The layer for the other direction; by default it is made from `layer` with
#'   `go_backwards = TRUE`. It must have the same values of `stateful`, `return_state` and `return_sequences` as `layer`
#'   and another value of `go_backwards`, otherwise a `ValueError` is raised. The layer given is used as it is.
#' @param ... Arguments of every layer, see [layer_dense()]: `name`, `trainable`, `dtype`, ...; anything else is an
#'   error.
#' @return
#' * If `object` is missing or `NULL`: the layer, a function that can be called on inputs.
#' * If `object` is a sequential model: that model with the layer added, invisibly.
#' * If `object` is a tensor, an array or a `keras_input()`: the output of the layer. That is a tensor, `(batch, units)`
#'   or with `return_sequences = TRUE` `(batch, time, units)`, where units are twice those of `layer` for `"concat"`; or
#'   a list of the forward and the backward output if `merge_mode = NULL`. With `return_state = TRUE` it is always a
#'   list, and the final states follow: first those of the forward layer, then those of the backward layer.
#' @section Criteria for layer:
#' Besides the recurrent layers of this package, `layer` and `backward_layer` may be any layer that
#' * processes sequences: takes inputs of three or more axes, `(batch, time, ...)`;
#' * has `go_backwards`, `return_sequences` and `return_state`, with the same meaning as in [layer_lstm()];
#' * has an `input_spec` (`NULL` counts);
#' * has `get_config()` and `from_config()` that keep every argument it was made with: the two directions are made from
#'   the config of `layer`.
#'
#' A missing `stateful` means `FALSE`. `mask` and `training` are passed on if the layer's `call` has them. If the layer
#' has no `zero_output_for_mask`, masked steps are set to zero for it; NaN in masked steps has no effect. The two
#' directions draw different random numbers, also if both have a [random_seed_generator()] with the same seed. [Layer()]
#' makes such layers: by default their config keeps every argument they were made with.
#' @section Call arguments:
#' Those of the wrapped layer: `bidirectional(sequences, initial_state = NULL, mask = NULL, training = FALSE)`.
#' * `initial_state`: a list of states; the first half is for the forward layer, the second for the backward layer (for
#'   an LSTM: forward h, forward c, backward h, backward c).
#' * `mask`: logicals `(batch, time)`, `FALSE` for steps to skip in both directions; by default that of the input,
#'   unless `initial_state` is given. With `return_sequences = TRUE` the outputs of masked steps are zero, whatever
#'   `zero_output_for_mask` was, and the mask travels on with the output.
#' * `training`: whether dropout is active.
#' @section States:
#' With `stateful = TRUE` in `layer`, each batch goes on from the final states of the last one. `layer$states` are those
#' of the forward layer, then those of the backward layer, and [reset_state()] puts them back to zero; without
#' `stateful = TRUE` it is an error.
#' @note Both directions start with fresh weights: `layer` only says how they are made. It stays as it is, its weights
#' are not copied, and training the bidirectional layer does not change it. The new layers are
#'   `bidirectional$forward_layer` and `bidirectional$backward_layer`, called `forward_` and `backward_` and the name of
#'   `layer`.
#' @source <https://keras.io/api/layers/recurrent_layers/bidirectional/>
#' @references
#' Schuster, M. and Paliwal, K. K. (1997). Bidirectional recurrent neural networks. *IEEE Transactions on Signal
#' Processing* 45(11). \doi{10.1109/78.650093}
#' @family rnn layers
#' @seealso [layer_simple_rnn()], [layer_lstm()], [layer_gru()], [layer_rnn()], [layer_conv_lstm_1d()],
#'   [layer_conv_lstm_2d()], [layer_conv_lstm_3d()], the layers to wrap; [rnn_cell_simple()], [rnn_cell_lstm()],
#'   [rnn_cell_gru()], [rnn_cells_stack()], the cells of [layer_rnn()]; [layer_time_distributed()]; [reset_state()].
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(5, 10)) %>%
#'   layer_bidirectional(layer_lstm(units = 10, return_sequences = TRUE)) %>%
#'   layer_bidirectional(layer_lstm(units = 10)) %>%
#'   layer_dense(5, activation = "softmax")
#' model %>% compile(loss = "categorical_crossentropy", optimizer = "rmsprop")
#' x <- array(rnorm(8 * 5 * 10), c(8, 5, 10))
#' y <- to_categorical(rep(0:3, 2), num_classes = 5)
#' model %>% fit(x, y, epochs = 2, verbose = 0)
#'
#' # A backward layer of its own
#' forward_layer <- layer_lstm(units = 10, return_sequences = TRUE)
#' backward_layer <- layer_lstm(
#'   units = 10, activation = "relu", return_sequences = TRUE, go_backwards = TRUE
#' )
#' model <- keras_model_sequential(input_shape = c(5, 10)) %>%
#'   layer_bidirectional(forward_layer, backward_layer = backward_layer) %>%
#'   layer_dense(5, activation = "softmax")
#' model %>% compile(loss = "categorical_crossentropy", optimizer = "rmsprop")
#' y <- array(y[rep(1:8, 5), ], c(8, 5, 5))
#' model %>% fit(x, y, epochs = 2, verbose = 0)
#'
#' # Both directions and their final states
#' both <- layer_bidirectional(layer = layer_gru(units = 4, return_state = TRUE), merge_mode = NULL)
#' c(forward, backward, forward_state, backward_state) %<-% both(x)
#' dim(forward)
#'
#' # A recurrent layer of one's own: a decaying sum of the steps
#' layer_decay <- Layer("Decay",
#'   initialize = function(go_backwards = FALSE, return_sequences = FALSE, return_state = FALSE, ...) {
#'     super$initialize(...)
#'     self$go_backwards <- go_backwards
#'     self$return_sequences <- return_sequences
#'     self$return_state <- return_state
#'   },
#'   build = function(input_shape) {
#'     self$rate <- self$add_weight(shape = tail(input_shape, 1), initializer = "zeros")
#'   },
#'   call = function(sequences) {
#'     steps <- op_unstack(sequences, axis = 2)
#'     if (self$go_backwards) steps <- rev(steps)
#'     sums <- Reduce(function(sum, step) sum * op_sigmoid(self$rate) + step, steps, accumulate = TRUE)
#'     last <- sums[[length(sums)]]
#'     output <- if (self$return_sequences) op_stack(sums, axis = 2) else last
#'     if (self$return_state) list(output, last) else output
#'   }
#' )
#' dim(layer_bidirectional(x, layer_decay(return_sequences = TRUE)))
layer_bidirectional <- function(object, layer, merge_mode = "concat", weights = NULL, backward_layer = NULL, ...) {
  create_layer("Bidirectional", object, capture_args())
}

#' @rdname layer_bidirectional
#' @export
bidirectional <- layer_bidirectional

register_layer(Bidirectional, layer_bidirectional)
