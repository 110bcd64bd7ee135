// Cross-entropies over the last axis, fused with their clipping, normalising or softmax (level L3).
// Attributes: `from_logits`, `label_smoothing`, `epsilon` (1e-7); sparse: `ignore_class`.
// Formulas as Keras 3 (keras/src/losses/losses.py); clipped probabilities have no gradient.
#include <algorithm>

#include "ops_families.h"
#include "ops_indices.h"

namespace birnn {

namespace {

constexpr const char* binary_label = "op_binary_crossentropy";
constexpr const char* categorical_label = "op_categorical_crossentropy";
constexpr const char* sparse_label = "op_sparse_categorical_crossentropy";

// The parameters of the kernels: lowest and highest probability; labels become y factor + share, that is
// y (1 - s) + s / classes.
template <typename T>
struct Settings {
  T numbers[combination_params];
  Settings(const Attrs& attrs, int64 classes) {
    const double epsilon = attrs.number("epsilon", 1e-7), smoothing = attrs.number("label_smoothing", 0);
    numbers[0] = static_cast<T>(epsilon);
    numbers[1] = T(1) - static_cast<T>(epsilon);
    numbers[2] = static_cast<T>(1 - smoothing);
    numbers[3] = static_cast<T>(smoothing / static_cast<double>(classes));
  }
  T clipped(T p) const { return p < numbers[0] ? numbers[0] : p > numbers[1] ? numbers[1] : p; }
  bool inside(T p) const { return !(p < numbers[0] || p > numbers[1]); }
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

// binary_crossentropy: inputs y_true, y_pred; the mean over the last axis. Elements are computed in runs that may hold
// many short rows, or a part of a long one.

constexpr int64 run_length = 512;

template <typename T>
Operands<T> pairs_of(const Attrs& attrs, const T* y, const T* p) {
  Operands<T> pairs{y, 1, p, 1};
  const Settings<T> settings(attrs, 2);
  std::copy(settings.numbers, settings.numbers + combination_params, pairs.params);
  return pairs;
}

Combination binary_kind(const Attrs& attrs) {
  return attrs.flag("from_logits") ? Combination::logit_entropy : Combination::probability_entropy;
}

template <typename T>
double sum_of_run(int64 n, const T* values) {
  if (n == 1) return static_cast<double>(*values);
  if (n >= 16) return tier().arrays->of<T>().sum(static_cast<long>(n), values);
  double sum = 0;
  for (int64 i = 0; i < n; ++i) sum += static_cast<double>(values[i]);
  return sum;
}

void forward_binary(const ForwardCall& call) {
  const Split3 split = rows_of(call.in[1]);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    T values[run_length], *out = call.out[0].as<T>();
    if (split.size == 0) return static_cast<void>(std::fill_n(out, split.outer, T(NAN)));  // the mean of nothing
    Operands<T> pairs = pairs_of(call.attrs, call.in[0].as<T>(), call.in[1].as<T>());
    const auto next_values = [&](int64 n) {
      tier().arrays->of<T>().combine(binary_kind(call.attrs), 1, static_cast<long>(n), pairs, values);
      pairs.a += n;
      pairs.b += n;
    };
    const int64 n = split.size, together = std::max<int64>(1, run_length / n);
    for (int64 row = 0; row < split.outer; row += together) {
      const int64 rows = std::min(together, split.outer - row);
      double sum = 0;
      for (int64 left = n; left > run_length; left -= run_length) {
        next_values(run_length);
        sum += sum_of_run(run_length, values);
      }
      const int64 last = (n - 1) % run_length + 1;  // all of a short row
      next_values(rows * last);
      if (n == 1) std::copy(values, values + rows, out + row);
      for (int64 r = 0; r < rows && n > 1; ++r)
        out[row + r] = static_cast<T>((sum + sum_of_run(last, values + r * last)) / static_cast<double>(n));
    }
  });
}

void backward_binary(const BackwardCall& call) {
  if (no_gradient(call, 2)) return;
  const Split3 split = rows_of(call.in[1]);
  const int64 n = split.outer * split.size;
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    T shares[run_length];
    const T *dy = call.dout[0].as<T>(), size = static_cast<T>(split.size);
    Operands<T> pairs = pairs_of(call.attrs, call.in[0].as<T>(), call.in[1].as<T>());
    for (int64 first = 0; first < n; first += run_length) {
      const int64 here = std::min(run_length, n - first);
      const T* from_above = split.size == 1 ? dy + first : shares;
      for (int64 i = 0, left; i < here && split.size > 1; i += left) {
        const int64 row = (first + i) / split.size, end = (row + 1) * split.size - first;
        left = std::min(here, end) - i;
        std::fill(shares + i, shares + i + left, dy[row] / size);
      }
      for (int operand = 0; operand < 2; ++operand)
        if (wanted(call, operand))
          tier().arrays->of<T>().combine_slope(binary_kind(call.attrs), operand, 1, static_cast<long>(here), pairs,
                                               nullptr, from_above, call.accumulate[operand],
                                               call.din[operand].as<T>() + first, 0);
      pairs.a += here;
      pairs.b += here;
    }
  });
}

