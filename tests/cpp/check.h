// Self-registering tests:
// TEST(name) { CHECK(...); CHECK_MESSAGE(..., text); CHECK_CLOSE(a, b, tolerance); CHECK_ERROR(expression, "kind"); }
#pragma once
#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "error.h"

namespace check {

struct Test {
  const char* name;
  void (*body)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
inline int& failures() {
  static int count = 0;
  return count;
}
inline int& checks() {
  static int count = 0;
  return count;
}

struct Registration {
  Registration(const char* name, void (*body)()) { tests().push_back({name, body}); }
};

inline bool report(bool good, const char* file, int line, const std::string& text) {
  ++checks();
  if (!good && ++failures() <= 20) std::cerr << file << ":" << line << ": " << text << "\n";
  return good;
}

inline bool report_error(const std::string& kind, const std::string& expected, const char* file, int line,
                         const std::string& expression) {
  return report(kind == expected, file, line, expression + " should give '" + expected + "', gave '" + kind + "'");
}

// Close relative to the larger of 1 and |b|; NaN is close to NaN only.
inline bool close(double a, double b, double tolerance) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::fabs(a - b) <= tolerance * std::max(1.0, std::fabs(b));
}

template <typename F>
std::string error_kind(F&& f) {
  try {
    f();
  } catch (const birnn::Error& error) {
    return error.kind();
  }
  return "no error";
}

}  // namespace check

#define TEST(name)                                                    \
  static void test_##name();                                          \
  static check::Registration registration_##name(#name, test_##name); \
  static void test_##name()

#define CHECK(condition) check::report((condition), __FILE__, __LINE__, #condition)
#define CHECK_MESSAGE(condition, text) \
  check::report((condition), __FILE__, __LINE__, std::string(#condition ": ") + (text))
#define CHECK_CLOSE(a, b, tolerance)                                     \
  check::report(check::close((a), (b), (tolerance)), __FILE__, __LINE__, \
                std::string(#a " is ") + std::to_string(a) + ", not " #b ": " + std::to_string(b))
#define CHECK_ERROR(expression, expected) \
  check::report_error(check::error_kind([&] { (void)(expression); }), (expected), __FILE__, __LINE__, #expression)
