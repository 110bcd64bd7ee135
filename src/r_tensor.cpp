// R arrays into tensors and back, and the bytes of tensors and variables (level L4).
#include "r_tensor.h"

#include <cmath>
#include <cstring>

namespace birnn {

namespace {

enum Field { field_bytes, field_dtype, field_shape, field_mask, n_fields };

SEXP field_of(SEXP tensor, Field field) {
  const SEXP fields = R_ExternalPtrProtected(tensor);
  if (TYPEOF(fields) != VECSXP) fail("stale", "this tensor has lost its numbers");
  return VECTOR_ELT(fields, field);
}

SEXP variable_field(SEXP variable, const char* name) {
  const SEXP value = Rf_findVarInFrame3(variable, Rf_install(name), TRUE);
  if (value == R_UnboundValue) fail("internal", std::string("a variable without ") + name);
  return value;
}

SEXP handle_class() {
  static SEXP names = nullptr;
  if (names == nullptr) {
    names = Rf_mkString("birnn_tensor");
    R_PreserveObject(names);
  }
  return names;
}

SEXP dtype_number(DType dtype) {
  static SEXP numbers[4] = {nullptr, nullptr, nullptr, nullptr};
  SEXP& number = numbers[static_cast<int>(dtype)];
  if (number == nullptr) {
    number = Rf_ScalarInteger(static_cast<int>(dtype));
    R_PreserveObject(number);
    MARK_NOT_MUTABLE(number);
  }
  return number;
}

}  // namespace

SEXP new_tensor(SEXP bytes, DType dtype, SEXP shape, SEXP mask) {
  const Rcpp::Shield<SEXP> keep_bytes(bytes), keep_shape(shape), keep_mask(mask);
  const Rcpp::Shield<SEXP> fields(Rf_allocVector(VECSXP, n_fields));
  SET_VECTOR_ELT(fields, field_bytes, bytes);
  SET_VECTOR_ELT(fields, field_dtype, dtype_number(dtype));
  SET_VECTOR_ELT(fields, field_shape, shape);
  SET_VECTOR_ELT(fields, field_mask, mask);
  const Rcpp::Shield<SEXP> handle(R_MakeExternalPtr(RAW(bytes), R_NilValue, fields));
  Rf_setAttrib(handle, R_ClassSymbol, handle_class());
  return handle;
}

SEXP new_tensor(const Meta& meta) {
  const Rcpp::Shield<SEXP> bytes(Rf_allocVector(RAWSXP, static_cast<R_xlen_t>(meta.bytes())));
  const Rcpp::Shield<SEXP> shape(shape_to_r(meta.shape));
  return new_tensor(bytes, meta.dtype, shape);
}

bool is_tensor(SEXP x) { return TYPEOF(x) == EXTPTRSXP && TYPEOF(R_ExternalPtrProtected(x)) == VECSXP; }

bool is_variable(SEXP x) { return TYPEOF(x) == ENVSXP; }

SEXP bytes_of(SEXP x) { return is_variable(x) ? variable_field(x, "bytes") : field_of(x, field_bytes); }

SEXP shape_of(SEXP tensor) { return field_of(tensor, field_shape); }

DType dtype_of(SEXP tensor) { return static_cast<DType>(INTEGER(field_of(tensor, field_dtype))[0]); }

View view_of(SEXP x) {
  if (Rf_isNull(x)) return View();
  View view;
  if (is_variable(x)) {
    view.meta.dtype = dtype_from_name(CHAR(STRING_ELT(variable_field(x, "dtype"), 0)));
    view.meta.shape = shape_from_r(variable_field(x, "shape"));
  } else if (is_tensor(x)) {
    view.meta.dtype = dtype_of(x);
    view.meta.shape = shape_from_r(field_of(x, field_shape));
  } else {
    fail("type", "a tensor was expected");
  }
  view.data = RAW(bytes_of(x));
  return view;
}

bool is_trainable(SEXP variable) { return Rf_asLogical(variable_field(variable, "trainable")) == TRUE; }

void mark_shared(SEXP variable) {
  if (Rf_asLogical(variable_field(variable, "shared")) != TRUE)
    Rf_defineVar(Rf_install("shared"), Rcpp::Shield<SEXP>(Rf_ScalarLogical(TRUE)), variable);
}

const double* version_of(SEXP variable) { return REAL(variable_field(variable, "version")); }

View writable_view(SEXP variable) {
  Rcpp::Environment fields(variable);
  if (Rcpp::as<bool>(fields.get("shared"))) {
    const Rcpp::Shield<SEXP> copy(Rf_duplicate(fields.get("bytes")));
    fields.assign("bytes", static_cast<SEXP>(copy));
    fields.assign("shared", false);
  }
  const SEXP version = fields.get("version");
  REAL(version)[0] += 1.0;  // in place: the tape watches this number
  return view_of(variable);
}

namespace {

// For row r of the trailing axes in row-major order: its offset in a column-major array of the same sizes.
std::vector<std::int64_t> column_major_offsets(const Shape& shape) {
  const std::int64_t rest = shape.count(1, shape.rank());
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(rest));
  std::int64_t stride[max_rank], index[max_rank] = {0};
  stride[0] = 1;
  for (int k = 1; k < shape.rank(); ++k) stride[k] = stride[k - 1] * shape[k - 1];
  std::int64_t offset = 0;
  for (std::int64_t r = 0; r < rest; ++r) {
    offsets[static_cast<std::size_t>(r)] = offset;
    for (int k = shape.rank() - 1; k >= 1; --k) {
      offset += stride[k];
      if (++index[k] < shape[k]) break;
      offset -= stride[k] * shape[k];
      index[k] = 0;
    }
  }
  return offsets;
}

// Calls move(row-major position, column-major position) for all elements, 8 batch rows at a time: both sides then
// run through memory in lines, not in single elements.
template <typename Move>
void for_all_positions(const Shape& shape, Move move) {
  if (shape.rank() < 2) {
    for (std::int64_t i = 0; i < shape.count(); ++i) move(i, i);
    return;
  }
  const std::vector<std::int64_t> offsets = column_major_offsets(shape);
  const std::int64_t rows = shape[0], rest = static_cast<std::int64_t>(offsets.size());
  constexpr std::int64_t block = 8;
  for (std::int64_t first = 0; first < rows; first += block) {
    const std::int64_t end = std::min(rows, first + block);
    for (std::int64_t r = 0; r < rest; ++r)
      for (std::int64_t b = first; b < end; ++b) move(b * rest + r, b + offsets[static_cast<std::size_t>(r)]);
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
      for_all_positions(shape, [=](std::int64_t i, std::int64_t j) { out[i] = static_cast<float>(number_at(from, j)); });
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
        if (!(std::abs(x) < 2147483648.0)) fail("value", "NA, Inf and numbers beyond 2^31 cannot be integers of a tensor");
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

template <typename From, typename To>
void fill_r(const From* from, To* to, const Shape& shape) {
  for_all_positions(shape, [=](std::int64_t i, std::int64_t j) { to[j] = static_cast<To>(from[i]); });
}

}  // namespace

}  // namespace birnn

using namespace birnn;

// [[Rcpp::export(rng = false)]]
SEXP r_tensor_from_r(SEXP x, SEXP sizes, std::string dtype) {
  return guarded([&]() -> SEXP {
    const Meta meta{dtype_from_name(dtype), shape_from_r(sizes)};
    const Rcpp::Shield<SEXP> tensor(new_tensor(meta));
    const View view = view_of(tensor);
    if (TYPEOF(x) == REALSXP)
      fill_from_r(REAL(x), view);
    else if (TYPEOF(x) == INTSXP)
      fill_from_r(INTEGER(x), view);
    else if (TYPEOF(x) == LGLSXP)
      fill_from_r(LOGICAL(x), view);
    else
      fail("type", "a tensor is made of numbers or logicals");
    return tensor;
  });
}

// [[Rcpp::export(rng = false)]]
SEXP r_tensor_to_r(SEXP tensor) {
  return guarded([&]() -> SEXP {
    const View view = view_of(tensor);
    const DType dtype = view.dtype();
    const SEXPTYPE type = is_floating(dtype) ? REALSXP : dtype == DType::int32 ? INTSXP : LGLSXP;
    const Rcpp::Shield<SEXP> result(Rf_allocVector(type, static_cast<R_xlen_t>(view.count())));
    switch (dtype) {
      case DType::float32: fill_r(view.as<float>(), REAL(result), view.shape()); break;
      case DType::float64: fill_r(view.as<double>(), REAL(result), view.shape()); break;
      case DType::int32: fill_r(view.as<std::int32_t>(), INTEGER(result), view.shape()); break;
      case DType::boolean: fill_r(view.as<unsigned char>(), LOGICAL(result), view.shape()); break;
    }
    if (view.shape().rank() > 0) Rf_setAttrib(result, R_DimSymbol, Rcpp::Shield<SEXP>(shape_to_r(view.shape())));
    return result;
  });
}

// [[Rcpp::export(rng = false)]]
std::string r_tensor_dtype(SEXP tensor) {
  return guarded([&] { return std::string(dtype_name(view_of(tensor).dtype())); });
}

// [[Rcpp::export(rng = false)]]
SEXP r_tensor_shape(SEXP tensor) {
  return guarded([&] { return field_of(tensor, field_shape); });
}

// [[Rcpp::export(rng = false)]]
SEXP r_tensor_mask(SEXP tensor) {
  return guarded([&] { return field_of(tensor, field_mask); });
}

// [[Rcpp::export(rng = false)]]
SEXP r_tensor_with_mask(SEXP tensor, SEXP mask) {
  return guarded([&]() -> SEXP {
    const Rcpp::Shield<SEXP> handle(new_tensor(bytes_of(tensor), view_of(tensor).dtype(), shape_of(tensor), mask));
    R_SetExternalPtrTag(handle, R_ExternalPtrTag(tensor));
    return handle;
  });
}

// [[Rcpp::export(rng = false)]]
SEXP r_tensor_bytes(SEXP tensor) {
  return guarded([&] { return bytes_of(tensor); });
}

// [[Rcpp::export(rng = false)]]
SEXP r_tensor_copy_bytes(SEXP tensor) {
  return guarded([&] { return Rf_duplicate(bytes_of(tensor)); });
}

// [[Rcpp::export(rng = false)]]
SEXP r_tensor_from_bytes(SEXP bytes, SEXP shape, std::string dtype) {
  return guarded([&] { return new_tensor(bytes, dtype_from_name(dtype), shape); });
}

// [[Rcpp::export(rng = false)]]
void r_variable_set(SEXP variable, SEXP value) {
  guarded([&] {
    const View from = view_of(value), to = writable_view(variable);
    std::memmove(to.data, from.data, to.meta.bytes());
  });
}

// [[Rcpp::export(rng = false)]]
SEXP r_tensor_rows(SEXP tensor, Rcpp::IntegerVector rows) {
  return guarded([&]() -> SEXP {
    const View from = view_of(tensor);
    Meta meta = from.meta;
    meta.shape[0] = rows.size();
    const Rcpp::Shield<SEXP> result(new_tensor(meta));
    const std::size_t row_bytes =
        static_cast<std::size_t>(from.shape().count(1, from.shape().rank())) * item_size(from.dtype());
    char* to = view_of(result).as<char>();
    for (R_xlen_t k = 0; k < rows.size(); ++k, to += row_bytes) {
      if (rows[k] < 1 || rows[k] > from.shape()[0]) fail("value", "there is no row " + std::to_string(rows[k]));
      std::memcpy(to, from.as<char>() + row_bytes * static_cast<std::size_t>(rows[k] - 1), row_bytes);
    }
    return result;
  });
}
