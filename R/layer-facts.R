# What follows from the arguments, weights and layers of a layer, worked out once and anew after any change (level 4).

# `what`: a name for the value of `code`. Of use for what would be worked out in every eager call.
remembered <- function(self, what, code) {
  facts <- field(self, ".facts")
  if (is.null(facts) || !identical(field(facts, "changes"), session$changes)) {
    facts <- list2env(list(changes = session$changes), parent = emptyenv())
    assign(".facts", facts, envir = self)
  }
  known <- .subset2(facts, what)
  if (!is.null(known) || exists(what, envir = facts, inherits = FALSE)) return(known)
  force(code)   # may be a change itself
  assign(what, code, envir = facts)
  code
}
