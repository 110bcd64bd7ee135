// oneDNN's RNN primitives, 2.x or 3.x: bidirectional_concat LSTM, GRU (linear before reset) and vanilla RNN (tanh).
// Inference re-orders the weights once; a training step does it every time, as a framework must after an update.
// Requests: task=layer (see Config in serve.h), task=gemm n=, task=version.
#include <omp.h>
#include <xmmintrin.h>

#include <cstring>
#include <dnnl.hpp>
#include <unordered_map>

#include "serve.h"

namespace {

using namespace dnnl;
using bench::Config;
using bench::Noise;
using bench::Request;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

constexpr rnn_direction both = rnn_direction::bidirectional_concat;

// 3.x has no operation descriptors any more. `hint` is empty, or the descriptor of the forward pass.
template <typename Primitive, typename... A>
auto describe(const engine& e, A... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(e, arguments...);
#else
  return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), e);
#endif
}
template <typename Primitive, typename Hint, typename... A>
auto describe_backward(const engine& e, const Hint& hint, A... arguments) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(e, arguments..., hint);
#else
  return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), e, hint);
#endif
}

float* numbers(const memory& m) { return static_cast<float*>(m.get_data_handle()); }
std::size_t size_of(const memory& m) { return m.get_desc().get_size() / sizeof(float); }

class Layer {
 public:
  explicit Layer(const Config& c)
      : engine_(engine::kind::cpu, 0),
        stream_(engine_),
        x_(filled(desc({c.time, c.batch, c.features}, Tag::tnc), 1.f)),
        y_(desc({c.time, c.batch, 2 * c.units}, Tag::tnc), engine_),
        kernel_(filled(desc({1, 2, c.features, c.gates(), c.units}, Tag::ldigo), .15f)),
        recurrent_(filled(desc({1, 2, c.units, c.gates(), c.units}, Tag::ldigo), .15f)),
        bias_(filled(desc({1, 2, c.cell == "gru" ? 4 : c.gates(), c.units}, Tag::ldgo), .1f)),
        any_kernel_(desc({1, 2, c.features, c.gates(), c.units}, Tag::any)),
        any_recurrent_(desc({1, 2, c.units, c.gates(), c.units}, Tag::any)) {
    if (c.cell == "lstm") make_lstm(c.train);
    if (c.cell == "gru") make_gru(c.train);
    if (c.cell == "simple_rnn") make_simple(c.train);
    to_packed_ = {Copy(kernel_, packed_kernel_), Copy(recurrent_, packed_recurrent_)};
    to_packed();
    forward_arguments_ = {{DNNL_ARG_SRC_LAYER, x_},
                          {DNNL_ARG_WEIGHTS_LAYER, packed_kernel_},
                          {DNNL_ARG_WEIGHTS_ITER, packed_recurrent_},
                          {DNNL_ARG_BIAS, bias_},
                          {DNNL_ARG_DST_LAYER, y_}};
    if (c.train) prepare_training(c);
  }

  void infer() {
    forward_.execute(stream_, forward_arguments_);
    stream_.wait();
  }

  void train() {
    to_packed();
    forward_.execute(stream_, forward_arguments_);
    run(to_backward_);
    for (const memory& sum : {dkernel_, drecurrent_, dbias_}) std::memset(numbers(sum), 0, sum.get_desc().get_size());
    backward_.execute(stream_, backward_arguments_);
    run(to_plain_);
    descend(kernel_, plain_dkernel_);
    descend(recurrent_, plain_drecurrent_);
    descend(bias_, dbias_);
  }

 private:
  static memory::desc desc(memory::dims dims, Tag tag) { return memory::desc(dims, memory::data_type::f32, tag); }

  memory filled(const memory::desc& desc, float scale) {
    memory m(desc, engine_);
    float* const to = numbers(m);
    const std::size_t count = size_of(m);
    for (std::size_t i = 0; i < count; ++i) to[i] = noise_(scale);
    return m;
  }

