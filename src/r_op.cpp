// Eager ops and shape inference for R (level L4).
#include <cmath>

#include "r_session.h"
#include "r_tape.h"

namespace birnn {

namespace {

bool bit(unsigned bits, std::size_t k) { return bits == all_values || (k < 31 && (bits >> k & 1u) != 0u); }

// Work space of eager ops, kept from call to call.
AlignedBuffer& eager_scratch() {
  static AlignedBuffer buffer;
  return buffer;
}

// One eager op: its inputs and outputs as R objects and as views. `inputs` is protected by the caller, `outputs` here.
struct EagerCall {
  const OpDef& op;
  Attrs attrs;
  SEXP inputs;
  std::vector<View> in;
  Inference inference;
  Rcpp::Shield<SEXP> outputs;
  std::vector<View> out;
  SEXP input(std::size_t k) const { return VECTOR_ELT(inputs, static_cast<R_xlen_t>(k)); }
  SEXP output(std::size_t k) const { return VECTOR_ELT(outputs, static_cast<R_xlen_t>(k)); }
};

std::vector<Meta> metas_of(const std::vector<View>& views) {
  std::vector<Meta> metas;
  metas.reserve(views.size());
  for (const View& view : views) metas.push_back(view.meta);
  return metas;
}

std::vector<View> views_of(SEXP tensors) {
  std::vector<View> views;
  const R_xlen_t count = Rf_xlength(tensors);
  views.reserve(static_cast<std::size_t>(count));
  for (R_xlen_t k = 0; k < count; ++k) views.push_back(view_of(VECTOR_ELT(tensors, k)));
  return views;
}

// Fresh outputs, or for ops that only rename their input, handles of its bytes.
void make_outputs(EagerCall& call) {
  call.out.reserve(call.inference.outputs.size());
  for (std::size_t k = 0; k < call.inference.outputs.size(); ++k) {
    const Meta& meta = call.inference.outputs[k];
    if (call.op.alias < 0) {
      SET_VECTOR_ELT(call.outputs, static_cast<R_xlen_t>(k), new_tensor(meta));
    } else {
      const SEXP source = call.input(static_cast<std::size_t>(call.op.alias));
      if (is_variable(source)) mark_shared(source);
      const Rcpp::Shield<SEXP> shape(shape_to_r(meta.shape));
      SET_VECTOR_ELT(call.outputs, static_cast<R_xlen_t>(k), new_tensor(bytes_of(source), meta.dtype, shape));
    }
    call.out.push_back(view_of(call.output(k)));
  }
}

// Places of the saved values, one after the other in one aligned block.
std::vector<View> saved_views(const std::vector<Meta>& metas, AlignedBuffer& memory) {
  std::size_t bytes = 0;
  for (const Meta& meta : metas) bytes += aligned_size(meta.bytes());
  char* next = static_cast<char*>(memory.need(bytes > 0 ? bytes : 1));
  std::vector<View> views;
  for (const Meta& meta : metas) {
    views.push_back(View{next, meta});
    next += aligned_size(meta.bytes());
  }
  return views;
}

void forward(const EagerCall& call, const View* saved) {
  if (call.op.alias >= 0) return;
  void* scratch = eager_scratch().need(call.inference.forward_scratch + 1);
  call.op.forward(ForwardCall{call.attrs, call.in.data(), call.out.data(), saved, scratch});
}

// Keeps what the backward pass will read, and notes the versions of variables among it.
void keep_needed(SEXP tape, const EagerCall& call) {
  Tape& recorded = tape_of(tape);
  for (std::size_t k = 0; k < call.in.size(); ++k) {
    const SEXP input = call.input(k);
    if (Rf_isNull(input) || !bit(call.op.needs_inputs, k)) continue;
    keep_on_tape(tape, bytes_of(input));
    if (is_variable(input)) recorded.expect_version(recorded.next_node(), version_of(input));
  }
  for (std::size_t k = 0; k < call.out.size(); ++k)
    if (bit(call.op.needs_outputs, k)) keep_on_tape(tape, call.output(k));
}

void forward_on_tape(SEXP tape, EagerCall& call, std::vector<int> numbers) {
  AlignedBuffer memory;
  std::vector<View> saved = saved_views(call.inference.saved, memory);
  const View none;
  forward(call, saved.empty() ? &none : saved.data());
  keep_needed(tape, call);
  Tape& recorded = tape_of(tape);
  for (std::size_t k = 0; k < numbers.size(); ++k)  // not on the tape, but the op may read its value
    if (numbers[k] < 0 && !call.in[k].meta.absent()) numbers[k] = recorded.watch(call.in[k]);
  const int first = recorded.record(call.op, call.attrs, std::move(numbers), call.out.data(), call.out.size(),
                                    std::move(saved), std::move(memory), call.inference.backward_scratch);
  for (std::size_t k = 0; k < call.out.size(); ++k)
    tag_tensor(call.output(k), recorded, first + static_cast<int>(k));
}

// Computes an op on tensors and variables (NULL: an input left out); on the tape if one of them is.
SEXP apply_eagerly(const std::string& name, SEXP inputs, SEXP attrs, SEXP tape) {
  follow_thread_option();
  ++run_counts().eager_ops;
  const OpDef& op = find_op(name);
  Attrs constants = attrs_from_r(attrs);
  std::vector<View> in = views_of(inputs);
  Inference inference = op.infer(constants, metas_of(in));
  const R_xlen_t n_outputs = static_cast<R_xlen_t>(inference.outputs.size());
  EagerCall call{op, std::move(constants), inputs, std::move(in), std::move(inference),
                 Rcpp::Shield<SEXP>(Rf_allocVector(VECSXP, n_outputs)), {}};
  make_outputs(call);
  std::vector<int> numbers;
  bool recorded = false;
  if (!Rf_isNull(tape) && op.backward != nullptr)
    for (std::size_t k = 0; k < call.in.size(); ++k) {
      numbers.push_back(value_on_tape(tape, call.input(k), call.in[k]));
      recorded = recorded || numbers.back() >= 0;
    }
  if (recorded)
    forward_on_tape(tape, call, std::move(numbers));
  else
    forward(call, nullptr);
  return n_outputs == 1 ? call.output(0) : static_cast<SEXP>(call.outputs);
}

// --- operands ------------------------------------------------------------------------------------------------------

// How the inputs of an op have to meet: as they are, as numbers of one type (not bool), or as floating point numbers.
enum Meeting { as_they_are = 0, as_numbers = 1, as_floats = 2 };

SEXP field(SEXP environment, const char* name) {
  const SEXP value = Rf_findVarInFrame3(environment, Rf_install(name), TRUE);
  return value == R_UnboundValue ? R_NilValue : value;
}

// A variable that the running step has assigned already is seen with its new value.
SEXP with_pending_value(SEXP variable, SEXP running) {
  const SEXP step = field(running, "step");
  if (Rf_isNull(step)) return variable;
  const SEXP effects = field(step, "effects");  // a list of list(variable, value)
  for (R_xlen_t k = 0; k < Rf_xlength(effects); ++k) {
    const SEXP effect = VECTOR_ELT(effects, k);
    if (VECTOR_ELT(effect, 0) == variable) return VECTOR_ELT(effect, 1);
  }
  return variable;
}

// A number beside a tensor takes its type, unless it would lose a fraction.
bool is_number_for(SEXP x, DType dtype) {
  if ((TYPEOF(x) != REALSXP && TYPEOF(x) != INTSXP) || Rf_xlength(x) != 1 || ATTRIB(x) != R_NilValue) return false;
  if (TYPEOF(x) == INTSXP) return INTEGER(x)[0] != NA_INTEGER;
  const double value = REAL(x)[0];
  return is_floating(dtype) || (value == std::floor(value) && std::fabs(value) < 2147483648.0);
}

SEXP scalar_tensor(SEXP number, DType dtype) {
  const SEXP tensor = new_tensor(Meta{dtype, Shape{}});
  const double value = TYPEOF(number) == REALSXP ? REAL(number)[0] : INTEGER(number)[0];
  void* data = view_of(tensor).data;
  switch (dtype) {
    case DType::float32: *static_cast<float*>(data) = static_cast<float>(value); break;
    case DType::float64: *static_cast<double*>(data) = value; break;
    case DType::int32: *static_cast<std::int32_t*>(data) = static_cast<std::int32_t>(value); break;
    case DType::boolean: break;  // never asked for
  }
  return tensor;
}

// Tensors and variables of `inputs` go to `operands`. False if one is symbolic, or a variable that is being traced.
bool resolve_inputs(SEXP inputs, SEXP running, SEXP operands) {
  for (R_xlen_t k = 0; k < Rf_xlength(inputs); ++k) {
    SEXP x = VECTOR_ELT(inputs, k);
    if (TYPEOF(x) == ENVSXP) {
      if (!Rf_inherits(x, "birnn_variable") || !Rf_isNull(field(running, "trace"))) return false;
      x = with_pending_value(x, running);
    }
    SET_VECTOR_ELT(operands, k, x);
  }
  return true;
}

// Whether the operands are of one type, but for plain numbers, which become tensors of that type. False if R has to
// convert them.
bool meet(SEXP operands, Meeting meeting) {
  DType dtype = DType::boolean;
  bool found = false;
  for (R_xlen_t k = 0; k < Rf_xlength(operands); ++k) {
    const SEXP x = VECTOR_ELT(operands, k);
    if (!is_tensor(x) && !is_variable(x)) continue;
    const DType own = view_of(x).dtype();
    if (found && own != dtype) return false;
    dtype = own;
    found = true;
  }
  if (!found || !(meeting == as_floats ? is_floating(dtype) : dtype != DType::boolean)) return false;
  for (R_xlen_t k = 0; k < Rf_xlength(operands); ++k) {
    const SEXP x = VECTOR_ELT(operands, k);
    if (is_tensor(x) || is_variable(x)) continue;
    if (!is_number_for(x, dtype)) return false;
    SET_VECTOR_ELT(operands, k, scalar_tensor(x, dtype));
  }
  return true;
}

}  // namespace

}  // namespace birnn

