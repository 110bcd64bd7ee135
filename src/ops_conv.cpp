// Convolutions over 1 to 3 spatial axes: conv and its transpose, conv_transpose (level L3).
//
// A block of windows is copied out as the rows of a matrix (im2col), one row of taps x channels for each output
// position; then every pass is a product with the kernel, seen as (taps * channels, filters):
//   conv            y = windows(x) K          dK = windows(x)' dy          dx = the windows of dy K' added up
//   conv_transpose  the same three with the roles of x and y exchanged: it is the dx of a convolution.
// With groups, channels and filters are cut into as many parts that do not see each other. Each number is one chain of
// sums in the order of taps, channels and positions: block sizes and threads do not change its bits.
//
// Attributes: `strides`, `dilation_rate` (a number for each spatial axis), `padding`; conv_transpose: `output_padding`.
#include <algorithm>

#include "gemm.h"
#include "ops_families.h"
#include "ops_window.h"
#include "workspace.h"

namespace birnn {

namespace {

constexpr const char* conv_label = "op_conv";
constexpr const char* transpose_label = "op_conv_transpose";

// The large side has `channels`, the small side (one position for each window) has `filters`.
struct Convolution {
  Window window;
  int64 channels = 0, filters = 0, groups = 1;
  int64 group_channels() const { return channels / groups; }
  int64 group_filters() const { return filters / groups; }
  int64 depth() const { return window.taps() * group_channels(); }
  double work() const {
    return static_cast<double>(window.batch) * static_cast<double>(window.outputs()) * static_cast<double>(depth()) *
           static_cast<double>(group_filters() * groups);
  }
  // So many windows at once that their matrix stays in the second-level cache.
  int64 block_rows() const { return std::max<int64>(32, std::min<int64>(256, 32768 / std::max<int64>(depth(), 1))); }
};

// --- shapes -------------------------------------------------------------------------------------------------------

Window window_attrs(const char* label, const Attrs& attrs, const Shape& x, const Shape& kernel) {
  Window window;
  window.rank = spatial_rank(label, x);
  if (kernel.rank() != x.rank())
    fail_op(label, "shape",
            "inputs of shape " + x.text() + " need a kernel with " + std::to_string(x.rank()) + " axes, got shape " +
                kernel.text());
  window.batch = x[0];
  for (int k = 0; k < window.rank; ++k) {
    WindowAxis& axis = window.spatial(k);
    axis.kernel = kernel[k];
    axis.stride = window_attr(label, attrs, "strides", window.rank, k);
    axis.dilation = window_attr(label, attrs, "dilation_rate", window.rank, k);
  }
  return window;
}

// x (batch, spatial..., groups * c), kernel (taps..., c, filters).
Convolution conv_of(const Attrs& attrs, const Shape& x, const Shape& kernel) {
  Convolution conv;
  conv.window = window_attrs(conv_label, attrs, x, kernel);
  const Padding padding = padding_attr(conv_label, attrs);
  for (int k = 0; k < conv.window.rank; ++k) conv.window.spatial(k).set_input(x[k + 1], padding);
  conv.channels = x.last();
  conv.filters = kernel.last();
  const int64 seen = kernel[kernel.rank() - 2];
  if (conv.channels == unknown_size || seen == unknown_size) return conv;
  if (seen < 1 || conv.channels < 1 || conv.channels % seen != 0)
    fail_op(conv_label, "shape",
            "a kernel of shape " + kernel.text() + " does not fit the channels of inputs of shape " + x.text());
  conv.groups = conv.channels / seen;
  if (conv.filters % conv.groups != 0)
    fail_op(conv_label, "shape",
            "the number of filters of a kernel of shape " + kernel.text() +
                " must be a multiple of the number of groups, " + std::to_string(conv.groups));
  return conv;
}

// x (batch, spatial..., filters), kernel (taps..., channels, filters): the small side comes in, the large one goes out.
Convolution transposed_conv_of(const Attrs& attrs, const Shape& x, const Shape& kernel) {
  Convolution conv;
  conv.window = window_attrs(transpose_label, attrs, x, kernel);
  const Padding padding = padding_attr(transpose_label, attrs);
  const std::vector<double>& extra = attrs.numbers("output_padding");
  if (!extra.empty() && static_cast<int>(extra.size()) != conv.window.rank)
    fail_op(transpose_label, "value", "output_padding must have one number for each axis");
  for (int k = 0; k < conv.window.rank; ++k) {
    WindowAxis& axis = conv.window.spatial(k);
    axis.out = x[k + 1];
    axis.in = unknown_size;
    if (axis.out == unknown_size) continue;
    const int64 extent = axis.extent(), cut = padding == Padding::same ? extent / 2 : 0;
    if (!extra.empty())
      axis.in = (axis.out - 1) * axis.stride + extent - 2 * cut +
                whole_number(transpose_label, "output_padding", extra[static_cast<std::size_t>(k)]);
    else
      axis.in = axis.out * axis.stride + (padding == Padding::same ? 0 : std::max<int64>(extent - axis.stride, 0));
    axis.set_pad(padding);
  }
  conv.channels = kernel[kernel.rank() - 2];
  conv.filters = kernel.last();
  if (x.last() != conv.filters && x.last() != unknown_size && conv.filters != unknown_size)
    fail_op(transpose_label, "shape",
            "a kernel of shape " + kernel.text() + " does not fit the channels of inputs of shape " + x.text());
  return conv;
}

// --- work space ---------------------------------------------------------------------------------------------------

// Of one shard.
template <typename T>
struct ShardSpace {
  T* windows;  // (block_rows, depth)
  T* sum;      // (depth, filters): the shard's part of the gradient of the kernel
  ShardSpace(Workspace& space, const Convolution& conv, bool sums)
      : windows(space.take<T>({conv.block_rows(), conv.depth()})),
        sum(space.take<T>({sums ? conv.depth() : 0, conv.filters})) {}
};

template <typename T>
std::size_t shard_bytes(const Convolution& conv, bool sums) {
  Workspace space(nullptr);
  ShardSpace<T>(space, conv, sums);
  return space.used();
}

template <typename T>
ShardSpace<T> shard_space(const Convolution& conv, void* scratch, int shard, bool sums) {
  Workspace space(static_cast<char*>(scratch) + static_cast<std::size_t>(shard) * shard_bytes<T>(conv, sums));
  return ShardSpace<T>(space, conv, sums);
}

Inference infer_with(const char* label, const Convolution& conv, const std::vector<Meta>& in, const Shape& out) {
  require_floating(label, in[0]);
  require_same_dtype(label, in[0], in[1]);
  Inference result = infer_one(in[0].dtype, out);
  if (!in[0].shape.known() || !in[1].shape.known()) return result;
  with_float(in[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const std::size_t shards = static_cast<std::size_t>(sample_shards(conv.window.batch));
    result.forward_scratch = shards * shard_bytes<T>(conv, false);
    result.backward_scratch = shards * shard_bytes<T>(conv, true);
  });
  return result;
}

// --- the three passes ---------------------------------------------------------------------------------------------

// Calls fn(first, rows) for blocks of the output positions of samples begin..end-1, counted over the whole batch.
template <typename Fn>
void for_each_block(const Convolution& conv, int64 begin, int64 end, Fn&& fn) {
  const int64 last = end * conv.window.outputs();
  for (int64 first = begin * conv.window.outputs(); first < last; first += conv.block_rows()) {
    check_cancel();
    fn(first, std::min(conv.block_rows(), last - first));
  }
}

// The windows of `rows` output positions as rows of (taps, channels of the group).
template <typename T>
void copy_windows(const Convolution& conv, const T* x, int group, int64 first, int64 rows, T* windows) {
  const int64 width = conv.group_channels(), outputs = conv.window.outputs();
  for (int64 row = first; row < first + rows; ++row, windows += conv.depth()) {
    const T* sample = x + row / outputs * conv.window.inputs() * conv.channels + group * width;
    for_each_tap(conv.window, row % outputs, [&](int64 tap, int64 place) {
      T* target = windows + tap * width;
      if (place < 0)
        std::fill(target, target + width, T(0));
      else
        std::copy(sample + place * conv.channels, sample + place * conv.channels + width, target);
    });
  }
}

// The way back: what stands in the rows is added to the places it would be copied from.
template <typename T>
void add_windows(const Convolution& conv, const T* windows, int group, int64 first, int64 rows, T* x) {
  const auto add = tier().arrays->of<T>().add;
  const int64 width = conv.group_channels(), outputs = conv.window.outputs();
  for (int64 row = first; row < first + rows; ++row, windows += conv.depth()) {
    T* sample = x + row / outputs * conv.window.inputs() * conv.channels + group * width;
    for_each_tap(conv.window, row % outputs, [&](int64 tap, int64 place) {
      if (place < 0) return;
      add(static_cast<long>(width), windows + tap * width, sample + place * conv.channels);
    });
  }
}

// y (+)= windows(x) K
template <typename T>
void correlate(const Convolution& conv, const T* x, const T* kernel, bool accumulate, T* y, void* scratch, bool sums) {
  for_each_shard(conv.window.batch, conv.work(), [&](int shard, int64 begin, int64 end) {
    const ShardSpace<T> space = shard_space<T>(conv, scratch, shard, sums);
    for_each_block(conv, begin, end, [&](int64 first, int64 rows) {
      for (int group = 0; group < conv.groups; ++group) {
        const int64 filter = group * conv.group_filters();
        copy_windows(conv, x, group, first, rows, space.windows);
        gemm<T>(false, false, rows, conv.group_filters(), conv.depth(), space.windows, conv.depth(), kernel + filter,
                conv.filters, accumulate, y + first * conv.filters + filter, conv.filters);
      }
    });
  });
}

// dx (+)= the windows dy K', added up
template <typename T>
void spread(const Convolution& conv, const T* dy, const T* kernel, bool accumulate, T* dx, void* scratch, bool sums) {
  const int64 sample = conv.window.inputs() * conv.channels;
  for_each_shard(conv.window.batch, conv.work(), [&](int shard, int64 begin, int64 end) {
    const ShardSpace<T> space = shard_space<T>(conv, scratch, shard, sums);
    if (!accumulate) std::fill(dx + begin * sample, dx + end * sample, T(0));
    for_each_block(conv, begin, end, [&](int64 first, int64 rows) {
      for (int group = 0; group < conv.groups; ++group) {
        const int64 filter = group * conv.group_filters();
        gemm<T>(false, true, rows, conv.depth(), conv.group_filters(), dy + first * conv.filters + filter, conv.filters,
                kernel + filter, conv.filters, false, space.windows, conv.depth());
        add_windows(conv, space.windows, group, first, rows, dx);
      }
    });
  });
}

// dK (+)= windows(x)' dy: a sum for each shard, added in their order
template <typename T>
void kernel_gradient(const Convolution& conv, const T* x, const T* dy, bool accumulate, T* dkernel, void* scratch) {
  const int64 size = conv.depth() * conv.filters;
  for_each_shard(conv.window.batch, conv.work(), [&](int shard, int64 begin, int64 end) {
    const ShardSpace<T> space = shard_space<T>(conv, scratch, shard, true);
    std::fill(space.sum, space.sum + size, T(0));
    for_each_block(conv, begin, end, [&](int64 first, int64 rows) {
      for (int group = 0; group < conv.groups; ++group) {
        const int64 filter = group * conv.group_filters();
        copy_windows(conv, x, group, first, rows, space.windows);
        gemm<T>(true, false, conv.depth(), conv.group_filters(), rows, space.windows, conv.depth(),
                dy + first * conv.filters + filter, conv.filters, true, space.sum + filter, conv.filters);
      }
    });
  });
  if (!accumulate) std::fill(dkernel, dkernel + size, T(0));
  for (int shard = 0; shard < sample_shards(conv.window.batch); ++shard) {
    const T* sum = shard_space<T>(conv, scratch, shard, true).sum;
    for (int64 i = 0; i < size; ++i) dkernel[i] += sum[i];
  }
}

// --- the ops ------------------------------------------------------------------------------------------------------

Inference infer_conv(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(conv_label, in, 2);
  const Convolution conv = conv_of(attrs, in[0].shape, in[1].shape);
  require_room(conv_label, conv.window, in[0].shape);
  Shape out{conv.window.batch};
  for (int k = 0; k < conv.window.rank; ++k) out.push(conv.window.spatial(k).out);
  out.push(conv.filters);
  return infer_with(conv_label, conv, in, out);
}

void forward_conv(const ForwardCall& call) {
  const Convolution conv = conv_of(call.attrs, call.in[0].shape(), call.in[1].shape());
  with_float(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    correlate<T>(conv, call.in[0].as<T>(), call.in[1].as<T>(), false, call.out[0].as<T>(), call.scratch, false);
  });
}

void backward_conv(const BackwardCall& call) {
  if (no_gradient(call, 2)) return;
  const Convolution conv = conv_of(call.attrs, call.in[0].shape(), call.in[1].shape());
  with_float(call.dout[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *x = call.in[0].as<T>(), *kernel = call.in[1].as<T>(), *dy = call.dout[0].as<T>();
    if (wanted(call, 0)) spread<T>(conv, dy, kernel, call.accumulate[0], call.din[0].as<T>(), call.scratch, true);
    if (wanted(call, 1)) kernel_gradient<T>(conv, x, dy, call.accumulate[1], call.din[1].as<T>(), call.scratch);
  });
}

Inference infer_conv_transpose(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(transpose_label, in, 2);
  const Convolution conv = transposed_conv_of(attrs, in[0].shape, in[1].shape);
  Shape out{conv.window.batch};
  for (int k = 0; k < conv.window.rank; ++k) {
    const int64 size = conv.window.spatial(k).in;
    if (size < 1 && size != unknown_size)
      fail_op(transpose_label, "shape",
              "nothing would be left of axis " + std::to_string(k + 2) + " of shape " + in[0].shape.text());
    out.push(size);
  }
  out.push(conv.channels);
  return infer_with(transpose_label, conv, in, out);
}

void forward_conv_transpose(const ForwardCall& call) {
  const Convolution conv = transposed_conv_of(call.attrs, call.in[0].shape(), call.in[1].shape());
  with_float(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    spread<T>(conv, call.in[0].as<T>(), call.in[1].as<T>(), false, call.out[0].as<T>(), call.scratch, false);
  });
}

void backward_conv_transpose(const BackwardCall& call) {
  if (no_gradient(call, 2)) return;
  const Convolution conv = transposed_conv_of(call.attrs, call.in[0].shape(), call.in[1].shape());
  with_float(call.dout[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *x = call.in[0].as<T>(), *kernel = call.in[1].as<T>(), *dy = call.dout[0].as<T>();
    if (wanted(call, 0)) correlate<T>(conv, dy, kernel, call.accumulate[0], call.din[0].as<T>(), call.scratch, true);
    if (wanted(call, 1)) kernel_gradient<T>(conv, dy, x, call.accumulate[1], call.din[1].as<T>(), call.scratch);
  });
}

}  // namespace

void register_conv_ops() {
  register_op({"conv", infer_conv, forward_conv, backward_conv, 3u, 0u, -1});
  register_op({"conv_transpose", infer_conv_transpose, forward_conv_transpose, backward_conv_transpose, 3u, 0u, -1});
}

}  // namespace birnn
