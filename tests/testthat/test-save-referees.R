# Other readers of HDF5 see in our files what we wrote: h5py, hdf5r.

referee_files <- function(folder) {
  model <- backup_model()
  data <- training_data()
  fit(model, data$x, data$y, epochs = 1, verbose = 0)
  paths <- file.path(folder, c("a.weights.h5", "b.h5", "c.h5"))
  save_model_weights(model, paths[[1]])
  save_model(model, paths[[2]])
  r_replace_file(paths[[3]], r_zip_read(save_model(model), "model.weights.h5")[[1]])
  paths
}

test_that("h5py reads all our files", {
  python <- Filter(function(python) {
    nzchar(python) && system2(python, c("-c", shQuote("import h5py")), stdout = FALSE, stderr = FALSE) == 0
  }, unique(c(Sys.which("python3"), "/usr/bin/python3")))
  skip_if(length(python) == 0, "there is no h5py")
  script <- withr::local_tempfile(lines = c(
    "import h5py, numpy, sys, json", "out = {}",
    "def visit(name, item):",
    "    [item.attrs[key] for key in item.attrs]",
    "    if isinstance(item, h5py.Dataset): out['/' + name] = [float(v) for v in numpy.ravel(item[()])]",
    "h5py.File(sys.argv[1], 'r').visititems(visit)", "print(json.dumps(out))"
  ))
  for (path in referee_files(withr::local_tempdir())) {
    seen <- jsonlite::parse_json(paste(system2(python[[1]], c(script, path), stdout = TRUE), collapse = ""))
    ours <- hdf5_datasets(r_read_file(path))
    expect_setequal(names(seen), names(ours))
    for (name in names(ours)) expect_identical(as.numeric(unlist(seen[[name]])), as.numeric(ours[[name]]), info = name)
  }
})

test_that("hdf5r reads all our files", {
  skip_if_not_installed("hdf5r")
  for (path in referee_files(withr::local_tempdir())) {
    file <- hdf5r::H5File$new(path, "r")
    ours <- hdf5_datasets(r_read_file(path))
    datasets <- subset(file$ls(recursive = TRUE), obj_type == "H5I_DATASET")$name
    expect_setequal(paste0("/", datasets), names(ours))
    # hdf5r turns the axes round: column by column is row by row.
    for (name in names(ours)) expect_identical(as.numeric(file[[name]]$read()), as.numeric(ours[[name]]), info = name)
    file$close_all()
  }
})
