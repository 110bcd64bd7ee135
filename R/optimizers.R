# Optimizers: the base class, arguments they share, slots, look-up (level 3). The update rules are src/optimizer.cpp;
# which slots and numbers a rule needs is said in optimizers-*.R.

Optimizer <- R6::R6Class("Optimizer",
  inherit = ConfigObject, cloneable = FALSE, lock_objects = FALSE,
  public = list(
    name = NULL,
    # Counts the calls of apply(); with gradient accumulation several calls make one update.
    iteration = NULL,
    # The rule's name in the core.
    kind = NULL,
    # Names of the rule's slots in Keras' order: the slots of one group stand together variable by variable.
    slot_groups = list(),
    slot_start = 0,
    # Variables of the rule that belong to no weight.
    extra = list(),
    # Known weights, and for each a named list of slot Variables.
    tracked = list(),
    slots = list(),
    built = FALSE,
    # The learning rate in use, and if it is not a plain number what was given and a function of the step.
    rate = NULL,
    schedule = NULL,
    rate_at = NULL,

    initialize = function(class_name, kind, config, slot_groups, slot_start = 0, extra = list()) {
      super$initialize(class_name, config)
      self$name <- config$name
      self$kind <- kind
      self$slot_groups <- compact(slot_groups)
      self$slot_start <- slot_start
      self$extra <- extra
      self$iteration <- new_variable(0L, dtype = "int32", trainable = FALSE, name = "iteration",
                                     path = paste0(snake_case(config$name), "/iteration"))
      self$rate <- new_variable(0, dtype = floatx(), trainable = FALSE, name = "learning_rate",
                                path = paste0(snake_case(config$name), "/learning_rate"))
      self$set_rate(config$learning_rate)
    },

    # A number, or what computes it at every step.
    set_rate = function(value) {
      self$schedule <- if (is_rate_function(value)) value
      self$rate_at <- if (!is.null(self$schedule)) rate_function(self$schedule)
      if (is.null(self$schedule)) set_variable(self$rate, value) else self$refresh_rate()
    },

    # Brings the learning rate up to date before an update.
    refresh_rate = function() {
      if (is.null(field(self, "rate_at"))) return(invisible())
      set_variable(self$rate, self$rate_at(as.numeric(self$iteration)))
    },

    # Makes the slots of weights that are not known yet.
    build = function(variables) {
      for (variable in variables) {
        if (self$index_of(variable) > 0) next
        self$tracked <- c(self$tracked, list(variable))
        self$slots <- c(self$slots, list(new_slots(self, variable)))
      }
      self$built <- TRUE
      invisible(self$handle)
    },

    index_of = function(variable) position_of(variable, self$tracked),

    # The slots of just these weights: some may have been frozen since the optimizer was built, or set free.
    slots_of = function(variables) {
      self$build(variables)
      lapply(variables, function(variable) self$slots[[self$index_of(variable)]])
    },

    # Numbers and words for the core.
    spec = function() {
      c(list(kind = self$kind), compact(self$config[setdiff(names(self$config), c("name", "learning_rate"))]))
    },

    apply = function(grads, variables = self$tracked) {
      optimizer_apply(self$handle, variables, grads)
      invisible(self$iterations)
    },

    # The older form: a list of pairs list(gradient, variable).
    apply_gradients = function(grads_and_vars) {
      self$apply(lapply(grads_and_vars, `[[`, 1L), lapply(grads_and_vars, `[[`, 2L))
    },

    # With use_ema the weights become their moving averages when training ends.
    finalize = function(variables = self$tracked) {
      if (!isTRUE(self$config$use_ema)) return(invisible())
      for (variable in variables) {
        known <- self$index_of(variable)
        if (known > 0) assign_variable(variable, variable_value(self$slots[[known]]$average))
      }
    },

    get_config = function() {
      config <- self$config
      config$learning_rate <- self$schedule %||% as.numeric(self$rate)
      config
    },

    `__call__` = function(grads, variables = self$tracked) self$apply(grads, variables)
  ),

  active = list(
    learning_rate = function(value) {
      if (missing(value)) {
        self$refresh_rate()
        return(self$rate)
      }
      if (identical(value, self$rate)) return(invisible())
      if (!is.null(self$schedule)) abort_scheduled()
      self$set_rate(if (is_tensor_like(value) || is_rate_function(value)) value else check_rate_value(value))
    },
    # The number of updates done.
    iterations = function() {
      every <- self$config$gradient_accumulation_steps
      if (is.null(every)) self$iteration else op_floor_divide(self$iteration, every)
    },
    variables = function() optimizer_variables(self)
  )
)

# Where `variable` stands in a list of variables, 0 if it is not there.
position_of <- function(variable, variables) {
  for (k in seq_along(variables)) if (identical(variables[[k]], variable)) return(k)
  0L
}

abort_scheduled <- function() {
  birnn_abort(
    c("The learning rate of this optimizer comes from a schedule or a function: it cannot be set.",
      i = "Give the optimizer a number as {.arg learning_rate} to be able to change it."),
    kind = "type", call = NULL
  )
}

slot_names <- function(self) {
  c(
    if (isTRUE(self$config$use_ema)) "average",
    if (!is.null(self$config$gradient_accumulation_steps)) "gradient_accumulator",
    unlist(self$slot_groups)
  )
}

