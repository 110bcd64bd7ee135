// Values of ops against closed forms, and what happens at the edges: NaN, infinities, ties, overflow.
#include <cmath>

#include "op_run.h"

using namespace birnn_test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double open = not_a_number;

Tensor reals(const Shape& shape, const std::vector<double>& values) {
  return Tensor::of(DType::float64, shape, values);
}
Tensor singles(const Shape& shape, const std::vector<double>& values) {
  return Tensor::of(DType::float32, shape, values);
}
Tensor wholes(const Shape& shape, const std::vector<double>& values) { return Tensor::of(DType::int32, shape, values); }
Tensor flags(const Shape& shape, const std::vector<double>& values) {
  return Tensor::of(DType::boolean, shape, values);
}

Tensor vector_of(const std::vector<double>& values) { return reals({static_cast<int64>(values.size())}, values); }

void check_values(const Tensor& got, const Shape& shape, const std::vector<double>& expected, const std::string& words,
                  double tolerance = 1e-14) {
  CHECK_CASE(got.meta().shape == shape, words + " has shape " + got.meta().shape.text());
  if (got.meta().shape != shape) return;
  for (int64 i = 0; i < got.count(); ++i) {
    const double want = expected[static_cast<std::size_t>(i)];
    CHECK_CASE(
        check::close(got.get(i), want, tolerance),
        words + "[" + std::to_string(i) + "] is " + std::to_string(got.get(i)) + ", not " + std::to_string(want));
  }
}

void check_op(const std::string& op, const Attrs& attrs, const std::vector<Tensor>& in, const Shape& shape,
              const std::vector<double>& expected, double tolerance = 1e-14) {
  check_values(run_op(op, attrs, in)[0], shape, expected, op, tolerance);
}

// The gradient of input `input` when `dout` flows into output 0.
Tensor gradient(const std::string& op, const Attrs& attrs, const std::vector<Tensor>& in, std::size_t input,
                const Tensor& dout) {
  const Run run(op, attrs, in);
  std::vector<Tensor> din(in.size()), from_above(run.out().size());
  din[input] = Tensor(in[input].meta().dtype, in[input].meta().shape);
  din[input].fill(not_a_number);
  from_above[0] = dout;
  run.backward(from_above, din, false);
  return din[input];
}

}  // namespace

TEST(unary_ops_follow_their_functions_also_at_the_edges) {
  check_op("abs", {}, {vector_of({-2, -0.0, inf, not_a_number})}, {4}, {2, 0, inf, not_a_number});
  check_op("sign", {}, {vector_of({-2, 0, 3, not_a_number})}, {4}, {-1, 0, 1, not_a_number});
  check_op("round", {}, {vector_of({0.5, 1.5, -2.5, 2.51})}, {4}, {0, 2, -2, 3});
  check_op("log", {}, {vector_of({0, 1, -1})}, {3}, {-inf, 0, not_a_number});
  check_op("log1p", {}, {vector_of({1e-18, 0})}, {2}, {1e-18, 0}, 0);
  check_op("expm1", {}, {vector_of({1e-18, -800})}, {2}, {1e-18, -1}, 0);
  check_op("rsqrt", {}, {vector_of({0.25, 0})}, {2}, {2, inf});
  check_op("is_finite", {}, {vector_of({1, inf, not_a_number})}, {3}, {1, 0, 0});
  check_op("is_nan", {}, {vector_of({1, inf, not_a_number})}, {3}, {0, 0, 1});
  check_op("negative", {}, {wholes({2}, {-2147483648.0, 5})}, {2}, {-2147483648.0, -5});
  check_op("activation", make_attrs({}, {{"name", "sigmoid"}}), {vector_of({-800, 0, 800, not_a_number})}, {4},
           {0, 0.5, 1, not_a_number}, 0);
  check_op("activation", make_attrs({}, {{"name", "tanh"}}), {singles({3}, {-800, 800, not_a_number})}, {3},
           {-1, 1, not_a_number}, 0);
  check_op("clip", make_attrs({{"min", {-1}}, {"max", {1}}}), {vector_of({-3, 0.5, 3, not_a_number})}, {4},
           {-1, 0.5, 1, not_a_number});
}

