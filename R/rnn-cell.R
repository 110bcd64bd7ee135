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
# `gates`, `state_names` and the equations `step(x, states, masks)`.
RecurrentCell <- R6::R6Class("RecurrentCell",
  inherit = BaseLayer, lock_objects = FALSE, cloneable = FALSE,
  public = list(
    input_spec = list(ndim = 2L, hint = "A cell computes one step: its inputs are (batch, features)."),
    # Name of the cell in the compiled core.
    kind = NULL,
    gates = 1L,
    state_names = "h",
    kernel = NULL,
    recurrent_kernel = NULL,
    bias = NULL,
    seed_generator = NULL,
    # Dropout masks of earlier calls: list(x, h, trace).
    kept_masks = NULL,

    initialize = function(..., .call = rlang::caller_env()) {
      super$initialize(..., .call = .call)
      self$seed_from(self$seed)
    },

    # A stream of its own for each direction: the two layers of a bidirectional one may have the same seed.
    seed_from = function(seed, backwards = FALSE) {
      if (self$dropout == 0 && self$recurrent_dropout == 0) return(invisible())
      if (!is.null(seed) && backwards) seed <- backward_seed(seed)
      self$seed_generator <- new_seed_generator(seed)
    },

    build = function(input_shape) {
      shapes <- self$weight_shapes(input_shape)
      add <- function(role, shape, initializer, name) {
        self$add_weight(shape, initializer, regularizer = self[[paste0(role, "_regularizer")]],
                        constraint = self[[paste0(role, "_constraint")]], name = name)
      }
      self$kernel <- add("kernel", shapes$kernel, self$kernel_initializer, "kernel")
      self$recurrent_kernel <- add(
        "recurrent", shapes$recurrent_kernel, self$recurrent_initializer, "recurrent_kernel"
      )
      if (self$use_bias) self$bias <- add("bias", self$bias_shape(), self$bias_start(), "bias")
      self$input_spec$axes <- c("-1" = input_shape[[length(input_shape)]])
    },

    weight_shapes = function(input_shape) {
      width <- self$gates * self$units
      list(kernel = c(known_features(self, input_shape), width), recurrent_kernel = c(self$units, width))
    },

    bias_shape = function() self$gates * self$units,
    bias_start = function() self$bias_initializer,

    call = function(inputs, states, training = FALSE) {
      if (missing(states)) states <- list()
      is_single <- !is_plain_list(states)
      states <- as_cell_states(self, states, inputs)
      result <- self$step(inputs, states, if (training) self$dropout_masks(inputs))
      if (is_single) list(result[[1L]], result[[2L]][[1L]]) else result
    },

    # The two activations in the equations.
    activate = function(x) activate(self, x, keeps_units = TRUE),
    open_gate = function(x) activate(self, x, "recurrent_activation", keeps_units = TRUE),

    # Zeros for `batch_size` rows.
    get_initial_state = function(batch_size = NULL) zero_states(self, batch_size),

    # Masks stay the same over the steps of a sequence, until they are reset. Those that were drawn while a plan was
    # traced are of no use after it.
    dropout_masks = function(inputs) {
      kept <- if (identical(self$kept_masks$trace, current_trace())) self$kept_masks
      kept$trace <- current_trace()
      kept$x <- kept$x %||% input_dropout(self, inputs)
      kept$h <- kept$h %||% state_dropout(self, inputs)
      check_kept_masks(self, kept, inputs)
      if (!is_graph_tensor(inputs)) self$kept_masks <- kept
      kept[c("x", "h")]
    },
    # Without recurrent dropout the gates share one mask, with it each gate has its own, as in Keras.
    mask_count = function() if (self$recurrent_dropout > 0) self$gates else 1L,
    # Sizes of masks after the batch axis; they may refer to those of `inputs`, see same_size_as().
    mask_sizes = function(inputs) list(x = same_size_as(tensor_rank(inputs) - 1), h = self$units),
    reset_dropout_mask = function() self$kept_masks["x"] <- NULL,
    reset_recurrent_dropout_mask = function() self$kept_masks["h"] <- NULL,

    # Whether the compiled core computes the very same: it knows the cell's own equations, and by name the elementwise
    # activations of Keras. Everything else runs step by step (rnn-scan.R).
    is_compiled = function() {
      is_elementwise_activation(self$activation) &&
        (is.null(self$recurrent_activation) || is_elementwise_activation(self$recurrent_activation)) &&
        is.null(self$activity_regularizer) && all(vapply(step_methods, is_own_method, NA, self = self))
    },

    # The cell with its weights, states and masks as one direction of op_recurrent().
    direction = function(sequences, states, training, go_backwards, zero_output_for_mask) {
      list(
        cell = self$kind, units = self$units, activation = activation_name(self$activation),
        recurrent_activation = activation_name(self$recurrent_activation) %||% "linear",
        reset_after = isTRUE(self$reset_after), go_backwards = go_backwards,
        zero_output_for_mask = zero_output_for_mask, kernel = self$kernel, recurrent_kernel = self$recurrent_kernel,
        bias = self$bias, states = states,
        x_dropout = if (training) input_dropout(self, sequences),
        h_dropout = if (training) state_dropout(self, sequences)
      )
    },

    seed_variables = function() if (is.null(self$seed_generator)) list() else list(self$seed_generator$state)
  ),

  active = list(
    state_size = function() {
      count <- length(self$state_names)
      if (count == 1L) self$units else rep(list(self$units), count)
    },
    output_size = function() self$units
  )
)

