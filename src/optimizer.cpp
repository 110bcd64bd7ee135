// The update rules of Keras' optimizers (level L3). g: gradient, w: weight, t: number of this update from 1.
#include "optimizer.h"

#include <algorithm>
#include <cmath>

#include "kernel_isa.h"

namespace birnn {

namespace {

// Numbers every rule needs, worked out once a call.
struct Step {
  const Attrs& spec;
  double lr = 0, t = 1;
  double beta_1 = 0, beta_2 = 0, epsilon = 0;
  View product;
};

// How a gradient is changed before it is used: times `scale`, then limited to +-`limit`.
struct Clip {
  double scale = 1.0;
  double limit = 0.0;  // 0: none
};

// A rule of kernel_rules.h with its parameters, and the names of the slots it works on.
struct Choice {
  Rule rule;
  std::vector<double> params;
  std::vector<const char*> slots;
};

Choice sgd(const Step& s, const Parameter& p) {
  const std::vector<double> params = {s.lr, s.spec.number("momentum", 0.0)};
  if (p.slot("momentum").absent()) return {Rule::sgd, params, {}};
  return {s.spec.flag("nesterov") ? Rule::sgd_nesterov : Rule::sgd_momentum, params, {"momentum"}};
}

Choice rmsprop(const Step& s, const Parameter& p) {
  const double rho = s.spec.number("rho");
  const std::vector<double> params = {s.lr, rho, 1.0 - rho, s.epsilon, s.spec.number("momentum", 0.0)};
  const bool momentum = !p.slot("momentum").absent(), centered = !p.slot("average_gradient").absent();
  if (momentum && centered)
    return {Rule::rmsprop_centered_momentum, params, {"velocity", "momentum", "average_gradient"}};
  if (momentum) return {Rule::rmsprop_momentum, params, {"velocity", "momentum"}};
  if (centered) return {Rule::rmsprop_centered, params, {"velocity", "average_gradient"}};
  return {Rule::rmsprop, params, {"velocity"}};
}

Choice adam(const Step& s, const Parameter& p) {
  const double alpha = s.lr * std::sqrt(1.0 - std::pow(s.beta_2, s.t)) / (1.0 - std::pow(s.beta_1, s.t));
  const std::vector<double> params = {alpha, 1.0 - s.beta_1, 1.0 - s.beta_2, s.epsilon};
  if (p.slot("velocity_hat").absent()) return {Rule::adam, params, {"momentum", "velocity"}};
  return {Rule::adam_amsgrad, params, {"momentum", "velocity", "velocity_hat"}};
}

Choice adamax(const Step& s, const Parameter&) {
  const double alpha = s.lr / (1.0 - std::pow(s.beta_1, s.t));
  return {Rule::adamax, {alpha, 1.0 - s.beta_1, s.beta_2, s.epsilon}, {"momentum", "norm"}};
}

double nadam_momentum(const Step& s, double t) { return s.beta_1 * (1.0 - 0.5 * std::pow(0.96, t)); }

Choice nadam(const Step& s, const Parameter&) {
  const double now = nadam_momentum(s, s.t), next = nadam_momentum(s, s.t + 1.0);
  const double product = s.product.dtype() == DType::float32 ? static_cast<double>(*s.product.as<float>())
                                                             : *s.product.as<double>();  // with this step's factor
  const double from_m = next / (1.0 - product * next), from_g = (1.0 - now) / (1.0 - product);
  const double correct = 1.0 / (1.0 - std::pow(s.beta_2, s.t));
  return {Rule::nadam,
          {correct, 1.0 - s.beta_1, 1.0 - s.beta_2, s.epsilon, s.lr * from_m, s.lr * from_g},
          {"momentum", "velocity"}};
}

Choice adagrad(const Step& s, const Parameter&) { return {Rule::adagrad, {s.lr, s.epsilon}, {"accumulator"}}; }

Choice adadelta(const Step& s, const Parameter&) {
  const double rho = s.spec.number("rho");
  return {Rule::adadelta, {s.lr, rho, 1.0 - rho, s.epsilon}, {"accumulated_grad", "accumulated_delta_var"}};
}

Choice lion(const Step& s, const Parameter&) {
  return {Rule::lion, {s.lr, s.beta_1, 1.0 - s.beta_1, s.beta_2, 1.0 - s.beta_2}, {"momentum"}};
}

using Chooser = Choice (*)(const Step&, const Parameter&);

Chooser rule_named(const std::string& kind) {
  static const std::pair<const char*, Chooser> rules[] = {
      {"sgd", sgd},     {"rmsprop", rmsprop}, {"adam", adam},         {"adamax", adamax},
      {"nadam", nadam}, {"adagrad", adagrad}, {"adadelta", adadelta}, {"lion", lion}};
  for (const auto& rule : rules)
    if (kind == rule.first) return rule.second;
  fail("value", "there is no optimizer rule '" + kind + "'");
}

template <typename T>
double norm_of(const View& gradient) {
  const T* g = gradient.as<T>();
  const std::int64_t n = gradient.count();
  const double sum = tier().arrays->of<T>().sum_of_squares(static_cast<long>(n), g, 0.0);
  if (std::isfinite(sum)) return std::sqrt(sum);
  // The squares overflow: scaled by the largest number first.
  double largest = 0.0, scaled = 0.0;
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(static_cast<double>(g[i])));
  for (std::int64_t i = 0; i < n; ++i) scaled += std::pow(static_cast<double>(g[i]) / largest, 2.0);
  return largest * std::sqrt(scaled);
}

double norm_of(const View& gradient) {
  return gradient.dtype() == DType::float32 ? norm_of<float>(gradient) : norm_of<double>(gradient);
}

// clipnorm: each gradient by itself; global_clipnorm: all together; clipvalue: each number.
class Clipping {
 public:
  Clipping(const Attrs& spec, const std::vector<Parameter>& parameters)
      : norm_(spec.number("clipnorm", 0.0)), value_(spec.number("clipvalue", 0.0)) {
    const double global = spec.number("global_clipnorm", 0.0);
    if (global <= 0.0) return;
    double norm = 0.0;
    for (const Parameter& p : parameters)
      if (!p.gradient.absent()) norm = std::hypot(norm, norm_of(p.gradient));
    global_scale_ = global * std::min(1.0 / norm, 1.0 / global);
  }
  Clip of(const Parameter& p) const {
    Clip clip;
    clip.scale = norm_ > 0.0 ? norm_ / std::max(norm_of(p.gradient), norm_) : global_scale_;
    clip.limit = value_;
    return clip;
  }

