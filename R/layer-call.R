# What a call of a layer does: the one `__call__` (level 4).

# `self`: the R6 object. `...`: arguments of its call() method. Inputs are made tensors, checked, cast to the layer's
# dtype; masks and `training` are filled in; then come the layer's own losses and the mask of the outputs.
call_layer <- function(self, inputs, ...) {
  self <- layer_object(self)
  if (inherits(self, "Model") && holds_text(inputs)) return(running$call_on_texts(self, inputs, ...))
  given <- collect_inputs(self, inputs, list(...))
  args <- bind_call_arguments(self, given$args)
  inputs <- as_layer_inputs(self, given$inputs)
  training <- args$training %||% running$layer_training %||% current_training() %||% FALSE
  if (!inside_layer()) forget_call_losses(self)
  scope <- list(
    layer_depth = running$layer_depth + 1L, layer_path = c(running$layer_path, field(self, "name")), layer_owner = self,
    layer_training = training
  )
  ready_layer(self, inputs)
  outputs <- with_running(scope, {
    outputs <- compute_outputs(self, cast_inputs(self, inputs), complete_arguments(self, inputs, args, training))
    penalize_activity(self, outputs)
    with_output_masks(self, inputs, outputs)
  })
  if (is_graph_call(inputs, args)) record_node(self, inputs, args, outputs) else outputs
}

# Whether a class of the user's has a say in what its layers return.
computes_own <- function(definition) {
  !is.null(definition) && any(c("call", "compute_output_shape", "compute_output_spec") %in% definition$methods)
}

# A user's class may tell the shapes of its outputs by itself: then its call() sees numbers only.
compute_outputs <- function(self, inputs, args) {
  if (!computes_own(field(self, "definition"))) return(do.call(field(self, "call"), c(list(inputs), args)))
  is_graph <- any(vapply(flatten_structure(list(inputs, args)), is_graph_tensor, logical(1)))
  outputs <- if (is_graph) declared_outputs(self, inputs, args)
  check_outputs(self, outputs %||% call_own_code(self$call, c(list(inputs), args)))
}

# Layers with several inputs by name (query, value and key) take them in a list, or as arguments, by place or by name:
# then these join the list.
collect_inputs <- function(self, inputs, args) {
  names <- if (length(args)) self$input_names
  if (is.null(names)) return(list(inputs = inputs, args = args))
  if (!is_plain_list(inputs)) inputs <- list(inputs)
  open <- names[-seq_along(inputs)]
  arg_names <- rlang::names2(args)
  unnamed <- utils::head(which(!nzchar(arg_names)), length(setdiff(open, arg_names)))
  arg_names[unnamed] <- setdiff(open, arg_names)[seq_along(unnamed)]
  is_input <- arg_names %in% open
  names(args) <- arg_names
  list(inputs = c(inputs, unname(compact(args[open[open %in% arg_names]]))), args = args[!is_input])
}

# Arguments by name, checked, as tensors where they are arrays.
bind_call_arguments <- function(self, args) {
  if (length(args) == 0L) return(list())
  if (is.null(names(args)) || !all(names(args) %in% call_arguments(self)[-1L])) args <- name_arguments(self, args)
  args$training <- check_flag(args$training, allow_null = TRUE, arg = "training", call = NULL)
  check_mask_values(args$mask)
  lapply(args, function(arg) map_structure(arg, as_tensor_argument))
}

# Names the unnamed arguments after the formals of call(), and rejects unknown ones.
name_arguments <- function(self, args) {
  arguments <- call_arguments(self)
  known <- setdiff(arguments[-1L], "...")
  names <- names(args) %||% rep("", length(args))
  unnamed <- which(!nzchar(names))
  free <- setdiff(known, names)
  if (length(unnamed) > length(free)) {
    birnn_abort("{.val {self$name}} takes at most {length(known)} argument{?s} besides its inputs.", call = NULL)
  }
  names[unnamed] <- free[seq_along(unnamed)]
  if (!"..." %in% arguments) {
    check_known_names(names, union(known, "training"), paste0("The call of \"", self$name, "\""), call = NULL)
  }
  rlang::set_names(args, names)
}

call_arguments <- function(self) remembered(self, "call_arguments", names(formals(self$call)))

# Arrays among the arguments of a call become tensors; flags, numbers and tensors stay what they are.
as_tensor_argument <- function(x) if (!is_tensor_like(x) && !is.null(dim(x))) as_tensor(x) else x

