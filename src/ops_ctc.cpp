// Connectionist temporal classification: -log of the probability of a sequence of labels, summed over all alignments
// with the time steps (Graves et al. 2006, doi:10.1145/1143844.1143891) (level L3).
//
// ctc_loss: inputs labels int32 (B, L), logits (B, T, C), their lengths int32 (B) and (B); attribute `mask_index`, the
// class that stands for "no label". The states of a row are the labels l_1 .. l_n with a blank before, between and
// after: state s is label (s - 1) / 2 if s is odd and a blank otherwise. All sums of probabilities are taken as
// logarithms.
#include "ops_families.h"
#include "ops_indices.h"

namespace birnn {

namespace {

constexpr const char* ctc_label = "op_ctc_loss";
constexpr double impossible = -std::numeric_limits<double>::infinity();

// log(exp(a) + exp(b))
inline double log_sum(double a, double b) {
  const double high = a > b ? a : b;
  if (high == impossible) return impossible;
  return high + std::log1p(std::exp((a > b ? b : a) - high));
}

struct CtcSizes {
  int64 rows, labels, steps, classes;
  CtcSizes(const Shape& labels_shape, const Shape& logits_shape)
      : rows(logits_shape[0]), labels(labels_shape[1]), steps(logits_shape[1]), classes(logits_shape[2]) {}
  int64 states() const { return 2 * labels + 1; }
};

// One row: its labels, what leads into a state, and log probabilities, (T, C).
struct CtcRow {
  const std::int32_t* label;
  int64 states, steps, classes;
  std::int32_t blank;
  const double* log_probability;

  std::int32_t class_of(int64 state) const { return state % 2 == 1 ? label[state / 2] : blank; }
  double emission(int64 step, int64 state) const { return log_probability[step * classes + class_of(state)]; }
  // Between two different labels the blank may be left out.
  bool may_skip_to(int64 state) const {
    return state % 2 == 1 && state >= 3 && label[state / 2] != label[state / 2 - 1];
  }
  // log of the probability of all ways from the start to each state at the end of `step`, emission included.
  void advance(int64 step, const double* before, double* after) const {
    for (int64 s = 0; s < states; ++s) {
      double ways = step == 0 ? (s < 2 ? 0.0 : impossible) : before[s];
      if (step > 0 && s > 0) ways = log_sum(ways, before[s - 1]);
      if (step > 0 && may_skip_to(s)) ways = log_sum(ways, before[s - 2]);
      after[s] = ways + emission(step, s);
    }
  }
  // The same from the states after `step` to the end, emission at `step` excluded.
  void retreat(int64 step, const double* after, double* before) const {
    for (int64 s = 0; s < states; ++s) {
      if (step == steps - 1) {
        before[s] = s >= states - 2 ? 0.0 : impossible;
        continue;
      }
      double ways = after[s] + emission(step + 1, s);
      if (s + 1 < states) ways = log_sum(ways, after[s + 1] + emission(step + 1, s + 1));
      if (s + 2 < states && may_skip_to(s + 2)) ways = log_sum(ways, after[s + 2] + emission(step + 1, s + 2));
      before[s] = ways;
    }
  }
};

Inference infer_ctc(const Attrs&, const std::vector<Meta>& in) {
  require_inputs(ctc_label, in, 4);
  require_floating(ctc_label, in[1]);
  for (int k : {0, 2, 3}) require_dtype(ctc_label, in[static_cast<std::size_t>(k)], DType::int32);
  if (in[0].shape.rank() != 2 || in[1].shape.rank() != 3 || in[2].shape.rank() != 1 || in[3].shape.rank() != 1)
    fail_op(ctc_label, "shape",
            "needs labels (batch, length), logits (batch, time, classes) and two lengths (batch), got shapes " +
                in[0].shape.text() + ", " + in[1].shape.text() + ", " + in[2].shape.text() + " and " +
                in[3].shape.text());
  int64 rows = in[1].shape[0];
  for (int k : {0, 2, 3}) {
    const Shape& shape = in[static_cast<std::size_t>(k)].shape;
    rows = common_size(ctc_label, rows, shape[0], in[1].shape, shape);
  }
  Inference inference = infer_one(in[1].dtype, Shape{rows});
  if (!in[0].shape.known() || !in[1].shape.known()) return inference;
  const CtcSizes size(in[0].shape, in[1].shape);
  inference.saved = {Meta{DType::float64, Shape{rows, size.steps, size.classes}},
                     Meta{DType::float64, Shape{rows, size.steps, size.states()}}};
  inference.forward_scratch = sizeof(double) * static_cast<std::size_t>(size.steps * (size.classes + size.states()));
  inference.backward_scratch = sizeof(double) * static_cast<std::size_t>(2 * size.states() + size.classes);
  return inference;
}

// Lengths and the labels they cover must lie inside their tensors.
void check_ctc(const ForwardCall& call, const CtcSizes& size) {
  const std::int32_t* labels = call.in[0].as<std::int32_t>();
  const auto check = [](bool valid, const std::string& what, int64 got, int64 limit) {
    if (!valid)
      fail_op(ctc_label, "value",
              what + " must be from 0 to " + std::to_string(limit) + ", not " + std::to_string(got));
  };
  const int64 blank = call.attrs.integer("mask_index", 0);
  check(blank >= 0 && blank < size.classes, "mask_index", blank, size.classes - 1);
  for (int64 b = 0; b < size.rows; ++b) {
    const int64 length = call.in[2].as<std::int32_t>()[b], steps = call.in[3].as<std::int32_t>()[b];
    check(length >= 0 && length <= size.labels, "a length of labels", length, size.labels);
    check(steps >= 0 && steps <= size.steps, "a length of outputs", steps, size.steps);
    for (int64 i = 0; i < length; ++i) {
      const int64 label = labels[b * size.labels + i];
      check(label >= 0 && label < size.classes, "a label", label, size.classes - 1);
    }
  }
}

CtcRow ctc_row(const View* in, const Attrs& attrs, const CtcSizes& size, int64 b, const double* log_probability) {
  return {in[0].as<std::int32_t>() + b * size.labels,
          2 * static_cast<int64>(in[2].as<std::int32_t>()[b]) + 1,
          in[3].as<std::int32_t>()[b],
          size.classes,
          static_cast<std::int32_t>(attrs.integer("mask_index", 0)),
          log_probability};
}

template <typename T>
void log_softmax_rows(const T* x, int64 rows, int64 n, double* out) {
  for (int64 row = 0; row < rows; ++row, x += n, out += n) {
    double high = impossible, sum = 0;
    for (int64 i = 0; i < n; ++i) high = std::max(high, static_cast<double>(x[i]));
    for (int64 i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[i]) - high);
    for (int64 i = 0; i < n; ++i) out[i] = static_cast<double>(x[i]) - high - std::log(sum);
  }
}

// `alpha`: (T, states), rows `stride` apart.
double log_likelihood(const CtcRow& row, const double* alpha, int64 stride) {
  if (row.steps == 0) return row.states == 1 ? 0.0 : impossible;
  const double* last = alpha + (row.steps - 1) * stride;
  return row.states == 1 ? last[0] : log_sum(last[row.states - 1], last[row.states - 2]);
}

void forward_ctc(const ForwardCall& call) {
  const CtcSizes size(call.in[0].shape(), call.in[1].shape());
  check_ctc(call, size);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64 b = 0; b < size.rows; ++b) {
      double* scratch = static_cast<double*>(call.scratch);
      double* logs = call.training() ? call.saved[0].as<double>() + b * size.steps * size.classes : scratch;
      double* alpha = call.training() ? call.saved[1].as<double>() + b * size.steps * size.states()
                                      : scratch + size.steps * size.classes;
      log_softmax_rows(call.in[1].as<T>() + b * size.steps * size.classes, size.steps, size.classes, logs);
      const CtcRow row = ctc_row(call.in, call.attrs, size, b, logs);
      for (int64 t = 0; t < row.steps; ++t)
        row.advance(t, t == 0 ? nullptr : alpha + (t - 1) * size.states(), alpha + t * size.states());
      call.out[0].as<T>()[b] = static_cast<T>(-log_likelihood(row, alpha, size.states()));
    }
  });
}

