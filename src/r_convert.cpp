// Conversions and conditions at the border (level L4).
#include "r_convert.h"

namespace birnn {

void raise_condition(const std::string& kind, const std::string& message) {
  const Rcpp::Environment package = Rcpp::Environment::namespace_env("birnn");
  if (kind == "interrupt") {
    Rcpp::Function signal = package["signal_interrupt"];
    signal();
  }
  Rcpp::Function abort = package["abort_from_cpp"];
  abort(message, kind);
  throw Rcpp::exception("unreachable", false);
}

Attrs attrs_from_r(SEXP attrs) {
  Attrs result;
  const R_xlen_t count = Rf_xlength(attrs);
  if (count == 0) return result;
  const SEXP names = Rf_getAttrib(attrs, R_NamesSymbol);
  for (R_xlen_t k = 0; k < count; ++k) {
    const SEXP value = VECTOR_ELT(attrs, k);
    if (Rf_isNull(value)) continue;
    const std::string name = CHAR(STRING_ELT(names, k));
    if (TYPEOF(value) == STRSXP)
      result.set(name, Rcpp::as<std::vector<std::string>>(value));
    else
      result.set(name, Rcpp::as<std::vector<double>>(value));
  }
  return result;
}

Shape shape_from_r(SEXP sizes) {
  if (TYPEOF(sizes) != INTSXP) fail("internal", "a shape must be made of integers");
  Shape shape;
  const int* size = INTEGER(sizes);
  for (R_xlen_t k = 0; k < Rf_xlength(sizes); ++k) shape.push(size[k] == NA_INTEGER ? unknown_size : size[k]);
  return shape;
}

SEXP shape_to_r(const Shape& shape) {
  const SEXP sizes = Rf_allocVector(INTSXP, shape.rank());
  for (int k = 0; k < shape.rank(); ++k) {
    if (shape[k] > 2147483647) fail("resource", "an axis of " + std::to_string(shape[k]) + " elements is too long for R");
    INTEGER(sizes)[k] = shape[k] == unknown_size ? NA_INTEGER : static_cast<int>(shape[k]);
  }
  return sizes;
}

Meta meta_from_r(SEXP meta) {
  if (Rf_isNull(meta)) return Meta::none();
  const Rcpp::List list(meta);
  return Meta{dtype_from_name(Rcpp::as<std::string>(list["dtype"])), shape_from_r(list["shape"])};
}

}  // namespace birnn
