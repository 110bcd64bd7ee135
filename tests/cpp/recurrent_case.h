// Recurrent layers for tests: random ones, their `recurrent` op calls, and an independent implementation, number by
// number.
#pragma once
#include <string>
#include <vector>

#include "op_run.h"
#include "random.h"

namespace birnn_test {

// Random numbers in the order of asking, the same every time.
class Draws {
 public:
  explicit Draws(std::uint64_t key) : key_(key) {}
  double number() { return 2 * uniform01<double>(key_, next_++) - 1; }
  int64 whole(int64 n) { return static_cast<int64>(uniform01<double>(key_, next_++) * static_cast<double>(n)); }
  bool coin() { return whole(2) == 1; }
  Tensor tensor(const Shape& shape, double scale = 1) {
    Tensor out(DType::float64, shape);
    for (int64 e = 0; e < out.count(); ++e) out.set(e, scale * number());
    return out;
  }
  // Entries 0 or 2: dropout at rate 0.5.
  Tensor dropout(const Shape& shape) {
    Tensor out(DType::float64, shape);
    for (int64 e = 0; e < out.count(); ++e) out.set(e, coin() ? 2.0 : 0.0);
    return out;
  }

 private:
  std::uint64_t key_, next_ = 0;
};

enum class MaskKind { none, right, left, gaps, full };

// What DirectionCase::set_kind() knows.
inline const std::vector<std::string> cell_kinds = {"simple_rnn", "lstm", "gru", "gru_reset_before"};

struct DirectionCase {
  std::string cell = "lstm", activation = "tanh", recurrent_activation = "sigmoid";
  int64 units = 3;
  bool go_backwards = false, zero_output = false, reset_after = true, bias = true, states = false;
  int x_masks = 0, h_masks = 0;
  void set_kind(const std::string& kind) {
    reset_after = kind != "gru_reset_before";
    cell = reset_after ? kind : "gru";
  }
  int gates() const { return cell == "lstm" ? 4 : cell == "gru" ? 3 : 1; }
  int state_count() const { return cell == "lstm" ? 2 : 1; }
};

struct LayerCase {
  int64 batch = 3, time = 4, features = 2;
  bool return_sequences = true;
  std::string merge = "none";
  MaskKind mask = MaskKind::none;
  std::vector<DirectionCase> directions{DirectionCase()};

  Attrs attrs() const {
    Attrs attrs;
    std::vector<std::string> cells, activations, recurrent;
    std::vector<double> units, backwards, zero, reset;
    for (const DirectionCase& d : directions) {
      cells.push_back(d.cell);
      activations.push_back(d.activation);
      recurrent.push_back(d.recurrent_activation);
      units.push_back(static_cast<double>(d.units));
      backwards.push_back(d.go_backwards);
      zero.push_back(d.zero_output);
      reset.push_back(d.reset_after);
    }
    attrs.set("cells", cells);
    attrs.set("activations", activations);
    attrs.set("recurrent_activations", recurrent);
    attrs.set("units", units);
    attrs.set("go_backwards", backwards);
    attrs.set("zero_output_for_mask", zero);
    attrs.set("reset_after", reset);
    attrs.set("return_sequences", std::vector<double>{return_sequences ? 1.0 : 0.0});
    attrs.set("merge", std::vector<std::string>{merge});
    return attrs;
  }
};

// Row 1 has no valid step at all, unless the mask is full.
inline Tensor draw_mask(const LayerCase& c, Draws& draws) {
  Tensor mask(DType::boolean, {c.batch, c.time});
  for (int64 b = 0; b < c.batch; ++b) {
    const int64 length = b == 1 ? 0 : 1 + draws.whole(c.time);
    for (int64 t = 0; t < c.time; ++t) {
      const bool right = t < length, left = t >= c.time - length;
      const bool gaps = b != 1 && draws.coin();
      mask.set(b * c.time + t, c.mask == MaskKind::full || (c.mask == MaskKind::right  ? right
                                                            : c.mask == MaskKind::left ? left
                                                                                       : gaps));
    }
  }
  return mask;
}

// Inputs of the op, in float64.
inline std::vector<Tensor> draw_inputs(const LayerCase& c, Draws& draws) {
  std::vector<Tensor> in = {draws.tensor({c.batch, c.time, c.features}),
                            c.mask == MaskKind::none ? Tensor() : draw_mask(c, draws)};
  for (const DirectionCase& d : c.directions) {
    const int64 width = d.gates() * d.units;
    const bool two_rows = d.cell == "gru" && d.reset_after;
    in.push_back(draws.tensor({c.features, width}));
    in.push_back(draws.tensor({d.units, width}, 0.7));
    in.push_back(!d.bias ? Tensor() : two_rows ? draws.tensor({2, width}) : draws.tensor({width}));
    for (int s = 0; s < 2; ++s)
      in.push_back(d.states && s < d.state_count() ? draws.tensor({c.batch, d.units}) : Tensor());
    in.push_back(d.x_masks > 0 ? draws.dropout({d.x_masks, c.batch, c.features}) : Tensor());
    in.push_back(d.h_masks > 0 ? draws.dropout({d.h_masks, c.batch, d.units}) : Tensor());
  }
  return in;
}

inline std::vector<Tensor> in_float32(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> out;
  for (const Tensor& tensor : tensors)
    out.push_back(tensor.absent() || tensor.meta().dtype != DType::float64
                      ? tensor
                      : Tensor::of(DType::float32, tensor.meta().shape, tensor.values()));
  return out;
}

LayerCase draw_case(Draws& draws);
std::string describe(const LayerCase& c);

// Outputs in the order of the op's.
std::vector<std::vector<double>> reference_outputs(const LayerCase& c, const std::vector<Tensor>& in);

// One forward pass with saved values (`training`) or without, on memory that was full of NaN.
std::vector<Tensor> forward_outputs(const LayerCase& c, const std::vector<Tensor>& in, bool training);

}  // namespace birnn_test
