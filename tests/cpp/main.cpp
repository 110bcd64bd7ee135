// Runs all tests, or those whose name contains the first argument.
#include "check.h"
#include "op.h"
#include "parallel.h"

int main(int argc, char** argv) {
  const std::string wanted = argc > 1 ? argv[1] : "";
  birnn::register_all_ops();
  birnn::set_threaded_work(0);  // threads are at work on small cases, too
  int run = 0, failed = 0;
  for (const check::Test& test : check::tests()) {
    if (std::string(test.name).find(wanted) == std::string::npos) continue;
    const int before = check::failures();
    try {
      test.body();
    } catch (const std::exception& error) {
      check::report(false, test.name, 0, std::string("unexpected error: ") + error.what());
    }
    ++run;
    if (check::failures() > before) {
      ++failed;
      std::cerr << "FAILED " << test.name << "\n";
    }
  }
  birnn::shutdown_pool();
  std::cout << run - failed << " C++ tests passed, " << failed << " failed (" << check::checks() << " checks)\n";
  return failed > 0 || run == 0 ? 1 : 0;
}
