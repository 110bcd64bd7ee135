// R arrays into tensors and back (level L4).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "r_tensor.h"

namespace birnn {

namespace {

// The axes of an array that are longer than 1 (the others move nothing), with their strides in either order.
struct Axes {
  int rank = 0;
  std::int64_t size[max_rank], row_major[max_rank], column_major[max_rank];

  explicit Axes(const Shape& shape) {
    for (int k = 0; k < shape.rank(); ++k)
      if (shape[k] != 1) size[rank++] = shape[k];
    std::int64_t step = 1;
    for (int k = 0; k < rank; step *= size[k++]) column_major[k] = step;
    step = 1;
    for (int k = rank - 1; k >= 0; step *= size[k--]) row_major[k] = step;
  }
};

// Calls move(row-major position, column-major position) for a piece of an array: `rows` indices of the first axis by
// `columns` of the last.
template <typename Move>
void move_piece(const Axes& axes, std::int64_t i, std::int64_t j, std::int64_t rows, std::int64_t columns, Move move) {
  const std::int64_t row_step = axes.row_major[0], column_step = axes.column_major[axes.rank - 1];
  for (std::int64_t c = 0; c < columns; ++c)
    for (std::int64_t r = 0; r < rows; ++r) move(i + r * row_step + c, j + c * column_step + r);
}

// The same for all elements. Pieces are a line of memory long on either side (8 doubles, 16 floats), and the
// column-major side is gone through in 16 streams from its beginning to its end.
template <typename Move>
void for_all_positions(const Shape& shape, Move move) {
  const Axes axes(shape);
  const std::int64_t count = shape.count();
  if (axes.rank < 2 || count == 0) {
    for (std::int64_t i = 0; i < count; ++i) move(i, i);
    return;
  }
  constexpr std::int64_t rows = 8, columns = 16;
  const int last = axes.rank - 1;
  const std::int64_t n_rows = axes.size[0], n_columns = axes.size[last];
  const std::int64_t n_between = count / n_rows / n_columns;
  for (std::int64_t c = 0; c < n_columns; c += columns) {
    std::int64_t index[max_rank] = {0};  // of the axes between the first and the last, the first of them fastest
    std::int64_t i = c, j = c * axes.column_major[last];
    for (std::int64_t between = 0; between < n_between; ++between) {
      for (std::int64_t r = 0; r < n_rows; r += rows)
        move_piece(axes, i + r * axes.row_major[0], j + r, std::min(rows, n_rows - r), std::min(columns, n_columns - c),
                   move);
      for (int k = 1; k < last; ++k) {
        i += axes.row_major[k];
        j += axes.column_major[k];
        if (++index[k] < axes.size[k]) break;
        i -= axes.row_major[k] * axes.size[k];
        j -= axes.column_major[k] * axes.size[k];
        index[k] = 0;
      }
    }
  }
}

double number_at(const double* x, std::int64_t i) { return x[i]; }
double number_at(const int* x, std::int64_t i) {
  return x[i] == NA_INTEGER ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(x[i]);
}

template <typename From>
void fill_from_r(const From* from, const View& to) {
  const Shape& shape = to.shape();
  switch (to.dtype()) {
    case DType::float32: {
      float* out = to.as<float>();
      for_all_positions(shape,
                        [=](std::int64_t i, std::int64_t j) { out[i] = static_cast<float>(number_at(from, j)); });
      return;
    }
    case DType::float64: {
      double* out = to.as<double>();
      for_all_positions(shape, [=](std::int64_t i, std::int64_t j) { out[i] = number_at(from, j); });
      return;
    }
    case DType::int32: {
      std::int32_t* out = to.as<std::int32_t>();
      for_all_positions(shape, [=](std::int64_t i, std::int64_t j) {
        const double x = number_at(from, j);
        if (!(std::abs(x) < 2147483648.0))
          fail("value", "NA, Inf and numbers beyond 2^31 cannot be integers of a tensor");
        out[i] = static_cast<std::int32_t>(x);
      });
      return;
    }
    case DType::boolean: {
      unsigned char* out = to.as<unsigned char>();
      for_all_positions(shape, [=](std::int64_t i, std::int64_t j) {
        const double x = number_at(from, j);
        if (std::isnan(x)) fail("value", "NA is neither TRUE nor FALSE: a tensor of logicals cannot hold it");
        out[i] = x != 0.0;
      });
      return;
    }
  }
}

void fill_from_r(SEXP x, const View& to) {
  if (TYPEOF(x) == REALSXP)
    fill_from_r(REAL(x), to);
  else if (TYPEOF(x) == INTSXP)
    fill_from_r(INTEGER(x), to);
  else if (TYPEOF(x) == LGLSXP)
    fill_from_r(LOGICAL(x), to);
  else
    fail("type", "a tensor is made of numbers or logicals");
}

template <typename From, typename To>
void fill_r(const From* from, To* to, const Shape& shape) {
  for_all_positions(shape, [=](std::int64_t i, std::int64_t j) { to[j] = static_cast<To>(from[i]); });
}

template <typename To>
void fill_r(const View& from, To* to) {
  switch (from.dtype()) {
    case DType::float32:
      return fill_r(from.as<float>(), to, from.shape());
    case DType::float64:
      return fill_r(from.as<double>(), to, from.shape());
    case DType::int32:
      return fill_r(from.as<std::int32_t>(), to, from.shape());
    case DType::boolean:
      return fill_r(from.as<unsigned char>(), to, from.shape());
  }
}

// Sizes of a batch against those wanted, of which any may be unknown; the number of rows is free.
bool sizes_fit(const Shape& sizes, const Shape& wanted) {
  if (sizes.rank() != wanted.rank()) return false;
  for (int axis = 1; axis < sizes.rank(); ++axis) {
    if (sizes[axis] == 0) return false;
    if (sizes[axis] != wanted[axis] && sizes[axis] != unknown_size && wanted[axis] != unknown_size) return false;
  }
  return true;
}

// Whether a type takes these numbers as they are: whole ones, if it is one of whole numbers.
bool takes_numbers(DType dtype, SEXP x) {
  if (is_floating(dtype)) return TYPEOF(x) == REALSXP;
  if (dtype != DType::int32) return false;
  if (TYPEOF(x) != REALSXP) return TYPEOF(x) == INTSXP;
  const double* number = REAL(x);
  return std::all_of(number, number + Rf_xlength(x), [](double value) { return value == std::trunc(value); });
}

SEXP fitting_tensor(SEXP x, const Rcpp::List& spec) {
  const SEXP dtype = spec["dtype"], shape = spec["shape"], sizes = Rf_getAttrib(x, R_DimSymbol);
  if (Rf_isObject(x) || Rf_isNull(dtype) || Rf_isNull(shape) || Rf_isNull(sizes)) return R_NilValue;
  if (std::strcmp(CHAR(STRING_ELT(dtype, 0)), "string") == 0) return R_NilValue;
  const Meta meta{dtype_from_r(dtype), shape_from_r(sizes)};
  if (!sizes_fit(meta.shape, shape_from_r(shape)) || !takes_numbers(meta.dtype, x)) return R_NilValue;
  const Rcpp::Shield<SEXP> tensor(new_tensor(meta));
  fill_from_r(x, view_of(tensor));
  return tensor;
}

}  // namespace

}  // namespace birnn

