// Functions of one element without attributes: exp, log, sign, floor, is_nan ... (level L3).
// A struct names a function of the vector kernels, and which of x and y its slope needs.
#include "kernel_isa.h"
#include "ops_common.h"
#include "ops_families.h"

namespace birnn {

namespace {

struct NeedsNothing {
  static constexpr bool needs_x = false, needs_y = false, integers = false;
};
struct NeedsX {
  static constexpr bool needs_x = true, needs_y = false, integers = false;
};
struct NeedsY {
  static constexpr bool needs_x = false, needs_y = true, integers = false;
};

// A function of the vector kernels; `value` of its struct is for integers.
template <Function which, typename Needs>
struct Mapped : Needs {
  static constexpr Function function = which;
};

// Integer arithmetic wraps: the negative of the smallest integer and large squares are not undefined.
inline std::uint32_t bits(std::int32_t x) { return static_cast<std::uint32_t>(x); }
inline std::int32_t negated(std::int32_t x) { return static_cast<std::int32_t>(0u - bits(x)); }
inline std::int32_t squared(std::int32_t x) { return static_cast<std::int32_t>(bits(x) * bits(x)); }

template <typename T>
struct Negative : Mapped<Function::negative, NeedsNothing> {
  static constexpr const char* label = "op_negative";
  static constexpr bool integers = true;
  static T value(T x) { return negated(x); }
};

template <typename T>
struct Abs : Mapped<Function::absolute, NeedsX> {
  static constexpr const char* label = "op_abs";
  static constexpr bool integers = true;
  static T value(T x) { return x < T(0) ? negated(x) : x; }
};

template <typename T>
struct Square : Mapped<Function::square, NeedsX> {
  static constexpr const char* label = "op_square";
  static constexpr bool integers = true;
  static T value(T x) { return squared(x); }
};

template <typename T>
struct Sign : Mapped<Function::sign, NeedsNothing> {
  static constexpr const char* label = "op_sign";
  static constexpr bool integers = true;
  static T value(T x) { return x > T(0) ? T(1) : x < T(0) ? T(-1) : x; }
};

template <typename>
struct Floor : Mapped<Function::floor, NeedsNothing> {
  static constexpr const char* label = "op_floor";
};

template <typename>
struct Ceil : Mapped<Function::ceiling, NeedsNothing> {
  static constexpr const char* label = "op_ceil";
};

template <typename>
struct Round : Mapped<Function::round, NeedsNothing> {
  static constexpr const char* label = "op_round";
};

template <typename>
struct Exp : Mapped<Function::exponential, NeedsY> {
  static constexpr const char* label = "op_exp";
};

template <typename>
struct Expm1 : Mapped<Function::expm1, NeedsX> {
  static constexpr const char* label = "op_expm1";
};

template <typename>
struct Log : Mapped<Function::log, NeedsX> {
  static constexpr const char* label = "op_log";
};

template <typename>
struct Log1p : Mapped<Function::log1p, NeedsX> {
  static constexpr const char* label = "op_log1p";
};

template <typename>
struct Log2 : Mapped<Function::log2, NeedsX> {
  static constexpr const char* label = "op_log2";
};

template <typename>
struct Log10 : Mapped<Function::log10, NeedsX> {
  static constexpr const char* label = "op_log10";
};

template <typename>
struct Sqrt : Mapped<Function::square_root, NeedsY> {
  static constexpr const char* label = "op_sqrt";
};

template <typename>
struct Rsqrt : Mapped<Function::reciprocal_root, NeedsY> {
  static constexpr const char* label = "op_rsqrt";
};

template <typename>
struct Reciprocal : Mapped<Function::reciprocal, NeedsY> {
  static constexpr const char* label = "op_reciprocal";
};

template <typename>
struct Sin : Mapped<Function::sine, NeedsX> {
  static constexpr const char* label = "op_sin";
};

template <typename>
struct Cos : Mapped<Function::cosine, NeedsX> {
  static constexpr const char* label = "op_cos";
};

template <typename>
struct Erf : Mapped<Function::erf, NeedsX> {
  static constexpr const char* label = "op_erf";
};

template <typename T>
struct IsFinite {
  static constexpr const char* label = "op_is_finite";
  static std::uint8_t value(T x) { return std::isfinite(x); }
};

template <typename T>
struct IsNan {
  static constexpr const char* label = "op_is_nan";
  static std::uint8_t value(T x) { return std::isnan(x); }
};

template <typename T>
struct NoParams {
  static constexpr T values[3] = {T(0), T(0), T(0)};
};

template <typename Op, typename T>
void evaluate(int64 n, const T* __restrict x, T* __restrict y) {
  if constexpr (std::is_floating_point<T>::value)
    tier().elements->of<T>().value(Op::function, NoParams<T>::values, static_cast<long>(n), x, y);
  else
    for (int64 i = 0; i < n; ++i) y[i] = Op::value(x[i]);
}

template <template <typename> class Op>
Inference infer_unary(const Attrs&, const std::vector<Meta>& in) {
  require_inputs(Op<float>::label, in, 1);
  Op<float>::integers ? require_number(Op<float>::label, in[0]) : require_floating(Op<float>::label, in[0]);
  return infer_one(in[0].dtype, in[0].shape);
}

template <template <typename> class Op>
void forward_unary(const ForwardCall& call) {
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    evaluate<Op<T>>(call.out[0].count(), call.in[0].as<T>(), call.out[0].as<T>());
  };
  if constexpr (Op<float>::integers)
    with_number(call.in[0].dtype(), run);
  else
    with_float(call.in[0].dtype(), run);
}

template <template <typename> class Op>
void backward_unary(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    tier().elements->of<T>().slope(Op<T>::function, NoParams<T>::values, static_cast<long>(call.din[0].count()),
                                   call.in[0].as<T>(), call.out[0].as<T>(), call.dout[0].as<T>(), call.accumulate[0],
                                   call.din[0].as<T>());
  });
}

