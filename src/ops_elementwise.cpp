// Ops on single elements of one tensor that take attributes: activation, cast, clip; and the identities (level L3).
#include <limits>

#include "activation.h"
#include "ops_common.h"
#include "ops_families.h"

namespace birnn {

namespace {

// activation: attrs `name` and, optionally, `params` in the order of activation.h.

Inference infer_activation(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_activation";
  require_inputs(label, in, 1);
  require_floating(label, in[0]);
  activation_params<double>(activation_from_name(attrs.text("name")), attrs.numbers("params"));
  return infer_one(in[0].dtype, in[0].shape);
}

void forward_activation(const ForwardCall& call) {
  const Activation kind = activation_from_name(call.attrs.text("name"));
  with_float(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const ActivationParams<T> params = activation_params<T>(kind, call.attrs.numbers("params"));
    activate_all<T>(kind, params.data(), call.out[0].count(), call.in[0].as<T>(), call.out[0].as<T>());
  });
}

void backward_activation(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  const Activation kind = activation_from_name(call.attrs.text("name"));
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const ActivationParams<T> params = activation_params<T>(kind, call.attrs.numbers("params"));
    tier().elements->of<T>().slope(kind, params.data(), static_cast<long>(call.din[0].count()), call.in[0].as<T>(),
                                   call.out[0].as<T>(), call.dout[0].as<T>(), call.accumulate[0], call.din[0].as<T>());
  });
}

// clip: attrs `min`, `max`, each optional.

template <typename T>
struct Bounds {
  T low, high;
};

// A missing bound leaves its side open. Bounds of integers move inwards to whole numbers.
template <typename T>
Bounds<T> clip_bounds(const Attrs& attrs) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double low = attrs.number("min", -infinity), high = attrs.number("max", infinity);
  if constexpr (std::is_floating_point<T>::value) return {static_cast<T>(low), static_cast<T>(high)};
  const auto whole = [](double x) { return static_cast<T>(std::fmin(std::fmax(x, -2147483648.0), 2147483647.0)); };
  return {whole(std::ceil(low)), whole(std::floor(high))};
}

Inference infer_clip(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_clip";
  require_inputs(label, in, 1);
  require_number(label, in[0]);
  if (!(attrs.number("min", 0) == attrs.number("min", 0)) || !(attrs.number("max", 0) == attrs.number("max", 0)))
    fail_op(label, "value", "the bounds must be numbers, not NaN");
  if (attrs.has("min") && attrs.has("max") && attrs.number("min") > attrs.number("max"))
    fail_op(label, "value", "the lower bound is above the upper one");
  return infer_one(in[0].dtype, in[0].shape);
}

template <typename T>
Operands<T> clip_operands(const Attrs& attrs, const T* x) {
  const Bounds<T> bounds = clip_bounds<T>(attrs);
  return {x, 1, x, 1, 0, 0, {bounds.low, bounds.high}};
}

void forward_clip(const ForwardCall& call) {
  const int64 n = call.out[0].count();
  with_float(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    tier().arrays->of<T>().combine(Combination::clip, 1, static_cast<long>(n),
                                   clip_operands(call.attrs, call.in[0].as<T>()), call.out[0].as<T>());
  });
  if (call.in[0].dtype() != DType::int32) return;
  const Bounds<std::int32_t> bounds = clip_bounds<std::int32_t>(call.attrs);
  const std::int32_t* x = call.in[0].as<std::int32_t>();
  std::int32_t* y = call.out[0].as<std::int32_t>();
  for (int64 i = 0; i < n; ++i) y[i] = x[i] < bounds.low ? bounds.low : x[i] > bounds.high ? bounds.high : x[i];
}

void backward_clip(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    tier().arrays->of<T>().combine_slope(Combination::clip, 0, 1, static_cast<long>(call.din[0].count()),
                                         clip_operands(call.attrs, call.in[0].as<T>()), nullptr, call.dout[0].as<T>(),
                                         call.accumulate[0], call.din[0].as<T>(), 0);
  });
}

// cast: attr `dtype`.

template <typename Accumulate, typename From, typename To>
[[gnu::noinline]] void convert_row(int64 n, const From* __restrict x, To* __restrict y) {
  for_each_element(n, [&](int64 i) { store<Accumulate>(y[i], converted<To>(x[i])); });
}

template <typename Accumulate>
void convert_all(const View& from, const View& to) {
  with_any(from.dtype(), [&](auto from_zero) {
    with_any(to.dtype(), [&](auto to_zero) {
      using From = decltype(from_zero);
      using To = decltype(to_zero);
      convert_row<Accumulate>(to.count(), from.as<From>(), to.as<To>());
    });
  });
}

Inference infer_cast(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs("op_cast", in, 1);
  return infer_one(dtype_from_name(attrs.text("dtype")), in[0].shape);
}

void forward_cast(const ForwardCall& call) { convert_all<std::false_type>(call.in[0], call.out[0]); }

void backward_cast(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  with_flag(call.accumulate[0], [&](auto accumulate) { convert_all<decltype(accumulate)>(call.dout[0], call.din[0]); });
}

// identity and stop_gradient: the same bytes under a new name.

Inference infer_same(const Attrs&, const std::vector<Meta>& in) {
  require_inputs("op_identity", in, 1);
  return infer_one(in[0].dtype, in[0].shape);
}

}  // namespace

void register_elementwise_ops() {
  register_unary_ops();
  register_binary_ops();
  register_op({"activation", infer_activation, forward_activation, backward_activation, 1u, 1u, -1});
  register_op({"clip", infer_clip, forward_clip, backward_clip, 1u, 0u, -1});
  register_op({"cast", infer_cast, forward_cast, backward_cast, 0u, 0u, -1});
  register_op({"identity", infer_same, nullptr, backward_same, 0u, 0u, 0});
  register_op({"stop_gradient", infer_same, nullptr, nullptr, 0u, 0u, 0});
}

}  // namespace birnn