# A mask given as an R array holds TRUE and FALSE (or 1 and 0) only.
check_mask_values <- function(mask) {
  for (part in flatten_structure(mask)) {
    if (is_tensor_like(part)) next
    valid <- (is.logical(part) || is.numeric(part)) && all(part %in% c(0, 1))
    if (valid) next
    bad <- part[!part %in% c(0, 1)]
    birnn_abort("{.arg mask} must hold TRUE and FALSE only, not {.val {bad[[1]]}}.", kind = "mask", call = NULL)
  }
}

# A single input may come in a list of one.
as_layer_inputs <- function(self, inputs) {
  if (is_plain_list(inputs) && !is.null(self$input_spec)) {
    if (length(inputs) != 1L) {
      birnn_abort(
        c("Layer {.val {self$name}} expects 1 input, but received a list of {length(inputs)}.",
          i = "States are given as {.code initial_state = list(...)}."),
        kind = "shape", call = NULL
      )
    }
    inputs <- inputs[[1L]]
  }
  if (isTRUE(field(self, "reads_text"))) return(inputs)
  if (typeof(inputs) != "externalptr") check_no_texts(self, inputs)
  map_structure(inputs, as_operand)
}

# Checks the inputs and builds the layer if this is its first call.
ready_layer <- function(self, inputs) {
  check_input_spec(self, inputs)
  if (field(self, "built")) return(invisible())
  is_eager <- !any(vapply(flatten_structure(inputs), is_symbolic, logical(1)))
  with_running(
    list(built_by_call = if (is_eager) self), build_layer(self, map_structure(inputs, tensor_shape))
  )
  check_input_spec(self, inputs)
}

check_input_spec <- function(self, inputs) {
  spec <- field(self, "input_spec")
  if (is.null(spec) || is_plain_list(inputs)) return(invisible())
  shape <- tensor_shape(inputs)
  rank <- length(shape)
  if (!is.null(spec$ndim) && rank != spec$ndim) {
    abort_input(self, shape, "{spec$ndim} axes (expected ndim={spec$ndim})", "{rank} (found ndim={rank})", spec$hint)
  }
  if (!is.null(spec$min_ndim) && rank < spec$min_ndim) {
    abort_input(self, shape, "at least {spec$min_ndim} axes (expected min_ndim={spec$min_ndim})",
                "{rank} (found ndim={rank})", spec$hint)
  }
  check_spec_axes(self, spec$axes, shape)
}

# `axes`: sizes by axis counted from 1, or from the end if negative.
check_spec_axes <- function(self, axes, shape) {
  for (name in names(axes)) {
    axis <- as.integer(name)
    position <- if (axis > 0L) axis else length(shape) + 1L + axis
    size <- shape[[position]]
    expected <- axes[[name]]
    if (is.na(size) || size == expected) next
    abort_input(self, shape, "size {expected} on axis {position} (expected axis {axis} to have value {expected})",
                "size {size}")
  }
}

abort_input <- function(self, shape, expected, found, hint = NULL, frame = parent.frame()) {
  expected <- cli::pluralize(expected, .envir = frame)
  found <- cli::pluralize(found, .envir = frame)
  birnn_abort(
    c("Input 1 of layer {.val {self$name}} must have {expected}, not {found}.",
      x = "Full shape received: {format_shape(shape)}.", i = hint),
    kind = "shape", call = NULL
  )
}

# Every tensor in the layer's dtype. Classes say in `casts_inputs` if none (FALSE) or only "floats" are to be cast.
cast_inputs <- function(self, inputs) {
  if (isFALSE(field(self, "casts_inputs")) || !field(self, "autocast")) return(inputs)
  map_structure(inputs, function(x) {
    dtype <- tensor_dtype(x)
    if (dtype == field(self, "dtype") || dtype == "string" || identical(self$casts_inputs, "floats") && !is_float_dtype(dtype)) return(x)
    with_mask(as_operand(x, self$dtype), tensor_mask(x))
  })
}

# The arguments that call() has formals for: with the implicit mask of the inputs and the resolved `training`.
complete_arguments <- function(self, inputs, args, training) {
  known <- call_arguments(self)
  args$training <- if (any(c("training", "...") %in% known)) training
  if ("mask" %in% known && is.null(args$mask)) args$mask <- implicit_mask(self, inputs, args)
  args
}

