// The update rules of Keras' optimizers (level L3). g: gradient, w: weight, t: number of this update from 1.
#include "optimizer.h"

#include <algorithm>
#include <cmath>

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

template <typename T>
struct Numbers {
  T* w;
  const T* g;
  std::int64_t n;
  T scale, limit;
  T gradient(std::int64_t i) const {
    const T value = g[i] * scale;
    return limit > T(0) ? std::min(std::max(value, -limit), limit) : value;
  }
};

template <typename T>
using Rule = void (*)(const Step&, const Parameter&, const Numbers<T>&);

template <typename T>
T* slot_of(const Parameter& p, const char* name) {
  return p.slot(name).as<T>();
}

template <typename T>
void sgd(const Step& s, const Parameter& p, const Numbers<T>& x) {
  const T lr = T(s.lr), momentum = T(s.spec.number("momentum", 0.0));
  T* m = slot_of<T>(p, "momentum");
  const bool nesterov = s.spec.flag("nesterov");
  for (std::int64_t i = 0; i < x.n; ++i) {
    const T change = -lr * x.gradient(i);
    if (m == nullptr) {
      x.w[i] += change;
      continue;
    }
    m[i] = momentum * m[i] + change;
    x.w[i] += nesterov ? momentum * m[i] + change : m[i];
  }
}

template <typename T>
void rmsprop(const Step& s, const Parameter& p, const Numbers<T>& x) {
  const T lr = T(s.lr), rho = T(s.spec.number("rho")), momentum = T(s.spec.number("momentum", 0.0)), eps = T(s.epsilon);
  T *v = slot_of<T>(p, "velocity"), *m = slot_of<T>(p, "momentum"), *a = slot_of<T>(p, "average_gradient");
  for (std::int64_t i = 0; i < x.n; ++i) {
    const T g = x.gradient(i);
    v[i] = rho * v[i] + (T(1) - rho) * g * g;
    T denominator = v[i] + eps;
    if (a != nullptr) {
      a[i] = rho * a[i] + (T(1) - rho) * g;
      denominator = v[i] - a[i] * a[i] + eps;
    }
    const T change = lr * g / std::sqrt(denominator);
    if (m != nullptr) m[i] = momentum * m[i] + change;
    x.w[i] -= m != nullptr ? m[i] : change;
  }
}

template <typename T>
void adam(const Step& s, const Parameter& p, const Numbers<T>& x) {
  const T alpha = T(s.lr * std::sqrt(1.0 - std::pow(s.beta_2, s.t)) / (1.0 - std::pow(s.beta_1, s.t)));
  const T rest_1 = T(1.0 - s.beta_1), rest_2 = T(1.0 - s.beta_2), eps = T(s.epsilon);
  T *m = slot_of<T>(p, "momentum"), *v = slot_of<T>(p, "velocity"), *top = slot_of<T>(p, "velocity_hat");
  for (std::int64_t i = 0; i < x.n; ++i) {
    const T g = x.gradient(i);
    m[i] += (g - m[i]) * rest_1;
    v[i] += (g * g - v[i]) * rest_2;
    if (top != nullptr) top[i] = std::max(top[i], v[i]);
    x.w[i] -= alpha * m[i] / (std::sqrt(top != nullptr ? top[i] : v[i]) + eps);
  }
}

template <typename T>
void adamax(const Step& s, const Parameter& p, const Numbers<T>& x) {
  const T alpha = T(s.lr / (1.0 - std::pow(s.beta_1, s.t)));
  const T rest_1 = T(1.0 - s.beta_1), beta_2 = T(s.beta_2), eps = T(s.epsilon);
  T *m = slot_of<T>(p, "momentum"), *u = slot_of<T>(p, "norm");
  for (std::int64_t i = 0; i < x.n; ++i) {
    const T g = x.gradient(i);
    m[i] += (g - m[i]) * rest_1;
    u[i] = std::max(beta_2 * u[i], std::abs(g));
    x.w[i] -= alpha * m[i] / (u[i] + eps);
  }
}

