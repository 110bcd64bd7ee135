// Plans for R: built from a trace, run by one call a batch (level L4).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "plan_part.h"
#include "r_optimizer.h"
#include "r_session.h"
#include "r_tape.h"

namespace birnn {

namespace {

// A plan with the R objects it reads and writes; those are protected by the external pointer's list.
struct PlanHandle {
  explicit PlanHandle(PlanSource source) : plan(std::move(source)) {}
  Plan plan;
  bool busy = false;
  std::vector<int> input_values;               // -1 for an input left out
  std::vector<Meta> input_metas;               // what inputs must look like, but for the size of their first axis
  std::vector<std::vector<int>> input_groups;  // for each axis 0, or the group of axes that are of one size, any size
  double last_use = 0;
  std::vector<AlignedBuffer> gathered;
  std::vector<SEXP> outside;  // variables, then constants
  std::vector<Meta> outside_metas;
  std::vector<View> given;    // inputs, variables, constants
  std::vector<double> versions;
  struct Effect {
    int value;
    SEXP variable;
  };
  std::vector<Effect> effects;
  AlignedBuffer staged;
  std::unique_ptr<BoundOptimizer> optimizer;
  std::vector<View> gradients;  // of the trainable variables, in their order
  SEXP after = R_NilValue;      // a plan to run after each update: constraints
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
    result.push_back(Node{&find_op(Rcpp::as<std::string>(node["op"])),
                          attrs_from_r(node["attrs"]),
                          numbers_from_r(node["inputs"]),
                          numbers_from_r(node["outputs"]),
                          {},
                          0});
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

bool is_nil(SEXP pointer) { return TYPEOF(pointer) != EXTPTRSXP || R_ExternalPtrAddr(pointer) == nullptr; }

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

// The sizes of groups of axes in the inputs at hand; the first axis of a group decides. A size of 1 is a case of its
// own.
class GroupSizes {
 public:
  bool agrees(int group, std::int64_t size) {
    const std::size_t k = static_cast<std::size_t>(group);
    if (k >= sizes_.size()) sizes_.resize(k + 1, 0);
    if (sizes_[k] == 0) sizes_[k] = size;
    return size > 1 && sizes_[k] == size;
  }

