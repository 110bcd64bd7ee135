# Whole models in files: save_model() and load_model() (level 8).

#' Save a model, load a model
#'
#' A `.keras` file holds a whole model: its architecture, its weights, how it was compiled, and the state of its
#' optimizer, so that training goes on where it stopped. Such files are exchanged with Keras: models saved in Python are
#' loaded here, and the other way round. Older whole-model files, `.h5`, are read and written, too, also those of Keras
#' 2.
#'
#' Not part of a file are the states of stateful layers and the positions in streams of random numbers. [saveRDS()]
#' keeps these as well, but only R reads it.
#'
#' @section What happens to files:
#' Saving writes a new file beside the old one, waits until it is on the disk, and then lets it take the old one's name.
#' If the disk is full, the folder cannot be written to, or R is ended meanwhile, the old file is what it was. Errors
#' have the class `birnn_error_file` and name path and reason.
#'
#' Loading evaluates nothing. A file names classes and functions; only those of birnn and those in `custom_objects` are
#' found. Layers with code in the file (`Lambda`) are refused, and no other file is opened, whatever a file says. A
#' damaged or hostile file is an error of class `birnn_error_file`, `birnn_error_config` or `birnn_error_weights`.
#'
#' @param model For `save_model()` a model that is built. For `load_model()` the path of a file, or a raw vector with
#'   what would be in it.
#' @param filepath A path that ends in `.keras`, `.h5` or `.hdf5`; `NULL` returns the `.keras` file as a raw vector.
#' @param overwrite Whether to replace a file that exists.
#' @param zipped Must be `NULL` or `TRUE`: a `.keras` file is an archive.
#' @param custom_objects A list of classes made by [Layer()], or a named list of these and of functions; see
#'   [register_keras_serializable()].
#' @param compile Whether to compile the model as it was when it was saved.
#' @param safe_mode Accepted for compatibility: code in files is never run.
#' @param ... Not used.
#' @return `save_model()`: `model`, invisibly; without `filepath` a raw vector. `load_model()`: a model.
#' @source <https://keras.io/api/models/model_saving_apis/model_saving_and_loading/>
#' @family saving
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(5, 3)) |>
#'   layer_bidirectional(layer_lstm(units = 4)) |>
#'   layer_dense(1)
#' compile(model, optimizer = "adam", loss = "mse")
#' path <- tempfile(fileext = ".keras")
#' save_model(model, path)
#' again <- load_model(path)
#' x <- array(rnorm(2 * 5 * 3), c(2, 5, 3))
#' identical(predict(again, x, verbose = 0), predict(model, x, verbose = 0))
save_model <- function(model, filepath = NULL, overwrite = FALSE, zipped = NULL, ...) {
  check_empty_dots("save_model", ...)
  self <- check_model(model)
  if (isFALSE(zipped)) birnn_abort("{.arg zipped} must be NULL or TRUE: a {.val .keras} file is an archive.")
  if (is.null(filepath)) {
    check_saveable(self)
    return(keras_file(model))
  }
  path <- check_save_path(filepath, c(".keras", ".h5", ".hdf5"), overwrite)
  check_saveable(self)
  write_file(path, if (has_extension(path, ".keras")) keras_file(model) else older_file(model))
  invisible(model)
}

# What the files say about who wrote them: the version of Keras whose form they have.
written_version <- "3.15.1"

keras_file <- function(model) {
  self <- layer_object(model)
  metadata <- list(keras_version = written_version, date_saved = format(Sys.time(), "%Y-%m-%d@%H:%M:%S"))
  members <- list(
    metadata.json = charToRaw(write_json(metadata)), config.json = charToRaw(write_json(saved_config(model))),
    model.weights.h5 = r_hdf5_write(weights_tree(self))
  )
  r_zip_write(names(members), unname(members))
}

# The config of a model, as good as it can be saved: a loss without a name must not cost the weights.
saved_config <- function(model) {
  config <- tryCatch(serialize_keras_object(model), birnn_error_config = function(error) {
    self <- layer_object(model)
    if (is.null(self$setup)) stop(error)
    setup <- self$setup
    self$setup <- NULL
    on.exit(self$setup <- setup)
    config <- serialize_keras_object(model)
    birnn_warn(c("The model is saved without what {.fn compile} was given.", x = conditionMessage(error)),
               kind = "config")
    config
  })
  config_with_names(config)
}

#' @rdname save_model
#' @export
load_model <- function(model, custom_objects = NULL, compile = TRUE, safe_mode = TRUE) {
  compile <- check_flag(compile)
  check_flag(safe_mode)
  call <- rlang::current_env()
  what <- if (is.raw(model)) "The raw vector" else basename(check_path(model))
  bytes <- if (is.raw(model)) model else read_file(check_path(model))
  kind <- file_kind(bytes)
  if (is.null(kind)) abort_no_model(what, call)
  with_custom_objects(custom_objects, {
    if (kind == "keras") load_keras_file(bytes, compile, call) else load_older_file(bytes, compile, call)
  })
}

# The members of a .keras file that are needed.
keras_members <- function(bytes, call) {
  members <- with_file_errors(r_zip_read(bytes, c("config.json", "model.weights.h5")), call)
  for (name in c("config.json", "model.weights.h5")) {
    if (is.null(members[[name]])) abort_file("The archive has no member {.val {name}}: it is no model.", call = call)
  }
  members
}

load_keras_file <- function(bytes, compile, call) {
  members <- keras_members(bytes, call)
  config <- read_json(members$config.json, call)
  hdf5 <- open_hdf5(members$model.weights.h5, call)
  model <- with_stored_numbers(stored_count(hdf5$root), model_from_config(config, call))
  self <- layer_object(model)
  load_weights_tree(self, hdf5, FALSE, call)
  if (!compile || length(config$compile_config) == 0) return(model)
  compile_from_config(model, modern_config(config$compile_config))
  datasets <- numbered_members(hdf5_find(hdf5$root, c("optimizer", "vars")) %||% hdf5_group())
  if (length(datasets)) restore_optimizer(self, hdf5$file, datasets, call)
  model
}

# A built model from a config in a file, of whatever version of Keras.
model_from_config <- function(config, call) {
  if (!is_object_config(config)) {
    birnn_abort("The config in the file must describe a model: it has no {.field class_name}.",
                kind = "config", call = call)
  }
  model <- object_from_config(modern_config(config), call = call)
  if (!inherits(model, "birnn_model")) {
    birnn_abort("The config in the file is that of the class {.val {config$class_name}}, which is no model.", kind = "config",
                call = call)
  }
  build_as_saved(model, config$build_config)
  model
}

# Models that are built by data know from the file what these looked like.
build_as_saved <- function(model, build_config) {
  self <- layer_object(model)
  if (self$built || is.null(build_config$input_shape)) return(invisible())
  build_layer(self, as_shape_structure(build_config$input_shape))
}

BaseModel$set("public", "save", function(...) save_model(self$handle, ...))
