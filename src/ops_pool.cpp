// Pooling over 1 to 3 spatial axes: max_pool and average_pool (level L3).
// What lies outside the input takes no part: neither as a candidate for the maximum nor in the count of an average.
// Attributes: `pool_size`, `strides` (a number for each spatial axis), `padding`.
#include <algorithm>

#include "ops_families.h"
#include "ops_window.h"

namespace birnn {

namespace {

Window window_of(const char* label, const Attrs& attrs, const Shape& x) {
  Window window;
  window.rank = spatial_rank(label, x);
  window.batch = x[0];
  const Padding padding = padding_attr(label, attrs);
  for (int k = 0; k < window.rank; ++k) {
    WindowAxis& axis = window.spatial(k);
    axis.kernel = window_attr(label, attrs, "pool_size", window.rank, k);
    axis.stride = window_attr(label, attrs, "strides", window.rank, k);
    axis.set_input(x[k + 1], padding);
  }
  return window;
}

// Calls fn(x, y) with the offsets of the first channels of a sample's input, and of one of its outputs, for every
// output position; and with the position.
template <typename Fn>
void for_each_position(const Window& window, int64 channels, Fn&& fn) {
  const int64 inputs = window.inputs() * channels, outputs = window.outputs();
  const double work = static_cast<double>(window.batch * outputs * channels) * static_cast<double>(window.taps());
  for_each_shard(window.batch, work, [&](int, int64 begin, int64 end) {
    for (int64 row = begin * outputs; row < end * outputs; ++row)
      fn(row / outputs * inputs, row * channels, row % outputs);
  });
}

// The first of equal values counts; NaN is larger than any number.
struct Max {
  static constexpr const char* label = "op_max_pool";
  static constexpr unsigned inputs = 1;

  template <typename T>
  static bool beats(T x, T best) {
    return x > best || (x != x && best == best);
  }
  template <typename T>
  static void values(const Window& window, int64 position, int64 channels, const T* x, T* y) {
    bool first = true;
    for_each_tap(window, position, [&](int64, int64 place) {
      if (place < 0) return;
      const T* from = x + place * channels;
      for (int64 c = 0; c < channels; ++c)
        if (first || beats(from[c], y[c])) y[c] = from[c];
      first = false;
    });
  }
  template <typename T>
  static void gradient(const Window& window, int64 position, int64 channels, const T* x, const T* dy, T* dx) {
    constexpr int64 at_once = 64;
    int64 best[at_once];
    for (int64 first = 0; first < channels; first += at_once) {
      const int64 here = std::min(at_once, channels - first);
      std::fill(best, best + here, int64{-1});
      for_each_tap(window, position, [&](int64, int64 place) {
        for (int64 c = 0; c < here && place >= 0; ++c) {
          const int64 candidate = place * channels + first + c;
          if (best[c] < 0 || beats(x[candidate], x[best[c]])) best[c] = candidate;
        }
      });
      for (int64 c = 0; c < here; ++c) dx[best[c]] += dy[first + c];
    }
  }
};

struct Average {
  static constexpr const char* label = "op_average_pool";
  static constexpr unsigned inputs = 0;

  template <typename T>
  static T count(const Window& window, int64 position) {
    int64 places = 0;
    for_each_tap(window, position, [&](int64, int64 place) { places += place >= 0; });
    return static_cast<T>(places);
  }
  template <typename T>
  static void values(const Window& window, int64 position, int64 channels, const T* x, T* y) {
    std::fill(y, y + channels, T(0));
    for_each_tap(window, position, [&](int64, int64 place) {
      for (int64 c = 0; place >= 0 && c < channels; ++c) y[c] += x[place * channels + c];
    });
    const T places = count<T>(window, position);
    for (int64 c = 0; c < channels; ++c) y[c] /= places;
  }
  template <typename T>
  static void gradient(const Window& window, int64 position, int64 channels, const T*, const T* dy, T* dx) {
    const T places = count<T>(window, position);
    for_each_tap(window, position, [&](int64, int64 place) {
      for (int64 c = 0; place >= 0 && c < channels; ++c) dx[place * channels + c] += dy[c] / places;
    });
  }
};

template <typename Pool>
Inference infer_pool(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(Pool::label, in, 1);
  require_floating(Pool::label, in[0]);
  const Window window = window_of(Pool::label, attrs, in[0].shape);
  require_room(Pool::label, window, in[0].shape);
  Shape out{window.batch};
  for (int k = 0; k < window.rank; ++k) out.push(window.spatial(k).out);
  out.push(in[0].shape.last());
  return infer_one(in[0].dtype, out);
}

template <typename Pool>
void forward_pool(const ForwardCall& call) {
  const Window window = window_of(Pool::label, call.attrs, call.in[0].shape());
  const int64 channels = call.in[0].shape().last();
  with_float(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* x = call.in[0].as<T>();
    T* y = call.out[0].as<T>();
    for_each_position(window, channels, [&](int64 from, int64 to, int64 position) {
      Pool::template values<T>(window, position, channels, x + from, y + to);
    });
  });
}

template <typename Pool>
void backward_pool(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  const Window window = window_of(Pool::label, call.attrs, call.in[0].shape());
  const int64 channels = call.in[0].shape().last();
  start_sum(call, 0);
  with_float(call.dout[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *x = call.in[0].as<T>(), *dy = call.dout[0].as<T>();
    T* dx = call.din[0].as<T>();
    for_each_position(window, channels, [&](int64 from, int64 to, int64 position) {
      Pool::template gradient<T>(window, position, channels, Pool::inputs == 0 ? nullptr : x + from, dy + to,
                                 dx + from);
    });
  });
}

template <typename Pool>
void register_pool() {
  register_op(
      {registry_name(Pool::label), infer_pool<Pool>, forward_pool<Pool>, backward_pool<Pool>, Pool::inputs, 0u, -1});
}

}  // namespace

void register_pool_ops() {
  register_pool<Max>();
  register_pool<Average>();
}

}  // namespace birnn
