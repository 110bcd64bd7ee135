// The same bidirectional LSTM in plain Armadillo, as one would write it first: the products go to whatever BLAS the
// process has (which must keep to one thread: OPENBLAS_NUM_THREADS=1), the activations to the C library.
// Requests: task=layer (cell=lstm only, see Config in serve.h), task=gemm n=.
#include <armadillo>
#include <cmath>
#include <thread>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "serve.h"

namespace {

using arma::fmat;
using arma::fvec;
using arma::uword;
using bench::Config;
using bench::Noise;
using bench::Request;

float sigmoid(float x) { return 1.f / (1.f + std::exp(-x)); }

// Columns are (time, batch), batch fastest; gates i f c o are blocks of rows.
class Direction {
 public:
  Direction(const Config& c, bool backwards, Noise& noise)
      : steps_(c.time),
        batch_(static_cast<uword>(c.batch)),
        units_(static_cast<uword>(c.units)),
        backwards_(backwards),
        kernel_(4 * units_, static_cast<uword>(c.features)),
        recurrent_(4 * units_, units_),
        bias_(4 * units_) {
    kernel_.imbue([&] { return noise(.15f); });
    recurrent_.imbue([&] { return noise(.15f); });
    bias_.imbue([&] { return noise(.1f); });
  }

  void forward(const fmat& x, fmat& y) {
    gates_ = kernel_ * x;
    gates_.each_col() += bias_;
    cells_.set_size(units_, x.n_cols);
    fmat h(units_, batch_, arma::fill::zeros), c(units_, batch_, arma::fill::zeros);
    for (long s = 0; s < steps_; ++s) {
      fmat z = at(gates_, s);
      if (s > 0) z += recurrent_ * h;
      for (uword b = 0; b < batch_; ++b) activate(z.colptr(b), c.colptr(b), h.colptr(b));
      cells_.cols(first(s), last(s)) = c;
      y.submat(offset(), first(s), offset() + units_ - 1, last(s)) = h;
    }
  }

  // The gates are overwritten by their gradients.
  void backward(const fmat& x, const fmat& y, const fmat& dy, fmat& dx) {
    fmat dh(units_, batch_, arma::fill::zeros), dc(units_, batch_, arma::fill::zeros);
    fmat before(units_, x.n_cols, arma::fill::zeros);
    for (long s = steps_ - 1; s >= 0; --s) {
      fmat z = at(gates_, s);
      if (s > 0) before.cols(first(s), last(s)) = y.submat(offset(), first(s - 1), offset() + units_ - 1, last(s - 1));
      for (uword b = 0; b < batch_; ++b)
        gradient(z.colptr(b), cells_.colptr(first(s) + b), s > 0 ? cells_.colptr(first(s - 1) + b) : nullptr,
                 dy.colptr(first(s) + b) + offset(), dc.colptr(b), dh.colptr(b));
      dh = recurrent_.t() * z;
    }
    dkernel_ = gates_ * x.t();
    drecurrent_ = gates_ * before.t();
    dbias_ = arma::sum(gates_, 1);
    dx = kernel_.t() * gates_;
    kernel_ -= 1e-4f * dkernel_;
    recurrent_ -= 1e-4f * drecurrent_;
    bias_ -= 1e-4f * dbias_;
  }

 private:
  uword offset() const { return backwards_ ? units_ : 0; }
  uword first(long step) const { return static_cast<uword>(backwards_ ? steps_ - 1 - step : step) * batch_; }
  uword last(long step) const { return first(step) + batch_ - 1; }
  fmat at(fmat& m, long step) const { return fmat(m.colptr(first(step)), m.n_rows, batch_, false, true); }

  void activate(float* z, float* c, float* h) const {
    for (uword u = 0; u < units_; ++u) {
      const float i = sigmoid(z[u]), f = sigmoid(z[units_ + u]);
      const float g = std::tanh(z[2 * units_ + u]), o = sigmoid(z[3 * units_ + u]);
      c[u] = f * c[u] + i * g;
      h[u] = o * std::tanh(c[u]);
      z[u] = i;
      z[units_ + u] = f;
      z[2 * units_ + u] = g;
      z[3 * units_ + u] = o;
    }
  }

  void gradient(float* z, const float* c, const float* c_before, const float* dy, float* dc, const float* dh) const {
    for (uword u = 0; u < units_; ++u) {
      const float i = z[u], f = z[units_ + u], g = z[2 * units_ + u], o = z[3 * units_ + u];
      const float t = std::tanh(c[u]), d = dh[u] + dy[u], e = dc[u] + d * o * (1 - t * t);
      z[u] = e * g * i * (1 - i);
      z[units_ + u] = c_before == nullptr ? 0.f : e * c_before[u] * f * (1 - f);
      z[2 * units_ + u] = e * i * (1 - g * g);
      z[3 * units_ + u] = d * t * o * (1 - o);
      dc[u] = e * f;
    }
  }

  long steps_;
  uword batch_, units_;
  bool backwards_;
  fmat kernel_, recurrent_, gates_, cells_, dkernel_, drecurrent_;
  fvec bias_, dbias_;
};

void flush_to_zero() {
#if defined(__SSE__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

class Layer {
 public:
  explicit Layer(const Config& c)
      : threads_(c.threads),
        forward_(c, false, noise_),
        backward_(c, true, noise_),
        x_(static_cast<uword>(c.features), static_cast<uword>(c.time * c.batch)),
        y_(static_cast<uword>(2 * c.units), x_.n_cols),
        dy_(y_.n_rows, y_.n_cols) {
    x_.imbue([&] { return noise_(1.f); });
    dy_.imbue([&] { return noise_(1e-3f); });
  }
  void infer() {
    both([&](Direction& d, fmat&) { d.forward(x_, y_); });
  }
  void train() {
    infer();
    both([&](Direction& d, fmat& dx) { d.backward(x_, y_, dy_, dx); });
    dx_[0] += dx_[1];
  }

 private:
  template <typename F>
  void both(F&& work) {
    if (threads_ < 2) {
      work(forward_, dx_[0]);
      work(backward_, dx_[1]);
      return;
    }
    std::thread other([&] {
      flush_to_zero();
      work(backward_, dx_[1]);
    });
    work(forward_, dx_[0]);
    other.join();
  }

  long threads_;
  Noise noise_;
  Direction forward_, backward_;
  fmat x_, y_, dy_, dx_[2];
};

std::string answer(const Request& r) {
  flush_to_zero();
  if (r.text("task") == "gemm") {
    const uword n = static_cast<uword>(r.number("n", 1024));
    const fmat a(n, n, arma::fill::randu), b(n, n, arma::fill::randu);
    fmat c(n, n);
    return bench::sample(r, [&] { c = a * b; });
  }
  const Config config(r);
  if (config.cell != "lstm") throw std::runtime_error("only cell=lstm");
  Layer layer(config);
  return bench::sample(r, [&] { config.train ? layer.train() : layer.infer(); });
}

}  // namespace

int main() { return bench::serve(answer); }