 private:
  std::vector<std::int64_t> sizes_;
};

bool same_but_rows(const Meta& wanted, const std::vector<int>& groups, const Meta& meta, GroupSizes& sizes) {
  if (wanted.absent() || meta.absent()) return wanted.absent() == meta.absent();
  if (wanted.dtype != meta.dtype || wanted.shape.rank() != meta.shape.rank()) return false;
  for (int axis = 1; axis < meta.shape.rank(); ++axis) {
    const int group = groups.empty() ? 0 : groups[static_cast<std::size_t>(axis)];
    if (group > 0 ? !sizes.agrees(group, meta.shape[axis]) : wanted.shape[axis] != meta.shape[axis]) return false;
  }
  return true;
}

std::vector<std::vector<int>> groups_from_r(const Rcpp::List& table) {
  const Rcpp::List metas = table["metas"];
  std::vector<std::vector<int>> result(static_cast<std::size_t>(metas.size()));
  if (!table.containsElementNamed("groups")) return result;
  const Rcpp::List groups = table["groups"];
  for (R_xlen_t k = 0; k < groups.size(); ++k)
    if (!Rf_isNull(groups[k])) result[static_cast<std::size_t>(k)] = Rcpp::as<std::vector<int>>(groups[k]);
  return result;
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
View gather(const View& from, SEXP rows, AlignedBuffer& buffer) {
  if (TYPEOF(rows) != INTSXP) fail("type", "the numbers of rows must be integers");
  const R_xlen_t count = Rf_xlength(rows);
  const int* row = INTEGER(rows);
  View to = from;
  to.meta.shape[0] = count;
  const std::size_t row_bytes =
      static_cast<std::size_t>(from.shape().count(1, from.shape().rank())) * item_size(from.dtype());
  to.data = buffer.need(row_bytes * static_cast<std::size_t>(count) + 1);
  char* place = to.as<char>();
  for (R_xlen_t k = 0; k < count; ++k, place += row_bytes) {
    if (row[k] < 1 || row[k] > from.shape()[0]) fail("value", "there is no row " + std::to_string(row[k]));
    std::memcpy(place, from.as<char>() + row_bytes * static_cast<std::size_t>(row[k] - 1), row_bytes);
  }
  return to;
}

// The views of everything the plan is given: `inputs` (a list with NULL for those left out), variables, constants.
void collect_given(PlanHandle& handle, SEXP inputs, SEXP rows) {
  handle.given.clear();
  handle.versions.clear();
  const std::size_t n_inputs = handle.input_values.size();
  handle.gathered.resize(n_inputs);
  for (std::size_t k = 0; k < n_inputs; ++k) {
    if (handle.input_values[k] < 0) continue;
    const View view = view_of(VECTOR_ELT(inputs, static_cast<R_xlen_t>(k)));
    handle.given.push_back(Rf_isNull(rows) ? view : gather(view, rows, handle.gathered[k]));
    handle.versions.push_back(-1.0);
  }
  for (std::size_t k = 0; k < handle.outside.size(); ++k) {
    const SEXP object = handle.outside[k];
    handle.given.push_back(View{RAW(bytes_of(object)), handle.outside_metas[k]});
    handle.versions.push_back(is_variable(object) ? *version_of(object) : 0.0);
  }
}

// New values of variables wait in memory of their own: they may lie in the very bytes that the update changes.
void stage_effects(PlanHandle& handle) {
  std::size_t bytes = 0;
  for (const auto& effect : handle.effects) bytes += aligned_size(handle.plan.value(effect.value).meta.bytes());
  char* place = static_cast<char*>(handle.staged.need(bytes + 1));
  for (const auto& effect : handle.effects) {
    const View& view = handle.plan.value(effect.value);
    std::memcpy(place, view.data, view.meta.bytes());
    place += aligned_size(view.meta.bytes());
  }
}

void commit_effects(PlanHandle& handle) {
  const char* place = handle.staged.bytes();
  for (const auto& effect : handle.effects) {
    const std::size_t bytes = handle.plan.value(effect.value).meta.bytes();
    std::memcpy(writable_view(effect.variable).data, place, bytes);
    place += aligned_size(bytes);
  }
}

// Forwards and backwards; whether the loss and its gradients are finite.
bool compute(PlanHandle& handle, SEXP inputs, SEXP rows) {
  collect_given(handle, inputs, rows);
  // Weights that are trained change with every step: there is nothing to keep.
  const bool trains = !handle.plan.source().trainable.empty();
  if (trains) handle.versions.clear();
  handle.plan.run(handle.given, handle.versions);
  handle.gradients.clear();
  for (const int value : handle.plan.source().trainable) handle.gradients.push_back(handle.plan.gradient(value));
  if (handle.plan.source().loss >= 0 && !std::isfinite(handle.plan.loss())) return false;
  return std::all_of(handle.gradients.begin(), handle.gradients.end(),
                     [](const View& gradient) { return all_finite(gradient); });
}

// The short uninterruptible end of a step: weights, other variables, constraints.
void commit(PlanHandle& handle) {
  stage_effects(handle);
  if (handle.optimizer) handle.optimizer->apply(handle.gradients);
  commit_effects(handle);
  if (Rf_isNull(handle.after)) return;
  PlanHandle& after = plan_of(handle.after);
  compute(after, R_NilValue, R_NilValue);
  commit(after);
}

SEXP output_tensors(const PlanHandle& handle) {
  const std::vector<int>& outputs = handle.plan.source().outputs;
  const Rcpp::Shield<SEXP> result(Rf_allocVector(VECSXP, static_cast<R_xlen_t>(outputs.size())));
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const View& view = handle.plan.value(outputs[k]);
    const Rcpp::Shield<SEXP> tensor(new_tensor(view.meta));
    std::memcpy(view_of(tensor).data, view.data, view.meta.bytes());
    SET_VECTOR_ELT(result, static_cast<R_xlen_t>(k), tensor);
  }
  return result;
}

bool fits(SEXP pointer, SEXP inputs) {
  if (is_nil(pointer)) return false;
  const PlanHandle& handle = plan_of(pointer);
  const std::vector<Meta>& wanted = handle.input_metas;
  GroupSizes sizes;
  if (wanted.size() != static_cast<std::size_t>(Rf_xlength(inputs))) return false;
  for (std::size_t k = 0; k < wanted.size(); ++k)
    if (!same_but_rows(wanted[k], handle.input_groups[k], view_of(VECTOR_ELT(inputs, static_cast<R_xlen_t>(k))).meta,
                       sizes))
      return false;
  return true;
}

// Computes, commits, and answers list(outputs, loss, finite).
SEXP run_plan(PlanHandle& handle, SEXP inputs, SEXP rows, bool commit_nonfinite) {
  const InUse in_use(handle);
  handle.last_use = ++run_counts().plan_runs;
  const bool finite = compute(handle, inputs, rows);
  const char* names[] = {"outputs", "loss", "finite", ""};
  const Rcpp::Shield<SEXP> result(Rf_mkNamed(VECSXP, names));
  SET_VECTOR_ELT(result, 0, output_tensors(handle));
  if (handle.plan.source().loss >= 0) SET_VECTOR_ELT(result, 1, Rf_ScalarReal(handle.plan.loss()));
  SET_VECTOR_ELT(result, 2, Rf_ScalarLogical(finite));
  if (finite || commit_nonfinite) commit(handle);
  return result;
}

// --- parts of a step -----------------------------------------------------------------------------------------------

// What the numbers of a plan's given value belong to: a variable, a constant, or one of `inputs`.
SEXP object_of(const PlanHandle& handle, SEXP inputs, int value) {
  const std::vector<int>& from = handle.input_values;
  const auto input = std::find(from.begin(), from.end(), value);
  if (input != from.end()) return VECTOR_ELT(inputs, static_cast<R_xlen_t>(input - from.begin()));
  const std::vector<int>& given = handle.plan.source().given;
  const auto place = std::find(given.begin(), given.end(), value) - given.begin();
  return handle.outside[static_cast<std::size_t>(place) - from.size()];
}

// Notes the run of a part on the tape, if any of its sources is there.
void note_part(SEXP pointer, PlanHandle& handle, SEXP inputs, SEXP outputs, SEXP tape) {
  std::vector<int> numbers;
  bool recorded = false;
  for (const int value : handle.plan.source().trainable) {
    numbers.push_back(value_on_tape(tape, object_of(handle, inputs, value), handle.plan.value(value)));
    recorded = recorded || numbers.back() >= 0;
  }
  if (!recorded) return;
  keep_on_tape(tape, pointer);
  for (R_xlen_t k = 0; k < Rf_xlength(inputs); ++k) keep_on_tape(tape, bytes_of(VECTOR_ELT(inputs, k)));
  for (const SEXP object : handle.outside) keep_on_tape(tape, bytes_of(object));
  std::vector<View> out;
  for (R_xlen_t k = 0; k < Rf_xlength(outputs); ++k) out.push_back(view_of(VECTOR_ELT(outputs, k)));
  const int first = record_part(tape_of(tape), handle.plan, numbers, out);
  for (std::size_t k = 0; k < out.size(); ++k)
    tag_tensor(VECTOR_ELT(outputs, static_cast<R_xlen_t>(k)), tape_of(tape), first + static_cast<int>(k));
}

// Gathered rows, the arena, new values of variables waiting for the end of the step.
std::size_t work_bytes(PlanHandle& handle, const std::vector<Meta>& inputs) {
  std::size_t bytes = 0;
  std::vector<View> given;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (handle.input_values[k] < 0) continue;
    given.push_back(View{nullptr, inputs[k]});
    bytes += inputs[k].bytes();
  }
  for (const Meta& meta : handle.outside_metas) given.push_back(View{nullptr, meta});
  for (const auto& effect : handle.effects) bytes += aligned_size(view_of(effect.variable).meta.bytes());
  return bytes + handle.plan.work_bytes(given);
}

// The R objects that the table of a plan names.
void bind_objects(PlanHandle& handle, const Rcpp::List& table) {
  const std::vector<int> slots = numbers_from_r(table["variable_slots"]);
  const SEXP variables = table["variables"], constants = table["constants"];
  for (R_xlen_t k = 0; k < Rf_xlength(variables); ++k) handle.outside.push_back(VECTOR_ELT(variables, k));
  for (R_xlen_t k = 0; k < Rf_xlength(constants); ++k) handle.outside.push_back(VECTOR_ELT(constants, k));
  for (const SEXP object : handle.outside) handle.outside_metas.push_back(view_of(object).meta);
  const auto variable_of = [&](int value) {
    return handle.outside[static_cast<std::size_t>(std::find(slots.begin(), slots.end(), value) - slots.begin())];
  };
  const std::vector<int> values = numbers_from_r(table["effect_values"]),
                         targets = numbers_from_r(table["effect_targets"]);
  for (std::size_t k = 0; k < values.size(); ++k) handle.effects.push_back({values[k], variable_of(targets[k])});
  handle.after = table["after"];
  if (Rf_isNull(table["optimizer"])) return;
  std::vector<SEXP> trainable;
  for (const int value : handle.plan.source().trainable) trainable.push_back(variable_of(value));
  handle.optimizer = std::make_unique<BoundOptimizer>(table["optimizer"], trainable);
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
    handle->input_groups = groups_from_r(table);
    bind_objects(*handle, table);
    const Rcpp::Shield<SEXP> pointer(R_MakeExternalPtr(handle.release(), R_NilValue, table));
    R_RegisterCFinalizerEx(pointer, free_plan, TRUE);
    return pointer;
  });
}

