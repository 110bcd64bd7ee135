# Property tests: a relation between calls must hold for random configurations. The first that breaks it is shrunk to
# the smallest that still does, and printed; case_of() makes its case again.

# `count` configurations of a cell: merge modes, masks and initial states from a shuffled table of all combinations
# (60 are all of them), sizes and options at random. These are drawn first, so that different tests share layers.
random_configurations <- function(cell, floatx, count, masks = mask_kinds, merges = names(merge_modes),
                                  states = c(TRUE, FALSE), variants = names(case_variants)) {
  draw <- function(values) values[sample.int(length(values), count, replace = TRUE)]
  drawn <- data.frame(
    cell = cell, floatx = floatx, seed = draw(seq_len(1e6)), batch = draw(c(2:5, 9)), time = draw(3:8),
    features = draw(1:4), units = draw(c(1:5, 9)), variant = draw(variants)
  )
  table <- expand.grid(merge = merges, mask = masks, states = states, stringsAsFactors = FALSE)
  drawn <- cbind(drawn, table[rep_len(sample.int(nrow(table)), count), ])
  lapply(seq_len(count), function(k) as.list(drawn[k, ]))
}

# The case of a configuration. Whatever `code` draws beyond it depends on the configuration's seed as well.
case_of <- function(configuration, code = identity) {
  withr::with_seed(configuration$seed, {
    sizes <- configuration[setdiff(names(configuration), c("floatx", "seed"))]
    case <- do.call(random_case, sizes)
    with_floatx(configuration$floatx, code(case))
  })
}

# Evaluates `code(case)`, a function with expectations, for `count` configurations of every cell in both float types.
# `others`: also for a cell written in R or a stack; for all of them if all tests are run.
for_random_cases <- function(code, cells = names(recurrent_cells), count = if (all_tests()) 60 else 2,
                             others = identical(cells, names(recurrent_cells)), ...) {
  for (floatx in both_floatx) for (cell in c(cells, if (others) next_cells(code, floatx))) {
    is_other <- cell %in% names(other_cells)
    expect_holds_for(code, cell, floatx, if (is_other) max(1, count %/% 6) else count, is_other, list(...))
  }
}

expect_holds_for <- function(code, cell, floatx, count, is_other, allowed) {
  if (is_other) allowed$variants <- "usual"
  seed <- sum(utf8ToInt(paste(cell, floatx)))
  draw <- function() do.call(random_configurations, c(list(cell, floatx, count), allowed))
  for (configuration in withr::with_seed(seed, draw())) expect_holds(configuration, code, allowed)
}

# One of the other cells, the same in every run: it depends on the relation's code, so that different relations take
# different ones.
next_cells <- function(code, floatx) {
  if (all_tests()) return(names(other_cells))
  names(other_cells)[[1 + sum(utf8ToInt(paste(c(deparse(body(code)), floatx), collapse = ""))) %% length(other_cells)]]
}

expect_holds <- function(configuration, code, allowed = list()) {
  violation <- violation_of(configuration, code)
  if (is.null(violation)) return(invisible(TRUE))
  smallest <- shrink(configuration, violation, code, allowed)
  testthat::fail(paste0(
    "Broken by ", format_configuration(configuration), "\nand by     ", format_configuration(smallest$configuration),
    ":\n", conditionMessage(smallest$violation)
  ))
}

# The first failed expectation or error of `code`, NULL if there is none.
violation_of <- function(configuration, code) {
  tryCatch(
    {
      case_of(configuration, code)
      NULL
    },
    expectation_failure = identity, error = identity
  )
}

# Takes steps to simpler configurations as long as they are broken in the same way.
shrink <- function(configuration, violation, code, allowed = list()) {
  repeat {
    simpler <- NULL
    for (candidate in simpler_configurations(configuration, allowed)) {
      found <- violation_of(candidate, code)
      if (!is.null(found) && identical(class(found), class(violation))) {
        simpler <- candidate
        break
      }
    }
    if (is.null(simpler)) return(list(configuration = configuration, violation = violation))
    configuration <- simpler
    violation <- found
  }
}

# One value nearer to the simplest: sizes halved or less by one, everything else the first value that is allowed.
simpler_configurations <- function(configuration, allowed = list()) {
  least <- c(batch = 1, time = 2, features = 1, units = 1)
  first <- list(
    merge = c(allowed$merges, "concat")[[1]], mask = c(allowed$masks, "none")[[1]],
    states = c(allowed$states, FALSE)[[1]], variant = c(allowed$variants, "usual")[[1]]
  )
  smaller <- lapply(names(least), function(size) {
    now <- configuration[[size]]
    values <- unique(c(least[[size]], now %/% 2, now - 1))
    lapply(values[values >= least[[size]] & values < now], function(value) replace(configuration, size, value))
  })
  changed <- Filter(function(name) !identical(configuration[[name]], first[[name]]), names(first))
  c(lapply(changed, function(name) replace(configuration, name, first[[name]])), do.call(c, smaller))
}

format_configuration <- function(configuration) {
  values <- vapply(configuration, function(value) paste(deparse(value), collapse = ""), character(1))
  paste0("case_of(list(", paste(names(configuration), "=", values, collapse = ", "), "))")
}
