# A data set ready to run, and the batches drawn from it (level 7).

# Converts and checks everything once. Returns a list: `tensors` (inputs, their masks, targets, weights: NULL where
# there is none) and `rows`, the samples to use. Builds a sequential model that has not seen data yet.
prepare_data <- function(model, x, y = NULL, sample_weight = NULL, class_weight = NULL, supervised = TRUE,
                         levels = model$label_levels, call = rlang::caller_env()) {
  if (has_own_step(model, supervised)) return(prepare_own_data(model, x, y, sample_weight, class_weight, call))
  given <- input_tensors(model, x, call)
  inputs <- given$tensors
  masks <- lapply(inputs, r_tensor_mask)
  if (!supervised) return(new_dataset(c(inputs, masks), sample_count(list(x = inputs), call), given$texts))
  outputs <- model_facts(model)$outputs
  setup <- field(model, "setup")
  resolve_losses(setup, outputs, call)
  targets <- target_tensors(model, y, outputs, levels, call)
  resolve_metrics(setup, outputs, targets, call)
  check_targets(setup, targets, outputs, call)
  # A compute_loss() of the user's gets them as they are.
  if (!defines_method(model, "compute_loss")) {
    targets <- lapply(seq_along(targets), function(k) {
      if (!is.null(targets[[k]])) adjust_rank(targets[[k]], outputs[[k]]$shape)
    })
  }
  weights <- weight_tensors(sample_weight, class_weight, targets, outputs, levels, call)
  n <- sample_count(list(x = inputs, y = targets, sample_weight = weights), call)
  new_dataset(c(inputs, masks, targets, weights), n, given$texts)
}

# `texts`: what tensors of texts count into, or NULL.
new_dataset <- function(tensors, n, texts = NULL) list(tensors = tensors, rows = seq_len(n), texts = texts)

# list(tensors, texts), see new_dataset(). Most data are plain numbers that fit; the others are looked at one by one.
input_tensors <- function(model, x, call) {
  if (is.null(x)) stop_not("an array, or a list of arrays", x, "x", call)
  field(model, "declare_inputs")(x)
  facts <- model_facts(model)
  tensors <- r_fitting_tensors(x, facts$inputs)
  given <- if (is.null(tensors)) checked_inputs(model, x, facts, call) else list(tensors = tensors)
  with_texts(given$texts, field(model, "meet_inputs")(given$tensors))
  given
}

checked_inputs <- function(model, x, facts, call) {
  specs <- facts$inputs
  if (is_ragged(x, specs)) x <- pad_ragged(x, model, call)
  if (is_plain_list(x) && length(specs) == 1L && takes_texts(specs[[1L]])) x <- unlist(x)
  parts <- match_parts(x, facts$input_names, "x", call)
  table <- new_text_table()
  tensors <- lapply(seq_along(specs), function(k) {
    input_tensor(parts[[k]], specs[[k]], part_arg("x", facts$input_names, k), call, table)
  })
  list(tensors = tensors, texts = if (length(table$texts())) table$texts())
}

# How the user calls a part of what was given for an argument.
part_arg <- function(arg, names, k) if (length(names) == 1L) arg else sprintf("%s[[%s]]", arg, dQuote(names[[k]], FALSE))

# One target an output, NULL where there is neither a target nor a loss.
target_tensors <- function(model, y, outputs, levels, call) {
  if (is.null(y)) {
    losses <- compact(field(model, "setup")$losses)
    if (length(losses)) {
      birnn_abort("{.arg y} is missing, but the loss {.val {loss_name(losses[[1]])}} needs it.", call = call)
    }
    return(vector("list", length(outputs)))
  }
  names <- model_facts(model)$output_names
  if (is_ragged_target(y, outputs)) y <- pad_sequences(y, dtype = "float64", padding = "post")
  parts <- match_parts(y, names, "y", call)
  lapply(seq_along(parts), function(k) {
    if (!is.null(parts[[k]])) target_tensor(parts[[k]], levels[[k]], part_arg("y", names, k), call)
  })
}

loss_name <- function(loss) if (is.character(loss)) loss else loss$name

check_targets <- function(setup, targets, outputs, call) {
  for (k in seq_along(outputs)) {
    loss <- setup$losses[[k]]
    if (is.null(loss)) next
    arg <- if (length(outputs) == 1) "y" else part_arg("y", vapply(outputs, `[[`, "", "name"), k)
    if (is.null(targets[[k]])) {
      birnn_abort("{.arg {arg}} is missing, but the loss {.val {loss_name(loss)}} needs it.", call = call)
    }
    if (is_registered("loss", loss$class_name)) check_target(targets[[k]], outputs[[k]], loss, arg, call)
  }
}

