# Architectures without weights, as JSON: save_model_config() and load_model_config() (level 8).

#' The architecture of a model as text
#'
#' JSON as Keras writes it. A model made from it has the same layers, with fresh weights.
#'
#' @param model A model.
#' @param filepath The path of a file. For `save_model_config()` `NULL` returns the text. `load_model_config()` takes
#'   the text itself, too: a string that starts with a brace.
#' @inheritParams save_model
#' @return `save_model_config()`: without `filepath` a string, otherwise `model`, invisibly. `load_model_config()`: a
#'   model.
#' @source <https://keras.io/api/models/model_saving_apis/model_config_serialization/>
#' @family saving
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = c(5, 3)) |> layer_gru(units = 4)
#' text <- save_model_config(model)
#' load_model_config(text)
save_model_config <- function(model, filepath = NULL, overwrite = FALSE) {
  check_model(model)
  text <- write_json(saved_config(model))
  if (is.null(filepath)) return(text)
  path <- check_save_path(filepath, ".json", overwrite)
  write_file(path, charToRaw(text))
  invisible(model)
}

#' @rdname save_model_config
#' @export
load_model_config <- function(filepath, custom_objects = NULL) {
  call <- rlang::current_env()
  text <- check_string(filepath)
  bytes <- if (grepl("^\\s*\\{", text)) charToRaw(enc2utf8(text)) else read_file(check_path(filepath))
  config <- read_json(bytes)
  with_custom_objects(custom_objects, model_from_config(config, call))
}

BaseModel$set("public", "to_json", function() save_model_config(self$handle))
