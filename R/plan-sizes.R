# Plans for inputs of any length (level 7).
#
# A plan is traced with all sizes known but the first. If the traces for two sizes are the same line by line, the size
# does not matter, and one plan does for all: the sizes of inner values are inferred anew for every batch anyway. Axes
# whose sizes differ in the same way have the same size in every batch. Sizes of 1, which ops stretch, stay apart, and so
# do traces with R code of the user's, which may do anything with a size.

# Puts the plan of `table` among those of the step: in place of a plan that it can be merged with, if there is one.
keep_plan <- function(step, table) {
  alive <- Filter(function(plan) !r_pointer_is_nil(plan), step$plans)
  if (isTRUE(table$open)) {
    for (k in rev(seq_along(alive))) {
      merged <- merged_table(r_plan_table(alive[[k]]), table)
      if (is.null(merged)) next
      step$plans <- c(alive[-k], list(r_plan_new(merged)))
      return(invisible())
    }
  }
  if (length(alive) >= kept_plans) alive <- alive[-which.min(r_plan_uses(alive))]
  step$plans <- c(alive, list(r_plan_new(table)))
}

# Plans of one step that are kept; if there are more, the one goes that has not been used for the longest time.
kept_plans <- 32L

# One table for the inputs of both; NULL if the traces differ.
merged_table <- function(known, table) {
  if (!isTRUE(known$open)) return(NULL)
  groups <- common_sizes(known, table)
  if (is.null(groups) || !identical(comparable_table(known), comparable_table(table))) return(NULL)
  table$groups <- groups
  table
}

comparable_table <- function(table) {
  table$constants <- lapply(table$constants, function(x) list(tensor_dtype(x), tensor_shape(x), r_tensor_bytes(x)))
  table$after <- is.null(table$after)
  table[setdiff(names(table), c("metas", "groups"))]
}

# For each input the numbers of the groups that its axes are in, 0 for an axis of one size. NULL if the inputs differ in
# more than sizes.
common_sizes <- function(known, table) {
  a <- known$metas
  b <- table$metas
  if (!identical(lapply(a, meta_form), lapply(b, meta_form))) return(NULL)
  sizes <- list(unlist(lapply(a, `[[`, "shape")), unlist(lapply(b, `[[`, "shape")))
  before <- unlist(known$groups) %||% integer(length(sizes[[1L]]))
  differs <- !is.na(sizes[[1L]]) & (before > 0L | sizes[[1L]] != sizes[[2L]])
  if (any(sizes[[1L]][differs] < 2L | sizes[[2L]][differs] < 2L)) return(NULL)
  pairs <- paste(before, sizes[[1L]], sizes[[2L]])[differs]
  groups <- integer(length(differs))
  groups[differs] <- match(pairs, unique(pairs))
  unname(split(groups, factor(rep(seq_along(a), lengths(lapply(a, `[[`, "shape"))), seq_along(a))))
}

meta_form <- function(meta) list(meta$dtype, length(meta$shape))
