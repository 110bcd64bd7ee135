// The bytes, types and shapes of tensors and variables (level L4).
#include "r_tensor.h"

#include <cstring>

namespace birnn {

namespace {

enum Field { field_bytes, field_dtype, field_shape, field_mask, n_fields };

SEXP field_of(SEXP tensor, Field field) {
  const SEXP fields = R_ExternalPtrProtected(tensor);
  if (TYPEOF(fields) != VECSXP) fail("stale", "this tensor has lost its numbers");
  return VECTOR_ELT(fields, field);
}

// The names of a variable's fields, looked up once.
struct FieldNames {
  SEXP bytes = Rf_install("bytes"), dtype = Rf_install("dtype"), shape = Rf_install("shape"),
       version = Rf_install("version"), shared = Rf_install("shared"), trainable = Rf_install("trainable");
};

const FieldNames& names() {
  static const FieldNames fields;
  return fields;
}

SEXP variable_field(SEXP variable, SEXP name) {
  const SEXP value = Rf_findVarInFrame3(variable, name, TRUE);
  if (value == R_UnboundValue) fail("internal", std::string("a variable without ") + CHAR(PRINTNAME(name)));
  return value;
}

bool is_shared(SEXP variable) { return Rf_asLogical(variable_field(variable, names().shared)) == TRUE; }

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

SEXP bytes_of(SEXP x) { return is_variable(x) ? variable_field(x, names().bytes) : field_of(x, field_bytes); }

SEXP shape_of(SEXP tensor) { return field_of(tensor, field_shape); }

DType dtype_of(SEXP tensor) { return static_cast<DType>(INTEGER(field_of(tensor, field_dtype))[0]); }

// R keeps every string once.
DType dtype_from_r(SEXP name) {
  static const SEXP known[] = {PRINTNAME(Rf_install("float32")), PRINTNAME(Rf_install("float64")),
                               PRINTNAME(Rf_install("int32")), PRINTNAME(Rf_install("bool"))};
  const SEXP text = STRING_ELT(name, 0);
  for (int k = 0; k < 4; ++k)
    if (text == known[k]) return static_cast<DType>(k);
  return dtype_from_name(CHAR(text));
}

View view_of(SEXP x) {
  if (Rf_isNull(x)) return View();
  View view;
  if (is_variable(x)) {
    view.meta.dtype = dtype_from_r(variable_field(x, names().dtype));
    view.meta.shape = shape_from_r(variable_field(x, names().shape));
  } else if (is_tensor(x)) {
    view.meta.dtype = dtype_of(x);
    view.meta.shape = shape_from_r(field_of(x, field_shape));
  } else {
    fail("type", "a tensor was expected");
  }
  view.data = RAW(bytes_of(x));
  return view;
}

bool is_trainable(SEXP variable) { return Rf_asLogical(variable_field(variable, names().trainable)) == TRUE; }

void mark_shared(SEXP variable) {
  if (is_shared(variable)) return;
  const Rcpp::Shield<SEXP> yes(Rf_ScalarLogical(TRUE));
  Rf_defineVar(names().shared, yes, variable);
}

const double* version_of(SEXP variable) { return REAL(variable_field(variable, names().version)); }

SEXP own_bytes(SEXP variable) {
  REAL(variable_field(variable, names().version))[0] += 1.0;  // in place: the tape watches this number
  const SEXP bytes = bytes_of(variable);
  if (!is_shared(variable)) return bytes;
  const Rcpp::Shield<SEXP> copy(Rf_duplicate(bytes));
  const Rcpp::Shield<SEXP> no(Rf_ScalarLogical(FALSE));
  Rf_defineVar(names().bytes, copy, variable);
  Rf_defineVar(names().shared, no, variable);
  return copy;
}

View writable_view(SEXP variable) {
  own_bytes(variable);
  return view_of(variable);
}

}  // namespace birnn

using namespace birnn;

// The size of the first axis that all tensors in `parts`, a list of lists, have in common (NULL is left out); NA if
// they differ or there are none.
// [[Rcpp::export(rng = false)]]
int r_common_rows(SEXP parts) {
  return guarded([&] {
    int common = NA_INTEGER;
    for (R_xlen_t i = 0; i < Rf_xlength(parts); ++i) {
      const SEXP tensors = VECTOR_ELT(parts, i);
      for (R_xlen_t k = 0; k < Rf_xlength(tensors); ++k) {
        if (Rf_isNull(VECTOR_ELT(tensors, k))) continue;
        const View view = view_of(VECTOR_ELT(tensors, k));
        const int rows = view.shape().rank() > 0 ? static_cast<int>(view.shape()[0]) : NA_INTEGER;
        if (rows == NA_INTEGER || (common != NA_INTEGER && rows != common)) return NA_INTEGER;
        common = rows;
      }
    }
    return common;
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
SEXP r_tensor_from_bytes(SEXP bytes, SEXP shape, SEXP dtype) {
  return guarded([&] { return new_tensor(bytes, dtype_from_r(dtype), shape); });
}

// [[Rcpp::export(rng = false)]]
void r_variable_set(SEXP variable, SEXP value) {
  guarded([&] {
    const View from = view_of(value), to = writable_view(variable);
    std::memmove(to.data, from.data, to.meta.bytes());
  });
}

// All numbers of these variables become 0.
// [[Rcpp::export(rng = false)]]
void r_variables_clear(SEXP variables) {
  guarded([&] {
    for (R_xlen_t k = 0; k < Rf_xlength(variables); ++k) {
      const View view = writable_view(VECTOR_ELT(variables, k));
      std::memset(view.data, 0, view.meta.bytes());
    }
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
