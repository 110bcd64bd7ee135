// Files of the disk: one read as a whole, one replaced so that at every moment it is the old or the new one (level L1).
#pragma once
#include <string>

#include "format_bytes.h"

namespace birnn {

// An open file to read. Only plain files are opened: no folders, devices or pipes.
class FileReader {
 public:
  explicit FileReader(const std::string& path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  uint64_t size() const { return size_; }
  void read(uint8_t* out);  // all of it

 private:
  std::string path_;
  int file_ = -1;
  uint64_t size_ = 0;
};

// Writes to a new file in the same folder, waits until it is on the disk, and gives it the name `path`. If anything
// fails, the new file is removed, what was called `path` is left alone, and the error names path and reason. New files
// that processes left behind which no longer exist are removed before. Folders and devices are never replaced.
void replace_file(const std::string& path, const ByteSpan& content);

// For tests: the n-th call of the operating system from now on fails with this error number (n = 0: none does).
// `partly`: a failing write first writes half of its bytes. Returns how many calls there were since the last time.
int set_file_fault(int n, int error, bool partly);

}  // namespace birnn
