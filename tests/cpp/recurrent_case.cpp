// An independent implementation of recurrent layers (Keras 3, keras/src/layers/rnn), one number after the other.
#include "recurrent_case.h"

#include <algorithm>
#include <cmath>

namespace birnn_test {

namespace {

using Vector = std::vector<double>;

double reference_activation(const std::string& name, double x) {
  if (name == "linear") return x;
  if (name == "tanh") return std::tanh(x);
  if (name == "sigmoid") return 1 / (1 + std::exp(-x));
  if (name == "relu") return x > 0 ? x : 0;
  if (name == "softsign") return x / (1 + std::fabs(x));
  if (name == "gelu") return x * (1 + std::erf(x / std::sqrt(2.0))) / 2;
  if (name == "softplus") return std::log(1 + std::exp(x));
  fail("value", "the reference has no activation " + name);
}

struct Slots {
  const Tensor &kernel, &recurrent, &bias, &state0, &state1, &x_dropout, &h_dropout;
  Slots(const std::vector<Tensor>& in, std::size_t first)
      : kernel(in[first]),
        recurrent(in[first + 1]),
        bias(in[first + 2]),
        state0(in[first + 3]),
        state1(in[first + 4]),
        x_dropout(in[first + 5]),
        h_dropout(in[first + 6]) {}
};

// One row of the batch.
class ReferenceRow {
 public:
  ReferenceRow(const DirectionCase& d, const Slots& slots, int64 features, int64 batch, int64 row)
      : d_(d),
        slots_(slots),
        features_(features),
        batch_(batch),
        row_(row),
        h_(initial(slots.state0)),
        c_(initial(slots.state1)) {}
  const Vector& h() const { return h_; }
  const Vector& c() const { return c_; }

  void step(const double* x) {
    if (d_.cell == "simple_rnn") return simple_step(x);
    if (d_.cell == "lstm") return lstm_step(x);
    gru_step(x);
  }

 private:
  Vector initial(const Tensor& state) const {
    Vector values(static_cast<std::size_t>(d_.units));
    for (int64 u = 0; u < d_.units && !state.absent(); ++u) values[u] = state.get(row_ * d_.units + u);
    return values;
  }
  double kept(const Tensor& masks, int gate, int64 width, int64 k) const {
    if (masks.absent()) return 1;
    return masks.get(((masks.meta().shape[0] == 1 ? 0 : gate) * batch_ + row_) * width + k);
  }
  double from_input(const double* x, int gate, int64 u) const {
    const int64 width = d_.gates() * d_.units, column = gate * d_.units + u;
    double sum = slots_.bias.absent() ? 0 : slots_.bias.get(column);
    for (int64 f = 0; f < features_; ++f)
      sum += x[f] * kept(slots_.x_dropout, gate, features_, f) * slots_.kernel.get(f * width + column);
    return sum;
  }
  double from_state(int gate, int64 u, const Vector* factor = nullptr) const {
    const int64 width = d_.gates() * d_.units, column = gate * d_.units + u;
    const bool own_bias = d_.cell == "gru" && d_.reset_after && !slots_.bias.absent();
    double sum = own_bias ? slots_.bias.get(width + column) : 0;
    for (int64 k = 0; k < d_.units; ++k)
      sum += h_[k] * kept(slots_.h_dropout, gate, d_.units, k) * (factor == nullptr ? 1 : (*factor)[k]) *
             slots_.recurrent.get(k * width + column);
    return sum;
  }
  double act(double x) const { return reference_activation(d_.activation, x); }
  double gate(double x) const { return reference_activation(d_.recurrent_activation, x); }

  void simple_step(const double* x) {
    Vector next(h_);
    for (int64 u = 0; u < d_.units; ++u) next[u] = act(from_input(x, 0, u) + from_state(0, u));
    h_ = next;
  }
  void lstm_step(const double* x) {
    Vector next(h_);
    for (int64 u = 0; u < d_.units; ++u) {
      const auto z = [&](int g) { return from_input(x, g, u) + from_state(g, u); };
      c_[u] = gate(z(1)) * c_[u] + gate(z(0)) * act(z(2));
      next[u] = gate(z(3)) * act(c_[u]);
    }
    h_ = next;
  }
  void gru_step(const double* x) {
    Vector next(h_), r(h_);
    for (int64 u = 0; u < d_.units; ++u) r[u] = gate(from_input(x, 1, u) + from_state(1, u));
    for (int64 u = 0; u < d_.units; ++u) {
      const double z = gate(from_input(x, 0, u) + from_state(0, u));
      const double n = act(from_input(x, 2, u) + (d_.reset_after ? r[u] * from_state(2, u) : from_state(2, u, &r)));
      next[u] = z * h_[u] + (1 - z) * n;
    }
    h_ = next;
  }

