// The pool of threads (level L1). The calling thread works too; a worker joins a job only while items are left, so the
// caller never waits for a thread that has yet to wake up. Waking up takes longer than many a job: who waits watches
// for a moment before he sleeps, in which the next job, or the end of this one, mostly comes.
#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#endif
#ifndef _WIN32
#include <unistd.h>
#endif
#ifdef __linux__
#include <sched.h>
#include <time.h>

#include <fstream>
#endif

#include "error.h"

namespace birnn {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds poll_interval{50};
constexpr std::chrono::microseconds watch_time{200};

unsigned long long float_mode() {
#if defined(__SSE2__) || defined(_M_X64)
  return _mm_getcsr();
#elif defined(__aarch64__)
  unsigned long long mode;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(mode));
  return mode;
#else
  return 0;
#endif
}

void set_float_mode(unsigned long long mode) {
#if defined(__SSE2__) || defined(_M_X64)
  _mm_setcsr(static_cast<unsigned>(mode));
#elif defined(__aarch64__)
  __asm__ __volatile__("msr fpcr, %0" : : "r"(mode));
#else
  (void)mode;
#endif
}

#if defined(__SSE2__) || defined(_M_X64)
constexpr unsigned long long flush_bits = 0x8040;  // results to zero, operands are zero
#elif defined(__aarch64__)
constexpr unsigned long long flush_bits = 1ull << 24;
#else
constexpr unsigned long long flush_bits = 0;
#endif

void pause_briefly() {
#if defined(__SSE2__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// Waits for at most watch_time, awake, while `number` is what it was. Not by yielding: the system would then leave both
// threads on one core.
void watch(const std::atomic<int>& number, int before) {
  const Clock::time_point end = Clock::now() + watch_time;
  while (number == before && Clock::now() < end) pause_briefly();
}

long process_id() {
#ifdef _WIN32
  return 0;
#else
  return static_cast<long>(getpid());
#endif
}

struct Job {
  int n_items;
  void (*fn)(int, void*);
  void* context;
  unsigned long long mode;
  std::atomic<int> next{0};
  std::mutex mutex;
  int failed_item = std::numeric_limits<int>::max();
  std::exception_ptr failure;
};

std::atomic<bool (*)()> poll_function{nullptr};
std::atomic<std::chrono::nanoseconds::rep> last_poll{0};
std::atomic<bool> job_active{false};
std::atomic<bool> cancelled{false};
std::atomic<int> wanted_threads{0};  // 0: the default
std::atomic<double> least_work{2e5};
thread_local bool is_worker = false;
thread_local bool inside_item = false;
thread_local bool inside_poll = false;

// A clock to the next few milliseconds, where there is one: it is read once a time step, and faster than the exact one.
std::chrono::nanoseconds rough_time() {
#if defined(CLOCK_MONOTONIC_COARSE)
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
#else
  return Clock::now().time_since_epoch();
#endif
}

bool poll_is_due() {
  const std::chrono::nanoseconds now = rough_time();
  if (now - std::chrono::nanoseconds(last_poll.load()) < poll_interval) return false;
  last_poll = now.count();
  return true;
}

class Flag {
 public:
  explicit Flag(bool& flag) : flag_(flag), before_(flag) { flag_ = true; }
  ~Flag() { flag_ = before_; }

 private:
  bool& flag_;
  bool before_;
};

// A poll that fails counts as a yes: its error must not leave a job whose workers are still running.
bool answers_yes(bool (*poll)()) noexcept {
  const Flag inside(inside_poll);
  try {
    return poll();
  } catch (...) {
    return true;
  }
}

// Takes items until none is left. After a cancellation the items not yet begun are left out.
void run_items(Job& job) {
  const Flag inside(inside_item);
  for (int item; (item = job.next.fetch_add(1)) < job.n_items && !cancelled;) {
    try {
      job.fn(item, job.context);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(job.mutex);
      if (item < job.failed_item) {
        job.failed_item = item;
        job.failure = std::current_exception();
      }
    }
  }
}

class Pool {
 public:
  // Where the system refuses a thread the pool has fewer; without any the caller does all the work.
  explicit Pool(int workers) : pid_(process_id()), workers_(workers) {
    try {
      for (int k = 0; k < workers; ++k) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
    }
  }
  ~Pool() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  int workers() const { return workers_; }
  bool alive() const { return pid_ == process_id(); }

  void run(Job& job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      ++posted_;
    }
    wake_.notify_all();
    run_items(job);
    std::unique_lock<std::mutex> lock(mutex_);
    job_ = nullptr;
    if (const int working = busy_) {
      lock.unlock();
      watch(busy_, working);
      lock.lock();
    }
    while (busy_ > 0) {
      done_.wait_for(lock, poll_interval / 2);
      if (busy_ == 0) break;
      lock.unlock();
      cancel_requested();
      lock.lock();
    }
  }

 private:
  void work() {
    is_worker = true;
    bool watches = false;  // after a job
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stop_) {
      if (job_ == nullptr || job_->next >= job_->n_items) {
        if (std::exchange(watches, false)) {
          const int before = posted_;
          lock.unlock();
          watch(posted_, before);
          lock.lock();
        } else {
          wake_.wait(lock);
        }
        continue;
      }
      watches = true;
      Job& job = *job_;
      ++busy_;
      lock.unlock();
      const unsigned long long mode = float_mode();
      set_float_mode(job.mode);
      run_items(job);
      set_float_mode(mode);
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
      if (cancelled) job_ = nullptr;
    }
  }

  const long pid_;
  const int workers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  Job* job_ = nullptr;
  std::atomic<int> posted_{0};  // jobs so far
  std::atomic<int> busy_{0};
  bool stop_ = false;
};

