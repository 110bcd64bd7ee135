// Convolutions and pooling against their definitions, written as plain loops, and against each other.
#include <algorithm>
#include <cmath>

#include "op_cases.h"
#include "parallel.h"

using namespace birnn_test;

namespace {

std::vector<double> wave(int64 n, double start) {
  std::vector<double> numbers;
  for (int64 i = 0; i < n; ++i) numbers.push_back(std::sin(start + 1.3 * static_cast<double>(i)));
  return numbers;
}

Tensor wave_of(const Shape& shape, double start, DType type = DType::float64) {
  return Tensor::of(type, shape, wave(shape.count(), start));
}

// One axis of a convolution: what its attributes say.
struct Axis {
  int64 in, kernel, stride, dilation;
};

int64 extent(const Axis& axis) { return (axis.kernel - 1) * axis.dilation + 1; }

int64 outputs(const Axis& axis, const std::string& padding) {
  if (padding == "valid") return (axis.in - extent(axis)) / axis.stride + 1;
  return (axis.in + axis.stride - 1) / axis.stride;
}

int64 zeros_in_front(const Axis& axis, const std::string& padding) {
  if (padding == "causal") return extent(axis) - 1;
  if (padding == "valid") return 0;
  return std::max<int64>(0, (outputs(axis, padding) - 1) * axis.stride + extent(axis) - axis.in) / 2;
}

struct Plane {
  Axis rows, columns;
  std::string padding;
  int64 batch, channels, filters, groups;
};

Attrs attrs_of(const Plane& p) {
  const auto pair = [](int64 a, int64 b) {
    return std::vector<double>{static_cast<double>(a), static_cast<double>(b)};
  };
  return make_attrs({{"strides", pair(p.rows.stride, p.columns.stride)},
                     {"dilation_rate", pair(p.rows.dilation, p.columns.dilation)}},
                    {{"padding", p.padding}});
}

// y[b, i, j, f] = sum over taps and the channels of f's group: x[b, i', j', c] kernel[s, t, c, f]
double one_output(const Plane& p, const Tensor& x, const Tensor& kernel, int64 b, int64 i, int64 j, int64 f) {
  const int64 width = p.channels / p.groups, group = f / (p.filters / p.groups);
  double sum = 0;
  for (int64 s = 0; s < p.rows.kernel; ++s)
    for (int64 t = 0; t < p.columns.kernel; ++t) {
      const int64 row = i * p.rows.stride - zeros_in_front(p.rows, p.padding) + s * p.rows.dilation;
      const int64 column = j * p.columns.stride - zeros_in_front(p.columns, p.padding) + t * p.columns.dilation;
      if (row < 0 || row >= p.rows.in || column < 0 || column >= p.columns.in) continue;
      for (int64 c = 0; c < width; ++c)
        sum += x.get(((b * p.rows.in + row) * p.columns.in + column) * p.channels + group * width + c) *
               kernel.get(((s * p.columns.kernel + t) * width + c) * p.filters + f);
    }
  return sum;
}

void check_plane(const Plane& p) {
  const Tensor x = wave_of({p.batch, p.rows.in, p.columns.in, p.channels}, 0.2);
  const Tensor kernel = wave_of({p.rows.kernel, p.columns.kernel, p.channels / p.groups, p.filters}, 1.1);
  const Tensor y = run_op("conv", attrs_of(p), {x, kernel})[0];
  const int64 rows = outputs(p.rows, p.padding), columns = outputs(p.columns, p.padding);
  CHECK((y.meta().shape == Shape{p.batch, rows, columns, p.filters}));
  int64 at = 0;
  for (int64 b = 0; b < p.batch; ++b)
    for (int64 i = 0; i < rows; ++i)
      for (int64 j = 0; j < columns; ++j)
        for (int64 f = 0; f < p.filters; ++f, ++at)
          CHECK(check::close(y.get(at), one_output(p, x, kernel, b, i, j, f), 1e-12));
}

double dot(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64 i = 0; i < a.count(); ++i) sum += a.get(i) * b.get(i);
  return sum;
}

}  // namespace

