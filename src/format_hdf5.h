// HDF5 files in memory, as far as files of weights need them (level L1).
//
// Read are superblocks 0 to 3; groups of the old kind (symbol tables) and of the new one (links, also dense);
// contiguous, compact and chunked datasets, plain, deflated and shuffled; numbers in the byte order of small machines,
// strings of fixed and of variable length; attributes. Everything else, above all whatever refers to another file, is
// refused.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "format_bytes.h"
#include "view.h"

namespace birnn {

struct H5Type {
  enum class Kind { real, integer, text, other };
  Kind kind = Kind::other;
  unsigned size = 0;  // bytes of one value
  bool is_signed = true;
  bool variable = false;  // text that stands in the global heap
};

// Numbers or texts with their sizes.
struct H5Attribute {
  std::string name;
  H5Type type;
  std::vector<uint64_t> dims;
  std::vector<double> numbers;
  std::vector<std::string> texts;
};

struct H5Chunk {
  ByteSpan stored;
  std::uint32_t skipped_filters = 0;
  std::vector<uint64_t> offsets;  // of its first element
};

struct H5Dataset {
  H5Type type;
  std::vector<uint64_t> dims;
  uint64_t count = 0;  // elements
  ByteSpan plain;      // of contiguous and compact data
  std::vector<H5Chunk> chunks;
  std::vector<uint64_t> chunk_dims;  // empty: not in chunks
  std::vector<unsigned> filters;     // in the order in which they were applied
};

struct H5Node {
  std::string name;
  bool is_group = true;
  H5Dataset data;
  std::vector<H5Node> members;
  std::vector<H5Attribute> attributes;
};

class H5Source;

// The whole structure is read and checked at once; numbers only when they are asked for.
class H5File {
 public:
  explicit H5File(const ByteSpan& file);
  const H5Node& root() const { return root_; }

 private:
  H5Node root_;
};

// The numbers of a dataset as a tensor type, row by row. Whole numbers must fit. `out` has room for all.
void read_numbers(const H5Dataset& dataset, DType type, void* out);
// What type they should become: floats of 2 and 4 bytes float32, of 8 bytes float64, whole numbers int32.
DType natural_type(const H5Type& type);

}  // namespace birnn
