// What every measured program of this folder has in common: requests, clocks, samples.
//
// A program reads requests from its standard input, one a line, words `key=value`, and answers each with one line:
// `ok <median ms> <best ms> <samples>`, `ok <text>`, or `error <why>`. run.R asks all programs in turn, so that the
// times that a ratio is made of come from the same second.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

class Request {
 public:
  explicit Request(const std::string& line) {
    std::istringstream stream(line);
    std::string word;
    while (stream >> word) {
      const std::size_t equals = word.find('=');
      words_[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
    }
  }
  std::string text(const std::string& key, const std::string& otherwise = "") const {
    const auto found = words_.find(key);
    return found == words_.end() ? otherwise : found->second;
  }
  long number(const std::string& key, long otherwise = 0) const {
    const auto found = words_.find(key);
    return found == words_.end() ? otherwise : std::strtol(found->second.c_str(), nullptr, 10);
  }
  bool flag(const std::string& key) const { return number(key) != 0; }

 private:
  std::map<std::string, std::string> words_;
};

// A bidirectional layer and what is done with it.
struct Config {
  std::string cell;
  long batch, time, features, units, threads;
  bool train, sequences;
  explicit Config(const Request& r)
      : cell(r.text("cell", "lstm")),
        batch(r.number("B", 32)),
        time(r.number("T", 100)),
        features(r.number("F", 64)),
        units(r.number("U", 128)),
        threads(r.number("threads", 1)),
        train(r.flag("train")),
        sequences(r.number("rs", 1) != 0) {}
  int gates() const { return cell == "lstm" ? 4 : cell == "gru" ? 3 : 1; }
};

// Milliseconds of CPU time of the process or of wall time. On an idle core to which a process is bound they are equal;
// only the former leaves out what other work takes.
inline double clock_ms(bool cpu) {
  timespec t;
  clock_gettime(cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

// Runs `step` once for nothing, then at least `min` times and until `ms` have passed.
inline std::string sample(const Request& r, const std::function<void()>& step) {
  const bool cpu = r.text("clock", "cpu") == "cpu";
  const double budget = static_cast<double>(r.number("ms", 40));
  const std::size_t least = static_cast<std::size_t>(r.number("min", 2));
  step();
  std::vector<double> times;
  for (const double start = clock_ms(false); times.size() < least || clock_ms(false) - start < budget;) {
    const double before = clock_ms(cpu);
    step();
    times.push_back(clock_ms(cpu) - before);
  }
  std::sort(times.begin(), times.end());
  char line[100];
  std::snprintf(line, sizeof line, "%.6f %.6f %zu", times[times.size() / 2], times[0], times.size());
  return line;
}

// Numbers in -scale..scale, always the same.
class Noise {
 public:
  float operator()(float scale) {
    state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
    return scale * (static_cast<float>(state_ >> 40) / 8388608.f - 1.f);
  }

 private:
  std::uint64_t state_ = 1;
};

inline int serve(const std::function<std::string(const Request&)>& answer) {
  std::string line;
  while (std::getline(std::cin, line)) {
    try {
      std::cout << "ok " << answer(Request(line)) << std::endl;
    } catch (const std::exception& problem) {
      std::cout << "error " << problem.what() << std::endl;
    }
  }
  return 0;
}

}  // namespace bench