TEST(a_convolution_is_what_its_definition_says) {
  for (const char* padding : {"valid", "same", "causal"})
    for (int64 stride : {1, 2, 3})
      for (int64 dilation : {1, 2})
        for (int64 groups : {1, 2})
          check_plane({{7, 3, stride, dilation}, {6, 2, 1, dilation}, padding, 2, 4, 6, groups});
  check_plane({{40, 5, 1, 1}, {11, 4, 2, 1}, "same", 3, 1, 1, 1});  // many blocks of windows
  check_plane({{4, 2, 1, 1}, {3, 3, 1, 1}, "valid", 1, 70, 3, 1});  // a deep kernel
}

TEST(a_transposed_convolution_is_the_transpose) {
  for (const char* padding : {"valid", "same"})
    for (int64 stride : {1, 2, 3})
      for (int64 kernel : {1, 2, 5}) {
        const Attrs attrs = make_attrs({{"strides", {static_cast<double>(stride)}}}, {{"padding", padding}});
        const Tensor weights = wave_of({kernel, 3, 2}, 0.4);
        const Tensor small = wave_of({2, 4, 2}, 0.9);
        const Tensor spread = run_op("conv_transpose", attrs, {small, weights})[0];
        const Tensor large = wave_of(spread.meta().shape, 2.3);
        const Tensor back = run_op("conv", attrs, {large, weights})[0];
        CHECK(back.meta().shape == small.meta().shape);
        CHECK(check::close(dot(large, spread), dot(back, small), 1e-12));
      }
}

TEST(pooling_ignores_the_padding) {
  const Attrs attrs = make_attrs({{"pool_size", {3}}, {"strides", {2}}}, {{"padding", "same"}});
  const Tensor x = Tensor::of(DType::float64, {1, 4, 1}, {-5, -1, -2, -7});
  CHECK((run_op("max_pool", attrs, {x})[0].values() == std::vector<double>{-1, -2}));
  const Tensor averages = run_op("average_pool", attrs, {x})[0];
  CHECK(check::close(averages.get(0), -8.0 / 3, 1e-12));
  CHECK(check::close(averages.get(1), -4.5, 1e-12));
}

TEST(the_first_maximum_gets_the_gradient_and_nan_wins) {
  const Attrs attrs = make_attrs({{"pool_size", {3}}, {"strides", {3}}});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Run run("max_pool", attrs, {Tensor::of(DType::float64, {1, 6, 1}, {4, 4, 1, 2, nan, 9})});
  CHECK(run.out()[0].get(0) == 4);
  CHECK(std::isnan(run.out()[0].get(1)));
  std::vector<Tensor> din{Tensor(DType::float64, {1, 6, 1})};
  run.backward({Tensor::of(DType::float64, {1, 2, 1}, {10, 20})}, din, false);
  CHECK((din[0].values() == std::vector<double>{10, 0, 0, 0, 20, 0}));
}

TEST(convolutions_have_the_same_bits_on_any_number_of_threads) {
  const Tensor x = wave_of({5, 30, 12, 8}, 0.1, DType::float32), kernel = wave_of({3, 3, 8, 16}, 0.6, DType::float32);
  const Attrs attrs = make_attrs({}, {{"padding", "same"}});
  const int before = birnn::threads();
  std::vector<Tensor> results[3];
  for (int threads = 1; threads <= 3; ++threads) {
    set_threads(threads);
    const Run run("conv", attrs, {x, kernel});
    std::vector<Tensor> din{Tensor(DType::float32, x.meta().shape), Tensor(DType::float32, kernel.meta().shape)};
    run.backward({wave_of(run.out()[0].meta().shape, 0.8, DType::float32)}, din, false);
    results[threads - 1] = {run.out()[0], din[0], din[1]};
  }
  set_threads(before);
  for (int other : {1, 2})
    for (std::size_t k = 0; k < 3; ++k) CHECK(results[other][k].same_bits(results[0][k]));
}
