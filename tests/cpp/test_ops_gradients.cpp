// Every differentiable op against central differences in double, with all the ways a gradient can be asked for.
#include <cmath>
#include <set>

#include "op_cases.h"

using namespace birnn_test;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

double weight(int64 output, int64 element) {
  return std::sin(0.91 * static_cast<double>(element) + 0.7 * static_cast<double>(output) + 0.3);
}

// Gradients that flow into the outputs; those in `absent` do not exist.
std::vector<Tensor> output_gradients(const Run& run, const std::set<int64>& absent) {
  std::vector<Tensor> dout;
  for (std::size_t k = 0; k < run.out().size(); ++k) {
    const Meta& meta = run.out()[k].meta();
    Tensor tensor;
    if (is_floating(meta.dtype) && absent.count(static_cast<int64>(k)) == 0) {
      tensor = Tensor(meta.dtype, meta.shape);
      for (int64 i = 0; i < tensor.count(); ++i) tensor.set(i, weight(static_cast<int64>(k), i));
    }
    dout.push_back(tensor);
  }
  return dout;
}

double weighted_sum(const std::vector<Tensor>& out, const std::vector<Tensor>& dout) {
  double sum = 0;
  for (std::size_t k = 0; k < out.size(); ++k)
    for (int64 i = 0; i < (dout[k].absent() ? 0 : out[k].count()); ++i) sum += out[k].get(i) * dout[k].get(i);
  return sum;
}

// Buffers for the gradients of the floating point inputs in `wanted`, filled with `start`.
std::vector<Tensor> gradient_buffers(const std::vector<Tensor>& in, const std::set<std::size_t>& wanted, double start) {
  std::vector<Tensor> din(in.size());
  for (std::size_t i : wanted) {
    din[i] = Tensor(in[i].meta().dtype, in[i].meta().shape);
    din[i].fill(start);
  }
  return din;
}

std::set<std::size_t> real_inputs(const std::vector<Tensor>& in) {
  std::set<std::size_t> reals;
  for (std::size_t i = 0; i < in.size(); ++i)
    if (is_floating(in[i].meta().dtype)) reals.insert(i);
  return reals;
}

double central_difference(const Case& c, std::vector<Tensor> in, std::size_t input, int64 element,
                          const std::vector<Tensor>& dout) {
  const double x = in[input].get(element), h = 1e-5;
  in[input].set(element, x + h);
  const double above = weighted_sum(run_op(c.op, c.attrs, in), dout);
  in[input].set(element, x - h);
  const double below = weighted_sum(run_op(c.op, c.attrs, in), dout);
  return (above - below) / (2 * h);
}

void check_close(const Tensor& got, const std::vector<double>& expected, double shift, double tolerance,
                 const std::string& words) {
  for (int64 i = 0; i < got.count(); ++i)
    CHECK_CASE(check::close(got.get(i), expected[static_cast<std::size_t>(i)] + shift, tolerance),
               words + ": element " + std::to_string(i) + " is " + std::to_string(got.get(i)) + ", not " +
                   std::to_string(expected[static_cast<std::size_t>(i)] + shift));
}

using Gradients = std::map<std::size_t, std::vector<double>>;

Gradients numeric_gradients(const Case& c, const std::vector<Tensor>& in, const std::vector<Tensor>& dout) {
  Gradients expected;
  for (std::size_t input : real_inputs(in))
    for (int64 i = 0; i < in[input].count(); ++i) expected[input].push_back(central_difference(c, in, input, i, dout));
  return expected;
}

// All inputs at once, overwriting and adding; each input alone must give the same bits.
void check_requests(const Run& run, const std::vector<Tensor>& in, const std::vector<Tensor>& dout,
                    const Gradients& expected, double tolerance, const std::string& words) {
  const std::set<std::size_t> reals = real_inputs(in);
  const std::vector<Tensor> written = gradient_buffers(in, reals, not_a_number),
                            added = gradient_buffers(in, reals, 0.25);
  run.backward(dout, written, false);
  run.backward(dout, added, true);
  for (std::size_t input : reals) {
    const std::string name = words + ", input " + std::to_string(input);
    check_close(written[input], expected.at(input), 0, tolerance, name);
    check_close(added[input], expected.at(input), 0.25, tolerance, name + " added");
    const std::vector<Tensor> alone = gradient_buffers(in, {input}, not_a_number);
    run.backward(dout, alone, false);
    CHECK_CASE(alone[input].same_bits(written[input]), name + " alone");
  }
}

