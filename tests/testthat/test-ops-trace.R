# Every op in a plan with unknown batch size: the bits of the eager call, at two batch sizes.

# One function of a (batch, 3, 4) tensor x for each op, made of op_*().
traced_functions <- list(
  add = function(x) op_add(x, 1), subtract = function(x) op_subtract(2, x), multiply = function(x) op_multiply(x, x),
  divide = function(x) op_divide(x, 3), power = function(x) op_power(op_abs(x), 1.5),
  maximum = function(x) op_maximum(x, 0), minimum = function(x) op_minimum(x, 0),
  floor_divide = function(x) op_floor_divide(x, 0.3), mod = function(x) op_mod(x, 0.3), negative = op_negative,
  exp = op_exp, expm1 = op_expm1, log = function(x) op_log(op_abs(x)), log1p = function(x) op_log1p(op_abs(x)),
  log2 = function(x) op_log2(op_abs(x)), log10 = function(x) op_log10(op_abs(x)), sqrt = function(x) op_sqrt(op_abs(x)),
  rsqrt = function(x) op_rsqrt(op_abs(x)), reciprocal = op_reciprocal, sin = op_sin, cos = op_cos, erf = op_erf,
  abs = op_abs, sign = op_sign, square = op_square, floor = op_floor, ceil = op_ceil, round = op_round,
  clip = function(x) op_clip(x, -0.5, 0.5), clip_by_tensor = function(x) op_clip(x, op_zeros(4), 1),
  matmul = function(x) op_matmul(x, matrix(1:8 / 8, 4)), dot = function(x) op_dot(x, matrix(1:8 / 8, 4)),
  batch_matmul = function(x) op_matmul(x, op_transpose(x, c(1, 3, 2))),
  tensordot = function(x) op_tensordot(x, matrix(1:6 / 6, 3), axes = c(2, 1)),
  equal = function(x) op_equal(x, 0), not_equal = function(x) op_not_equal(x, 0), less = function(x) op_less(x, 0),
  less_equal = function(x) op_less_equal(x, 0), greater = function(x) op_greater(x, 0),
  greater_equal = function(x) op_greater_equal(x, 0),
  logical_and = function(x) op_logical_and(op_less(x, 1), op_greater(x, -1)),
  logical_or = function(x) op_logical_or(op_less(x, -1), op_greater(x, 1)),
  logical_xor = function(x) op_logical_xor(op_less(x, 1), op_greater(x, -1)),
  logical_not = function(x) op_logical_not(op_less(x, 0)), isfinite = op_isfinite, isnan = op_isnan,
  where = function(x) op_where(op_less(x, 0), x, 0), sum = op_sum, sum_axes = function(x) op_sum(x, c(2, 3)),
  mean = function(x) op_mean(x, 1), prod = function(x) op_prod(x, -1), max = function(x) op_max(x, 2),
  min = function(x) op_min(x, 2, keepdims = TRUE), var = function(x) op_var(x, 2), std = function(x) op_std(x, 2),
  logsumexp = function(x) op_logsumexp(x, -1), any = function(x) op_any(op_less(x, 0), 2),
  all = function(x) op_all(op_less(x, 0), 2), cumsum = function(x) op_cumsum(x, 2),
  cumprod = function(x) op_cumprod(x, 3), diff = op_diff, argmax = function(x) op_argmax(x, 3),
  argmin = function(x) op_argmin(x, 1, keepdims = TRUE), norm = function(x) op_norm(x, axis = -1),
  reshape = function(x) op_reshape(x, c(-1, 12)), expand_dims = function(x) op_expand_dims(x, c(1, -1)),
  squeeze = function(x) op_squeeze(op_sum(x, 2, keepdims = TRUE), 2), transpose = op_transpose,
  swapaxes = function(x) op_swapaxes(x, 1, 3), moveaxis = function(x) op_moveaxis(x, 1, -1),
  concatenate = function(x) op_concatenate(list(x, x), axis = 1), stack = function(x) op_stack(list(x, x), axis = 2),
  unstack = function(x) op_unstack(x, axis = 2)[[2]], split = function(x) op_split(x, 2, axis = 3)[[1]],
  split_at = function(x) op_split(x, c(1, 3), axis = 3)[[3]], repeat_slices = function(x) op_repeat(x, 2, axis = 1),
  repeat_all = function(x) op_repeat(x, 2), tile = function(x) op_tile(x, c(2, 1, 2)),
  broadcast_to = function(x) op_broadcast_to(op_sum(x, 2, keepdims = TRUE), c(NA, 3, 4)),
  flip = function(x) op_flip(x, c(1, 2)), roll = function(x) op_roll(x, 1, axis = 2),
  pad = function(x) op_pad(x, list(c(0, 0), c(1, 0), c(0, 2))), take = function(x) op_take(x, c(3, 1), axis = 2),
  take_flat = function(x) op_take(x, c(-1, 2)),
  take_along_axis = function(x) op_take_along_axis(x, op_argmax(x, 3, keepdims = TRUE), axis = 3),
  slice = function(x) op_slice(x, c(1, 2, 1), c(NA, 2, 3)), one_hot = function(x) op_one_hot(op_argmax(x, 3), 4),
  tril = op_tril, triu = op_triu, zeros_like = op_zeros_like, ones_like = op_ones_like,
  full_like = function(x) op_full_like(x, 2), cast = function(x) op_cast(x, "int32"), stop_gradient = op_stop_gradient,
  conv = function(x) op_conv(x, array(1:16 / 16, c(2, 4, 2)), padding = "same"),
  depthwise_conv = function(x) op_depthwise_conv(x, array(1:8 / 8, c(2, 4, 1))),
  separable_conv = function(x) op_separable_conv(x, array(1:8 / 8, c(2, 4, 1)), array(1:12 / 12, c(1, 4, 3))),
  conv_transpose = function(x) op_conv_transpose(x, array(1:24 / 24, c(3, 2, 4)), strides = 2),
  max_pool = function(x) op_max_pool(x, 2, strides = 1), average_pool = function(x) op_average_pool(x, 2),
  tanh = op_tanh, sigmoid = op_sigmoid, relu = op_relu, softmax = op_softmax,
  log_softmax = function(x) op_log_softmax(x, 2), gelu = op_gelu, glu = activation_glu
)