using namespace birnn;

// The outputs of an op on tensors, variables and NULL (an input left out), on the running tape if there is one. NULL if
// R has to do something first: a symbolic input, or operands whose types do not meet (`meeting`: 0 any, 1 numbers of
// one type, 2 floating point; then plain numbers are fine, too).
// [[Rcpp::export(rng = false)]]
SEXP r_apply_op(std::string name, SEXP inputs, SEXP attrs, SEXP running, int meeting) {
  return guarded([&]() -> SEXP {
    const Rcpp::Shield<SEXP> operands(Rf_allocVector(VECSXP, Rf_xlength(inputs)));
    if (!resolve_inputs(inputs, running, operands)) return R_NilValue;
    if (meeting != as_they_are && !meet(operands, static_cast<Meeting>(meeting))) return R_NilValue;
    return apply_eagerly(name, operands, attrs, field(running, "tape"));
  });
}

// [[Rcpp::export(rng = false)]]
Rcpp::List r_op_infer(std::string name, Rcpp::List metas, Rcpp::List attrs) {
  return guarded([&]() -> Rcpp::List {
    std::vector<Meta> in;
    for (R_xlen_t k = 0; k < metas.size(); ++k) in.push_back(meta_from_r(metas[k]));
    const Inference inference = find_op(name).infer(attrs_from_r(attrs), in);
    Rcpp::List result(static_cast<R_xlen_t>(inference.outputs.size()));
    for (std::size_t k = 0; k < inference.outputs.size(); ++k) {
      const Meta& meta = inference.outputs[k];
      result[static_cast<R_xlen_t>(k)] =
          Rcpp::List::create(Rcpp::Named("dtype") = dtype_name(meta.dtype), Rcpp::Named("shape") = shape_to_r(meta.shape));
    }
    return result;
  });
}

// [[Rcpp::export(rng = false)]]
Rcpp::CharacterVector r_op_names() {
  return guarded([&] { return Rcpp::CharacterVector(Rcpp::wrap(op_names())); });
}
