# Classes that users write with Layer(), Model(), Callback(), Loss(), Metric(), ...: their members, `super`, and the R6
# classes behind those of them that are no layers (level 0; for layers see layer-custom.R).

#' A computed field of a layer class
#'
#' For members of [Layer()]: a field whose value is computed whenever it is read.
#'
#' @param fn A function without arguments that computes the value; or of one argument `value`, which is missing when
#'   the field is read and the new value when it is set.
#' @return `fn`, marked.
#' @family layer methods
#' @export
#' @examples
#' layer_scale <- Layer("Scale",
#'   build = function(input_shape) self$scale <- self$add_weight(shape = 1, initializer = "ones"),
#'   call = function(inputs) inputs * self$scale,
#'   public = list(current = active_property(function() as.numeric(self$scale)))
#' )
#' layer <- layer_scale()
#' layer(1:3)
#' layer$current
active_property <- function(fn) {
  if (!is.function(fn)) stop_not("a function", fn, "fn", rlang::current_env())
  structure(fn, class = "birnn_active_property")
}

# --- members ------------------------------------------------------------------------------------------------------

# Python's names for what R calls otherwise.
python_names <- c("__init__" = "initialize")

# Members of every kind in one named list. A leading `self` is optional in methods: here it is always around.
class_members <- function(named, dots, public, call) {
  check_named_list(public, "public", call)
  check_named(dots, call)
  members <- utils::modifyList(c(compact(named), dots), public, keep.null = TRUE)
  is_python <- names(members) %in% names(python_names)
  names(members)[is_python] <- python_names[names(members)[is_python]]
  lapply(members, without_self)
}

check_named_list <- function(x, arg, call) {
  if (!is_plain_list(x) || !all(nzchar(rlang::names2(x)))) stop_not("a named list", x, arg, call)
}

without_self <- function(member) {
  if (!is.function(member) || is.primitive(member)) return(member)
  if (!identical(names(formals(member))[1L], "self")) return(member)
  formals(member) <- formals(member)[-1L]
  member
}

check_class_name <- function(x, call) {
  name <- check_string(x, arg = "classname", call = call)
  if (!grepl("^[[:alpha:]_.][[:alnum:]_.]*$", name)) stop_not("a name made of letters, digits and _", x, "classname", call)
  name
}

# --- super --------------------------------------------------------------------------------------------------------

# `super$method(...)`, and Python's super()$method(...). `find`: the member of a name in the class above.
new_super <- function(find) {
  force(find)
  super <- structure(function(...) super, class = "birnn_super", find = find)
  super
}

#' @export
`$.birnn_super` <- function(x, name) find_above(x, name)

#' @export
`[[.birnn_super` <- function(x, name) find_above(x, name)

find_above <- function(super, name) {
  if (name %in% names(python_names)) name <- python_names[[name]]
  attr(super, "find")(name)
}

# --- classes that are no layers -----------------------------------------------------------------------------------

# What Callback(), Loss(), ... return: a function with the arguments of initialize(), which makes an object. It carries
# `generator`, the R6 class, and `class_name`, the name under which configs know it. `kind` is a list with
#   noun      "callback", "loss", ...
#   root      the R6 class of birnn below all of them
#   base      the R6 class that they share with birnn's own objects, if users' classes can inherit from these
#   builder   the exported function that defines such classes
#   methods   names of members that must be functions
#   taken     names that birnn needs itself
#   finish    function(object): what users hold of the R6 object
define_own_class <- function(kind, named, dots, frame) {
  given <- mget(c("classname", "public", "private", "inherit", "parent_env"), envir = frame)
  name <- check_class_name(given$classname, frame)
  members <- class_members(named, dots, given$public, frame)
  check_own_members(kind, members, given$private, frame)
  if (!is.environment(given$parent_env)) stop_not("an environment", given$parent_env, "parent_env", frame)
  is_active <- vapply(members, inherits, logical(1), "birnn_active_property")
  parent <- own_parent(kind, given$inherit, frame)
  own_constructor(parent$kind, do.call(R6::R6Class, list(
    classname = name, public = members[!is_active], private = given$private, active = lapply(members[is_active], unclass),
    inherit = parent$generator, lock_objects = FALSE, cloneable = FALSE,
    parent_env = given$parent_env
  )))
}

