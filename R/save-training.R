# A whole training in a file: everything that is needed to go on as if nothing had happened (level 8).
#
# The file is an archive of `training.json` and `tensors.h5`. It holds weights, optimizer, states, seeds and metrics of
# the model, R's random numbers, the place in the data, the sums of the running epoch, and what callbacks keep. It is
# read like every other file: as data that nobody vouches for.

training_format <- 1L

# The variables of a training by what they are, each group in a fixed order.
training_variables <- function(model) {
  states <- Filter(is_variable, flatten_structure(lapply(all_layers(model), function(layer) layer$states)))
  metrics <- flatten_structure(lapply(compact(model$metrics), function(metric) metric$variables))
  list(weights = layer_variables(model), seeds = unique(layer_seed_variables(model)), states = unique(states),
       optimizer = model$optimizer$variables, metrics = unique(metrics))
}

# What has to be the same for a training to go on: the data, as far as they are known, and the layers.
training_facts <- function(run) {
  sums <- vapply(compact(run$batches$tensors), r_tensor_checksum, 1)
  list(steps = if (is.na(run$batches$steps)) -1L else run$batches$steps, checksums = I(unname(sums)))
}

# --- writing ------------------------------------------------------------------------------------------------------

# `facts`: training_facts(). `means`: the sums of the epoch that runs, NULL between epochs.
training_file <- function(run, facts, epoch, batch, means) {
  tensors <- new.env(parent = emptyenv())
  tensors$all <- list()
  state <- list(
    epoch = epoch, batch = batch, stopped = isTRUE(run$model$stop_training), random = random_state(),
    position = run$batches$position(), means = if (!is.null(means)) as.list(means), callbacks = callback_states(run)
  )
  record <- list(
    format = "birnn training", version = training_format, package = as.character(utils::packageVersion("birnn")),
    facts = facts, state = encode_value(state, tensors)
  )
  variables <- training_variables(run$model)
  if (is.null(means)) variables$metrics <- list()   # they start anew with every epoch
  groups <- lapply(c(variables, list(callbacks = tensors$all)), numbered_group)
  r_zip_write(c("training.json", "tensors.h5"), list(charToRaw(write_json(record)), r_hdf5_write(hdf5_group(groups))))
}

numbered_group <- function(tensors) hdf5_group(rlang::set_names(tensors, as.character(seq_along(tensors) - 1L)))

# Callbacks by class and number within it.
member_names <- function(members) {
  classes <- vapply(members, function(callback) {
    class(if (inherits(callback, "AdoptedCallback")) callback$object else callback)[[1]]
  }, "")
  make.unique(classes)
}

callback_states <- function(run) {
  states <- lapply(run$members, function(callback) lapply(field_homes(callback), plain_fields))
  rlang::set_names(states, member_names(run$members))
}

# --- reading ------------------------------------------------------------------------------------------------------

# list(state, hdf5, facts, path) of a file; an error if it is damaged or from a newer version.
read_training <- function(path, call) {
  members <- with_file_errors(r_zip_read(read_file(path, call), c("training.json", "tensors.h5")), call)
  if (length(members) != 2L) abort_file("{.file {path}} is no backup of a training.", call = call)
  record <- read_json(members$training.json, call)
  if (!identical(record$format, "birnn training")) abort_file("{.file {path}} is no backup of a training.", call = call)
  if (!identical(record$version, training_format)) {
    abort_file("{.file {path}} was written by a newer version of birnn ({record$package}).", call = call)
  }
  hdf5 <- open_hdf5(members$tensors.h5, call)
  tensor_at <- function(k) {
    node <- if (is.numeric(k)) hdf5_find(hdf5$root, c("callbacks", as.character(k - 1L)))
    if (is.null(node) || is_hdf5_group(node)) abort_damaged("a tensor that is not there", call)
    hdf5_tensor(hdf5$file, node, node$dtype, call)
  }
  state <- tryCatch(decode_value(record$state, tensor_at), error = function(error) {
    if (inherits(error, "birnn_error")) rlang::cnd_signal(error)
    abort_damaged("values that cannot be read", call)
  })
  check_training_state(state, call)
  list(state = state, hdf5 = hdf5, facts = record$facts, path = path)
}

check_training_state <- function(state, call) {
  whole <- function(x) is.integer(x) && length(x) == 1L && !is.na(x) && x >= 0L
  valid <- is.list(state) && whole(state$epoch) && whole(state$batch) && is.integer(state$random) &&
    is.integer(state$position$draws) && is.list(state$callbacks) && (state$batch == 0L || is.list(state$means))
  if (!valid) abort_damaged("no valid place to go on from", call)
}

check_same_training <- function(saved, facts, call) {
  now <- lapply(facts, as.numeric)
  then <- lapply(saved$facts, function(fact) as.numeric(unlist(fact)))
  if (identical(now, then)) return(invisible())
  abort_file(
    c("The training in {.file {saved$path}} was not made with these data.",
      i = "Give {.fn fit} the same data and {.arg batch_size}, or delete the file to start anew."), call = call
  )
}

# --- going on -----------------------------------------------------------------------------------------------------

# Brings a run to where the file was written. `means`: of the epoch that runs, if it goes on within one.
restore_training <- function(run, saved, means, call = NULL) {
  state <- saved$state
  endless <- !is.null(run$steps_per_epoch)
  if (endless || state$batch > 0L || is.na(run$batches$steps)) {
    last <- run$batches$go_to(state$position)
    if (state$batch > 0L && !is.null(last)) meet_metrics(run$model, saved, last)
  }
  restore_variables(run$model, saved, with_metrics = state$batch > 0L, call)
  if (!is.null(means)) list2env(state$means, envir = means)
  restore_callbacks(run, state$callbacks)
  run$model$stop_training <- isTRUE(state$stopped)
  set_random_state(state$random)
}

# Some metrics make their variables when they see the first batch.
meet_metrics <- function(model, saved, drawn) {
  wanted <- length(hdf5_find(saved$hdf5$root, "metrics")$members)
  if (length(training_variables(model)$metrics) < wanted) take_step(step_for(model, "test"), drawn, TRUE)
}

restore_variables <- function(model, saved, with_metrics, call) {
  if (!is.null(model$optimizer)) model$optimizer$build(layer_variables(model, trainable = TRUE))
  variables <- training_variables(model)
  if (!with_metrics) variables$metrics <- NULL
  found <- lapply(names(variables), function(group) {
    object <- list(name = group, class_name = "Training", variables = variables[[group]], path = character())
    found_variables(hdf5_group(list(vars = hdf5_find(saved$hdf5$root, group) %||% hdf5_group())), object)
  })
  problems <- unlist(lapply(found, `[[`, "problem"))
  if (length(problems) > 0) abort_other_model(saved$path, problems, call)
  assign_found(saved$hdf5$file, found, call)
}

abort_other_model <- function(path, problems, call) {
  birnn_abort(
    c("The training in {.file {path}} was made with another model.",
      rlang::set_names(gsub("([{}])", "\\1\\1", problems), rep("x", length(problems))),
      i = "Build and compile the same model, or delete the file to start anew."),
    kind = "weights", call = call
  )
}

restore_callbacks <- function(run, states) {
  names <- member_names(run$members)
  for (k in seq_along(names)) {
    homes <- field_homes(run$members[[k]])
    saved <- states[[names[[k]], exact = TRUE]]
    for (j in seq_len(min(length(homes), length(saved)))) restore_fields(homes[[j]], saved[[j]])
  }
}