  // Keeps of the descriptors what is common to all cells.
  template <typename Primitive, typename Description>
  void keep_forward(const Description& d, bool train) {
    forward_ = Primitive(d);
    packed_kernel_ = memory(d.weights_layer_desc(), engine_);
    packed_recurrent_ = memory(d.weights_iter_desc(), engine_);
    if (train) workspace_ = memory(d.workspace_desc(), engine_);
  }
  template <typename Primitive, typename Description>
  void keep_backward(const Description& d) {
    backward_ = Primitive(d);
    backward_kernel_ = memory(d.weights_layer_desc(), engine_);
    backward_recurrent_ = memory(d.weights_iter_desc(), engine_);
    dkernel_ = memory(d.diff_weights_layer_desc(), engine_);
    drecurrent_ = memory(d.diff_weights_iter_desc(), engine_);
  }

  static prop_kind kind(bool train) { return train ? prop_kind::forward_training : prop_kind::forward_inference; }

  void make_lstm(bool train) {
    const memory::desc x = x_.get_desc(), y = y_.get_desc(), b = bias_.get_desc(), none;
    const auto d = describe<lstm_forward>(engine_, kind(train), both, x, none, none, any_kernel_, any_recurrent_, b, y,
                                          none, none);
    keep_forward<lstm_forward>(d, train);
    if (!train) return;
    keep_backward<lstm_backward>(describe_backward<lstm_backward>(
        engine_, d, prop_kind::backward, both, x, none, none, any_kernel_, any_recurrent_, b, y, none, none, x, none,
        none, any_kernel_, any_recurrent_, b, y, none, none));
  }

  void make_gru(bool train) {
    const memory::desc x = x_.get_desc(), y = y_.get_desc(), b = bias_.get_desc(), none;
    const auto d =
        describe<lbr_gru_forward>(engine_, kind(train), both, x, none, any_kernel_, any_recurrent_, b, y, none);
    keep_forward<lbr_gru_forward>(d, train);
    if (!train) return;
    keep_backward<lbr_gru_backward>(describe_backward<lbr_gru_backward>(engine_, d, prop_kind::backward, both, x, none,
                                                                        any_kernel_, any_recurrent_, b, y, none, x,
                                                                        none, any_kernel_, any_recurrent_, b, y, none));
  }

  void make_simple(bool train) {
    const memory::desc x = x_.get_desc(), y = y_.get_desc(), b = bias_.get_desc(), none;
    const auto tanh = algorithm::eltwise_tanh;
    const auto d = describe<vanilla_rnn_forward>(engine_, kind(train), tanh, both, x, none, any_kernel_, any_recurrent_,
                                                 b, y, none);
    keep_forward<vanilla_rnn_forward>(d, train);
    if (!train) return;
    keep_backward<vanilla_rnn_backward>(describe_backward<vanilla_rnn_backward>(
        engine_, d, prop_kind::backward, tanh, both, x, none, any_kernel_, any_recurrent_, b, y, none, x, none,
        any_kernel_, any_recurrent_, b, y, none));
  }

