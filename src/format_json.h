// JSON: a parser for text that nobody vouches for, and a writer that spells like Python's (level L1).
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "format_bytes.h"

namespace birnn {

// One value. `items`: elements of an array, or the values of an object, whose `keys` stand beside them.
struct Json {
  enum class Kind { null, boolean, integer, real, string, array, object };
  Kind kind = Kind::null;
  bool truth = false;
  double number = 0;
  std::string text;
  std::vector<Json> items;
  std::vector<std::string> keys;

  Json() = default;
  explicit Json(Kind kind) : kind(kind) {}
};

// The bounds of what is read. Numbers are doubles: whole ones are exact, larger ones than 2^53 an error. NaN, Infinity
// and -Infinity, which Python writes, are numbers.
struct JsonLimits {
  uint64_t size = uint64_t{16} << 20;
  int depth = 128;
  uint64_t string = uint64_t{1} << 20;
  uint64_t values = 500000;
};

// Strict: UTF-8 without a byte order mark, no comments, no key twice in an object, one value and nothing after it.
Json parse_json(const ByteSpan& text, const JsonLimits& limits = JsonLimits());

// One line, ", " and ": " between the parts, characters beyond ASCII as \uXXXX, the shortest digits that give the same
// number, reals with a point or an exponent.
std::string write_json(const Json& value);

}  // namespace birnn
