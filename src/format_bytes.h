// The bytes of a file that nobody vouches for: every access is checked against its end (level L1).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "error.h"

namespace birnn {

using std::uint64_t;
using std::uint8_t;

// A damaged or unsuitable file. `what` says what is wrong there; `where` is the position of the byte.
[[noreturn]] inline void fail_at(uint64_t where, const std::string& what) {
  fail("file", what + " (at byte " + std::to_string(where) + ")");
}

// Text of a file as it may be shown: printable ASCII only, at most 60 characters.
inline std::string shown(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (result.size() >= 60) return result + "...";
    result += (c >= ' ' && c <= '~' && c != '{' && c != '}') ? c : '?';
  }
  return result;
}

// A range of bytes within a file. `origin` is where it starts in the file, for messages.
class ByteSpan {
 public:
  ByteSpan() = default;
  ByteSpan(const uint8_t* data, uint64_t size, uint64_t origin = 0) : data_(data), size_(size), origin_(origin) {}

  const uint8_t* data() const { return data_; }
  uint64_t size() const { return size_; }
  uint64_t origin() const { return origin_; }
  bool holds(uint64_t at, uint64_t size) const { return at <= size_ && size <= size_ - at; }

  void need(uint64_t at, uint64_t size, const char* what) const {
    if (!holds(at, size)) fail_at(origin_ + at, std::string(what) + " reaches beyond the end of the data");
  }
  ByteSpan part(uint64_t at, uint64_t size, const char* what) const {
    need(at, size, what);
    return ByteSpan(data_ + at, size, origin_ + at);
  }
  // A little-endian whole number of 1 to 8 bytes.
  uint64_t number(uint64_t at, unsigned width, const char* what) const {
    need(at, width, what);
    uint64_t value = 0;
    for (unsigned k = width; k-- > 0;) value = value << 8 | data_[at + k];
    return value;
  }
  bool has_text(uint64_t at, const char* text, uint64_t length) const {
    if (!holds(at, length)) return false;
    for (uint64_t k = 0; k < length; ++k)
      if (data_[at + k] != static_cast<uint8_t>(text[k])) return false;
    return true;
  }
  std::string text(uint64_t at, uint64_t length, const char* what) const {
    need(at, length, what);
    return std::string(reinterpret_cast<const char*>(data_ + at), static_cast<std::size_t>(length));
  }

 private:
  const uint8_t* data_ = nullptr;
  uint64_t size_ = 0, origin_ = 0;
};

// Reads one field after the other.
class Cursor {
 public:
  Cursor(const ByteSpan& bytes, const char* what, uint64_t at = 0) : bytes_(bytes), what_(what), at_(at) {}
  uint64_t number(unsigned width) {
    const uint64_t value = bytes_.number(at_, width, what_);
    at_ += width;
    return value;
  }
  std::string text(uint64_t length) {
    const std::string value = bytes_.text(at_, length, what_);
    at_ += length;
    return value;
  }
  ByteSpan part(uint64_t length) {
    const ByteSpan value = bytes_.part(at_, length, what_);
    at_ += length;
    return value;
  }
  void skip(uint64_t length) {
    bytes_.need(at_, length, what_);
    at_ += length;
  }
  // To the next multiple of 8, counted from the start of the range.
  void align8() { skip((8 - at_ % 8) % 8); }
  uint64_t at() const { return at_; }
  uint64_t position() const { return bytes_.origin() + at_; }
  uint64_t left() const { return bytes_.size() - at_; }
  const ByteSpan& bytes() const { return bytes_; }
  [[noreturn]] void reject(const std::string& what) const { fail_at(position(), what); }

 private:
  ByteSpan bytes_;
  const char* what_;
  uint64_t at_;
};

// Writes little-endian numbers and text to the end of a growing block.
class ByteWriter {
 public:
  std::vector<uint8_t>& bytes() { return bytes_; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  void swap(ByteWriter& other) { bytes_.swap(other.bytes_); }
  uint64_t size() const { return bytes_.size(); }
  void number(uint64_t value, unsigned width) {
    for (unsigned k = 0; k < width; ++k) bytes_.push_back(static_cast<uint8_t>(value >> (8 * k)));
  }
  void put(const void* data, uint64_t size) {
    const uint8_t* const first = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
  }
  void text(const std::string& value) { put(value.data(), value.size()); }
  void zeros(uint64_t count) { bytes_.insert(bytes_.end(), static_cast<std::size_t>(count), uint8_t{0}); }
  void align8() { zeros((8 - size() % 8) % 8); }
  // Overwrites what is there already.
  void number_at(uint64_t at, uint64_t value, unsigned width) {
    for (unsigned k = 0; k < width; ++k)
      bytes_[static_cast<std::size_t>(at + k)] = static_cast<uint8_t>(value >> (8 * k));
  }

 private:
  std::vector<uint8_t> bytes_;
};

// Whether text is valid UTF-8: shortest forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(const std::string& text);

// What a compressed block may grow to: up to 1 MiB anything, beyond that 100 times its size.
inline bool plausible_growth(uint64_t stored, uint64_t size) {
  return size <= (uint64_t{1} << 20) || stored > size / 100;
}

}  // namespace birnn
