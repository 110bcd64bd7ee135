// Tapes and gradients for R (level L4).
#include "r_tape.h"

#include <chrono>
#include <cstring>

namespace birnn {

namespace {

// Unique in this process and, with all but certainty, among processes whose tensors meet in files.
double new_tape_id() {
  static double last = static_cast<double>(
      std::chrono::steady_clock::now().time_since_epoch().count() % (std::int64_t(1) << 40));
  return last += 1.0;
}

int tagged_value(SEXP tensor, const Tape& tape) {
  if (TYPEOF(tensor) != EXTPTRSXP) return -1;
  const SEXP tag = R_ExternalPtrTag(tensor);
  return TYPEOF(tag) == REALSXP && REAL(tag)[0] == tape.id() ? static_cast<int>(REAL(tag)[1]) : -1;
}

int known_value(const Tape& tape, SEXP x) { return is_variable(x) ? tape.find_leaf(x) : tagged_value(x, tape); }

}  // namespace

Tape& tape_of(SEXP pointer) {
  void* address = TYPEOF(pointer) == EXTPTRSXP ? R_ExternalPtrAddr(pointer) : nullptr;
  if (address == nullptr) fail("stale", "this gradient tape has been freed, or comes from another R session: record anew");
  return *static_cast<Tape*>(address);
}

void keep_on_tape(SEXP pointer, SEXP x) {
  SEXP kept = R_ExternalPtrProtected(pointer);  // list(count, list of objects), the inner list doubling as it fills
  int* count = INTEGER(VECTOR_ELT(kept, 0));
  SEXP objects = VECTOR_ELT(kept, 1);
  if (*count == Rf_xlength(objects)) {
    const Rcpp::Shield<SEXP> larger(Rf_allocVector(VECSXP, 2 * Rf_xlength(objects)));
    for (int k = 0; k < *count; ++k) SET_VECTOR_ELT(larger, k, VECTOR_ELT(objects, k));
    SET_VECTOR_ELT(kept, 1, larger);
    objects = larger;
  }
  SET_VECTOR_ELT(objects, (*count)++, x);
}

void tag_tensor(SEXP tensor, const Tape& tape, int value) {
  const Rcpp::Shield<SEXP> tag(Rf_allocVector(REALSXP, 2));
  REAL(tag)[0] = tape.id();
  REAL(tag)[1] = value;
  R_SetExternalPtrTag(tensor, tag);
}

int value_on_tape(SEXP pointer, SEXP x, const View& view) {
  if (Rf_isNull(x)) return -1;
  Tape& tape = tape_of(pointer);
  if (!is_variable(x)) return tagged_value(x, tape);
  if (!is_floating(view.dtype()) || !is_trainable(x)) return tape.find_leaf(x);
  if (tape.find_leaf(x) < 0) keep_on_tape(pointer, x);  // its address is the key: it must not be reused
  return tape.leaf(x, view);
}

namespace {

void free_tape(SEXP pointer) {
  delete static_cast<Tape*>(R_ExternalPtrAddr(pointer));
  R_ClearExternalPtr(pointer);
  R_SetExternalPtrProtected(pointer, R_NilValue);
}

SEXP gradient_tensor(const AlignedBuffer& buffer, const Meta& meta) {
  if (buffer.data() == nullptr) return R_NilValue;
  const Rcpp::Shield<SEXP> tensor(new_tensor(meta));
  std::memcpy(view_of(tensor).data, buffer.data(), meta.bytes());
  return tensor;
}

}  // namespace

}  // namespace birnn

using namespace birnn;

// [[Rcpp::export(rng = false)]]
SEXP r_tape_new() {
  return guarded([&]() -> SEXP {
    const Rcpp::Shield<SEXP> kept(Rf_allocVector(VECSXP, 2));
    SET_VECTOR_ELT(kept, 0, Rf_ScalarInteger(0));
    SET_VECTOR_ELT(kept, 1, Rf_allocVector(VECSXP, 64));
    const Rcpp::Shield<SEXP> pointer(R_MakeExternalPtr(new Tape(new_tape_id()), R_NilValue, kept));
    R_RegisterCFinalizerEx(pointer, free_tape, TRUE);
    return pointer;
  });
}

// [[Rcpp::export(rng = false)]]
void r_tape_free(SEXP tape) {
  if (R_ExternalPtrAddr(tape) != nullptr) free_tape(tape);
}

// [[Rcpp::export(rng = false)]]
SEXP r_tape_watch(SEXP tape, SEXP tensor) {
  return guarded([&]() -> SEXP {
    const View view = view_of(tensor);
    const Rcpp::Shield<SEXP> handle(new_tensor(bytes_of(tensor), view.dtype(), shape_of(tensor)));
    keep_on_tape(tape, handle);
    tag_tensor(handle, tape_of(tape), tape_of(tape).watch(view));
    return handle;
  });
}

// [[Rcpp::export(rng = false)]]
Rcpp::List r_tape_gradient(SEXP tape, SEXP target, Rcpp::List sources) {
  return guarded([&]() -> Rcpp::List {
    const Tape& recorded = tape_of(tape);
    std::vector<int> values;
    for (R_xlen_t k = 0; k < sources.size(); ++k) values.push_back(known_value(recorded, sources[k]));
    Rcpp::List result(sources.size());
    const int end = known_value(recorded, target);
    if (end < 0) return result;
    const std::vector<AlignedBuffer> gradients = recorded.gradient(end, values);
    for (std::size_t k = 0; k < values.size(); ++k)
      if (values[k] >= 0) result[k] = gradient_tensor(gradients[k], recorded.meta(values[k]));
    return result;
  });
}

// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector r_tape_size(SEXP tape) {
  return guarded([&] {
    const Tape& recorded = tape_of(tape);
    return Rcpp::NumericVector::create(Rcpp::Named("ops") = static_cast<double>(recorded.size()),
                                       Rcpp::Named("bytes") = static_cast<double>(recorded.saved_bytes()));
  });
}
