// Optimizer updates of R's variables (level L4).
#include "r_optimizer.h"

namespace birnn {

namespace {

double scalar_value(SEXP variable) {
  const View view = view_of(variable);
  return view.dtype() == DType::float32 ? static_cast<double>(*view.as<float>()) : *view.as<double>();
}

Parameter parameter_of(SEXP variable, const View& gradient, const Rcpp::List& slots) {
  Parameter parameter;
  parameter.value = writable_view(variable);
  parameter.gradient = gradient;
  if (slots.size() == 0) return parameter;
  const Rcpp::CharacterVector names = slots.names();
  for (R_xlen_t k = 0; k < slots.size(); ++k)
    parameter.slots.emplace_back(Rcpp::as<std::string>(names[k]), writable_view(slots[k]));
  return parameter;
}

}  // namespace

void apply_optimizer(const Rcpp::List& table, const Rcpp::List& variables, const std::vector<View>& gradients) {
  const Rcpp::List slots = table["slots"];
  std::vector<Parameter> parameters;
  for (R_xlen_t k = 0; k < variables.size(); ++k)
    parameters.push_back(parameter_of(variables[k], gradients[static_cast<std::size_t>(k)], slots[k]));
  const SEXP extra = table["extra"];
  View product;
  if (!Rf_isNull(extra) && Rf_xlength(extra) > 0) product = writable_view(Rcpp::List(extra)[0]);
  std::int32_t& iteration = *writable_view(table["iteration"]).as<std::int32_t>();
  optimizer_step(attrs_from_r(table["spec"]), iteration, scalar_value(table["learning_rate"]), parameters, product);
  ++iteration;
}

}  // namespace birnn

using namespace birnn;

// [[Rcpp::export(rng = false)]]
void r_optimizer_apply(Rcpp::List table, Rcpp::List variables, Rcpp::List gradients) {
  guarded([&] {
    std::vector<View> views;
    for (R_xlen_t k = 0; k < gradients.size(); ++k) views.push_back(view_of(gradients[k]));
    apply_optimizer(table, variables, views);
  });
}

// [[Rcpp::export(rng = false)]]
bool r_all_finite(Rcpp::List gradients) {
  return guarded([&] {
    for (R_xlen_t k = 0; k < gradients.size(); ++k)
      if (!all_finite(view_of(gradients[k]))) return false;
    return true;
  });
}
