// Plans for R: built from a trace, run by one call a batch (level L4).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "plan.h"
#include "r_optimizer.h"
#include "r_session.h"

namespace birnn {

namespace {

// A plan with the R objects it reads and writes; those are protected by the external pointer's list.
struct PlanHandle {
  explicit PlanHandle(PlanSource source) : plan(std::move(source)) {}
  Plan plan;
  bool busy = false;
  std::vector<int> input_values;  // -1 for an input left out
  std::vector<Meta> input_metas;  // what inputs must look like, but for the size of their first axis
  std::vector<AlignedBuffer> gathered;
  std::vector<int> effect_values, effect_targets;
  AlignedBuffer staged;
};

std::vector<int> numbers_from_r(SEXP slots) {  // slots count from 1, 0 is "none"
  std::vector<int> numbers;
  for (const int slot : Rcpp::IntegerVector(slots)) numbers.push_back(slot - 1);
  return numbers;
}

std::vector<Node> nodes_from_r(const Rcpp::List& nodes) {
  std::vector<Node> result;
  for (R_xlen_t k = 0; k < nodes.size(); ++k) {
    const Rcpp::List node = nodes[k];
    result.push_back(Node{&find_op(Rcpp::as<std::string>(node["op"])), attrs_from_r(node["attrs"]),
                          numbers_from_r(node["inputs"]), numbers_from_r(node["outputs"]), {}, 0});
  }
  return result;
}

PlanSource source_from_r(const Rcpp::List& table) {
  PlanSource source;
  source.n_values = Rcpp::as<int>(table["n_slots"]);
  source.nodes = nodes_from_r(table["nodes"]);
  for (const char* kind : {"inputs", "variable_slots", "constant_slots"})
    for (const int value : numbers_from_r(table[kind]))
      if (value >= 0) source.given.push_back(value);
  source.outputs = numbers_from_r(table["outputs"]);
  source.loss = Rcpp::as<int>(table["loss"]) - 1;
  source.trainable = numbers_from_r(table["trainable"]);
  return source;
}

void free_plan(SEXP pointer) {
  delete static_cast<PlanHandle*>(R_ExternalPtrAddr(pointer));
  R_ClearExternalPtr(pointer);
}

PlanHandle& plan_of(SEXP pointer) {
  PlanHandle* handle = static_cast<PlanHandle*>(R_ExternalPtrAddr(pointer));
  if (handle == nullptr) fail("stale", "this plan comes from another R session");
  return *handle;
}

std::vector<Meta> metas_from_r(const Rcpp::List& table) {
  std::vector<Meta> result;
  for (R_xlen_t k = 0; k < table.size(); ++k) result.push_back(meta_from_r(table[k]));
  return result;
}

bool same_but_rows(const Meta& a, const Meta& b) {
  if (a.absent() || b.absent()) return a.absent() == b.absent();
  if (a.dtype != b.dtype || a.shape.rank() != b.shape.rank()) return false;
  for (int axis = 1; axis < a.shape.rank(); ++axis)
    if (a.shape[axis] != b.shape[axis]) return false;
  return true;
}

// While it exists the plan is in use: a call from within is an error, not a mix-up.
class InUse {
 public:
  explicit InUse(PlanHandle& handle) : handle_(handle) {
    if (handle.busy) fail("busy", "this model is in the middle of a step: it cannot start another one");
    handle.busy = true;
  }
  ~InUse() { handle_.busy = false; }

