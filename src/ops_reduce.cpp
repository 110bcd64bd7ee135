// Reductions: sum, mean, prod, max, min, any, all, var, std, logsumexp (level L3).
// Attributes: `axis` (all axes if absent), `keepdims`.
#include "ops_families.h"
#include "ops_reduction.h"

namespace birnn {

namespace {

constexpr int block_width = Reduction::block_width;

Shape reduced_shape(const char* label, const Attrs& attrs, const Shape& shape) {
  const AxisSet axes = axis_set(label, attrs, shape.rank());
  const bool keepdims = attrs.flag("keepdims");
  Shape out;
  for (int k = 0; k < shape.rank(); ++k) {
    if (!axes.has[k]) out.push(shape[k]);
    if (axes.has[k] && keepdims) out.push(1);
  }
  return out;
}

Reduction reduction_of(const Attrs& attrs, const Shape& shape) {
  return Reduction(shape, axis_set("reduction", attrs, shape.rank()));
}

// What dy/dx is made of, once for each result of a block.
template <typename T>
struct Slopes {
  T scale[block_width], centre[block_width];
};

// What `prepare` sees of a block of results in the backward pass.
template <typename T>
struct Block {
  const Reduction& reduction;
  const T* x;   // from the block's first element on
  const T* y;   // of the block's results
  const T* dy;  // of the block's results
  int width;
};

using Run = Reduction::Run;
constexpr int64 run_length = 512;

// Elements (or their gradients) of a run, and what its results have.
template <typename T>
Operands<T> with_results(const Run& run, const T* elements, const T* of_results) {
  return {elements, 1, of_results + run.result, run.within, run.n, run.between};
}

// dx (+)= slope * scale, or scale alone.
template <typename T>
void put_scaled(const Run& run, const T* slope, const T* scale, bool accumulate, T* dx) {
  tier().arrays->of<T>().combine_slope(Combination::multiply, 0, run.rows, run.n, with_results<T>(run, nullptr, scale),
                                       nullptr, slope, accumulate, dx, run.n);
}
template <typename T>
void put_scale(const Run& run, const T* scale, bool accumulate, T* dx) {
  const T one = T(1);
  const ArrayKernels<T>& kernels = tier().arrays->of<T>();
  if (accumulate) return kernels.combine(Combination::add, run.rows, run.n, with_results<T>(run, dx, scale), dx);
  Operands<T> product = with_results<T>(run, &one, scale);
  product.step_a = product.row_a = 0;
  kernels.combine(Combination::multiply, run.rows, run.n, product, dx);
}
// x - centre
template <typename T>
void subtract_centres(const Run& run, const T* x, const T* centre, T* y) {
  tier().arrays->of<T>().combine(Combination::subtract, run.rows, run.n, with_results<T>(run, x, centre), y);
}

struct Plain {
  static constexpr bool integers = false, needs_elements = false;
  static constexpr unsigned inputs = 1, outputs = 0;
};
// The gradient of an element is the scale of its result.
struct Uniform : Plain {
  static constexpr unsigned inputs = 0;
  template <typename T>
  static void gradient(const Run& run, const T*, const Slopes<T>& slopes, bool accumulate, T* dx) {
    put_scale(run, slopes.scale, accumulate, dx);
  }
};

template <typename T>
struct Sum : Uniform {
  static constexpr const char* label = "op_sum";
  static constexpr bool integers = true;
  using Acc = typename SumOf<T>::type;
  static void values(const Reduction& reduction, const T* x, int width, T* y) {
    Acc sum[block_width];
    if constexpr (std::is_floating_point<T>::value)
      reduction.sum(x, width, sum);
    else
      reduction.fold<SumFold<Acc>>(x, width, sum, [](T xi, int) { return static_cast<Acc>(xi); });
    for (int j = 0; j < width; ++j) y[j] = static_cast<T>(sum[j]);
  }
  static void prepare(const Block<T>& block, Slopes<T>& slopes) {
    for (int j = 0; j < block.width; ++j) slopes.scale[j] = block.dy[j];
  }
};

template <typename T>
void block_means(const Reduction& reduction, const T* x, int width, double* mean) {
  reduction.sum(x, width, mean);
  for (int j = 0; j < width; ++j) mean[j] /= static_cast<double>(reduction.count());
}

template <typename T>
struct Mean : Uniform {
  static constexpr const char* label = "op_mean";
  static void values(const Reduction& reduction, const T* x, int width, T* y) {
    double mean[block_width];
    block_means(reduction, x, width, mean);
    for (int j = 0; j < width; ++j) y[j] = static_cast<T>(mean[j]);
  }
  static void prepare(const Block<T>& block, Slopes<T>& slopes) {
    const T count = static_cast<T>(block.reduction.count());
    for (int j = 0; j < block.width; ++j) slopes.scale[j] = block.dy[j] / count;
  }
};

template <typename Add, typename Step, typename T>
[[gnu::noinline]] void put_extreme(int64 n, const T* __restrict x, const T* __restrict extreme,
                                   const T* __restrict scale, T* __restrict dx) {
  for_each_element(n, [&](int64 i) {
    const T share = scale[i * Step()];
    store<Add>(dx[i], x[i] == extreme[i * Step()] ? share : T(0));
  });
}

// Elements that share the extreme value share its gradient.
template <typename T, template <typename> class Fold>
struct Extreme : Plain {
  static constexpr bool integers = true, needs_elements = true;
  static constexpr unsigned outputs = 1;
  static void values(const Reduction& reduction, const T* x, int width, T* y) {
    reduction.fold<Fold<T>>(x, width, y, [](T xi, int) { return xi; });
  }
  static void prepare(const Block<T>& block, Slopes<T>& slopes) {
    double ties[block_width];
    block.reduction.template fold<SumFold<double>>(block.x, block.width, ties,
                                                   [&](T xi, int j) { return xi == block.y[j] ? 1.0 : 0.0; });
    for (int j = 0; j < block.width; ++j) {
      slopes.scale[j] = static_cast<T>(block.dy[j] / ties[j]);
      slopes.centre[j] = block.y[j];
    }
  }
  static void gradient(const Run& run, const T* x, const Slopes<T>& slopes, bool accumulate, T* dx) {
    with_flag(accumulate, [&](auto add) {
      const auto put = run.within == 1 ? put_extreme<decltype(add), Step1, T> : put_extreme<decltype(add), Step0, T>;
      for (long r = 0; r < run.rows; ++r, x += run.n, dx += run.n) {
        const int64 first = run.result + r * run.between;
        put(run.n, x, slopes.centre + first, slopes.scale + first, dx);
      }
    });
  }
};
template <typename T>
struct Max : Extreme<T, MaxFold> {
  static constexpr const char* label = "op_max";
};
template <typename T>
struct Min : Extreme<T, MinFold> {
  static constexpr const char* label = "op_min";
};

template <typename T>
void block_variances(const Reduction& reduction, const T* x, int width, const double* mean, double* variance) {
  reduction.sum_of_squares(x, width, mean, variance);
  for (int j = 0; j < width; ++j) variance[j] /= static_cast<double>(reduction.count());
}

template <typename T>
struct Var : Plain {
  static constexpr const char* label = "op_var";
  static void values(const Reduction& reduction, const T* x, int width, T* y) {
    double mean[block_width], variance[block_width];
    block_means(reduction, x, width, mean);
    block_variances(reduction, x, width, mean, variance);
    for (int j = 0; j < width; ++j) y[j] = static_cast<T>(variance[j]);
  }
  static void prepare(const Block<T>& block, Slopes<T>& slopes) {
    double mean[block_width];
    block_means(block.reduction, block.x, block.width, mean);
    const T count = static_cast<T>(block.reduction.count());
    for (int j = 0; j < block.width; ++j) {
      slopes.scale[j] = 2 * block.dy[j] / count;
      slopes.centre[j] = static_cast<T>(mean[j]);
    }
  }
  // scale (x - mean)
  static void gradient(const Run& run, const T* x, const Slopes<T>& slopes, bool accumulate, T* dx) {
    T deviations[run_length];
    subtract_centres(run, x, slopes.centre, deviations);
    put_scaled(run, deviations, slopes.scale, accumulate, dx);
  }
};

// Where all elements are equal the gradient is taken as 0.
template <typename T>
struct Std : Var<T> {
  static constexpr const char* label = "op_std";
  static constexpr unsigned outputs = 1;
  static void values(const Reduction& reduction, const T* x, int width, T* y) {
    double mean[block_width], variance[block_width];
    block_means(reduction, x, width, mean);
    block_variances(reduction, x, width, mean, variance);
    for (int j = 0; j < width; ++j) y[j] = static_cast<T>(std::sqrt(variance[j]));
  }
  static void prepare(const Block<T>& block, Slopes<T>& slopes) {
    Var<T>::prepare(block, slopes);
    for (int j = 0; j < block.width; ++j)
      slopes.scale[j] = block.y[j] == T(0) ? T(0) : slopes.scale[j] / (2 * block.y[j]);
  }
};

template <typename T>
struct LogSumExp : Plain {
  static constexpr const char* label = "op_logsumexp";
  static constexpr unsigned outputs = 1;
  static void values(const Reduction& reduction, const T* x, int width, T* y) {
    T shift[block_width], shifted[run_length];
    double sum[block_width] = {0};
    reduction.fold<MaxFold<T>>(x, width, shift, [](T xi, int) { return xi; });
    for (int j = 0; j < width; ++j)
      if (std::isinf(shift[j])) shift[j] = T(0);  // Inf - Inf would be NaN
    const ArrayKernels<T>& kernels = tier().arrays->of<T>();
    reduction.for_each_run(width, 0, run_length, [&](const Run& run) {
      exp_of_shifted(run, x + run.start, shift, shifted);
      for (long r = 0; r < run.rows && run.within == 1; ++r) kernels.add_to_sums(run.n, shifted + r * run.n, sum);
      if (run.within == 0) kernels.add_row_sums(run.rows, run.n, shifted, sum + run.result);
    });
    for (int j = 0; j < width; ++j) y[j] = static_cast<T>(static_cast<double>(shift[j]) + std::log(sum[j]));
  }
  static void prepare(const Block<T>& block, Slopes<T>& slopes) {
    for (int j = 0; j < block.width; ++j) {
      slopes.scale[j] = block.dy[j];
      slopes.centre[j] = block.y[j] == -std::numeric_limits<T>::infinity() ? T(0) : block.y[j];
    }
  }
  // scale exp(x - y)
  static void gradient(const Run& run, const T* x, const Slopes<T>& slopes, bool accumulate, T* dx) {
    T shares[run_length];
    exp_of_shifted(run, x, slopes.centre, shares);
    put_scaled(run, shares, slopes.scale, accumulate, dx);
  }
  static void exp_of_shifted(const Run& run, const T* x, const T* shift, T* y) {
    const T none[3] = {};
    subtract_centres(run, x, shift, y);
    tier().elements->of<T>().value(Function::exponential, none, run.rows * run.n, y, y);
  }
};

// dx_i = dy * (product of the elements before i) * (product of those after i): exact also where elements are 0.
template <typename T>
struct Prod : Plain {
  static constexpr const char* label = "op_prod";
  static constexpr bool integers = true;
  using Acc = typename SumOf<T>::type;
  static void values(const Reduction& reduction, const T* x, int width, T* y) {
    Acc product[block_width];
    reduction.fold<ProductFold<Acc>>(x, width, product, [](T xi, int) { return static_cast<Acc>(xi); });
    for (int j = 0; j < width; ++j) y[j] = static_cast<T>(product[j]);
  }
};

template <template <typename> class Op>
Inference infer_reduction(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = Op<float>::label;
  require_inputs(label, in, 1);
  Op<float>::integers ? require_number(label, in[0]) : require_floating(label, in[0]);
  const Shape out = reduced_shape(label, attrs, in[0].shape);
  if (Op<float>::needs_elements && in[0].shape.known() && in[0].shape.count() == 0 && out.count() > 0)
    fail_op(label, "value", "there is nothing to choose from in a tensor of shape " + in[0].shape.text());
  return infer_one(in[0].dtype, out);
}

template <template <typename> class Op>
void forward_reduction(const ForwardCall& call) {
  const Reduction reduction = reduction_of(call.attrs, call.in[0].shape());
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    reduction.for_each_block([&](int64 output, int width, int64 offset) {
      Op<T>::values(reduction, call.in[0].as<T>() + offset, width, call.out[0].as<T>() + output);
    });
  };
  if constexpr (Op<float>::integers)
    with_number(call.in[0].dtype(), run);
  else
    with_float(call.in[0].dtype(), run);
}

template <typename T>
const T* from(const T* data, int64 offset) {
  return data == nullptr ? nullptr : data + offset;
}

template <template <typename> class Op>
void backward_reduction(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  const Reduction reduction = reduction_of(call.attrs, call.in[0].shape());
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* x = call.in[0].as<T>();
    T* dx = call.din[0].as<T>();
    reduction.for_each_block([&](int64 output, int width, int64 offset) {
      Slopes<T> slopes;
      Op<T>::prepare(
          Block<T>{reduction, from(x, offset), from(call.out[0].as<T>(), output), call.dout[0].as<T>() + output, width},
          slopes);
      reduction.for_each_run(width, offset, run_length, [&](const Run& run) {
        Op<T>::gradient(run, from(x, run.start), slopes, call.accumulate[0], dx + run.start);
      });
    });
  });
}