Pool* pool = nullptr;

// After a fork the child has the object but not its threads: it is abandoned, never joined.
Pool& current_pool(int workers) {
  if (pool != nullptr && !pool->alive()) pool = nullptr;
  if (pool != nullptr && pool->workers() != workers) shutdown_pool();
  if (pool == nullptr) pool = new Pool(workers);
  return *pool;
}

// Marks the pool as taken; answers a pending cancellation on the way out.
class JobScope {
 public:
  JobScope() {
    if (job_active.exchange(true)) fail("busy", "a parallel computation is already running");
    cancelled = false;
  }
  ~JobScope() {
    cancelled = false;
    job_active = false;
  }
};

int count_usable_cores() {
  int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
#ifdef __linux__
  cpu_set_t bound;
  if (sched_getaffinity(0, sizeof bound, &bound) == 0) cores = std::min(cores, std::max(1, CPU_COUNT(&bound)));
  // A container's share of time: "<microseconds or max> <in how many>".
  std::ifstream share("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (share >> quota >> period && quota > 0 && period > 0)
    cores = std::min(cores, std::max(1, static_cast<int>(quota / period)));
#endif
  return cores;
}

}  // namespace

int usable_cores() {
  static const int cores = count_usable_cores();  // asks the system: too slow for each op
  return cores;
}

void set_threaded_work(double products) { least_work = products; }
double threaded_work() { return least_work; }

void set_threads(int threads) { wanted_threads = std::max(threads, 1); }

int threads() {
  const int wanted = wanted_threads;
  if (wanted > 0) return wanted;
  return std::min(2, usable_cores());
}

void parallel_invoke(int n_items, void (*fn)(int item, void* context), void* context) {
  if (inside_poll) fail("busy", "a computation cannot be started while another is being interrupted");
  if (inside_item || n_items < 2 || threads() < 2) {
    for (int item = 0; item < n_items; ++item) fn(item, context);
    return;
  }
  const JobScope scope;
  Job job;
  job.n_items = n_items;
  job.fn = fn;
  job.context = context;
  job.mode = float_mode();
  current_pool(threads() - 1).run(job);
  if (cancelled) fail("interrupt", "interrupted");
  if (job.failure) std::rethrow_exception(job.failure);
}

void shutdown_pool() {
  if (pool != nullptr && pool->alive()) delete std::exchange(pool, nullptr);
}

void set_poll(bool (*poll)()) { poll_function = poll; }

bool cancel_requested() {
  if (cancelled) return true;
  bool (*const poll)() = poll_function;
  if (is_worker || inside_poll || poll == nullptr || !poll_is_due()) return false;
  if (!answers_yes(poll)) return false;
  if (job_active) cancelled = true;
  return true;
}

void check_cancel() {
  if (cancel_requested()) fail("interrupt", "interrupted");
}

FlushToZero::FlushToZero() : saved_(float_mode()) { set_float_mode(saved_ | flush_bits); }
FlushToZero::~FlushToZero() { set_float_mode(saved_); }

}  // namespace birnn
