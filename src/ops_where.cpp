// Choosing between two tensors, element by element: where (level L3).
#include "ops_families.h"
#include "ops_loops.h"

namespace birnn {

namespace {

// where: inputs condition (bool), a, b, all three broadcast.

Inference infer_where(const Attrs&, const std::vector<Meta>& in) {
  const char* label = "op_where";
  require_inputs(label, in, 3);
  require_dtype(label, in[0], DType::boolean);
  require_same_dtype(label, in[1], in[2]);
  const Shape values = broadcast_shapes(in[1].shape, in[2].shape, label);
  return infer_one(in[1].dtype, broadcast_shapes(in[0].shape, values, label));
}

Grid<3> where_grid(const Shape& target, const View* in) {
  return broadcast_grid<3>(target, {&in[0].shape(), &in[1].shape(), &in[2].shape()});
}

template <typename StepC, typename StepA, typename StepB, typename T>
[[gnu::noinline]] void choose_row(int64 n, const std::uint8_t* __restrict condition, const T* __restrict a,
                                  const T* __restrict b, T* __restrict y) {
  for_each_element(n, [&](int64 i) {
    const T from_a = a[i * StepA()], from_b = b[i * StepB()];
    y[i] = condition[i * StepC()] ? from_a : from_b;
  });
}

void forward_where(const ForwardCall& call) {
  const Grid<3> grid = where_grid(call.out[0].shape(), call.in);
  with_any(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_each_row(grid, [&](int64 start, int64 n, const int64(&offset)[3], const int64(&stride)[3]) {
      with_steps({stride[1], stride[2]}, [&](auto step_a, auto step_b) {
        const auto choose = stride[0] == 0 ? choose_row<Step0, decltype(step_a), decltype(step_b), T>
                                           : choose_row<Step1, decltype(step_a), decltype(step_b), T>;
        choose(n, call.in[0].as<std::uint8_t>() + offset[0], call.in[1].as<T>() + offset[1],
               call.in[2].as<T>() + offset[2], call.out[0].as<T>() + start);
      });
    });
  });
}

// Row of dy where the condition is `wanted`, 0 elsewhere.
template <typename Add, typename Step, typename T>
[[gnu::noinline]] void chosen_row(int64 n, bool wanted, const std::uint8_t* __restrict condition,
                                  const T* __restrict dy, T* __restrict target) {
  for_each_element(n, [&](int64 i) {
    const T slope = dy[i];
    store<Add>(target[i], (condition[i * Step()] != 0) == wanted ? slope : T(0));
  });
}

// The branch not chosen gets exactly 0, whatever the gradient is.
void backward_where(const BackwardCall& call) {
  if (no_gradient(call, 3)) return;
  const Grid<3> grid = where_grid(call.dout[0].shape(), call.in);
  with_float(call.dout[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int operand = 1; operand <= 2; ++operand) {
      if (!wanted(call, operand)) continue;
      const bool adds = start_row_sums(call, operand);
      for_each_row(grid, [&](int64 start, int64 n, const int64(&offset)[3], const int64(&stride)[3]) {
        const std::uint8_t* condition = call.in[0].as<std::uint8_t>() + offset[0];
        const T* dy = call.dout[0].as<T>() + start;
        T* target = call.din[operand].as<T>() + offset[operand];
        const auto chosen = [&](int64 i) { return (condition[i * stride[0]] != 0) == (operand == 1) ? dy[i] : T(0); };
        with_flag(adds, [&](auto add) {
          using Add = decltype(add);
          if (stride[operand] == 0) return put_row<Add>(n, 0, target, chosen);
          const auto put = stride[0] == 0 ? chosen_row<Add, Step0, T> : chosen_row<Add, Step1, T>;
          put(n, operand == 1, condition, dy, target);
        });
      });
    }
  });
}

}  // namespace

void register_where_op() { register_op({"where", infer_where, forward_where, backward_where, 1u, 0u, -1}); }

}  // namespace birnn
