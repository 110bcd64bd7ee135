// birnn inside C++: the op `recurrent` of levels L0 to L3, without R.
// Requests: task=layer (see Config; also dtype, isa, merge, mask = none, true or uniform, dx = 0: nobody wants the
// gradient of x, activation and recurrent_activation, x_masks and h_masks = number of dropout masks), task=gemm n=,
// task=isas.
#include <cstring>
#include <memory>
#include <vector>

#include "arena.h"
#include "gemm.h"
#include "kernel_isa.h"
#include "op.h"
#include "parallel.h"
#include "serve.h"

namespace {

using namespace birnn;
using bench::Config;
using bench::Noise;
using bench::Request;
using int64 = std::int64_t;

// A tensor with aligned memory of its own.
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, const Shape& shape) : meta_{dtype, shape}, memory_(meta_.bytes()) {
    std::memset(memory_.data(), 0, meta_.bytes());
  }
  Tensor(DType dtype, const Shape& shape, Noise& noise, float scale) : Tensor(dtype, shape) {
    const int64 last = count();
    for (int64 i = 0; i < last; ++i) set(i, noise(scale));
  }
  void set(int64 i, double value) {
    if (meta_.dtype == DType::float32) view().as<float>()[i] = static_cast<float>(value);
    if (meta_.dtype == DType::float64) view().as<double>()[i] = value;
    if (meta_.dtype == DType::boolean) view().as<std::uint8_t>()[i] = value != 0;
  }
  int64 count() const { return meta_.shape.count(); }
  const Meta& meta() const { return meta_; }
  View view() const { return meta_.absent() ? View() : View{memory_.data(), meta_}; }

 private:
  Meta meta_ = Meta::none();
  AlignedBuffer memory_;
};

std::vector<View> views(const std::vector<Tensor>& tensors) {
  std::vector<View> out;
  for (const Tensor& tensor : tensors) out.push_back(tensor.view());
  return out;
}

Attrs attributes(const Config& c, const Request& r) {
  Attrs attrs;
  attrs.set("cells", std::vector<std::string>(2, c.cell));
  attrs.set("activations", std::vector<std::string>(2, r.text("activation", "tanh")));
  attrs.set("recurrent_activations", std::vector<std::string>(2, r.text("recurrent_activation", "sigmoid")));
  attrs.set("units", std::vector<double>(2, static_cast<double>(c.units)));
  attrs.set("go_backwards", std::vector<double>{0, 1});
  attrs.set("zero_output_for_mask", std::vector<double>{1, 1});
  attrs.set("reset_after", std::vector<double>{1, 1});
  attrs.set("return_sequences", std::vector<double>{c.sequences ? 1.0 : 0.0});
  attrs.set("merge", std::vector<std::string>{r.text("merge", "concat")});
  return attrs;
}

// The lengths 1..time, spread evenly over the rows, in an order that looks random; right padding.
Tensor uniform_mask(const Config& c) {
  Tensor mask(DType::boolean, Shape{c.batch, c.time});
  for (int64 b = 0; b < c.batch; ++b) {
    const int64 rank = (b * 13 + 5) % c.batch;
    const int64 length = std::max<int64>(1, ((2 * rank + 1) * c.time + c.batch) / (2 * c.batch));
    for (int64 t = 0; t < length; ++t) mask.set(b * c.time + t, 1);
  }
  return mask;
}

Tensor make_mask(const Config& c, const std::string& kind) {
  if (kind == "none") return Tensor();
  if (kind == "uniform") return uniform_mask(c);
  Tensor mask(DType::boolean, Shape{c.batch, c.time});
  for (int64 i = 0; i < mask.count(); ++i) mask.set(i, 1);
  return mask;
}

// One mask for all gates or one a gate: a fifth of the entries is zero.
Tensor dropout_masks(DType dtype, const Shape& shape) {
  if (shape[0] == 0) return Tensor();
  Tensor masks(dtype, shape);
  for (int64 i = 0; i < masks.count(); ++i) masks.set(i, i * 7 % 5 == 0 ? 0 : 1.25);
  return masks;
}