  const DirectionCase& d_;
  const Slots& slots_;
  int64 features_, batch_, row_;
  Vector h_, c_;
};

struct ReferenceDirection {
  std::vector<Vector> y;  // [b * time + place] in the order of the output, or [b]
  Vector h, c;
};

ReferenceDirection run_direction(const LayerCase& c, const std::vector<Tensor>& in, std::size_t number) {
  const DirectionCase& d = c.directions[number];
  const Slots slots(in, 2 + 7 * number);
  ReferenceDirection out;
  for (int64 b = 0; b < c.batch; ++b) {
    ReferenceRow row(d, slots, c.features, c.batch, b);
    std::vector<Vector> sequence;
    Vector last(static_cast<std::size_t>(d.units), 0.0);
    for (int64 place = 0; place < c.time; ++place) {
      const int64 t = d.go_backwards ? c.time - 1 - place : place;
      const bool valid = in[1].absent() || in[1].get(b * c.time + t) != 0;
      if (valid) {
        Vector x;
        for (int64 f = 0; f < c.features; ++f) x.push_back(in[0].get((b * c.time + t) * c.features + f));
        row.step(x.data());
        last = row.h();
      } else if (d.zero_output) {
        last.assign(last.size(), 0.0);
      }
      sequence.push_back(last);
    }
    if (number == 1) std::reverse(sequence.begin(), sequence.end());
    if (c.return_sequences)
      out.y.insert(out.y.end(), sequence.begin(), sequence.end());
    else
      out.y.push_back(last);
    out.h.insert(out.h.end(), row.h().begin(), row.h().end());
    out.c.insert(out.c.end(), row.c().begin(), row.c().end());
  }
  return out;
}

Vector flat(const std::vector<Vector>& rows) {
  Vector all;
  for (const Vector& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

Vector reference_merge(const std::string& mode, const std::vector<Vector>& f, const std::vector<Vector>& b) {
  Vector all;
  for (std::size_t r = 0; r < f.size(); ++r) {
    if (mode == "concat") {
      all.insert(all.end(), f[r].begin(), f[r].end());
      all.insert(all.end(), b[r].begin(), b[r].end());
      continue;
    }
    for (std::size_t u = 0; u < f[r].size(); ++u)
      all.push_back(mode == "mul" ? f[r][u] * b[r][u] : (f[r][u] + b[r][u]) / (mode == "ave" ? 2 : 1));
  }
  return all;
}

}  // namespace

std::vector<std::vector<double>> reference_outputs(const LayerCase& c, const std::vector<Tensor>& in) {
  std::vector<ReferenceDirection> directions;
  for (std::size_t d = 0; d < c.directions.size(); ++d) directions.push_back(run_direction(c, in, d));
  std::vector<Vector> out;
  if (c.merge == "none")
    for (const ReferenceDirection& direction : directions) out.push_back(flat(direction.y));
  else
    out.push_back(reference_merge(c.merge, directions[0].y, directions[1].y));
  for (std::size_t d = 0; d < directions.size(); ++d) {
    out.push_back(directions[d].h);
    if (c.directions[d].state_count() == 2) out.push_back(directions[d].c);
  }
  return out;
}

LayerCase draw_case(Draws& draws) {
  const std::vector<std::string> cells = {"simple_rnn", "lstm", "gru"};
  const std::vector<std::string> activations = {"tanh", "tanh", "softsign", "gelu", "linear"};
  const std::vector<std::string> gate_activations = {"sigmoid", "sigmoid", "softsign", "softplus"};
  const std::vector<std::string> merges = {"none", "none", "concat", "sum", "mul", "ave"};
  LayerCase c;
  c.batch = 2 + draws.whole(3);
  c.time = 1 + draws.whole(5);
  c.features = 1 + draws.whole(3);
  c.return_sequences = draws.coin();
  c.mask = static_cast<MaskKind>(draws.whole(5));
  c.directions.clear();
  const int64 count = 1 + draws.whole(2);
  if (count == 2) c.merge = merges[static_cast<std::size_t>(draws.whole(6))];
  for (int64 k = 0; k < count; ++k) {
    DirectionCase d;
    d.cell = cells[static_cast<std::size_t>(draws.whole(3))];
    d.activation = activations[static_cast<std::size_t>(draws.whole(5))];
    d.recurrent_activation = gate_activations[static_cast<std::size_t>(draws.whole(4))];
    d.units = 1 + draws.whole(4);
    if (k == 1 && c.merge != "none" && c.merge != "concat") d.units = c.directions[0].units;
    d.go_backwards = draws.coin();
    d.zero_output = draws.coin();
    d.reset_after = draws.coin();
    d.bias = draws.whole(4) > 0;
    d.states = draws.coin();
    const int masks[] = {0, 0, 1, d.gates()};
    d.x_masks = masks[draws.whole(4)];
    d.h_masks = masks[draws.whole(4)];
    c.directions.push_back(d);
  }
  return c;
}

std::string describe(const LayerCase& c) {
  std::string text = "mask " + std::to_string(static_cast<int>(c.mask)) +
                     (c.return_sequences ? " sequences" : " last") + " merge " + c.merge + " batch " +
                     std::to_string(c.batch) + " time " + std::to_string(c.time);
  for (const DirectionCase& d : c.directions)
    text += " | " + d.cell + " units " + std::to_string(d.units) + " " + d.activation + " " + d.recurrent_activation +
            (d.go_backwards ? " backwards" : "") + (d.zero_output ? " zero" : "") +
            (d.reset_after ? " reset_after" : "") + (d.states ? " states" : "") + " dropout " +
            std::to_string(d.x_masks) + "," + std::to_string(d.h_masks);
  return text;
}

std::vector<Tensor> forward_outputs(const LayerCase& c, const std::vector<Tensor>& in, bool training) {
  const OpDef& op = find_op("recurrent");
  const Attrs attrs = c.attrs();
  const Inference inference = op.infer(attrs, metas_of(in));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<Tensor> out;
  for (const Meta& meta : inference.outputs) {
    out.emplace_back(meta.dtype, meta.shape);
    out.back().fill(nan);
  }
  std::vector<double> saved(inference.saved[0].bytes() / 8 + 1, nan), scratch(inference.forward_scratch / 8 + 1, nan);
  const std::vector<View> in_views = views_of(in), out_views = views_of(out);
  const View saved_view{saved.data(), inference.saved[0]};
  op.forward(ForwardCall{attrs, in_views.data(), out_views.data(), training ? &saved_view : nullptr, scratch.data()});
  return out;
}

}  // namespace birnn_test
