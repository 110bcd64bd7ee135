# Where the weights of a model are in Keras' files: a tree of groups that follows the objects (level 8).
#
# Every layer has a group with `vars`, its own variables as datasets 0, 1, ..., and a group for each field with a layer
# inside. Lists of layers are groups whose members are named after the classes: lstm_cell, lstm_cell_1, ...

# list(object, variables, path) for a layer and all layers inside, outermost first. `path`: names of groups.
saved_objects <- function(self, path = character(), seen = new.env(parent = emptyenv())) {
  address <- rlang::obj_address(self)
  if (exists(address, envir = seen, inherits = FALSE)) return(list())
  assign(address, TRUE, envir = seen)
  own <- list(list(name = self$name, class_name = layer_class_name(self), variables = own_variables(self), path = path))
  parts <- saved_parts(self)
  below <- lapply(names(parts), function(name) {
    part <- parts[[name]]
    if (is_layer(part)) return(saved_objects(layer_object(part), c(path, name), seen))
    members <- container_names(part)
    do.call(c, c(list(list()), lapply(seq_along(part), function(k) {
      saved_objects(layer_object(part[[k]]), c(path, name, members[[k]]), seen)
    })))
  })
  do.call(c, c(list(own), below))
}

# The layers inside by the field that holds them: a layer, or a list of layers.
saved_parts <- function(self) {
  is_graph <- inherits(self, "Model") && (is.null(self$definition) || inherits(self, "Functional"))
  if (is_graph && !is.null(self$layers)) return(list(layers = self$layers))
  inside <- addresses(self$sublayers())
  holds <- function(value) {
    if (is_layer(value)) return(addresses(list(value)) %in% inside)
    is_plain_list(value) && length(value) > 0 && all(vapply(value, is_layer, NA)) && all(addresses(value) %in% inside)
  }
  fields <- Filter(function(name) !bindingIsActive(name, self) && name != "handle" && holds(self[[name]]),
                   sort(ls(self, all.names = TRUE), method = "radix"))
  fields <- rlang::set_names(fields, sub("^_+", "", fields))
  lapply(fields, function(name) self[[name]])
}

# Names of the members of a list of layers.
container_names <- function(layers) {
  counts <- list()
  vapply(layers, function(layer) {
    name <- snake_case(gsub("\\W", "", layer_class_name(layer)))
    count <- counts[[name]] %||% 0L
    counts[[name]] <<- count + 1L
    if (count == 0L) name else paste0(name, "_", count)
  }, "")
}

# --- writing ------------------------------------------------------------------------------------------------------

vars_group <- function(name, variables) {
  hdf5_group(rlang::set_names(variables, as.character(seq_along(variables) - 1L)), list(name = hdf5_text(name)))
}

# `tree` with `node` at `path`; groups on the way are made.
hdf5_insert <- function(tree, path, node) {
  if (length(path) == 1L) {
    tree$members[[path]] <- node
    return(tree)
  }
  below <- tree$members[[path[[1]], exact = TRUE]] %||% hdf5_group()
  tree$members[[path[[1]]]] <- hdf5_insert(below, path[-1], node)
  tree
}

# The content of model.weights.h5, optimizer included.
weights_tree <- function(self, optimizer = self$optimizer) {
  tree <- hdf5_group()
  for (object in saved_objects(self)) {
    tree <- hdf5_insert(tree, c(object$path, "vars"), vars_group(object$name, object$variables))
  }
  if (is.null(optimizer)) return(tree)
  hdf5_insert(tree, c("optimizer", "vars"), vars_group(optimizer$name, optimizer$variables))
}

# --- reading ------------------------------------------------------------------------------------------------------

# What an object finds at its place: list(variables, datasets), or list(problem).
found_variables <- function(root, object) {
  vars <- hdf5_find(root, c(object$path, "vars"))
  datasets <- if (!is.null(vars) && is_hdf5_group(vars)) numbered_members(vars) else list()
  what <- paste0(object$class_name, " \"", object$name, "\"")
  if (length(datasets) != length(object$variables)) {
    names <- vapply(object$variables, function(v) variable_field(v, "name"), "")
    problem <- sprintf("%s needs %d variables (%s), the file has %d", what, length(names), paste(names, collapse = ", "),
                       length(datasets))
    return(list(problem = problem))
  }
  for (k in seq_along(datasets)) {
    wanted <- variable_field(object$variables[[k]], "shape")
    if (identical(as.integer(datasets[[k]]$shape), as.integer(wanted))) next
    problem <- sprintf("%s: %s has shape %s, in the file it has %s", what, variable_field(object$variables[[k]], "name"),
                       format_shape(wanted), format_shape(datasets[[k]]$shape))
    return(list(problem = problem))
  }
  list(variables = object$variables, datasets = datasets)
}