std::set<int64> all_outputs(const Run& run) {
  std::set<int64> outputs;
  for (std::size_t k = 0; k < run.out().size(); ++k) outputs.insert(static_cast<int64>(k));
  return outputs;
}

// Without any gradient from above, the gradients are zeros, or what was there.
void check_nothing_from_above(const Run& run, const std::vector<Tensor>& in, const std::string& words) {
  const std::vector<Tensor> dout = output_gradients(run, all_outputs(run));
  for (bool accumulate : {false, true}) {
    const std::vector<Tensor> din = gradient_buffers(in, real_inputs(in), accumulate ? 3 : not_a_number);
    run.backward(dout, din, accumulate);
    for (std::size_t input : real_inputs(in))
      for (double value : din[input].values()) CHECK_CASE(value == (accumulate ? 3 : 0), words + " from nothing");
  }
}

void check_gradients(const Case& c) {
  const std::string words = describe(c);
  const std::vector<Tensor> in = draw_inputs(c, 3);
  const Run run(c.op, c.attrs, in);
  std::vector<std::set<int64>> missing = {{}};
  if (run.out().size() > 1)
    for (int64 k : all_outputs(run)) missing.push_back({k});
  for (const std::set<int64>& absent : missing) {
    const std::vector<Tensor> dout = output_gradients(run, absent);
    const Gradients expected = numeric_gradients(c, in, dout);
    check_requests(run, in, dout, expected, 1e-6, words);
    if (c.op == "cast") continue;  // its dtype is part of the case
    const std::vector<Tensor> in_single = draw_inputs(c, 3, DType::float32);
    const Run single(c.op, c.attrs, in_single);
    check_requests(single, in_single, output_gradients(single, absent), expected, 2e-4, words + " float32");
  }
  check_nothing_from_above(run, in, words);
}

bool has_gradient(const Case& c) {
  bool any = false;
  for (const Input& input : c.inputs) any = any || input.dtype == DType::float64;
  const std::vector<Tensor> in = draw_inputs(c, 2);
  return any && find_op(c.op).backward != nullptr &&
         is_floating(find_op(c.op).infer(c.attrs, metas_of(in)).outputs[0].dtype);
}

// The case with every axis of this size made empty.
Case without_elements(Case c, int64 size) {
  for (Input& input : c.inputs) {
    Shape shape;
    for (int k = 0; k < input.shape.rank(); ++k) shape.push(input.shape[k] == size ? 0 : input.shape[k]);
    input.shape = shape;
  }
  return c;
}

// An op refuses such inputs, or computes with them and leaves no gradient unwritten.
void check_without_elements(const Case& c, DType real_type) {
  const std::vector<Tensor> in = draw_inputs(c, 3, real_type);
  try {
    const Run run(c.op, c.attrs, in);
    if (run.op().backward == nullptr) return;
    const std::vector<Tensor> din = gradient_buffers(in, real_inputs(in), not_a_number);
    run.backward(output_gradients(run, {}), din, false);
    for (std::size_t input : real_inputs(in))
      for (double value : din[input].values()) CHECK_CASE(!std::isnan(value), describe(c) + " with an empty axis");
  } catch (const Error&) {
  }
}

}  // namespace

TEST(every_differentiable_op_agrees_with_central_differences) {
  for (const Case& c : op_cases())
    if (has_gradient(c)) check_gradients(c);
}

TEST(every_op_has_a_case) {
  std::set<std::string> covered = {"recurrent", "merge_directions"};  // tested on their own
  for (const Case& c : op_cases()) covered.insert(c.op);
  for (const std::string& name : op_names()) CHECK_CASE(covered.count(name) > 0, "no case for " + name);
}

TEST(ops_with_an_empty_axis) {
  for (const Case& c : op_cases()) {
    std::set<int64> sizes;
    for (const Input& input : c.inputs)
      for (int k = 0; k < input.shape.rank(); ++k) sizes.insert(input.shape[k]);
    for (int64 size : sizes)
      for (DType real_type : {DType::float32, DType::float64})
        check_without_elements(without_elements(c, size), real_type);
  }
}
