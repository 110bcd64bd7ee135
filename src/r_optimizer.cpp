// Optimizer updates of R's variables (level L4).
#include "r_optimizer.h"

namespace birnn {

namespace {

double scalar_value(SEXP variable) {
  const View view = view_of(variable);
  return view.dtype() == DType::float32 ? static_cast<double>(*view.as<float>()) : *view.as<double>();
}

}  // namespace

BoundOptimizer::BoundOptimizer(const Rcpp::List& table, const std::vector<SEXP>& variables)
    : spec_(attrs_from_r(table["spec"])),
      iteration_(table["iteration"]),
      learning_rate_(table["learning_rate"]),
      variables_(variables),
      slots_(variables.size()),
      parameters_(variables.size()) {
  const SEXP extra = table["extra"];
  if (Rf_xlength(extra) > 0) product_ = VECTOR_ELT(extra, 0);
  const Rcpp::List slots = table["slots"];
  for (std::size_t k = 0; k < variables.size(); ++k) {
    parameters_[k].value = view_of(variables[k]);
    const SEXP own = VECTOR_ELT(slots, static_cast<R_xlen_t>(k));
    const SEXP names = Rf_getAttrib(own, R_NamesSymbol);
    for (R_xlen_t slot = 0; slot < Rf_xlength(own); ++slot) {
      slots_[k].push_back(VECTOR_ELT(own, slot));
      parameters_[k].slots.emplace_back(CHAR(STRING_ELT(names, slot)), view_of(slots_[k].back()));
    }
  }
}

void BoundOptimizer::apply(const std::vector<View>& gradients) {
  for (std::size_t k = 0; k < variables_.size(); ++k) {
    parameters_[k].value.data = RAW(own_bytes(variables_[k]));
    parameters_[k].gradient = gradients[k];
    for (std::size_t slot = 0; slot < slots_[k].size(); ++slot)
      parameters_[k].slots[slot].second.data = RAW(own_bytes(slots_[k][slot]));
  }
  std::int32_t& iteration = *writable_view(iteration_).as<std::int32_t>();
  optimizer_step(spec_, iteration, scalar_value(learning_rate_), parameters_,
                 product_ == nullptr ? View() : writable_view(product_));
  ++iteration;
}

}  // namespace birnn

using namespace birnn;

// [[Rcpp::export(rng = false)]]
void r_optimizer_apply(Rcpp::List table, Rcpp::List variables, Rcpp::List gradients) {
  guarded([&] {
    std::vector<View> views;
    for (R_xlen_t k = 0; k < gradients.size(); ++k) views.push_back(view_of(gradients[k]));
    BoundOptimizer(table, std::vector<SEXP>(variables.begin(), variables.end())).apply(views);
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