new_slots <- function(self, variable) {
  path <- gsub("/", "_", variable_field(variable, "path"), fixed = TRUE)
  lapply(rlang::set_names(as.character(slot_names(self))), function(slot) {
    start <- if (slot %in% unlist(self$slot_groups)) self$slot_start else 0
    name <- paste0(path, "_", slot)
    new_variable(op_full_like(variable, start), trainable = FALSE, name = name,
                 path = paste0(snake_case(self$name), "/", name))
  })
}

# In Keras' order: counters, averages, accumulators, then the rule's own slots group by group.
optimizer_variables <- function(self) {
  groups <- c(as.list(setdiff(slot_names(self), unlist(self$slot_groups))), self$slot_groups)
  by_group <- lapply(groups, function(group) lapply(self$slots, function(slots) unname(slots[group])))
  slots <- unlist(unlist(by_group, recursive = FALSE), recursive = FALSE)
  c(list(self$iteration), if (is.null(self$schedule)) list(self$rate), slots, unname(self$extra))
}

# --- arguments ----------------------------------------------------------------------------------------------------

# A positive number, a schedule, or a function. A schedule may come as a config.
check_learning_rate <- function(x, call) {
  if (is_object_config(x)) return(object_from_config(x, "schedule", call = call))
  if (is_rate_function(x)) return(x)
  if (is.integer(x)) {
    birnn_abort(
      c("{.arg learning_rate} must be a floating point number, not the integer {.val {x}}.",
        i = "Write {.code 1} instead of {.code 1L}."),
      call = call
    )
  }
  if (!is_single_number(x) || !is.finite(x) || x <= 0) {
    stop_not("a positive number, a schedule or a function", x, "learning_rate", call)
  }
  x
}

check_positive <- function(x, arg, call) {
  value <- check_number(x, min = 0, allow_null = TRUE, arg = arg, call = call)
  if (identical(value, 0)) stop_not("a positive number or NULL", x, arg, call)
  value
}

# The arguments that all optimizers share, in the order of Keras' configs.
common_settings <- function(args, call) {
  check_one_clipping(args, call)
  list(
    name = check_string(args$name, arg = "name", call = call),
    learning_rate = check_learning_rate(args$learning_rate, call),
    weight_decay = check_number(args$weight_decay, min = 0, allow_null = TRUE, arg = "weight_decay", call = call),
    clipnorm = check_positive(args$clipnorm, "clipnorm", call),
    global_clipnorm = check_positive(args$global_clipnorm, "global_clipnorm", call),
    clipvalue = check_positive(args$clipvalue, "clipvalue", call),
    use_ema = check_flag(args$use_ema, arg = "use_ema", call = call),
    ema_momentum = check_number(args$ema_momentum, min = 0, max = 1, arg = "ema_momentum", call = call),
    ema_overwrite_frequency = check_whole(args$ema_overwrite_frequency, min = 1, allow_null = TRUE,
                                          arg = "ema_overwrite_frequency", call = call),
    loss_scale_factor = check_positive(args$loss_scale_factor, "loss_scale_factor", call),
    gradient_accumulation_steps = check_whole(args$gradient_accumulation_steps, min = 2, allow_null = TRUE,
                                              arg = "gradient_accumulation_steps", call = call)
  )
}

check_one_clipping <- function(args, call) {
  given <- names(compact(args[c("clipnorm", "clipvalue", "global_clipnorm")]))
  if (length(given) <= 1) return(invisible())
  birnn_abort(
    "Only one of {.arg clipnorm}, {.arg clipvalue} and {.arg global_clipnorm} can be given, not {.arg {given}}.",
    call = call
  )
}

# `args`: all arguments of the constructor by name. `own`: names of those that belong to the rule, and how they are
# checked.
new_optimizer <- function(class_name, kind, args, dots, own, slot_groups, slot_start = 0, extra = list(),
                          call = rlang::caller_env()) {
  check_known_names(rlang::names2(dots), c("lr", "decay", names(args)), paste0("optimizer_", kind, "()"), call = call)
  if (!is.null(dots$lr)) args$learning_rate <- dots$lr   # the name before Keras 2.3
  if (!is.null(dots$decay)) args$learning_rate <- decaying_rate(args$learning_rate, dots$decay, call)
  config <- common_settings(args, call)
  for (name in names(own)) config[name] <- list(own[[name]](args[[name]], name, call))
  groups <- slot_groups(config)
  new_handle(Optimizer$new(class_name, kind, config, groups, slot_start, extra), "birnn_optimizer")
}

# `decay` of Keras 2: the rate falls as 1 / (1 + decay * step).
decaying_rate <- function(rate, decay, call) {
  decay <- check_number(decay, min = 0, arg = "decay", call = call)
  if (decay == 0) rate else learning_rate_schedule_inverse_time_decay(rate, decay_steps = 1, decay_rate = decay)
}

own_rate <- function(x, arg, call) check_number(x, min = 0, max = 1, arg = arg, call = call)
own_number <- function(x, arg, call) check_number(x, min = 0, arg = arg, call = call)
own_flag <- function(x, arg, call) check_flag(x, arg = arg, call = call)

# --- look-up ------------------------------------------------------------------------------------------------------

# Names of optimizers do not care about upper and lower case.
register_optimizer <- function(class_name, constructor, ...) {
  register_object("optimizer", class_name, substitute(constructor), unique(c(tolower(class_name), ...)))
}

# A string, an optimizer, optimizer_*, or a config.
get_optimizer <- function(x, call = rlang::caller_env()) resolve_object(x, "optimizer", fold_case = TRUE, call = call)