TEST(cast_saturates_and_turns_nan_into_the_missing_integer) {
  check_op("cast", make_attrs({}, {{"dtype", "int32"}}), {vector_of({2.9, -2.9, 1e300, -inf, not_a_number})}, {5},
           {2, -2, 2147483647.0, -2147483648.0, -2147483648.0});
  check_op("cast", make_attrs({}, {{"dtype", "bool"}}), {vector_of({0, -0.5, not_a_number})}, {3}, {0, 1, 1});
  check_op("cast", make_attrs({}, {{"dtype", "float32"}}), {flags({2}, {1, 0})}, {2}, {1, 0});
}

TEST(binary_ops_follow_python) {
  check_op("mod", {}, {vector_of({7, -7, 7, -7, 1}), vector_of({3, 3, -3, -3, 0})}, {5}, {1, 2, -2, -1, not_a_number});
  check_op("floor_divide", {}, {vector_of({7, -7, 7, -1, 1}), vector_of({3, 3, -3, inf, 0})}, {5},
           {2, -3, -3, -1, inf});
  check_op("mod", {}, {wholes({5}, {7, -7, 7, -2147483648.0, 1}), wholes({5}, {3, 3, -3, -1, 0})}, {5},
           {1, 2, -2, 0, 0});
  check_op("floor_divide", {}, {wholes({5}, {7, -7, 7, -2147483648.0, 1}), wholes({5}, {3, 3, -3, -1, 0})}, {5},
           {2, -3, -3, -2147483648.0, 0});
  check_op("add", {}, {wholes({1}, {2147483647}), wholes({1}, {1})}, {1}, {-2147483648.0});
  check_op("multiply", {}, {wholes({2}, {65536, -3}), wholes({2}, {65536, 7})}, {2}, {0, -21});
  check_op("maximum", {}, {vector_of({1, not_a_number, 1}), vector_of({2, 1, not_a_number})}, {3},
           {2, not_a_number, not_a_number});
  check_op("minimum", {}, {vector_of({1, not_a_number, 1}), vector_of({2, 1, not_a_number})}, {3},
           {1, not_a_number, not_a_number});
  check_op("less", {}, {vector_of({1, 2, not_a_number}), vector_of({2, 2, 2})}, {3}, {1, 0, 0});
  check_op("not_equal", {}, {vector_of({1, not_a_number}), vector_of({1, not_a_number})}, {2}, {0, 1});
  check_op("logical_xor", {}, {flags({2, 1}, {1, 0}), flags({2}, {1, 0})}, {2, 2}, {0, 1, 1, 0});
  check_op("add", {}, {reals({2, 1, 2}, {1, 2, 3, 4}), reals({3, 1}, {10, 20, 30})}, {2, 3, 2},
           {11, 12, 21, 22, 31, 32, 13, 14, 23, 24, 33, 34});
}

TEST(gradients_at_ties_zeros_and_steps) {
  const Tensor ones = vector_of({1, 1});
  check_values(gradient("maximum", {}, {vector_of({1, 2}), vector_of({1, 1})}, 0, ones), {2}, {0.5, 1}, "maximum");
  check_values(gradient("minimum", {}, {vector_of({1, 2}), vector_of({1, 1})}, 1, ones), {2}, {0.5, 1}, "minimum");
  check_values(gradient("max", {}, {vector_of({3, 1, 3})}, 0, reals({}, {1})), {3}, {0.5, 0, 0.5}, "max");
  check_values(gradient("power", {}, {vector_of({0, 0}), vector_of({1, 0})}, 0, ones), {2}, {1, 0}, "power");
  check_values(gradient("power", {}, {vector_of({0, -2}), vector_of({2, 2})}, 1, ones), {2}, {0, 0}, "exponent");
  check_values(gradient("abs", {}, {vector_of({0, -2})}, 0, ones), {2}, {0, -1}, "abs");
  check_values(gradient("floor", {}, {vector_of({1, inf})}, 0, vector_of({inf, 1})), {2}, {0, 0}, "floor");
  check_values(gradient("clip", make_attrs({{"max", {1}}}), {vector_of({1, 2})}, 0, ones), {2}, {1, 0}, "clip");
  check_values(gradient("std", {}, {vector_of({2, 2})}, 0, reals({}, {1})), {2}, {0, 0}, "std");
  check_values(gradient("prod", {}, {vector_of({0, 3, 5})}, 0, reals({}, {1})), {3}, {15, 0, 0}, "prod with a zero");
  check_values(gradient("prod", {}, {vector_of({0, 0, 5})}, 0, reals({}, {1})), {3}, {0, 0, 0}, "prod with zeros");
  check_values(gradient("cumprod", make_attrs({{"axis", {0}}}), {vector_of({2, 0, 3})}, 0, vector_of({1, 1, 1})), {3},
               {1, 8, 0}, "cumprod with a zero");
}

