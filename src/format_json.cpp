// JSON, to and fro (level L1).
#include "format_json.h"

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <set>

namespace birnn {

namespace {

// The C library reads and writes numbers with the point of the running locale.
char decimal_point() {
  const std::lconv* const locale = std::localeconv();
  return locale != nullptr && locale->decimal_point != nullptr && locale->decimal_point[0] != 0
             ? locale->decimal_point[0]
             : '.';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& text, std::uint32_t point) {
  const auto more = [&](int shift) { text += static_cast<char>(0x80 | (point >> shift & 0x3f)); };
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xc0 | point >> 6);
    more(0);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xe0 | point >> 12);
    more(6);
    more(0);
  } else {
    text += static_cast<char>(0xf0 | point >> 18);
    more(12);
    more(6);
    more(0);
  }
}

class Parser {
 public:
  Parser(const ByteSpan& text, const JsonLimits& limits) : text_(text), limits_(limits), point_(decimal_point()) {
    if (text.size() > limits.size) reject("the JSON text is too long");
  }

  Json document() {
    Json value = parse(0);
    skip_space();
    if (at_ != text_.size()) reject("the JSON text goes on after its end");
    return value;
  }

 private:
  [[noreturn]] void reject(const std::string& what) const { fail_at(text_.origin() + at_, what); }
  int peek() const { return at_ < text_.size() ? text_.data()[at_] : -1; }
  bool take(char c) {
    if (peek() != static_cast<unsigned char>(c)) return false;
    ++at_;
    return true;
  }
  bool take_word(const char* word) {
    const uint64_t length = std::string(word).size();
    if (!text_.has_text(at_, word, length)) return false;
    at_ += length;
    return true;
  }
  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++at_;
  }

  // Depth is bounded, so recursion is too.
  Json parse(int depth) {
    if (depth >= limits_.depth) reject("the JSON text is nested too deeply");
    if (++count_ > limits_.values) reject("the JSON text has too many values");
    skip_space();
    switch (peek()) {
      case '{':
        return parse_object(depth);
      case '[':
        return parse_array(depth);
      case '"': {
        Json value(Json::Kind::string);
        value.text = parse_string();
        return value;
      }
      case -1:
        reject("the JSON text is cut off");
      default:
        return parse_word();
    }
  }

  Json parse_array(int depth) {
    Json value(Json::Kind::array);
    ++at_;
    skip_space();
    if (take(']')) return value;
    do {
      value.items.push_back(parse(depth + 1));
      skip_space();
    } while (take(','));
    if (!take(']')) reject("a comma or ] is missing in the JSON text");
    return value;
  }

  Json parse_object(int depth) {
    Json value(Json::Kind::object);
    ++at_;
    skip_space();
    if (take('}')) return value;
    std::set<std::string> seen;
    do {
      skip_space();
      if (peek() != '"') reject("a key is missing in the JSON text");
      value.keys.push_back(parse_string());
      if (!seen.insert(value.keys.back()).second)
        reject("the JSON text has the key " + shown(value.keys.back()) + " twice");
      skip_space();
      if (!take(':')) reject("a colon is missing in the JSON text");
      value.items.push_back(parse(depth + 1));
      skip_space();
    } while (take(','));
    if (!take('}')) reject("a comma or } is missing in the JSON text");
    return value;
  }

  std::string parse_string() {
    std::string text;
    ++at_;
    for (;;) {
      const int c = peek();
      if (c < 0) reject("a string of the JSON text is cut off");
      if (c < 32) reject("a string of the JSON text holds a control character");
      ++at_;
      if (c == '"') break;
      if (c == '\\')
        parse_escape(text);
      else
        text += static_cast<char>(c);
      if (text.size() > limits_.string) reject("a string of the JSON text is too long");
    }
    if (!is_utf8(text)) reject("a string of the JSON text is not valid UTF-8");
    return text;
  }

  void parse_escape(std::string& text) {
    static const std::string letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    const int c = peek();
    if (c == 'u') {
      ++at_;
      append_utf8(text, parse_point());
      return;
    }
    const std::size_t k = c < 0 ? std::string::npos : letters.find(static_cast<char>(c));
    if (k == std::string::npos) reject("the JSON text has an unknown escape");
    ++at_;
    text += meanings[k];
  }

  // The character that \uXXXX stands for; beyond U+FFFF it takes two of them.
  std::uint32_t parse_point() {
    const std::uint32_t first = parse_hex();
    if (first == 0) reject("a string of the JSON text holds a zero character");
    if (first < 0xd800 || first > 0xdfff) return first;
    if (first > 0xdbff || !take('\\') || !take('u')) reject("a string of the JSON text holds half a character");
    const std::uint32_t second = parse_hex();
    if (second < 0xdc00 || second > 0xdfff) reject("a string of the JSON text holds half a character");
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
  }

  std::uint32_t parse_hex() {
    std::uint32_t value = 0;
    for (int k = 0; k < 4; ++k, ++at_) {
      const int c = peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) reject("the JSON text has a damaged \\u escape");
      value = value << 4 | static_cast<std::uint32_t>(digit);
    }
    return value;
  }

  Json parse_word() {
    Json value(Json::Kind::boolean);
    value.truth = take_word("true");
    if (value.truth || take_word("false")) return value;
    if (take_word("null")) return Json();
    value.kind = Json::Kind::real;
    const bool minus = peek() == '-';
    if (take_word("NaN")) {
      value.number = std::numeric_limits<double>::quiet_NaN();
    } else if (take_word(minus ? "-Infinity" : "Infinity")) {
      value.number = minus ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    } else {
      parse_number(value);
    }
    return value;
  }

  void take_digits() {
    if (!is_digit(static_cast<char>(peek()))) reject("the JSON text has something that is no value");
    while (is_digit(static_cast<char>(peek()))) ++at_;
  }

  void parse_number(Json& value) {
    const uint64_t start = at_;
    take('-');
    const bool zero = peek() == '0';
    take_digits();
    if (zero && at_ - start > (text_.data()[start] == '-' ? 2u : 1u)) reject("a number of the JSON text starts with 0");
    bool whole = true;
    if (take('.')) {
      whole = false;
      take_digits();
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('+')) take('-');
      take_digits();
    }
    if (at_ - start > 400) reject("a number of the JSON text has too many digits");
    std::string digits = text_.text(start, at_ - start, "a number");
    std::replace(digits.begin(), digits.end(), '.', point_);
    value.number = std::strtod(digits.c_str(), nullptr);
    if (!std::isfinite(value.number)) reject("a number of the JSON text is too large");
    if (!whole) return;
    value.kind = Json::Kind::integer;
    if (std::fabs(value.number) > 9007199254740992.0) reject("a whole number of the JSON text is too large");
  }

  const ByteSpan& text_;
  const JsonLimits& limits_;
  const char point_;
  uint64_t at_ = 0, count_ = 0;
};