double nadam_momentum(const Step& s, double t) { return s.beta_1 * (1.0 - 0.5 * std::pow(0.96, t)); }

template <typename T>
void nadam(const Step& s, const Parameter& p, const Numbers<T>& x) {
  const double now = nadam_momentum(s, s.t), next = nadam_momentum(s, s.t + 1.0);
  const double product = static_cast<double>(*s.product.as<T>());  // already holds this step's factor
  const T from_m = T(next / (1.0 - product * next)), from_g = T((1.0 - now) / (1.0 - product));
  const T correct = T(1.0 / (1.0 - std::pow(s.beta_2, s.t)));
  const T lr = T(s.lr), rest_1 = T(1.0 - s.beta_1), rest_2 = T(1.0 - s.beta_2), eps = T(s.epsilon);
  T *m = slot_of<T>(p, "momentum"), *v = slot_of<T>(p, "velocity");
  for (std::int64_t i = 0; i < x.n; ++i) {
    const T g = x.gradient(i);
    m[i] += (g - m[i]) * rest_1;
    v[i] += (g * g - v[i]) * rest_2;
    x.w[i] -= lr * (from_m * m[i] + from_g * g) / (std::sqrt(v[i] * correct) + eps);
  }
}

template <typename T>
void adagrad(const Step& s, const Parameter& p, const Numbers<T>& x) {
  const T lr = T(s.lr), eps = T(s.epsilon);
  T* a = slot_of<T>(p, "accumulator");
  for (std::int64_t i = 0; i < x.n; ++i) {
    const T g = x.gradient(i);
    a[i] += g * g;
    x.w[i] -= lr * g / std::sqrt(a[i] + eps);
  }
}

template <typename T>
void adadelta(const Step& s, const Parameter& p, const Numbers<T>& x) {
  const T lr = T(s.lr), rho = T(s.spec.number("rho")), eps = T(s.epsilon);
  T *a = slot_of<T>(p, "accumulated_grad"), *d = slot_of<T>(p, "accumulated_delta_var");
  for (std::int64_t i = 0; i < x.n; ++i) {
    const T g = x.gradient(i);
    a[i] = rho * a[i] + (T(1) - rho) * g * g;
    const T delta = -std::sqrt(d[i] + eps) * g / std::sqrt(a[i] + eps);
    d[i] = rho * d[i] + (T(1) - rho) * delta * delta;
    x.w[i] += lr * delta;
  }
}

template <typename T>
void lion(const Step& s, const Parameter& p, const Numbers<T>& x) {
  const T lr = T(s.lr), beta_1 = T(s.beta_1), beta_2 = T(s.beta_2);
  T* m = slot_of<T>(p, "momentum");
  for (std::int64_t i = 0; i < x.n; ++i) {
    const T g = x.gradient(i), direction = beta_1 * m[i] + (T(1) - beta_1) * g;
    x.w[i] -= lr * T((direction > T(0)) - (direction < T(0)));
    m[i] = beta_2 * m[i] + (T(1) - beta_2) * g;
  }
}

template <typename T>
Rule<T> rule_named(const std::string& kind) {
  const std::pair<const char*, Rule<T>> rules[] = {
      {"sgd", sgd<T>},         {"rmsprop", rmsprop<T>}, {"adam", adam<T>},         {"adamax", adamax<T>},
      {"nadam", nadam<T>},     {"adagrad", adagrad<T>}, {"adadelta", adadelta<T>}, {"lion", lion<T>}};
  for (const auto& rule : rules)
    if (kind == rule.first) return rule.second;
  fail("value", "there is no optimizer rule '" + kind + "'");
}

