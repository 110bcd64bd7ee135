// A small pool of threads, cancellation, and flush-to-zero (level L1).
//
// Work is a number of independent items; results must not depend on which thread runs an item. While items run,
// the calling thread asks an injected poll() now and then; once it answers true every item stops at its next
// check_cancel(), all threads are joined, and only then the error of kind "interrupt" is thrown.
#pragma once
#include <type_traits>
#include <utility>

namespace birnn {

// What this process may use: fewer than the machine has where it is bound to some, or has a share of their time.
int usable_cores();

void set_threads(int threads);  // at least 1; takes effect at the next call
int threads();

// Runs fn(item, context) for item = 0..n_items-1 and returns when all have ended. Inside an item, with one thread, or
// with one item it runs in order on the calling thread. The exception of the lowest failed item is rethrown. A call
// from inside poll(), or from a second thread while the pool is at work, is an error of kind "busy".
void parallel_invoke(int n_items, void (*fn)(int item, void* context), void* context);

template <typename F>
void parallel_invoke(int n_items, F&& body) {
  using Body = std::remove_reference_t<F>;
  parallel_invoke(
      n_items, [](int item, void* context) { (*static_cast<Body*>(context))(item); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// Fewer products than this are not worth a second thread. Tests want threads at work on small cases, too.
void set_threaded_work(double products);
double threaded_work();

// The same, on the calling thread alone unless `work`, a number of products, is worth more.
template <typename F>
void parallel_invoke(int n_items, double work, F&& body) {
  if (work >= threaded_work()) return parallel_invoke(n_items, body);
  for (int item = 0; item < n_items; ++item) body(item);
}

// Ends the workers; the next parallel call starts new ones. For the unloading of the library.
void shutdown_pool();

// `poll` is only ever called on the thread that called into this code, at most every 50 ms; an exception
// from it counts as true. Null: never cancelled.
void set_poll(bool (*poll)());
bool cancel_requested();
void check_cancel();  // throws an Error of kind "interrupt" if cancelled: once per time step

// Subnormal results and operands count as zero on this thread while the object lives (a no-op where the processor has
// no such mode). parallel_invoke() hands the caller's mode on to its workers for the length of the call.
class FlushToZero {
 public:
  FlushToZero();
  ~FlushToZero();
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
  unsigned long long saved_;
};

}  // namespace birnn
