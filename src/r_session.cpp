// Start and end of the package in an R session, threads, instruction set, and Ctrl-C (level L4).
#include "r_session.h"

#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#if __GLIBC_PREREQ(2, 33)
#define BIRNN_HAS_MALLINFO2
#endif
#endif

#include "arena.h"
#include "kernel_isa.h"
#include "parallel.h"
#include "r_convert.h"

namespace birnn {

namespace {

void check_interrupt(void*) { R_CheckUserInterrupt(); }

// R jumps out of R_CheckUserInterrupt(); the toplevel context catches the jump, no C++ frame is skipped.
bool interrupt_pending() { return R_ToplevelExec(check_interrupt, nullptr) == FALSE; }

int positive_number(const char* text) {
  const int number = text == nullptr ? 0 : std::atoi(text);
  return number > 0 ? number : 0;
}

// Never more threads than the surroundings allow: R CMD check, batch systems and users of OpenMP say so here.
int allowed_threads() {
  int allowed = usable_cores();
  const int limit = positive_number(std::getenv("OMP_THREAD_LIMIT"));
  if (limit > 0 && limit < allowed) allowed = limit;
  const char* check = std::getenv("_R_CHECK_LIMIT_CORES_");
  if (check != nullptr && *check != '\0' && std::string(check) != "false" && allowed > 2) allowed = 2;
  return allowed;
}

int chosen_threads() {
  const SEXP option = Rf_GetOption1(Rf_install("birnn.threads"));
  const int allowed = allowed_threads();
  if (Rf_isNull(option)) return allowed < 2 ? allowed : 2;
  const double wanted = Rf_isNumeric(option) && Rf_xlength(option) == 1 ? Rf_asReal(option) : R_NaReal;
  if (!(wanted >= 1.0) || wanted != static_cast<int>(wanted))
    fail("value", "options(birnn.threads = ) must be a whole number of at least 1");
  const int limit = positive_number(std::getenv("OMP_THREAD_LIMIT"));
  return limit > 0 && wanted > limit ? limit : static_cast<int>(wanted);
}

}  // namespace

void follow_thread_option() { set_threads(chosen_threads()); }

RunCounts& run_counts() {
  static RunCounts counts;
  return counts;
}

}  // namespace birnn

using namespace birnn;

// [[Rcpp::export(rng = false)]]
void r_session_start() {
  guarded([&] {
    register_all_ops();
    set_poll(interrupt_pending);
  });
}

// [[Rcpp::export(rng = false)]]
void r_session_end() {
  set_poll(nullptr);
  shutdown_pool();
}

// For tests, see threaded_work(): sets it and returns what it was.
// [[Rcpp::export(rng = false)]]
double r_threaded_work(double products) {
  const double before = threaded_work();
  set_threaded_work(products);
  return before;
}

// [[Rcpp::export(rng = false)]]
int r_threads() {
  return guarded([&] {
    follow_thread_option();
    return threads();
  });
}

// Counts since the package was loaded: runs of plans, eager ops, blocks of work space that were asked of the system;
// and the bytes of work space held now.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericVector r_counts() {
  return Rcpp::NumericVector::create(Rcpp::Named("plan_runs") = run_counts().plan_runs,
                                     Rcpp::Named("eager_ops") = run_counts().eager_ops,
                                     Rcpp::Named("work_allocations") = static_cast<double>(work_counts().allocations),
                                     Rcpp::Named("work_bytes") = static_cast<double>(work_counts().bytes));
}

// The instruction sets of this processor, the best last.
// [[Rcpp::export(rng = false)]]
std::vector<std::string> r_known_isas() { return known_isas(); }

// The one in use; with a name, from now on. Not to be changed while a tape is alive.
// [[Rcpp::export(rng = false)]]
std::string r_isa(const std::string& name) {
  return guarded([&] {
    if (!name.empty()) set_isa(name);
    return isa();
  });
}

// Bytes that this process holds, R's own included, for tests of leaks; NA where the C library does not tell.
// [[Rcpp::export(rng = false)]]
double r_session_bytes() {
#ifdef BIRNN_HAS_MALLINFO2
  malloc_trim(0);
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
#else
  return NA_REAL;
#endif
}