template <template <typename> class Op>
void register_reduction() {
  register_op({registry_name(Op<float>::label), infer_reduction<Op>, forward_reduction<Op>, backward_reduction<Op>,
               Op<float>::inputs, Op<float>::outputs, -1});
}

Inference infer_prod(const Attrs& attrs, const std::vector<Meta>& in) {
  Inference result = infer_reduction<Prod>(attrs, in);
  if (!in[0].shape.known()) return result;
  const int64 results = result.outputs[0].shape.count();
  const int64 factors = results == 0 ? 0 : in[0].shape.count() / results;
  result.backward_scratch = static_cast<std::size_t>(factors) * item_size(in[0].dtype);  // (factors): products before i
  return result;
}

void backward_prod(const BackwardCall& call) {
  if (!wanted(call, 0) || no_gradient(call, 1)) return;
  const Reduction reduction = reduction_of(call.attrs, call.in[0].shape());
  with_float(call.din[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* x = call.in[0].as<T>();
    const T* dy = call.dout[0].as<T>();
    T* dx = call.din[0].as<T>();
    T* before = static_cast<T*>(call.scratch);
    with_flag(call.accumulate[0], [&](auto accumulate) {
      reduction.for_each_result([&](int64 output, int64 first) {
        T product = T(1);
        int64 i = 0;
        reduction.forwards([&](int64 offset) {
          before[i++] = product;
          product *= x[first + offset];
        });
        T after = dy[output];
        reduction.backwards([&](int64 offset) {
          store<decltype(accumulate)>(dx[first + offset], before[--i] * after);
          after *= x[first + offset];
        });
      });
    });
  });
}