// categorical_crossentropy: inputs y_true, y_pred; -sum_i y_i log p_i over the last axis.

void forward_categorical(const ForwardCall& call) {
  const Split3 split = rows_of(call.in[1]);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    tier().arrays->of<T>().cross_entropy(call.attrs.flag("from_logits"), Settings<T>(call.attrs, split.size).numbers,
                                         static_cast<long>(split.outer), static_cast<long>(split.size),
                                         call.in[0].as<T>(), call.in[1].as<T>(), call.out[0].as<T>());
  });
}

void backward_categorical(const BackwardCall& call) {
  if (no_gradient(call, 2)) return;
  const Split3 split = rows_of(call.in[1]);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int operand = 0; operand < 2; ++operand)
      if (wanted(call, operand))
        tier().arrays->of<T>().cross_entropy_slope(
            call.attrs.flag("from_logits"), Settings<T>(call.attrs, split.size).numbers, operand,
            static_cast<long>(split.outer), static_cast<long>(split.size), call.in[0].as<T>(), call.in[1].as<T>(),
            call.dout[0].as<T>(), call.accumulate[operand], call.din[operand].as<T>());
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

// A row of predictions with one label: its loss, and the gradient of the predictions, which is added to dp.

// -x_l + log sum_j exp(x_j); p_i - 1 at the label, p_i elsewhere
template <typename T>
struct LogitLoss {
  const T* x;
  int64 n, label;
  T max, log_sum;
  LogitLoss(const Settings<T>&, const T* row, int64 size, int64 which) : x(row), n(size), label(which) {
    tier().arrays->of<T>().log_sum_exp(static_cast<long>(n), x, &max, &log_sum);
  }
  T value() const { return -((x[label] - max) - log_sum); }
  void add_gradient(T dy, T* dp) const {
    tier().arrays->of<T>().scaled_exp(static_cast<long>(n), x, max, log_sum, dy, true, dp);
    dp[label] -= dy;
  }
};

// -log clip(p_l / sum_j p_j); 1 / sum - 1 / p_l at the label, 1 / sum elsewhere, nothing where it is clipped
template <typename T>
struct ProbabilityLoss {
  const Settings<T>& settings;
  const T* p;
  int64 n, label;
  T sum;
  ProbabilityLoss(const Settings<T>& given, const T* row, int64 size, int64 which)
      : settings(given), p(row), n(size), label(which), sum(static_cast<T>(sum_of_run(size, row))) {}
  T value() const { return -std::log(settings.clipped(p[label] / sum)); }
  void add_gradient(T dy, T* dp) const {
    if (!settings.inside(p[label] / sum)) return;
    const T at_label = dp[label] + dy * ((T(1) - sum / p[label]) / sum), elsewhere = dy / sum;
    tier().arrays->of<T>().combine(Combination::add, 1, static_cast<long>(n), {dp, 1, &elsewhere, 0}, dp);
    dp[label] = at_label;
  }
};

// Calls fn(row, loss) for the rows that count.
template <typename T, typename Fn>
void for_each_loss(const Attrs& attrs, const View& labels, const View& predictions, Fn&& fn) {
  const Split3 split = rows_of(predictions);
  const Ignored ignored(attrs);
  const Settings<T> settings(attrs, split.size);
  const std::int32_t* label = labels.as<std::int32_t>();
  with_flag(attrs.flag("from_logits"), [&](auto from_logits) {
    using Loss = std::conditional_t<decltype(from_logits)::value, LogitLoss<T>, ProbabilityLoss<T>>;
    for (int64 row = 0; row < split.outer; ++row)
      if (!ignored(label[row])) fn(row, Loss(settings, predictions.as<T>() + row * split.size, split.size, label[row]));
  });
}

void forward_sparse(const ForwardCall& call) {
  check_indices(sparse_label, call.in[0], 0, call.in[1].shape().last(), Ignored(call.attrs));
  fill_zero(call.out[0]);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_each_loss<T>(call.attrs, call.in[0], call.in[1],
                     [&](int64 row, const auto& loss) { call.out[0].as<T>()[row] = loss.value(); });
  });
}

void backward_sparse(const BackwardCall& call) {
  if (wanted(call, 0)) start_sum(call, 0);
  if (!wanted(call, 1) || no_gradient(call, 2)) return;
  start_sum(call, 1);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_each_loss<T>(call.attrs, call.in[0], call.in[1], [&](int64 row, const auto& loss) {
      loss.add_gradient(call.dout[0].as<T>()[row], call.din[1].as<T>() + row * call.in[1].shape().last());
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
