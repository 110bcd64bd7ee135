# The backend functions of Keras 2, k_*(), with the arguments they had there: one table (level 3).

# Each is named without "k_"; what its body calls is the function that new code uses. Axes count from 1, but indices
# from 0, as they did in Keras 2.
older_backend <- list(
  abs = function(x) op_abs(x),
  all = function(x, axis = NULL, keepdims = FALSE) op_all(x, axis, keepdims),
  any = function(x, axis = NULL, keepdims = FALSE) op_any(x, axis, keepdims),
  arange = function(start, stop = NULL, step = 1, dtype = "int32") {
    op_arange(if (is.null(stop)) 0 else start, stop %||% start, step, dtype, include_end = FALSE)
  },
  argmax = function(x, axis = -1) op_argmax(x, axis, zero_indexed = TRUE),
  argmin = function(x, axis = -1) op_argmin(x, axis, zero_indexed = TRUE),
  backend = function() config_backend(),
  batch_flatten = function(x) op_reshape(x, c(-1, prod(op_shape(x)[-1]))),
  batch_get_value = function(ops) lapply(ops, op_convert_to_array),
  cast = function(x, dtype) op_cast(x, dtype),
  cast_to_floatx = function(x) op_cast(x, config_floatx()),
  clear_session = function() clear_session(),
  clip = function(x, min_value = NULL, max_value = NULL) op_clip(x, min_value %||% -Inf, max_value %||% Inf),
  concatenate = function(tensors, axis = -1) op_concatenate(tensors, axis),
  constant = function(value, dtype = NULL, shape = NULL, name = NULL) as_tensor(value, dtype, shape),
  cos = function(x) op_cos(x),
  count_params = function(x) prod(op_shape(x)),
  cumprod = function(x, axis = 1) op_cumprod(x, axis),
  cumsum = function(x, axis = 1) op_cumsum(x, axis),
  dot = function(x, y) op_dot(x, y),
  dropout = function(x, level, noise_shape = NULL, seed = NULL) random_dropout(x, level, noise_shape, seed),
  dtype = function(x) op_convert_to_tensor(x)$dtype,
  elu = function(x, alpha = 1) op_elu(x, alpha),
  epsilon = function() config_epsilon(),
  equal = function(x, y) op_equal(x, y),
  eval = function(x) op_convert_to_array(x),
  exp = function(x) op_exp(x),
  expand_dims = function(x, axis = -1) op_expand_dims(x, axis),
  eye = function(size, dtype = NULL, name = NULL) op_eye(size, dtype = dtype),
  flatten = function(x) op_reshape(x, -1),
  floatx = function() config_floatx(),
  gather = function(reference, indices) op_take(reference, indices, axis = 1, zero_indexed = TRUE),
  get_value = function(x) op_convert_to_array(x),
  greater = function(x, y) op_greater(x, y),
  greater_equal = function(x, y) op_greater_equal(x, y),
  hard_sigmoid = function(x) op_hard_sigmoid(x),
  image_data_format = function() config_image_data_format(),
  int_shape = function(x) as.list(op_shape(x)),
  is_tensor = function(x) op_is_tensor(x),
  less = function(x, y) op_less(x, y),
  less_equal = function(x, y) op_less_equal(x, y),
  log = function(x) op_log(x),
  logsumexp = function(x, axis = NULL, keepdims = FALSE) op_logsumexp(x, axis, keepdims),
  max = function(x, axis = NULL, keepdims = FALSE) op_max(x, axis, keepdims),
  maximum = function(x, y) op_maximum(x, y),
  mean = function(x, axis = NULL, keepdims = FALSE) op_mean(x, axis, keepdims),
  min = function(x, axis = NULL, keepdims = FALSE) op_min(x, axis, keepdims),
  minimum = function(x, y) op_minimum(x, y),
  ndim = function(x) op_ndim(x),
  not_equal = function(x, y) op_not_equal(x, y),
  one_hot = function(indices, num_classes) op_one_hot(indices, num_classes, zero_indexed = TRUE),
  ones = function(shape, dtype = NULL, name = NULL) op_ones(shape, dtype),
  ones_like = function(x, dtype = NULL, name = NULL) op_ones_like(x, dtype),
  permute_dimensions = function(x, pattern) op_transpose(x, pattern),
  pow = function(x, a) op_power(x, a),
  prod = function(x, axis = NULL, keepdims = FALSE) op_prod(x, axis, keepdims),
  random_bernoulli = function(shape, p = 0, dtype = NULL, seed = NULL) {
    op_cast(op_less(random_uniform(shape, seed = seed), p), dtype %||% config_floatx())
  },
  random_normal = function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
    random_normal(shape, mean, stddev, dtype, seed)
  },
  random_uniform = function(shape, minval = 0, maxval = 1, dtype = NULL, seed = NULL) {
    random_uniform(shape, minval, maxval, dtype, seed)
  },
  relu = function(x, alpha = 0, max_value = NULL) activation_relu(x, alpha, max_value),
  `repeat` = function(x, n) op_repeat(op_expand_dims(x, 2), n, axis = 2),
  repeat_elements = function(x, rep, axis) op_repeat(x, rep, axis),
  reshape = function(x, shape) op_reshape(x, shape),
  reverse = function(x, axes) op_flip(x, axes),
  round = function(x) op_round(x),
  set_epsilon = function(e) config_set_epsilon(e),
  set_floatx = function(floatx) config_set_floatx(floatx),
  set_value = function(x, value) x$assign(value),
  shape = function(x) op_shape(x),
  sigmoid = function(x) op_sigmoid(x),
  sign = function(x) op_sign(x),
  sin = function(x) op_sin(x),
  softmax = function(x, axis = -1) op_softmax(x, axis),
  softplus = function(x) op_softplus(x),
  softsign = function(x) op_softsign(x),
  sqrt = function(x) op_sqrt(op_maximum(x, 0)),
  square = function(x) op_square(x),
  squeeze = function(x, axis = NULL) op_squeeze(x, axis),
  stack = function(x, axis = 1) op_stack(x, axis),
  std = function(x, axis = NULL, keepdims = FALSE) op_std(x, axis, keepdims),
  stop_gradient = function(variables) {
    if (is_plain_list(variables)) lapply(variables, op_stop_gradient) else op_stop_gradient(variables)
  },
  sum = function(x, axis = NULL, keepdims = FALSE) op_sum(x, axis, keepdims),
  switch = function(condition, then_expression, else_expression) {
    op_where(condition, then_expression, else_expression)
  },
  tanh = function(x) op_tanh(x),
  tile = function(x, n) op_tile(x, n),
  transpose = function(x) op_transpose(x),
  truncated_normal = function(shape, mean = 0, stddev = 1, dtype = NULL, seed = NULL) {
    random_truncated_normal(shape, mean, stddev, dtype, seed)
  },
  update = function(x, new_x) x$assign(new_x),
  update_add = function(x, increment) x$assign(op_add(x, increment)),
  update_sub = function(x, decrement) x$assign(op_subtract(x, decrement)),
  var = function(x, axis = NULL, keepdims = FALSE) op_var(x, axis, keepdims),
  variable = function(value, dtype = NULL, name = NULL, constraint = NULL) {
    keras_variable(value, dtype = dtype, name = name)
  },
  zeros = function(shape, dtype = NULL, name = NULL) op_zeros(shape, dtype),
  zeros_like = function(x, dtype = NULL, name = NULL) op_zeros_like(x, dtype)
)

