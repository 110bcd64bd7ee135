// Cross-entropies over the last axis, fused with their clipping, normalising or softmax (level L3).
// Attributes: `from_logits`, `label_smoothing`, `epsilon` (1e-7); sparse: `ignore_class`.
// Formulas as Keras 3 (keras/src/losses/losses.py); clipped probabilities have no gradient.
#include "ops_families.h"
#include "ops_indices.h"

namespace birnn {

namespace {

constexpr const char* binary_label = "op_binary_crossentropy";
constexpr const char* categorical_label = "op_categorical_crossentropy";
constexpr const char* sparse_label = "op_sparse_categorical_crossentropy";

template <typename T>
struct Clip {
  T low, high;
  explicit Clip(const Attrs& attrs)
      : low(static_cast<T>(attrs.number("epsilon", 1e-7))),
        high(T(1) - static_cast<T>(attrs.number("epsilon", 1e-7))) {}
  T operator()(T p) const { return p < low ? low : p > high ? high : p; }
  bool inside(T p) const { return !(p < low || p > high); }
};

// y (1 - s) + s / classes
template <typename T>
struct Smoothing {
  T factor, share;
  Smoothing(const Attrs& attrs, int64 classes)
      : factor(static_cast<T>(1 - attrs.number("label_smoothing", 0))),
        share(static_cast<T>(attrs.number("label_smoothing", 0) / static_cast<double>(classes))) {}
  T operator()(T y) const { return y * factor + share; }
};

// One element of a binary cross-entropy: its value and its derivatives by the prediction and by y.

// -y log q - (1 - y) log(1 - q), q = clip(p)
template <typename T>
struct BinaryProbability {
  Clip<T> clip;
  explicit BinaryProbability(const Attrs& attrs) : clip(attrs) {}
  T value(T y, T p) const {
    const T q = clip(p);
    return -(y * std::log(q) + (T(1) - y) * std::log1p(-q));
  }
  T slope(T y, T p) const { return clip.inside(p) ? (p - y) / (p * (T(1) - p)) : T(0); }
  T slope_true(T p) const { return std::log1p(-clip(p)) - std::log(clip(p)); }
};

// max(x, 0) - x y + log(1 + exp(-|x|))
template <typename T>
struct BinaryLogit {
  explicit BinaryLogit(const Attrs&) {}
  T value(T y, T x) const { return (x < T(0) ? T(0) : x) - x * y + std::log1p(std::exp(-std::fabs(x))); }
  T slope(T y, T x) const { return T(1) / (T(1) + std::exp(-x)) - y; }
  T slope_true(T x) const { return -x; }
};

// One row of class predictions: log of the probability of class i, and the derivative of -sum_i y_i log p_i.

// log p_i = log clip(p_i / sum_j p_j)
template <typename T>
struct ProbabilityRow {
  const T* p;
  Clip<T> clip;
  T sum;
  ProbabilityRow(const Attrs& attrs, const T* row, int64 n) : p(row), clip(attrs) {
    double total = 0;
    for (int64 i = 0; i < n; ++i) total += static_cast<double>(p[i]);
    sum = static_cast<T>(total);
  }
  T log_probability(int64 i) const { return std::log(clip(p[i] / sum)); }
  bool counts(int64 i) const { return clip.inside(p[i] / sum); }
  // With r_i = p_i / sum: (sum of the y_i that count - y_i / r_i if it counts) / sum
  T slope(int64 i, T y, T counted) const { return (counts(i) && y != T(0) ? counted - y * sum / p[i] : counted) / sum; }
};

// log p_i = x_i - log sum_j exp(x_j)
template <typename T>
struct LogitRow {
  const T* x;
  T max, log_sum;
  LogitRow(const Attrs&, const T* row, int64 n) : x(row) {
    tier().arrays->of<T>().log_sum_exp(static_cast<long>(n), row, &max, &log_sum);
  }
  T log_probability(int64 i) const { return (x[i] - max) - log_sum; }
};

void require_attributes(const char* label, const Attrs& attrs) {
  const double smoothing = attrs.number("label_smoothing", 0), epsilon = attrs.number("epsilon", 1e-7);
  if (!(smoothing >= 0 && smoothing <= 1)) fail_op(label, "value", "label_smoothing must be a number from 0 to 1");
  if (!(epsilon >= 0 && epsilon < 0.5)) fail_op(label, "value", "epsilon must be a number from 0 to 0.5");
}

Shape without_last(const Shape& shape) {
  Shape out;
  for (int k = 0; k + 1 < shape.rank(); ++k) out.push(shape[k]);
  return out;
}

template <const char* const* label>
Inference infer_dense_labels(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(*label, in, 2);
  require_attributes(*label, attrs);
  require_floating(*label, in[1]);
  require_same_dtype(*label, in[0], in[1]);
  const Shape shape = common_shape(*label, in[0].shape, in[1].shape);
  if (shape.rank() == 0 || shape.last() == 0)
    fail_op(*label, "shape", "needs predictions along a last axis, got shape " + in[1].shape.text());
  return infer_one(in[1].dtype, without_last(shape));
}

// Rows of predictions: (rows, n).
Split3 rows_of(const View& predictions) { return Split3(predictions.shape(), predictions.shape().rank() - 1); }

template <typename Fn>
void with_logits(const Attrs& attrs, Fn&& fn) {
  with_flag(attrs.flag("from_logits"), fn);
}

template <typename FromLogits, typename T>
using BinaryOf = std::conditional_t<FromLogits::value, BinaryLogit<T>, BinaryProbability<T>>;
template <typename FromLogits, typename T>
using RowOf = std::conditional_t<FromLogits::value, LogitRow<T>, ProbabilityRow<T>>;

// binary_crossentropy: inputs y_true, y_pred; the mean over the last axis.

void forward_binary(const ForwardCall& call) {
  const Split3 split = rows_of(call.in[1]);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Smoothing<T> smooth(call.attrs, 2);
    const T *y = call.in[0].as<T>(), *p = call.in[1].as<T>();
    with_logits(call.attrs, [&](auto from_logits) {
      const BinaryOf<decltype(from_logits), T> element(call.attrs);
      for (int64 row = 0; row < split.outer; ++row, y += split.size, p += split.size) {
        double sum = 0;
        for (int64 i = 0; i < split.size; ++i) sum += static_cast<double>(element.value(smooth(y[i]), p[i]));
        call.out[0].as<T>()[row] = static_cast<T>(sum / static_cast<double>(split.size));
      }
    });
  });
}

