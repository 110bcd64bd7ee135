// Functions of one element without attributes: exp, log, sign, floor, is_nan ... (level L3).
// A struct says how the value is made, its slope dy/dx (none for steps), and which of x and y the slope needs.
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

// Integer arithmetic wraps: the negative of the smallest integer and large squares are not undefined.
inline std::uint32_t bits(std::int32_t x) { return static_cast<std::uint32_t>(x); }
inline std::int32_t negated(std::int32_t x) { return static_cast<std::int32_t>(0u - bits(x)); }
inline std::int32_t squared(std::int32_t x) { return static_cast<std::int32_t>(bits(x) * bits(x)); }
inline float negated(float x) { return -x; }
inline double negated(double x) { return -x; }
inline float squared(float x) { return x * x; }
inline double squared(double x) { return x * x; }

template <typename T>
struct Negative : NeedsNothing {
  static constexpr const char* label = "op_negative";
  static constexpr bool integers = true;
  static T value(T x) { return negated(x); }
  static T slope(T, T) { return T(-1); }
};

template <typename T>
struct Abs : NeedsX {
  static constexpr const char* label = "op_abs";
  static constexpr bool integers = true;
  static T value(T x) { return x < T(0) ? negated(x) : x + T(0); }  // + 0 makes a zero of -0
  static T slope(T x, T) { return x > T(0) ? T(1) : x < T(0) ? T(-1) : x * T(0); }
};

template <typename T>
struct Square : NeedsX {
  static constexpr const char* label = "op_square";
  static constexpr bool integers = true;
  static T value(T x) { return squared(x); }
  static T slope(T x, T) { return T(2) * x; }
};

template <typename T>
struct Sign : NeedsNothing {
  static constexpr const char* label = "op_sign";
  static constexpr bool integers = true;
  static T value(T x) { return x > T(0) ? T(1) : x < T(0) ? T(-1) : x; }
};

template <typename T>
struct Floor : NeedsNothing {
  static constexpr const char* label = "op_floor";
  static T value(T x) { return std::floor(x); }
};

template <typename T>
struct Ceil : NeedsNothing {
  static constexpr const char* label = "op_ceil";
  static T value(T x) { return std::ceil(x); }
};

template <typename T>
struct Round : NeedsNothing {
  static constexpr const char* label = "op_round";
  static T value(T x) { return std::nearbyint(x); }  // halves go to the even neighbour, as in Keras
};

template <typename T>
struct Exp : NeedsY {
  static constexpr const char* label = "op_exp";
  static T value(T x) { return std::exp(x); }
  static T slope(T, T y) { return y; }
};

template <typename T>
struct Expm1 : NeedsX {
  static constexpr const char* label = "op_expm1";
  static T value(T x) { return std::expm1(x); }
  static T slope(T x, T) { return std::exp(x); }
};

template <typename T>
struct Log : NeedsX {
  static constexpr const char* label = "op_log";
  static T value(T x) { return std::log(x); }
  static T slope(T x, T) { return T(1) / x; }
};

template <typename T>
struct Log1p : NeedsX {
  static constexpr const char* label = "op_log1p";
  static T value(T x) { return std::log1p(x); }
  static T slope(T x, T) { return T(1) / (T(1) + x); }
};

template <typename T>
struct Log2 : NeedsX {
  static constexpr const char* label = "op_log2";
  static T value(T x) { return std::log2(x); }
  static T slope(T x, T) { return T(1.44269504088896340736) / x; }  // 1 / log(2)
};

template <typename T>
struct Log10 : NeedsX {
  static constexpr const char* label = "op_log10";
  static T value(T x) { return std::log10(x); }
  static T slope(T x, T) { return T(0.43429448190325182765) / x; }  // 1 / log(10)
};

template <typename T>
struct Sqrt : NeedsY {
  static constexpr const char* label = "op_sqrt";
  static T value(T x) { return std::sqrt(x); }
  static T slope(T, T y) { return T(0.5) / y; }
};

template <typename T>
struct Rsqrt : NeedsY {
  static constexpr const char* label = "op_rsqrt";
  static T value(T x) { return T(1) / std::sqrt(x); }
  static T slope(T, T y) { return T(-0.5) * y * y * y; }
};

template <typename T>
struct Reciprocal : NeedsY {
  static constexpr const char* label = "op_reciprocal";
  static T value(T x) { return T(1) / x; }
  static T slope(T, T y) { return -y * y; }
};

template <typename T>
struct Sin : NeedsX {
  static constexpr const char* label = "op_sin";
  static T value(T x) { return std::sin(x); }
  static T slope(T x, T) { return std::cos(x); }
};

template <typename T>
struct Cos : NeedsX {
  static constexpr const char* label = "op_cos";
  static T value(T x) { return std::cos(x); }
  static T slope(T x, T) { return -std::sin(x); }
};

template <typename T>
struct Erf : NeedsX {
  static constexpr const char* label = "op_erf";
  static T value(T x) { return std::erf(x); }
  static T slope(T x, T) { return T(1.12837916709551257390) * std::exp(-x * x); }  // 2 / sqrt(pi) exp(-x^2)
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
    const T* __restrict x = call.in[0].as<T>();
    T* __restrict y = call.out[0].as<T>();
    const int64 n = call.out[0].count();
    for (int64 i = 0; i < n; ++i) y[i] = Op<T>::value(x[i]);
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
    with_flag(call.accumulate[0], [&](auto accumulate) {
      const T* __restrict x = call.in[0].as<T>();
      const T* __restrict y = call.out[0].as<T>();
      const T* __restrict dy = call.dout[0].as<T>();
      T* __restrict dx = call.din[0].as<T>();
      const int64 n = call.din[0].count();
      for (int64 i = 0; i < n; ++i)
        store<decltype(accumulate)>(dx[i],
                                    dy[i] * Op<T>::slope(Op<T>::needs_x ? x[i] : T(0), Op<T>::needs_y ? y[i] : T(0)));
    });
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

template <template <typename> class Op>
void forward_test(const ForwardCall& call) {
  with_float(call.in[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* x = call.in[0].as<T>();
    std::uint8_t* y = call.out[0].as<std::uint8_t>();
    const int64 n = call.out[0].count();
    for (int64 i = 0; i < n; ++i) y[i] = Op<T>::value(x[i]);
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

void forward_logical_not(const ForwardCall& call) {
  const std::uint8_t* x = call.in[0].as<std::uint8_t>();
  std::uint8_t* y = call.out[0].as<std::uint8_t>();
  const int64 n = call.out[0].count();
  for (int64 i = 0; i < n; ++i) y[i] = x[i] == 0;
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