  void prepare_training(const Config& c) {
    dx_ = memory(x_.get_desc(), engine_);
    dy_ = filled(y_.get_desc(), 1e-3f);
    dbias_ = memory(bias_.get_desc(), engine_);
    plain_dkernel_ = memory(kernel_.get_desc(), engine_);
    plain_drecurrent_ = memory(recurrent_.get_desc(), engine_);
    to_backward_ = {Copy(kernel_, backward_kernel_), Copy(recurrent_, backward_recurrent_)};
    to_plain_ = {Copy(dkernel_, plain_dkernel_), Copy(drecurrent_, plain_drecurrent_)};
    if (!c.sequences) only_last_outputs(c);
    forward_arguments_.insert({DNNL_ARG_WORKSPACE, workspace_});
    backward_arguments_ = {{DNNL_ARG_SRC_LAYER, x_},
                           {DNNL_ARG_WEIGHTS_LAYER, backward_kernel_},
                           {DNNL_ARG_WEIGHTS_ITER, backward_recurrent_},
                           {DNNL_ARG_BIAS, bias_},
                           {DNNL_ARG_DST_LAYER, y_},
                           {DNNL_ARG_WORKSPACE, workspace_},
                           {DNNL_ARG_DIFF_SRC_LAYER, dx_},
                           {DNNL_ARG_DIFF_WEIGHTS_LAYER, dkernel_},
                           {DNNL_ARG_DIFF_WEIGHTS_ITER, drecurrent_},
                           {DNNL_ARG_DIFF_BIAS, dbias_},
                           {DNNL_ARG_DIFF_DST_LAYER, dy_}};
  }

  // Gradients of the last output of each direction: the rest is zero.
  void only_last_outputs(const Config& c) {
    for (long t = 0; t < c.time; ++t)
      for (long row = 0; row < c.batch; ++row) {
        float* const at = numbers(dy_) + (t * c.batch + row) * 2 * c.units;
        if (t != c.time - 1) std::fill(at, at + c.units, 0.f);
        if (t != 0) std::fill(at + c.units, at + 2 * c.units, 0.f);
      }
  }

  // A copy into another layout. To make the primitive takes far longer than to run it: it is made once.
  struct Copy {
    memory from, to;
    reorder primitive;
    Copy(const memory& a, const memory& b) : from(a), to(b), primitive(a, b) {}
  };
  void run(std::vector<Copy>& copies) {
    for (Copy& copy : copies) copy.primitive.execute(stream_, copy.from, copy.to);
    stream_.wait();
  }
  void to_packed() { run(to_packed_); }
  static void descend(const memory& weight, const memory& gradient) {
    float* const to = numbers(weight);
    const float* const from = numbers(gradient);
    const std::size_t count = size_of(weight);
    for (std::size_t i = 0; i < count; ++i) to[i] -= 1e-4f * from[i];
  }

  engine engine_;
  stream stream_;
  Noise noise_;
  memory x_, y_, kernel_, recurrent_, bias_;
  memory::desc any_kernel_, any_recurrent_;
  primitive forward_, backward_;
  memory packed_kernel_, packed_recurrent_, workspace_, backward_kernel_, backward_recurrent_;
  memory dx_, dy_, dkernel_, drecurrent_, dbias_, plain_dkernel_, plain_drecurrent_;
  std::vector<Copy> to_packed_, to_backward_, to_plain_;
  Arguments forward_arguments_, backward_arguments_;
};

void use_threads(int threads) {
  omp_set_num_threads(threads);
#pragma omp parallel
  _mm_setcsr(_mm_getcsr() | 0x8040);  // subnormals are zero, as in birnn's fast path
}

std::string measure_gemm(const Request& r) {
  const long n = r.number("n", 1024);
  Noise noise;
  std::vector<float> a(static_cast<std::size_t>(n * n)), b(a.size()), c(a.size());
  for (float& value : a) value = noise(1.f);
  for (float& value : b) value = noise(1.f);
  return bench::sample(r, [&] { dnnl_sgemm('N', 'N', n, n, n, 1.f, a.data(), n, b.data(), n, 0.f, c.data(), n); });
}

std::string version() {
  const dnnl_version_t& v = *dnnl_version();
  return std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
}

std::string answer(const Request& r) {
  const std::string task = r.text("task", "layer");
  if (task == "version") return version();
  const Config config(r);
  use_threads(static_cast<int>(config.threads));
  if (task == "gemm") return measure_gemm(r);
  Layer layer(config);
  return bench::sample(r, [&] { config.train ? layer.train() : layer.infer(); });
}

}  // namespace

int main() { return bench::serve(answer); }
