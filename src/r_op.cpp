// Eager ops and shape inference for R (level L4).
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

// One eager op: its inputs and outputs as R objects and as views.
struct EagerCall {
  const OpDef& op;
  Attrs attrs;
  Rcpp::List inputs;
  std::vector<View> in;
  Inference inference;
  Rcpp::List outputs;
  std::vector<View> out;
};

std::vector<Meta> metas_of(const std::vector<View>& views) {
  std::vector<Meta> metas;
  for (const View& view : views) metas.push_back(view.meta);
  return metas;
}

EagerCall prepare(const std::string& name, const Rcpp::List& inputs, const Rcpp::List& attrs) {
  EagerCall call{find_op(name), attrs_from_r(attrs), inputs, {}, {}, {}, {}};
  for (R_xlen_t k = 0; k < inputs.size(); ++k) call.in.push_back(view_of(inputs[k]));
  call.inference = call.op.infer(call.attrs, metas_of(call.in));
  call.outputs = Rcpp::List(static_cast<R_xlen_t>(call.inference.outputs.size()));
  for (std::size_t k = 0; k < call.inference.outputs.size(); ++k) {
    const Meta& meta = call.inference.outputs[k];
    if (call.op.alias >= 0) {
      const SEXP source = inputs[call.op.alias];
      if (is_variable(source)) Rcpp::Environment(source).assign("shared", true);
      call.outputs[k] = new_tensor(bytes_of(source), meta.dtype, Rcpp::Shield<SEXP>(shape_to_r(meta.shape)));
    } else {
      call.outputs[k] = new_tensor(meta);
    }
    call.out.push_back(view_of(call.outputs[k]));
  }
  return call;
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
    const SEXP input = call.inputs[static_cast<R_xlen_t>(k)];
    if (Rf_isNull(input) || !bit(call.op.needs_inputs, k)) continue;
    keep_on_tape(tape, bytes_of(input));
    if (is_variable(input)) recorded.expect_version(recorded.next_node(), version_of(input));
  }
  for (std::size_t k = 0; k < call.out.size(); ++k)
    if (bit(call.op.needs_outputs, k)) keep_on_tape(tape, call.outputs[static_cast<R_xlen_t>(k)]);
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
    tag_tensor(call.outputs[static_cast<R_xlen_t>(k)], recorded, first + static_cast<int>(k));
}

}  // namespace

}  // namespace birnn

using namespace birnn;

// [[Rcpp::export(rng = false)]]
SEXP r_apply_op(std::string name, Rcpp::List inputs, Rcpp::List attrs, SEXP tape) {
  return guarded([&]() -> SEXP {
    follow_thread_option();
    EagerCall call = prepare(name, inputs, attrs);
    std::vector<int> numbers;
    bool recorded = false;
    if (!Rf_isNull(tape) && call.op.backward != nullptr)
      for (std::size_t k = 0; k < call.in.size(); ++k) {
        numbers.push_back(value_on_tape(tape, inputs[static_cast<R_xlen_t>(k)], call.in[k]));
        recorded = recorded || numbers.back() >= 0;
      }
    if (recorded)
      forward_on_tape(tape, call, std::move(numbers));
    else
      forward(call, nullptr);
    return call.outputs.size() == 1 ? static_cast<SEXP>(call.outputs[0]) : static_cast<SEXP>(call.outputs);
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