# The function that a body calls.
backend_successor <- function(name) {
  called <- all.names(body(older_backend[[name]]))
  is_new <- grepl("^(op|config|random|activation|keras|clear|as)_", called) & called != "as_operand"
  if ("assign" %in% called) "$assign" else called[is_new][[1]]
}

# Said once for all of them.
announce_backend <- function(name) {
  warn_once("older-backend",
            c("{.fn k_{name}} is a name of Keras 2, which works here.",
              i = "New code uses {.fn {backend_successor(name)}} and the other {.code op_*} functions."),
            kind = "deprecated", call = NULL)
}

local({
  for (name in names(older_backend)) {
    fn <- older_backend[[name]]
    body(fn) <- call("{", call("announce_backend", name), body(fn))
    assign(paste0("k_", name), fn, envir = parent.env(environment()))
  }
})

backend_table <- function() {
  names <- names(older_backend)
  old <- vapply(names, function(name) {
    paste0("k_", name, "(", toString(names(formals(older_backend[[name]]))), ")")
  }, "")
  c(paste0("\\alias{k_", names, "}"),
    "\\section{Functions}{", "\\tabular{ll}{", "\\strong{Keras 2} \\tab \\strong{today} \\cr",
    paste0("\\code{", old, "} \\tab \\code{", vapply(names, backend_successor, ""), "} \\cr"), "}", "}")
}

#' Backend functions of Keras 2
#'
#' Losses, metrics and layers of older scripts are written with `k_mean()`, `k_square()` and so on. These names work,
#' with the arguments that they had; the first one that is used says that they are older. Axes count from 1, but
#' `k_argmax()`, `k_gather()`, `k_one_hot()` and `k_arange()` count from 0, as in Keras 2.
#'
#' There are no sessions, functions of graphs and learning phases here, so `k_get_session()`, `k_function()`,
#' `k_learning_phase()` and their kin do not exist.
#'
#' @return What the function of today returns: a tensor, or for `k_get_value()` and `k_eval()` an R array.
#' @evalNamespace paste0("export(\"k_", names(older_backend), "\")")
#' @evalRd backend_table()
#' @name k_backend
#' @rdname k_backend
#' @family ops
#' @examples
#' x <- suppressWarnings(k_variable(matrix(1:4, 2)))
#' k_mean(k_square(x), axis = 2)
#' k_get_value(x)
NULL