 private:
  PlanHandle& handle_;
};

// Copies the chosen rows of an input together.
View gather(const View& from, const Rcpp::IntegerVector& rows, AlignedBuffer& buffer) {
  View to = from;
  to.meta.shape[0] = rows.size();
  const std::size_t row_bytes =
      static_cast<std::size_t>(from.shape().count(1, from.shape().rank())) * item_size(from.dtype());
  to.data = buffer.need(row_bytes * static_cast<std::size_t>(rows.size()) + 1);
  char* place = to.as<char>();
  for (const int row : rows) {
    if (row < 1 || row > from.shape()[0]) fail("value", "there is no row " + std::to_string(row));
    std::memcpy(place, from.as<char>() + row_bytes * static_cast<std::size_t>(row - 1), row_bytes);
    place += row_bytes;
  }
  return to;
}

std::vector<View> given_views(PlanHandle& handle, const Rcpp::List& table, const Rcpp::List& inputs, SEXP rows) {
  std::vector<View> given;
  handle.gathered.resize(static_cast<std::size_t>(inputs.size()));
  for (R_xlen_t k = 0; k < inputs.size(); ++k) {
    const View view = view_of(inputs[k]);
    if (handle.input_values[static_cast<std::size_t>(k)] < 0) continue;
    given.push_back(Rf_isNull(rows) ? view : gather(view, rows, handle.gathered[static_cast<std::size_t>(k)]));
  }
  for (const char* kind : {"variables", "constants"}) {
    const Rcpp::List objects = table[kind];
    for (R_xlen_t k = 0; k < objects.size(); ++k) given.push_back(view_of(objects[k]));
  }
  return given;
}

// New values of variables wait in memory of their own: they may lie in the very bytes that the update changes.
void stage_effects(PlanHandle& handle) {
  std::size_t bytes = 0;
  for (const int value : handle.effect_values) bytes += aligned_size(handle.plan.value(value).meta.bytes());
  char* place = static_cast<char*>(handle.staged.need(bytes + 1));
  for (const int value : handle.effect_values) {
    const View& view = handle.plan.value(value);
    std::memcpy(place, view.data, view.meta.bytes());
    place += aligned_size(view.meta.bytes());
  }
}

void commit_effects(PlanHandle& handle, const Rcpp::List& variables, const std::vector<int>& variable_values) {
  const char* place = handle.staged.bytes();
  for (std::size_t k = 0; k < handle.effect_values.size(); ++k) {
    const std::size_t bytes = handle.plan.value(handle.effect_values[k]).meta.bytes();
    for (std::size_t v = 0; v < variable_values.size(); ++v)
      if (variable_values[v] == handle.effect_targets[k])
        std::memcpy(writable_view(variables[static_cast<R_xlen_t>(v)]).data, place, bytes);
    place += aligned_size(bytes);
  }
}

Rcpp::List trainable_variables(const PlanHandle& handle, const Rcpp::List& variables, const std::vector<int>& values) {
  Rcpp::List result;
  for (const int wanted : handle.plan.source().trainable)
    for (std::size_t v = 0; v < values.size(); ++v)
      if (values[v] == wanted) result.push_back(variables[static_cast<R_xlen_t>(v)]);
  return result;
}

void run_alone(SEXP pointer);

// The gradients of the trainable variables, in their order.
std::vector<View> gradients_of(const PlanHandle& handle) {
  std::vector<View> gradients;
  for (const int value : handle.plan.source().trainable) gradients.push_back(handle.plan.gradient(value));
  return gradients;
}

bool is_finite(const PlanHandle& handle) {
  if (handle.plan.source().loss >= 0 && !std::isfinite(handle.plan.loss())) return false;
  const std::vector<View> gradients = gradients_of(handle);
  return std::all_of(gradients.begin(), gradients.end(), [](const View& gradient) { return all_finite(gradient); });
}

// The short uninterruptible end of a step: weights, other variables, constraints.
void commit(PlanHandle& handle, const Rcpp::List& table) {
  const Rcpp::List variables = table["variables"];
  const std::vector<int> values = numbers_from_r(table["variable_slots"]);
  stage_effects(handle);
  if (!Rf_isNull(table["optimizer"]))
    apply_optimizer(table["optimizer"], trainable_variables(handle, variables, values), gradients_of(handle));
  commit_effects(handle, variables, values);
  if (!Rf_isNull(table["after"])) run_alone(table["after"]);
}

void run_alone(SEXP pointer) {
  PlanHandle& handle = plan_of(pointer);
  const Rcpp::List table = R_ExternalPtrProtected(pointer);
  handle.plan.run(given_views(handle, table, Rcpp::List(), R_NilValue));
  commit(handle, table);
}

Rcpp::List output_tensors(const PlanHandle& handle) {
  const std::vector<int>& outputs = handle.plan.source().outputs;
  Rcpp::List result(static_cast<R_xlen_t>(outputs.size()));
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const View& view = handle.plan.value(outputs[k]);
    const Rcpp::Shield<SEXP> tensor(new_tensor(view.meta));
    std::memcpy(view_of(tensor).data, view.data, view.meta.bytes());
    result[static_cast<R_xlen_t>(k)] = static_cast<SEXP>(tensor);
  }
  return result;
}

}  // namespace

}  // namespace birnn

using namespace birnn;

// [[Rcpp::export(rng = false)]]
SEXP r_plan_new(Rcpp::List table) {
  return guarded([&]() -> SEXP {
    auto handle = std::make_unique<PlanHandle>(source_from_r(table));
    handle->input_values = numbers_from_r(table["inputs"]);
    handle->input_metas = metas_from_r(table["metas"]);
    handle->effect_values = numbers_from_r(table["effect_values"]);
    handle->effect_targets = numbers_from_r(table["effect_targets"]);
    const Rcpp::Shield<SEXP> pointer(R_MakeExternalPtr(handle.release(), R_NilValue, table));
    R_RegisterCFinalizerEx(pointer, free_plan, TRUE);
    return pointer;
  });
}

// [[Rcpp::export(rng = false)]]
bool r_pointer_is_nil(SEXP pointer) { return TYPEOF(pointer) != EXTPTRSXP || R_ExternalPtrAddr(pointer) == nullptr; }

// Whether a plan is alive and was made for inputs like these, whatever the size of their first axis.
// [[Rcpp::export(rng = false)]]
bool r_plan_fits(SEXP pointer, Rcpp::List inputs) {
  return guarded([&] {
    if (r_pointer_is_nil(pointer)) return false;
    const std::vector<Meta>& wanted = plan_of(pointer).input_metas;
    if (wanted.size() != static_cast<std::size_t>(inputs.size())) return false;
    for (std::size_t k = 0; k < wanted.size(); ++k)
      if (!same_but_rows(wanted[k], view_of(inputs[static_cast<R_xlen_t>(k)]).meta)) return false;
    return true;
  });
}

// [[Rcpp::export(rng = false)]]
Rcpp::List r_plan_run(SEXP pointer, Rcpp::List inputs, SEXP rows, bool commit_nonfinite) {
  return guarded([&]() -> Rcpp::List {
    follow_thread_option();
    PlanHandle& handle = plan_of(pointer);
    const InUse in_use(handle);
    const Rcpp::List table = R_ExternalPtrProtected(pointer);
    handle.plan.run(given_views(handle, table, inputs, rows));
    const bool has_loss = handle.plan.source().loss >= 0;
    const double loss = handle.plan.loss();
    const bool finite = is_finite(handle);
    Rcpp::List outputs = output_tensors(handle);
    if (finite || commit_nonfinite) commit(handle, table);
    return Rcpp::List::create(Rcpp::Named("outputs") = outputs,
                              Rcpp::Named("loss") = has_loss ? Rcpp::wrap(loss) : R_NilValue,
                              Rcpp::Named("finite") = finite);
  });
}

// [[Rcpp::export(rng = false)]]
double r_plan_work_bytes(SEXP pointer) {
  return guarded([&] { return static_cast<double>(plan_of(pointer).plan.work_bytes()); });
}
