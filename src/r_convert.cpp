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

Attrs attrs_from_r(const Rcpp::List& attrs) {
  Attrs result;
  if (attrs.size() == 0) return result;
  const Rcpp::CharacterVector names = attrs.names();
  for (R_xlen_t k = 0; k < attrs.size(); ++k) {
    const SEXP value = attrs[k];
    const std::string name = Rcpp::as<std::string>(names[k]);
    if (Rf_isNull(value)) continue;
    if (TYPEOF(value) == STRSXP)
      result.set(name, Rcpp::as<std::vector<std::string>>(value));
    else
      result.set(name, Rcpp::as<std::vector<double>>(value));
  }
  return result;
}

Shape shape_from_r(SEXP sizes) {
  Shape shape;
  const Rcpp::IntegerVector vector(sizes);
  for (const int size : vector) shape.push(size == NA_INTEGER ? unknown_size : size);
  return shape;
}

SEXP shape_to_r(const Shape& shape) {
  Rcpp::IntegerVector sizes(shape.rank());
  for (int k = 0; k < shape.rank(); ++k) {
    if (shape[k] > 2147483647) fail("resource", "an axis of " + std::to_string(shape[k]) + " elements is too long for R");
    sizes[k] = shape[k] == unknown_size ? NA_INTEGER : static_cast<int>(shape[k]);
  }
  return sizes;
}

Meta meta_from_r(SEXP meta) {
  if (Rf_isNull(meta)) return Meta::none();
  const Rcpp::List list(meta);
  return Meta{dtype_from_name(Rcpp::as<std::string>(list["dtype"])), shape_from_r(list["shape"])};
}

}  // namespace birnn