void backward_binary(const BackwardCall& call) {
  if (no_gradient(call, 2)) return;
  const Split3 split = rows_of(call.in[1]);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Smoothing<T> smooth(call.attrs, 2);
    const T *y = call.in[0].as<T>(), *p = call.in[1].as<T>(), *dy = call.dout[0].as<T>();
    const auto put = [&](int input, const auto& slope) {
      if (!wanted(call, input)) return;
      T* target = call.din[input].as<T>();
      with_flag(call.accumulate[input], [&](auto accumulate) {
        for (int64 row = 0, e = 0; row < split.outer; ++row) {
          const T scale = dy[row] / static_cast<T>(split.size);
          for (int64 i = 0; i < split.size; ++i, ++e) store<decltype(accumulate)>(target[e], scale * slope(e));
        }
      });
    };
    with_logits(call.attrs, [&](auto from_logits) {
      const BinaryOf<decltype(from_logits), T> element(call.attrs);
      put(0, [&](int64 e) { return element.slope_true(p[e]) * smooth.factor; });
      put(1, [&](int64 e) { return element.slope(smooth(y[e]), p[e]); });
    });
  });
}

// categorical_crossentropy: inputs y_true, y_pred; -sum_i y_i log p_i over the last axis.

void forward_categorical(const ForwardCall& call) {
  const Split3 split = rows_of(call.in[1]);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Smoothing<T> smooth(call.attrs, split.size);
    const T *y = call.in[0].as<T>(), *p = call.in[1].as<T>();
    with_logits(call.attrs, [&](auto from_logits) {
      for (int64 row = 0; row < split.outer; ++row, y += split.size, p += split.size) {
        const RowOf<decltype(from_logits), T> predicted(call.attrs, p, split.size);
        double sum = 0;
        for (int64 i = 0; i < split.size; ++i) {
          const T yi = smooth(y[i]);
          if (yi != T(0)) sum -= static_cast<double>(yi) * static_cast<double>(predicted.log_probability(i));
        }
        call.out[0].as<T>()[row] = static_cast<T>(sum);
      }
    });
  });
}

// One row of d loss / d prediction, for the targets y(i).
template <typename Accumulate, typename T, typename Target>
void put_prediction_slopes(const ProbabilityRow<T>& predicted, const Target& y, int64 n, T dy, T* dp) {
  double counted = 0;
  for (int64 i = 0; i < n; ++i)
    if (predicted.counts(i)) counted += static_cast<double>(y(i));
  for (int64 i = 0; i < n; ++i) store<Accumulate>(dp[i], dy * predicted.slope(i, y(i), static_cast<T>(counted)));
}

// With logits: dy (p_i sum_j y_j - y_i)
template <typename Accumulate, typename T, typename Target>
void put_prediction_slopes(const LogitRow<T>& predicted, const Target& y, int64 n, T dy, T* dp) {
  double counted = 0;
  for (int64 i = 0; i < n; ++i) counted += static_cast<double>(y(i));
  tier().arrays->of<T>().scaled_exp(static_cast<long>(n), predicted.x, predicted.max, predicted.log_sum,
                                    dy * static_cast<T>(counted), Accumulate::value, dp);
  for (int64 i = 0; i < n; ++i) dp[i] -= dy * y(i);
}

