// Matrix product with numpy's rules for vectors and batches (level L3).
#include "gemm.h"
#include "ops_families.h"
#include "ops_loops.h"

namespace birnn {

namespace {

constexpr const char* label = "op_matmul";

// One operand as a stack of matrices (rows, columns) as the product uses them; stored transposed if `transposed`.
struct Operand {
  Shape batch;
  int64 rows, columns;
  bool vector, transposed;
  int64 stored_columns() const { return transposed ? rows : columns; }
  int64 matrix() const { return rows * columns; }
};

// A vector is one row on the left and one column on the right; transposing it means nothing.
Operand operand_of(const Shape& shape, bool left, bool transpose) {
  const int rank = shape.rank();
  if (rank == 0) fail_op(label, "shape", "needs tensors with at least one axis, got a scalar");
  if (rank == 1) return {Shape(), left ? 1 : shape[0], left ? shape[0] : 1, true, false};
  Operand operand{Shape(), shape[rank - 2], shape[rank - 1], false, transpose};
  if (transpose) std::swap(operand.rows, operand.columns);
  for (int k = 0; k < rank - 2; ++k) operand.batch.push(shape[k]);
  return operand;
}

// (..., m, k) x (..., k, n)
struct Product {
  Operand a, b;
  Shape batch;
  Product(const Attrs& attrs, const Shape& shape_a, const Shape& shape_b)
      : a(operand_of(shape_a, true, attrs.flag("transpose_a"))),
        b(operand_of(shape_b, false, attrs.flag("transpose_b"))) {
    if (a.columns != b.rows && a.columns != unknown_size && b.rows != unknown_size)
      fail_op(label, "shape", "shapes " + shape_a.text() + " and " + shape_b.text() + " do not fit each other");
    batch = broadcast_shapes(a.batch, b.batch, label);
  }
  int64 m() const { return a.rows; }
  int64 k() const { return a.columns; }
  int64 n() const { return b.columns; }

  // (N..., m, k) x (k, n) is one product of N*m rows.
  void flatten() {
    if (b.batch.rank() > 0 || a.transposed || a.batch.rank() == 0) return;
    a.rows *= a.batch.count();
    a.batch = batch = Shape();
  }
};

Inference infer_matmul(const Attrs& attrs, const std::vector<Meta>& in) {
  require_inputs(label, in, 2);
  require_floating(label, in[0]);
  require_same_dtype(label, in[0], in[1]);
  const Product product(attrs, in[0].shape, in[1].shape);
  Shape out = product.batch;
  if (!product.a.vector) out.push(product.m());
  if (!product.b.vector) out.push(product.n());
  return infer_one(in[0].dtype, out);
}

// Calls fn(matrix of a, matrix of b, matrix of c) for every product of the stack: offsets in elements.
template <typename Fn>
void for_each_matrix(const Product& product, Fn&& fn) {
  const Grid<2> grid = broadcast_grid<2>(product.batch, {&product.a.batch, &product.b.batch});
  int64 c = 0;
  walk(grid, [&](const int64(&matrix)[2]) {
    fn(matrix[0] * product.a.matrix(), matrix[1] * product.b.matrix(), c);
    c += product.m() * product.n();
  });
}

void forward_matmul(const ForwardCall& call) {
  Product product(call.attrs, call.in[0].shape(), call.in[1].shape());
  product.flatten();
  with_float(call.out[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    for_each_matrix(product, [&](int64 a, int64 b, int64 c) {
      gemm<T>(product.a.transposed, product.b.transposed, product.m(), product.n(), product.k(), call.in[0].as<T>() + a,
              product.a.stored_columns(), call.in[1].as<T>() + b, product.b.stored_columns(), false,
              call.out[0].as<T>() + c, product.n());
    });
  });
}

// dA = dC B', or its transpose B dC' where A is stored transposed.
template <typename T>
void left_gradient(const Product& product, const T* b, const T* dc, bool accumulate, T* da) {
  const int64 m = product.m(), n = product.n(), k = product.k(), ldb = product.b.stored_columns();
  if (product.a.transposed)
    gemm<T>(product.b.transposed, true, k, m, n, b, ldb, dc, n, accumulate, da, m);
  else
    gemm<T>(false, !product.b.transposed, m, k, n, dc, n, b, ldb, accumulate, da, k);
}

// dB = A' dC, or its transpose dC' A where B is stored transposed.
template <typename T>
void right_gradient(const Product& product, const T* a, const T* dc, bool accumulate, T* db) {
  const int64 m = product.m(), n = product.n(), k = product.k(), lda = product.a.stored_columns();
  if (product.b.transposed)
    gemm<T>(true, product.a.transposed, n, k, m, dc, n, a, lda, accumulate, db, k);
  else
    gemm<T>(!product.a.transposed, false, k, n, m, a, lda, dc, n, accumulate, db, n);
}

// A matrix that several products share gets the sum of their gradients, in the order of the stack.
void backward_matmul(const BackwardCall& call) {
  if (no_gradient(call, 2)) return;
  Product product(call.attrs, call.in[0].shape(), call.in[1].shape());
  product.flatten();
  with_float(call.dout[0].dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T *a = call.in[0].as<T>(), *b = call.in[1].as<T>(), *dc = call.dout[0].as<T>();
    for (int operand = 0; operand < 2; ++operand) {
      if (!wanted(call, operand)) continue;
      const bool shared = (operand == 0 ? product.a : product.b).batch != product.batch;
      if (shared) start_sum(call, operand);
      const bool accumulate = shared || call.accumulate[operand];
      T* din = call.din[operand].as<T>();
      for_each_matrix(product, [&](int64 matrix_a, int64 matrix_b, int64 matrix_c) {
        if (operand == 0)
          left_gradient(product, b + matrix_b, dc + matrix_c, accumulate, din + matrix_a);
        else
          right_gradient(product, a + matrix_a, dc + matrix_c, accumulate, din + matrix_b);
      });
    }
  });
}

}  // namespace

void register_matmul_ops() {
  register_op({"matmul", infer_matmul, forward_matmul, backward_matmul, 3u, 0u, -1});
  register_conv_ops();
  register_pool_ops();
}

}  // namespace birnn
