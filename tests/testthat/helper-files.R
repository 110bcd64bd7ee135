# Files that real Keras wrote, with what they must give back (fixtures/files, see the README there).

model_file <- function(name) testthat::test_path("fixtures", "files", name)

model_files <- function(pattern = "[.](keras|h5)$") list.files(testthat::test_path("fixtures", "files"), pattern)

# What a file must give back.
file_facts <- function(name) {
  stem <- sub("[.](keras|weights[.]h5|h5)$", "", name)
  connection <- xzfile(model_file(paste0(stem, ".json.xz")), "rb")
  on.exit(close(connection))
  jsonlite::parse_json(paste(readLines(connection, warn = FALSE), collapse = ""))
}

fact_array <- function(tensor) {
  dtype <- if (tensor$dtype == "int32") "int32"
  fixture_array(list(dtype = dtype, shape = unlist(tensor$shape), data = unlist(tensor$data)))
}

# One array, or a list of several: as predict() and fit() take and give them.
single_or_list <- function(arrays) if (length(arrays) == 1) arrays[[1]] else arrays

# The model of a file; files with layers that birnn does not have (yet) are skipped by name.
load_fixture_model <- function(name, facts = file_facts(name)) {
  skip_without_classes(if (is.null(facts$architecture_file)) name else facts$architecture_file)
  if (is.null(facts$architecture_file)) return(load_model(model_file(name)))
  model <- load_model(model_file(facts$architecture_file))
  load_model_weights(model, model_file(name))
}

# All classes of layers in a config.
config_classes <- function(config) {
  if (!is.list(config)) return(character())
  own <- if (isTRUE(config$module %in% c("keras", "keras.layers")) || !is.null(config$inbound_nodes)) config$class_name
  unique(c(own, unlist(lapply(unname(config), config_classes))))
}

skip_without_classes <- function(name) {
  operations <- unlist(lapply(keras_operations, names))
  missing <- setdiff(config_classes(file_config(name)), c(registered_names("layer"), operations, "DTypePolicy"))
  testthat::skip_if(length(missing) > 0, paste0("There is no ", paste(missing, collapse = ", ")))
}

# The config in a file, as lists.
file_config <- function(name) {
  bytes <- r_read_file(model_file(name))
  if (file_kind(bytes) == "keras") return(read_json(r_zip_read(bytes, "config.json")$config.json))
  layers <- read_json(r_hdf5_read(bytes)$root$attributes$model_config)
  for (k in seq_along(layers$config$layers)) layers$config$layers[[k]]$module <- "keras.layers"
  layers
}

whole_batch <- function(model, arrays) {
  outputs <- predict(model, single_or_list(arrays), batch_size = dim(arrays[[1]])[[1]], verbose = 0)
  if (is.list(outputs)) unname(outputs) else list(outputs)
}

# Differences relative to the largest value; what the files promise is 1e-5.
expect_facts <- function(got, want, label) {
  testthat::expect_length(got, length(want))
  for (k in seq_along(want)) {
    wanted <- fact_array(want[[k]])
    difference <- max(abs(as.vector(got[[k]]) - as.vector(wanted))) / max(1e-30, abs(wanted))
    testthat::expect(isTRUE(difference <= 1e-5), sprintf("%s %d: relative difference %.3g", label, k, difference))
  }
}

expect_sums <- function(variables, want, label) {
  arrays <- lapply(variables, as.array)
  testthat::expect_equal(lapply(variables, function(v) as.integer(tensor_shape(v))),
                         lapply(want, function(fact) as.integer(unlist(fact$shape))), label = label)
  for (k in seq_along(want)) {
    values <- to_row_major(arrays[[k]])
    testthat::expect_equal(c(sum(values), values[[1]], values[[length(values)]]),
                           as.numeric(c(want[[k]]$sum, want[[k]]$first, want[[k]]$last)), tolerance = 1e-5,
                           label = paste(label, want[[k]]$path))
  }
}

# Everything a file holds, for comparisons bit by bit.
model_state <- function(model) {
  optimizer <- if (!is.null(model$optimizer)) lapply(model$optimizer$variables, as.array)
  list(weights = get_weights(model), optimizer = optimizer)
}

# All datasets of an HDF5 file by path, their numbers row by row.
hdf5_datasets <- function(bytes) {
  hdf5 <- open_hdf5(bytes)
  visit <- function(node, path) {
    if (!is_hdf5_group(node)) {
      numbers <- as.array(hdf5_tensor(hdf5$file, node, node$dtype))
      return(rlang::set_names(list(to_row_major(numbers)), path))
    }
    do.call(c, c(list(list()), unname(Map(visit, node$members, paste0(path, "/", names(node$members))))))
  }
  visit(hdf5$root, "")
}
