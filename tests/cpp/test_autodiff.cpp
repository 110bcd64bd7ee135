// Tape, plan and backward pass: gradients with closed forms, values used twice, several outputs, new batch sizes.
#include <numeric>

#include "op_run.h"
#include "plan_part.h"
#include "tape.h"

using namespace birnn_test;

namespace {

Tensor numbers(const std::vector<double>& values) {
  return Tensor::of(DType::float64, Shape{static_cast<int64>(values.size())}, values);
}

// Runs an op with outputs of its own and records it on the tape. Outputs must live as long as the tape.
int record(Tape& tape, const char* name, const std::vector<int>& numbers, const std::vector<View>& in,
           std::vector<Tensor>& out, const Attrs& attrs = Attrs()) {
  const OpDef& op = find_op(name);
  std::vector<Meta> metas;
  for (const View& view : in) metas.push_back(view.meta);
  const Inference inference = op.infer(attrs, metas);
  std::size_t bytes = 0;
  for (const Meta& meta : inference.saved) bytes += aligned_size(meta.bytes());
  AlignedBuffer memory(bytes + 1), scratch(inference.forward_scratch + 1);
  std::vector<View> saved, views;
  char* place = memory.bytes();
  for (const Meta& meta : inference.saved) {
    saved.push_back(View{place, meta});
    place += aligned_size(meta.bytes());
  }
  for (const Meta& meta : inference.outputs) out.emplace_back(meta.dtype, meta.shape);
  for (const Tensor& tensor : out) views.push_back(tensor.view());
  const View none;
  op.forward(ForwardCall{attrs, in.data(), views.data(), saved.empty() ? &none : saved.data(), scratch.data()});
  return tape.record(op, attrs, numbers, views.data(), views.size(), std::move(saved), std::move(memory),
                     inference.backward_scratch);
}

double number_in(const AlignedBuffer& buffer, int64 i) { return static_cast<const double*>(buffer.data())[i]; }

Attrs axis_zero() {
  Attrs attrs;
  attrs.set("axis", std::vector<double>{0});
  return attrs;
}

// mean over the batch of (x w)^2, for any number of rows: d/dw = 2 mean(x^2) w.
PlanSource square_plan() {
  PlanSource source;
  source.n_values = 5;  // x, w, x w, its square, the mean
  source.given = {0, 1};
  source.nodes.push_back(Node{&find_op("multiply"), Attrs(), {0, 1}, {2}, {}, 0});
  source.nodes.push_back(Node{&find_op("multiply"), Attrs(), {2, 2}, {3}, {}, 0});
  source.nodes.push_back(Node{&find_op("mean"), Attrs(), {3}, {4}, {}, 0});
  source.outputs = {2};
  source.loss = 4;
  source.trainable = {1};
  return source;
}

}  // namespace

TEST(tape_gives_the_gradient_of_a_value_used_twice_by_one_op) {
  const Tensor x = numbers({1, -2, 3});
  Tape tape(1);
  const int watched = tape.watch(x.view());
  std::vector<Tensor> square;
  const int target = record(tape, "multiply", {watched, watched}, {x.view(), x.view()}, square);
  const std::vector<AlignedBuffer> gradients = tape.gradient(target, {watched, watched});
  for (int64 i = 0; i < 3; ++i) {
    CHECK_CLOSE(number_in(gradients[0], i), 2 * x.get(i), 0.0);
    CHECK_CLOSE(number_in(gradients[1], i), 2 * x.get(i), 0.0);
  }
}

TEST(tape_follows_one_of_several_outputs) {
  const Tensor x = numbers({1, 2, 3, 4});
  Tape tape(1);
  const int watched = tape.watch(x.view());
  Attrs attrs = axis_zero();
  attrs.set("sizes", std::vector<double>{1, 3});
  std::vector<Tensor> parts, squared;
  const int first = record(tape, "split", {watched}, {x.view()}, parts, attrs);
  const int target = record(tape, "square", {first + 1}, {parts[1].view()}, squared);
  const std::vector<AlignedBuffer> gradients = tape.gradient(target, {watched});
  const double wanted[] = {0, 4, 6, 8};
  for (int64 i = 0; i < 4; ++i) CHECK_CLOSE(number_in(gradients[0], i), wanted[i], 0.0);
}

