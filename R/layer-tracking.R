# What is assigned to fields of a user's layer becomes part of it (level 4): layers, variables and random streams, also
# in lists. It stays so, in the order of its first assignment, until no field holds it any more.

# The things to track in a value, in order.
trackables <- function(x) {
  if (is_layer(x) || is_variable(x) || is_seed_generator(x)) return(list(x))
  if (!is_plain_list(x)) return(list())
  do.call(c, c(list(list()), lapply(unname(x), trackables)))
}

# After `name` of `self` was set: forgets what no field holds any more, appends what is new.
track_assignment <- function(self, name) {
  found <- trackables(self[[name]])
  if (length(found) == 0L && !name %in% self$tracked_fields) return(invisible())
  self$tracked_fields <- if (length(found)) union(self$tracked_fields, name) else setdiff(self$tracked_fields, name)
  held <- do.call(c, c(list(list()), lapply(self$tracked_fields, function(field) trackables(self[[field]]))))
  kept <- among(self$tracked, held)
  self$tracked <- c(kept, among(held, kept, not = TRUE))
  track_variables(self)
}

# Weights that were not made by add_weight().
track_variables <- function(self) {
  variables <- Filter(is_variable, self$tracked)
  known <- lapply(self$own_weights, `[[`, "variable")
  is_gone <- vapply(self$own_weights, function(weight) isTRUE(weight$assigned), logical(1)) &
    !addresses(known) %in% addresses(variables)
  added <- lapply(among(variables, known, not = TRUE), function(variable) {
    list(variable = variable, trainable = variable_field(variable, "trainable"), assigned = TRUE)
  })
  self$own_weights <- c(self$own_weights[!is_gone], added)
}

addresses <- function(xs) vapply(xs, function(x) rlang::obj_address(layer_object(x)), character(1))

# The different ones of `xs` that are (not) in `others`.
among <- function(xs, others, not = FALSE) {
  keys <- addresses(xs)
  xs[!duplicated(keys) & (keys %in% addresses(others)) != not]
}

unique_layers <- function(layers) layers[!duplicated(addresses(layers))]

tracked_layers <- function(self) Filter(is_layer, self$tracked)

tracked_seeds <- function(self) lapply(Filter(is_seed_generator, self$tracked), function(generator) generator$state)
