// Ops along one axis: softmax, log_softmax, cumsum, cumprod, argmax, argmin (level L3).
#include "ops_families.h"
#include "ops_lines.h"

namespace birnn {

namespace {

// Along the last axis rows of numbers, along others the columns of blocks of rows.

// y_i = exp(x_i - max) / sum_j exp(x_j - max); dx_i = y_i (dy_i - sum_j y_j dy_j)
template <typename T>
struct Softmax {
  static constexpr const char* label = "op_softmax";
  static constexpr bool logarithm = false;
  static void value(long n, const T* x, T* y) { tier().arrays->of<T>().softmax(n, x, y); }
  static void gradient(long n, const T* y, const T* dy, bool accumulate, T* dx) {
    tier().arrays->of<T>().softmax_slope(n, y, dy, accumulate, dx);
  }
};

// y_i = x_i - max - log sum_j exp(x_j - max); dx_i = dy_i - exp(y_i) sum_j dy_j
template <typename T>
struct LogSoftmax {
  static constexpr const char* label = "op_log_softmax";
  static constexpr bool logarithm = true;
  static void value(long n, const T* x, T* y) {
    T max, log_sum;
    tier().arrays->of<T>().log_sum_exp(n, x, &max, &log_sum);
    tier().arrays->of<T>().subtract_two(n, x, max, log_sum, y);
  }
  static void gradient(long n, const T* y, const T* dy, bool accumulate, T* dx) {
    const T all = static_cast<T>(tier().arrays->of<T>().sum(n, dy));
    if (accumulate)
      tier().arrays->of<T>().add(n, dy, dx);
    else
      copy_bytes(dx, dy, static_cast<std::size_t>(n) * sizeof(T));
    tier().arrays->of<T>().scaled_exp(n, y, T(0), T(0), -all, true, dx);
  }
};

template <template <typename> class Op>
Inference infer_softmax(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = Op<float>::label;
  require_inputs(label, in, 1);
  require_floating(label, in[0]);
  axis_attr(label, attrs, in[0].shape.rank(), -1);
  return infer_one(in[0].dtype, in[0].shape);
}

template <template <typename> class Op>
void forward_softmax(const ForwardCall& call) {
  const Shape& shape = call.in[0].shape();
  const Split3 split(shape, axis_attr(Op<float>::label, call.attrs, shape.rank(), -1));
  if (split.size == 0) return;
  with_float(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* x = call.in[0].as<T>();
    T* y = call.out[0].as<T>();
    const long n = static_cast<long>(split.size), columns = static_cast<long>(split.inner);
    for (int64 outer = 0; outer < split.outer; ++outer, x += n * columns, y += n * columns) {
      if (columns == 1)
        Op<T>::value(n, x, y);
      else
        tier().arrays->of<T>().column_softmax(Op<T>::logarithm, n, columns, x, y);
    }
  });
}

template <template <typename> class Op>
void backward_softmax(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  const Shape& shape = call.din[0].shape();
  const Split3 split(shape, axis_attr(Op<float>::label, call.attrs, shape.rank(), -1));
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *y = call.out[0].as<T>(), *dy = call.dout[0].as<T>();
    T* dx = call.din[0].as<T>();
    const long n = static_cast<long>(split.size), columns = static_cast<long>(split.inner), block = n * columns;
    for (int64 outer = 0; outer < split.outer; ++outer, y += block, dy += block, dx += block) {
      if (columns == 1)
        Op<T>::gradient(n, y, dy, call.accumulate[0], dx);
      else
        tier().arrays->of<T>().column_softmax_slope(Op<T>::logarithm, n, columns, y, dy, call.accumulate[0], dx);
    }
  });
}

// cumsum, cumprod: attr `axis`.

// dx_i = sum_{j >= i} dy_j
template <typename T>
struct CumSum {
  static constexpr const char* label = "op_cumsum";
  static constexpr unsigned inputs = 0, outputs = 0;
  using Acc = typename SumOf<T>::type;
  static Acc start() { return Acc(0); }
  static Acc join(Acc so_far, Acc x) { return so_far + x; }
  template <typename Accumulate>
  static void gradient(Line<const T>, Line<const T>, Line<const T> dy, Line<T> dx, int64 n) {
    double after = 0;
    for (int64 i = n - 1; i >= 0; --i) {
      after += static_cast<double>(dy[i]);
      store<Accumulate>(dx[i], static_cast<T>(after));
    }
  }
};

// dx_i = y_{i-1} s_i with s_i = dy_i + x_{i+1} s_{i+1}: exact also where elements are 0.
template <typename T>
struct CumProd {
  static constexpr const char* label = "op_cumprod";
  static constexpr unsigned inputs = 1, outputs = 1;
  using Acc = typename SumOf<T>::type;
  static Acc start() { return Acc(1); }
  static Acc join(Acc so_far, Acc x) { return so_far * x; }
  template <typename Accumulate>
  static void gradient(Line<const T> x, Line<const T> y, Line<const T> dy, Line<T> dx, int64 n) {
    T after = T(0);
    for (int64 i = n - 1; i >= 0; --i) {
      after = i + 1 < n ? dy[i] + x[i + 1] * after : dy[i];
      store<Accumulate>(dx[i], i > 0 ? y[i - 1] * after : after);
    }
  }
};

