# Every file that real Keras wrote: loaded, it predicts, evaluates and trains on as it did in Keras; saved again by us
# and loaded again, it has the very same bits.

for (name in model_files()) {
  test_that(paste(name, "gives back what Keras put into it"), {
    facts <- file_facts(name)
    model <- load_fixture_model(name, facts)
    expect_sums(model$weights, facts$weights, "weight")
    x <- lapply(facts$inputs, fact_array)
    expect_facts(whole_batch(model, x), facts$outputs, "output")
    if (!is.null(facts$outputs_2)) {
      expect_facts(whole_batch(model, lapply(facts$inputs_2, fact_array)), facts$outputs_2, "second")
    }
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

# What may differ in the config of a loaded and saved model: where, from what to what ("none": is not there), and why.
may_differ <- function(path, before, after, why) list(path = path, before = before, after = after, why = why)

allowed_differences <- list(
  may_differ("/shared_object_id$", "[0-9]+", "none", "an address in the memory of the process that wrote the file"),
  may_differ("/(quantization_config|input_axes|output_axes)$", "null", "none",
             "keys of the newest versions that say nothing; older versions refuse keys they do not know"),
  may_differ("^/compile_config/optimizer/module$", "keras.src.backend.torch.optimizers.torch_[a-z]+",
             "keras.optimizers", "the torch backend's own module, which other backends cannot load"),
  may_differ("^/compile_config/optimizer/registered_name$", "[A-Za-z]+", "null",
             "goes with that module: classes of keras.optimizers have none"),
  may_differ("/inbound_nodes/[0-9]+/kwargs/training$", "FALSE", "none", "a call of the model gives its own"),
  may_differ("/inbound_nodes/[0-9]+/kwargs/mask$", "null", "none", "no mask; Keras lists it for some classes only"),
  may_differ("/inbound_nodes/[0-9]+/kwargs$", "none", "empty", "what is left of the arguments when these two are gone")
)

# In single files.
allowed_in <- list(
  k3_time_distributed_dense.keras = list(
    may_differ("/layers/2/config/seed$", "none", "null", "SimpleRNN reads its seed, but Keras forgets to write it")
  ),
  k3_conv_pool_bn_bilstm.keras = list(
    may_differ("/layers/4/config/renorm_clipping$", "null", "none", "null; there is no renormalization here")
  ),
  k3_norm_and_noise.keras = list(
    may_differ("/layers/[36]/config/axis/1$", "-1", "none", "one axis as a list of one"),
    may_differ("/layers/[36]/config/axis$", "none", "-1", "and as a number: Keras reads both")
  ),
  k3_conv_lstm2d.keras = list(
    may_differ("/layers/4/build_config/input_shape/[1-4]$", "null|[0-9]", "none", "Flatten has nothing to build")
  ),
  k3_encoder_decoder.keras = list(
    may_differ("/layers/7/build_config/shapes_dict/(sequences|initial_state)_shape/.*", "null|[0-9]", "none",
               "a layer that is called with states is built by the shape of its sequences alone,"),
    may_differ("/layers/7/build_config/input_shape/[1-3]$", "none", "null|[0-9]", "which has this name everywhere else")
  )
)

# The paths at which two configs differ, as "path: before -> after".
differences <- function(before, after) {
  paths <- union(names(before), names(after))
  at <- function(leaves) ifelse(paths %in% names(leaves), leaves[paths], "none")
  changes <- data.frame(path = paths, before = at(before), after = at(after))
  changes[changes$before != changes$after, ]
}

not_allowed <- function(changes, allowed) {
  for (rule in allowed) {
    fits <- function(field) grepl(paste0("^(", rule[[field]], ")$"), changes[[field]])
    changes <- changes[!(grepl(rule$path, changes$path) & fits("before") & fits("after")), ]
  }
  sprintf("%s: %s -> %s", changes$path, changes$before, changes$after)
}

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
    expect_identical(hdf5_datasets(after[[3]]), hdf5_datasets(before[[3]]))
    changes <- differences(leaves(read_json(before[[2]])), leaves(read_json(after[[2]])))
    expect_identical(not_allowed(changes, c(allowed_differences, allowed_in[[name]])), character())
    # No entry of the file's own is there in vain.
    for (rule in allowed_in[[name]]) {
      expect_lt(length(not_allowed(changes, list(rule))), nrow(changes), label = rule$why)
    }
  })
}