void backward_categorical(const BackwardCall& call) {
  if (no_gradient(call, 2)) return;
  const Split3 split = rows_of(call.in[1]);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Smoothing<T> smooth(call.attrs, split.size);
    with_logits(call.attrs, [&](auto from_logits) {
      for (int64 row = 0; row < split.outer; ++row) {
        const int64 first = row * split.size;
        const T dy = call.dout[0].as<T>()[row];
        const T* y = call.in[0].as<T>() + first;
        const RowOf<decltype(from_logits), T> predicted(call.attrs, call.in[1].as<T>() + first, split.size);
        if (wanted(call, 0)) {
          T* target = call.din[0].as<T>() + first;
          with_flag(call.accumulate[0], [&](auto accumulate) {
            for (int64 i = 0; i < split.size; ++i)
              store<decltype(accumulate)>(target[i], -dy * smooth.factor * predicted.log_probability(i));
          });
        }
        if (wanted(call, 1)) {
          with_flag(call.accumulate[1], [&](auto accumulate) {
            put_prediction_slopes<decltype(accumulate)>(
                predicted, [&](int64 i) { return smooth(y[i]); }, split.size, dy, call.din[1].as<T>() + first);
          });
        }
      }
    });
  });
}

// sparse_categorical_crossentropy: inputs labels (int32), y_pred; labels equal to `ignore_class` count nothing.

struct Ignored {
  bool any;
  std::int32_t label;
  explicit Ignored(const Attrs& attrs)
      : any(attrs.has("ignore_class")), label(static_cast<std::int32_t>(attrs.number("ignore_class", 0))) {}
  bool operator()(std::int32_t given) const { return any && given == label; }
};

Inference infer_sparse(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(sparse_label, in, 2);
  require_attributes(sparse_label, attrs);
  require_dtype(sparse_label, in[0], DType::int32);
  require_floating(sparse_label, in[1]);
  if (in[1].shape.rank() == 0 || in[1].shape.last() == 0)
    fail_op(sparse_label, "shape", "needs predictions along a last axis, got shape " + in[1].shape.text());
  if (in[0].shape.rank() != in[1].shape.rank() - 1)
    fail_op(sparse_label, "shape",
            "labels of shape " + in[0].shape.text() + " do not fit predictions of shape " + in[1].shape.text());
  return infer_one(in[1].dtype, common_shape(sparse_label, in[0].shape, without_last(in[1].shape)));
}

void forward_sparse(const ForwardCall& call) {
  const Split3 split = rows_of(call.in[1]);
  const Ignored ignored(call.attrs);
  check_indices(sparse_label, call.in[0], 0, split.size, ignored);
  const std::int32_t* label = call.in[0].as<std::int32_t>();
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* p = call.in[1].as<T>();
    T* out = call.out[0].as<T>();
    with_logits(call.attrs, [&](auto from_logits) {
      for (int64 row = 0; row < split.outer; ++row, p += split.size)
        out[row] = ignored(label[row])
                       ? T(0)
                       : -RowOf<decltype(from_logits), T>(call.attrs, p, split.size).log_probability(label[row]);
    });
  });
}

void backward_sparse(const BackwardCall& call) {
  if (wanted(call, 0)) start_sum(call, 0);
  if (!wanted(call, 1) || no_gradient(call, 2)) return;
  const Split3 split = rows_of(call.in[1]);
  const Ignored ignored(call.attrs);
  const std::int32_t* labels = call.in[0].as<std::int32_t>();
  start_sum(call, 1);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    with_logits(call.attrs, [&](auto from_logits) {
      for (int64 row = 0; row < split.outer; ++row) {
        const std::int32_t label = labels[row];
        if (ignored(label)) continue;
        const int64 first = row * split.size;
        const RowOf<decltype(from_logits), T> predicted(call.attrs, call.in[1].as<T>() + first, split.size);
        const T dy = call.dout[0].as<T>()[row];
        T* dp = call.din[1].as<T>() + first;
        if constexpr (decltype(from_logits)::value) {
          tier().arrays->of<T>().scaled_exp(static_cast<long>(split.size), predicted.x, predicted.max,
                                            predicted.log_sum, dy, true, dp);
          dp[label] -= dy;
        } else {
          put_prediction_slopes<std::true_type>(
              predicted, [&](int64 i) { return i == label ? T(1) : T(0); }, split.size, dy, dp);
        }
      }
    });
  });
}

}  // namespace

void register_loss_ops() {
  register_ctc_ops();
  register_op({"binary_crossentropy", infer_dense_labels<&binary_label>, forward_binary, backward_binary, 3u, 0u, -1});
  register_op({"categorical_crossentropy", infer_dense_labels<&categorical_label>, forward_categorical,
               backward_categorical, 3u, 0u, -1});
  register_op({"sparse_categorical_crossentropy", infer_sparse, forward_sparse, backward_sparse, 3u, 0u, -1});
}

}  // namespace birnn
