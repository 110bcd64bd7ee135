// Times a bidirectional layer (concat) inside C++, in CPU time of the process: one line for each cell, size and mode.
// Usage: layer [cells=lstm,gru,simple_rnn] [sizes=S,M,L,lat] [modes=infer,train] [options]
// options: isa=avx2  threads=2  batch=7  time=100  features=3  units=9  last  double  mask=full|uniform  reset_before
// no_dx  seconds=0.3
//          wall
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "arena.h"
#include "bidirectional.h"
#include "kernel_isa.h"
#include "parallel.h"
#include "random.h"

using namespace birnn;

namespace {

struct Size {
  const char* name;
  int64 batch, time, features, units;
};
const Size sizes[] = {
    {"S", 32, 50, 32, 32}, {"M", 32, 100, 64, 128}, {"L", 64, 200, 128, 256}, {"lat", 1, 100, 64, 128}};

struct Options {
  std::string cells = "lstm,gru,simple_rnn", sizes = "S,M,L,lat", modes = "infer,train", mask = "none";
  std::map<std::string, int64> numbers;
  bool last = false, doubles = false, reset_before = false, no_dx = false, wall = false;
  double seconds = 0.3;

  bool wants(const std::string& list, const std::string& name) const {
    return ("," + list + ",").find("," + name + ",") != std::string::npos;
  }
  int64 number(const char* name, int64 otherwise) const {
    const auto found = numbers.find(name);
    return found == numbers.end() ? otherwise : found->second;
  }
};

double now(bool wall) {
  timespec t;
  clock_gettime(wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

template <typename T>
std::vector<T> draw(int64 n, double scale) {
  static std::uint64_t next = 0;
  std::vector<T> out(static_cast<std::size_t>(n));
  for (T& value : out) value = static_cast<T>((uniform01<double>(1, next++) - 0.5) * scale);
  return out;
}

// A layer with its numbers, outputs, gradients and work space.
template <typename T>
class Layer {
 public:
  Layer(const std::string& cell, const Size& size, const Options& options) : options_(options), type_(cell_type(cell)) {
    const int64 width = type_.gates * size.units;
    const bool reset_after = !options.reset_before;
    const int64 rows = size.batch * size.time, out_rows = options.last ? size.batch : rows;
    x_ = draw<T>(rows * size.features, 2);
    y_.resize(static_cast<std::size_t>(out_rows * 2 * size.units));
    dy_ = draw<T>(out_rows * 2 * size.units, 2e-3);
    dx_.resize(x_.size());
    draw_mask(size);
    layer_.directions = 2;
    layer_.merge = MergeMode::concat;
    for (int d = 0; d < 2; ++d) {
      const int64 counts[] = {size.features * width, size.units * width, type_.bias_rows(reset_after) * width};
      for (int w = 0; w < 3; ++w) {
        weights_[d][w] = draw<T>(counts[w], w == 2 ? 0.2 : 0.3);
        gradients_[d][w].resize(weights_[d][w].size());
      }
      for (auto& state : states_[d]) state.resize(static_cast<std::size_t>(size.batch * size.units));
      describe(layer_.direction[d], size, d, reset_after);
      layer_.cell[d] = &type_;
    }
    const LayerSizes bytes = layer_sizes(layer_);
    saved_.need(bytes.saved);
    scratch_.need(std::max(bytes.forward_scratch, bytes.backward_scratch));
  }

  void predict() { run_forward(nullptr); }
  void train() {
    run_forward(saved_.data());
    LayerBackward<T> call;
    call.dy[0] = dy_.data();
    if (!options_.no_dx) call.dx.data = dx_.data();
    for (int d = 0; d < 2; ++d) {
      call.dkernel[d].data = gradients_[d][0].data();
      call.drecurrent_kernel[d].data = gradients_[d][1].data();
      call.dbias[d].data = gradients_[d][2].data();
    }
    call.saved = saved_.data();
    call.scratch = scratch_.data();
    backward(layer_, call);
    for (int d = 0; d < 2; ++d)
      for (int w = 0; w < 3; ++w)
        for (std::size_t e = 0; e < weights_[d][w].size(); ++e) weights_[d][w][e] -= T(1e-4) * gradients_[d][w][e];
  }

 private:
  void run_forward(void* saved) {
    LayerForward<T> call;
    call.y[0] = y_.data();
    for (int d = 0; d < 2; ++d)
      for (int s = 0; s < type_.states; ++s) call.state[d][s] = states_[d][s].data();
    call.saved = saved;
    call.scratch = scratch_.data();
    forward(layer_, call);
  }

  void draw_mask(const Size& size) {
    if (options_.mask == "none") return;
    const bool uniform = options_.mask == "uniform";
    for (int64 b = 0; b < size.batch; ++b) {
      // Lengths spread evenly over 1 .. time, in a mixed order.
      const int64 length = 1 + (b * 7 % size.batch) * (size.time - 1) / std::max<int64>(1, size.batch - 1);
      for (int64 t = 0; t < size.time; ++t) mask_.push_back(!uniform || t < length);
    }
  }

  void describe(Direction<T>& direction, const Size& size, int d, bool reset_after) {
    direction.batch = size.batch;
    direction.time = size.time;
    direction.features = size.features;
    direction.units = size.units;
    direction.options.activation = Nonlinearity<T>(Activation::tanh);
    direction.options.recurrent_activation = Nonlinearity<T>(Activation::sigmoid);
    direction.options.reset_after = reset_after;
    direction.go_backwards = direction.flipped = d == 1;
    direction.return_sequences = !options_.last;
    direction.zero_output_for_mask = direction.masked = !mask_.empty();
    direction.mask = mask_.empty() ? nullptr : mask_.data();
    direction.x = x_.data();
    direction.kernel = weights_[d][0].data();
    direction.recurrent_kernel = weights_[d][1].data();
    direction.bias = weights_[d][2].data();
  }

  const Options& options_;
  const CellType& type_;
  RecurrentLayer<T> layer_;
  std::vector<T> x_, y_, dy_, dx_, weights_[2][3], gradients_[2][3], states_[2][2];
  std::vector<std::uint8_t> mask_;
  AlignedBuffer saved_, scratch_;
};

template <typename F>
void report(const std::string& what, double flops, const Options& options, F&& step) {
  step();
  step();
  std::vector<double> times;
  for (const double begin = now(options.wall); times.size() < 3 || now(options.wall) - begin < options.seconds * 1e3;) {
    const double before = now(options.wall);
    step();
    times.push_back(now(options.wall) - before);
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  std::printf("birnn %s %d %.4f %.4f  # %.1f GF/s %s\n", what.c_str(), threads(), median, times[0],
              flops / times[0] * 1e-6, isa().c_str());
  std::fflush(stdout);
}

template <typename T>
void run(const Options& options) {
  for (const std::string cell : {"lstm", "gru", "simple_rnn"})
    for (Size size : sizes) {
      if (!options.wants(options.cells, cell) || !options.wants(options.sizes, size.name)) continue;
      size.batch = options.number("batch", size.batch);
      size.time = options.number("time", size.time);
      size.features = options.number("features", size.features);
      size.units = options.number("units", size.units);
      Layer<T> layer(cell, size, options);
      const double work = 4.0 * static_cast<double>(size.batch * size.time * cell_type(cell).gates * size.units *
                                                    (size.features + size.units));
      const std::string words = cell + " " + size.name, rows = options.last ? " 0" : " 1";
      if (options.wants(options.modes, "infer"))
        report(words + " infer" + rows, work, options, [&] { layer.predict(); });
      if (options.wants(options.modes, "train"))
        report(words + " train" + rows, 3 * work, options, [&] { layer.train(); });
    }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  set_threads(1);
  for (int a = 1; a < argc; ++a) {
    const std::string word = argv[a], name = word.substr(0, word.find('='));
    const std::string value = name == word ? "" : word.substr(name.size() + 1);
    if (name == "cells")
      options.cells = value;
    else if (name == "sizes")
      options.sizes = value;
    else if (name == "modes")
      options.modes = value;
    else if (name == "mask")
      options.mask = value;
    else if (name == "isa")
      set_isa(value);
    else if (name == "threads")
      set_threads(std::atoi(value.c_str()));
    else if (name == "seconds")
      options.seconds = std::atof(value.c_str());
    else if (name == "last")
      options.last = true;
    else if (name == "double")
      options.doubles = true;
    else if (name == "reset_before")
      options.reset_before = true;
    else if (name == "no_dx")
      options.no_dx = true;
    else if (name == "wall")
      options.wall = true;
    else
      options.numbers[name] = std::atol(value.c_str());
  }
  if (options.doubles)
    run<double>(options);
  else
    run<float>(options);
  shutdown_pool();
}
