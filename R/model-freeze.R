# Freezing and unfreezing layers of a model (level 6).

#' Freeze and unfreeze weights
#'
#' Frozen weights are not changed by training. Without further arguments the whole model or layer is frozen or unfrozen.
#' With `from` and `to`, or with `which`, this goes for some layers of a model, and *all others are set to the opposite*:
#' freezing the first two layers unfreezes the others.
#'
#' @param object A model or a layer, which is changed in place.
#' @param from,to The first and the last layer (both included) as layer, name or position; negative positions count from
#'   the end. `NULL` is the beginning or the end of the model.
#' @param which The layers: names, positions, a layer or a list of layers, one logical value for each layer, or a
#'   function (also a formula) of a layer that returns `TRUE` or `FALSE`.
#' @return `object`, invisibly.
#' @family model functions
#' @seealso `layer$trainable`, which can be read and set for every layer.
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(5, 3)) |>
#'   layer_bidirectional(layer_lstm(units = 4), name = "memory") |>
#'   layer_dense(8, name = "hidden") |>
#'   layer_dense(1, name = "top")
#' freeze_weights(model, to = "hidden")
#' length(model$trainable_weights)
#' unfreeze_weights(model, which = \(layer) inherits(layer, "birnn_layer") && layer$name == "memory")
#' vapply(model$layers, \(layer) layer$trainable, NA)
#' unfreeze_weights(model)
freeze_weights <- function(object, from = NULL, to = NULL, which = NULL) {
  switch_training(object, from, to, which, trainable = FALSE)
}

#' @rdname freeze_weights
#' @export
unfreeze_weights <- function(object, from = NULL, to = NULL, which = NULL) {
  switch_training(object, from, to, which, trainable = TRUE)
}

switch_training <- function(object, from, to, which, trainable, call = rlang::caller_env()) {
  check_layer(object, call = call)
  if (is.null(from) && is.null(to) && is.null(which)) {
    object$trainable <- trainable
    return(invisible(object))
  }
  layers <- check_model(object, call = call)$layers
  if (!is.null(which) && !(is.null(from) && is.null(to))) {
    birnn_abort("Give either {.arg which}, or {.arg from} and {.arg to}.", call = call)
  }
  chosen <- if (is.null(which)) layers_between(layers, from, to, call) else layers_which(layers, which, call)
  object$trainable <- TRUE
  for (k in seq_along(layers)) layers[[k]]$trainable <- if (k %in% chosen) trainable else !trainable
  invisible(object)
}

layers_between <- function(layers, from, to, call) {
  first <- if (is.null(from)) 1L else layer_position(layers, from, "from", call)
  last <- if (is.null(to)) length(layers) else layer_position(layers, to, "to", call)
  if (first <= last) return(seq.int(first, last))
  birnn_abort("{.arg from} (layer {first}) must not come after {.arg to} (layer {last}).", call = call)
}

# Positions of the layers that `which` means, in whatever form.
layers_which <- function(layers, which, call) {
  if (is_layer(which)) which <- list(which)
  if (rlang::is_formula(which)) which <- rlang::as_function(which)
  if (is.function(which)) {
    which <- vapply(layers, function(layer) check_flag(which(layer), arg = "which(layer)", call = call), logical(1))
  }
  if (!is.logical(which)) {
    return(vapply(as.list(which), function(one) layer_position(layers, one, "which", call), integer(1)))
  }
  if (length(which) == length(layers) && !anyNA(which)) return(base::which(which))
  birnn_abort(
    "{.arg which} must have a value for each of the {length(layers)} layers, not {length(which)}.", call = call
  )
}

# The position of a layer that is given as layer, name or position.
layer_position <- function(layers, x, arg, call) {
  names <- vapply(layers, function(layer) layer$name, "")
  if (is_layer(x)) {
    position <- match(TRUE, vapply(layers, identical, logical(1), x))
    if (!is.na(position)) return(position)
    birnn_abort("{.arg {arg}} must be a layer of the model, which {.val {x$name}} is not.", call = call)
  }
  if (is.character(x)) return(match(check_choice(x, names, arg = arg, call = call), names))
  index_of(check_whole(x, arg = arg, call = call), length(layers), arg, call)
}