input_masks <- function(inputs) {
  if (!is_plain_list(inputs)) return(if (!is.null(inputs)) tensor_mask(inputs))
  masks <- map_structure(inputs, tensor_mask)
  if (length(flatten_structure(masks)) > 0L) masks
}

# As in Keras, the mask on the input is used only if the input is the only tensor of the call.
implicit_mask <- function(self, inputs, args) {
  masks <- input_masks(inputs)
  if (is.null(masks)) return(NULL)
  others <- vapply(args, function(arg) any(vapply(flatten_structure(arg), is_tensor_like, logical(1))), logical(1))
  if (!any(others)) return(masks)
  warn_once(
    "implicit-mask-dropped",
    c("The mask of the input is not applied in {.val {self$name}}, because {.arg {names(args)[others]}} was given.",
      i = "This is what Keras does. Give the mask with {.arg mask =}.")
  )
  NULL
}

# Masks of the outputs, from those on the inputs. A layer that knows nothing of masks ends them; one with `sets_masks`
# has put them on its outputs by itself.
with_output_masks <- function(self, inputs, outputs) {
  masks <- input_masks(inputs)
  if (is.null(masks) && hands_masks_on(self)) return(outputs)
  if (!is.null(masks) && !supports_masking(self)) {
    warn_mask_ends(self)
    # An input handed on as it is still has its mask; masks that layers inside gave their outputs stay.
    return(if (length(self$sublayers()) == 0L) map_structure(outputs, function(x) with_mask(x, NULL)) else outputs)
  }
  if (isTRUE(field(self, "sets_masks"))) return(outputs)
  have_masks <- vapply(flatten_structure(outputs), function(x) !is.null(tensor_mask(x)), logical(1))
  if (all(have_masks)) outputs else attach_masks(outputs, field(self, "compute_mask")(inputs, masks))
}

warn_mask_ends <- function(self) {
  warn_once(
    paste0("mask-ended-", layer_class_name(self)),
    "Layer {.val {self$name}} ({layer_class_name(self)}) does not support masks: its output has none."
  )
}

# Whether a layer neither makes masks nor changes them.
hands_masks_on <- function(self) remembered(self, "hands_masks_on", has_method_of(self, "compute_mask", BaseLayer))

# A class with a compute_mask() of its own knows what it does.
supports_masking <- function(self) {
  self$supports_masking || !has_method_of(self, "compute_mask", BaseLayer)
}

# Whether an object's method is still that of the class `generator`, not redefined below it.
has_method_of <- function(self, name, generator) {
  identical(body(self[[name]]), body(generator$public_methods[[name]]))
}

as_mask <- function(mask) if (is.null(mask) || is_tensor_like(mask)) mask else as_tensor(mask, "bool")

attach_masks <- function(outputs, masks) {
  if (is.null(masks)) return(outputs)
  if (!is_plain_list(outputs)) {
    if (is_plain_list(masks)) masks <- masks[[1L]]
    return(if (is.null(tensor_mask(outputs))) with_mask(outputs, as_mask(masks)) else outputs)
  }
  for (k in seq_along(outputs)) {
    mask <- if (!is_plain_list(masks)) masks else if (k <= length(masks)) masks[[k]]
    if (!is.null(mask) && !is.null(outputs[[k]])) outputs[[k]] <- attach_masks(outputs[[k]], mask)
  }
  outputs
}

# --- losses -------------------------------------------------------------------------------------------------------

# The activity regularizer of every tensor the layer returns, divided by its number of rows.
penalize_activity <- function(self, outputs) {
  regularizer <- field(self, "activity_regularizer")
  if (is.null(regularizer)) return(invisible())
  for (output in flatten_structure(outputs)) {
    keep_call_loss(self, op_divide(regularizer(output), row_count(output)))
  }
}

# The number of rows as a scalar of the same dtype, also where the batch size is not known.
row_count <- function(x) {
  first <- rep(1, tensor_rank(x) - 1L)
  column <- apply_op("slice", list(x), list(begin = c(NaN, 0 * first), end = c(NaN, first), stride = c(1, first)))
  apply_op("sum", list(apply_op("full_like", list(column), list(value = 1))))
}

keep_call_loss <- function(self, loss) {
  if (!is_symbolic(loss)) self$call_losses <- c(self$call_losses, list(loss))
  add_collected_loss(loss)
}

forget_call_losses <- function(self) {
  for (object in remembered(self, "all_layers", all_layers(self))) {
    if (length(field(object, "call_losses")) > 0L) object$call_losses <- list()
  }
}
