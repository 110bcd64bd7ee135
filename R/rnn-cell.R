# What the built-in recurrent cells share: arguments, weights, dropout masks, the way into the compiled core (level 5).

# The arguments of a cell; `between` names further ones and what they come after.
recurrent_arguments <- function(between = list()) {
  arguments <- list(
    units = arg_units, activation = arg_activation, use_bias = arg_flag,
    kernel_initializer = arg_initializer, recurrent_initializer = arg_initializer, bias_initializer = arg_initializer,
    kernel_regularizer = arg_regularizer, recurrent_regularizer = arg_regularizer, bias_regularizer = arg_regularizer,
    kernel_constraint = arg_constraint, recurrent_constraint = arg_constraint, bias_constraint = arg_constraint,
    dropout = arg_clamped_rate, recurrent_dropout = arg_clamped_rate, seed = arg_whole(allow_null = TRUE)
  )
  insert_arguments(arguments, between)
}

insert_arguments <- function(arguments, between) {
  for (after in names(between)) arguments <- append(arguments, between[[after]], match(after, names(arguments)))
  arguments
}

# A cell computes one step: call(inputs, states, training) -> list(output, list(states)). Subclasses give `kind`,
# `gates`, `n_states` and the equations `step(x, states, masks)`.
RecurrentCell <- R6::R6Class("RecurrentCell",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    # Name of the cell in the compiled core.
    kind = NULL,
    gates = 1L,
    n_states = 1L,
    kernel = NULL,
    recurrent_kernel = NULL,
    bias = NULL,
    seed_generator = NULL,
    # Masks kept between calls by hand.
    kept_masks = NULL,

    initialize = function(...) {
      super$initialize(...)
      self$seed_from(self$seed)
    },

    # A stream of its own for each direction: the two layers of a bidirectional one may have the same seed.
    seed_from = function(seed, backwards = FALSE) {
      if (self$dropout == 0 && self$recurrent_dropout == 0) return(invisible())
      if (!is.null(seed) && backwards) seed <- bitwXor(seed, 0x2545f491L)
      self$seed_generator <- new_seed_generator(seed)
    },

    build = function(input_shape) {
      features <- known_features(self, input_shape)
      add <- function(role, shape, initializer, name) {
        self$add_weight(shape, initializer, regularizer = self[[paste0(role, "_regularizer")]],
                        constraint = self[[paste0(role, "_constraint")]], name = name)
      }
      width <- self$gates * self$units
      self$kernel <- add("kernel", c(features, width), self$kernel_initializer, "kernel")
      self$recurrent_kernel <- add("recurrent", c(self$units, width), self$recurrent_initializer, "recurrent_kernel")
      if (self$use_bias) self$bias <- add("bias", self$bias_shape(), self$bias_start(), "bias")
    },

    bias_shape = function() self$gates * self$units,
    bias_start = function() self$bias_initializer,

    call = function(inputs, states, training = FALSE) {
      is_single <- !is_plain_list(states)
      if (is_single) states <- list(states)
      result <- self$step(inputs, states, if (training) self$dropout_masks(inputs))
      if (is_single) list(result[[1L]], result[[2L]][[1L]]) else result
    },

    # Zeros for `batch_size` rows.
    get_initial_state = function(batch_size = NULL) {
      lapply(seq_len(self$n_states), function(k) op_zeros(c(batch_size, self$units), self$dtype))
    },

    # Masks stay the same over the steps of a sequence, until they are reset.
    dropout_masks = function(inputs) {
      masks <- self$kept_masks %||% new_dropout_masks(self, inputs)
      if (!any(vapply(flatten_structure(masks), is_symbolic, logical(1)))) self$kept_masks <- masks
      masks
    },
    reset_dropout_mask = function() self$kept_masks <- NULL,
    reset_recurrent_dropout_mask = function() self$kept_masks <- NULL,

    # Whether the compiled core can run the cell: it knows the elementwise activations of Keras by name. Any other
    # function runs step by step (rnn-scan.R).
    is_compiled = function() {
      is_elementwise_activation(self$activation) &&
        (is.null(self$recurrent_activation) || is_elementwise_activation(self$recurrent_activation))
    },

    # The cell with its weights, states and masks as one direction of op_recurrent().
    direction = function(sequences, states, training, go_backwards, zero_output_for_mask) {
      masks <- if (training) new_dropout_masks(self, sequences)
      list(
        cell = self$kind, units = self$units, activation = activation_name(self$activation),
        recurrent_activation = activation_name(self$recurrent_activation) %||% "linear",
        reset_after = isTRUE(self$reset_after), go_backwards = go_backwards,
        zero_output_for_mask = zero_output_for_mask, kernel = self$kernel, recurrent_kernel = self$recurrent_kernel,
        bias = self$bias, states = states, x_dropout = masks$x, h_dropout = masks$h
      )
    },

    seed_variables = function() if (is.null(self$seed_generator)) list() else list(self$seed_generator$state)
  ),

  active = list(
    state_size = function() if (self$n_states == 1L) self$units else rep(list(self$units), self$n_states),
    output_size = function() self$units
  )
)

# Masks for the inputs (n, batch, features) and for the state (n, batch, units), NULL where the rate is 0. Without
# recurrent dropout the gates share one mask (n = 1), with it each gate has its own, as in Keras.
new_dropout_masks <- function(cell, inputs) {
  count <- if (cell$recurrent_dropout > 0) cell$gates else 1L
  batch <- same_size_as(0)
  features <- same_size_as(tensor_rank(inputs) - 1)
  draw <- function(rate, sizes) {
    if (rate == 0) return(NULL)
    attrs <- list(rate = rate, shape = sizes, count = count)
    apply_op("dropout_mask", list(next_seed(cell$seed_generator), inputs), attrs)
  }
  list(x = draw(cell$dropout, c(batch, features)), h = draw(cell$recurrent_dropout, c(batch, cell$units)))
}

# (batch, n) %*% (n, gates * units), `x` multiplied before by its one mask or, gate by gate, by the mask of each gate.
project_gates <- function(x, kernel, masks, gates) {
  if (is.null(masks)) return(op_matmul(x, kernel))
  masked <- lapply(op_unstack(masks, axis = 1L), function(mask) op_multiply(x, mask))
  if (length(masked) == 1L) return(op_matmul(masked[[1L]], kernel))
  op_concatenate(Map(op_matmul, masked, op_split(kernel, gates, axis = 2L)), axis = 2L)
}

add_bias <- function(x, bias) if (is.null(bias)) x else op_add(x, bias)
