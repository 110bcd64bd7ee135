// Shape inference: unknown sizes, sizes of 0, and errors in clear words.
#include "op_cases.h"

using namespace birnn_test;

namespace {

std::vector<Meta> metas_with(const Case& c, int64 batch_size) {
  std::vector<Meta> metas;
  for (const Input& input : c.inputs) metas.push_back(Meta{input.dtype, with_batch(input.shape, batch_size)});
  return metas;
}

bool fits(const Meta& symbolic, const Meta& known) {
  if (symbolic.dtype != known.dtype || symbolic.shape.rank() != known.shape.rank()) return false;
  for (int k = 0; k < known.shape.rank(); ++k)
    if (symbolic.shape[k] != unknown_size && symbolic.shape[k] != known.shape[k]) return false;
  return true;
}

// kind and message of the error that infer raises; empty without one.
std::string infer_error(const std::string& op, const Attrs& attrs, const std::vector<Meta>& in) {
  try {
    find_op(op).infer(attrs, in);
  } catch (const Error& error) {
    return error.kind() + " | " + error.what();
  }
  return "";
}

Meta real_meta(const Shape& shape) { return Meta{DType::float32, shape}; }
Meta whole_meta(const Shape& shape) { return Meta{DType::int32, shape}; }

void check_error(const std::string& op, const Attrs& attrs, const std::vector<Meta>& in, const std::string& expected) {
  const std::string got = infer_error(op, attrs, in);
  CHECK_CASE(got == expected, op + ": got '" + got + "'");
}

}  // namespace

TEST(an_unknown_batch_gives_the_shapes_of_every_known_one) {
  for (const Case& c : op_cases()) {
    const OpDef& op = find_op(c.op);
    const Inference symbolic = op.infer(c.attrs, metas_with(c, unknown_size));
    for (int64 size : {3, 14}) {
      const Inference known = op.infer(c.attrs, metas_with(c, size));
      CHECK_CASE(symbolic.outputs.size() == known.outputs.size(), describe(c));
      for (std::size_t k = 0; k < known.outputs.size(); ++k)
        CHECK_CASE(fits(symbolic.outputs[k], known.outputs[k]),
                   describe(c) + " gives " + symbolic.outputs[k].shape.text());
    }
  }
}

TEST(sizes_that_do_not_depend_on_the_batch_are_known) {
  const auto shape_of = [](const std::string& op, const Attrs& attrs, const std::vector<Meta>& in) {
    return find_op(op).infer(attrs, in).outputs[0].shape.text();
  };
  const int64 any = unknown_size;
  CHECK(shape_of("reshape", make_attrs({{"shape", {-10, -1}}}), {real_meta({any, 5, 8})}) == "(NA, 40)");
  CHECK(shape_of("reshape", make_attrs({{"shape", {-10, -11, 2, -1}}}), {real_meta({any, any, 8})}) ==
        "(NA, NA, 2, 4)");
  CHECK(shape_of("slice", make_attrs({{"begin", {0.0 / 0.0, -1}}}), {real_meta({any, any, 8})}) == "(NA, 1, 8)");
  CHECK(shape_of("matmul", {}, {real_meta({any, any, 4}), real_meta({4, 7})}) == "(NA, NA, 7)");
  CHECK(shape_of("add", {}, {real_meta({any, 4}), real_meta({3, 1})}) == "(3, 4)");
  CHECK(shape_of("concatenate", {}, {real_meta({any, 4}), real_meta({3, any})}) == "(3, NA)");
  CHECK(shape_of("sum", make_attrs({{"axis", {0}}, {"keepdims", {1}}}), {real_meta({any, 4})}) == "(1, 4)");
}

