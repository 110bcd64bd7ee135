// Reading and replacing files, through one small table of calls in which tests can make any call fail (level L1).
#include "format_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#ifdef _WIN32
#include <io.h>
#include <process.h>
#include <windows.h>
#else
#include <dirent.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>
#endif

namespace birnn {

namespace {

struct Fault {
  int calls = 0, failing = 0, error = 0;
  bool partly = false;
};
Fault fault;

const char* const new_mark = ".tmp";  // a new file is called <path>.tmp<process>-<number> until it is whole

// Whether this call is the one that a test wants to fail.
bool is_faulty() {
  if (++fault.calls != fault.failing) return false;
  errno = fault.error;
  return true;
}

#ifdef _WIN32

std::wstring wide(const std::string& path) {
  const int size = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring result(static_cast<std::size_t>(std::max(size, 1)), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, &result[0], size);
  return result;
}
int open_for_reading(const std::string& path) { return _wopen(wide(path).c_str(), _O_RDONLY | _O_BINARY); }
int create(const std::string& path) {
  return _wopen(wide(path).c_str(), _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY, _S_IREAD | _S_IWRITE);
}
std::int64_t size_of_plain(int file) {
  struct _stat64 info;
  return _fstat64(file, &info) == 0 && (info.st_mode & _S_IFREG) ? info.st_size : -1;
}
std::int64_t read_some(int file, uint8_t* out, std::size_t size) {
  return _read(file, out, static_cast<unsigned>(size));
}
std::int64_t write_some(int file, const uint8_t* data, std::size_t size) {
  return _write(file, data, static_cast<unsigned>(size));
}
int sync_file(int file) { return _commit(file); }
int close_file(int file) { return _close(file); }
int rename_file(const std::string& from, const std::string& to) {
  if (MoveFileExW(wide(from).c_str(), wide(to).c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) return 0;
  errno = EACCES;
  return -1;
}
int remove_file(const std::string& path) { return _wunlink(wide(path).c_str()); }
int process_number() { return _getpid(); }
bool can_be_replaced(const std::string& path) {
  struct _stat64 info;
  return _wstat64(wide(path).c_str(), &info) != 0 || (info.st_mode & _S_IFREG);
}
void keep_mode(const std::string&, int) {}
std::int64_t free_bytes(const std::string& path) {
  ULARGE_INTEGER free;
  const std::size_t end = path.find_last_of("/\\");
  const std::string folder = end == std::string::npos ? "." : path.substr(0, end + 1);
  return GetDiskFreeSpaceExW(wide(folder).c_str(), &free, nullptr, nullptr) ? static_cast<std::int64_t>(free.QuadPart)
                                                                            : -1;
}
void sync_folder(const std::string&) {}
void remove_left_behind(const std::string&) {}  // numbers of processes are soon given out again here

#else

int open_for_reading(const std::string& path) { return open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }
int create(const std::string& path) { return open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }
std::int64_t size_of_plain(int file) {
  struct stat info;
  return fstat(file, &info) == 0 && S_ISREG(info.st_mode) ? static_cast<std::int64_t>(info.st_size) : -1;
}
std::int64_t read_some(int file, uint8_t* out, std::size_t size) { return read(file, out, size); }
std::int64_t write_some(int file, const uint8_t* data, std::size_t size) { return write(file, data, size); }
int sync_file(int file) { return fsync(file); }
int close_file(int file) { return close(file); }
int rename_file(const std::string& from, const std::string& to) { return rename(from.c_str(), to.c_str()); }
int remove_file(const std::string& path) { return unlink(path.c_str()); }
int process_number() { return static_cast<int>(getpid()); }
bool can_be_replaced(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode);
}
// The new file may be read and written by whom the old one might.
void keep_mode(const std::string& path, int file) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && fchmod(file, info.st_mode & 07777) != 0) errno = 0;
}
std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}
// What a user may still write beside `path`, or -1 if the system does not say.
std::int64_t free_bytes(const std::string& path) {
  struct statvfs info;
  if (statvfs(folder_of(path).c_str(), &info) != 0) return -1;
  return static_cast<std::int64_t>(static_cast<uint64_t>(info.f_bavail) * info.f_frsize);
}
// So that the new name outlives a loss of power, too. Some file systems cannot do it: then it is left to them.
void sync_folder(const std::string& path) {
  const int folder = open(folder_of(path).c_str(), O_RDONLY | O_CLOEXEC);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}
