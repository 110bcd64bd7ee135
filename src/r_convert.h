// What every border file needs: errors into conditions, R lists into attributes and metas (level L4).
#pragma once
#include <Rcpp.h>

#include <new>
#include <string>
#include <vector>

#include "op.h"

namespace birnn {

// Raises the R condition for an error of the given kind; comes back only as a C++ exception that Rcpp unwinds.
[[noreturn]] void raise_condition(const std::string& kind, const std::string& message);

// Runs the body of an exported function: whatever C++ throws becomes a classed R condition.
template <typename Body>
auto guarded(Body body) -> decltype(body()) {
  std::string kind, message;
  try {
    return body();
  } catch (const Error& error) {
    kind = error.kind();
    message = error.what();
  } catch (const std::bad_alloc&) {
    kind = "resource";
    message = "there is not enough memory for this";
  }
  raise_condition(kind, message);
}

Attrs attrs_from_r(SEXP attrs);  // a named list of numbers, logicals and strings
Meta meta_from_r(SEXP meta);  // NULL: absent; list(dtype = "float32", shape = c(NA, 8))
Shape shape_from_r(SEXP sizes);
SEXP shape_to_r(const Shape& shape);  // integer, NA = unknown

}  // namespace birnn
