// Random numbers: uniform, normal, truncated normal, dropout masks; and the step to the next seed (level L3).
// The first input is the seed, int32 (seed, draw); element e of a result is a pure function of (seed, draw, e).
#include "kernel_isa.h"
#include "ops_common.h"
#include "random.h"

namespace birnn {

namespace {

constexpr int64 words_at_once = 1024;

// Calls fn(e, n, words) for runs of n elements from e on, each made of `words_each` words.
template <typename Fn>
void for_each_run(std::uint64_t key, int64 n, int64 words_each, Fn&& fn) {
  std::uint32_t words[words_at_once];
  const int64 at_once = words_at_once / words_each;
  for (int64 first = 0; first < n; first += at_once) {
    const int64 here = n - first < at_once ? n - first : at_once;
    tier().random->words(key, static_cast<std::uint64_t>(first * words_each / 4),
                         static_cast<long>((here * words_each + 3) / 4), words);
    fn(first, here, words);
  }
}

// uniform01() of the words of an element.
template <typename T>
T uniform_of(const std::uint32_t* words) {
  if constexpr (std::is_same<T, float>::value)
    return uniform_float(words[0]);
  else
    return uniform_double(words[0], words[1]);
}

// Calls fn(e, u) with u uniform in [0, 1) for e = 0..n-1, as uniform01().
template <typename T, typename Fn>
void for_each_uniform(std::uint64_t key, int64 n, Fn&& fn) {
  constexpr int64 words_each = sizeof(T) / 4;
  for_each_run(key, n, words_each, [&](int64 first, int64 here, const std::uint32_t* words) {
    for (int64 i = 0; i < here; ++i) fn(first + i, uniform_of<T>(words + i * words_each));
  });
}

std::uint64_t key_of(const View& seed) {
  const std::int32_t* state = seed.as<std::int32_t>();
  return random_key(state[0], state[1]);
}

void require_seed(const char* label, const std::vector<Meta>& in) {
  if (in.empty() || in[0].absent()) fail_op(label, "internal", "the seed is missing");
  require_dtype(label, in[0], DType::int32);
  const Shape& shape = in[0].shape;
  if (shape.rank() != 1 || (shape[0] != 2 && shape[0] != unknown_size))
    fail_op(label, "shape", "a seed has shape (2), not " + shape.text());
}

Shape random_shape(const char* label, const Attrs& attrs, const Shape& like) {
  int open;
  const Shape out = shape_from_codes(label, attrs.numbers("shape"), like, &open);
  if (open >= 0) fail_op(label, "value", "the size of an axis is missing");
  return out;
}

// random_uniform, random_normal, truncated_normal: inputs seed, like (optional); attrs `shape` in codes, `dtype`.

template <typename T>
[[gnu::noinline]] void uniform_row(int64 n, const std::uint32_t* __restrict words, T low, T range, T last,
                                   T* __restrict y) {
  for_each_element(n, [&](int64 i) {
    const T value = low + range * uniform_of<T>(words + i * static_cast<int64>(sizeof(T) / 4));
    y[i] = value < last ? value : last;
  });
}

// `minval` (0), `maxval` (1, not included)
struct Uniform {
  static constexpr const char* label = "op_random_uniform";
  static bool valid(const Attrs& attrs) {
    return std::isfinite(attrs.number("maxval", 1) - attrs.number("minval", 0)) &&
           attrs.number("maxval", 1) >= attrs.number("minval", 0);
  }
  template <typename T>
  static void draw(const Attrs& attrs, std::uint64_t key, int64 n, T* y) {
    const T low = static_cast<T>(attrs.number("minval", 0)), high = static_cast<T>(attrs.number("maxval", 1));
    const T last = low < high ? std::nextafter(high, low) : low;  // rounding must not reach maxval
    constexpr int64 words_each = sizeof(T) / 4;
    for_each_run(key, n, words_each, [&](int64 first, int64 here, const std::uint32_t* words) {
      uniform_row(here, words, low, high - low, last, y + first);
    });
  }
};

bool valid_normal(const Attrs& attrs) {
  return std::isfinite(attrs.number("mean", 0)) && std::isfinite(attrs.number("stddev", 1)) &&
         attrs.number("stddev", 1) >= 0;
}

// `mean` (0), `stddev` (1)
struct Normal {
  static constexpr const char* label = "op_random_normal";
  static bool valid(const Attrs& attrs) { return valid_normal(attrs); }
  template <typename T>
  static void draw(const Attrs& attrs, std::uint64_t key, int64 n, T* y) {
    const T mean = static_cast<T>(attrs.number("mean", 0)), stddev = static_cast<T>(attrs.number("stddev", 1));
    if constexpr (std::is_same<T, float>::value)
      tier().random->normal_floats(key, static_cast<long>(n), mean, stddev, y);
    else
      tier().random->normal_doubles(key, static_cast<long>(n), mean, stddev, y);
  }
};

// The same, but only within two standard deviations of the mean, by inverting the distribution function.
struct TruncatedNormal {
  static constexpr const char* label = "op_truncated_normal";
  static bool valid(const Attrs& attrs) { return valid_normal(attrs); }
  template <typename T>
  static void draw(const Attrs& attrs, std::uint64_t key, int64 n, T* y) {
    constexpr double below = 0.022750131948179207200;  // P(X < -2)
    const double mean = attrs.number("mean", 0), stddev = attrs.number("stddev", 1);
    double share[words_at_once];
    constexpr int64 words_each = sizeof(T) / 4;
    for_each_run(key, n, words_each, [&](int64 first, int64 here, const std::uint32_t* words) {
      for (int64 i = 0; i < here; ++i)
        share[i] = below + (1 - 2 * below) * static_cast<double>(uniform_of<T>(words + i * words_each));
      tier().random->normal_quantiles(static_cast<long>(here), share);
      for (int64 i = 0; i < here; ++i) y[first + i] = static_cast<T>(mean + stddev * share[i]);
    });
  }
};

template <typename Op>
Inference infer_random(const Attrs& attrs, const std::vector<Meta>& in) {
  require_seed(Op::label, in);
  if (!Op::valid(attrs)) fail_op(Op::label, "value", "the parameters of the distribution must be finite and in order");
  const DType dtype = dtype_from_name(attrs.text("dtype", "float32"));
  require_floating(Op::label, Meta{dtype, Shape()});
  const bool has_like = in.size() > 1 && !in[1].absent();
  return infer_one(dtype, random_shape(Op::label, attrs, has_like ? in[1].shape : Shape()));
}

template <typename Op>
void forward_random(const ForwardCall& call) {
  with_float(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    Op::draw(call.attrs, key_of(call.in[0]), call.out[0].count(), call.out[0].as<T>());
  });
}

template <typename Op>
void register_random() {
  register_op({registry_name(Op::label), infer_random<Op>, forward_random<Op>, nullptr, 0u, 0u, -1});
}

// dropout_mask: inputs seed, like; attrs `rate`, `shape` in codes (that of like if absent), `count` masks in front.
// 0 with probability `rate`, else 1 / (1 - rate).

Inference infer_dropout_mask(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = "op_dropout_mask";
  require_seed(label, in);
  require_inputs(label, in, 2);
  require_floating(label, in[1]);
  const double rate = attrs.number("rate");
  if (!(rate >= 0 && rate <= 1)) fail_op(label, "value", "the rate must be a number from 0 to 1");
  const Shape one = attrs.has("shape") ? random_shape(label, attrs, in[1].shape) : in[1].shape;
  Shape out;
  if (attrs.has("count")) {
    const int64 count = whole_attr(label, attrs, "count");
    if (count < 1) fail_op(label, "value", "the number of masks must be at least 1");
    out.push(count);
  }
  for (int k = 0; k < one.rank(); ++k) out.push(one[k]);
  return infer_one(in[1].dtype, out);
}

void forward_dropout_mask(const ForwardCall& call) {
  const double rate = call.attrs.number("rate");
  with_float(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* y = call.out[0].as<T>();
    const T kept = rate < 1 ? static_cast<T>(1 / (1 - rate)) : T(0);
    if constexpr (std::is_same<T, float>::value) {
      const std::int32_t threshold = static_cast<std::int32_t>(std::ceil(rate * 16777216.0));
      for_each_run(key_of(call.in[0]), call.out[0].count(), 1,
                   [&](int64 first, int64 here, const std::uint32_t* words) {
                     tier().random->mask(static_cast<long>(here), words, threshold, kept, y + first);
                   });
    } else {
      for_each_uniform<T>(key_of(call.in[0]), call.out[0].count(),
                          [&](int64 e, T u) { y[e] = kept * static_cast<T>(u >= rate); });
    }
  });
}

// next_seed: (seed, draw) -> (seed, draw + 1).

Inference infer_next_seed(const Attrs&, const std::vector<Meta>& in) {
  require_seed("op_next_seed", in);
  return infer_one(DType::int32, Shape{2});
}

void forward_next_seed(const ForwardCall& call) {
  const std::int32_t* seed = call.in[0].as<std::int32_t>();
  std::int32_t* next = call.out[0].as<std::int32_t>();
  next[0] = seed[0];
  next[1] = static_cast<std::int32_t>(static_cast<std::uint32_t>(seed[1]) + 1u);
}

}  // namespace

void register_random_ops() {
  register_random<Uniform>();
  register_random<Normal>();
  register_random<TruncatedNormal>();
  register_op({"dropout_mask", infer_dropout_mask, forward_dropout_mask, nullptr, 0u, 0u, -1});
  register_op({"next_seed", infer_next_seed, forward_next_seed, nullptr, 0u, 0u, -1});
}

}  // namespace birnn
