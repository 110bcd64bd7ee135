# The levels of R/ and src/, and the rules that keep them: see ARCHITECTURE.md.

test_that("every file of R/ and src/ has a level", {
  skip_without_sources()
  for (tree in c("R", "src")) {
    files <- basename(source_files(tree, "[.](R|h|cpp)$"))
    expect_identical(files[is.na(file_levels(tree)(files))], character())
  }
})

test_that("calls in R/ go down or sideways, never up", {
  skip_without_sources()
  files <- source_files("R", "[.]R$")
  defined <- lapply(files, defined_functions)
  home <- rep(files, lengths(defined))
  names(home) <- unlist(defined)
  home <- home[basename(home) != "RcppExports.R"]
  level_of <- file_levels("R")
  upward <- lapply(files, function(path) {
    called <- intersect(setdiff(called_functions(path), defined_functions(path)), names(home))
    up <- called[level_of(home[called]) > level_of(path)]
    if (length(up)) paste0(basename(path), " calls ", up, "() of ", basename(home[up]))
  })
  expect_identical(as.character(unlist(upward)), character())
})

test_that("a name is defined once in R/", {
  skip_without_sources()
  defined <- unlist(lapply(source_files("R", "[.]R$"), defined_functions))
  expect_identical(unique(defined[duplicated(defined)]), character())
})

test_that("the first line of a file says what lives there, and its level is the right one", {
  skip_without_sources()
  for (tree in c("R", "src")) {
    level_of <- file_levels(tree)
    for (path in grep("RcppExports", source_files(tree, "[.](R|h|cpp)$"), value = TRUE, invert = TRUE)) {
      first <- readLines(path, 1L, warn = FALSE)
      expect_match(first, "^(#|//) [A-Za-z`'].+", info = path)
      said <- regmatches(first, regexec("level L?([0-9])", first))[[1]]
      if (length(said) == 2) expect_equal(as.integer(said[[2]]), level_of(path), info = path)
    }
  }
})

test_that("includes in src/ go down or sideways, never up", {
  skip_without_sources()
  level_of <- file_levels("src")
  for (path in source_files("src", "[.](h|cpp)$")) {
    included <- cpp_includes(path, "own")
    expect_false(any(grepl("/", included)), info = path)
    expect_identical(included[level_of(included) > level_of(path)], character(), info = basename(path))
  }
})

test_that("levels 0 to 3 of src/ know neither R nor Rcpp", {
  skip_without_sources()
  files <- source_files("src", "[.](h|cpp)$")
  for (path in files[file_levels("src")(files) %in% 0:3]) {
    expect_identical(grep("^(R|Rcpp|Rinternals|Rmath|R_ext|RcppArmadillo)", cpp_includes(path, "system"), value = TRUE),
                     character(), info = basename(path))
    words <- "\\b(SEXP|Rcpp|Rprintf|REprintf|Rf_[a-z]+|R_[A-Z][A-Za-z]+)\\b"
    expect_false(grepl(words, cpp_code(path)), info = basename(path))
  }
})

test_that("only the border files export to R", {
  skip_without_sources()
  exporting <- Filter(function(path) {
    any(grepl("Rcpp::export", readLines(path, warn = FALSE), fixed = TRUE))
  }, source_files("src", "[.](h|cpp)$"))
  expect_identical(grep("^r_", basename(exporting), value = TRUE, invert = TRUE), character())
})

test_that("Armadillo comes in through types.h alone, without BLAS, LAPACK, OpenMP and streams", {
  skip_without_sources()
  files <- source_files("src", "[.](h|cpp)$")
  including <- Filter(function(path) any(grepl("armadillo", cpp_includes(path, "system"), ignore.case = TRUE)), files)
  expect_identical(setdiff(basename(including), "RcppExports.cpp"), "types.h")
  code <- cpp_code(file.path(source_root(), "src", "types.h"))
  before <- sub("# *include *<(current/)?armadillo>.*", "", code)
  for (switch in c("ARMA_DONT_USE_BLAS", "ARMA_DONT_USE_LAPACK", "ARMA_DONT_USE_OPENMP", "ARMA_64BIT_WORD",
                   "ARMA_WARN_LEVEL 0", "ARMA_COUT_STREAM", "ARMA_CERR_STREAM")) {
    expect_match(before, paste0("# *define +", switch, "\\b"), info = switch)
  }
  users <- Filter(function(path) "types.h" %in% cpp_includes(path, "own"), files)
  expect_true(all(file_levels("src")(users) == 2 | basename(users) == "ops_recurrent.cpp"), info = toString(users))
})

test_that("C++ code does not print, exit, use other random numbers than its own, or ask for the time", {
  skip_without_sources()
  files <- source_files("src", "[.](h|cpp)$")
  calls <- "\\b(printf|exit|abort|rand|srand|random_device|system|getenv)\\s*\\("
  words <- paste0(calls, "|std::(cout|cerr|clog|time)\\b|# *pragma +omp")
  for (path in files[file_levels("src")(files) %in% 0:3]) {
    expect_false(grepl(words, cpp_code(path)), info = basename(path))
  }
})

test_that("compiler flags stay portable", {
  skip_without_sources()
  for (path in source_files("src", "^Makevars")) {
    expect_false(any(grepl("-march|-mavx|-O3|-Ofast|-ffast-math|-fopenmp", readLines(path, warn = FALSE))), info = path)
  }
})

test_that("every example runs, and R code evaluates no text", {
  skip_without_sources()
  for (path in source_files("R", "[.]R$")) {
    lines <- readLines(path, warn = FALSE, encoding = "UTF-8")
    expect_false(any(grepl("\\\\dontrun|\\\\donttest", lines)), info = basename(path))
    expect_false(any(grepl("eval\\(parse\\(", lines)), info = basename(path))
  }
})

# The class that a layer_*() function creates: the first argument of its call of create_layer() or
# create_merging_layer().
created_class <- function(fn) {
  found <- NULL
  visit <- function(x) {
    if (!is.call(x)) return(invisible())
    if (deparse(x[[1]])[[1]] %in% c("create_layer", "create_merging_layer")) found <<- x[[2]]
    for (k in seq_along(x)[-1]) if (!identical(x[[k]], quote(expr = ))) visit(x[[k]])
  }
  visit(body(fn))
  found
}

test_that("every exported layer is registered under its class", {
  cells_of_keras_2 <- c("layer_lstm_cell", "layer_gru_cell", "layer_simple_rnn_cell", "layer_stacked_rnn_cells")
  exported <- setdiff(grep("^layer_", getNamespaceExports("birnn"), value = TRUE), c("layer_input", cells_of_keras_2))
  expect_gt(length(exported), 8)
  for (name in exported) {
    class <- created_class(getExportedValue("birnn", name))
    expect_true(is.character(class), info = name)
    expect_false(is.null(registered("layer", class)), info = name)
  }
})

test_that("fields of handles and tensors are completed: the methods are registered", {
  methods <- getNamespaceInfo("birnn", "S3methods")
  completed <- methods[methods[, 1] == ".DollarNames", 2]
  expect_setequal(completed, paste0("birnn_", c("gradient_tape", "layer", "symbolic", "tensor", "variable")))
})
