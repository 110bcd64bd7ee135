// Running single ops in the C++ tests: tensors that own their memory, forward and backward calls (uses levels L0 and
// L3).
#pragma once
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "check.h"
#include "op.h"

// A check inside a loop over cases: `words` say which case failed.
#define CHECK_CASE(condition, words) check::report((condition), __FILE__, __LINE__, words)

namespace birnn_test {

using namespace birnn;
using int64 = std::int64_t;

// A tensor that owns its bytes. They start at 8 modulo 16, as R's small vectors do.
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, const Shape& shape) : meta_{dtype, shape}, words_(meta_.bytes() / 8 + 5) {}
  static Tensor of(DType dtype, const Shape& shape, const std::vector<double>& values) {
    Tensor tensor(dtype, shape);
    for (std::size_t i = 0; i < values.size(); ++i) tensor.set(static_cast<int64>(i), values[i]);
    return tensor;
  }
  const Meta& meta() const { return meta_; }
  int64 count() const { return meta_.shape.count(); }
  bool absent() const { return meta_.absent(); }
  void* data() const {
    const std::size_t address = reinterpret_cast<std::size_t>(words_.data());
    return const_cast<char*>(reinterpret_cast<const char*>(words_.data())) + (address % 16 == 8 ? 0 : 8);
  }
  View view() const { return absent() ? View() : View{data(), meta_}; }
  double get(int64 i) const {
    switch (meta_.dtype) {
      case DType::float32:
        return static_cast<const float*>(data())[i];
      case DType::float64:
        return static_cast<const double*>(data())[i];
      case DType::int32:
        return static_cast<const std::int32_t*>(data())[i];
      case DType::boolean:
        return static_cast<const std::uint8_t*>(data())[i];
    }
    return 0;
  }
  void set(int64 i, double value) {
    switch (meta_.dtype) {
      case DType::float32:
        static_cast<float*>(data())[i] = static_cast<float>(value);
        break;
      case DType::float64:
        static_cast<double*>(data())[i] = value;
        break;
      case DType::int32:
        static_cast<std::int32_t*>(data())[i] = static_cast<std::int32_t>(value);
        break;
      case DType::boolean:
        static_cast<std::uint8_t*>(data())[i] = value != 0;
        break;
    }
  }
  void fill(double value) {
    for (int64 i = 0; i < count(); ++i) set(i, value);
  }
  std::vector<double> values() const {
    std::vector<double> out;
    for (int64 i = 0; i < count(); ++i) out.push_back(get(i));
    return out;
  }
  bool same_bits(const Tensor& other) const {
    return meta_.dtype == other.meta_.dtype && meta_.shape == other.meta_.shape &&
           std::memcmp(data(), other.data(), meta_.bytes()) == 0;
  }

 private:
  Meta meta_ = Meta::none();
  std::vector<double> words_;
};

inline Attrs make_attrs(const std::map<std::string, std::vector<double>>& numbers,
                        const std::map<std::string, std::string>& texts = {}) {
  Attrs attrs;
  for (const auto& entry : numbers) attrs.set(entry.first, entry.second);
  for (const auto& entry : texts) attrs.set(entry.first, std::vector<std::string>{entry.second});
  return attrs;
}

inline std::vector<View> views_of(const std::vector<Tensor>& tensors) {
  std::vector<View> views;
  for (const Tensor& tensor : tensors) views.push_back(tensor.view());
  return views;
}

inline std::vector<Meta> metas_of(const std::vector<Tensor>& tensors) {
  std::vector<Meta> metas;
  for (const Tensor& tensor : tensors) metas.push_back(tensor.meta());
  return metas;
}

// The forward pass of an op, kept for its backward passes.
class Run {
 public:
  Run(const std::string& name, const Attrs& attrs, const std::vector<Tensor>& in)
      : op_(find_op(name)), attrs_(attrs), in_(in), inference_(op_.infer(attrs, metas_of(in))) {
    for (const Meta& meta : inference_.outputs) out_.emplace_back(meta.dtype, meta.shape);
    for (const Meta& meta : inference_.saved) saved_.emplace_back(meta.dtype, meta.shape);
    for (Tensor& tensor : out_) tensor.fill(77);  // ops must not rely on what was there
    if (op_.alias >= 0) {
      std::memcpy(out_[0].data(), in[static_cast<std::size_t>(op_.alias)].data(), out_[0].meta().bytes());
      return;
    }
    std::vector<double> scratch(inference_.forward_scratch / 8 + 1);
    const std::vector<View> in_views = views_of(in_), out_views = views_of(out_), saved_views = views_of(saved_);
    const View none;
    op_.forward(ForwardCall{attrs_, in_views.data(), out_views.data(), saved_.empty() ? &none : saved_views.data(),
                            scratch.data()});
  }
  const OpDef& op() const { return op_; }
  const std::vector<Tensor>& out() const { return out_; }

  // Adds to `din` or overwrites it. Values that the op does not ask for are hidden from it.
  void backward(const std::vector<Tensor>& dout, const std::vector<Tensor>& din, bool accumulate) const {
    std::vector<View> in_views = views_of(in_), out_views = views_of(out_);
    hide(in_views, op_.needs_inputs);
    hide(out_views, op_.needs_outputs);
    const std::vector<View> saved_views = views_of(saved_), dout_views = views_of(dout), din_views = views_of(din);
    bool flags[16];
    for (bool& flag : flags) flag = accumulate;
    std::vector<double> scratch(inference_.backward_scratch / 8 + 1);
    op_.backward(BackwardCall{attrs_, in_views.data(), out_views.data(), saved_views.data(), dout_views.data(),
                              din_views.data(), flags, scratch.data()});
  }

 private:
  static void hide(std::vector<View>& views, unsigned needed) {
    for (std::size_t k = 0; k < views.size(); ++k)
      if (needed != all_values && (needed >> k & 1u) == 0u) views[k].data = nullptr;
  }

  const OpDef& op_;
  Attrs attrs_;
  std::vector<Tensor> in_;
  Inference inference_;
  std::vector<Tensor> out_, saved_;
};

inline std::vector<Tensor> run_op(const std::string& name, const Attrs& attrs, const std::vector<Tensor>& in) {
  return Run(name, attrs, in).out();
}

}  // namespace birnn_test