void write_string(const std::string& text, std::string& out) {
  const auto escape = [&](std::uint32_t unit) {
    static const char digits[] = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += digits[unit >> shift & 15];
  };
  out += '"';
  for (std::size_t k = 0; k < text.size(); ++k) {
    const unsigned c = static_cast<unsigned char>(text[k]);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
    } else if (c < 0x80) {
      if (c < 32 || c == 127)
        escape(c);
      else
        out += static_cast<char>(c);
    } else {
      const int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
      std::uint32_t point = c & (0x3fu >> more);
      for (int j = 0; j < more && k + 1 < text.size(); ++j)
        point = point << 6 | (static_cast<unsigned char>(text[++k]) & 0x3f);
      if (point > 0xffff) {
        escape(0xd800 + ((point - 0x10000) >> 10));
        escape(0xdc00 + ((point - 0x10000) & 0x3ff));
      } else {
        escape(point);
      }
    }
  }
  out += '"';
}

void write_number(double number, bool whole, std::string& out) {
  if (std::isnan(number)) {
    out += "NaN";
    return;
  }
  if (std::isinf(number)) {
    out += number > 0 ? "Infinity" : "-Infinity";
    return;
  }
  char digits[40];
  for (int precision = 1; precision <= 17; ++precision) {
    std::snprintf(digits, sizeof(digits), "%.*g", precision, number);
    if (std::strtod(digits, nullptr) == number) break;
  }
  std::string text = digits;
  std::replace(text.begin(), text.end(), decimal_point(), '.');
  // 1e+02 is a short spelling of 100, but no whole number.
  if (std::fabs(number) < 1e16 && number == std::floor(number)) {
    std::snprintf(digits, sizeof(digits), "%.0f", number);
    text = digits;
  }
  if (!whole && text.find_first_of(".e") == std::string::npos) text += ".0";
  out += text;
}

void write_value(const Json& value, std::string& out) {
  switch (value.kind) {
    case Json::Kind::null:
      out += "null";
      return;
    case Json::Kind::boolean:
      out += value.truth ? "true" : "false";
      return;
    case Json::Kind::integer:
      write_number(value.number, true, out);
      return;
    case Json::Kind::real:
      write_number(value.number, false, out);
      return;
    case Json::Kind::string:
      write_string(value.text, out);
      return;
    case Json::Kind::array:
    case Json::Kind::object:
      break;
  }
  const bool is_object = value.kind == Json::Kind::object;
  out += is_object ? '{' : '[';
  for (std::size_t k = 0; k < value.items.size(); ++k) {
    if (k > 0) out += ", ";
    if (is_object) {
      write_string(value.keys[k], out);
      out += ": ";
    }
    write_value(value.items[k], out);
  }
  out += is_object ? '}' : ']';
}

}  // namespace

Json parse_json(const ByteSpan& text, const JsonLimits& limits) { return Parser(text, limits).document(); }

std::string write_json(const Json& value) {
  std::string out;
  write_value(value, out);
  return out;
}

}  // namespace birnn