template <template <typename> class Op>
Inference infer_scan(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = Op<float>::label;
  require_inputs(label, in, 1);
  require_number(label, in[0]);
  normalize_axis(whole_attr(label, attrs, "axis"), in[0].shape.rank(), label);
  return infer_one(in[0].dtype, in[0].shape);
}

template <template <typename> class Op>
void forward_scan(const ForwardCall& call) {
  const Shape& shape = call.in[0].shape();
  const Split3 split(shape, axis_attr(Op<float>::label, call.attrs, shape.rank(), -1));
  with_number(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    using Acc = typename Op<T>::Acc;
    for_each_line(split, [&](int64 first, int64 step) {
      const Line<const T> x{call.in[0].as<T>() + first, step};
      const Line<T> y{call.out[0].as<T>() + first, step};
      Acc so_far = Op<T>::start();
      for (int64 i = 0; i < split.size; ++i) {
        so_far = Op<T>::join(so_far, static_cast<Acc>(x[i]));
        y[i] = static_cast<T>(so_far);
      }
    });
  });
}

template <template <typename> class Op>
void backward_scan(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  const Shape& shape = call.din[0].shape();
  const Split3 split(shape, axis_attr(Op<float>::label, call.attrs, shape.rank(), -1));
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *x = call.in[0].as<T>(), *y = call.out[0].as<T>(), *dy = call.dout[0].as<T>();
    T* dx = call.din[0].as<T>();
    with_flag(call.accumulate[0], [&](auto accumulate) {
      for_each_line(split, [&](int64 first, int64 step) {
        const int64 known = Op<T>::inputs ? first : 0;  // x and y are null where the gradient does not need them
        Op<T>::template gradient<decltype(accumulate)>({x + known, step}, {y + known, step}, {dy + first, step},
                                                       {dx + first, step}, split.size);
      });
    });
  });
}

// argmax, argmin: attrs `axis` (absent: of the flattened tensor), `keepdims`. The first of equals; NaN wins.

struct Greater {
  static constexpr const char* label = "op_argmax";
  template <typename T>
  static bool better(T a, T b) {
    return a > b;
  }
};
struct Smaller {
  static constexpr const char* label = "op_argmin";
  template <typename T>
  static bool better(T a, T b) {
    return a < b;
  }
};

// The tensor as lines: along the axis, or one line of everything.
template <typename Order>
Split3 arg_lines(const Attrs& attrs, const Shape& shape) {
  if (attrs.has("axis")) return Split3(shape, axis_attr(Order::label, attrs, shape.rank(), -1));
  return Split3(Shape{shape.count()}, 0);
}

template <typename Order>
Inference infer_arg(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(Order::label, in, 1);
  require_number(Order::label, in[0]);
  const Shape& shape = in[0].shape;
  const bool flat = !attrs.has("axis");
  const int axis = flat ? -1 : axis_attr(Order::label, attrs, shape.rank(), -1);
  if (shape.known() && arg_lines<Order>(attrs, shape).size == 0)
    fail_op(Order::label, "value", "there is nothing to choose from in a tensor of shape " + shape.text());
  Shape out;
  for (int k = 0; k < shape.rank(); ++k) {
    const bool gone = flat || k == axis;
    if (!gone) out.push(shape[k]);
    if (gone && attrs.flag("keepdims")) out.push(1);
  }
  return infer_one(DType::int32, out);
}

template <typename Order>
void forward_arg(const ForwardCall& call) {
  const Split3 split = arg_lines<Order>(call.attrs, call.in[0].shape());
  std::int32_t* y = call.out[0].as<std::int32_t>();
  with_number(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    int64 output = 0;
    for_each_line(split, [&](int64 first, int64 step) {
      const Line<const T> x{call.in[0].as<T>() + first, step};
      int64 best = 0;
      for (int64 i = 1; i < split.size && x[best] == x[best]; ++i)
        if (Order::better(x[i], x[best]) || x[i] != x[i]) best = i;
      y[output++] = static_cast<std::int32_t>(best);
    });
  });
}

}  // namespace

void register_scan_ops() {
  register_op({"softmax", infer_softmax<Softmax>, forward_softmax<Softmax>, backward_softmax<Softmax>, 0u, 1u, -1});
  register_op({"log_softmax", infer_softmax<LogSoftmax>, forward_softmax<LogSoftmax>, backward_softmax<LogSoftmax>, 0u,
               1u, -1});
  register_op({"cumsum", infer_scan<CumSum>, forward_scan<CumSum>, backward_scan<CumSum>, 0u, 0u, -1});
  register_op({"cumprod", infer_scan<CumProd>, forward_scan<CumProd>, backward_scan<CumProd>, 1u, 1u, -1});
  register_op({"argmax", infer_arg<Greater>, forward_arg<Greater>, nullptr, 0u, 0u, -1});
  register_sort_ops();
  register_op({"argmin", infer_arg<Smaller>, forward_arg<Smaller>, nullptr, 0u, 0u, -1});
}

}  // namespace birnn
