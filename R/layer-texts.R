# Texts on their way through a model to the layers that read them (level 4).
#
# The core knows numbers only. In a call of a model, a tensor of texts is an int32 tensor of places in `running$texts`;
# a symbolic one has the type "string". Layers with `reads_text` look the texts up; nothing else can be done with them.

running$texts <- NULL

input_dtypes <- c(dtype_names, "string")

# Whole numbers of 64 bits come from other backends; R has none.
input_dtype <- function(dtype, call = rlang::caller_env()) {
  check_choice(if (identical(dtype, "int64")) "int32" else dtype, input_dtypes, arg = "dtype", call = call)
}

holds_text <- function(x) is.character(x) || is_plain_list(x) && any(vapply(x, holds_text, NA))

# Gathers texts; `code()` makes the tensor that stands for an array of them.
new_text_table <- function() {
  known <- character()
  list(
    texts = function() known,
    code = function(x) {
      sizes <- dim(x) %||% length(x)
      x <- enc2utf8(as.vector(x))
      known <<- unique(c(known, x))
      as_tensor(array(match(x, known), sizes))
    }
  )
}

# Evaluates `code` while tensors of texts count into `texts`; NULL: there are none.
with_texts <- function(texts, code) if (is.null(texts)) code else with_running(list(texts = texts), code)

# The texts that a tensor stands for, as an array.
texts_of <- function(codes) {
  places <- as.array(codes)
  array(running$texts[places], dim(places) %||% length(places))
}

# Layers that compute cannot take texts; models and classes of users may hand them on.
check_no_texts <- function(self, inputs) {
  if (inherits(self, "Model") || !is.null(field(self, "definition"))) return(invisible())
  for (x in flatten_structure(inputs)) if (is_text_tensor(x)) abort_text_input(paste0("Layer \"", self$name, "\""))
}
