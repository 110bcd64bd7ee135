// A table with at least one call of every op: what the checks of gradients, shape inference and rows run over.
#pragma once
#include <random>

#include "op_run.h"

namespace birnn_test {

constexpr int64 batch = -1;  // stands for the size of the batch in the shapes of a case

// One input: values drawn evenly from low..high (whole numbers for integers and bool).
struct Input {
  DType dtype;
  Shape shape;
  double low, high;
};

inline Input real(const Shape& shape, double low = -2, double high = 2) { return {DType::float64, shape, low, high}; }
inline Input whole(const Shape& shape, double low, double high) { return {DType::int32, shape, low, high}; }
inline Input logical(const Shape& shape) { return {DType::boolean, shape, 0, 1}; }

struct Case {
  std::string op;
  Attrs attrs;
  std::vector<Input> inputs;
  bool rows = true;  // row i of every output comes from the rows i of the inputs that have a batch
};

inline Shape with_batch(const Shape& shape, int64 size) {
  Shape out;
  for (int k = 0; k < shape.rank(); ++k) out.push(shape[k] == batch ? size : shape[k]);
  return out;
}

inline std::vector<Tensor> draw_inputs(const Case& c, int64 batch_size, DType real_type = DType::float64) {
  std::mt19937 generator(42);
  std::vector<Tensor> tensors;
  for (const Input& input : c.inputs) {
    Tensor tensor(input.dtype == DType::float64 ? real_type : input.dtype, with_batch(input.shape, batch_size));
    const bool whole_numbers = input.dtype != DType::float64;
    for (int64 i = 0; i < tensor.count(); ++i) {
      const double u = static_cast<double>(generator() >> 5) / 134217728.0;
      tensor.set(i, whole_numbers ? std::floor(input.low + u * (input.high - input.low + 1))
                                  : input.low + u * (input.high - input.low));
    }
    tensors.push_back(tensor);
  }
  return tensors;
}

inline void add_unary_cases(std::vector<Case>& cases) {
  for (const char* op : {"negative", "exp", "expm1", "abs", "square", "sign", "floor", "ceil", "round", "sin", "cos",
                         "erf", "reciprocal", "is_finite", "is_nan"})
    cases.push_back({op, {}, {real({batch, 3, 2})}});
  for (const char* op : {"log", "log1p", "log2", "log10", "sqrt", "rsqrt"})
    cases.push_back({op, {}, {real({batch, 5}, 0.2, 3)}});
  for (const char* op : {"negative", "abs", "square", "sign"}) cases.push_back({op, {}, {whole({batch, 4}, -5, 5)}});
  cases.push_back({"logical_not", {}, {logical({batch, 3})}});
  for (const char* name :
       {"linear",      "tanh",        "sigmoid",      "relu",       "relu6",       "leaky_relu",    "elu",
        "selu",        "celu",        "softplus",     "softsign",   "silu",        "gelu",          "gelu_tanh",
        "exponential", "log_sigmoid", "hard_sigmoid", "hard_silu",  "hard_tanh",   "mish",          "tanh_shrink",
        "soft_shrink", "hard_shrink", "threshold",    "squareplus", "sparse_plus", "sparse_sigmoid"})
    cases.push_back({"activation", make_attrs({}, {{"name", name}}), {real({batch, 7}, -4, 7)}});
  cases.push_back(
      {"activation", make_attrs({{"params", {0.3, 2, 0.1}}}, {{"name", "relu"}}), {real({batch, 7}, -4, 7)}});
  cases.push_back({"clip", make_attrs({{"min", {-0.5}}, {"max", {0.7}}}), {real({batch, 6})}});
  cases.push_back({"clip", make_attrs({{"min", {0.1}}}), {real({batch, 6})}});
  cases.push_back({"clip", make_attrs({{"min", {-2}}, {"max", {3}}}), {whole({batch, 6}, -5, 5)}});
  cases.push_back({"cast", make_attrs({}, {{"dtype", "float64"}}), {real({batch, 3})}});
  cases.push_back({"cast", make_attrs({}, {{"dtype", "int32"}}), {real({batch, 3})}});
  cases.push_back({"cast", make_attrs({}, {{"dtype", "bool"}}), {whole({batch, 3}, 0, 1)}});
  cases.push_back({"identity", {}, {real({batch, 3})}});
  cases.push_back({"stop_gradient", {}, {real({batch, 3})}});
}

inline void add_binary_cases(std::vector<Case>& cases) {
  for (const char* op : {"add", "subtract", "multiply", "divide", "maximum", "minimum", "floor_divide", "mod", "power",
                         "less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}) {
    const double low = std::string(op) == "power" ? 0.3 : -3;
    cases.push_back({op, {}, {real({batch, 3, 4}, low), real({batch, 3, 4}, 0.5, 3)}});
    cases.push_back({op, {}, {real({batch, 3, 4}, low), real({4}, 0.5, 3)}});
    cases.push_back({op, {}, {real({batch, 1, 4}, low), real({3, 1}, 0.5, 3)}});
    cases.push_back({op, {}, {real({}, low), real({batch, 3, 1}, 0.5, 3)}});
    cases.push_back({op, {}, {real({batch, 3, 2}, low), real({}, 0.5, 3)}});
    cases.push_back({op, {}, {real({1, 3}, low), real({batch, 3}, 0.5, 3)}});
  }
  for (const char* op : {"add", "subtract", "multiply", "maximum", "minimum", "floor_divide", "mod", "equal", "less"})
    cases.push_back({op, {}, {whole({batch, 3}, -9, 9), whole({3}, -4, 4)}});
  for (const char* op : {"logical_and", "logical_or", "logical_xor", "equal"})
    cases.push_back({op, {}, {logical({batch, 1, 3}), logical({4, 1})}});
  cases.push_back({"where", {}, {logical({batch, 3, 1}), real({batch, 3, 4}), real({4})}});
  cases.push_back({"where", {}, {logical({4}), real({batch, 1, 1}), real({})}});
}

inline void add_reduce_cases(std::vector<Case>& cases) {
  for (const char* op : {"sum", "mean", "prod", "max", "min", "var", "std", "logsumexp"}) {
    cases.push_back({op, {}, {real({batch, 3, 4})}, false});
    cases.push_back({op, make_attrs({{"axis", {-1}}}), {real({batch, 3, 20})}});
    cases.push_back({op, make_attrs({{"axis", {1}}, {"keepdims", {1}}}), {real({batch, 3, 70})}});
    cases.push_back({op, make_attrs({{"axis", {1, 3}}}), {real({batch, 2, 3, 4})}});
    cases.push_back({op, make_attrs({{"axis", {0, 2}}}), {real({batch, 2, 3, 4})}, false});
  }
  for (const char* op : {"sum", "prod", "max", "min"})
    cases.push_back({op, make_attrs({{"axis", {1}}}), {whole({batch, 4}, -5, 5)}});
  for (const char* op : {"any", "all"}) cases.push_back({op, make_attrs({{"axis", {-1}}}), {logical({batch, 3, 3})}});
  for (const char* op : {"argmax", "argmin"}) {
    cases.push_back({op, make_attrs({{"axis", {1}}}), {real({batch, 3, 4})}});
    cases.push_back({op, {}, {real({batch, 3})}, false});
  }
  for (double descending : {0.0, 1.0})
    cases.push_back({"argsort", make_attrs({{"axis", {1}}, {"descending", {descending}}}), {real({batch, 5, 2})}});
  cases.push_back({"argsort", make_attrs({{"axis", {0}}}), {whole({batch, 3}, 0, 2)}, false});
  for (const char* op : {"softmax", "log_softmax", "cumsum", "cumprod"}) {
    cases.push_back({op, make_attrs({{"axis", {-1}}}), {real({batch, 2, 5})}});
    cases.push_back({op, make_attrs({{"axis", {1}}}), {real({batch, 4, 3})}});
  }
}

inline void add_shape_cases(std::vector<Case>& cases) {
  const double open = std::numeric_limits<double>::quiet_NaN();
  cases.push_back({"reshape", make_attrs({{"shape", {-10, -1}}}), {real({batch, 3, 4})}});
  cases.push_back({"reshape", make_attrs({{"shape", {-1, 2, 2}}}), {real({batch, 4})}});
  cases.push_back({"transpose", make_attrs({{"perm", {0, 2, 1}}}), {real({batch, 3, 4})}});
  cases.push_back({"transpose", {}, {real({batch, 3, 4})}, false});
  cases.push_back({"slice", make_attrs({{"begin", {open, 1}}, {"end", {open, open}}}), {real({batch, 4, 3})}});
  cases.push_back({"slice",
                   make_attrs({{"begin", {open, -1, 3}}, {"end", {open, open, 0}}, {"stride", {1, 1, -2}}}),
                   {real({batch, 4, 5})}});
  cases.push_back({"slice", make_attrs({{"begin", {1}}, {"end", {2}}}), {real({batch, 4})}, false});
  const Attrs block = make_attrs({{"begin", {open, 1, 4}}, {"end", {open, 3, 0}}, {"stride", {1, 1, -2}}});
  cases.push_back({"slice_update", block, {real({batch, 4, 5}), real({batch, 2, 2})}});
  cases.push_back(
      {"slice_update", make_attrs({{"begin", {1}}, {"end", {2}}}), {real({batch, 3}), real({1, 3})}, false});
  cases.push_back({"flip", make_attrs({{"axis", {1}}}), {real({batch, 4, 3})}});
  cases.push_back({"flip", {}, {real({batch, 4})}, false});
  cases.push_back({"broadcast_to", make_attrs({{"shape", {-1, 3, 2}}}), {real({batch, 1, 2})}});
  cases.push_back({"broadcast_to", make_attrs({{"shape", {2, -1, 3}}}), {real({batch, 1})}, false});
  cases.push_back({"broadcast_like", {}, {real({1, 3}), real({batch, 2, 3})}});
  cases.push_back({"tile", make_attrs({{"repeats", {1, 3, 2}}}), {real({batch, 2, 3})}});
  cases.push_back({"tile", make_attrs({{"repeats", {2, 2, 1}}}), {real({batch, 3})}, false});
  cases.push_back({"repeat", make_attrs({{"repeats", {3}}, {"axis", {1}}}), {real({batch, 2, 3})}});
  cases.push_back({"repeat", make_attrs({{"repeats", {2}}}), {real({batch, 2})}, false});
  cases.push_back(
      {"concatenate", make_attrs({{"axis", {-1}}}), {real({batch, 2, 3}), real({batch, 2, 1}), real({batch, 2, 2})}});
  cases.push_back({"concatenate", make_attrs({{"axis", {0}}}), {real({batch, 2}), real({batch, 2})}, false});
  cases.push_back({"split", make_attrs({{"axis", {1}}, {"sizes", {2, 1, -1}}}), {real({batch, 6, 2})}});
  cases.push_back({"split", make_attrs({{"axis", {0}}, {"sizes", {1, -1}}}), {real({batch, 2})}, false});
  cases.push_back(
      {"pad", make_attrs({{"before", {0, 1, 0}}, {"after", {0, 2, 1}}, {"value", {9}}}), {real({batch, 2, 3})}});
  cases.push_back({"roll", make_attrs({{"shift", {-4}}, {"axis", {1}}}), {real({batch, 3, 2})}});
  cases.push_back({"roll", make_attrs({{"shift", {2}}}), {real({batch, 3})}, false});
  cases.push_back({"full_like", make_attrs({{"value", {3}}}), {real({batch, 3})}});
  cases.push_back({"full", make_attrs({{"shape", {2, 3}}, {"value", {1.5}}}, {{"dtype", "float64"}}), {}, false});
  cases.push_back({"eye", make_attrs({{"n", {3}}, {"m", {4}}, {"k", {1}}}), {}, false});
  cases.push_back({"arange", make_attrs({{"start", {1}}, {"stop", {7}}, {"step", {2}}}), {}, false});
}

inline void add_product_and_index_cases(std::vector<Case>& cases) {
  const Attrs both = make_attrs({{"transpose_a", {1}}, {"transpose_b", {1}}});
  const Attrs left = make_attrs({{"transpose_a", {1}}}), right = make_attrs({{"transpose_b", {1}}});
  cases.push_back({"matmul", {}, {real({batch, 4}), real({4, 5})}});
  cases.push_back({"matmul", {}, {real({batch, 3, 4}), real({4, 5})}});
  cases.push_back({"matmul", {}, {real({batch, 3, 4}), real({4})}});
  cases.push_back({"matmul", {}, {real({4}), real({batch, 4, 3})}});
  cases.push_back({"matmul", {}, {real({4}), real({4})}, false});
  cases.push_back({"matmul", {}, {real({batch, 3, 4}), real({batch, 4, 2})}});
  cases.push_back({"matmul", {}, {real({batch, 1, 3, 4}), real({2, 4, 2})}});
  cases.push_back({"matmul", {}, {real({3, 4}), real({batch, 4, 2})}});
  cases.push_back({"matmul", right, {real({batch, 3, 4}), real({5, 4})}});
  cases.push_back({"matmul", left, {real({batch, 4, 3}), real({batch, 4, 2})}});
  cases.push_back({"matmul", both, {real({batch, 4, 3}), real({2, 4})}});
  cases.push_back({"take", {}, {real({5, 3}), whole({batch, 4}, -5, 4)}});
  cases.push_back({"take", make_attrs({{"axis", {1}}}), {real({batch, 5, 2}), whole({3}, -5, 4)}});
  cases.push_back({"embedding", {}, {real({5, 3}), whole({batch, 7}, 0, 4)}});
  cases.push_back({"take_along_axis", make_attrs({{"axis", {1}}}), {real({batch, 4, 3}), whole({batch, 2, 3}, -4, 3)}});
  for (const char* op : {"index_add", "index_put"}) {
    cases.push_back({op, make_attrs({{"axis", {1}}}), {real({batch, 4, 3}), whole({5}, -4, 3), real({batch, 5, 3})}});
    cases.push_back({op, {}, {real({batch, 3}), whole({2}, 0, 1), real({2, 3})}, false});
  }
  cases.push_back({"one_hot", make_attrs({{"num_classes", {4}}}), {whole({batch, 3}, 0, 3)}});
}

inline void add_loss_and_random_cases(std::vector<Case>& cases) {
  for (double smoothing : {0.0, 0.2}) {
    const Attrs plain = make_attrs({{"label_smoothing", {smoothing}}});
    const Attrs logits = make_attrs({{"label_smoothing", {smoothing}}, {"from_logits", {1}}});
    for (const char* op : {"binary_crossentropy", "categorical_crossentropy"}) {
      cases.push_back({op, plain, {real({batch, 2, 4}, 0, 1), real({batch, 2, 4}, 0.05, 0.95)}});
      cases.push_back({op, logits, {real({batch, 4}, 0, 1), real({batch, 4}, -5, 5)}});
    }
  }
  const Attrs ignoring = make_attrs({{"ignore_class", {1}}, {"from_logits", {1}}});
  cases.push_back({"sparse_categorical_crossentropy", {}, {whole({batch, 2}, 0, 3), real({batch, 2, 4}, 0.05, 0.95)}});
  cases.push_back({"sparse_categorical_crossentropy", ignoring, {whole({batch, 3}, 0, 3), real({batch, 3, 4}, -5, 5)}});
  cases.push_back({"ctc_loss", {}, {whole({batch, 2}, 1, 3), real({batch, 5, 4}), whole({batch}, 0, 2), whole({batch}, 4, 5)}});
  for (const char* op : {"random_uniform", "random_normal", "truncated_normal"})
    cases.push_back({op, make_attrs({{"shape", {-10, 3, -11}}}), {whole({2}, 1, 9), real({batch, 4})}, false});
  cases.push_back({"dropout_mask", make_attrs({{"rate", {0.4}}}), {whole({2}, 1, 9), real({batch, 3, 4})}, false});
  cases.push_back({"dropout_mask",
                   make_attrs({{"rate", {0.4}}, {"shape", {-10, 1, -12}}, {"count", {4}}}),
                   {whole({2}, 1, 9), real({batch, 3, 4})},
                   false});
  cases.push_back({"next_seed", {}, {whole({2}, 1, 9)}, false});
}

inline void add_window_cases(std::vector<Case>& cases) {
  const Attrs same = make_attrs({{"strides", {2}}}, {{"padding", "same"}});
  const Attrs causal = make_attrs({{"dilation_rate", {2}}}, {{"padding", "causal"}});
  const Attrs flat = make_attrs({{"strides", {2, 1}}, {"dilation_rate", {1, 2}}}, {{"padding", "same"}});
  const Attrs deep = make_attrs({{"strides", {1, 2, 3}}});
  cases.push_back({"conv", {}, {real({batch, 5, 3}), real({2, 3, 4})}});
  cases.push_back({"conv", same, {real({batch, 6, 2}), real({3, 2, 5})}});
  cases.push_back({"conv", causal, {real({batch, 6, 2}), real({3, 2, 2})}});
  cases.push_back({"conv", {}, {real({batch, 4, 6}), real({3, 2, 9})}});
  cases.push_back({"conv", same, {real({batch, 4, 3}), real({2, 1, 6})}});
  cases.push_back({"conv", flat, {real({batch, 5, 4, 2}), real({2, 3, 2, 3})}});
  cases.push_back({"conv", deep, {real({batch, 3, 4, 5, 2}), real({2, 1, 2, 2, 3})}});
  cases.push_back({"conv_transpose", {}, {real({batch, 4, 3}), real({3, 2, 3})}});
  cases.push_back({"conv_transpose", same, {real({batch, 3, 2}), real({3, 4, 2})}});
  cases.push_back({"conv_transpose", make_attrs({{"strides", {3}}, {"output_padding", {2}}}, {{"padding", "same"}}),
                   {real({batch, 3, 2}), real({4, 1, 2})}});
  cases.push_back({"conv_transpose", make_attrs({{"strides", {3, 1}}, {"dilation_rate", {1, 2}}}),
                   {real({batch, 2, 3, 2}), real({2, 3, 2, 2})}});
  for (const char* op : {"max_pool", "average_pool"}) {
    cases.push_back({op, make_attrs({{"pool_size", {2}}, {"strides", {2}}}), {real({batch, 7, 3})}});
    cases.push_back({op, make_attrs({{"pool_size", {3}}}, {{"padding", "same"}}), {real({batch, 5, 2})}});
    cases.push_back({op, make_attrs({{"pool_size", {2, 3}}, {"strides", {1, 2}}}, {{"padding", "same"}}),
                     {real({batch, 4, 5, 2})}});
  }
}

inline std::vector<Case> op_cases() {
  std::vector<Case> cases;
  add_unary_cases(cases);
  add_binary_cases(cases);
  add_reduce_cases(cases);
  add_shape_cases(cases);
  add_product_and_index_cases(cases);
  add_window_cases(cases);
  add_loss_and_random_cases(cases);
  return cases;
}

// "sum (-1, 3, 4)": which case failed.
inline std::string describe(const Case& c) {
  std::string words = c.op;
  for (const Input& input : c.inputs) words += " " + input.shape.text();
  return words;
}

}  // namespace birnn_test
