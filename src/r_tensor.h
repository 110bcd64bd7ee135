// Tensor handles and variables as C++ sees them (level L4).
//
// A handle is an external pointer: address = its bytes (an identity only), protected = list(bytes, dtype, shape, mask),
// tag = NULL or c(tape id, value number). A variable is an environment with bytes, dtype, shape, version, shared.
#pragma once
#include "r_convert.h"
#include "view.h"

namespace birnn {

SEXP new_tensor(SEXP bytes, DType dtype, SEXP shape, SEXP mask = R_NilValue);
SEXP new_tensor(const Meta& meta);  // fresh, uninitialised bytes

bool is_tensor(SEXP x);
bool is_variable(SEXP x);
View view_of(SEXP x);  // of a tensor, a variable, or NULL (absent)
DType dtype_of(SEXP tensor);
DType dtype_from_r(SEXP name);  // a string
SEXP bytes_of(SEXP x);          // the raw vector of a tensor or variable
SEXP shape_of(SEXP tensor);

bool is_trainable(SEXP variable);
void mark_shared(SEXP variable);  // a tensor sees its bytes from now on
const double* version_of(SEXP variable);
// The bytes of a variable ready for writing: copied first if a tensor shares them. Counts as one new version.
SEXP own_bytes(SEXP variable);
View writable_view(SEXP variable);

}  // namespace birnn