TEST(tape_answers_nothing_where_there_is_no_path) {
  const Tensor x = numbers({1}), other = numbers({2});
  Tape tape(1);
  const int watched = tape.watch(x.view()), unused = tape.watch(other.view());
  std::vector<Tensor> out;
  const int target = record(tape, "square", {watched}, {x.view()}, out);
  const std::vector<AlignedBuffer> gradients = tape.gradient(target, {unused, -1});
  CHECK(gradients[0].data() == nullptr);
  CHECK(gradients[1].data() == nullptr);
}

TEST(tape_refuses_a_variable_that_has_changed) {
  const Tensor x = numbers({3});
  double version = 1;
  Tape tape(1);
  const int leaf = tape.leaf(&version, x.view());
  CHECK(tape.find_leaf(&version) == leaf);
  tape.expect_version(tape.next_node(), &version);
  std::vector<Tensor> out;
  const int target = record(tape, "square", {leaf}, {x.view()}, out);
  CHECK_CLOSE(number_in(tape.gradient(target, {leaf})[0], 0), 6.0, 0.0);
  version = 2;
  CHECK_ERROR(tape.gradient(target, {leaf}), "state");
}

TEST(tape_goes_through_200000_nodes) {
  const Tensor x = numbers({1}), one = numbers({1});
  Tape tape(1);
  const int watched = tape.watch(x.view());
  int last = watched;
  std::vector<Tensor> out;
  record(tape, "add", {watched, -1}, {x.view(), one.view()}, out);
  const View view = out[0].view();  // `add` needs no values for its gradient: one output serves all nodes
  for (int k = 0; k < 200000; ++k) {
    const int constant = k == 0 ? tape.watch(one.view()) : -1;
    last = tape.record(find_op("add"), Attrs(), {last, constant < 0 ? 0 : constant}, &view, 1, {}, AlignedBuffer(), 0);
  }
  CHECK_CLOSE(number_in(tape.gradient(last, {watched})[0], 0), 200000.0, 0.0);
  tape.clear();
  CHECK(tape.size() == 0);
}

TEST(plan_runs_any_batch_size_and_keeps_its_memory) {
  Plan plan(square_plan());
  const Tensor w = Tensor::of(DType::float64, Shape{1}, {0.5});
  int64 allocations = 0;
  for (const int64 rows : {7, 4, 2, 7, 4, 1, 7}) {
    Tensor x(DType::float64, Shape{rows, 1});
    double squares = 0;
    for (int64 i = 0; i < rows; ++i) {
      x.set(i, static_cast<double>(i + 1));
      squares += static_cast<double>((i + 1) * (i + 1)) / static_cast<double>(rows);
    }
    plan.run({x.view(), w.view()});
    CHECK_CLOSE(plan.loss(), 0.25 * squares, 1e-15);
    CHECK_CLOSE(*plan.gradient(1).as<double>(), squares, 1e-15);
    CHECK(plan.value(2).shape() == (Shape{rows, 1}));
    if (allocations == 0) allocations = work_counts().allocations;
    CHECK(work_counts().allocations == allocations);  // the first batch was the largest
  }
}

TEST(plan_without_trainable_values_only_runs_forwards) {
  PlanSource source = square_plan();
  source.trainable.clear();
  Plan plan(source);
  const Tensor x = Tensor::of(DType::float64, Shape{2, 1}, {1, 2}), w = Tensor::of(DType::float64, Shape{1}, {2});
  plan.run({x.view(), w.view()});
  CHECK_CLOSE(plan.loss(), 10.0, 0.0);
}

