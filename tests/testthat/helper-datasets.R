# Small files in the formats of Keras' data sets (fixtures/datasets), written by NumPy, and what NumPy makes of them.

dataset_file <- function(name) testthat::test_path("fixtures", "datasets", name)

expected_datasets <- function() {
  connection <- xzfile(dataset_file("expected.json.xz"), "rb")
  on.exit(close(connection))
  jsonlite::parse_json(paste(readLines(connection, warn = FALSE), collapse = "\n"), simplifyVector = TRUE,
                       simplifyDataFrame = FALSE, simplifyMatrix = TRUE)
}

# No cache but an empty one of this test.
local_empty_caches <- function(env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  withr::local_envvar(R_USER_CACHE_DIR = file.path(folder, "r"), KERAS_HOME = file.path(folder, "keras"),
                      .local_envir = env)
  folder
}