check_own_members <- function(kind, members, private, call) {
  check_named_list(private, "private", call)
  names <- c(names(members), names(private))
  if (anyDuplicated(names)) {
    birnn_abort("A {kind$noun} class has one member of a name, but {.field {names[duplicated(names)][[1]]}} is given
                 twice.", call = call)
  }
  taken <- intersect(names, c("self", "super", "private", "clone", kind$taken))
  if (length(taken) > 0L) {
    birnn_abort("A {kind$noun} class cannot have a member {.field {taken[[1]]}}: birnn uses that name itself.",
                call = call)
  }
  for (name in intersect(names(members), c("initialize", kind$methods))) {
    if (!is.function(members[[name]])) stop_not("a function", members[[name]], name, call)
  }
}

# list(kind, generator): `kind` with the root that the class goes back to.
own_parent <- function(kind, inherit, call) {
  if (is.null(inherit) || identical(inherit, kind$builder())) return(list(kind = kind, generator = kind$root))
  generator <- if (is.function(inherit)) attr(inherit, "generator", exact = TRUE)
  if (has_ancestor(generator, kind$root)) return(list(kind = attr(inherit, "kind"), generator = generator))
  if (is_built_in(inherit, kind)) {
    kind$root <- built_in_root(kind, inherit)
    kind$borrows <- TRUE
    return(list(kind = kind, generator = kind$root))
  }
  builder <- paste0(toupper(substr(kind$noun, 1, 1)), substring(kind$noun, 2))
  ways <- c(paste0("what ", builder, "() returned"), if (!is.null(kind$base)) paste0("a ", kind$noun, "_*() function"))
  stop_not(paste0(paste(ways, collapse = ", "), ", or NULL"), inherit, "inherit", call)
}

has_ancestor <- function(generator, root) {
  while (!is.null(generator)) {
    if (identical(generator, root)) return(TRUE)
    generator <- generator$get_inherit()
  }
  FALSE
}

# What the caller wrote goes on to initialize() as it is.
own_constructor <- function(kind, generator) {
  leaf <- own_leaf(kind, generator)
  constructor <- function() {
    call <- sys.call()
    call[[1L]] <- leaf$new
    kind$finish(eval(call, parent.frame()))
  }
  formals(constructor) <- formals(initialize_of(generator))
  constructor <- structure(
    constructor, class = "birnn_own_class", generator = generator, class_name = generator$classname, noun = kind$noun,
    kind = kind,
    from_config = function(config) do.call(constructor, known_arguments(config, constructor), quote = TRUE)
  )
  leaf$set("public", "definition", list(constructor = constructor))
  constructor
}

known_arguments <- function(config, fn) {
  known <- names(formals(fn))
  if ("..." %in% known) config else config[names(config) %in% known]
}

initialize_of <- function(generator) {
  while (!is.null(generator)) {
    if (is.function(generator$public_methods$initialize)) return(generator$public_methods$initialize)
    generator <- generator$get_inherit()
  }
  function() NULL
}

# What objects are made of: the class, with `private` and `super` for all methods whether they are used or not.
own_leaf <- function(kind, generator) {
  force(kind)
  force(generator)
  leaf <- R6::R6Class(generator$classname,
    inherit = generator, lock_objects = FALSE, cloneable = FALSE,
    public = list(
      initialize = function(...) {
        levels <- surround_own(self, super, kind, generator)
        if (isTRUE(kind$borrows)) self$.levels <- levels
        if (is.function(kind$prepare)) kind$prepare(self, generator)
        super$initialize(...)
        if (is.function(kind$keep)) self$given <- kind$keep(..., .initialize = initialize_of(generator))
      }
    )
  )
  if (is.function(kind$keep)) leaf$set("public", "get_config", function() {
    config <- super$get_config()
    if (defines_below(generator, "get_config", kind$root)) return(config)
    c(config, self$given[setdiff(names(self$given), names(config))])
  })
  leaf
}

# Whether a class of the user has this method.
defines_below <- function(generator, name, root) {
  while (!identical(generator, root)) {
    if (!is.null(generator$public_methods[[name]])) return(TRUE)
    generator <- generator$get_inherit()
  }
  FALSE
}

# Returns the object and what lies above it: one environment for each class down to the root.
surround_own <- function(self, level, kind, generator) {
  private <- NULL
  levels <- list(self, level)
  while (!identical(generator, kind$root)) {
    enclosure <- level$.__enclos_env__
    level <- enclosure$super
    levels <- c(levels, list(level))
    private <- enclosure$private %||% private %||% new.env(parent = emptyenv())
    list2env(list(private = private, super = super_of_own(self, level)), envir = enclosure)
    generator <- generator$get_inherit()
  }
  levels
}

super_of_own <- function(self, level) {
  force(self)
  force(level)
  new_super(function(name) {
    get0(name, envir = level, inherits = FALSE) %||% get0(name, envir = self, inherits = FALSE)
  })
}

# The arguments of a call by name, for configs. (No name of an argument in front: an argument `f` would be taken for it.)
arguments_by_name <- function(..., .initialize) {
  given <- list(...)
  names <- rlang::names2(given)
  free <- setdiff(names(formals(.initialize)), c("...", names))
  unnamed <- which(!nzchar(names))
  unnamed <- unnamed[seq_len(min(length(unnamed), length(free)))]
  names[unnamed] <- free[seq_along(unnamed)]
  rlang::set_names(given, names)[nzchar(names)]
}

#' @export
format.birnn_own_class <- function(x, ...) {
  noun <- attr(x, "noun")
  paste0("<", toupper(substr(noun, 1, 1)), substring(noun, 2), " class ", attr(x, "class_name"), ">")
}

#' @export
print.birnn_own_class <- function(x, ...) {
  cat(format(x), "\n signature: ", signature_text(formals(x)), "\n", sep = "")
  invisible(x)
}

#' @export
str.birnn_own_class <- function(object, ...) cat(" ", format(object), "\n", sep = "")

signature_text <- function(arguments) {
  words <- vapply(names(arguments), function(name) {
    default <- paste(deparse(arguments[[name]]), collapse = " ")
    if (nzchar(default)) paste(name, "=", default) else name
  }, character(1))
  paste0("(", paste(words, collapse = ", "), ")")
}
