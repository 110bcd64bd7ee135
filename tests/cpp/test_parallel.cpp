// The pool: items, errors, nesting, cancellation, fork, float mode.
#include <atomic>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

#ifndef _WIN32
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "check.h"
#include "parallel.h"

using namespace birnn;

namespace {

// Sets the number of threads for one test.
class Threads {
 public:
  explicit Threads(int n) : before_(threads()) { set_threads(n); }
  ~Threads() { set_threads(before_); }

 private:
  int before_;
};

bool all_items_run(int n) {
  std::vector<int> counts(static_cast<std::size_t>(n));
  parallel_invoke(n, [&](int item) { ++counts[static_cast<std::size_t>(item)]; });
  for (const int count : counts)
    if (count != 1) return false;
  return true;
}

bool answer_yes() { return true; }
std::string kind_inside_poll;
bool start_work_inside() {
  kind_inside_poll = check::error_kind([] { parallel_invoke(2, [](int) {}); });
  return true;
}
bool fail_inside() { throw std::runtime_error("poll"); }

void spin_until_cancelled() {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < std::chrono::seconds(10)) check_cancel();
}

void wait(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

}  // namespace

TEST(parallel_runs_every_item_once) {
  for (const int n_threads : {1, 2, 3}) {
    const Threads use(n_threads);
    for (const int n : {0, 1, 2, 3, 17}) CHECK(all_items_run(n));
    for (int repeat = 0; repeat < 300; ++repeat)
      if (!all_items_run(4)) CHECK(false);
  }
}

TEST(parallel_uses_two_threads_at_the_same_time) {
  const Threads use(2);
  std::atomic<int> inside{0};
  bool met[2] = {false, false};
  parallel_invoke(2, [&](int item) {
    ++inside;
    for (int k = 0; k < 2000 && inside < 2; ++k) wait(1);
    met[item] = inside == 2;
  });
  CHECK(met[0] && met[1]);
}

TEST(parallel_rethrows_the_error_of_the_lowest_item) {
  for (const int n_threads : {1, 2}) {
    const Threads use(n_threads);
    std::string message;
    try {
      parallel_invoke(8, [](int item) {
        if (item == 2 || item == 5) throw std::runtime_error(std::to_string(item));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    CHECK(message == "2");
    CHECK(all_items_run(5));
  }
}

TEST(parallel_calls_nest) {
  const Threads use(2);
  std::atomic<int> count{0};
  parallel_invoke(3, [&](int) { parallel_invoke(4, [&](int) { ++count; }); });
  CHECK(count == 12);
}

TEST(parallel_work_is_cancelled_by_poll) {
  for (const int n_threads : {1, 2}) {
    const Threads use(n_threads);
    wait(60);
    set_poll(answer_yes);
    CHECK_ERROR(parallel_invoke(2, [](int) { spin_until_cancelled(); }), "interrupt");
    set_poll(nullptr);
    CHECK(!cancel_requested());
    CHECK(all_items_run(4));
  }
}

TEST(parallel_cancels_while_the_caller_waits) {
  const Threads use(2);
  const auto caller = std::this_thread::get_id();
  for (bool (*const poll)() : {answer_yes, fail_inside}) {
    std::atomic<bool> begun{false};
    // The caller's own item ends as soon as the worker has one: only the worker is left to be stopped.
    const auto body = [&](int) {
      if (std::this_thread::get_id() != caller) {
        begun = true;
        spin_until_cancelled();
      }
      while (!begun) wait(1);
    };
    wait(60);
    set_poll(poll);
    CHECK_ERROR(parallel_invoke(2, body), "interrupt");
    set_poll(nullptr);
  }
}

TEST(parallel_work_cannot_begin_inside_poll) {
  const Threads use(2);
  for (bool (*const poll)() : {start_work_inside, fail_inside}) {
    wait(60);
    set_poll(poll);
    CHECK_ERROR(parallel_invoke(2, [](int) { spin_until_cancelled(); }), "interrupt");
    set_poll(nullptr);
    CHECK(all_items_run(4));
  }
  CHECK(kind_inside_poll == "busy");
}

TEST(parallel_pool_is_taken_by_one_caller_at_a_time) {
  const Threads use(2);
  std::string kind = "no error";
  std::atomic<bool> begun{false}, ended{false};
  std::thread other([&] {
    parallel_invoke(2, [&](int) {
      begun = true;
      while (!ended) wait(1);
    });
  });
  while (!begun) wait(1);
  kind = check::error_kind([] { parallel_invoke(2, [](int) {}); });
  ended = true;
  other.join();
  CHECK(kind == "busy");
}

TEST(parallel_starts_again_after_shutdown) {
  const Threads use(2);
  CHECK(all_items_run(4));
  shutdown_pool();
  shutdown_pool();
  CHECK(all_items_run(4));
}

#if !defined(_WIN32) && !defined(__SANITIZE_THREAD__)
TEST(parallel_works_in_a_forked_child) {
  const Threads use(2);
  CHECK(all_items_run(4));
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const char answer = all_items_run(8) ? 'y' : 'n';
    _exit(write(ends[1], &answer, 1) == 1 ? 0 : 1);
  }
  close(ends[1]);
  char answer = '?';
  CHECK(read(ends[0], &answer, 1) == 1 && answer == 'y');
  close(ends[0]);
  waitpid(child, nullptr, 0);
}
#endif

#if defined(__SSE2__) || defined(__aarch64__)
TEST(parallel_workers_take_the_float_mode_of_the_caller) {
  const Threads use(2);
  volatile float small = std::numeric_limits<float>::min();
  std::atomic<int> flushed{0};
  const auto halve = [&] {
    volatile float half = small * 0.5f;
    return half == 0;
  };
  const auto count = [&](int) {
    wait(5);
    if (halve()) ++flushed;
  };
  int expected = 0;  // valgrind has no such mode
  {
    const FlushToZero flush;
    if (halve()) expected = 4;
    parallel_invoke(4, count);
  }
  CHECK(flushed == expected);
  parallel_invoke(4, count);
  CHECK(flushed == expected);
}
#endif