// [[Rcpp::export(rng = false)]]
bool r_pointer_is_nil(SEXP pointer) { return is_nil(pointer); }

// One batch: the rows `rows` (counted from 1; NULL: all) of `inputs`, a list of tensors and NULL, through the first of
// `plans` that is alive and was made for such inputs, whatever the size of their first axis. NULL if none was.
// [[Rcpp::export(rng = false)]]
SEXP r_plan_run(SEXP plans, SEXP inputs, SEXP rows, bool commit_nonfinite) {
  return guarded([&]() -> SEXP {
    for (R_xlen_t k = 0; k < Rf_xlength(plans); ++k) {
      const SEXP pointer = VECTOR_ELT(plans, k);
      if (!fits(pointer, inputs)) continue;
      follow_thread_option();
      return run_plan(plan_of(pointer), inputs, rows, commit_nonfinite);
    }
    return R_NilValue;
  });
}

// The table a plan was made from.
// [[Rcpp::export(rng = false)]]
SEXP r_plan_table(SEXP pointer) { return R_ExternalPtrProtected(pointer); }

// When each of these plans was used last: the later, the larger.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector r_plan_uses(Rcpp::List plans) {
  return guarded([&] {
    Rcpp::NumericVector uses(plans.size());
    for (R_xlen_t k = 0; k < plans.size(); ++k) uses[k] = plan_of(plans[k]).last_use;
    return uses;
  });
}

