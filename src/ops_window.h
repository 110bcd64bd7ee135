// Windows that slide over the spatial axes of (batch, spatial..., channels): convolution and pooling (level L3).
// Along one axis output o sees the inputs o * stride - pad + tap * dilation for tap = 0..kernel-1; those outside are
// padding.
#pragma once
#include "ops_common.h"
#include "parallel.h"

namespace birnn {

constexpr int max_spatial = 3;

enum class Padding { valid, same, causal };

inline Padding padding_attr(const char* label, const Attrs& attrs) {
  const std::string name = attrs.text("padding", "valid");
  if (name == "valid") return Padding::valid;
  if (name == "same") return Padding::same;
  if (name == "causal") return Padding::causal;
  fail_op(label, "value", "there is no padding '" + name + "'");
}

struct WindowAxis {
  int64 in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;
  int64 extent() const { return (kernel - 1) * dilation + 1; }

  // As many outputs as the padding gives; "same" has its odd zero at the end, "causal" all of them in front.
  void set_input(int64 size, Padding padding) {
    in = size;
    if (size == unknown_size) {
      out = unknown_size;
      return;
    }
    out = padding == Padding::valid ? (size < extent() ? 0 : (size - extent()) / stride + 1)
                                    : (size + stride - 1) / stride;
    set_pad(padding);
  }

  // In front; `in` and `out` are known.
  void set_pad(Padding padding) {
    if (padding == Padding::causal) pad = extent() - 1;
    if (padding == Padding::same) pad = std::max<int64>((out - 1) * stride + extent() - in, 0) / 2;
  }
};

// Missing axes come first, with size 1.
struct Window {
  int rank = 0;
  int64 batch = 0;
  WindowAxis axis[max_spatial];

  WindowAxis& spatial(int k) { return axis[max_spatial - rank + k]; }
  const WindowAxis& spatial(int k) const { return axis[max_spatial - rank + k]; }
  int64 taps() const { return axis[0].kernel * axis[1].kernel * axis[2].kernel; }
  int64 inputs() const { return axis[0].in * axis[1].in * axis[2].in; }
  int64 outputs() const { return axis[0].out * axis[1].out * axis[2].out; }
};

// The number of spatial axes of (batch, spatial..., channels).
inline int spatial_rank(const char* label, const Shape& shape) {
  const int rank = shape.rank() - 2;
  if (rank < 1 || rank > max_spatial)
    fail_op(label, "shape", "needs inputs (batch, 1 to 3 spatial axes, channels), got shape " + shape.text());
  return rank;
}

// A positive whole number of the attribute for each spatial axis; all 1 if it is missing.
inline int64 window_attr(const char* label, const Attrs& attrs, const char* what, int rank, int k) {
  const std::vector<double>& numbers = attrs.numbers(what);
  if (numbers.empty()) return 1;
  if (static_cast<int>(numbers.size()) != rank)
    fail_op(label, "value",
            std::string(what) + " must have one number for each of the " + std::to_string(rank) + " axes");
  const int64 number = whole_number(label, what, numbers[static_cast<std::size_t>(k)]);
  if (number < 1) fail_op(label, "value", std::string(what) + " must be positive");
  return number;
}

// A window is never larger than what it slides over.
inline void require_room(const char* label, const Window& window, const Shape& shape) {
  for (int k = 0; k < window.rank; ++k) {
    const WindowAxis& axis = window.spatial(k);
    if (axis.out != 0) continue;
    fail_op(label, "shape",
            "a window of " + std::to_string(axis.extent()) + " does not fit into axis " + std::to_string(k + 2) +
                " of shape " + shape.text());
  }
}

// Calls fn(tap, place) for the taps of one output position in row-major order; place: the input position, -1 in the
// padding.
template <typename Fn>
void for_each_tap(const Window& window, int64 output, Fn&& fn) {
  const WindowAxis *a = window.axis, *b = a + 1, *c = a + 2;
  const auto inside = [](const WindowAxis* axis, int64 place) { return place >= 0 && place < axis->in; };
  const int64 first_c = output % c->out * c->stride - c->pad;
  const int64 first_b = output / c->out % b->out * b->stride - b->pad;
  const int64 first_a = output / (c->out * b->out) * a->stride - a->pad;
  int64 tap = 0;
  for (int64 i = 0; i < a->kernel; ++i) {
    const int64 at_a = first_a + i * a->dilation;
    for (int64 j = 0; j < b->kernel; ++j) {
      const int64 at_b = first_b + j * b->dilation;
      const bool row = inside(a, at_a) && inside(b, at_b);
      for (int64 k = 0; k < c->kernel; ++k, ++tap) {
        const int64 at_c = first_c + k * c->dilation;
        fn(tap, row && inside(c, at_c) ? (at_a * b->in + at_b) * c->in + at_c : -1);
      }
    }
  }
}

// Samples are cut into shards by the size of the batch alone, so that sums over them never depend on threads.
inline int sample_shards(int64 batch) { return static_cast<int>(std::max<int64>(1, std::min<int64>(4, batch))); }

// Calls fn(shard, first sample, end) for every shard; on the threads of the pool where `work` (products) is worth it.
template <typename Fn>
void for_each_shard(int64 batch, double work, Fn&& fn) {
  const int shards = sample_shards(batch);
  parallel_invoke(shards, work, [&](int shard) { fn(shard, batch * shard / shards, batch * (shard + 1) / shards); });
}

}  // namespace birnn
