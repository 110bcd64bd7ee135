# Files of weights: save_model_weights() and load_model_weights() (level 8).

#' Weights of a model in a file
#'
#' `save_model_weights()` writes the weights of a model, and the state of its optimizer if it is compiled, to an HDF5
#' file as Keras does. `load_model_weights()` reads such files, `.keras` files and older `.h5` files into a model of the
#' same architecture. Weights are found by the place of the layers in the model, not by their names.
#'
#' Nothing is changed unless everything can be loaded: a file that is damaged or does not fit leaves the model as it
#' was. Saving replaces a file as a whole, or not at all; see [save_model()].
#'
#' @param model A model that is built: called once, or made with a known input shape.
#' @param filepath The path of the file. For saving it must end in `.weights.h5`.
#' @param overwrite Whether to replace a file that exists.
#' @param max_shard_size Must be `NULL`: weights are always in one file.
#' @param skip_mismatch Whether to leave layers as they are, with a warning, whose weights in the file are missing or
#'   have other shapes; otherwise that is an error of class `birnn_error_weights`.
#' @param ... Not used.
#' @return `model`, invisibly: it is changed in place.
#' @source <https://keras.io/api/models/model_saving_apis/weights_saving_and_loading/>
#' @family saving
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(5, 3)) |>
#'   layer_bidirectional(layer_lstm(units = 4)) |>
#'   layer_dense(1)
#' path <- tempfile(fileext = ".weights.h5")
#' save_model_weights(model, path)
#' twin <- keras_model_sequential(input_shape = c(5, 3)) |>
#'   layer_bidirectional(layer_lstm(units = 4)) |>
#'   layer_dense(1)
#' load_model_weights(twin, path)
#' identical(get_weights(twin), get_weights(model))
save_model_weights <- function(model, filepath, overwrite = FALSE, max_shard_size = NULL) {
  self <- check_model(model)
  if (!is.null(max_shard_size)) birnn_abort("{.arg max_shard_size} must be NULL: weights are always in one file.")
  path <- check_save_path(filepath, ".weights.h5", overwrite)
  check_saveable(self)
  write_file(path, r_hdf5_write(weights_tree(self)))
  invisible(model)
}

check_saveable <- function(self, call = rlang::caller_env()) {
  check_outside_step(self, "Saving", call)
  if (!self$built) abort_not_built(self$handle, call)
}

#' @rdname save_model_weights
#' @export
load_model_weights <- function(model, filepath, skip_mismatch = FALSE, ...) {
  check_empty_dots("load_model_weights", ...)
  self <- check_model(model)
  skip_mismatch <- check_flag(skip_mismatch)
  path <- check_path(filepath)
  check_idle(self, "Loading weights")
  if (!self$built) abort_not_built(self$handle, rlang::current_env())
  read_weights(self, read_file(path), skip_mismatch, rlang::current_env(), what = path)
  invisible(model)
}

# Weights from the bytes of a .keras file, a file of weights, or a whole model of the older kind.
read_weights <- function(self, bytes, skip_mismatch, call, what) {
  kind <- file_kind(bytes)
  if (is.null(kind)) abort_no_model(basename(what), call)
  if (kind == "keras") bytes <- keras_members(bytes, call)$model.weights.h5
  hdf5 <- open_hdf5(bytes, call)
  if (is_older_file(hdf5$root)) {
    load_older_weights(self, hdf5, skip_mismatch, call)
  } else {
    load_weights_tree(self, hdf5, skip_mismatch, call)
    datasets <- numbered_members(hdf5_find(hdf5$root, c("optimizer", "vars")) %||% hdf5_group())
    if (!is.null(self$optimizer) && length(datasets)) restore_optimizer(self, hdf5$file, datasets, call)
  }
  invisible()
}

# The slots of an optimizer exist only once it knows the weights.
restore_optimizer <- function(self, file, datasets, call) {
  optimizer <- self$optimizer
  optimizer$build(layer_variables(self, trainable = TRUE))
  load_optimizer(optimizer, file, datasets, call)
}

BaseModel$set("public", "save_weights", function(...) save_model_weights(self$handle, ...))
BaseModel$set("public", "load_weights", function(...) load_model_weights(self$handle, ...))