// d loss / d logit = probability of the class - share of the alignments that emit it at this step.
template <typename T>
void ctc_row_slopes(const CtcRow& row, const double* alpha, int64 stride, T dout, double* scratch, T* dx) {
  double* beta = scratch;
  double* next = beta + stride;
  double* share = next + stride;
  const double total = log_likelihood(row, alpha, stride);
  for (int64 t = row.steps - 1; t >= 0; --t) {
    row.retreat(t, next, beta);
    std::fill(share, share + row.classes, 0.0);
    if (total != impossible)
      for (int64 s = 0; s < row.states; ++s)
        share[row.class_of(s)] += std::exp(alpha[t * stride + s] + beta[s] - total);
    for (int64 c = 0; c < row.classes; ++c)
      dx[t * row.classes + c] +=
          static_cast<T>(static_cast<double>(dout) * (std::exp(row.log_probability[t * row.classes + c]) - share[c]));
    std::swap(beta, next);
  }
}

void backward_ctc(const BackwardCall& call) {
  for (int k : {0, 2, 3})
    if (wanted(call, k)) start_sum(call, k);
  if (!wanted(call, 1) || no_gradient(call, 2)) return;
  const CtcSizes size(call.in[0].shape(), call.in[1].shape());
  start_sum(call, 1);
  with_float(call.in[1].dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64 b = 0; b < size.rows; ++b) {
      const double* logs = call.saved[0].as<double>() + b * size.steps * size.classes;
      const double* alpha = call.saved[1].as<double>() + b * size.steps * size.states();
      ctc_row_slopes(ctc_row(call.in, call.attrs, size, b, logs), alpha, size.states(), call.dout[0].as<T>()[b],
                     static_cast<double*>(call.scratch), call.din[1].as<T>() + b * size.steps * size.classes);
    }
  });
}

}  // namespace

void register_ctc_ops() { register_op({"ctc_loss", infer_ctc, forward_ctc, backward_ctc, 15u, 0u, -1}); }

}  // namespace birnn