TEST(where_does_not_let_the_other_branch_leak) {
  const Tensor condition = flags({2}, {1, 0});
  const std::vector<Tensor> in = {condition, vector_of({1, not_a_number}), vector_of({not_a_number, 4})};
  check_op("where", {}, in, {2}, {1, 4});
  const Tensor from_above = vector_of({5, not_a_number});
  check_values(gradient("where", {}, in, 1, from_above), {2}, {5, 0}, "where");
}

TEST(reductions_follow_their_formulas) {
  const Tensor x = reals({2, 3}, {1, 2, 4, -1, 0, 5});
  check_op("sum", {}, {x}, {}, {11});
  check_op("mean", make_attrs({{"axis", {0}}}), {x}, {3}, {0, 1, 4.5});
  check_op("var", make_attrs({{"axis", {1}}, {"keepdims", {1}}}), {x}, {2, 1}, {14.0 / 9, 62.0 / 9});
  check_op("std", make_attrs({{"axis", {-1}}}), {x}, {2}, {std::sqrt(14.0 / 9), std::sqrt(62.0 / 9)});
  check_op("prod", {}, {wholes({2, 2}, {1, 2, 3, -4})}, {}, {-24});
  check_op("max", make_attrs({{"axis", {1}}}), {reals({2, 2}, {1, not_a_number, -inf, -inf})}, {2},
           {not_a_number, -inf});
  check_op("min", make_attrs({{"axis", {0}}}), {wholes({2, 2}, {3, -1, 2, 7})}, {2}, {2, -1});
  check_op("logsumexp", make_attrs({{"axis", {1}}}), {reals({4, 2}, {1000, 1000, -inf, -inf, inf, 0, not_a_number, 0})},
           {4}, {1000 + std::log(2), -inf, inf, not_a_number});
  check_op("any", make_attrs({{"axis", {0}}}), {flags({2, 2}, {0, 1, 0, 0})}, {2}, {0, 1});
  check_op("all", {}, {flags({2, 2}, {0, 1, 1, 1})}, {}, {0});
  check_op("sum", make_attrs({{"axis", {1}}}), {reals({2, 0}, {})}, {2}, {0, 0});
  check_op("argmax", make_attrs({{"axis", {1}}}), {reals({3, 3}, {1, 3, 3, not_a_number, 9, not_a_number, -1, -2, -3})},
           {3}, {1, 0, 0});
  check_op("argmin", make_attrs({{"axis", {1}}, {"keepdims", {1}}}), {wholes({2, 2}, {4, 3, 1, 1})}, {2, 1}, {1, 0});
  check_op("argmax", {}, {x}, {}, {5});
}

// In one float chain this would be off by thousands.
TEST(sums_of_floats_are_taken_in_double) {
  Tensor x(DType::float32, {1 << 20});
  x.fill(1 + 1.0 / 8388608);
  CHECK(run_op("sum", {}, {x})[0].get(0) == std::ldexp(1, 20) + 0.125);
  Tensor columns(DType::float32, {1 << 18, 3});
  columns.fill(0.1);
  CHECK_CLOSE(run_op("mean", make_attrs({{"axis", {0}}}), {columns})[0].get(1), static_cast<double>(0.1f), 1e-9);
}

