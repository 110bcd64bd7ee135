# The one table of ops: for every exported op_*() one or more functions of a (batch, 3, 4) tensor x, made of op_*().
# A name is that of the op, without op_; what follows a dot tells rows of one op apart. test-ops-registry.R runs them.

op_table <- list(
  add = function(x) op_add(x, 1), subtract = function(x) op_subtract(2, x), multiply = function(x) op_multiply(x, x),
  divide = function(x) op_divide(x, 3), power = function(x) op_power(op_abs(x), 1.5),
  maximum = function(x) op_maximum(x, 0), minimum = function(x) op_minimum(x, 0),
  floor_divide = function(x) op_floor_divide(x, 0.3), mod = function(x) op_mod(x, 0.3), negative = op_negative,
  exp = op_exp, expm1 = op_expm1, log = function(x) op_log(op_abs(x)), log1p = function(x) op_log1p(op_abs(x)),
  log2 = function(x) op_log2(op_abs(x)), log10 = function(x) op_log10(op_abs(x)), sqrt = function(x) op_sqrt(op_abs(x)),
  rsqrt = function(x) op_rsqrt(op_abs(x)), reciprocal = function(x) op_reciprocal(op_add(op_abs(x), 0.5)), sin = op_sin, cos = op_cos, erf = op_erf,
  abs = op_abs, sign = op_sign, square = op_square, floor = op_floor, ceil = op_ceil, round = op_round,
  clip = function(x) op_clip(x, -0.5, 0.5), clip.tensor = function(x) op_clip(x, op_zeros(4), 1),
  matmul = function(x) op_matmul(x, matrix(1:8 / 8, 4)), dot = function(x) op_dot(x, matrix(1:8 / 8, 4)),
  matmul.batch = function(x) op_matmul(x, op_transpose(x, c(1, 3, 2))),
  tensordot = function(x) op_tensordot(x, matrix(1:6 / 6, 3), axes = c(2, 1)),
  equal = function(x) op_equal(x, 0), not_equal = function(x) op_not_equal(x, 0), less = function(x) op_less(x, 0),
  less_equal = function(x) op_less_equal(x, 0), greater = function(x) op_greater(x, 0),
  greater_equal = function(x) op_greater_equal(x, 0),
  logical_and = function(x) op_logical_and(op_less(x, 1), op_greater(x, -1)),
  logical_or = function(x) op_logical_or(op_less(x, -1), op_greater(x, 1)),
  logical_xor = function(x) op_logical_xor(op_less(x, 1), op_greater(x, -1)),
  logical_not = function(x) op_logical_not(op_less(x, 0)), isfinite = op_isfinite, isnan = op_isnan,
  where = function(x) op_where(op_less(x, 0), x, 0), sum = op_sum, sum.axes = function(x) op_sum(x, c(2, 3)),
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
  split.at = function(x) op_split(x, c(1, 3), axis = 3)[[3]], repeat.slices = function(x) op_repeat(x, 2, axis = 1),
  repeat.all = function(x) op_repeat(x, 2), tile = function(x) op_tile(x, c(2, 1, 2)),
  broadcast_to = function(x) op_broadcast_to(op_sum(x, 2, keepdims = TRUE), c(NA, 3, 4)),
  flip = function(x) op_flip(x, c(1, 2)), roll = function(x) op_roll(x, 1, axis = 2),
  pad = function(x) op_pad(x, list(c(0, 0), c(1, 0), c(0, 2))), take = function(x) op_take(x, c(3, 1), axis = 2),
  take.flat = function(x) op_take(x, c(-1, 2)),
  take_along_axis = function(x) op_take_along_axis(x, op_argmax(x, 3, keepdims = TRUE), axis = 3),
  slice = function(x) op_slice(x, c(1, 2, 1), c(NA, 2, 3)), one_hot = function(x) op_one_hot(op_argmax(x, 3), 4),
  tril = op_tril, triu = op_triu, zeros_like = op_zeros_like, ones_like = op_ones_like,
  full_like = function(x) op_full_like(x, 2), cast = function(x) op_cast(x, "int32"), stop_gradient = op_stop_gradient,
  tanh = op_tanh, sigmoid = op_sigmoid, relu = op_relu, softmax = op_softmax,
  log_softmax = function(x) op_log_softmax(x, 2), gelu = op_gelu,
  # sorting, einsum, updates
  sort = function(x) op_sort(x, 2), sort.flat = function(x) op_sort(x, NULL), argsort = function(x) op_argsort(x, 3),
  top_k = function(x) op_top_k(x, 2), searchsorted = function(x) op_searchsorted(c(-1, 0, 1), x),
  digitize = function(x) op_digitize(x, c(-1, 0, 1)),
  einsum = function(x) op_einsum("bij,jk->bik", x, matrix(1:8 / 8, 4)),
  einsum.batch = function(x) op_einsum("bij,bkj->bik", x, x), einsum.sum = function(x) op_einsum("bij->j", x),
  einsum.outer = function(x) op_einsum("bij,k->bkij", x, c(1, 2)),
  einsum.dots = function(x) op_einsum("...ij,jk->...ik", x, matrix(1:8 / 8, 4)),
  einsum.all = function(x) op_einsum("bij,bij->", x, x),
  einsum.three = function(x) op_einsum("bij,jk,kl->bil", x, matrix(1:8 / 8, 4), matrix(1:4 / 4, 2)),
  slice_update = function(x) op_slice_update(x, c(1, 2, 1), op_slice(x, c(1, 1, 3), c(NA, 2, 2))),
  scatter = function(x) op_scatter(matrix(c(1, 3, 1)), op_sum(x, 1), c(4, 4)),
  scatter_update = function(x) op_scatter_update(op_transpose(x), rbind(c(1, 2), c(4, 3)), op_sum(op_exp(x), c(2, 3))),
  subset = function(x) op_subset(x, .., c(4, 1)), subset.slices = function(x) x@r[, 2, NA:1:-1],
  subset.new = function(x) x@py[NULL, 0, , 1:3], subset.assign = function(x) {
    op_subset(x, , 2, c(1, 3)) <- op_subset(x, , 1, 3:4) * 2
    x
  },
  # labels without alignment
  ctc_loss = function(x) {
    labels <- op_cast(op_add(op_argmax(x[, , 1:2], 3, zero_indexed = TRUE), 1), "int32")
    op_ctc_loss(labels[, 1:2], op_concatenate(list(x, x), 2), op_max(labels, 2), op_add(op_min(labels, 2), 4L))
  },
  # convolution and pooling
  conv = function(x) op_conv(x, array(1:16 / 16, c(2, 4, 2)), padding = "same"),
  depthwise_conv = function(x) op_depthwise_conv(x, array(1:8 / 8, c(2, 4, 1))),
  separable_conv = function(x) op_separable_conv(x, array(1:8 / 8, c(2, 4, 1)), array(1:12 / 12, c(1, 4, 3))),
  conv_transpose = function(x) op_conv_transpose(x, array(1:24 / 24, c(3, 2, 4)), strides = 2),
  max_pool = function(x) op_max_pool(x, 2, strides = 1), average_pool = function(x) op_average_pool(x, 2),
  # branches and loops
  cond = function(x) op_cond(op_greater(op_sum(x), 0), function() op_exp(x), function() op_negative(x)),
  while_loop = function(x) {
    op_while_loop(function(i, x) op_less(op_sum(i), 3), function(i, x) list(i + 1, x * 1.5), list(op_zeros(1), x), 5)
  },
  fori_loop = function(x) op_fori_loop(1, 4, function(i, state) state * x + i, x),
  scan = function(x) op_scan(function(sum, row) list(sum + row, sum * row), op_zeros(4), op_sum(x, 1)),
  scan.reverse = function(x) {
    op_scan(function(sum, row) list(sum + row, sum * row), op_zeros_like(x[, 1]), op_transpose(x, c(2, 1, 3)),
            reverse = TRUE)
  },
  # constants and conversions
  zeros = function(x) op_add(x, op_zeros(4)), ones = function(x) op_add(x, op_ones(c(3, 1))),
  full = function(x) op_add(x, op_full(4, 2)), eye = function(x) op_matmul(x, op_eye(4)),
  arange = function(x) op_multiply(x, op_arange(1, 4)), outer = function(x) op_outer(x, c(1, 2)),
  convert_to_tensor = op_convert_to_tensor, shape = function(x) op_multiply(x, op_shape(x)[[3]]),
  ndim = function(x) op_multiply(x, op_ndim(x)), is_tensor = function(x) op_multiply(x, op_is_tensor(x)),
  absolute = op_absolute,
  # activations
  relu6 = op_relu6, leaky_relu = op_leaky_relu, elu = op_elu, selu = op_selu, celu = op_celu, softplus = op_softplus,
  softsign = op_softsign, silu = op_silu, swish = op_swish, log_sigmoid = op_log_sigmoid,
  hard_sigmoid = op_hard_sigmoid, hard_silu = op_hard_silu, hard_swish = op_hard_swish, hard_tanh = op_hard_tanh,
  tanh_shrink = op_tanh_shrink, soft_shrink = op_soft_shrink, hard_shrink = op_hard_shrink,
  threshold = function(x) op_threshold(x, 0.3, -1), squareplus = op_squareplus, sparse_plus = op_sparse_plus,
  sparse_sigmoid = op_sparse_sigmoid
)

# Ops that need the numbers themselves: not in functional models, and steps with them run op by op.
eager_op_table <- list(
  convert_to_array = function(x) op_multiply(x, max(op_convert_to_array(x))),
  convert_to_numpy = function(x) op_multiply(x, max(op_convert_to_numpy(x))),
  subset.where = function(x) x@r[op_greater(x, 0)], where.positions = function(x) op_where(op_greater(x, 0))[[2]],
  ctc_decode = function(x) op_ctc_decode(x, rep(3, dim(x)[[1]]))[[1]]
)

op_of_row <- function(name) sub("[.].*", "", name)

# The floating point outputs of a row, and the others.
is_float_output <- function(x) tensor_dtype(x) %in% both_floatx
