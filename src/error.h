// The one exception type of the C++ code (level L0). `kind` becomes the R condition class birnn_error_<kind>.
#pragma once
#include <stdexcept>
#include <string>

namespace birnn {

class Error : public std::runtime_error {
 public:
  Error(std::string kind, const std::string& message) : std::runtime_error(message), kind_(std::move(kind)) {}
  const std::string& kind() const { return kind_; }

 private:
  std::string kind_;
};

[[noreturn]] inline void fail(const std::string& kind, const std::string& message) { throw Error(kind, message); }

}  // namespace birnn
