# Names that functions for files had in Keras 2 (level 8).

#' Older names of functions for files
#'
#' These functions of Keras 2 are [save_model()] and [load_model()]. They say so once in a session.
#'
#' @param object,model A model; for `unserialize_model()` a raw vector.
#' @param filepath The path of a file that ends in `.h5` or `.hdf5`.
#' @param overwrite,include_optimizer `overwrite`: whether to replace a file. The optimizer is always kept.
#' @param custom_objects,compile See [load_model()].
#' @return As the functions they stand for. `serialize_model()`: a raw vector.
#' @family saving
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 2) |> layer_dense(1)
#' suppressWarnings(unserialize_model(serialize_model(model)))
serialize_model <- function(model, include_optimizer = TRUE) {
  warn_older_name("serialize_model", "save_model")
  save_model(model)
}

#' @rdname serialize_model
#' @export
unserialize_model <- function(model, custom_objects = NULL, compile = TRUE) {
  warn_older_name("unserialize_model", "load_model")
  load_model(model, custom_objects = custom_objects, compile = compile)
}

#' @rdname serialize_model
#' @export
save_model_hdf5 <- function(object, filepath, overwrite = TRUE, include_optimizer = TRUE) {
  warn_older_name("save_model_hdf5", "save_model")
  save_model(object, filepath, overwrite = overwrite)
}

#' @rdname serialize_model
#' @export
load_model_hdf5 <- function(filepath, custom_objects = NULL, compile = TRUE) {
  warn_older_name("load_model_hdf5", "load_model")
  load_model(filepath, custom_objects = custom_objects, compile = compile)
}