class Layer {
 public:
  Layer(const Config& config, const Request& r)
      : op_(find_op("recurrent")),
        attrs_(attributes(config, r)),
        dtype_(dtype_from_name(r.text("dtype", "float32"))),
        wants_dx_(r.number("dx", 1) != 0) {
    const int64 width = config.gates() * config.units;
    in_.emplace_back(dtype_, Shape{config.batch, config.time, config.features}, noise_, 1.f);
    in_.push_back(make_mask(config, r.text("mask", "none")));
    for (int direction = 0; direction < 2; ++direction) {
      in_.emplace_back(dtype_, Shape{config.features, width}, noise_, .15f);
      in_.emplace_back(dtype_, Shape{config.units, width}, noise_, .15f);
      in_.emplace_back(dtype_, config.cell == "gru" ? Shape{2, width} : Shape{width}, noise_, .1f);
      for (int state = 0; state < 2; ++state) in_.emplace_back();
      in_.push_back(dropout_masks(dtype_, {r.number("x_masks"), config.batch, config.features}));
      in_.push_back(dropout_masks(dtype_, {r.number("h_masks"), config.batch, config.units}));
    }
    std::vector<Meta> metas;
    for (const Tensor& tensor : in_) metas.push_back(tensor.meta());
    inference_ = op_.infer(attrs_, metas);
    for (const Meta& meta : inference_.outputs) out_.emplace_back(meta.dtype, meta.shape);
    scratch_.need(std::max(inference_.forward_scratch, inference_.backward_scratch));
    prepared_.need(inference_.prepared);
    in_views_ = views(in_);
    out_views_ = views(out_);
    if (config.train) prepare_training();
  }

  // Packed weights are kept from call to call, as a plan keeps them and as the peers do.
  void infer() {
    op_.forward(ForwardCall{attrs_, in_views_.data(), out_views_.data(), nullptr, scratch_.data(), prepared_.data(),
                            is_prepared_});
    is_prepared_ = true;
  }

  // Forward, backward, and plain gradient descent.
  void train() {
    op_.forward(ForwardCall{attrs_, in_views_.data(), out_views_.data(), &saved_view_, scratch_.data()});
    op_.backward(BackwardCall{attrs_, in_views_.data(), out_views_.data(), &saved_view_, dout_views_.data(),
                              din_views_.data(), accumulate_.get(), scratch_.data()});
    for (std::size_t i = 0; i < in_.size(); ++i) {
      if (!is_weight(i)) continue;
      if (dtype_ == DType::float32) descend<float>(i);
      if (dtype_ == DType::float64) descend<double>(i);
    }
  }

 private:
  // Kernel, recurrent kernel and bias: the first of the seven inputs of each direction.
  bool is_weight(std::size_t i) const { return i >= 2 && (i - 2) % 7 < 3; }

  void prepare_training() {
    saved_ = Tensor(inference_.saved[0].dtype, inference_.saved[0].shape);
    saved_view_ = saved_.view();
    dout_.emplace_back(out_[0].meta().dtype, out_[0].meta().shape, noise_, 1e-3f);
    dout_.resize(out_.size());
    for (std::size_t i = 0; i < in_.size(); ++i) {
      const bool wanted = is_weight(i) || (i == 0 && wants_dx_);
      din_.push_back(wanted ? Tensor(in_[i].meta().dtype, in_[i].meta().shape) : Tensor());
    }
    dout_views_ = views(dout_);
    din_views_ = views(din_);
    accumulate_ = std::make_unique<bool[]>(in_.size());
  }

  template <typename T>
  void descend(std::size_t i) {
    T* const weight = in_views_[i].as<T>();
    const T* const gradient = din_views_[i].as<T>();
    const int64 count = in_[i].count();
    for (int64 e = 0; e < count; ++e) weight[e] -= static_cast<T>(1e-4) * gradient[e];
  }

  const OpDef& op_;
  Attrs attrs_;
  DType dtype_;
  bool wants_dx_;
  Noise noise_;
  Inference inference_;
  std::vector<Tensor> in_, out_, dout_, din_;
  Tensor saved_;
  AlignedBuffer scratch_, prepared_;
  bool is_prepared_ = false;
  View saved_view_;
  std::vector<View> in_views_, out_views_, dout_views_, din_views_;
  std::unique_ptr<bool[]> accumulate_;
};

std::string measure_layer(const Request& r) {
  const Config config(r);
  set_threads(static_cast<int>(config.threads));
  set_isa(r.text("isa", known_isas().back()));
  Layer layer(config, r);
  return bench::sample(r, [&] { config.train ? layer.train() : layer.infer(); });
}

std::string measure_gemm(const Request& r) {
  const int64 n = r.number("n", 1024);
  set_threads(1);
  set_isa(known_isas().back());
  Noise noise;
  std::vector<float> a(static_cast<std::size_t>(n * n)), b(a.size()), c(a.size());
  for (float& value : a) value = noise(1.f);
  for (float& value : b) value = noise(1.f);
  return bench::sample(r, [&] { gemm<float>(false, false, n, n, n, a.data(), n, b.data(), n, false, c.data(), n); });
}

std::string answer(const Request& r) {
  const std::string task = r.text("task", "layer");
  if (task == "layer") return measure_layer(r);
  if (task == "gemm") return measure_gemm(r);
  std::string names;
  for (const std::string& name : known_isas()) names += (names.empty() ? "" : " ") + name;
  return names;
}

}  // namespace

int main() {
  register_all_ops();
  return bench::serve(answer);
}