// sum(w (x w) + (x w)^2) on a tape: x w and its square are computed by single ops, or by a plan that is one op.
std::vector<double> gradient_of_parts(bool with_plan) {
  const Tensor x = numbers({1.1, 2.5, -3.3}), w = numbers({0.3, 0.7, -1.1}), unused = numbers({1.0});
  std::vector<Tensor> xw, square, product, total, sum;
  Tape tape(1);
  const int w_number = tape.watch(w.view()), unused_number = tape.watch(unused.view());
  PlanSource source;
  source.n_values = 5;  // x, w, x w, its square, what nobody uses
  source.given = {0, 1, 4};
  source.nodes.push_back(Node{&find_op("multiply"), Attrs(), {0, 1}, {2}, {}, 0});
  source.nodes.push_back(Node{&find_op("multiply"), Attrs(), {2, 2}, {3}, {}, 0});
  source.outputs = {2, 3};
  source.trainable = {1, 4};
  Plan plan(source);
  std::vector<View> made;
  int first, second;
  if (with_plan) {
    plan.run({x.view(), w.view(), unused.view()});
    made = {plan.value(2), plan.value(3)};
    first = record_part(tape, plan, {w_number, unused_number}, made);
    second = first + 1;
  } else {
    first = record(tape, "multiply", {tape.watch(x.view()), w_number}, {x.view(), w.view()}, xw);
    second = record(tape, "multiply", {first, first}, {xw[0].view(), xw[0].view()}, square);
    made = {xw[0].view(), square[0].view()};
  }
  const int third = record(tape, "multiply", {w_number, first}, {w.view(), made[0]}, product);
  const int fourth = record(tape, "add", {third, second}, {product[0].view(), made[1]}, total);
  const int end = record(tape, "sum", {fourth}, {total[0].view()}, sum);
  const std::vector<AlignedBuffer> gradients = tape.gradient(end, {w_number, unused_number});
  CHECK(gradients[1].data() == nullptr);
  std::vector<double> result;
  for (int64 i = 0; i < 3; ++i) result.push_back(number_in(gradients[0], i));
  if (!with_plan) return result;
  plan.run({x.view(), w.view(), unused.view()});
  CHECK_ERROR(tape.gradient(end, {w_number}), "state");
  return result;
}

TEST(plan_as_one_op_of_a_tape_has_the_gradient_of_its_ops_to_the_last_bit) {
  CHECK(gradient_of_parts(true) == gradient_of_parts(false));
}

TEST(plan_gives_no_gradient_to_a_value_the_loss_does_not_use) {
  PlanSource source = square_plan();
  source.n_values = 6;
  source.given.push_back(5);
  source.trainable.push_back(5);
  Plan plan(source);
  const Tensor x = Tensor::of(DType::float64, Shape{1, 1}, {1}), w = Tensor::of(DType::float64, Shape{1}, {2});
  plan.run({x.view(), w.view(), w.view()});
  CHECK(plan.gradient(5).absent());
  CHECK(!plan.gradient(1).absent());
}

namespace {

// One LSTM with 2 units over (rows, 3, 1), in float32: the fast path.
PlanSource lstm_plan() {
  Attrs attrs;
  for (const char* name : {"units", "go_backwards", "zero_output_for_mask", "reset_after", "return_sequences"})
    attrs.set(name, std::vector<double>{name == std::string("units") ? 2.0 : 0.0});
  attrs.set("cells", std::vector<std::string>{"lstm"});
  attrs.set("activations", std::vector<std::string>{"tanh"});
  attrs.set("recurrent_activations", std::vector<std::string>{"sigmoid"});
  attrs.set("merge", std::vector<std::string>{"none"});
  PlanSource source;
  source.n_values = 6;  // x, kernel, recurrent kernel, the output, two states
  source.given = {0, 1, 2};
  source.nodes.push_back(
      Node{&find_op("recurrent"), attrs, {0, -1, 1, 2, -1, -1, -1, -1, -1}, {3, 4, 5}, {}, 0});
  source.outputs = {3};
  return source;
}

Tensor filled(const Shape& shape, double value) {
  return Tensor::of(DType::float32, shape, std::vector<double>(static_cast<std::size_t>(shape.count()), value));
}

}  // namespace

TEST(plan_keeps_packed_weights_until_their_version_changes) {
  Plan plan(lstm_plan());
  const Tensor x = filled(Shape{2, 3, 1}, 1.0), longer = filled(Shape{3, 4, 1}, 1.0);
  Tensor kernel = filled(Shape{1, 8}, 0.5);
  const Tensor recurrent = filled(Shape{2, 8}, 0.25);
  const auto output = [&](const Tensor& input, const std::vector<double>& versions) {
    plan.run({input.view(), kernel.view(), recurrent.view()}, versions);
    return *plan.value(3).as<float>();
  };
  const float first = output(x, {-1, 1, 1}), first_longer = output(longer, {-1, 1, 1});
  for (int64 i = 0; i < 8; ++i) kernel.set(i, 1.0);
  CHECK(output(x, {-1, 1, 1}) == first);  // nobody has said that the weights are other ones
  CHECK(output(longer, {-1, 1, 1}) == first_longer);
  const float second = output(x, {-1, 2, 1});
  CHECK(second != first);
  CHECK(output(x, {}) == second);
  for (int64 i = 0; i < 8; ++i) kernel.set(i, 0.5);
  CHECK(output(x, {}) == first);
  CHECK(output(x, {-1, -1, 1}) == first);
  CHECK(output(x, {-1, 2, 1}) == first);
}