TEST(an_empty_batch_is_computed) {
  for (const Case& c : op_cases()) {
    if (!c.rows) continue;
    const std::vector<Tensor> in = draw_inputs(c, 0);
    const Run run(c.op, c.attrs, in);
    CHECK_CASE(run.out()[0].count() == 0, describe(c));
    if (run.op().backward == nullptr || !is_floating(run.out()[0].meta().dtype)) continue;
    std::vector<Tensor> dout, din;
    for (const Tensor& out : run.out()) dout.emplace_back(out.meta().dtype, out.meta().shape);
    for (const Tensor& tensor : in) {
      din.push_back(is_floating(tensor.meta().dtype) ? Tensor(tensor.meta().dtype, tensor.meta().shape) : Tensor());
      if (!din.back().absent()) din.back().fill(5);
    }
    run.backward(dout, din, false);
    for (const Tensor& gradient : din)
      if (!gradient.absent())
        for (double value : gradient.values()) CHECK_CASE(value == 0, describe(c));
  }
}

TEST(shapes_that_do_not_fit_are_named) {
  check_error("add", {}, {real_meta({3, 4}), real_meta({5})},
              "shape | op_add: shapes (3, 4) and (5) do not fit each other");
  check_error("matmul", {}, {real_meta({3, 4}), real_meta({5, 2})},
              "shape | op_matmul: shapes (3, 4) and (5, 2) do not fit each other");
  check_error("matmul", {}, {real_meta({}), real_meta({5, 2})},
              "shape | op_matmul: needs tensors with at least one axis, got a scalar");
  check_error("concatenate", make_attrs({{"axis", {1}}}), {real_meta({3, 4}), real_meta({2, 4})},
              "shape | op_concatenate: shapes (3, 4) and (2, 4) do not fit each other");
  check_error("reshape", make_attrs({{"shape", {5, -1}}}), {real_meta({2, 3, 4})},
              "shape | op_reshape: a tensor of shape (2, 3, 4) cannot take the shape (5, NA)");
  check_error("broadcast_to", make_attrs({{"shape", {3, 5}}}), {real_meta({3, 4})},
              "shape | op_broadcast_to: a tensor of shape (3, 4) cannot be broadcast to (3, 5)");
  check_error("split", make_attrs({{"axis", {1}}, {"sizes", {2, 3}}}), {real_meta({2, 4})},
              "shape | op_split: the sizes do not add up to axis 2 of a tensor of shape (2, 4)");
  check_error("categorical_crossentropy", {}, {real_meta({2, 4}), real_meta({2, 5})},
              "shape | op_categorical_crossentropy: shapes (2, 4) and (2, 5) do not fit each other");
  check_error(
      "sparse_categorical_crossentropy", {}, {whole_meta({2, 1}), real_meta({2, 5})},
      "shape | op_sparse_categorical_crossentropy: labels of shape (2, 1) do not fit predictions of shape (2, 5)");
  check_error("take_along_axis", make_attrs({{"axis", {1}}}), {real_meta({2, 4}), whole_meta({3, 4})},
              "shape | op_take_along_axis: shapes (2, 4) and (3, 4) do not fit each other");
  check_error("pad", make_attrs({{"before", {1}}, {"after", {1}}}), {real_meta({2, 4})},
              "shape | op_pad: needs two widths for each axis of a tensor of shape (2, 4)");
}

TEST(wrong_dtypes_are_named) {
  check_error("exp", {}, {whole_meta({3})}, "type | op_exp: needs floating point numbers, not int32");
  check_error("add", {}, {whole_meta({3}), real_meta({3})},
              "type | op_add: needs inputs of one dtype, not int32 and float32");
  check_error("where", {}, {real_meta({3}), real_meta({3}), real_meta({3})},
              "type | op_where: needs bool, not float32");
  check_error("take", {}, {real_meta({3}), real_meta({3})}, "type | op_take: needs int32, not float32");
  check_error("sum", {}, {Meta{DType::boolean, {3}}}, "type | op_sum: needs numbers, not bool");
  check_error("logical_and", {}, {real_meta({3}), real_meta({3})}, "type | op_logical_and: needs bool, not float32");
}

