// Work space that is not R's: 64-byte aligned, kept from step to step (level L0).
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#if defined(__linux__)
#include <sys/mman.h>
#endif
#include <string>
#include <utility>

#include "error.h"

namespace birnn {

constexpr std::size_t alignment = 64;

inline std::size_t aligned_size(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

// How often work space has been asked of the system so far (a loop that has settled never does), and how many bytes of
// it are held now.
struct WorkCounts {
  std::atomic<std::int64_t> allocations{0}, bytes{0};
};

inline WorkCounts& work_counts() {
  static WorkCounts counts;
  return counts;
}

// Asks for pages of two megabytes in a large block: the passes of a recurrent layer go through many arrays at once, and
// through fewer pages faster.
inline void prefer_huge_pages(void* first, std::size_t bytes) {
#if defined(MADV_HUGEPAGE)
  constexpr std::size_t page = 4096, least = std::size_t(4) << 20;
  if (bytes < least) return;
  const std::size_t address = reinterpret_cast<std::size_t>(first), begin = (address + page - 1) / page * page;
  madvise(reinterpret_cast<void*>(begin), (address + bytes - begin) / page * page, MADV_HUGEPAGE);
#else
  (void)first;
  (void)bytes;
#endif
}

// A block of memory that only grows. Its contents are lost when it grows.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes) { need(bytes); }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~AlignedBuffer() { release(); }

  void* need(std::size_t bytes) {
    if (bytes > size_) {
      release();
      raw_ = std::malloc(bytes + alignment);
      if (raw_ == nullptr) fail("resource", "no memory for " + std::to_string(bytes) + " bytes of work space");
      prefer_huge_pages(raw_, bytes);
      size_ = bytes;
      ++work_counts().allocations;
      work_counts().bytes += static_cast<std::int64_t>(size_);
    }
    return data();
  }
  void* data() const {
    const std::size_t address = reinterpret_cast<std::size_t>(raw_);
    return raw_ == nullptr ? nullptr : reinterpret_cast<void*>((address + alignment - 1) / alignment * alignment);
  }
  char* bytes() const { return static_cast<char*>(data()); }
  std::size_t size() const { return size_; }
  void release() {
    std::free(raw_);
    work_counts().bytes -= static_cast<std::int64_t>(size_);
    raw_ = nullptr;
    size_ = 0;
  }

 private:
  void swap(AlignedBuffer& other) noexcept {
    std::swap(raw_, other.raw_);
    std::swap(size_, other.size_);
  }
  void* raw_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace birnn