template <typename T>
double norm_of(const View& gradient) {
  const T* g = gradient.as<T>();
  const std::int64_t n = gradient.count();
  double sum = 0.0;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
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
void decay(const Parameter& p, double factor) {
  T* w = p.value.as<T>();
  const T share = T(factor);
  for (std::int64_t i = 0; i < p.value.count(); ++i) w[i] -= w[i] * share;
}

template <typename T>
void update(const Step& step, const std::string& kind, const Parameter& p, const Clip& clip) {
  const Numbers<T> numbers{p.value.as<T>(), p.gradient.as<T>(), p.value.count(), T(clip.scale), T(clip.limit)};
  rule_named<T>(kind)(step, p, numbers);
}

void update_all(const Attrs& spec, double updates_before, double learning_rate, std::vector<Parameter>& parameters,
                const View& product) {
  Step step{spec, learning_rate, updates_before + 1.0, spec.number("beta_1", 0.0), spec.number("beta_2", 0.0),
            spec.number("epsilon", 0.0), product};
  if (!product.absent()) {
    const double factor = nadam_momentum(step, step.t);
    if (product.dtype() == DType::float32)
      *product.as<float>() *= static_cast<float>(factor);
    else
      *product.as<double>() *= factor;
  }
  const Clipping clipping(spec, parameters);
  const std::string kind = spec.text("kind");
  const double weight_decay = spec.number("weight_decay", 0.0) * learning_rate;
  for (Parameter& p : parameters) {
    if (p.gradient.absent()) continue;
    const bool single = p.value.dtype() == DType::float32;
    if (weight_decay != 0.0) single ? decay<float>(p, weight_decay) : decay<double>(p, weight_decay);
    const Clip clip = clipping.of(p);
    single ? update<float>(step, kind, p, clip) : update<double>(step, kind, p, clip);
  }
}

// sum += g; on the last of k calls the mean of the k gradients takes the gradient's place.
template <typename T>
void accumulate(Parameter& p, bool last, double k) {
  T* sum = p.slot("gradient_accumulator").as<T>();
  const T* g = p.gradient.as<T>();
  const T share = last ? T(k) : T(1);
  for (std::int64_t i = 0; i < p.value.count(); ++i) sum[i] = (sum[i] + g[i]) / share;
}

void clear_accumulator(const Parameter& p) {
  const View sum = p.slot("gradient_accumulator");
  std::fill_n(sum.as<char>(), sum.meta.bytes(), char(0));
}

template <typename T>
void average(const Parameter& p, double momentum, bool overwrite) {
  T *w = p.value.as<T>(), *mean = p.slot("average").as<T>();
  const T m = T(momentum);
  for (std::int64_t i = 0; i < p.value.count(); ++i) {
    mean[i] = m * mean[i] + (T(1) - m) * w[i];
    if (overwrite) w[i] = mean[i];
  }
}

template <typename T>
bool all_finite(const View& x) {
  const T* numbers = x.as<T>();
  T sum = T(0);  // x - x is 0, or NaN for what is not finite
  for (std::int64_t i = 0; i < x.count(); ++i) sum += numbers[i] - numbers[i];
  return sum == T(0);
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

void optimizer_step(const Attrs& spec, std::int64_t iterations, double learning_rate, std::vector<Parameter>& parameters,
                    const View& product) {
  const std::int64_t k = spec.integer("gradient_accumulation_steps", 1);
  const std::int64_t updates_before = iterations / k;
  const bool last = (iterations + 1) % k == 0;
  if (k > 1)
    for (Parameter& p : parameters) {
      if (p.gradient.absent()) continue;
      p.value.dtype() == DType::float32 ? accumulate<float>(p, last, double(k)) : accumulate<double>(p, last, double(k));
      p.gradient = p.slot("gradient_accumulator");
    }
  if (last) update_all(spec, static_cast<double>(updates_before), learning_rate, parameters, product);
  if (last && k > 1)
    for (const Parameter& p : parameters)
      if (!p.gradient.absent()) clear_accumulator(p);
  if (!spec.flag("use_ema")) return;
  const double momentum = updates_before == 0 ? 0.0 : spec.number("ema_momentum", 0.99);
  const std::int64_t every = spec.integer("ema_overwrite_frequency", 0);
  const bool overwrite = every > 0 && (updates_before + 1) % every == 0;
  for (const Parameter& p : parameters)
    p.value.dtype() == DType::float32 ? average<float>(p, momentum, overwrite) : average<double>(p, momentum, overwrite);
}

}  // namespace birnn