TEST(wrong_values_are_named) {
  check_error("sum", make_attrs({{"axis", {2}}}), {real_meta({3, 4})},
              "value | op_sum: axis 3 does not exist in a tensor with 2 axes");
  check_error("sum", make_attrs({{"axis", {0, -2}}}), {real_meta({3, 4})}, "value | op_sum: axis 1 is named twice");
  check_error("max", make_attrs({{"axis", {1}}}), {real_meta({3, 0})},
              "value | op_max: there is nothing to choose from in a tensor of shape (3, 0)");
  check_error("activation", make_attrs({}, {{"name", "tann"}}), {real_meta({3})},
              "value | there is no elementwise activation 'tann'");
  check_error("cast", make_attrs({}, {{"dtype", "float16"}}), {real_meta({3})},
              "value | unknown dtype \"float16\": use \"float32\", \"float64\", \"int32\" or \"bool\"");
  check_error("transpose", make_attrs({{"perm", {0, 0}}}), {real_meta({3, 4})},
              "value | op_transpose: axis 1 is named twice");
  check_error("slice", make_attrs({{"begin", {3}}, {"end", {4}}}), {real_meta({3})},
              "value | op_slice: axis 1 of size 3 has no element 4");
  check_error("slice", make_attrs({{"stride", {0}}}), {real_meta({3})}, "value | op_slice: the stride of axis 1 is 0");
  check_error("reshape", make_attrs({{"shape", {-1, -1}}}), {real_meta({3})},
              "value | op_reshape: only one size can be left open");
  check_error("dropout_mask", make_attrs({{"rate", {1.5}}}), {whole_meta({2}), real_meta({3})},
              "value | op_dropout_mask: the rate must be a number from 0 to 1");
  check_error("arange", make_attrs({{"stop", {4}}, {"step", {0}}}), {},
              "value | op_arange: needs finite bounds and a step that is not 0");
  check_error("one_hot", make_attrs({{"num_classes", {0}}}), {whole_meta({3})},
              "value | op_one_hot: needs at least one class");
}

namespace {

// The error of a forward pass, which must come before anything is written.
std::string index_error(const std::string& op, const Attrs& attrs, const std::vector<Tensor>& in) {
  const OpDef& def = find_op(op);
  const Meta meta = def.infer(attrs, metas_of(in)).outputs[0];
  Tensor out(meta.dtype, meta.shape);
  out.fill(42);
  const std::vector<View> in_views = views_of(in);
  const View view = out.view();
  try {
    def.forward(ForwardCall{attrs, in_views.data(), &view, nullptr, nullptr});
  } catch (const Error& error) {
    for (double value : out.values()) CHECK_CASE(value == 42, op + " wrote something");
    return error.what();
  }
  return "";
}

}  // namespace

TEST(bad_indices_are_named_before_anything_is_written) {
  const Tensor x = Tensor::of(DType::float32, {3, 2}, {1, 2, 3, 4, 5, 6});
  const auto indices = [](const std::vector<double>& values) {
    return Tensor::of(DType::int32, Shape{static_cast<int64>(values.size())}, values);
  };
  CHECK(index_error("take", {}, {x, indices({0, -3, 3, 9})}) == "op_take: index 3 (number 3): must be in -3..2");
  CHECK(index_error("embedding", {}, {x, indices({0, -1})}) == "op_embedding: index -1 (number 2): must be in 0..2");
  CHECK(index_error("take_along_axis", make_attrs({{"axis", {1}}}), {x, Tensor::of(DType::int32, {3, 1}, {0, 2, 0})}) ==
        "op_take_along_axis: index 2 (number 2): must be in -2..1");
  CHECK(index_error("one_hot", make_attrs({{"num_classes", {2}}}), {indices({0, 2})}) ==
        "op_one_hot: index 2 (number 2): must be in 0..1");
  CHECK(index_error("sparse_categorical_crossentropy", {}, {indices({0, 1, 2}), x}) ==
        "op_sparse_categorical_crossentropy: index 2 (number 3): must be in 0..1");
  CHECK(index_error("sparse_categorical_crossentropy", make_attrs({{"ignore_class", {-1}}}),
                    {indices({0, -1, 1}), x}) == "");
}