weight_tensors <- function(sample_weight, class_weight, targets, outputs, levels, call) {
  if (!is.null(class_weight)) {
    if (!is.null(sample_weight)) {
      birnn_abort("Only one of {.arg sample_weight} and {.arg class_weight} can be given.", call = call)
    }
    if (length(outputs) > 1) birnn_abort("{.arg class_weight} is for models with one output.", call = call)
    return(list(class_sample_weight(class_weight, targets[[1]], outputs[[1]], levels[[1]], call)))
  }
  if (is.null(sample_weight)) return(vector("list", length(outputs)))
  names <- vapply(outputs, `[[`, "", "name")
  if (!is_plain_list(sample_weight)) sample_weight <- rep(list(sample_weight), length(outputs))
  parts <- match_parts(sample_weight, names, "sample_weight", call)
  Map(function(part, output) if (!is.null(part)) sample_weight_tensor(part, output, call = call), parts, outputs)
}

# The number of samples, the same in everything.
sample_count <- function(parts, call) {
  n <- r_common_rows(parts)
  if (!is.na(n)) return(n)
  words <- vapply(names(parts), function(name) {
    sizes <- vapply(compact(parts[[name]]), function(tensor) tensor_shape(tensor)[[1]], integer(1))
    if (length(sizes)) paste0(name, ": ", paste(sizes, collapse = ", ")) else ""
  }, character(1))
  birnn_abort(
    c("Data cardinality is ambiguous: all arrays must have the same number of samples.",
      x = "Received {words[nzchar(words)]}."), kind = "shape", call = call
  )
}

# The last part of the samples for validation, before any shuffling.
split_dataset_rows <- function(dataset, validation_split, call = rlang::caller_env()) {
  n <- length(dataset$rows)
  split <- floor(n * (1 - validation_split))
  if (split == 0 || split == n) {
    birnn_abort(
      "{.arg validation_split} = {validation_split} leaves {split} sample{?s} for training and {n - split} for
       validation: there must be at least one of each.", call = call
    )
  }
  parts <- list(dataset, dataset)
  parts[[1]]$rows <- dataset$rows[seq_len(split)]
  parts[[2]]$rows <- dataset$rows[seq.int(split + 1, n)]
  parts
}

# --- batches ------------------------------------------------------------------------------------------------------

# A source of batches: `steps` (batches of one pass, or NA), `restart()` before every pass, `next_batch()`:
# list(tensors, rows, size), or NULL at the end. This one draws from arrays, its `tensors`; shuffling takes one
# permutation from R's random numbers for each pass.
array_batches <- function(dataset, batch_size, shuffle = FALSE) {
  n <- length(dataset$rows)
  starts <- if (n > 0) seq.int(1L, n, by = batch_size) else integer()
  order <- dataset$rows
  k <- 0L
  list(
    steps = length(starts),
    tensors = dataset$tensors,
    restart = function() {
      order <<- shuffled(dataset$rows, batch_size, shuffle)
      k <<- 0L
    },
    next_batch = function() {
      if (k >= length(starts)) return(NULL)
      k <<- k + 1L
      rows <- order[seq.int(starts[[k]], min(starts[[k]] + batch_size - 1L, n))]
      list(tensors = dataset$tensors, rows = rows, size = length(rows), template = dataset$template,
           texts = dataset$texts)
    }
  )
}

# "batch" keeps the batches and permutes the samples inside each.
shuffled <- function(rows, batch_size, shuffle) {
  if (isFALSE(shuffle)) return(rows)
  if (isTRUE(shuffle)) return(rows[sample.int(length(rows))])
  batches <- split(rows, (seq_along(rows) - 1L) %/% batch_size)
  unlist(lapply(batches, function(batch) batch[sample.int(length(batch))]), use.names = FALSE)
}

check_shuffle <- function(shuffle, call = rlang::caller_env()) {
  if (identical(shuffle, "batch")) "batch" else check_flag(shuffle, call = call)
}

# The size of batches. A model with states, or with a fixed batch size, takes batches of one size only.
resolve_batch_size <- function(model, batch_size, n, call = rlang::caller_env()) {
  batch_size <- check_whole(batch_size, min = 1, allow_null = TRUE, call = call)
  facts <- model_facts(model)
  fixed <- facts$fixed_batch_size
  batch_size <- batch_size %||% (if (is.na(fixed)) 32L else fixed)
  if (!is.na(fixed) && batch_size != fixed) {
    birnn_abort("{.arg batch_size} must be {fixed}, the batch size of the model's input, not {batch_size}.",
                kind = "state", call = call)
  }
  if ((!is.na(fixed) || facts$is_stateful) && n %% batch_size != 0) {
    birnn_abort(
      c("The number of samples must be a multiple of the batch size {batch_size}, not {n}: the model
         {if (facts$is_stateful) 'keeps states between batches' else 'has a fixed batch size'}.",
        i = "Leave out {n %% batch_size} sample{?s} or change {.arg batch_size}."),
      kind = "state", call = call
    )
  }
  batch_size
}