template <typename Fold>
Inference infer_logical(const Attrs& attrs, const std::vector<Meta>& in) {
  const char* label = std::is_same<Fold, AnyFold>::value ? "op_any" : "op_all";
  require_inputs(label, in, 1);
  require_dtype(label, in[0], DType::boolean);
  return infer_one(DType::boolean, reduced_shape(label, attrs, in[0].shape));
}

template <typename Fold>
void forward_logical(const ForwardCall& call) {
  const Reduction reduction = reduction_of(call.attrs, call.in[0].shape());
  const std::uint8_t* x = call.in[0].as<std::uint8_t>();
  std::uint8_t* y = call.out[0].as<std::uint8_t>();
  reduction.for_each_block([&](int64 output, int width, int64 offset) {
    reduction.fold<Fold>(x + offset, width, y + output,
                         [](std::uint8_t xi, int) { return static_cast<std::uint8_t>(xi != 0); });
  });
}

}  // namespace

void register_reduce_ops() {
  register_reduction<Sum>();
  register_reduction<Mean>();
  register_reduction<Max>();
  register_reduction<Min>();
  register_reduction<Var>();
  register_reduction<Std>();
  register_reduction<LogSumExp>();
  register_op({"prod", infer_prod, forward_reduction<Prod>, backward_prod, 1u, 0u, -1});
  register_op({"any", infer_logical<AnyFold>, forward_logical<AnyFold>, nullptr, 0u, 0u, -1});
  register_op({"all", infer_logical<AllFold>, forward_logical<AllFold>, nullptr, 0u, 0u, -1});
  register_scan_ops();
}

}  // namespace birnn
