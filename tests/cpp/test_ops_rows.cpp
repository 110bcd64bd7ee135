// A row's result has the same bits alone and in any batch, forward and backward.
#include "each_isa.h"
#include "op_cases.h"

using namespace birnn_test;

namespace {

bool has_batch(const Shape& shape) { return shape.rank() > 0 && shape[0] == batch; }

Tensor row_of(const Tensor& tensor, int64 row) {
  Shape shape = tensor.meta().shape;
  shape[0] = 1;
  Tensor out(tensor.meta().dtype, shape);
  const std::size_t bytes = out.meta().bytes();
  std::memcpy(out.data(), static_cast<const char*>(tensor.data()) + static_cast<std::size_t>(row) * bytes, bytes);
  return out;
}

std::vector<Tensor> rows_of(const Case& c, const std::vector<Tensor>& in, int64 row) {
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < in.size(); ++i) out.push_back(has_batch(c.inputs[i].shape) ? row_of(in[i], row) : in[i]);
  return out;
}

std::vector<Tensor> gradients(const Run& run, const std::vector<Tensor>& in, const std::vector<Tensor>& dout) {
  std::vector<Tensor> din;
  for (const Tensor& tensor : in)
    din.push_back(is_floating(tensor.meta().dtype) ? Tensor(tensor.meta().dtype, tensor.meta().shape) : Tensor());
  run.backward(dout, din, false);
  return din;
}

std::vector<Tensor> gradients_from_above(const Run& run) {
  std::vector<Tensor> dout;
  for (const Tensor& out : run.out()) {
    dout.emplace_back(out.meta().dtype, out.meta().shape);
    for (int64 i = 0; i < out.count(); ++i) dout.back().set(i, std::cos(0.3 + 1.7 * static_cast<double>(i)));
  }
  return dout;
}

void check_rows(const Case& c, DType real_type) {
  constexpr int64 size = 5;
  const std::vector<Tensor> in = draw_inputs(c, size, real_type);
  const Run whole_batch(c.op, c.attrs, in);
  const bool differentiable = whole_batch.op().backward != nullptr && is_floating(whole_batch.out()[0].meta().dtype);
  const std::vector<Tensor> dout = gradients_from_above(whole_batch);
  const std::vector<Tensor> din = differentiable ? gradients(whole_batch, in, dout) : std::vector<Tensor>();
  for (int64 row = 0; row < size; ++row) {
    const std::vector<Tensor> in_row = rows_of(c, in, row);
    const Run alone(c.op, c.attrs, in_row);
    std::vector<Tensor> dout_row;
    for (std::size_t k = 0; k < alone.out().size(); ++k) {
      CHECK_CASE(alone.out()[k].same_bits(row_of(whole_batch.out()[k], row)), describe(c));
      dout_row.push_back(row_of(dout[k], row));
    }
    if (!differentiable) continue;
    const std::vector<Tensor> din_row = gradients(alone, in_row, dout_row);
    for (std::size_t i = 0; i < in.size(); ++i)
      if (has_batch(c.inputs[i].shape) && !din[i].absent())
        CHECK_CASE(din_row[i].same_bits(row_of(din[i], row)), describe(c) + " backward");
  }
}

}  // namespace

TEST(a_row_has_the_same_bits_alone_and_in_a_batch) {
  on_every_isa([] {
    for (const Case& c : op_cases())
      if (c.rows)
        for (DType real_type : {DType::float32, DType::float64})
          if (c.op != "cast" || real_type == DType::float64) check_rows(c, real_type);
  });
}
