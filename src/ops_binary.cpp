// Ops on two tensors with broadcasting: arithmetic, comparisons, logic (level L3).
// An arithmetic struct says how the value is made and the gradients da, db of its operands from a, b, y and dy; or
// names a combination of the vector kernels, and `value` is for integers.
#include <limits>

#include "ops_families.h"
#include "ops_loops.h"

namespace birnn {

namespace {

constexpr unsigned needs_a = 1u, needs_b = 2u;

template <typename Op, typename = void>
struct IsCombination : std::false_type {};
template <typename Op>
struct IsCombination<Op, decltype(void(Op::combination))> : std::true_type {};

// Integers wrap instead of overflowing; for them a division by zero gives 0.
template <typename T>
struct Wide {
  using type = T;
};
template <>
struct Wide<std::int32_t> {
  using type = std::uint32_t;
};

template <typename T>
struct Add {
  static constexpr const char* label = "op_add";
  static constexpr Combination combination = Combination::add;
  static constexpr unsigned inputs = 0, outputs = 0;
  using W = typename Wide<T>::type;
  static T value(T a, T b) { return static_cast<T>(static_cast<W>(a) + static_cast<W>(b)); }
};

template <typename T>
struct Subtract {
  static constexpr const char* label = "op_subtract";
  static constexpr Combination combination = Combination::subtract;
  static constexpr unsigned inputs = 0, outputs = 0;
  using W = typename Wide<T>::type;
  static T value(T a, T b) { return static_cast<T>(static_cast<W>(a) - static_cast<W>(b)); }
};

template <typename T>
struct Multiply {
  static constexpr const char* label = "op_multiply";
  static constexpr Combination combination = Combination::multiply;
  static constexpr unsigned inputs = needs_a | needs_b, outputs = 0;
  using W = typename Wide<T>::type;
  static T value(T a, T b) { return static_cast<T>(static_cast<W>(a) * static_cast<W>(b)); }
};

template <typename T>
struct Divide {
  static constexpr const char* label = "op_divide";
  static constexpr Combination combination = Combination::divide;
  static constexpr unsigned inputs = needs_b, outputs = 1;
};

template <typename T>
struct Power {
  static constexpr const char* label = "op_power";
  static constexpr Combination combination = Combination::power;
  static constexpr unsigned inputs = needs_a | needs_b, outputs = 1;
};

// Equal operands share the gradient. NaN in either operand wins.
template <typename T>
struct Maximum {
  static constexpr const char* label = "op_maximum";
  static constexpr Combination combination = Combination::maximum;
  static constexpr unsigned inputs = needs_a | needs_b, outputs = 0;
  static T value(T a, T b) { return a > b || a != a ? a : b; }
};

template <typename T>
struct Minimum {
  static constexpr const char* label = "op_minimum";
  static constexpr Combination combination = Combination::minimum;
  static constexpr unsigned inputs = needs_a | needs_b, outputs = 0;
  static T value(T a, T b) { return a < b || a != a ? a : b; }
};

// The remainder has the sign of the divisor, as in Python and R.
template <typename T>
T floored_remainder(T a, T b) {
  const T rest = std::fmod(a, b);
  return rest != T(0) && (rest < T(0)) != (b < T(0)) ? rest + b : rest;
}
inline std::int32_t floored_remainder(std::int32_t a, std::int32_t b) {
  if (b == 0 || b == -1) return 0;
  const std::int32_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

template <typename T>
T floored_quotient(T a, T b) {
  if (b == T(0)) return a / b;
  const T rest = std::fmod(a, b);
  const T quotient = (a - rest) / b - (rest != T(0) && (rest < T(0)) != (b < T(0)) ? T(1) : T(0));
  return std::nearbyint(quotient);  // whole but for rounding
}
inline std::int32_t floored_quotient(std::int32_t a, std::int32_t b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<std::int32_t>(0u - static_cast<std::uint32_t>(a));
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

template <typename T>
struct Mod {
  static constexpr const char* label = "op_mod";
  static constexpr unsigned inputs = needs_a | needs_b, outputs = 0;
  static T value(T a, T b) { return floored_remainder(a, b); }
  static T da(T, T, T, T dy) { return dy; }
  static T db(T a, T b, T, T dy) { return -dy * floored_quotient(a, b); }
};

template <typename T>
struct FloorDivide {
  static constexpr const char* label = "op_floor_divide";
  static constexpr unsigned inputs = 0, outputs = 0;
  static T value(T a, T b) { return floored_quotient(a, b); }
  static T da(T, T, T, T) { return T(0); }
  static T db(T, T, T, T) { return T(0); }
};

template <typename T>
struct Equal {
  static constexpr const char* label = "op_equal";
  static std::uint8_t value(T a, T b) { return a == b; }
};
template <typename T>
struct NotEqual {
  static constexpr const char* label = "op_not_equal";
  static std::uint8_t value(T a, T b) { return a != b; }
};
template <typename T>
struct Less {
  static constexpr const char* label = "op_less";
  static std::uint8_t value(T a, T b) { return a < b; }
};
template <typename T>
struct LessEqual {
  static constexpr const char* label = "op_less_equal";
  static std::uint8_t value(T a, T b) { return a <= b; }
};
template <typename T>
struct Greater {
  static constexpr const char* label = "op_greater";
  static std::uint8_t value(T a, T b) { return a > b; }
};
template <typename T>
struct GreaterEqual {
  static constexpr const char* label = "op_greater_equal";
  static std::uint8_t value(T a, T b) { return a >= b; }
};
template <typename T>
struct LogicalAnd {
  static constexpr const char* label = "op_logical_and";
  static std::uint8_t value(T a, T b) { return a != T(0) && b != T(0); }
};
template <typename T>
struct LogicalOr {
  static constexpr const char* label = "op_logical_or";
  static std::uint8_t value(T a, T b) { return a != T(0) || b != T(0); }
};
template <typename T>
struct LogicalXor {
  static constexpr const char* label = "op_logical_xor";
  static std::uint8_t value(T a, T b) { return (a != T(0)) != (b != T(0)); }
};

// Which dtypes the operands may have.
enum class Accepts { floats, numbers, anything, logicals };

inline void require_operand(const char* label, const Meta& meta, Accepts accepts) {
  if (accepts == Accepts::floats) require_floating(label, meta);
  if (accepts == Accepts::numbers) require_number(label, meta);
  if (accepts == Accepts::logicals) require_dtype(label, meta, DType::boolean);
}

template <template <typename> class Op, Accepts accepts, bool compares>
Inference infer_binary(const Attrs&, const std::vector<Meta>& in) {
  const char* label = Op<float>::label;
  require_inputs(label, in, 2);
  require_operand(label, in[0], accepts);
  require_same_dtype(label, in[0], in[1]);
  return infer_one(compares ? DType::boolean : in[0].dtype, broadcast_shapes(in[0].shape, in[1].shape, label));
}

template <Accepts accepts, typename Fn>
void with_accepted(DType type, Fn&& fn) {
  if constexpr (accepts == Accepts::floats) with_float(type, fn);
  if constexpr (accepts == Accepts::numbers) with_number(type, fn);
  if constexpr (accepts == Accepts::anything) with_any(type, fn);
  if constexpr (accepts == Accepts::logicals) fn(std::uint8_t{});
}

// The operands of a block of rows, those that are not needed null.
template <typename T>
Operands<T> operands_of(const View* in, unsigned needed, const int64 (&offset)[2], const int64 (&within)[2],
                        const int64 (&between)[2]) {
  const auto from = [&](int k) { return needed >> k & 1u ? in[k].as<T>() + offset[k] : nullptr; };
  return {from(0),
          static_cast<long>(within[0]),
          from(1),
          static_cast<long>(within[1]),
          static_cast<long>(between[0]),
          static_cast<long>(between[1])};
}

template <typename Op, typename StepA, typename StepB, typename T, typename Y>
[[gnu::noinline]] void value_row(int64 n, const T* __restrict a, const T* __restrict b, Y* __restrict y) {
  for_each_element(n, [&](int64 i) { y[i] = Op::value(a[i * StepA()], b[i * StepB()]); });
}

template <template <typename> class Op, typename T>
void forward_pairs(const ForwardCall& call, const Grid<2>& grid) {
  if constexpr (IsCombination<Op<T>>::value && std::is_floating_point<T>::value)
    return for_each_block_of_rows(grid, [&](int64 start, int64 rows, int64 n, const int64(&offset)[2],
                                            const int64(&within)[2], const int64(&between)[2]) {
      tier().arrays->of<T>().combine(Op<T>::combination, static_cast<long>(rows), static_cast<long>(n),
                                     operands_of<T>(call.in, needs_a | needs_b, offset, within, between),
                                     call.out[0].as<T>() + start);
    });
  else
    for_each_row(grid, [&](int64 start, int64 n, const int64(&offset)[2], const int64(&stride)[2]) {
      with_steps(stride, [&](auto step_a, auto step_b) {
        using Y = decltype(Op<T>::value(T(), T()));
        value_row<Op<T>, decltype(step_a), decltype(step_b)>(
            n, call.in[0].as<T>() + offset[0], call.in[1].as<T>() + offset[1], call.out[0].as<Y>() + start);
      });
    });
}

template <template <typename> class Op, Accepts accepts>
void forward_binary(const ForwardCall& call) {
  const Grid<2> grid = broadcast_grid<2>(call.out[0].shape(), {&call.in[0].shape(), &call.in[1].shape()});
  with_accepted<accepts>(call.in[0].dtype(), [&](auto zero) { forward_pairs<Op, decltype(zero)>(call, grid); });
}

// The gradient of an operand of a combination, for a block of rows.
template <typename Op, int operand, typename T>
void put_combination(const BackwardCall& call, int64 start, int64 rows, int64 n, const Operands<T>& in, bool adds,
                     T* target) {
  const ArrayKernels<T>& kernels = tier().arrays->of<T>();
  const T* y = Op::outputs ? call.out[0].as<T>() + start : nullptr;
  const T* dy = call.dout[0].as<T>() + start;
  const long between = operand == 0 ? in.row_a : in.row_b, size = static_cast<long>(n);
  if ((operand == 0 ? in.step_a : in.step_b) != 0)
    return kernels.combine_slope(Op::combination, operand, static_cast<long>(rows), size, in, y, dy, adds, target,
                                 between);
  for (long r = 0; r < rows; ++r) {
    Operands<T> row = in;
    if (in.a != nullptr) row.a += r * in.row_a;
    if (in.b != nullptr) row.b += r * in.row_b;
    const T sum = static_cast<T>(
        kernels.combine_slope_sum(Op::combination, operand, size, row, y != nullptr ? y + r * n : nullptr, dy + r * n));
    T& at = target[r * between];
    at = adds ? at + sum : sum;
  }
}

// One operand's gradient. An operand that was broadcast gets the sum over the elements it met, in row-major order.
template <template <typename> class Op, int operand, typename T>
void backward_operand(const BackwardCall& call, const Grid<2>& grid) {
  if (!wanted(call, operand)) return;
  const bool adds = start_row_sums(call, operand);
  if constexpr (IsCombination<Op<T>>::value)
    return for_each_block_of_rows(grid, [&](int64 start, int64 rows, int64 n, const int64(&offset)[2],
                                            const int64(&within)[2], const int64(&between)[2]) {
      put_combination<Op<T>, operand, T>(call, start, rows, n,
                                         operands_of<T>(call.in, Op<T>::inputs, offset, within, between), adds,
                                         call.din[operand].as<T>() + offset[operand]);
    });
  else
    for_each_row(grid, [&](int64 start, int64 n, const int64(&offset)[2], const int64(&stride)[2]) {
      with_steps(stride, [&](auto step_a, auto step_b) {
        const T* __restrict a = call.in[0].as<T>();
        const T* __restrict b = call.in[1].as<T>();
        const T* __restrict y = call.out[0].as<T>();
        const T* __restrict dy = call.dout[0].as<T>() + start;
        const auto gradient = [&](int64 i) {
          const T ai = Op<T>::inputs & needs_a ? a[offset[0] + i * step_a] : T(0);
          const T bi = Op<T>::inputs & needs_b ? b[offset[1] + i * step_b] : T(0);
          const T yi = Op<T>::outputs ? y[start + i] : T(0);
          return operand == 0 ? Op<T>::da(ai, bi, yi, dy[i]) : Op<T>::db(ai, bi, yi, dy[i]);
        };
        T* __restrict target = call.din[operand].as<T>() + offset[operand];
        with_flag(adds, [&](auto add) { put_row<decltype(add)>(n, operand == 0 ? step_a : step_b, target, gradient); });
      });
    });
}

template <template <typename> class Op>
void backward_binary(const BackwardCall& call) {
  if (no_gradient(call, 2)) return;
  const Grid<2> grid = broadcast_grid<2>(call.dout[0].shape(), {&call.in[0].shape(), &call.in[1].shape()});
  with_float(call.dout[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    backward_operand<Op, 0, T>(call, grid);
    backward_operand<Op, 1, T>(call, grid);
  });
}

template <template <typename> class Op, Accepts accepts>
void register_arithmetic() {
  register_op({registry_name(Op<float>::label), infer_binary<Op, accepts, false>, forward_binary<Op, accepts>,
               backward_binary<Op>, Op<float>::inputs, Op<float>::outputs, -1});
}

template <template <typename> class Op, Accepts accepts>
void register_comparison() {
  register_op({registry_name(Op<float>::label), infer_binary<Op, accepts, true>, forward_binary<Op, accepts>, nullptr,
               0u, 0u, -1});
}

}  // namespace

void register_binary_ops() {
  register_arithmetic<Add, Accepts::numbers>();
  register_arithmetic<Subtract, Accepts::numbers>();
  register_arithmetic<Multiply, Accepts::numbers>();
  register_arithmetic<Divide, Accepts::floats>();
  register_arithmetic<Power, Accepts::floats>();
  register_arithmetic<Maximum, Accepts::numbers>();
  register_arithmetic<Minimum, Accepts::numbers>();
  register_arithmetic<Mod, Accepts::numbers>();
  register_arithmetic<FloorDivide, Accepts::numbers>();
  register_comparison<Equal, Accepts::anything>();
  register_comparison<NotEqual, Accepts::anything>();
  register_comparison<Less, Accepts::numbers>();
  register_comparison<LessEqual, Accepts::numbers>();
  register_comparison<Greater, Accepts::numbers>();
  register_comparison<GreaterEqual, Accepts::numbers>();
  register_comparison<LogicalAnd, Accepts::logicals>();
  register_comparison<LogicalOr, Accepts::logicals>();
  register_comparison<LogicalXor, Accepts::logicals>();
  register_where_op();
}

}  // namespace birnn