# The datasets 0, 1, ... of a group in their order; others are none of it.
numbered_members <- function(group) {
  count <- length(group$members)
  names <- as.character(seq_len(count) - 1L)
  group$members[names[seq_len(match(FALSE, names %in% names(group$members), nomatch = count + 1L) - 1L)]]
}

# Reads all that was found, then assigns it: an error in the middle changes nothing.
assign_found <- function(file, found, call) {
  variables <- do.call(c, c(list(list()), lapply(found, `[[`, "variables")))
  datasets <- do.call(c, c(list(list()), lapply(found, function(each) unname(each$datasets))))
  values <- Map(function(v, node) hdf5_tensor(file, node, variable_field(v, "dtype"), call), variables, datasets)
  warn_not_finite(variables, values)
  Map(set_variable, variables, values)
  invisible()
}

warn_not_finite <- function(variables, values) {
  bad <- !vapply(values, function(x) all(is.finite(as.vector(as.array(x)))), NA)
  if (!any(bad)) return(invisible())
  paths <- vapply(variables[bad], function(v) variable_field(v, "path"), "")
  birnn_warn("The file holds NaN or infinite numbers for {.field {paths}}.", kind = "file")
}

# Loads the variables of a model from a tree. `skip_mismatch`: what does not fit is left as it is, with a warning.
load_weights_tree <- function(self, hdf5, skip_mismatch, call) {
  root <- older_layout(hdf5$root)
  found <- lapply(saved_objects(self), function(object) found_variables(root, object))
  problems <- unlist(lapply(found, `[[`, "problem"))
  if (length(problems) > 0) report_problems(problems, skip_mismatch, call)
  assign_found(hdf5$file, Filter(function(each) is.null(each$problem), found), call)
}

# Keras 2.12 to 2.15 called the layers of a model otherwise.
older_layout <- function(root) {
  old <- "_layer_checkpoint_dependencies"
  if (!"layers" %in% names(root$members) && old %in% names(root$members)) root$members$layers <- root$members[[old]]
  root
}

report_problems <- function(problems, skip_mismatch, call) {
  shown <- if (length(problems) > 10) c(problems[1:10], sprintf("and %d more", length(problems) - 10)) else problems
  bullets <- rlang::set_names(gsub("([{}])", "\\1\\1", shown), rep("x", length(shown)))
  if (skip_mismatch) return(birnn_warn(c("{length(problems)} object{?s} keep{?s/} their weights:", bullets),
                                       kind = "weights", call = call))
  birnn_abort(
    c("A total of {length(problems)} object{?s} could not be loaded.", bullets,
      i = "{.code skip_mismatch = TRUE} loads the others."),
    kind = "weights", call = call
  )
}

# --- the optimizer ------------------------------------------------------------------------------------------------

# Values for an optimizer in the order of its variables. Keras 2 and schedules leave out the learning rate; an optimizer
# that has not trained yet has no more than that and the number of steps.
load_optimizer <- function(optimizer, file, datasets, call) {
  variables <- optimizer$variables
  if (length(datasets) == length(variables) - 1L) variables <- variables[-2L]
  if (length(datasets) < 3L) variables <- variables[seq_along(datasets)]
  shapes <- lapply(variables, variable_field, "shape")
  fits <- length(datasets) == length(variables) && all(mapply(function(node, shape) {
    identical(as.integer(node$shape), as.integer(shape))
  }, datasets, shapes))
  if (!fits) {
    birnn_warn("The state of the optimizer in the file does not fit the model: it starts anew.",
               kind = "file", call = call)
    return(invisible())
  }
  assign_found(file, list(list(variables = variables, datasets = datasets)), call)
}