# The seed of the other direction's stream.
backward_seed <- function(seed) bitwXor(as.integer(seed), 0x2545f491L)

# What a subclass may redefine so that the compiled core no longer computes the same.
step_methods <- c("call", "step", "direction", "dropout_masks", "reset_after_product", "reset_before_product")

# Whether method `name` of a cell is still that of the built-in cell of its kind.
is_own_method <- function(name, self) {
  generator <- switch(self$kind, simple_rnn = SimpleRNNCell, lstm = LSTMCell, gru = GRUCell)
  builtin <- generator$public_methods[[name]] %||% RecurrentCell$public_methods[[name]]
  is.null(builtin) || identical(body(self[[name]]), body(builtin))
}

check_kept_masks <- function(cell, kept, inputs) {
  masks <- kept$x %||% kept$h
  if (is.null(masks)) return(invisible())
  drawn_for <- tensor_shape(masks)[[2L]]
  received <- tensor_shape(inputs)[[1L]]
  if (!isTRUE(drawn_for != received)) return(invisible())
  birnn_abort(
    c("Cell {.val {cell$name}} has drawn its dropout for {drawn_for} row{?s}, it received {received}.",
      i = "{.code cell$reset_dropout_mask()} and {.code cell$reset_recurrent_dropout_mask()} let it draw anew."),
    kind = "state", call = NULL
  )
}

# Dropout masks: for the inputs (n, batch, features) and for the state (n, batch, units), NULL where the rate is 0;
# n is 1 or the number of gates.
input_dropout <- function(cell, inputs) draw_dropout(cell, inputs, cell$dropout, "x")

state_dropout <- function(cell, inputs) draw_dropout(cell, inputs, cell$recurrent_dropout, "h")

draw_dropout <- function(cell, inputs, rate, what) {
  if (rate == 0) return(NULL)
  sizes <- c(same_size_as(0), cell$mask_sizes(inputs)[[what]])
  attrs <- list(rate = rate, shape = sizes, count = cell$mask_count())
  apply_op("dropout_mask", list(next_seed(cell$seed_generator), inputs), attrs)
}

# (batch, n) %*% (n, gates * units), `x` multiplied before by its one mask or, gate by gate, by the mask of each gate.
# `product`: how x and kernel are put together.
project_gates <- function(x, kernel, masks, gates, product = op_matmul) {
  if (is.null(masks)) return(product(x, kernel))
  masked <- lapply(op_unstack(masks, axis = 1L), function(mask) op_multiply(x, mask))
  if (length(masked) == 1L) return(product(masked[[1L]], kernel))
  op_concatenate(Map(product, masked, op_split(kernel, gates, axis = -1L)), axis = -1L)
}

add_bias <- function(x, bias) if (is.null(bias)) x else op_add(x, bias)