using namespace birnn;

// [[Rcpp::export(rng = false)]]
SEXP r_tensor_from_r(SEXP x, SEXP sizes, SEXP dtype) {
  return guarded([&]() -> SEXP {
    const Meta meta{dtype_from_r(dtype), shape_from_r(sizes)};
    const Rcpp::Shield<SEXP> tensor(new_tensor(meta));
    fill_from_r(x, view_of(tensor));
    return tensor;
  });
}

// Tensors of an array, or of a list of arrays without names, that fit `specs` as they are: plain numbers with as many
// axes, none of size 0. NULL if R has to look closer. `specs`: a list of list(shape, dtype, ...), see meta_from_r();
// shapes and dtypes may be NULL, or the dtype be "string".
// [[Rcpp::export(rng = false)]]
SEXP r_fitting_tensors(SEXP x, SEXP specs) {
  return guarded([&]() -> SEXP {
    const bool is_list = TYPEOF(x) == VECSXP;
    if (Rf_isObject(x) || (is_list && !Rf_isNull(Rf_getAttrib(x, R_NamesSymbol)))) return R_NilValue;
    const R_xlen_t count = is_list ? Rf_xlength(x) : 1;
    if (count != Rf_xlength(specs)) return R_NilValue;
    const Rcpp::Shield<SEXP> tensors(Rf_allocVector(VECSXP, count));
    for (R_xlen_t k = 0; k < count; ++k) {
      const SEXP tensor = fitting_tensor(is_list ? VECTOR_ELT(x, k) : x, VECTOR_ELT(specs, k));
      if (Rf_isNull(tensor)) return R_NilValue;
      SET_VECTOR_ELT(tensors, k, tensor);
    }
    return tensors;
  });
}

// Whether sizes are those wanted, as above; NA is any size on either side.
// [[Rcpp::export(rng = false)]]
bool r_sizes_fit(SEXP sizes, SEXP wanted) {
  return guarded([&] { return sizes_fit(shape_from_r(sizes), shape_from_r(wanted)); });
}

// As an array of the type that R has for its numbers, or of doubles.
// [[Rcpp::export(rng = false)]]
SEXP r_tensor_to_r(SEXP tensor, bool as_double = false) {
  return guarded([&]() -> SEXP {
    const View view = view_of(tensor);
    const DType dtype = view.dtype();
    const SEXPTYPE type = as_double || is_floating(dtype) ? REALSXP : dtype == DType::int32 ? INTSXP : LGLSXP;
    const Rcpp::Shield<SEXP> result(Rf_allocVector(type, static_cast<R_xlen_t>(view.count())));
    if (type == REALSXP)
      fill_r(view, REAL(result));
    else
      fill_r(view, type == INTSXP ? INTEGER(result) : LOGICAL(result));
    if (view.shape().rank() > 0) Rf_setAttrib(result, R_DimSymbol, Rcpp::Shield<SEXP>(shape_to_r(view.shape())));
    return result;
  });
}