 private:
  double norm_, value_, global_scale_ = 1.0;
};

template <typename T>
void apply(const Choice& choice, const Parameter& p, const Clip& clip) {
  UpdateArgs<T> args{
      static_cast<long>(p.value.count()), p.gradient.as<T>(), T(clip.scale), T(clip.limit), p.value.as<T>(), {}, {}};
  for (std::size_t k = 0; k < choice.slots.size(); ++k) args.slots[k] = p.slot(choice.slots[k]).as<T>();
  for (std::size_t k = 0; k < choice.params.size(); ++k) args.params[k] = T(choice.params[k]);
  tier().updates->of<T>().update(choice.rule, args);
}

void apply(const Choice& choice, const Parameter& p, const Clip& clip) {
  p.value.dtype() == DType::float32 ? apply<float>(choice, p, clip) : apply<double>(choice, p, clip);
}

void update_all(const Attrs& spec, double updates_before, double learning_rate, std::vector<Parameter>& parameters,
                const View& product) {
  Step step{spec,
            learning_rate,
            updates_before + 1.0,
            spec.number("beta_1", 0.0),
            spec.number("beta_2", 0.0),
            spec.number("epsilon", 0.0),
            product};
  if (!product.absent()) {
    const double factor = nadam_momentum(step, step.t);
    if (product.dtype() == DType::float32)
      *product.as<float>() *= static_cast<float>(factor);
    else
      *product.as<double>() *= factor;
  }
  const Clipping clipping(spec, parameters);
  const Chooser rule = rule_named(spec.text("kind"));
  const double weight_decay = spec.number("weight_decay", 0.0) * learning_rate;
  for (Parameter& p : parameters) {
    if (p.gradient.absent()) continue;
    if (weight_decay != 0.0) apply({Rule::decay, {weight_decay}, {}}, p, Clip());
    apply(rule(step, p), p, clipping.of(p));
  }
}

// The gradient goes to the sum of k gradients; on the last of k calls their mean takes the gradient's place.
void accumulate(Parameter& p, bool last, double k) {
  const View sum = p.slot("gradient_accumulator");
  apply({Rule::gather_gradient, {last ? k : 1.0}, {}}, Parameter{sum, p.gradient, {}}, Clip());
  p.gradient = sum;
}

void fill_with_zeros(const View& x) { std::fill_n(x.as<char>(), x.meta.bytes(), char(0)); }

void average(const Parameter& p, double momentum, bool overwrite) {
  const View mean = p.slot("average");
  apply({Rule::moving_average, {momentum, 1.0 - momentum}, {}}, Parameter{mean, p.value, {}}, Clip());
  if (overwrite) std::copy_n(mean.as<char>(), mean.meta.bytes(), p.value.as<char>());
}

template <typename T>
bool all_finite(const View& x) {
  return tier().updates->of<T>().all_finite(static_cast<long>(x.count()), x.as<T>());
}

}  // namespace

bool all_finite(const View& x) {
  if (x.absent()) return true;
  return x.dtype() == DType::float32 ? all_finite<float>(x) : all_finite<double>(x);
}

View Parameter::slot(const char* name) const {
  for (const auto& entry : slots)
    if (entry.first == name) return entry.second;
  return View();
}

void optimizer_step(const Attrs& spec, std::int64_t iterations, double learning_rate,
                    std::vector<Parameter>& parameters, const View& product) {
  const std::int64_t k = spec.integer("gradient_accumulation_steps", 1);
  const std::int64_t updates_before = iterations / k;
  const bool last = (iterations + 1) % k == 0;
  if (k > 1)
    for (Parameter& p : parameters)
      if (!p.gradient.absent()) accumulate(p, last, static_cast<double>(k));
  if (last) update_all(spec, static_cast<double>(updates_before), learning_rate, parameters, product);
  if (last && k > 1)
    for (const Parameter& p : parameters)
      if (!p.gradient.absent()) fill_with_zeros(p.slot("gradient_accumulator"));
  if (!spec.flag("use_ema")) return;
  const double momentum = updates_before == 0 ? 0.0 : spec.number("ema_momentum", 0.99);
  const std::int64_t every = spec.integer("ema_overwrite_frequency", 0);
  const bool overwrite = every > 0 && (updates_before + 1) % every == 0;
  for (const Parameter& p : parameters) average(p, momentum, overwrite);
}

}  // namespace birnn
