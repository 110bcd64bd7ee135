# Every file that real Keras wrote: loaded, it predicts, evaluates and trains on as it did in Keras; saved again by us and
# loaded again, it has the very same bits.

for (name in model_files()) {
  test_that(paste(name, "gives back what Keras put into it"), {
    facts <- file_facts(name)
    model <- load_fixture_model(name, facts)
    expect_sums(model$weights, facts$weights, "weight")
    x <- lapply(facts$inputs, fact_array)
    expect_facts(whole_batch(model, x), facts$outputs, "output")
    if (!is.null(facts$outputs_2)) expect_facts(whole_batch(model, lapply(facts$inputs_2, fact_array)), facts$outputs_2, "second")
    if (is.null(facts$compiled)) return(expect_null(model$optimizer))
    expect_identical(model$optimizer$class_name, facts$compiled$optimizer)
    expect_equal(as.numeric(model$optimizer$iterations), facts$compiled$iterations)
    variables <- model$optimizer$variables
    wanted <- facts$compiled$optimizer_variables
    expect_sums(if (length(wanted) < length(variables)) variables[-2] else variables, wanted, "optimizer")
    y <- single_or_list(lapply(facts$evaluate$y, fact_array))
    rows <- dim(x[[1]])[[1]]
    loss <- evaluate(model, single_or_list(x), y, batch_size = rows, verbose = 0)[["loss"]]
    expect_equal(loss, facts$evaluate$loss, tolerance = 1e-5)
    if (is.null(facts$resume)) return(invisible())
    train_on_batch(model, single_or_list(x), y)
    expect_facts(whole_batch(model, x), facts$resume$outputs_after, "output after a step")
    expect_sums(model$weights, facts$resume$weights_after, "weight after a step")
  })

  test_that(paste(name, "is the same after it was saved and loaded again"), {
    model <- load_fixture_model(name)
    state <- model_state(model)
    for (extension in c(".keras", ".h5")) {
      path <- withr::local_tempfile(fileext = extension)
      save_model(model, path)
      expect_identical(model_state(load_model(path)), state, info = extension)
    }
    expect_identical(model_state(load_model(save_model(model))), state)
    path <- withr::local_tempfile(fileext = ".weights.h5")
    save_model_weights(model, path)
    twin <- load_model_config(save_model_config(model))
    load_model_weights(twin, path)
    expect_identical(get_weights(twin), state$weights)
  })
}

# --- the same content ---------------------------------------------------------------------------------------------

# All leaves of nested lists by their paths.
leaves <- function(x, path = "") {
  if (is.list(x) && length(x) > 0) {
    names <- if (is.null(names(x))) seq_along(x) else names(x)
    return(unlist(Map(leaves, x, paste0(path, "/", names), USE.NAMES = FALSE)))
  }
  rlang::set_names(if (is.null(x)) "null" else if (is.list(x)) "empty" else format(x, digits = 17), path)
}

hdf5_leaves <- function(node, path = "") {
  own <- paste(if (is.null(node$members)) c(node$dtype, node$shape) else "group", collapse = " ")
  attributes <- paste(names(node$attributes), unlist(node$attributes), collapse = " ")
  below <- Map(hdf5_leaves, node$members, paste0(path, "/", names(node$members)), USE.NAMES = FALSE)
  c(rlang::set_names(paste(own, attributes), path), unlist(below))
}

# What may differ in the config of a loaded and saved model, and why.
allowed_differences <- c(
  "shared_object_id",                                 # an address in the memory of the process that wrote the file
  "quantization_config|input_axes|output_axes",       # keys of the newest versions; older ones refuse unknown keys
  "renorm_clipping",                                  # null; there is no renormalization here
  "optimizer/(module|registered_name)",               # the torch backend's own module, which other backends cannot load
  "inbound_nodes/[0-9]+/kwargs(/training|/mask)?$",   # what Keras fills in by itself
  "build_config",                                     # layers called with states, and those without weights
  "axis(/1)?$"                                        # one axis as a number or as a list of one
)

# In single files, and why.
allowed_in <- list(
  k3_time_distributed_dense.keras = "layers/2/config/seed$"   # SimpleRNN of Keras reads its seed, but does not write it
)

for (name in model_files("^k3_.*[.]keras$")) {
  test_that(paste(name, "keeps its content"), {
    model <- load_fixture_model(name)
    path <- withr::local_tempfile(fileext = ".keras")
    save_model(model, path)
    members <- c("metadata.json", "config.json", "model.weights.h5")
    before <- r_zip_read(r_read_file(model_file(name)), members)
    after <- r_zip_read(r_read_file(path), members)
    expect_identical(names(after), members)
    expect_identical(hdf5_leaves(r_hdf5_read(after[[3]])$root), hdf5_leaves(r_hdf5_read(before[[3]])$root))
    configs <- lapply(list(before[[2]], after[[2]]), function(bytes) {
      found <- leaves(read_json(bytes))
      found[!grepl(paste(c(allowed_differences, allowed_in[[name]]), collapse = "|"), names(found))]
    })
    expect_identical(configs[[2]][order(names(configs[[2]]))], configs[[1]][order(names(configs[[1]]))])
  })
}