template <template <typename> class Op>
void register_unary() {
  register_op({registry_name(Op<float>::label), infer_unary<Op>, forward_unary<Op>, backward_unary<Op>,
               Op<float>::needs_x ? 1u : 0u, Op<float>::needs_y ? 1u : 0u, -1});
}

// The derivative of a step function is zero where it exists, even against an infinite gradient.
template <template <typename> class Op>
void register_step() {
  register_op({registry_name(Op<float>::label), infer_unary<Op>, forward_unary<Op>, backward_zero, 0u, 0u, -1});
}

template <template <typename> class Op>
Inference infer_test(const Attrs&, const std::vector<Meta>& in) {
  require_inputs(Op<float>::label, in, 1);
  require_floating(Op<float>::label, in[0]);
  return infer_one(DType::boolean, in[0].shape);
}

template <typename Op, typename T>
[[gnu::noinline]] void test_row(int64 n, const T* __restrict x, std::uint8_t* __restrict y) {
  for_each_element(n, [&](int64 i) { y[i] = Op::value(x[i]); });
}

template <template <typename> class Op>
void forward_test(const ForwardCall& call) {
  with_float(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    test_row<Op<T>>(call.out[0].count(), call.in[0].as<T>(), call.out[0].as<std::uint8_t>());
  });
}

template <template <typename> class Op>
void register_test() {
  register_op({registry_name(Op<float>::label), infer_test<Op>, forward_test<Op>, nullptr, 0u, 0u, -1});
}

Inference infer_logical_not(const Attrs&, const std::vector<Meta>& in) {
  require_inputs("op_logical_not", in, 1);
  require_dtype("op_logical_not", in[0], DType::boolean);
  return infer_one(DType::boolean, in[0].shape);
}

struct IsZero {
  static std::uint8_t value(std::uint8_t x) { return x == 0; }
};

void forward_logical_not(const ForwardCall& call) {
  test_row<IsZero>(call.out[0].count(), call.in[0].as<std::uint8_t>(), call.out[0].as<std::uint8_t>());
}

}  // namespace

void register_unary_ops() {
  register_unary<Negative>();
  register_unary<Abs>();
  register_unary<Square>();
  register_step<Sign>();
  register_step<Floor>();
  register_step<Ceil>();
  register_step<Round>();
  register_unary<Exp>();
  register_unary<Expm1>();
  register_unary<Log>();
  register_unary<Log1p>();
  register_unary<Log2>();
  register_unary<Log10>();
  register_unary<Sqrt>();
  register_unary<Rsqrt>();
  register_unary<Reciprocal>();
  register_unary<Sin>();
  register_unary<Cos>();
  register_unary<Erf>();
  register_test<IsFinite>();
  register_test<IsNan>();
  register_op({"logical_not", infer_logical_not, forward_logical_not, nullptr, 0u, 0u, -1});
}

}  // namespace birnn
