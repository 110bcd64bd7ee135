# Whole models in one HDF5 file, the form before .keras: reading and writing (level 8).
#
# Attributes of the root hold the configs as JSON; the group `model_weights` has a group for each layer with its weights
# under their names, and attributes with the names in order. Weights are matched by order, as Keras does.

is_older_file <- function(root) "model_weights" %in% names(root$members) || !is.null(root$attributes$layer_names)

load_older_file <- function(bytes, compile, call) {
  hdf5 <- open_hdf5(bytes, call)
  text <- hdf5$root$attributes$model_config
  if (!is.character(text) || length(text) != 1) {
    abort_file(
      c("The file has no {.field model_config}: it does not hold a whole model.",
        i = "Weights alone are read by {.fn load_model_weights}."), call = call
    )
  }
  model <- with_stored_numbers(stored_count(hdf5$root), model_from_config(read_json(text, call), call))
  self <- layer_object(model)
  load_older_weights(self, hdf5, FALSE, call)
  settings <- hdf5$root$attributes$training_config
  if (!compile || !is.character(settings)) return(model)
  settings <- modern_config(read_json(settings, call))
  settings$optimizer <- modern_config(settings$optimizer_config)
  compile_from_config(model, settings)
  weights <- hdf5_find(hdf5$root, "optimizer_weights")
  if (!is.null(weights)) {
    datasets <- named_datasets(weights, attribute_names(weights, "weight_names"), call)
    if (length(datasets)) restore_optimizer(self, hdf5$file, datasets, call)
  }
  model
}

# --- weights ------------------------------------------------------------------------------------------------------

# An attribute of names; long ones are split over name0, name1, ...
attribute_names <- function(node, name) {
  whole <- node$attributes[[name, exact = TRUE]]
  if (!is.null(whole)) return(as.character(whole))
  parts <- character()
  k <- 0L
  while (!is.null(part <- node$attributes[[paste0(name, k), exact = TRUE]])) {
    parts <- c(parts, as.character(part))
    k <- k + 1L
  }
  parts
}

# Names are paths below the node.
named_datasets <- function(node, names, call) {
  lapply(names, function(name) {
    found <- hdf5_find(node, strsplit(name, "/", fixed = TRUE)[[1]])
    if (is.null(found) || is_hdf5_group(found)) abort_file("The file lacks the weight {.field {name}}.", call = call)
    found
  })
}

# The order of weights in these files: those that are trained, then the others.
older_variables <- function(layer) {
  c(layer_variables(layer, trainable = TRUE), layer_variables(layer, trainable = FALSE))
}

load_older_weights <- function(self, hdf5, skip_mismatch, call) {
  root <- hdf5_find(hdf5$root, "model_weights") %||% hdf5$root
  layers <- Filter(function(layer) length(layer_variables(layer)) > 0, self$layers)
  stored <- lapply(attribute_names(root, "layer_names"), function(name) {
    group <- root$members[[name, exact = TRUE]]
    if (is.null(group)) abort_file("The file lacks the layer {.field {name}}.", call = call)
    named_datasets(group, attribute_names(group, "weight_names"), call)
  })
  stored <- stored[lengths(stored) > 0]
  if (length(stored) != length(layers)) {
    birnn_abort("The model has {length(layers)} layer{?s} with weights, the file {length(stored)}.",
                kind = "weights", call = call)
  }
  found <- Map(older_found, layers, stored)
  problems <- unlist(lapply(found, `[[`, "problem"))
  if (length(problems) > 0) report_problems(problems, skip_mismatch, call)
  assign_found(hdf5$file, Filter(function(each) is.null(each$problem), unname(found)), call)
}

older_found <- function(layer, datasets) {
  variables <- older_variables(layer)
  names(datasets) <- as.character(seq_along(datasets) - 1L)
  object <- list(name = layer$name, class_name = layer_class_name(layer), variables = variables, path = character())
  found_variables(hdf5_group(list(vars = hdf5_group(datasets))), object)
}

# --- writing ------------------------------------------------------------------------------------------------------

older_file <- function(model) {
  self <- layer_object(model)
  config <- saved_config(model)
  root <- hdf5_group(attributes = list(
    backend = hdf5_text("birnn"), keras_version = hdf5_text(written_version),
    model_config = hdf5_text(write_json(older_config(config)), utf8 = FALSE)
  ))
  root$members$model_weights <- older_weights(self)
  settings <- config$compile_config
  if (length(settings) > 0) {
    optimizer <- settings$optimizer[c("class_name", "config")]
    settings <- c(settings[setdiff(names(settings), "optimizer")], list(optimizer_config = optimizer))
    root$attributes$training_config <- hdf5_text(write_json(settings), utf8 = FALSE)
    root$members$optimizer_weights <- weights_by_name(self$optimizer$variables)
  }
  r_hdf5_write(root)
}

# The model and its layers without module; what is inside them keeps it, but loses its build_config.
older_config <- function(config) {
  config <- config[c("class_name", "config")]
  config$config$layers <- lapply(config$config$layers, function(entry) {
    nested <- !is.null(entry$config$layers)
    kept <- if (nested) c(older_config(entry), entry[intersect(names(entry), c("name", "inbound_nodes"))])
    kept %||% entry[!names(entry) %in% c("module", "registered_name", "build_config", "compile_config")]
  })
  config
}

# Attributes hold at most this many names (16 bytes each); more are split.
most_names <- 4000L

names_attribute <- function(name, values) {
  if (length(values) <= most_names) return(rlang::set_names(list(hdf5_text(values, vector = TRUE, utf8 = FALSE)), name))
  parts <- split(values, (seq_along(values) - 1L) %/% most_names)
  rlang::set_names(lapply(unname(parts), hdf5_text, vector = TRUE, utf8 = FALSE), paste0(name, seq_along(parts) - 1L))
}

# Datasets at the paths that are their names.
weights_by_name <- function(variables) {
  names <- make.unique(vapply(variables, variable_field, "", name = "path"), sep = "_")
  group <- hdf5_group(attributes = names_attribute("weight_names", names))
  for (k in seq_along(variables)) {
    group <- hdf5_insert(group, strsplit(names[[k]], "/", fixed = TRUE)[[1]], variables[[k]])
  }
  group
}

older_weights <- function(self) {
  layers <- self$layers
  names <- vapply(layers, function(layer) layer$name, "")
  root <- hdf5_group(attributes = c(
    names_attribute("layer_names", names),
    list(backend = hdf5_text("birnn"), keras_version = hdf5_text(written_version))
  ))
  for (k in seq_along(layers)) root$members[[names[[k]]]] <- weights_by_name(older_variables(layers[[k]]))
  root$members$top_level_model_weights <- weights_by_name(list())
  root
}
