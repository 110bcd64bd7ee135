// What the parts of the HDF5 reader share: the file, the widths of its fields, and who owns which bytes (level L1).
#pragma once
#include <map>
#include <string>
#include <vector>

#include "format_hdf5.h"

namespace birnn {

// A message of an object header.
struct H5Message {
  unsigned type = 0, flags = 0;
  ByteSpan content;
};

// The objects of one collection of the global heap, by number.
using H5Collection = std::map<uint64_t, ByteSpan>;

class H5Source {
 public:
  explicit H5Source(const ByteSpan& file) : file_(file), text_left_(4 * file.size() + (uint64_t{1} << 20)) {}

  const ByteSpan& file() const { return file_; }
  unsigned offset_size = 8, length_size = 8;

  // ByteSpan that belong to one structure. No byte of a sound file belongs to two: that rules out cycles, objects in
  // two places, data that overlap and whatever else refers twice to the same place.
  ByteSpan claim(uint64_t address, uint64_t size, const char* what);
  // Grows a claim from `size` to `total` bytes.
  ByteSpan extend(uint64_t address, uint64_t size, uint64_t total, const char* what);

  // An address that stands for "nowhere".
  bool undefined(uint64_t address) const { return address == (~uint64_t{0} >> (64 - 8 * offset_size)); }
  // The same field as an offset within bytes read from the file.
  uint64_t address(Cursor& fields) const { return fields.number(offset_size); }
  uint64_t length(Cursor& fields) const { return fields.number(length_size); }

  // Counts structures and text, so that a small file cannot ask for much work or memory.
  void spend(uint64_t structures = 1);
  void spend_text(uint64_t size);

  // An object of the global heap.
  ByteSpan heap_object(uint64_t collection, uint64_t number);

 private:
  ByteSpan file_;
  std::map<uint64_t, uint64_t> claims_;  // start -> end
  std::map<uint64_t, H5Collection> collections_;
  uint64_t structures_left_ = 1000000, text_left_;
};

// The messages of an object header; unknown ones that must be understood are an error.
std::vector<H5Message> read_object_header(H5Source& source, uint64_t address);

struct H5Link {
  std::string name;
  uint64_t address = 0;
};
// The links of a group. Only hard links exist here.
std::vector<H5Link> read_links(H5Source& source, const std::vector<H5Message>& messages);

std::vector<H5Attribute> read_attributes(H5Source& source, const std::vector<H5Message>& messages);
H5Dataset read_dataset(H5Source& source, const std::vector<H5Message>& messages, const std::string& name);

// The objects of a fractal heap that a version 2 B-tree of the given kind lists.
std::vector<ByteSpan> read_dense(H5Source& source, uint64_t heap, uint64_t tree, unsigned kind);

H5Type read_type(Cursor& fields, unsigned depth = 0);
std::vector<uint64_t> read_space(const H5Source& source, const ByteSpan& message);
// Number of elements, checked for overflow.
uint64_t element_count(const std::vector<uint64_t>& dims, uint64_t element_size, uint64_t where);

// A float of 2 bytes.
double half_number(unsigned bits);

// The checksum of the newer structures, over all but its own last four bytes.
void check_sum(const ByteSpan& structure, const char* what);

}  // namespace birnn