// The process in the name of a new file of `base` (see new_name()), or 0 if it is some other file.
pid_t process_of(const std::string& name, const std::string& base) {
  const std::string start = base + new_mark;
  if (name.compare(0, start.size(), start) != 0) return 0;
  const std::size_t dash = name.find('-', start.size());
  if (dash == std::string::npos || dash == start.size() || dash - start.size() > 9 || dash + 1 == name.size()) return 0;
  for (std::size_t k = start.size(); k < name.size(); ++k) {
    if (k != dash && (name[k] < '0' || name[k] > '9')) return 0;
  }
  return static_cast<pid_t>(std::stol(name.substr(start.size(), dash - start.size())));
}
// Removes the new files of processes that ended before they had named them.
void remove_left_behind(const std::string& path) {
  const std::string folder = folder_of(path);
  const std::string base = path.substr(path.find_last_of('/') + 1);  // npos + 1 is 0
  DIR* entries = opendir(folder.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries)) {
    const pid_t process = process_of(entry->d_name, base);
    if (process > 0 && kill(process, 0) != 0 && errno == ESRCH) remove_file(folder + entry->d_name);
  }
  closedir(entries);
}

#endif

std::string new_name(const std::string& path) {
  static int count = 0;
  return path + new_mark + std::to_string(process_number()) + "-" + std::to_string(++count);
}

[[noreturn]] void fail_file(const std::string& what, const std::string& path, int error) {
  fail("file", what + " \"" + path + "\": " + std::generic_category().message(error));
}

// A file of its own beside `path`, removed again unless it is given its final name.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : path_(path) {
    for (int tries = 0; tries < 1000; ++tries) {
      name_ = new_name(path);
      file_ = is_faulty() ? -1 : create(name_);
      if (file_ >= 0) return;
      if (errno != EEXIST) break;
    }
    fail_file("could not write to the folder of", path_, errno);
  }
  ~NewFile() {
    if (file_ >= 0) close_file(file_);
    if (!named_ && !name_.empty()) remove_file(name_);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(const ByteSpan& content) {
    keep_mode(path_, file_);
    for (uint64_t at = 0; at < content.size();) {
      const std::size_t size = static_cast<std::size_t>(std::min<uint64_t>(content.size() - at, 65536));
      const std::int64_t written = write_piece(content.data() + at, size);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail_writing(content.size(), at, written == 0 ? ENOSPC : errno);
      at += static_cast<uint64_t>(written);
    }
    if (is_faulty() || sync_file(file_) != 0) fail_file("could not write", path_, errno);
    const int file = file_;
    file_ = -1;
    const bool faulty = is_faulty();
    if (close_file(file) != 0 || faulty) fail_file("could not write", path_, faulty ? fault.error : errno);
  }
  void take_name() {
    if (is_faulty() || rename_file(name_, path_) != 0) fail_file("could not replace", path_, errno);
    named_ = true;
    sync_folder(path_);
  }

 private:
  // A full disk: the user is told how much is missing. What is written already will be free again.
  [[noreturn]] void fail_writing(uint64_t size, uint64_t written, int error) const {
    const std::int64_t free = error == ENOSPC ? free_bytes(path_) : -1;
    if (free < 0) fail_file("could not write", path_, error);
    fail("file", "could not write \"" + path_ + "\": " + std::generic_category().message(error) + ": " +
                     std::to_string(size) + " bytes are needed, " +
                     std::to_string(static_cast<uint64_t>(free) + written) + " are free");
  }

  std::int64_t write_piece(const uint8_t* data, std::size_t size) {
    if (!is_faulty()) return write_some(file_, data, size);
    if (fault.partly) write_some(file_, data, size / 2);
    errno = fault.error;
    return -1;
  }

  const std::string path_;
  std::string name_;
  int file_ = -1;
  bool named_ = false;
};

}  // namespace

FileReader::FileReader(const std::string& path) : path_(path) {
  file_ = is_faulty() ? -1 : open_for_reading(path);
  if (file_ < 0) fail_file("could not open", path, errno);
  const std::int64_t size = size_of_plain(file_);
  if (size < 0) {
    close_file(file_);
    fail("file", "\"" + path + "\" is not a file that can be read");
  }
  size_ = static_cast<uint64_t>(size);
}

FileReader::~FileReader() { close_file(file_); }

void FileReader::read(uint8_t* out) {
  for (uint64_t at = 0; at < size_;) {
    const std::size_t size = static_cast<std::size_t>(std::min<uint64_t>(size_ - at, uint64_t{1} << 26));
    const std::int64_t done = is_faulty() ? -1 : read_some(file_, out + at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_file("could not read", path_, errno);
    if (done == 0) fail("file", "\"" + path_ + "\" became shorter while it was read");
    at += static_cast<uint64_t>(done);
  }
}

void replace_file(const std::string& path, const ByteSpan& content) {
  if (!can_be_replaced(path)) fail("file", "\"" + path + "\" is a folder or a device: no file that can be replaced");
  remove_left_behind(path);
  NewFile file(path);
  file.write(content);
  file.take_name();
}

int set_file_fault(int n, int error, bool partly) {
  const int calls = fault.calls;
  fault = Fault{0, n, error, partly};
  return calls;
}

}  // namespace birnn