TEST(softmax_is_stable_and_sums_to_one) {
  check_op("softmax", {}, {reals({2, 2}, {1000, 1000, -1000, 0})}, {2, 2}, {0.5, 0.5, 0, 1});
  check_op("log_softmax", {}, {reals({1, 2}, {-1000, 0})}, {1, 2}, {-1000, 0});
  check_op("softmax", make_attrs({{"axis", {0}}}), {reals({2, 2}, {0, not_a_number, std::log(3), 0})}, {2, 2},
           {0.25, not_a_number, 0.75, not_a_number});
  check_op("cumsum", make_attrs({{"axis", {0}}}), {reals({2, 2}, {1, 2, 3, 4})}, {2, 2}, {1, 2, 4, 6});
  check_op("cumprod", make_attrs({{"axis", {1}}}), {wholes({1, 3}, {2, -3, 4})}, {1, 3}, {2, -6, -24});
}

TEST(elements_move_where_they_should) {
  const Tensor x = reals({2, 3}, {1, 2, 3, 4, 5, 6});
  check_op("transpose", {}, {x}, {3, 2}, {1, 4, 2, 5, 3, 6});
  check_op("flip", make_attrs({{"axis", {1}}}), {x}, {2, 3}, {3, 2, 1, 6, 5, 4});
  check_op("slice", make_attrs({{"begin", {open, -1}}}), {x}, {2, 1}, {3, 6});
  check_op("slice", make_attrs({{"begin", {open, 0}}, {"end", {open, 100}}, {"stride", {1, 2}}}), {x}, {2, 2},
           {1, 3, 4, 6});
  check_op("slice_update", make_attrs({{"begin", {open, -1}}}), {x, reals({2, 1}, {7, 8})}, {2, 3}, {1, 2, 7, 4, 5, 8});
  check_op("slice", make_attrs({{"stride", {-1, -1}}}), {x}, {2, 3}, {6, 5, 4, 3, 2, 1});
  check_op("slice", make_attrs({{"begin", {1, 2}}, {"end", {1, -10}}, {"stride", {1, -1}}}), {x}, {0, 3}, {});
  check_op("broadcast_to", make_attrs({{"shape", {2, -1, 2}}}), {reals({2, 1}, {1, 2})}, {2, 2, 2},
           {1, 1, 2, 2, 1, 1, 2, 2});
  check_op("tile", make_attrs({{"repeats", {2}}}), {reals({2, 1}, {1, 2})}, {2, 2}, {1, 1, 2, 2});
  check_op("tile", make_attrs({{"repeats", {2, 1}}}), {reals({2}, {1, 2})}, {2, 2}, {1, 2, 1, 2});
  check_op("repeat", make_attrs({{"repeats", {2}}, {"axis", {0}}}), {x}, {4, 3}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
  check_op("repeat", make_attrs({{"repeats", {2}}}), {reals({1, 2}, {1, 2})}, {4}, {1, 1, 2, 2});
  check_op("concatenate", make_attrs({{"axis", {1}}}), {x, reals({2, 1}, {7, 8}), reals({2, 0}, {})}, {2, 4},
           {1, 2, 3, 7, 4, 5, 6, 8});
  check_op("pad", make_attrs({{"before", {1, 0}}, {"after", {0, 1}}, {"value", {9}}}), {wholes({1, 2}, {1, 2})}, {2, 3},
           {9, 9, 9, 1, 2, 9});
  check_op("roll", make_attrs({{"shift", {1}}, {"axis", {1}}}), {x}, {2, 3}, {3, 1, 2, 6, 4, 5});
  check_op("roll", make_attrs({{"shift", {-7}}}), {x}, {2, 3}, {2, 3, 4, 5, 6, 1});
  check_op("take", make_attrs({{"axis", {1}}}), {x, wholes({2}, {-1, 0})}, {2, 2}, {3, 1, 6, 4});
  check_op("take_along_axis", make_attrs({{"axis", {1}}}), {x, wholes({2, 1}, {2, -3})}, {2, 1}, {3, 4});
  check_op("one_hot", make_attrs({{"num_classes", {3}}}, {{"dtype", "bool"}}), {wholes({2}, {2, 0})}, {2, 3},
           {0, 0, 1, 1, 0, 0});
  const std::vector<Tensor> parts = run_op("split", make_attrs({{"axis", {1}}, {"sizes", {1, -1}}}), {x});
  check_values(parts[0], {2, 1}, {1, 4}, "split 0");
  check_values(parts[1], {2, 2}, {2, 3, 5, 6}, "split 1");
}

TEST(tensors_are_made_from_numbers) {
  check_op("full", make_attrs({{"shape", {2}}, {"value", {1.5}}}), {}, {2}, {1.5, 1.5});
  check_op("full_like", make_attrs({{"value", {1}}}, {{"dtype", "bool"}}), {vector_of({3, 4})}, {2}, {1, 1});
  check_op("eye", make_attrs({{"n", {2}}, {"m", {3}}, {"k", {1}}}), {}, {2, 3}, {0, 1, 0, 0, 0, 1});
  check_op("arange", make_attrs({{"stop", {4}}}), {}, {4}, {0, 1, 2, 3});
  check_op("arange", make_attrs({{"start", {1}}, {"stop", {-1}}, {"step", {-0.5}}}, {{"dtype", "float32"}}), {}, {4},
           {1, 0.5, 0, -0.5});
}

TEST(matmul_follows_numpy) {
  const Tensor a = reals({2, 2}, {1, 2, 3, 4}), v = vector_of({10, 20});
  check_op("matmul", {}, {a, v}, {2}, {50, 110});
  check_op("matmul", {}, {v, a}, {2}, {70, 100});
  check_op("matmul", {}, {v, v}, {}, {500});
  check_op("matmul", make_attrs({{"transpose_a", {1}}}), {a, a}, {2, 2}, {10, 14, 14, 20});
  check_op("matmul", {}, {reals({2, 1, 2}, {1, 2, 3, 4}), reals({2, 2, 1}, {1, 1, 1, -1})}, {2, 1, 1}, {3, -1});
  check_op("matmul", {}, {reals({2, 0}, {}), reals({0, 2}, {})}, {2, 2}, {0, 0, 0, 0});
}

TEST(cross_entropies_follow_their_formulas) {
  const Tensor y = reals({1, 2}, {1, 0}), p = reals({1, 2}, {0.8, 0.3});
  check_op("binary_crossentropy", {}, {y, p}, {1}, {-(std::log(0.8) + std::log(0.7)) / 2});
  check_op("binary_crossentropy", make_attrs({{"label_smoothing", {0.2}}}), {y, p}, {1},
           {-(0.9 * std::log(0.8) + 0.1 * std::log(0.2) + 0.1 * std::log(0.3) + 0.9 * std::log(0.7)) / 2});
  check_op("binary_crossentropy", make_attrs({{"from_logits", {1}}}), {y, reals({1, 2}, {-1000, 1000})}, {1}, {1000});
  check_op("binary_crossentropy", {}, {y, reals({1, 2}, {0, 0})}, {1}, {(-std::log(1e-7) - std::log1p(-1e-7)) / 2});
  check_op("categorical_crossentropy", {}, {y, p}, {1}, {-std::log(0.8 / 1.1)});
  check_op("categorical_crossentropy", make_attrs({{"from_logits", {1}}}), {y, reals({1, 2}, {-1000, 1000})}, {1},
           {2000});
  check_op("categorical_crossentropy", make_attrs({{"from_logits", {1}}}), {y, reals({1, 2}, {3, -inf})}, {1}, {0});
  check_op("sparse_categorical_crossentropy", {}, {wholes({1}, {1}), p}, {1}, {-std::log(0.3 / 1.1)});
  check_op("sparse_categorical_crossentropy", make_attrs({{"ignore_class", {7}}}), {wholes({1}, {7}), p}, {1}, {0});
  const Tensor clipped = gradient("binary_crossentropy", {}, {y, reals({1, 2}, {0, 0.5})}, 1, vector_of({1}));
  check_values(clipped, {1, 2}, {0, 1}, "no gradient outside of the clipping bounds");
}

TEST(random_numbers_depend_on_seed_and_draw_only) {
  const Attrs attrs = make_attrs({{"shape", {5}}});
  const Tensor seed = wholes({2}, {3, 4});
  const Tensor first = run_op("random_uniform", attrs, {seed})[0], again = run_op("random_uniform", attrs, {seed})[0];
  CHECK(first.same_bits(again));
  const Tensor longer = run_op("random_uniform", make_attrs({{"shape", {6}}}), {seed})[0];
  for (int64 i = 0; i < 5; ++i) CHECK(longer.get(i) == first.get(i));
  const Tensor next = run_op("next_seed", {}, {seed})[0];
  check_values(next, {2}, {3, 5}, "next_seed");
  CHECK(!run_op("random_uniform", attrs, {next})[0].same_bits(first));
  check_op("next_seed", {}, {wholes({2}, {-1, 2147483647})}, {2}, {-1, -2147483648.0});
}

namespace {

struct Moments {
  double mean = 0, variance = 0, low = inf, high = -inf;
};

Moments moments(const Tensor& x) {
  Moments m;
  const double n = static_cast<double>(x.count());
  for (double value : x.values()) m.mean += value / n;
  for (double value : x.values()) {
    m.variance += (value - m.mean) * (value - m.mean) / n;
    m.low = std::fmin(m.low, value);
    m.high = std::fmax(m.high, value);
  }
  return m;
}

}  // namespace

TEST(random_numbers_have_their_distributions) {
  const Tensor seed = wholes({2}, {1, 2});
  for (const char* dtype : {"float32", "float64"}) {
    const auto draw = [&](const char* op, std::map<std::string, std::vector<double>> attrs) {
      attrs["shape"] = {300, 301};
      return moments(run_op(op, make_attrs(attrs, {{"dtype", dtype}}), {seed})[0]);
    };
    const Moments uniform = draw("random_uniform", {{"minval", {-1}}, {"maxval", {3}}});
    CHECK_CLOSE(uniform.mean, 1, 0.02);
    CHECK_CLOSE(uniform.variance, 16.0 / 12, 0.02);
    CHECK(uniform.low >= -1 && uniform.high < 3);
    const Moments normal = draw("random_normal", {{"mean", {2}}, {"stddev", {0.5}}});
    CHECK_CLOSE(normal.mean, 2, 0.01);
    CHECK_CLOSE(normal.variance, 0.25, 0.01);
    const Moments truncated = draw("truncated_normal", {{"mean", {1}}, {"stddev", {2}}});
    CHECK_CLOSE(truncated.mean, 1, 0.02);
    CHECK_CLOSE(truncated.variance, 4 * 0.7737413035, 0.02);  // 1 - 4 phi(2) / (Phi(2) - Phi(-2))
    CHECK(truncated.low >= -3 && truncated.low < -2.9 && truncated.high <= 5 && truncated.high > 4.9);
  }
}

TEST(dropout_masks_keep_the_expectation) {
  const Tensor seed = wholes({2}, {1, 2}), x(DType::float32, {200, 3, 50});
  const Tensor mask = run_op("dropout_mask", make_attrs({{"rate", {0.3}}}), {seed, x})[0];
  CHECK_CLOSE(moments(mask).mean, 1, 0.02);
  for (double value : mask.values()) CHECK(value == 0 || value == static_cast<double>(static_cast<float>(1 / 0.7)));
  const Tensor shared =
      run_op("dropout_mask", make_attrs({{"rate", {0.3}}, {"shape", {-10, 1, -12}}, {"count", {4}}}), {seed, x})[0];
  CHECK((shared.meta().shape == Shape{4, 200, 1, 50}));
  CHECK(moments(run_op("dropout_mask", make_attrs({{"rate", {1}}}), {seed, x})[0]).high == 0);
  const Moments all = moments(run_op("dropout_mask", make_attrs({{"rate", {0}}}), {seed, x})[0]);
  CHECK(all.low == 1 && all.high == 1);
}