test_that("every op gives the bits of its eager call in a plan, at two batch sizes", {
  set.seed(1)
  x <- array(stats::rnorm(5 * 12), c(5, 3, 4))
  for (name in names(traced_functions)) {
    fn <- traced_functions[[name]]
    step <- new_step(function(inputs) list(outputs = list(fn(inputs[[1]])), loss = NULL))
    for (rows in list(1:5, 1:2)) {
      planned <- run_step(step, list(as_tensor(x)), rows)$outputs[[1]]
      eager <- fn(as_tensor(x[rows, , , drop = FALSE]))
      expect_identical(tensor_dtype(planned), tensor_dtype(eager), info = name)
      expect_same_bits(planned, eager, name)
    }
    expect_false(step$eager, info = name)
  }
})

test_that("symbolic ops know shapes as far as the batch allows", {
  x <- keras_input(shape = c(3, 4))
  for (name in names(traced_functions)) {
    inferred <- tensor_shape(in_layer_call(traced_functions[[name]](x)))
    for (batch in c(2L, 5L)) {
      actual <- tensor_shape(traced_functions[[name]](op_zeros(c(batch, 3, 4))))
      expect_length(inferred, length(actual))
      expect_true(all(is.na(inferred) | inferred == actual), info = name)
    }
  }
})

test_that("exported ops are all traced", {
  exported <- sub("^op_", "", grep("^op_", getNamespaceExports("birnn"), value = TRUE))
  tested_elsewhere <- c(
    "absolute", "outer", "eye", "arange", "zeros", "ones", "full", "convert_to_tensor", "convert_to_array",
    "convert_to_numpy", "shape", "ndim", "is_tensor", "relu6", "leaky_relu", "elu", "selu", "celu", "softplus",
    "softsign", "silu", "swish", "log_sigmoid", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "tanh_shrink",
    "soft_shrink", "hard_shrink", "threshold", "squareplus", "sparse_plus", "sparse_sigmoid", "repeat"
  )
  expect_identical(setdiff(exported, c(names(traced_functions), tested_elsewhere)), character())
})