// One part of a step that is not a plan as a whole: the outputs of its plan for `inputs`, a list of tensors, as an op
// on `tape` (NULL: none).
// [[Rcpp::export(rng = false)]]
SEXP r_plan_part(SEXP pointer, SEXP inputs, SEXP tape) {
  return guarded([&]() -> SEXP {
    PlanHandle& handle = plan_of(pointer);
    const InUse in_use(handle);
    follow_thread_option();
    ++run_counts().plan_runs;
    collect_given(handle, inputs, R_NilValue);
    if (!handle.plan.source().trainable.empty()) handle.versions.clear();
    handle.plan.run(handle.given, handle.versions);
    const Rcpp::Shield<SEXP> outputs(output_tensors(handle));
    if (!Rf_isNull(tape)) note_part(pointer, handle, inputs, outputs, tape);
    return outputs;
  });
}

// Any value of the last run of a plan, by its slot.
// [[Rcpp::export(rng = false)]]
SEXP r_plan_value(SEXP pointer, int slot) {
  return guarded([&]() -> SEXP {
    const View& view = plan_of(pointer).plan.value(slot - 1);
    const Rcpp::Shield<SEXP> tensor(new_tensor(view.meta));
    std::memcpy(view_of(tensor).data, view.data, view.meta.bytes());
    return tensor;
  });
}

// The bytes of work space that a plan needs for inputs of these types and shapes: a list of list(dtype, shape) and
// NULL.
// [[Rcpp::export(rng = false)]]
double r_plan_work_bytes(SEXP pointer, Rcpp::List metas) {
  return guarded([&] { return static_cast<double>(work_bytes(plan_of(pointer), metas_from_r(metas))); });
}
